"""Ids by which a message names a sentence: each once."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from malmoi.data.classified_dataset import LabelledText
from malmoi.data.marked_text import MarkedText
from malmoi.data.remarks import Remarks

Row = TypeVar("Row", MarkedText, LabelledText)
REPEATED = "ids that another row has already are followed by a number, as in `7-2`"


def with_unique_ids(rows: Iterable[Row], remarks: Remarks) -> Iterator[Row]:
    """Yield the rows; an id that an earlier one has is followed by the first number that makes it another.

    Args:
        rows: The rows of a split.
        remarks: Gets a remark for each id that is changed.
    """
    numbers: dict[str, int] = {}
    for row in rows:
        name = row.id
        while name in numbers:
            numbers[row.id] += 1
            name = f"{row.id}-{numbers[row.id]}"
        numbers[name] = 1
        if name != row.id:
            remarks.add(REPEATED, row.path, row.line)
        yield row._replace(id=name)
