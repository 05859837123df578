"""Finished models as teachers: they label texts that nobody has labelled."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import list_names
from malmoi.inference.loading import load_model
from malmoi.recipes.recipe import RecipeError


class Teacher(NamedTuple):
    """A finished model that labels texts, and where the labels of the data are among its own."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    order: list[int]


class LabelledTexts(NamedTuple):
    """How sure teachers are of each text that they have labelled, and the texts of which they are sure enough."""

    confidences: list[float]
    kept: Dataset


def split_names(names: str) -> list[str]:
    """Return names that have commas between them."""
    return [name.strip() for name in names.split(",") if name.strip()]


def load_teacher(name: str, task: str, labels: Sequence[str], *, device: torch.device) -> Teacher:
    """Load a finished model that is to label texts.

    Raises:
        UserError: If it cannot be loaded, is for another task, or has other labels than the data.
    """
    model, tokenizer = load_model(name, task)
    own = labels_of(model.config)
    if sorted(own) != sorted(labels):
        raise RecipeError(
            f"`silver_teachers`: {name} has the labels {list_names(own)}, but those of the data are "
            f"{list_names(labels)}; a teacher must have the same."
        )
    return Teacher(model.to(device), tokenizer, [own.index(label) for label in labels])  # type: ignore[arg-type]
