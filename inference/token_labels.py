"""Label the tokens of texts with a tagger, window by window."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.token_windows import Offsets, Window, token_windows
from malmoi.inference.batches import length_batches


class TokenLabels(NamedTuple):
    """The label id of each token of a text, negative where it carries none, and the characters it stands for."""

    labels: list[int]
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
    owners: list[int] = []
    windows: list[Window] = []
    for owner, parts in enumerate(token_windows(texts, tokenizer, max_length=max_length)):
        for part in parts:
            if part.input_ids:
                owners.append(owner)
                windows.append(part)
    labels: list[list[int]] = [[] for _ in windows]
    for batch in length_batches([len(window.input_ids) for window in windows], batch_size):
        for index, row in zip(
            batch, _predict(model, [windows[index] for index in batch], tokenizer.pad_token_id or 0)
        ):
            labels[index] = row
    answers = [TokenLabels([], []) for _ in texts]
    for owner, window, row in zip(owners, windows, labels):
        first, last = window.kept
        answers[owner].labels.extend(row[first:last])
        answers[owner].offsets.extend(window.offsets[first:last])
    return answers


@torch.inference_mode()
def _predict(model: PreTrainedModel, windows: Sequence[Window], padding: int) -> list[list[int]]:
    """Return the label ids of the tokens of each window."""
    rows = [torch.tensor(window.input_ids) for window in windows]
    input_ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
    lengths = torch.tensor([len(row) for row in rows])
    attention_mask = (torch.arange(input_ids.size(1))[None] < lengths[:, None]).long()
    output = model(input_ids=input_ids.to(model.device), attention_mask=attention_mask.to(model.device))
    predictions: Tensor = output["predictions"] if "predictions" in output else output["logits"].argmax(dim=-1)
    return predictions.tolist()
