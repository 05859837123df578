"""From texts to what a language model is trained and judged on."""

import random
from collections.abc import Sequence
from typing import Any

from datasets import Dataset, Features, List, Value
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from malmoi.data.padding_collator import PaddingCollator

SHORTEST = 2
"""A text of one token leaves nothing to predict."""


def language_model_features(
    dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None = None
) -> Dataset:
    """Tokenize texts; a long one becomes several rows, and one without anything to predict none.

    Args:
        dataset: Texts.
        tokenizer: The tokenizer.
        max_length: How many tokens the model is to see at once.

    Returns:
        One row per piece of a text with the columns `input_ids`, `length` and `unknown` (how many tokens the tokenizer
        lacks).
    """

    def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        whole = tokenizer(batch["text"], add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        step = max_length or max(map(len, whole), default=1) or 1
        pieces = [row[start : start + step] for row in whole for start in range(0, len(row), step)]
        pieces = [piece for piece in pieces if len(piece) >= SHORTEST]
        return {
            "input_ids": pieces,
            "length": [len(piece) for piece in pieces],
            "unknown": [piece.count(tokenizer.unk_token_id) for piece in pieces],
        }

    columns = Features({"input_ids": List(Value("int32")), "length": Value("int32"), "unknown": Value("int32")})
    return dataset.map(
        encode,
        batched=True,
        remove_columns=dataset.column_names,
        features=columns,
        desc="Tokenizing",
        keep_in_memory=True,
    )


class LanguageModelCollator:
    """Pad texts on the right; all tokens are to be predicted.

    Args:
        tokenizer: The tokenizer of the features.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self.pad = PaddingCollator(tokenizer)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return `input_ids`, `attention_mask` and `labels`, `(batch, length)`, and columns of numbers, `(batch,)`."""
        return self.pad(
            [{**row, "attention_mask": [1] * len(row["input_ids"]), "labels": row["input_ids"]} for row in rows]
        )


def hold_out(train: Dataset, count: int, *, seed: int) -> tuple[Dataset, Dataset]:
    """Return a training set without some texts, and these texts, which are drawn by the seed.

    A text that is held out is nowhere in the training set, however often it stood there.
    """
    texts: list[str] = train["text"][:]
    drawn = sorted(random.Random(f"held out {seed}").sample(range(len(texts)), min(count, len(texts) // 2)))
    held = {texts[index] for index in drawn}
    return train.select([index for index, text in enumerate(texts) if text not in held]), train.select(drawn)
