"""Korean names, word spacing and sentiment, inside the Hugging Face ecosystem.

    from malmoi import Tagger

    tagger = Tagger()                          # the model of the package; or a folder, or the name of one on the Hub
    tagger("손흥민은 춘천에서 태어났다.")      # the names of one text, or of each text of a list

- **Use a model**: `Tagger` finds names (`Entity`), `Spacer` restores spaces (`SpacedText`), `Classifier` judges texts
  (`Classification`).
- **Train one**: `read_data` reads data of any form, or a list of dictionaries; `train` learns from them, by a recipe
  and the settings that differ from it; `evaluate` measures the model. `load_recipe` shows what a recipe holds; `tune`
  searches the best values.
- **Publish one**: `push`.
- **Build on it**: the configurations and models for `transformers`, whose `Auto` classes know them as soon as one of
  them is used; `LinearChainCrf`, a layer for models of your own; `kernels`, what computes it fast.

What a user can mend is told by a `UserError`, in one sentence. Nothing is loaded before it is used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from malmoi import kernels
    from malmoi.data.user_error import UserError
    from malmoi.hub_cards.push import push
    from malmoi.inference.classifier import Classification, Classifier
    from malmoi.inference.spacer import SpacedText, Spacer
    from malmoi.inference.tagger import Entity, Tagger
    from malmoi.modeling import (
        BiLstmConfig,
        BiLstmCrfConfig,
        BiLstmCrfForTokenClassification,
        BiLstmForSequenceClassification,
        CrfTokenClassificationPipeline,
        EncoderCrfConfig,
        EncoderCrfForTokenClassification,
    )
    from malmoi.modeling.linear_chain_crf import LinearChainCrf
    from malmoi.recipes.recipe import Recipe, load_recipe
    from malmoi.training.from_python import evaluate, read_data, train, tune

    __version__: str

_WHERE = {
    "malmoi.data.user_error": ("UserError",),
    "malmoi.hub_cards.push": ("push",),
    "malmoi.inference.classifier": ("Classification", "Classifier"),
    "malmoi.inference.spacer": ("SpacedText", "Spacer"),
    "malmoi.inference.tagger": ("Entity", "Tagger"),
    # the configurations too: with this package, the `Auto` classes know them
    "malmoi.modeling": (
        "BiLstmConfig",
        "BiLstmCrfConfig",
        "BiLstmCrfForTokenClassification",
        "BiLstmForSequenceClassification",
        "CrfTokenClassificationPipeline",
        "EncoderCrfConfig",
        "EncoderCrfForTokenClassification",
    ),
    "malmoi.modeling.linear_chain_crf": ("LinearChainCrf",),
    "malmoi.recipes.recipe": ("Recipe", "load_recipe"),
    "malmoi.training.from_python": ("evaluate", "read_data", "train", "tune"),
}

__all__ = [
    "BiLstmConfig",
    "BiLstmCrfConfig",
    "BiLstmCrfForTokenClassification",
    "BiLstmForSequenceClassification",
    "Classification",
    "Classifier",
    "CrfTokenClassificationPipeline",
    "EncoderCrfConfig",
    "EncoderCrfForTokenClassification",
    "Entity",
    "LinearChainCrf",
    "Recipe",
    "SpacedText",
    "Spacer",
    "Tagger",
    "UserError",
    "__version__",
    "evaluate",
    "kernels",
    "load_recipe",
    "push",
    "read_data",
    "train",
    "tune",
]


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one that this function finds

    def __getattr__(name):
        """Load what is asked for, and keep it."""
        from importlib import import_module

        module = next((module for module, names in _WHERE.items() if name in names), None)
        if module is not None:
            found = getattr(import_module(module), name)
        elif name == "kernels":
            found = import_module("malmoi.kernels")
        elif name == "__version__":
            from importlib.metadata import version

            found = version("malmoi")
        else:
            raise AttributeError(f"module 'malmoi' has no attribute {name!r}")
        globals()[name] = found
        return found
