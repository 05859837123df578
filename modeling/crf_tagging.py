r"""What taggers with a CRF share: head, loss, answers, names. Written by malmoi 0.1.0 into every saved one."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import regex  # transformers needs it itself
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils import logging
from transformers.utils.generic import ModelOutput

from .crf_recursions import IGNORED_LABEL
from .linear_chain_crf import LinearChainCrf

logger = logging.get_logger(__name__)

IMPOSSIBLE = -1e4  # float16 and bfloat16 hold it too
LEAST_LEAD = 1e-6  # a softmax in float32 makes equals of numbers that differ by less
UNLABELLED = (
    "Some tokens have the label -100 but will be tagged in prediction: the CRF learns another chain than it is used "
    "on. Label every piece of a word: each further piece continues the first, I-X after B-X, O after O "
    "(`label_every_piece` does it). Only tokens that never carry a tag, such as [CLS], belong in `untagged_token_ids`."
)
UNLIMITED = int(1e30)  # how a tokenizer says that a text may have any number of tokens

# Characters as a reader sees them. Consonants and vowels on their own are characters in conjoining jamo too (UAX 29
# draws `ᄏᄏ홍` together), and a skin tone does not cling to Hangul; everything else is as UAX 29 has it.
CHARACTER = regex.compile(
    r"(?:[\u1100-\u115f\ua960-\ua97c](?:[\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?)?"
    r"|\p{Hangul_Syllable_Type=LV}[\u11a8-\u11ff\ud7cb-\ud7fb]?|\p{Hangul_Syllable_Type=LVT}"
    r"|[\u1160-\u11ff\ud7b0-\ud7fb])[\p{M}\p{Grapheme_Extend}\u200d]*|\X"
)
# what Unicode says to ignore, annotation marks, and control characters other than spaces
INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
# how an emoji begins; some signs stand in texts and names as text, unless a variation selector makes them emoji
EMOJI = regex.compile(
    r"[\p{Regional_Indicator}\p{Emoji_Modifier}]|[#*0-9]\ufe0f?\u20e3|(?![#*0-9])\p{Emoji}\ufe0f"
    r"|(?![#*0-9©®™ℹⓂ㊗㊙‼⁉〰〽])(?:\p{Emoji}|(?=[\U0001f000-\U0001fffd])\p{Extended_Pictographic})"
)
SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # cling to letters, too
# characters that are whole, visible and no emoji, whatever of them stands around them
PLAIN = regex.compile(r"[\t\n -\x7e가-힣ㄱ-ㅣ一-鿿]*")


@dataclass
class CrfTaggerOutput(ModelOutput):
    """Output of a tagger with a CRF.

    Args:
        loss: Negative log-likelihood of the labels, per labelled token.
        logits: In evaluation the max-marginals, `(batch, length, labels)`: the score of the best label sequence of the
            sentence in which the token has this label, finite. That of the best sequence (Viterbi) alone is largest,
            so that anybody's argmax gives `predictions`. In training the scores that go into the CRF.
        predictions: In evaluation the best label sequence, `(batch, length)`; -100 where a token carries no label.
        marginals: In evaluation the exact probability of each label given the whole sentence,
            `(batch, length, labels)`. Where a token carries no label, the outside label has probability 1.
        hidden_states: If wanted, the embeddings and the output of each layer; those of an LSTM are 0 at padding.
        attentions: If wanted, the attentions of each layer of an encoder; an LSTM has none.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    predictions: Tensor | None = None
    marginals: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CrfTagger(PreTrainedModel):
    """A tagger with a linear layer and a CRF on top of what its architecture computes."""

    # in bfloat16 the log-likelihood of a long sentence is off by a quarter
    _keep_in_fp32_modules_strict = ["crf"]

    def add_head(self, input_size: int) -> None:
        """Build the layers on top: one score per tag, and the CRF."""
        self.classifier = nn.Linear(input_size, len(self.config.label_names()))
        self.crf = LinearChainCrf(self.classifier.out_features, implementation=self.config.crf_implementation)
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
        crf = self.crf
        crf.follow(self.config.constraints)
        check_training(crf, emissions, labels, num_items)
        mask = chain_mask(input_ids, attention_mask, self.config.untagged_token_ids)
        loss = None
        if labels is not None:
            labelled = mask & (labels != IGNORED_LABEL)
            # an accelerator would have to be waited for in every step to know this
            if mask.device.type == "cpu" and (labelled != mask).any():
                logger.warning_once(UNLABELLED)
            num_items = labelled.sum().clamp(min=1) if num_items is None else num_items
            loss = crf.negative_log_likelihood(emissions, labels, labelled).sum() / num_items
        if crf.training:
            return CrfTaggerOutput(loss=loss, logits=emissions)
        outside = self.config.outside_label_id()
        predictions, scores = crf.decode_with_max_marginals(emissions, mask)
        logits, marginals = finite_scores(scores, mask, outside_label_id=outside), crf.marginals(emissions, mask)
        if outside is not None:
            marginals[..., outside].masked_fill_(~mask, 1)
        return CrfTaggerOutput(loss=loss, logits=logits, predictions=predictions, marginals=marginals)


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
def check_training(crf: LinearChainCrf, emissions: Tensor, labels: Tensor | None, num_items: Any) -> None:
    """Say so, or refuse, if this is a step of training that leaves the CRF as it is."""
    if not crf.training or not emissions.requires_grad:
        return
    if labels is None and num_items is not None:  # which the `Trainer` gives in training alone
        raise ValueError(
            "The CRF gets no labels: `label_smoothing_factor` and `compute_loss_func` of the `Trainer` take them away "
            "and put another loss in the place of the CRF's, which would never be trained. Leave both out."
        )
    if labels is None:
        why = "a loss on `logits` does not train it, and there are no `predictions`"
        logger.warning_once(f"In training mode the CRF got no `labels`: {why}. Give `labels`, or call `model.eval()`.")
    elif not crf.transitions.requires_grad:
        logger.warning_once(
            "The CRF is frozen while other weights are trained: if it is fresh, it stays as it was drawn. With PEFT, "
            'name it: `modules_to_save=["classifier", "crf"]`.'
        )


def token_spans(text: str, offsets: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """Return which characters each token stands for, so that no character belongs to two tokens.

    Byte-level and SentencePiece tokenizers count the space before a word as part of its first token, and give all
    pieces of one character the same place. The space is taken off unless it is all there is; a further piece of a
    character gets `(end, end)`, and a token without text, as `[CLS]`, `(0, 0)`.
    """
    spans: list[tuple[int, int]] = []
    covered = 0
    for start, end in offsets:
        start = min(max(start, covered), end)
        visible = text[start:end].lstrip()
        spans.append((end - len(visible) if visible else start, end))
        covered = end if start < end else covered
    return spans


class NameEdges:
    """The places of a text where names may begin and end: between whole characters, next to a visible one."""

    def __init__(self, text: str):
        self.text = text
        self._starts: list[int] = []  # of its characters, and its end; found when the first name needs them

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """Return a name with whole characters only, and with neither emoji nor invisible characters at its ends.

        A character belongs to the name that has its beginning. If nothing is left, it is the same place twice.
        """
        text = self.text
        if PLAIN.fullmatch(text[max(start - 1, 0) : start + 2]) and PLAIN.fullmatch(text[max(end - 2, 0) : end + 1]):
            return start, end
        if not self._starts:
            self._starts = [*(match.start() for match in CHARACTER.finditer(text)), len(text)]
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        left, right = first, last
        while left < right and self._is_foreign(left, spaces=left > first):
            left += 1
        while left < right and self._is_foreign(right - 1, spaces=right < last):
            right -= 1
        if left >= right:
            return start, start
        start, end = self._starts[left], self._starts[right]
        while INVISIBLE.match(text[start]):
            start += 1
        while INVISIBLE.match(text[end - 1]) or text[end - 1] in SKIN_TONES:
            end -= 1
        return start, end

    def _is_foreign(self, index: int, *, spaces: bool) -> bool:
        """Tell whether a character is an emoji or invisible, or a space where spaces count too."""
        character = self.text[self._starts[index] : self._starts[index + 1]].rstrip(SKIN_TONES)
        visible = INVISIBLE.sub("", character)
        return not visible or EMOJI.search(character) is not None or (spaces and visible.isspace())
