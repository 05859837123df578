"""Label the tokens of texts with a tagger, window by window."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.token_windows import Offsets, Window, token_windows
from malmoi.inference.batches import length_batches


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
    owners: list[int] = []
    windows: list[Window] = []
    for owner, parts in enumerate(token_windows(texts, tokenizer, max_length=max_length)):
        for part in parts:
            if part.input_ids:
                owners.append(owner)
                windows.append(part)
    predicted: dict[int, tuple[list[int], list[float]]] = {}
    for batch in length_batches([len(window.input_ids) for window in windows], batch_size):
        rows = _predict(model, [windows[index] for index in batch], tokenizer.pad_token_id or 0)
        predicted.update(zip(batch, rows))
    answers = [TokenLabels([], [], []) for _ in texts]
    for index, (owner, window) in enumerate(zip(owners, windows)):
        kept = slice(*window.kept)
        labels, scores = predicted[index]
        answers[owner].labels.extend(labels[kept])
        answers[owner].scores.extend(scores[kept])
        answers[owner].offsets.extend(window.offsets[kept])
    return answers


@torch.inference_mode()
def _predict(model: PreTrainedModel, windows: Sequence[Window], padding: int) -> list[tuple[list[int], list[float]]]:
    """Return the label ids of the tokens of each window, and their probabilities."""
    rows = [torch.tensor(window.input_ids) for window in windows]
    input_ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
    lengths = torch.tensor([len(row) for row in rows])
    attention_mask = (torch.arange(input_ids.size(1))[None] < lengths[:, None]).long()
    output = model(input_ids=input_ids.to(model.device), attention_mask=attention_mask.to(model.device))
    logits = output["logits"].float()
    labels = output["predictions"] if "predictions" in output else logits.argmax(dim=-1)
    scores = logits.softmax(dim=-1).gather(2, labels.clamp(min=0)[:, :, None])[:, :, 0]
    return list(zip(labels.tolist(), scores.tolist()))
