"""The form in which every reader hands over tagged sentences."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from datasets import ClassLabel, Dataset, Features, List, Value

from malmoi.data.alignment import tags_to_spans
from malmoi.data.notice import list_names
from malmoi.data.user_error import UserError


class TaggedSentence(TypedDict):
    """A sentence with one BIO tag per character, spaces included."""

    id: str
    text: str
    tags: list[str]


def bio_labels(types: Iterable[str]) -> list[str]:
    """Return the labels of the entity types: `B-X` and `I-X` for each, then `O`."""
    return [f"{prefix}-{entity_type}" for entity_type in types for prefix in "BI"] + ["O"]


def tagged_features(labels: Sequence[str]) -> Features:
    """Return the columns of a dataset of tagged sentences: `id`, `text` and `tags`, one per character of the text."""
    return Features({"id": Value("string"), "text": Value("string"), "tags": List(ClassLabel(names=list(labels)))})


def tagged_dataset(sentences: Iterable[TaggedSentence], labels: Sequence[str]) -> Dataset:
    """Build a dataset of tagged sentences whose tags are among the labels."""
    ids = {label: index for index, label in enumerate(labels)}
    columns: dict[str, list[Any]] = {"id": [], "text": [], "tags": []}
    for row in sentences:
        columns["id"].append(row["id"])
        columns["text"].append(row["text"])
        columns["tags"].append([ids[tag] for tag in row["tags"]])
    return Dataset.from_dict(columns, features=tagged_features(labels))


def label_names(dataset: Dataset) -> list[str]:
    """Return the labels of a dataset of tagged sentences, in the order of their ids."""
    return list(dataset.features["tags"].feature.names)


def tagged_sentences(dataset: Dataset) -> list[TaggedSentence]:
    """Return the rows of a dataset of tagged sentences, with the names of their tags."""
    names = label_names(dataset)
    return [
        TaggedSentence(id=row["id"], text=row["text"], tags=[names[tag] for tag in row["tags"]]) for row in dataset
    ]


def names_in(dataset: Dataset) -> set[str]:
    """Return the texts of all names of a dataset of tagged sentences."""
    labels = label_names(dataset)
    return {
        text[span.start : span.end]
        for text, tags in zip(dataset["text"], dataset["tags"])
        for span in tags_to_spans([labels[tag] for tag in tags])
    }


def with_labels(dataset: Dataset, labels: Sequence[str]) -> Dataset:
    """Return the dataset with its tags numbered as in `labels`.

    Raises:
        UserError: If a tag occurs that is not among them.
    """
    names = label_names(dataset)
    if names == list(labels):
        return dataset
    lacking = {tag for tag, name in enumerate(names) if name not in labels}
    rows = [row["id"] for row in dataset if lacking & set(row["tags"])]
    if rows:
        unknown = sorted(names[tag] for tag in lacking & {tag for tags in dataset["tags"] for tag in tags})
        raise UserError(
            f"The data has the labels {list_names(unknown)}, first in {rows[0]}, which the model lacks: it has "
            f"{list_names(labels)}."
        )
    ids = {name: index for index, name in enumerate(labels)}
    columns = {
        "id": list(dataset["id"]),
        "text": list(dataset["text"]),
        "tags": [[ids[names[tag]] for tag in tags] for tags in dataset["tags"]],
    }
    return Dataset.from_dict(columns, features=tagged_features(labels))
