"""What a task says of a text, in whatever form it is written: `tag`, `space` and `classify` are each one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, count
from typing import Any, ClassVar, NamedTuple


class TextTask(ABC):
    """A task, with the options by which its model answers. It can be sent to another process."""

    forms: ClassVar[tuple[str, ...]]
    """The names of the forms in which its answers can be written; the first is that of the console."""
    columns: ClassVar[tuple[str, ...]]
    """What its answers add to a row."""
    sheet_columns: ClassVar[tuple[str, ...]]
    """What they add to a row of CSV."""

    @abstractmethod
    def load(self, texts: list[str]) -> Callable[[list[str]], Iterable[Any]]:
        """Load the model; return what answers texts, in their order.

        Args:
            texts: All texts that it will read, if they are few.
        """

    @abstractmethod
    def line(self, text: str, answer: Any) -> str:
        """Return what the console shows of a text."""

    @abstractmethod
    def document(self, text: str, answer: Any, name: str) -> str:
        """Return the whole content of the file for a text that is a document."""

    @abstractmethod
    def fields(self, text: str, answer: Any) -> dict[str, Any]:
        """Return a text and its answer as the object of a JSON line."""

    @abstractmethod
    def values(self, answer: Any) -> Sequence[Any]:
        """Return the values of `columns`, of which JSON can be made."""

    @abstractmethod
    def sheet_rows(self, answer: Any) -> list[list[str]]:
        """Return the values of `sheet_columns`, of one row or of several."""

    @abstractmethod
    def arrow_types(self) -> list[Any]:
        """Return the types of `columns` as pyarrow has them."""

    def names(self, answer: Any) -> list[tuple[int, int, str]]:
        """Return start, end and label of the names that an answer has; only tagging finds any."""
        return []

    def is_cut(self, answer: Any) -> bool:
        """Tell whether the end of a text was not read."""
        return False

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return the options on which the answers depend, by the names of their flags."""

    @abstractmethod
    def contents(self) -> Mapping[str, str | None]:
        """Return what tells whether the files that options name are the same, by the names of their flags."""


class Place(NamedTuple):
    """What a row says of where it stands.

    Args:
        file: Whether it names its file.
        line: Whether it has the number of its line.
    """

    file: bool = False
    line: bool = False


def answer_columns(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Return what the columns of answers are called in a row that has columns already."""
    return _free_names(names, taken, prefix="predicted")


def place_columns(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Return what the columns are called that say where a row stands, in one that has columns already."""
    return _free_names(names, taken, prefix="source")


def _free_names(names: Iterable[str], taken: Iterable[str], *, prefix: str) -> list[str]:
    """Return the names, those that are taken with a prefix, and with a number from 2 on if these are taken, too."""
    others = {*taken}
    found = []
    for name in names:
        longer = f"{prefix}_{name}"
        numbered = (f"{longer}_{number}" for number in count(2))
        free = next(each for each in chain((name, longer), numbered) if each not in others)
        others.add(free)
        found.append(free)
    return found
