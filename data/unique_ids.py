"""Ids by which a message names a sentence: each once."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from malmoi.data.classified_dataset import LabelledText
from malmoi.data.marked_text import MarkedText
from malmoi.data.remarks import Remarks

Row = TypeVar("Row", MarkedText, LabelledText)
REPEATED = "ids that another row has already are followed by a number, as in `7-2`"


def line_id(path: Path | str, line: int | None) -> str:
    """Return the id of a row that has none: its file, and the line where it begins.

    Several objects may begin in one line, so no row may be kept by it before `with_unique_ids` has told them apart.
    """
    return f"{Path(path).stem}-{line}"


def with_unique_ids(rows: Iterable[Row], remarks: Remarks) -> Iterator[Row]:
    """Yield the rows; an id that an earlier one has is followed by the first number that makes it another.

    Args:
        rows: The rows of a split.
        remarks: Gets a remark for each id of the data that is changed.
    """
    numbers: dict[str, int] = {}
    for row in rows:
        name = free_id(row.id, numbers)
        if name != row.id and row.id != line_id(row.path, row.line):
            remarks.add(REPEATED, row.path, row.line)
        yield row._replace(id=name)


def free_id(wanted: str, numbers: dict[str, int]) -> str:
    """Return an id that no other row has, and note it.

    Args:
        wanted: What it is, or begins with.
        numbers: What `free_id` has noted of the ids before.
    """
    name = wanted
    while name in numbers:
        numbers[wanted] += 1
        name = f"{wanted}-{numbers[wanted]}"
    numbers[name] = 1
    return name
