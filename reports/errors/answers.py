"""What is known of the answer of a model to one text, whatever the task."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from datasets import Dataset

from malmoi.inference.loading import LoadedModel
from malmoi.metrics.paired_bootstrap import Figure

NONE = ""
"""Stands for the type of a name that is not there."""
RIGHT = ""
"""Stands for the kind of a mark that marks no mistake."""


class Error(NamedTuple):
    """One mistake in a text.

    Args:
        kind: What kind of mistake, as its task names them.
        gold: The type or class in the data; `NONE` if there is nothing.
        predicted: The predicted type or class; `NONE` if there is nothing.
        what: What it is about, in the words of the text.
        sure: How probable the model takes its own answer to be where it differs from the data, from 0 to 1.
        seen: Whether the name is one of the training set; `None` if that is not known, or it is no name.
    """

    kind: str
    gold: str
    predicted: str
    what: str
    sure: float
    seen: bool | None = None


class Mark(NamedTuple):
    """A stretch of a line: `text[start:end]`, possibly of no width, with its type and its kind of mistake."""

    start: int
    end: int
    label: str
    kind: str
    score: float | None = None


class Line(NamedTuple):
    """A text as the data or a model have it.

    Args:
        text: The text.
        marks: What is marked in it, in its order.
        label: The class of the text, if that is what is asked for.
        score: The probability of this class, if a model gives it.
    """

    text: str
    marks: list[Mark]
    label: str | None = None
    score: float | None = None


@dataclass(frozen=True)
class Answer(ABC):
    """The answer of a model to a text, beside what the data say.

    Args:
        id: The id of the text in the data.
        text: The text.
        errors: The mistakes; none if all is right.
    """

    id: str
    text: str
    errors: list[Error]

    @abstractmethod
    def counts(self) -> list[int]:
        """Return the counts from whose sums the figures of the task follow."""

    @abstractmethod
    def gold_line(self) -> Line:
        """Return the text as the data have it."""

    @abstractmethod
    def predicted_line(self) -> Line:
        """Return the text as the model has it."""

    @abstractmethod
    def gold_record(self) -> Any:
        """Return what a file of predictions says of the data."""

    @abstractmethod
    def predicted_record(self) -> dict[str, Any]:
        """Return what a file of predictions says of the answer, by its keys."""


class Table(NamedTuple):
    """Figures of parts of the data.

    Args:
        title: What the parts are, as the words of the page name it.
        columns: The columns after the first, as the words of the page name them.
        rows: The name of each part, and a number for each column: a count if it is whole, otherwise a share.
    """

    title: str
    columns: list[str]
    rows: list[tuple[str, list[float]]]


class Confusion(NamedTuple):
    """How often each type in the data (rows) met each predicted one (columns); `NONE` is the last of both, if any."""

    labels: list[str]
    counts: list[list[int]]


class Findings(NamedTuple):
    """All that a model answered, and what there is to say of it as a whole."""

    answers: list[Answer]
    confusion: Confusion
    tables: list[Table]


class TaskErrors(NamedTuple):
    """How the mistakes of the models of a task are found.

    Args:
        kinds: The kinds of mistakes, in the order in which they are shown.
        figures: How each of the figures that two models are compared by follows from sums of counts.
        find: Takes a model, the data, the names of the training set if they are known, and how many texts are
            answered at once.
    """

    kinds: tuple[str, ...]
    figures: Mapping[str, Figure]
    find: Callable[[LoadedModel, Dataset, frozenset[str] | None, int], Findings]


def batches(dataset: Dataset, size: int = 1024) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a dataset, some at once."""
    for start in range(0, dataset.num_rows, size):
        yield list(dataset.select(range(start, min(start + size, dataset.num_rows))))
