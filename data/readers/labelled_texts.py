"""Files with one text per line and its class before it, as in `positive<TAB>재미있게 봤습니다.`."""

from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict

from malmoi.data.classified_dataset import ClassifiedText, classified_dataset
from malmoi.data.text_lines import DataFormatError, read_lines
from malmoi.data.user_error import UserError

FILES = {"train": "train.txt", "validation": "validation.txt"}
TEST_FILE = "test.txt"


def read_labelled_texts(data_dir: Path | None) -> DatasetDict:
    """Return the `train`, `validation` and, if there is a file for it, `test` texts of a folder.

    The classes are those of `train.txt`, in the order of the alphabet; empty lines are skipped.

    Args:
        data_dir: Folder with `train.txt`, `validation.txt` and, if wanted, `test.txt`.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    if data_dir is None:
        raise UserError(
            f"Give the folder that holds {' and '.join(FILES.values())}, with a class, a tab and a text in each line, "
            "by --data_dir."
        )
    paths = {split: data_dir / name for split, name in FILES.items()}
    if not all(path.is_file() for path in paths.values()):
        raise DataFormatError(data_dir, None, f"expected a folder with {' and '.join(FILES.values())}.")
    if (data_dir / TEST_FILE).is_file():
        paths["test"] = data_dir / TEST_FILE
    texts = {split: dict(_read_file(path)) for split, path in paths.items()}
    classes = sorted({row["label"] for row in texts["train"].values()})
    if len(classes) < 2:
        raise DataFormatError(
            paths["train"], None, f"expected texts of at least two classes, got {', '.join(classes)}."
        )
    for split, path in paths.items():
        for number, row in texts[split].items():
            if row["label"] not in classes:
                raise DataFormatError(
                    path,
                    number,
                    f"expected one of the classes of train.txt, {', '.join(classes)}, got {row['label']!r}.",
                )
    return DatasetDict({split: classified_dataset(rows.values(), classes) for split, rows in texts.items()})


def _read_file(path: Path) -> Iterator[tuple[int, ClassifiedText]]:
    """Yield the texts of a file with the numbers of their lines."""
    count = 0
    for number, line in read_lines(path):
        if not line.strip():
            continue
        label, _, text = line.partition("\t")
        if not (label.strip() and text.strip()) or "\t" in text:
            raise DataFormatError(path, number, f"expected a class, a tab and a text, got {line!r}.")
        count += 1
        yield number, ClassifiedText(id=f"{path.stem}-{number}", text=text, label=label)
    if not count:
        raise DataFormatError(path, None, "expected texts, found none.")
