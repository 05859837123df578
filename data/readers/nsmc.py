"""The Naver sentiment movie corpus (https://github.com/e9t/nsmc), from the Hub or from the files of its author.

The files have a header and one review per line: id, document and label, divided by tabs. There is no quoting.
"""

from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict, load_dataset

from malmoi.data.classified_dataset import ClassifiedText, class_name, classified_dataset
from malmoi.data.notice import shorten
from malmoi.data.splits.stratified import draw_evenly
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines
from malmoi.data.user_error import UserError

DIVISION_SEED = 42
NSMC_CLASSES = ["negative", "positive"]
HUB_DATASET = "e9t/nsmc"
HUB_REVISION = "refs/convert/parquet"  # the main one is a script, which datasets no longer runs
HEADER = "id\tdocument\tlabel"
FILES = {
    "train": "ratings_train.txt",
    "validation": "ratings_validation.txt",
    "test": "ratings_test.txt",
}


def read_nsmc(data_dir: Path | None) -> DatasetDict:
    """Return the `train`, `validation` and `test` reviews.

    Reviews in whose document nothing can be seen are dropped. NSMC has no validation part: unless the folder has a
    file for it, 5 % of the training reviews, rounded up and drawn evenly over the classes, are taken from `train` and
    become `validation`. They are always the same ones, whatever the seed of a training, so that no model is judged on
    what it has seen.

    Args:
        data_dir: Folder with `ratings_train.txt`, `ratings_test.txt` and, if wanted, `ratings_validation.txt`; files
            may be missing. Without it the dataset is fetched from the Hub.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If the Hub cannot be reached.
    """
    if data_dir is None:
        return _from_hub()
    paths = {split: data_dir / name for split, name in FILES.items() if (data_dir / name).is_file()}
    if not paths:
        raise DataFormatError(
            data_dir, None, f"expected a folder with {FILES['train']}, {FILES['test']} or {FILES['validation']}."
        )
    return _with_validation({split: list(read_ratings(path)) for split, path in paths.items()})


def holds_nsmc(data_dir: Path) -> bool:
    """Tell whether a folder holds a file of NSMC."""
    return any(first_lines(data_dir / name, 1) == [HEADER] for name in FILES.values())


def read_ratings(path: Path) -> Iterator[ClassifiedText]:
    """Yield all reviews of a file, those with an empty document too.

    Args:
        path: A file in the format of NSMC.

    Raises:
        DataFormatError: If the file is malformed; it names the file, the line and what was expected.
    """
    check_line_ends(path)
    number = 0
    for number, line in read_lines(path):
        if number == 1:
            if line != HEADER:
                raise DataFormatError(path, number, f"expected the header {HEADER!r}, got {shorten(line)}.")
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise DataFormatError(path, number, f"expected id, document and label, got {len(columns)} columns.")
        review_id, document, label = columns
        if label not in ("0", "1"):
            raise DataFormatError(path, number, f"expected the label 0 or 1, got {shorten(label)}.")
        yield ClassifiedText(id=review_id, text=document, label=NSMC_CLASSES[int(label)])
    if number == 1:
        raise DataFormatError(path, None, "expected reviews, found none.")


def _from_hub() -> DatasetDict:
    try:
        splits = load_dataset(HUB_DATASET, revision=HUB_REVISION)
    except (OSError, ValueError) as error:  # OSError includes every failed connection
        raise UserError(
            f"NSMC could not be fetched from the Hub ({type(error).__name__}). Either connect to the network, or give "
            f"the folder that holds {FILES['train']} and {FILES['test']} by --data_dir."
        ) from error
    return from_hub_splits(splits)


def from_hub_splits(splits: DatasetDict) -> DatasetDict:
    """Give the Hub's columns `id`, `document` (which may be null) and `label` the form of every other reader."""
    return _with_validation(
        {
            split: [
                ClassifiedText(id=row["id"], text=row["document"] or "", label=NSMC_CLASSES[row["label"]])
                for row in rows
            ]
            for split, rows in splits.items()
        }
    )


def _with_validation(reviews: dict[str, list[ClassifiedText]]) -> DatasetDict:
    """Drop empty reviews, and take the validation reviews from those for training if there are none."""
    reviews = {split: [row for row in rows if class_name(row["text"])] for split, rows in reviews.items()}
    if "train" in reviews and "validation" not in reviews:
        train = reviews["train"]
        count = len(train) - len(train) * 19 // 20
        drawn = draw_evenly([row["label"] for row in train], count, seed=DIVISION_SEED)
        reviews |= {
            "train": [row for index, row in enumerate(train) if index not in drawn],
            "validation": [train[index] for index in sorted(drawn)],
        }
    return DatasetDict(
        {split: classified_dataset(reviews[split], NSMC_CLASSES) for split in FILES if split in reviews}
    )
