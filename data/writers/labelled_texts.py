"""Write classified texts with one text per line and its class before it, as in `positive<TAB>재미있게 봤습니다.`."""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.classified_dataset import class_names
from malmoi.data.user_error import UserError
from malmoi.data.writers.whole_lines import check_line, write_lines

HEADING = "label\ttext"


def write_labelled_texts(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, each with a heading, and return those that there are.

    Args:
        splits: Classified texts by the name of their split.
        folder: An existing folder.

    Raises:
        UserError: If a text or a class cannot be in a line beside a tab.
    """
    return write_lines(splits, folder, _lines)


def _lines(split: str, rows: Dataset) -> Iterator[str]:
    yield HEADING
    classes = class_names(rows)
    for row in rows:
        label = classes[row["label"]]
        for column in (label, row["text"]):
            check_line(column, row["id"], form="labelled-texts")
            if "\t" in column:
                raise UserError(f"{split}, {row['id']}: the form labelled-texts cannot hold a tab in a text.")
        yield f"{label}\t{row['text']}"
