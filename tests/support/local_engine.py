"""An engine whose answer to a token depends on its neighbours alone: what it says of a long text is known exactly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from malmoi.data.token_windows import Window, token_windows
from malmoi.inference.engine import Chain, Rows, TokenScores

LABELS = {0: "O", 1: "B-PS", 2: "I-PS", 3: "B-LC", 4: "I-LC"}


class LocalEngine:
    """A tagger that reads `reach` tokens on either side of each token, and knows where a text ends.

    Args:
        tokenizer: A fast tokenizer.
        reach: How many.
        labels: The label of each id.
        max_length: How many tokens it reads at once.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        reach: int = 2,
        labels: dict[int, str] = LABELS,
        max_length: int | None = None,
    ):
        self.tokenizer, self.reach, self.labels, self.max_length = tokenizer, reach, labels, max_length
        self.cuts_beginning = False
        self.longest = 0
        """The most tokens that it was given at once."""

    def chain(self) -> Chain | None:
        return None

    def windows(self, texts: Sequence[str]) -> list[list[Window]]:
        return token_windows(texts, self.tokenizer, max_length=self.max_length)

    def score_tokens(self, batches: Sequence[Rows]) -> list[TokenScores]:
        self.longest = max([self.longest, *(len(batch) * len(batch[-1]) for batch in batches)])
        return [self._score(batch) for batch in batches]

    def _score(self, batch: Rows) -> TokenScores:
        probabilities = np.full((len(batch), len(batch[-1]), len(self.labels)), 0.1, dtype=np.float32)
        best = np.zeros(probabilities.shape[:2], dtype=np.int64)
        for row, ids in enumerate(batch):
            edges = [-1] * self.reach
            padded = edges + ids + edges
            for place in range(len(ids)):
                near = padded[place : place + 2 * self.reach + 1]
                number = sum(token * 7**power for power, token in enumerate(near)) % 1009
                best[row, place] = number % len(self.labels)
                probabilities[row, place, best[row, place]] = 0.5 + number / 4000
        return TokenScores(best, probabilities, probabilities)

    def rows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        raise NotImplementedError

    def score_classes(self, batches: Sequence[Rows]) -> list[NDArray[np.float32]]:
        raise NotImplementedError
