"""From classified texts to what a sequence classifier is trained and judged on."""

from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from malmoi.data.probable_classes import PROBABILITIES


def text_features(dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None = None) -> Dataset:
    """Tokenize classified texts.

    Args:
        dataset: Classified texts.
        tokenizer: The tokenizer.
        max_length: How many tokens the model can take; the rest of a longer text is cut off.

    Returns:
        One row per text with the columns `input_ids`, `attention_mask`, `labels` (its class, or the probability of
        every class if the texts have the column `probabilities`), `length`, `truncated` (whether the end of the text
        was cut off) and `unknown` (how many tokens the tokenizer lacks).
    """
    learned = PROBABILITIES if PROBABILITIES in dataset.column_names else "label"

    def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        whole = tokenizer(batch["text"], truncation=False, verbose=False)["input_ids"]
        if max_length is None:
            input_ids = whole
        else:
            input_ids = tokenizer(batch["text"], truncation=True, max_length=max_length)["input_ids"]
        return {
            "input_ids": input_ids,
            "attention_mask": [[1] * len(row) for row in input_ids],
            "labels": batch[learned],
            "length": [len(row) for row in input_ids],
            "truncated": [len(cut) < len(row) for cut, row in zip(input_ids, whole)],
            "unknown": [row.count(tokenizer.unk_token_id) for row in input_ids],
        }

    return dataset.map(
        encode, batched=True, remove_columns=dataset.column_names, desc="Tokenizing", keep_in_memory=True
    )
