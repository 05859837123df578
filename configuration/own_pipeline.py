"""Let `pipeline` of transformers take a model's own class for a loaded model, too.

transformers reads which pipeline a model brings along only where the model is named, and only under the very name of
the task: `pipeline("token-classification", model=<loaded model>)` and `pipeline("ner", model=<folder>)` take the stock
class without a word, which cuts long texts and knows nothing of a CRF. So the entry of token classification in
transformers' list of pipelines is replaced by one that asks the model. Models that bring no class along, and that is
all others, get what they would have got: an instance of the very class that stood there before.

This file travels with every saved model, so it imports nothing of malmoi.
"""

from typing import Any

TASK = "token-classification"
OWN_CLASS = "own_pipeline_class"
"""The method of a model that returns its pipeline; also through a wrapper such as that of an adapter."""


def offer_own_pipelines() -> None:
    """Make `pipeline("token-classification", ...)` and `pipeline("ner", ...)` ask the model for its own class.

    This imports the pipelines of transformers, and with them all that models need.
    """
    from transformers.pipelines import PIPELINE_REGISTRY

    entry = PIPELINE_REGISTRY.supported_tasks[TASK]
    if not hasattr(entry["impl"], "asks_the_model"):  # another copy of this file may have been here before
        entry["impl"] = _asking_class(entry["impl"])


def _asking_class(before: Any) -> type:
    """Return a class that makes an instance of the model's own pipeline, or else of the one that stood there before.

    Args:
        before: What transformers lists: a class that somebody has put there, or where the stock class is to be found.
    """
    from transformers import TokenClassificationPipeline

    stock: Any = TokenClassificationPipeline if isinstance(before, str) else before

    class AskingPipeline(stock):  # type: ignore[misc]  # transformers looks at attributes of the class
        asks_the_model = True

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            own = getattr(kwargs.get("model"), OWN_CLASS, None)
            return (stock if own is None else own())(*args, **kwargs)

    return AskingPipeline


__all__ = ["offer_own_pipelines"]
