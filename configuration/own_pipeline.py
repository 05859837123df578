"""Let `pipeline` of transformers take a model's own class for a loaded model, and under the alias `"ner"`, too.

There it takes the stock class without a word, which cuts long texts and knows nothing of a CRF. So the entry of token
classification in transformers' list is replaced by one that asks the model. Models that bring no class along, and that
is all others, get an instance of what stood there before.

This file travels with every saved model, so it imports nothing of malmoi.
"""

from typing import Any

package_waits = False
"""Whether the package that holds this file offers them later, with their import; the folder of a model does not."""


def offer_own_pipelines(pipelines: Any) -> None:
    """Make `pipeline("token-classification", ...)` and `pipeline("ner", ...)` ask the model for its own class.

    Args:
        pipelines: The module `transformers.pipelines`.
    """
    entry = pipelines.PIPELINE_REGISTRY.supported_tasks["token-classification"]
    before = entry["impl"]  # the path of the stock class, or a class that somebody has put there
    if hasattr(before, "asks_the_model"):  # another copy of this file has been here before
        return
    stock: Any = pipelines.TokenClassificationPipeline if isinstance(before, str) else before

    class AskingPipeline(stock):  # type: ignore[misc]  # transformers looks at attributes of the class
        asks_the_model = True

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            own = getattr(kwargs.get("model"), "own_pipeline_class", None)  # also through a wrapper as of an adapter
            return (stock if own is None else own())(*args, **kwargs)

    entry["impl"] = AskingPipeline


__all__ = ["offer_own_pipelines", "package_waits"]
