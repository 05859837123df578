"""Every figure by which a language model is judged, each with its definition."""

import math
from collections.abc import Sequence

LOSS = (
    "mean negative log-likelihood, in nats, of the tokens that the {direction} direction predicts: each from {seen}; "
    "less is better"
)
DIRECTIONS = {
    "forward": "all before it",
    "backward": "all behind it, but for the n - 1 next ones if there are n-grams",
}
DEFINITIONS = {
    "accuracy": "share of tokens that are the likeliest by the model, both directions together",
    **{f"{name}_loss": LOSS.format(direction=name, seen=seen) for name, seen in DIRECTIONS.items()},
    **{f"{name}_perplexity": f"e to the power of {name}_loss; less is better" for name in DIRECTIONS},
}
"""What each figure means."""
NO_SHARES = tuple(name for name in DEFINITIONS if name != "accuracy")
"""The figures that are no shares from 0 to 1."""


class LanguageModelMetrics:
    """Collect the sums of texts and return all figures. Memory does not grow with the set."""

    def __init__(self) -> None:
        self.sums = [[0.0, 0.0, 0.0] for _ in DIRECTIONS]

    def update(self, sums: Sequence[Sequence[float]]) -> None:
        """Add a text: for each direction negative log-likelihood, likeliest tokens, and all tokens."""
        for own, added in zip(self.sums, sums, strict=True):
            for place, value in enumerate(added):
                own[place] += value

    def compute(self) -> dict[str, float]:
        """Return all figures by name; 0 where no token was predicted."""
        right, tokens = (sum(own[place] for own in self.sums) for place in (1, 2))
        losses = {name: own[0] / max(own[2], 1) for name, own in zip(DIRECTIONS, self.sums)}
        return {
            "accuracy": right / max(tokens, 1),
            **{f"{name}_loss": loss for name, loss in losses.items()},
            **{f"{name}_perplexity": math.exp(min(loss, 700)) for name, loss in losses.items()},
        }
