"""A loss for classes of very different size: a text weighs the more, the rarer its class is."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

LossFunction = Callable[..., Tensor]
"""`compute_loss_func` of the stock `Trainer`."""


def balanced_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Return the weight of each class: texts / (classes * texts of the class), as scikit-learn's "balanced".

    Only classes that occur are counted; the others weigh 1.

    Args:
        labels: The classes of the training texts, `(texts,)`.
        num_classes: How many classes there are.
    """
    counts = torch.bincount(labels, minlength=num_classes)
    weights = len(labels) / (counts.count_nonzero() * counts)
    return torch.where(counts > 0, weights, 1.0)


def weighted_cross_entropy(weights: Tensor) -> LossFunction:
    """Return the cross-entropy of texts, each weighted by its class, over the texts of a step.

    The sum is divided by the texts of all batches and processes of the step, so neither changes what is learned.
    """

    def loss(outputs: Any, labels: Tensor, *, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        logits = outputs["logits"].float()
        summed = functional.cross_entropy(logits, labels, weights.to(logits.device), reduction="sum")
        return summed / (len(labels) if num_items_in_batch is None else num_items_in_batch)

    return loss
