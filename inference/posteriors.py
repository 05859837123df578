"""The probability of every label of every character: a common measure for taggers with tokenizers of any kind."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.alignment import OUTSIDE
from malmoi.data.model_labels import labels_of
from malmoi.data.token_windows import Offsets, token_windows
from malmoi.data.word_spacing import INSIDE
from malmoi.inference.batches import length_batches
from malmoi.inference.devices import device_of
from malmoi.inference.side_by_side import answer_side_by_side
from malmoi.inference.token_labels import text_windows
from malmoi.inference.torch_engine import answer_batch, label_probabilities

FIRST, FURTHER, BETWEEN = range(3)
"""What a character is to a token: its first, a further one, or one between the token before and this one."""


def character_posteriors(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int | None,
    batch_size: int,
) -> list[Tensor]:
    """Return the probability of every label at every character of each text, `(characters, labels)`, on the CPU.

    As where labels of tokens become tags of characters (`token_labels_to_tags`), the first character of a token takes
    its label, the others continue it. A character between two tokens, as a space may be, belongs to a name as probably
    as the latter continues one.

    Args:
        model: A tagger in evaluation mode, whose labels are `B-X`, `I-X` and `O`, or `B` and `I`.
        tokenizer: Its tokenizer.
        texts: The texts, of any length.
        max_length: How many tokens the model can take; `None` if there is no limit.
        batch_size: How many windows are answered at once, at most.
    """
    labels = labels_of(model.config)
    owners, windows = text_windows(token_windows(texts, tokenizer, max_length=max_length))
    batches = list(length_batches([len(window.input_ids) for window in windows], batch_size))
    device = device_of(model)
    answers = answer_side_by_side(
        partial(_posteriors_of_batch, model, device, tokenizer.pad_token_id or 0),
        [[windows[index].input_ids for index in batch] for batch in batches],
        device=device,
    )
    of_windows = {index: row for batch, answer in zip(batches, answers) for index, row in zip(batch, answer.cpu())}
    of_tokens: list[list[Tensor]] = [[] for _ in texts]
    offsets: list[Offsets] = [[] for _ in texts]
    for index, (owner, window) in enumerate(zip(owners, windows)):
        kept = slice(*window.kept)
        of_tokens[owner].append(of_windows[index][kept])
        offsets[owner].extend(window.offsets[kept])
    return [
        _of_characters(torch.cat([*rows, torch.empty(0, len(labels))]), places, len(text), labels)
        for rows, places, text in zip(of_tokens, offsets, texts)
    ]


@torch.inference_mode()
def _posteriors_of_batch(
    model: PreTrainedModel, device: torch.device, padding: int, batch: Sequence[list[int]]
) -> Tensor:
    return label_probabilities(answer_batch(model, device, padding, batch))


def _of_characters(of_tokens: Tensor, offsets: Offsets, length: int, labels: Sequence[str]) -> Tensor:
    """Return the posteriors of the characters of a text for those of its tokens."""
    tokens, places = [], []
    end = 0
    for token, (first, last) in enumerate(offsets):
        if first < last:  # not [CLS], nor a further piece of a character
            tokens += [token] * (last - end)
            places += [BETWEEN] * (first - end) + [FIRST] + [FURTHER] * (last - first - 1)
            end = last
    posteriors = of_tokens[tokens]
    place = torch.tensor(places)
    for kind, becomes in ((FURTHER, _continued(labels)), (BETWEEN, _between(labels))):
        chosen = place == kind
        posteriors[chosen] = torch.zeros_like(posteriors[chosen]).index_add_(1, becomes, posteriors[chosen])
    after = posteriors.new_zeros(length - end, len(labels))
    after[:, _outside(labels)] = 1
    return torch.cat([posteriors, after])


def _continued(labels: Sequence[str]) -> Tensor:
    """Return the label of a further character of a token for each label that the token may have."""
    return torch.tensor(
        [labels.index("I" + label[1:]) if label.startswith("B") else i for i, label in enumerate(labels)]
    )


def _between(labels: Sequence[str]) -> Tensor:
    """Return the label of a character before a token, but after another, for each label that the token may have."""
    outside = _outside(labels)
    return torch.tensor([i if label.startswith("I") else outside for i, label in enumerate(labels)])


def _outside(labels: Sequence[str]) -> int:
    """Return the label of a character that no token covers: `O`, or in word spacing `I`, for it begins no word."""
    return labels.index(OUTSIDE if OUTSIDE in labels else INSIDE)
