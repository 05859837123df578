"""Write tagged sentences, one per line, with their names marked, as in `<손흥민:PS>은 <춘천:LC>에서 태어났다`."""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.alignment import tags_to_spans
from malmoi.data.inline_marks import write_marks
from malmoi.data.tagged_dataset import label_names
from malmoi.data.writers.whole_lines import check_line, write_lines


def write_inline_marks(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, and return those that there are.

    Args:
        splits: Tagged sentences by the name of their split.
        folder: An existing folder.

    Raises:
        UserError: If a sentence cannot be a line.
    """
    return write_lines(splits, folder, _lines)


def _lines(split: str, rows: Dataset) -> Iterator[str]:
    labels = label_names(rows)
    for row in rows:
        check_line(row["text"], row["id"], form="inline")
        yield write_marks(row["text"], tags_to_spans([labels[tag] for tag in row["tags"]]))
