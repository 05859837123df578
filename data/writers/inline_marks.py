"""Write tagged sentences, one per line, with their names marked, as in `<손흥민:PS>은 <춘천:LC>에서 태어났다`."""

from pathlib import Path

from datasets import DatasetDict

from malmoi.data.alignment import tags_to_spans
from malmoi.data.inline_marks import write_marks
from malmoi.data.tagged_dataset import label_names
from malmoi.data.writers.whole_lines import check_line


def write_inline_marks(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, and return those that there are.

    Args:
        splits: Tagged sentences by the name of their split.
        folder: An existing folder.

    Raises:
        UserError: If a sentence cannot be a line.
    """
    paths = []
    for split, rows in splits.items():
        labels = label_names(rows)
        path = folder / f"{split}.txt"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                check_line(row["text"], row["id"], form="inline")
                spans = tags_to_spans([labels[tag] for tag in row["tags"]])
                file.write(write_marks(row["text"], spans) + "\n")
        paths.append(path)
    return paths
