"""What computes beneath tagger, spacer and classifier: a model in PyTorch, or an exported one without it.

Tokens and scores go through here as lists and NumPy arrays; what is made of them, such as names in a text, is the same
for every engine.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from malmoi.data.token_windows import Window
from malmoi.data.user_error import UserError

NAME_TEMPERATURE, CLASS_TEMPERATURE = "name_temperature", "class_temperature"
"""The keys of temperatures in the config of a model: of a tagger's probabilities of names, and of a classifier's."""
TEMPERATURES = (NAME_TEMPERATURE, CLASS_TEMPERATURE)
COLDEST, HOTTEST = 1e-3, 1e3
"""Between which temperatures they lie; beyond them, probabilities are 0 and 1, or all alike."""
LEAST = 1e-45
"""A probability that rounding has made 0 has no logarithm; this is the least that float32 has beside it."""

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
    cuts_beginning: bool
    """Whether `rows` keeps the end of a text that is too long, and not the beginning."""
    name_temperature: float
    """What its scores are divided by for the probabilities of names, as its config says; 1 if that says nothing."""
    class_temperature: float
    """The same for the probabilities of classes, which `score_classes` gives as they are without it."""

    def chain(self) -> Chain | None:
        """Return the scores of its CRF; `None` if it has none."""

    def windows(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return the windows in which it reads each text."""

    def rows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        """Return the tokens of each text up to the longest that it reads, and whether the others had to be cut off."""

    def score_tokens(self, batches: Sequence[Rows]) -> list[TokenScores]:
        """Return what a tagger says of each batch."""

    def score_classes(self, batches: Sequence[Rows]) -> list[NDArray[np.float32]]:
        """Return the probability of every class for each row of each batch, `(batch, classes)`."""


def read_temperature(value: object, key: str) -> float:
    """Return a temperature that a config says.

    Args:
        value: What stands there.
        key: Its key.

    Raises:
        UserError: If it is no number from `COLDEST` to `HOTTEST`.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and COLDEST <= value <= HOTTEST:  # NaN is not
        return float(value)
    raise UserError(
        f"`{key}` in config.json must be a number from {COLDEST:g} to {HOTTEST:g}, got {str(value)[:40]!r}."
    )


def check_numbers(found: Iterable[NDArray[np.floating]]) -> None:
    """Check that the probabilities that a model has computed are numbers: otherwise any class would be the likeliest.

    Raises:
        UserError: If they are not.
    """
    if any(np.isnan(probabilities).any() for probabilities in found):
        raise UserError(
            "The model computes no numbers (NaN) for a text. Its weights are damaged, or what they give is too large "
            "for their type: if that is float16, save the model in float32."
        )


def tempered(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Return what probabilities become if the scores that they are made of are divided by a temperature.

    Args:
        probabilities: Those of every class, `(..., classes)`; each row adds up to 1.
        temperature: The temperature.
    """
    scores = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), LEAST)) / temperature
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    of_one: NDArray[np.float64] = shares / shares.sum(axis=-1, keepdims=True)
    return of_one
