"""Whether a training went wrong: its weights are no numbers any more, or too large to learn anything."""

from transformers import PreTrainedModel

from malmoi.recipes.recipe import RecipeError

LARGEST_WEIGHT = 1e6
"""Larger weights make scores of the CRF so low that they count as forbidden, for which labels are refused."""


def has_diverged(model: PreTrainedModel) -> bool:
    """Tell whether a weight of a model is no number, or too large for one that learns anything."""
    return any(not bool((parameter.abs() < LARGEST_WEIGHT).all()) for parameter in model.parameters())


def check_weights(model: PreTrainedModel, *, learning_rate: float) -> None:
    """Check that a training has not diverged: a model that did would be kept as a finished one, and answer nothing.

    Args:
        model: The model, after its training.
        learning_rate: That of the training.

    Raises:
        RecipeError: If it has.
    """
    if has_diverged(model):
        raise RecipeError(
            "The training has diverged: weights of the model are too large, or no numbers any more (NaN). Begin anew "
            f"with a smaller --learning_rate than {learning_rate:g} and --overwrite true."
        )
