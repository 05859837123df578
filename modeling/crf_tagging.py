"""What every tagger with a CRF on top shares: its output, which positions are in the chain, its loss and its answers.

This file travels with every saved model, so it imports nothing but torch, transformers and its neighbours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedConfig
from transformers import initialization as init
from transformers.utils import logging
from transformers.utils.generic import ModelOutput

from .linear_chain_crf import IGNORED_LABEL, LinearChainCrf
from .pytorch_crf_reference import PytorchCrfReference

logger = logging.get_logger(__name__)


@dataclass
class CrfTaggerOutput(ModelOutput):
    """Output of a tagger with a CRF.

    Args:
        loss (`torch.FloatTensor` of shape `(1,)`, *optional*, returned when `labels` are given):
            Negative log-likelihood of the labels, per labelled token.
        logits (`torch.FloatTensor` of shape `(batch_size, sequence_length, num_labels)`):
            In evaluation the logarithm of the posterior probability of each label, so that a softmax gives
            probabilities. In training the scores that go into the CRF.
        predictions (`torch.LongTensor` of shape `(batch_size, sequence_length)`, *optional*):
            In evaluation the best label sequence (Viterbi); -100 where a token carries no label.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    predictions: Tensor | None = None


def build_crf(config: PreTrainedConfig) -> LinearChainCrf:
    """Build the CRF that the configuration asks for."""
    forbidden_starts, forbidden_transitions = config.forbidden_transitions()
    constraints = {"forbidden_starts": forbidden_starts, "forbidden_transitions": forbidden_transitions}
    if config.crf_implementation == "pytorch-crf":
        return PytorchCrfReference(len(forbidden_starts), **constraints)
    return LinearChainCrf(len(forbidden_starts), **constraints, implementation=config.crf_implementation)


def init_crf_weights(crf: LinearChainCrf) -> None:
    """Draw the transitions as pytorch-crf does, but leave alone whatever was loaded from a checkpoint."""
    for parameter in crf.parameters():
        init.uniform_(parameter, -0.1, 0.1)


def chain_mask(input_ids: Tensor, attention_mask: Tensor, untagged_token_ids: list[int]) -> Tensor:
    """Return which positions carry a tag, `(batch, length)`.

    The answer depends on the input alone, never on labels, so that evaluation decodes the chain that a pipeline does.
    """
    mask = attention_mask.bool()
    for token_id in untagged_token_ids:  # a few; as a tensor they would have to be copied to the device in every step
        mask = mask & (input_ids != token_id)
    return mask


def crf_output(
    crf: LinearChainCrf,
    emissions: Tensor,
    mask: Tensor,
    *,
    labels: Tensor | None,
    num_items_in_batch: Tensor | int | None,
    outside_label_id: int | None,
) -> CrfTaggerOutput:
    """Compute the loss of a batch and, in evaluation, posteriors and the best tags.

    Args:
        crf: The CRF.
        emissions: Score of every tag at every position, `(batch, length, tags)`.
        mask: Which positions carry a tag, `(batch, length)`.
        labels: Tag ids, `(batch, length)`; positions of -100 are left out of the chain of the loss.
        num_items_in_batch: Number of labelled tokens in the whole step, over accumulated batches and processes, as
            the `Trainer` counts them. Without it, those of this batch.
        outside_label_id: Label that is reported as certain where a position carries no tag.
    """
    loss = None
    if labels is not None:
        labelled = mask & (labels != IGNORED_LABEL)
        # an accelerator would have to be waited for in every step to know this
        if mask.device.type == "cpu" and (labelled != mask).any():
            logger.warning_once(
                "Some tokens have the label -100 but will be tagged in prediction: the CRF learns another chain "
                "than it is used on. If they never carry a tag, list their ids in `untagged_token_ids` of the config."
            )
        num_items = labelled.sum().clamp(min=1) if num_items_in_batch is None else num_items_in_batch
        loss = crf.negative_log_likelihood(emissions, labels, labelled).sum() / num_items
    if crf.training:
        return CrfTaggerOutput(loss=loss, logits=emissions)
    probabilities = crf.marginals(emissions, mask)
    if outside_label_id is not None:
        probabilities[..., outside_label_id].masked_fill_(~mask, 1)
    # a label that the constraints rule out has probability 0; its logarithm stays finite
    logits = probabilities.clamp(min=torch.finfo(torch.float32).tiny).log()
    return CrfTaggerOutput(loss=loss, logits=logits, predictions=crf.decode(emissions, mask))


__all__ = ["CrfTaggerOutput", "build_crf", "chain_mask", "crf_output", "init_crf_weights"]
