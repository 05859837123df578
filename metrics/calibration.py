"""Whether probabilities are true: of the answers that a model calls 80 % probable, 80 % should be right.

Answers are the names that a tagger finds, or the texts to which a classifier gives a class.

The measure is the expected calibration error of Naeini, Cooper and Hauskrecht (2015, https://arxiv.org/abs/1411.0160)
with the bins of Guo et al. (2017, https://arxiv.org/abs/1706.04599): 15 of equal width. The latter also found that one
number, the temperature by which all scores are divided, mends most of it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

BINS = 15
ERROR = "expected_calibration_error"
NAMES, TEXTS = "names", "texts"
_WHAT_IS_MEASURED = {
    NAMES: ("a predicted name", "a name with the type and the exact characters of one in the data"),
    TEXTS: ("the class of a text", "a text with the class of the data"),
}
DEFINITIONS = {
    unit: (
        f"how far the probability of {answer} is from the share of {unit} that are right: in {BINS} bins of equal "
        f"width, the mean difference of both, weighted by {unit}. Right is {right}"
    )
    for unit, (answer, right) in _WHAT_IS_MEASURED.items()
}
"""What the expected calibration error of names and of texts means; it is from 0 to 1."""
LOWEST_TRIED, HIGHEST_TRIED = 0.05, 20.0
"""Between which temperatures the best one is looked for."""
LEAST = 1e-12
"""What is as good as impossible; its logarithm would be infinite."""
INVERSE_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


class Reliability:
    """How probable answers were, and how many of them were right, in bins. Memory does not grow with their number.

    Args:
        unit: What is answered, `names` or `texts`.
    """

    def __init__(self, unit: str = NAMES) -> None:
        self.unit = unit
        self.counts = [0] * BINS
        self.probabilities = [0.0] * BINS
        self.right = [0] * BINS

    def add(self, probability: float, is_right: bool) -> None:
        """Add an answer."""
        number = min(int(probability * BINS), BINS - 1)
        self.counts[number] += 1
        self.probabilities[number] += probability
        self.right[number] += is_right

    def error(self) -> float:
        """Return the expected calibration error; 0 without answers."""
        apart = sum(abs(probability - right) for probability, right in zip(self.probabilities, self.right))
        return apart / max(sum(self.counts), 1)

    def report(self) -> dict[str, Any]:
        """Return the error, what it means, and what stands behind it."""
        answers = sum(self.counts)
        return {
            ERROR: self.error(),
            "definition": DEFINITIONS[self.unit],
            self.unit: answers,
            "mean_probability": sum(self.probabilities) / max(answers, 1),
            "right": sum(self.right) / max(answers, 1),
            "bins": [
                {
                    "from": number / BINS,
                    "to": (number + 1) / BINS,
                    self.unit: count,
                    "mean_probability": self.probabilities[number] / count,
                    "right": self.right[number] / count,
                }
                for number, count in enumerate(self.counts)
                if count
            ],
        }


def unit_of(reliability: Mapping[str, Any]) -> str:
    """Return what the reliability in a report counts, `names` or `texts`."""
    return TEXTS if TEXTS in reliability else NAMES


def log_loss(probability: float, is_right: bool) -> float:
    """Return how much worse than certainty a probability foretold whether an answer is right, in nats."""
    return -math.log(max(probability if is_right else 1 - probability, LEAST))


def best_temperature(loss: Callable[[float], float], *, tolerance: float = 1e-3) -> float:
    """Return the temperature with the smallest loss, by golden-section search over its logarithm.

    Args:
        loss: The loss at a temperature; it first falls, then rises.
        tolerance: How exact the logarithm is to be.
    """
    low, high = math.log(LOWEST_TRIED), math.log(HIGHEST_TRIED)
    left, right = high - INVERSE_GOLDEN_RATIO * (high - low), low + INVERSE_GOLDEN_RATIO * (high - low)
    at_left, at_right = loss(math.exp(left)), loss(math.exp(right))
    while high - low > tolerance:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - INVERSE_GOLDEN_RATIO * (high - low)
            at_left = loss(math.exp(left))
        else:
            low, left, at_left = left, right, at_right
            right = low + INVERSE_GOLDEN_RATIO * (high - low)
            at_right = loss(math.exp(right))
    return math.exp((low + high) / 2)
