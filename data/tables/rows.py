"""The rows of a data set, whatever they are stored in: batches of some of its columns, and the place of each row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from datasets import Dataset, Features

from malmoi.data.text_lines import DataFormatError

NULL_ADVICE = "; leave such rows out, by `dropna` of pandas or `filter` of datasets"
BATCH = 1000
"""So many rows are Python objects at once."""


class RowBatch(NamedTuple):
    """Some rows: their numbers, counted from 1, and the values of each column."""

    numbers: Sequence[int]
    columns: dict[str, list[Any]]


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """The rows of a file or of a split."""

    name: str
    """What messages name."""
    features: Features
    """The kinds of its columns."""
    read: Callable[[list[str]], Iterator[RowBatch]]
    """Yields these columns batch by batch, from the first row on."""
    unit: str = "row"
    """What the numbers of its rows count."""
    is_headed_by_line: bool = False
    """Whether its columns are called by a line of text, in whose place the first row stands where there is none."""

    def error(self, number: int, message: str) -> DataFormatError:
        """Return what is to be raised for a row."""
        return DataFormatError(f"{self.name}, {self.unit} {number}", None, message)


def rows_of_dataset(dataset: Dataset, name: str) -> SourceRows:
    """Return the rows of a `datasets.Dataset`.

    Args:
        dataset: The dataset, in any format.
        name: What messages name.
    """

    def read(columns: list[str]) -> Iterator[RowBatch]:
        rows = dataset.select_columns(columns).with_format(None)
        for index, batch in enumerate(rows.iter(BATCH)):
            first = index * BATCH + 1
            yield RowBatch(range(first, first + len(batch[columns[0]])), batch)

    return SourceRows(name=name, features=dataset.features, read=read)
