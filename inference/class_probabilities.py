"""The probability of every class of many texts: a common measure for classifiers with tokenizers of any kind."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.inference.batches import length_batches
from malmoi.inference.devices import device_of
from malmoi.inference.engine import CLASS_TEMPERATURE, read_temperature
from malmoi.inference.side_by_side import answer_side_by_side
from malmoi.inference.torch_engine import answer_batch

READ_AHEAD = 4096
"""How many texts are tokenized at once: enough batches to answer side by side, little beside the texts themselves."""


def class_probabilities(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int | None,
    batch_size: int,
) -> Tensor:
    """Return the probability of every class for each text, `(texts, classes)`, on the CPU.

    They are those that `Classifier` gives: a `class_temperature` in the config makes them truer.

    The shortest texts are answered first, so that those of a batch are about equally long, however many there are.

    Args:
        model: A classifier in evaluation mode.
        tokenizer: Its tokenizer.
        texts: The texts.
        max_length: How many tokens the model can take; the rest of a longer text is not read. `None` if there is no
            limit.
        batch_size: How many texts are answered at once, at most.

    Raises:
        UserError: If the temperature is none.
    """
    device = device_of(model)
    temperature = read_temperature(getattr(model.config, CLASS_TEMPERATURE, 1.0), CLASS_TEMPERATURE)
    answer = partial(_probabilities_of_batch, model, device, tokenizer.pad_token_id or 0, temperature)
    found = torch.empty(len(texts), len(model.config.id2label or {}))
    shortest_first = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    for start in range(0, len(texts), READ_AHEAD):
        places = torch.tensor(shortest_first[start : start + READ_AHEAD])
        rows = tokenizer(
            [texts[index] for index in places.tolist()],
            truncation=max_length is not None,
            max_length=max_length,
            verbose=False,
        )["input_ids"]
        batches = list(length_batches([len(row) for row in rows], batch_size))
        answers = answer_side_by_side(answer, [[rows[index] for index in batch] for batch in batches], device=device)
        for batch, probabilities in zip(batches, answers):
            found[places[batch]] = probabilities.cpu()
    return found


@torch.inference_mode()
def _probabilities_of_batch(
    model: PreTrainedModel, device: torch.device, padding: int, temperature: float, batch: Sequence[list[int]]
) -> Tensor:
    return (answer_batch(model, device, padding, batch)["logits"].float() / temperature).softmax(dim=-1)
