"""Write classified texts with one text per line and its class before it, as in `positive<TAB>재미있게 봤습니다.`."""

from pathlib import Path

from datasets import DatasetDict

from malmoi.data.classified_dataset import class_names
from malmoi.data.user_error import UserError
from malmoi.data.writers.whole_lines import check_line

HEADING = "label\ttext\n"


def write_labelled_texts(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, each with a heading, and return those that there are.

    Args:
        splits: Classified texts by the name of their split.
        folder: An existing folder.

    Raises:
        UserError: If a text or a class cannot be in a line beside a tab.
    """
    paths = []
    for split, rows in splits.items():
        classes = class_names(rows)
        path = folder / f"{split}.txt"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(HEADING)
            for row in rows:
                label = classes[row["label"]]
                for column in (label, row["text"]):
                    check_line(column, row["id"], form="labelled-texts")
                    if "\t" in column:
                        raise UserError(f"{split}, {row['id']}: the form labelled-texts cannot hold a tab in a text.")
                file.write(f"{label}\t{row['text']}\n")
        paths.append(path)
    return paths
