"""Finished models as teachers: they label texts that nobody has labelled."""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import list_names
from malmoi.inference.engine import TEMPERATURES
from malmoi.inference.loading import load_model
from malmoi.recipes.recipe import RecipeError

LEAST = 1e-30
"""Stands for a probability that rounding has made 0: it has a logarithm, and where all labels have it, none is more
probable than others."""


class Teacher(NamedTuple):
    """A finished model that labels texts, and where the labels of the data are among its own."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    order: list[int]

    def of_data(self, probabilities: Tensor) -> Tensor:
        """Return how probable the labels of the data are, `(texts, labels)`, in their order.

        A model that was trained on from another one knows the labels of that one, too, which the data lack: the
        probabilities are those for the case that none of them is the right one.

        Args:
            probabilities: Those of all labels that the model knows, `(texts, labels)`; characters in the place of
                texts for a tagger.
        """
        chosen = probabilities[:, self.order]
        if len(self.order) == probabilities.size(1):
            return chosen
        chosen = chosen.clamp(min=LEAST)
        return chosen / chosen.sum(dim=1, keepdim=True)


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
        UserError: If it cannot be loaded, is for another task, or lacks labels of the data.
    """
    model, tokenizer = load_model(name, task)
    own = labels_of(model.config)
    if lacking := [label for label in labels if label not in own]:
        raise RecipeError(
            f"`silver_teachers`: {name} lacks {list_names(lacking)} of the labels of the data; it has "
            f"{list_names(own)}. A teacher must know all of them."
        )
    return Teacher(model.to(device), tokenizer, [own.index(label) for label in labels])  # type: ignore[arg-type]


def fingerprint_of(teachers: Sequence[Teacher]) -> str:
    """Return a hash of what teachers know and how sure they speak: other ones would say other probabilities.

    That of the probabilities would not do: their last digits follow the number of threads.
    """
    digest = hashlib.sha256()
    for teacher in teachers:
        spoken = [getattr(teacher.model.config, name, None) for name in TEMPERATURES]
        digest.update(json.dumps([*labels_of(teacher.model.config), spoken], ensure_ascii=False).encode())
        for name, tensor in sorted(teacher.model.state_dict().items()):
            digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
