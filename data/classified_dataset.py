"""The form in which readers hand over texts with a class each."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypedDict

from datasets import ClassLabel, Dataset, Features, Value

from malmoi.data.notice import list_names
from malmoi.data.user_error import UserError
from malmoi.modeling.crf_tagging import INVISIBLE

JOINER = "\u200d"  # within an emoji it is part of it


def class_name(written: str) -> str:
    """Return the name of a class as it is to be compared: what looks the same is the same.

    In Unicode's form NFC, without invisible characters, without spaces at its edges and with single ones within.
    """
    visible = INVISIBLE.sub(lambda found: found[0] * (found[0] == JOINER), unicodedata.normalize("NFC", written))
    return " ".join(visible.strip(JOINER).split())


class ClassifiedText(TypedDict):
    """A text and the name of its class."""

    id: str
    text: str
    label: str


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
