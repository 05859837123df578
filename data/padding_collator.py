"""Make batches of features: every row padded to the longest of its batch."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from malmoi.modeling.linear_chain_crf import IGNORED_LABEL


class PaddingCollator:
    """Pad the tokens of token or text features on the right, and their labels with -100.

    Takes `input_ids`, `attention_mask`, `labels`, and columns of one number per row. Labels that are fractions are
    probabilities of classes, as many in every row, and not padded. The collators of transformers walk through the
    tokens in Python, which takes ten times as long.

    Args:
        tokenizer: The tokenizer of the features.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self.padding = {"input_ids": tokenizer.pad_token_id or 0, "attention_mask": 0, "labels": IGNORED_LABEL}

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return one tensor per column: `(batch, length)` for what every token has, `(batch,)` for one number per row.

        Probabilities of classes are `(batch, classes)`.
        """
        lengths = np.array([len(row["input_ids"]) for row in rows])
        inside = np.arange(lengths.max()) < lengths[:, None]
        batch = {}
        for name, first in rows[0].items():
            column = [row[name] for row in rows]
            if not isinstance(first, list) or (first and isinstance(first[0], float)):
                batch[name] = torch.tensor(column)
                continue
            padded = np.full(inside.shape, self.padding[name], dtype=np.int64)
            entries = np.fromiter(chain.from_iterable(column), np.int64)
            if len(entries) != lengths.sum():
                raise ValueError(f"`{name}` has {len(entries)} entries for {lengths.sum()} tokens in this batch.")
            padded[inside] = entries
            batch[name] = torch.from_numpy(padded)
        return batch
