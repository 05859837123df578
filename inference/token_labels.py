"""Label the tokens of texts with a tagger, window by window."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.token_windows import Offsets, Window, token_windows
from malmoi.inference.batches import length_batches
from malmoi.inference.devices import device_of
from malmoi.inference.side_by_side import answer_side_by_side


class TokenLabels(NamedTuple):
    """The tokens of a text.

    Args:
        labels: The label id of each token, negative where it carries none.
        scores: The probability of that label.
        offsets: The characters that the token stands for.
    """

    labels: list[int]
    scores: list[float]
    offsets: Offsets


def token_labels(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int | None,
    batch_size: int,
) -> list[TokenLabels]:
    """Return the labels of the tokens of each text: the Viterbi path of a CRF, otherwise the likeliest of each token.

    Args:
        model: A tagger in evaluation mode.
        tokenizer: Its tokenizer.
        texts: The texts, of any length.
        max_length: How many tokens the model can take; `None` if there is no limit.
        batch_size: How many windows are answered at once, at most.
    """
    owners, windows = text_windows(texts, tokenizer, max_length=max_length)
    lengths = [len(window.input_ids) for window in windows]
    batches = list(length_batches(lengths, batch_size))
    labels, scores = _predict(
        model, [[windows[index].input_ids for index in batch] for batch in batches], tokenizer.pad_token_id or 0
    )
    # where the answer for each window begins: batch after batch, row after row, padded to the longest of the batch
    begins = [0] * len(windows)
    begin = 0
    for batch in batches:
        for index in batch:
            begins[index] = begin
            begin += lengths[batch[-1]]
    answers = [TokenLabels([], [], []) for _ in texts]
    for owner, window, begin in zip(owners, windows, begins):
        first, last = window.kept
        answers[owner].labels.extend(labels[begin + first : begin + last])
        answers[owner].scores.extend(scores[begin + first : begin + last])
        answers[owner].offsets.extend(window.offsets[first:last])
    return answers


def text_windows(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
) -> tuple[list[int], list[Window]]:
    """Return the windows of texts that have any tokens, and to which text each belongs."""
    owners: list[int] = []
    windows: list[Window] = []
    for owner, parts in enumerate(token_windows(texts, tokenizer, max_length=max_length)):
        for part in parts:
            if part.input_ids:
                owners.append(owner)
                windows.append(part)
    return owners, windows


def _predict(
    model: PreTrainedModel, batches: Sequence[Sequence[list[int]]], padding: int
) -> tuple[list[int], list[float]]:
    """Return the label ids of all tokens and their probabilities, one after the other, padding included.

    Args:
        model: The tagger.
        batches: The tokens of each row of each batch; the last row of a batch is the longest.
        padding: The token that fills shorter rows.
    """
    if not batches:
        return [], []
    device = device_of(model)
    answers = answer_side_by_side(partial(_predict_batch, model, device, padding), batches, device=device)
    # one transfer from a GPU for all batches
    labels, scores = (torch.cat(parts).tolist() for parts in zip(*answers))
    return labels, scores


@torch.inference_mode()
def _predict_batch(
    model: PreTrainedModel, device: torch.device, padding: int, batch: Sequence[list[int]]
) -> tuple[Tensor, Tensor]:
    """Return the label ids of the tokens of a batch and their probabilities, row after row."""
    output = answer_batch(model, device, padding, batch)
    probabilities = label_probabilities(output)
    best = output["predictions"] if "predictions" in output else probabilities.argmax(dim=-1)
    return best.flatten(), probabilities.gather(2, best.clamp(min=0)[:, :, None]).flatten()


def answer_batch(
    model: PreTrainedModel, device: torch.device, padding: int, batch: Sequence[list[int]]
) -> Mapping[str, Tensor]:
    """Return the output of a model for a batch of rows of tokens, the last of which is the longest."""
    length = len(batch[-1])
    input_ids = torch.tensor([row + [padding] * (length - len(row)) for row in batch])
    mask = torch.arange(length) < torch.tensor([len(row) for row in batch])[:, None]
    output: Mapping[str, Tensor] = model(
        input_ids=input_ids.to(device), attention_mask=mask.long().to(device), return_dict=True
    )
    return output


def label_probabilities(output: Mapping[str, Tensor]) -> Tensor:
    """Return the probability of every label of every token, `(batch, length, labels)`: of a CRF the marginals."""
    return output["marginals"] if "predictions" in output else output["logits"].float().softmax(dim=-1)
