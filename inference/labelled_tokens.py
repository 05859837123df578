"""What a tagger says of the tokens of a text, as a whole and part by part."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.data.token_windows import Offsets


class WindowScores(NamedTuple):
    """What a tagger says of a window of a text.

    Args:
        first: The first token that the window keeps, by its number in the `TokenLabels` that hold this.
        kept: First and last (exclusive) of the tokens of the window whose answers count.
        offsets: The characters that each token of the window stands for, in the whole text.
        predictions: The best label of each of its tokens, `(length,)`, negative where it carries none.
        emissions: The score of every label of each, `(length, labels)`.
    """

    first: int
    kept: tuple[int, int]
    offsets: Offsets
    predictions: NDArray[np.int64]
    emissions: NDArray[np.float32]


class TokenLabels(NamedTuple):
    """The tokens of a text, or of a part of it.

    Args:
        labels: The label id of each token, negative where it carries none.
        scores: The probability of that label.
        offsets: The characters that the token stands for.
        windows: The windows in which the tagger has read the text, in their order.
    """

    labels: list[int]
    scores: list[float]
    offsets: Offsets
    windows: list[WindowScores]

    def part(self, first: int, last: int) -> "TokenLabels":
        """Return some of the tokens, from `first` to before `last`."""
        windows = []
        for window in self.windows:
            begin, end = window.kept
            # at a seam two windows have read the same tokens: each is to keep its own
            kept = max(begin, begin + first - window.first), min(end, begin + last - window.first)
            if kept[0] < kept[1]:
                windows.append(window._replace(first=window.first + kept[0] - begin - first, kept=kept))
        return TokenLabels(self.labels[first:last], self.scores[first:last], self.offsets[first:last], windows)

    def extend(self, more: "TokenLabels") -> None:
        """Add the tokens that follow these."""
        count = len(self.labels)
        self.windows.extend(window._replace(first=window.first + count) for window in more.windows)
        self.labels.extend(more.labels)
        self.scores.extend(more.scores)
        self.offsets.extend(more.offsets)


def no_tokens() -> TokenLabels:
    """Return what is read of a text before its first token."""
    return TokenLabels([], [], [], [])


class LabelledPart(NamedTuple):
    """The next tokens of a text.

    Args:
        text: The whole text.
        tokens: Some of its tokens; their offsets are those in the whole text.
        is_last: Whether they are the last of the text.
    """

    text: str
    tokens: TokenLabels
    is_last: bool
