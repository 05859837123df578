"""Losses of classifiers beside that of the model: rare classes weigh more, or texts have a probability of every class.

Probabilities in the place of a class are the soft targets of Hinton et al., 2015 (https://arxiv.org/abs/1503.02531).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

LossFunction = Callable[..., Tensor]
"""`compute_loss_func` of the stock `Trainer`."""


def balanced_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Return the weight of each class: texts / (classes * texts of the class), as scikit-learn's "balanced".

    Only classes that occur are counted; the others weigh 1. Of a text with probabilities, each class has its share.

    Args:
        labels: The classes of the training texts, `(texts,)`, or the probability of every class, `(texts, classes)`.
        num_classes: How many classes there are.
    """
    counts = labels.sum(dim=0) if labels.is_floating_point() else torch.bincount(labels, minlength=num_classes)
    weights = len(labels) / (counts.count_nonzero() * counts)
    return torch.where(counts > 0, weights, 1.0)


def classification_loss(weights: Tensor | None = None) -> LossFunction:
    """Return the cross-entropy of texts, each weighted by its class, over the texts of a step.

    The sum is divided by the texts of all batches and processes of the step, so neither changes what is learned.
    Labels are classes, `(batch,)`, or the probability of every class, `(batch, classes)`.

    Args:
        weights: The weight of each class; by default all weigh the same.
    """

    def loss(outputs: Any, labels: Tensor, *, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        logits = outputs["logits"].float()
        of_classes = None if weights is None else weights.to(logits.device)
        summed = functional.cross_entropy(logits, labels, of_classes, reduction="sum")
        if num_items_in_batch is None:
            return summed / len(labels)
        # the `Trainer` counts labels, and takes each probability for one
        texts = num_items_in_batch if labels.dim() == 1 else num_items_in_batch / labels.size(1)
        return summed / texts

    return loss
