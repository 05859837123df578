"""What taggers with a CRF share: head, loss, answers. Written by malmoi 0.1.0 into every saved one."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils import logging
from transformers.utils.generic import ModelOutput

from .linear_chain_crf import IGNORED_LABEL, LinearChainCrf

logger = logging.get_logger(__name__)

IMPOSSIBLE = -1e4  # float16 and bfloat16 hold it too
LEAST_LEAD = 1e-6  # a softmax in float32 makes equals of numbers that differ by less
MISLABELLED = (
    "Labels do not stand where tags will: -100 belongs to padding and `untagged_token_ids`, such as [CLS], and to no "
    "other token. Label every piece of a word, I-X after B-X and O after O, as `label_every_piece` does."
)


@dataclass
class CrfTaggerOutput(ModelOutput):
    """Output of a tagger with a CRF.

    Args:
        loss: Negative log-likelihood of the labels, per labelled token.
        logits: In evaluation the max-marginals, `(batch, length, labels)`, finite: the score of the best sequence with
            this label here. That of Viterbi alone is largest: an argmax gives `predictions`. In training `emissions`.
        predictions: In evaluation the best label sequence, `(batch, length)`; -100 where a token carries no label.
        marginals: In evaluation the exact probabilities, `(batch, length, labels)`; without a label that of `O` is 1.
        hidden_states: If wanted, the embeddings and the output of each layer; those of an LSTM are 0 at padding.
        attentions: If wanted, the attentions of each layer of an encoder; an LSTM has none.
        emissions: In evaluation the scores that go into the CRF, `(batch, length, labels)`.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    predictions: Tensor | None = None
    marginals: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    emissions: Tensor | None = None


class CrfTagger(PreTrainedModel):
    """A tagger with a linear layer and a CRF on top of what its architecture computes."""

    # in bfloat16 the log-likelihood of a long sentence is off by a quarter
    _keep_in_fp32_modules_strict = ["crf"]

    def add_head(self, input_size: int) -> None:
        """Build the layers on top: one score per tag, and the CRF."""
        self.num_labels = len(self.config.label_names())
        self.classifier = nn.Linear(input_size, self.num_labels)
        self.crf = LinearChainCrf(self.num_labels, implementation=self.config.crf_implementation)
        self.crf.follow(self.config.constraints)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LinearChainCrf):
            for parameter in module.parameters():  # as pytorch-crf does, but what was loaded is left alone
                init.uniform_(parameter, -0.1, 0.1)

    def __setattr__(self, name: str, value: Any) -> None:
        # PEFT leaves its settings here before it looks for the head, which it knows as `classifier` and `score` only
        for settings in value.values() if name == "peft_config" else ():
            saved = getattr(settings, "modules_to_save", None) or []
            whole = "classifier" in saved or settings.task_type == "TOKEN_CLS"  # told by the end of a name
            if whole and any(".base_layer" in path for path, _ in self.named_modules() if "window_classifier" in path):
                raise ValueError("PEFT trains a `window_classifier` whole: leave its layers out of `target_modules`.")
            if settings.task_type == "TOKEN_CLS" and not settings.inference_mode and "crf" not in saved:
                settings.modules_to_save = [*saved, "crf"]
                logger.info("The adapter trains and saves the CRF, too.")
        super().__setattr__(name, value)

    def _answer(
        self, emissions: Tensor, input_ids: Any, attention_mask: Tensor, labels: Tensor | None, num_items: Any
    ) -> CrfTaggerOutput:
        """Return loss and, in evaluation, max-marginals, best tags and probabilities for scores of tags.

        Labels of -100 leave their positions out of the chain of the loss. It is divided by `num_items`, the number of
        labelled tokens in the whole step, as the `Trainer` counts them; by default in this batch.
        """
        # in every step, for both may be copied apart: PEFT trains a copy of the CRF, whose labels would stay behind
        (crf := self.crf).follow(self.config.constraints)
        check_training(self.config, crf, emissions, labels, num_items)
        mask = chain_mask(input_ids, attention_mask, self.config.untagged_token_ids)
        loss = None
        if labels is not None:
            labelled = labels != IGNORED_LABEL if labels.shape == mask.shape else mask  # the CRF refuses it
            if mask.device.type == "cpu" and (labelled != mask).any():  # for an accelerator each step would wait
                logger.warning_once(MISLABELLED)
            labelled = labelled & mask
            count = labelled.sum() if num_items is None else torch.as_tensor(num_items)
            summed = crf("negative_log_likelihood", emissions, labels, labelled).sum()
            loss = summed.to(mask.device) / count.clamp(min=1)
        if crf.training:
            return CrfTaggerOutput(loss=loss, logits=emissions)
        outside = self.config.outside_label_id()
        answers = *crf("decode_with_max_marginals", emissions, mask), crf("marginals", emissions, mask)
        predictions, scores, marginals = (each.to(mask.device) for each in answers)  # layers may lie elsewhere
        logits = finite_scores(scores, mask, outside_label_id=outside)
        if outside is not None:
            marginals[..., outside].masked_fill_(~mask, 1)
        return CrfTaggerOutput(loss, logits, predictions, marginals, emissions=emissions)


def chain_mask(input_ids: Tensor | None, attention_mask: Tensor, untagged_token_ids: list[int]) -> Tensor:
    """Return which positions carry a tag, `(batch, length)`; labels have no say, so that all decode the same chain."""
    mask = attention_mask.bool()
    if input_ids is None and untagged_token_ids:
        mend = "give `input_ids`, or set it to [] in the config and mask those positions in `attention_mask`"
        raise ValueError(f"`inputs_embeds` do not show which positions hold a token of `untagged_token_ids`: {mend}.")
    for token_id in untagged_token_ids:  # a few, and no tensor, which would be copied to the device in every step
        mask = mask & (input_ids != token_id)
    return mask


def finite_scores(scores: Tensor, mask: Tensor, *, outside_label_id: int | None) -> Tensor:
    """Return max-marginals, `(batch, length, tags)`, without infinity and with the same largest tag at each position.

    The largest leads enough for an argmax of probabilities in float32. A tag that no allowed sequence has gets 10,000
    less than the lowest of its position. Outside the mask, every tag gets -10,000, and the outside label 0.
    """
    impossible = scores.isneginf()
    lowest = scores.masked_fill(impossible, torch.inf).amin(-1, keepdim=True)
    highest = scores.amax(-1, keepdim=True)
    scores = torch.where(scores < highest, torch.minimum(scores, highest - LEAST_LEAD), scores)
    logits = torch.where(impossible, lowest.nan_to_num(nan=torch.nan, posinf=0.0) + IMPOSSIBLE, scores)
    if outside_label_id is not None:
        logits[..., outside_label_id].masked_fill_(~mask, 0)
    return logits


@torch.compiler.disable
def check_training(config: Any, crf: LinearChainCrf, emissions: Tensor, labels: Tensor | None, num_items: Any) -> None:
    """Say so, or refuse, if this is a step of training that leaves the CRF as it is."""
    if not crf.training or not emissions.requires_grad:
        return
    config.__dict__.pop("name_temperature", None)  # it was fitted to the weights as they were
    if labels is None and num_items is not None:  # which the `Trainer` gives in training alone
        why = "`label_smoothing_factor` and `compute_loss_func` of the `Trainer` take them away"
        raise ValueError(f"The CRF gets no labels: {why}, and it would never be trained. Leave both out.")
    if labels is None:
        why = "a loss on `logits` does not train it, and there are no `predictions`"
        logger.warning_once(f"In training mode the CRF got no `labels`: {why}. Give `labels`, or call `model.eval()`.")
    elif not crf.transitions.requires_grad:
        mend = 'with PEFT, name it: `modules_to_save=["classifier", "crf"]`'
        logger.warning_once(f"The CRF is frozen while other weights are trained. A fresh one must be trained: {mend}.")
