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

from .crf_max_marginals import finite_scores
from .linear_chain_crf import IGNORED_LABEL, LinearChainCrf

logger = logging.get_logger(__name__)


@dataclass
class CrfTaggerOutput(ModelOutput):
    """Output of a tagger with a CRF.

    Args:
        loss (`torch.FloatTensor` of shape `(1,)`, *optional*, returned when `labels` are given):
            Negative log-likelihood of the labels, per labelled token.
        logits (`torch.FloatTensor` of shape `(batch_size, sequence_length, num_labels)`):
            In evaluation the max-marginals of the CRF: for each token and label the score of the best label sequence
            of the whole sentence in which the token has this label. The label with the largest is that of the best
            sequence (Viterbi), and it is the only one with so much, so that anybody's argmax gives `predictions`. All
            are finite: a label that the constraints rule out stands 10,000 below the lowest that they allow there.
            Where a token carries no label, the outside label has 0 and all others have -10,000.
            In training the scores that go into the CRF.
        predictions (`torch.LongTensor` of shape `(batch_size, sequence_length)`, *optional*):
            In evaluation the best label sequence; -100 where a token carries no label.
        marginals (`torch.FloatTensor` of shape `(batch_size, sequence_length, num_labels)`, *optional*):
            In evaluation the probability of each label given the whole sentence, exactly. Where a token carries no
            label, the outside label has probability 1.
        hidden_states (`tuple(torch.FloatTensor)`, *optional*, returned when `output_hidden_states=True`):
            The embeddings, and the output of each layer, of shape `(batch_size, sequence_length, size)`. Those of an
            LSTM are 0 at padding.
        attentions (`tuple(torch.FloatTensor)`, *optional*, returned when `output_attentions=True`):
            The attentions of each layer of an encoder; an LSTM has none.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    predictions: Tensor | None = None
    marginals: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


def build_crf(config: PreTrainedConfig) -> LinearChainCrf:
    """Build the CRF that the configuration asks for."""
    num_tags = len(config.label_names())
    return follow_labels(LinearChainCrf(num_tags, implementation=config.crf_implementation), config)


@torch.compiler.disable
def follow_labels(crf: LinearChainCrf, config: PreTrainedConfig) -> LinearChainCrf:
    """Let the CRF ask this configuration for its constraints in every call, and return the CRF.

    Done in every step, for both may be copied apart: PEFT trains a copy of the CRF, whose labels would stay behind.
    """
    crf.follow(config.constraints)
    return crf


def init_crf_weights(crf: LinearChainCrf) -> None:
    """Draw the transitions as pytorch-crf does, but leave alone whatever was loaded from a checkpoint."""
    for parameter in crf.parameters():
        init.uniform_(parameter, -0.1, 0.1)


def chain_mask(input_ids: Tensor | None, attention_mask: Tensor, untagged_token_ids: list[int]) -> Tensor:
    """Return which positions carry a tag, `(batch, length)`.

    The answer depends on the input alone, never on labels, so that evaluation decodes the chain that a pipeline does.

    Raises:
        ValueError: If some tokens carry no tag and there are no `input_ids` to know them by.
    """
    mask = attention_mask.bool()
    if input_ids is None and untagged_token_ids:
        raise ValueError(
            "`inputs_embeds` do not show which positions hold a token of `untagged_token_ids`: give `input_ids`, or "
            "set `config.untagged_token_ids = []` and mask those positions in `attention_mask`."
        )
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
    """Compute the loss of a batch and, in evaluation, max-marginals, the best tags and posteriors.

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
                "than it is used on. Label every piece of a word: each further piece continues the first, I-X after "
                "B-X, O after O (`label_every_piece` does it). Only tokens that never carry a tag, such as [CLS], "
                "belong in `untagged_token_ids` of the config."
            )
        num_items = labelled.sum().clamp(min=1) if num_items_in_batch is None else num_items_in_batch
        loss = crf.negative_log_likelihood(emissions, labels, labelled).sum() / num_items
    if crf.training:
        return CrfTaggerOutput(loss=loss, logits=emissions)
    predictions, scores = crf.decode_with_max_marginals(emissions, mask)
    logits = finite_scores(scores, mask, outside_label_id=outside_label_id)
    marginals = crf.marginals(emissions, mask)
    if outside_label_id is not None:
        marginals[..., outside_label_id].masked_fill_(~mask, 1)
    return CrfTaggerOutput(loss=loss, logits=logits, predictions=predictions, marginals=marginals)


__all__ = ["CrfTaggerOutput", "build_crf", "chain_mask", "crf_output", "follow_labels", "init_crf_weights"]
