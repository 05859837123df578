"""How far a figure may be off because of the sentences that it was measured on.

A figure such as F1 says nothing of how many names stand behind it. Its interval does: Wilson's for a share (Wilson,
1927), with fewer effective observations where errors gather in few sentences (the design effect of Kish, 1965). Unlike
sampling with replacement it also is honest where all of a few names are right, needs no seed, and a few sums per
figure, however large the set.
"""

import math

NORMAL_QUANTILE = 1.959963984540054  # of 95 %, two-sided
DEFINITION = (
    "range that holds the figure of all text of this kind, 19 times in 20 (Wilson's, wider where errors gather in few "
    "sentences)"
)
"""What an interval means; both ends are from 0 to 1."""

Interval = tuple[float, float]


class SentenceShares:
    """A share that is summed over sentences, such as that of the names that are right.

    Only sums are kept, so memory does not grow with the set.
    """

    def __init__(self) -> None:
        self.sentences = self.right = self.total = 0
        self._right_squared = self._right_total = self._total_squared = 0

    def add(self, right: int, total: int) -> None:
        """Add a sentence in which so many of a total are right; one with a total of 0 has no say."""
        self.sentences += total > 0
        self.right += right
        self.total += total
        self._right_squared += right * right
        self._right_total += right * total
        self._total_squared += total * total

    def interval(self) -> Interval | None:
        """Return the 95 % interval of the share; `None` if there is nothing to share."""
        if not self.total:
            return None
        share = self.right / self.total
        return wilson_interval(share, self.total / self._design_effect(share))

    def _design_effect(self, share: float) -> float:
        """Return how many times as much the share varies as if every part of the total were right or not by itself."""
        independent = share * (1 - share) / self.total
        if self.sentences < 2 or not independent:
            return 1.0
        squares = self._right_squared - 2 * share * self._right_total + share * share * self._total_squared
        between = self.sentences / (self.sentences - 1) * squares / self.total**2
        return max(1.0, between / independent)


class F1Shares:
    """Precision, recall and F1 with their intervals, summed over sentences.

    F1 grows with the share of the right ones among all that are in the gold standard or predicted: `2 J / (1 + J)`.
    """

    def __init__(self) -> None:
        self.precision, self.recall, self._joint = SentenceShares(), SentenceShares(), SentenceShares()

    def add(self, correct: int, predicted: int, gold: int) -> None:
        """Add a sentence."""
        self.precision.add(correct, predicted)
        self.recall.add(correct, gold)
        self._joint.add(correct, predicted + gold - correct)

    def f1_interval(self) -> Interval | None:
        """Return the 95 % interval of F1; `None` if there is nothing in the gold standard and nothing predicted."""
        interval = self._joint.interval()
        return None if interval is None else f1_of_joint(interval)


def wilson_interval(share: float, count: float) -> Interval:
    """Return Wilson's 95 % interval of a share of so many independent observations."""
    squared = NORMAL_QUANTILE**2 / count
    centre = (share + squared / 2) / (1 + squared)
    half = math.sqrt(share * (1 - share) * squared + squared * squared / 4) / (1 + squared)
    # the share lies within, whatever rounding does
    return min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)


def f1_of_joint(interval: Interval) -> Interval:
    """Return the interval of F1 for that of the share of the right ones among all, gold or predicted."""
    low, high = interval
    return 2 * low / (1 + low), 2 * high / (1 + high)


def as_report(intervals: dict[str, Interval | None]) -> dict[str, list[float]]:
    """Return intervals as a report holds them: by figure, without those that do not exist."""
    return {name: list(interval) for name, interval in intervals.items() if interval is not None}
