"""The form in which readers hand over texts with a class each."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from malmoi.data.notice import list_names, shorten
from malmoi.data.tag_schemes import are_tags
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.modeling.name_edges import INVISIBLE

NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
JOINER = "\u200d"  # within an emoji it is part of it


def class_name(written: str) -> str:
    """Return the name of a class as it is to be compared: what looks the same is the same.

    In Unicode's form NFC, without invisible characters, without spaces at its edges and with single ones within.
    """
    if written.isascii() and written.isprintable():  # as most are
        return " ".join(written.split())
    visible = INVISIBLE.sub(lambda found: found[0] * (found[0] == JOINER), unicodedata.normalize("NFC", written))
    return " ".join(visible.strip(JOINER).split())


class ClassifiedText(TypedDict):
    """A text and the name of its class."""

    id: str
    text: str
    label: str


class LabelledText(NamedTuple):
    """A text, the name of its class and where it comes from."""

    id: str
    text: str
    label: str
    path: Path | str
    """The file, or what else a message is to name."""
    line: int | None = None
    """Its line or row there, counted from 1."""
    document: str | None = None
    """What it is part of, where the form tells: texts of a document stay in one split."""


def classified_splits(splits: Mapping[str, Iterable[LabelledText]]) -> DatasetDict:
    """Return classified texts with the classes that occur, in the order of `ordered_classes`.

    Names of classes that look the same are one class. Where a text names its document, there is a column `document`.

    Args:
        splits: The texts by the name of their split.

    Raises:
        DataFormatError: If a text has no visible character or a class no name, a split has no text, or there are not
            two classes.
    """
    read = {split: [_checked(row) for row in rows] for split, rows in splits.items()}
    for split, rows in read.items():
        if not rows:
            raise DataFormatError(split, None, "expected texts, found none.")
    classes = ordered_classes(row.label for rows in read.values() for row in rows)
    if len(classes) < 2:
        first = next(iter(read.values()))[0]
        raise DataFormatError(first.path, None, f"expected texts of at least two classes, got {list_names(classes)}.")
    check_no_tags(next(iter(read.values()))[0].path, classes)
    return DatasetDict({split: _dataset(rows, classes) for split, rows in read.items()})


def ordered_classes(names: Iterable[str]) -> list[str]:
    """Return each class once, as their numbers in a model are given: numbers by their size, others by the alphabet.

    Of texts whose classes are 0 to 11 the eleventh is 10 then, as whoever labels them so counts.
    """
    found = sorted({*names})
    return sorted(found, key=float) if all(map(NUMBER.fullmatch, found)) else found


def check_no_tags(place: Path | str, texts: Iterable[str], kind: str = "classes") -> None:
    """Check that the classes, or the texts, of classified texts are not the tags of tokens, which no class is.

    Args:
        place: The file, for messages.
        texts: The names of the classes, or the texts.
        kind: What a message calls them.

    Raises:
        DataFormatError: If all are.
    """
    if are_tags(texts):
        raise DataFormatError(
            place,
            None,
            f"expected texts and their classes, but the {kind} seem to be tags of tokens; of names a file .conll is "
            "to hold a token and its tag, divided by a tab, on each line, and an empty line after each sentence.",
        )


def _checked(row: LabelledText) -> LabelledText:
    if not (class_name(row.label) and class_name(row.text)):
        raise DataFormatError(
            row.path, row.line, f"expected a text and its class, got {shorten(row.text)} and {shorten(row.label)}."
        )
    return row._replace(label=class_name(row.label))


def _dataset(rows: list[LabelledText], classes: list[str]) -> Dataset:
    dataset = classified_dataset((ClassifiedText(id=row.id, text=row.text, label=row.label) for row in rows), classes)
    if any(row.document is not None for row in rows):
        dataset = dataset.add_column("document", [row.document for row in rows])
    return dataset


def classified_features(classes: Sequence[str]) -> Features:
    """Return the columns of a dataset of classified texts: `id`, `text` and `label`."""
    return Features({"id": Value("string"), "text": Value("string"), "label": ClassLabel(names=list(classes))})


def classified_dataset(rows: Iterable[ClassifiedText], classes: Sequence[str]) -> Dataset:
    """Build a dataset of texts whose labels are among the classes."""
    ids = {name: index for index, name in enumerate(classes)}
    rows = list(rows)
    columns = {
        "id": [row["id"] for row in rows],
        "text": [row["text"] for row in rows],
        "label": [ids[row["label"]] for row in rows],
    }
    return Dataset.from_dict(columns, features=classified_features(classes))


def class_names(dataset: Dataset) -> list[str]:
    """Return the classes of a dataset of classified texts, in the order of their ids."""
    return list(dataset.features["label"].names)


def with_classes(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Return the dataset with its labels numbered as in `classes`.

    Raises:
        UserError: If a class occurs that is not among them.
    """
    names = class_names(dataset)
    if names == list(classes):
        return dataset
    lacking = {label for label, name in enumerate(names) if name not in classes}
    rows = [row["id"] for row in dataset if row["label"] in lacking]
    if rows:
        unknown = sorted(names[label] for label in lacking & set(dataset["label"]))
        raise UserError(
            f"The data has the classes {list_names(unknown)}, first in {rows[0]}, which the model lacks: it has "
            f"{list_names(classes)}."
        )
    ids = {name: index for index, name in enumerate(classes)}
    columns = {
        "id": list(dataset["id"]),
        "text": list(dataset["text"]),
        "label": [ids[names[label]] for label in dataset["label"]],
    }
    return Dataset.from_dict(columns, features=classified_features(classes))
