"""A sentence as a model saw it, which is what every metric of a tagger is computed from."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class TokenizedSentence(NamedTuple):
    """What scoring a sentence takes: its text, its gold tags, and the tokens that the model saw."""

    text: str
    tags: Sequence[str]
    offsets: Sequence[tuple[int, int]]
    unknown: Sequence[bool]
    number: int = 0  # its place in the dataset; sentences are scored in another order


class TaggingMetrics(Protocol):
    """Collects predictions sentence by sentence; memory does not grow with the set."""

    def update(self, sentence: TokenizedSentence, predicted: Sequence[str | None], gold: Sequence[str | None]) -> None:
        """Add a sentence with the predicted and the gold label of each token; `None` where a token has none."""

    def compute(self) -> dict[str, float]:
        """Return all figures by name."""

    def details(self) -> dict[str, Any]:
        """Return what a report shows beside figures."""
