"""What computes beneath tagger, spacer and classifier: a model in PyTorch, or an exported one without it.

Tokens and scores go through here as lists and NumPy arrays; what is made of them, such as names in a text, is the same
for every engine.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from malmoi.data.token_windows import Window
from malmoi.data.user_error import UserError

NAME_TEMPERATURE = "name_temperature"
"""The key of the temperature in the config of a model."""
COLDEST, HOTTEST = 1e-3, 1e3
"""The bounds of a temperature; beyond them, probabilities of names are 0 and 1, or all alike."""

Rows = Sequence[list[int]]
"""The tokens of each row of a batch; the last row is the longest."""


class Chain(NamedTuple):
    """The scores of a CRF for sequences of labels, float64; minus infinity where a step is forbidden.

    Args:
        start: For the first label of a text, `(labels,)`.
        transitions: For a label after another, `(previous label, next label)`.
        end: For the last label, `(labels,)`.
    """

    start: NDArray[np.float64]
    transitions: NDArray[np.float64]
    end: NDArray[np.float64]

    def score(self, labels: NDArray[np.int64], emissions: NDArray[np.floating]) -> float:
        """Return the score of a sequence of labels, `(length,)`, with emissions, `(length, labels)`."""
        own = self.start[labels[0]] + self.end[labels[-1]]
        own += emissions[np.arange(len(labels)), labels].sum(dtype=np.float64)
        return float(own + self.transitions[labels[:-1], labels[1:]].sum())


class TokenScores(NamedTuple):
    """What a tagger says of the tokens of a batch; what it says of padding means nothing.

    Args:
        predictions: The best label of each token, `(batch, length)`, of a CRF those of the best sequence; negative
            where a token carries none.
        probabilities: The probability of every label of every token, `(batch, length, labels)`, of a CRF the exact
            marginals.
        emissions: The score of every label of every token, `(batch, length, labels)`: what goes into the CRF, or the
            logits of a model without one.
    """

    predictions: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    emissions: NDArray[np.float32]


class Engine(Protocol):
    """A model and its tokenizer, ready to compute."""

    labels: dict[int, str]
    """The label of each id."""
    max_length: int | None
    """How many tokens it reads at once, special ones included; `None` if there is no limit."""
    name_temperature: float
    """What its scores are divided by for the probabilities of names, as its config says; 1 if that says nothing."""

    def chain(self) -> Chain | None:
        """Return the scores of its CRF; `None` if it has none."""

    def windows(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return the windows in which it reads each text."""

    def rows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        """Return the tokens of each text up to the longest that it reads, and whether the end had to be cut off."""

    def score_tokens(self, batches: Sequence[Rows]) -> list[TokenScores]:
        """Return what a tagger says of each batch."""

    def score_classes(self, batches: Sequence[Rows]) -> list[NDArray[np.float32]]:
        """Return the probability of every class for each row of each batch, `(batch, classes)`."""


def name_temperature(value: object) -> float:
    """Return the temperature that a config says.

    Raises:
        UserError: If it is no number from `COLDEST` to `HOTTEST`.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and COLDEST <= value <= HOTTEST:  # NaN is not
        return float(value)
    raise UserError(
        f"`{NAME_TEMPERATURE}` in config.json must be a number from {COLDEST:g} to {HOTTEST:g}, got "
        f"{str(value)[:40]!r}."
    )
