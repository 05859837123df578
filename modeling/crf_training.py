"""What keeps a CRF from being trained without a word: labels that do not arrive, and adapters that leave it out.

This file travels with every saved model, so it imports nothing but torch, transformers and its neighbours.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils import logging

from .linear_chain_crf import LinearChainCrf

logger = logging.get_logger(__name__)


@torch.compiler.disable
def check_training(
    crf: LinearChainCrf, emissions: Tensor, *, labels: Tensor | None, num_items_in_batch: Tensor | int | None
) -> None:
    """Say so, or refuse, if this is a step of training that leaves the CRF as it is.

    Args:
        crf: The CRF.
        emissions: Score of every tag at every position, `(batch, length, tags)`.
        labels: Tag ids, `(batch, length)`.
        num_items_in_batch: Number of labelled tokens, given by the `Trainer` in training alone.

    Raises:
        ValueError: If the `Trainer` has counted labels and given none.
    """
    if not crf.training or not emissions.requires_grad:
        return
    if labels is None and num_items_in_batch is not None:
        raise ValueError(
            "The CRF gets no labels: `label_smoothing_factor` and `compute_loss_func` of the `Trainer` take them away "
            "and put another loss in the place of the CRF's, which would never be trained. Leave both out."
        )
    if labels is None:
        logger.warning_once(
            "In training mode the CRF got no `labels`: a loss on `logits` does not train it, and there are no "
            "`predictions`. Give `labels`, or call `model.eval()`."
        )
    elif not crf.transitions.requires_grad:
        logger.warning_once(
            "The CRF is frozen while other weights are trained: if it is fresh, it stays as it was drawn. With PEFT, "
            'name it: `modules_to_save=["classifier", "crf"]`.'
        )


class CrfInAdapters(nn.Module):
    """A tagger whose CRF is trained and saved with an adapter of PEFT, as PEFT does with the `classifier`."""

    def __setattr__(self, name: str, value: Any) -> None:
        # PEFT leaves its settings here before it looks for the head, which it knows as `classifier` and `score` only
        if name == "peft_config":
            for settings in value.values():
                _save_crf(settings)
        super().__setattr__(name, value)


def _save_crf(settings: Any) -> None:
    """Add the CRF to the modules that an adapter for token classification trains and saves."""
    if settings.task_type != "TOKEN_CLS" or settings.inference_mode:
        return
    saved = getattr(settings, "modules_to_save", None) or []
    if "crf" not in saved:
        settings.modules_to_save = [*saved, "crf"]
        logger.info("The adapter trains and saves the CRF, too.")


__all__ = ["CrfInAdapters", "check_training"]
