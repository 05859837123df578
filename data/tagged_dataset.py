"""The form in which every reader hands over tagged sentences."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
from datasets import ClassLabel, Dataset, Features, List, Value, concatenate_datasets

from malmoi.data.alignment import tags_to_spans
from malmoi.data.notice import list_names
from malmoi.data.probable_classes import PROBABILITIES
from malmoi.data.user_error import UserError


class _Tagged(TypedDict):
    id: str
    text: str
    tags: list[str]


class TaggedSentence(_Tagged, total=False):
    """A sentence with one BIO tag per character, spaces included."""

    probabilities: npt.NDArray[np.float32]
    """The probability of every label at every character, `(characters, labels)`, if models have tagged it."""


def bio_labels(types: Iterable[str]) -> list[str]:
    """Return the labels of the entity types: `B-X` and `I-X` for each, then `O`."""
    return [f"{prefix}-{entity_type}" for entity_type in types for prefix in "BI"] + ["O"]


def tagged_features(labels: Sequence[str]) -> Features:
    """Return the columns of a dataset of tagged sentences: `id`, `text` and `tags`, one per character of the text."""
    return Features({"id": Value("string"), "text": Value("string"), "tags": List(ClassLabel(names=list(labels)))})


def tagged_dataset(sentences: Iterable[TaggedSentence], labels: Sequence[str]) -> Dataset:
    """Build a dataset of tagged sentences whose tags are among the labels.

    If they have probabilities, so has the dataset: the column `probabilities`, those of each character after those of
    the one before it.
    """
    ids = {label: index for index, label in enumerate(labels)}
    columns: dict[str, list[Any]] = {"id": [], "text": [], "tags": []}
    for row in sentences:
        columns["id"].append(row["id"])
        columns["text"].append(row["text"])
        columns["tags"].append([ids[tag] for tag in row["tags"]])
        if "probabilities" in row:
            columns.setdefault(PROBABILITIES, []).append(row["probabilities"].astype(np.float32).ravel())
    features = tagged_features(labels)
    if PROBABILITIES in columns:
        features[PROBABILITIES] = List(Value("float32"))
    return Dataset.from_dict(columns, features=features)


def label_names(dataset: Dataset) -> list[str]:
    """Return the labels of a dataset of tagged sentences, in the order of their ids."""
    return list(dataset.features["tags"].feature.names)


def tagged_sentences(dataset: Dataset) -> list[TaggedSentence]:
    """Return the rows of a dataset of tagged sentences, with the names of their tags."""
    names = label_names(dataset)
    if PROBABILITIES not in dataset.column_names:
        return [
            TaggedSentence(id=row["id"], text=row["text"], tags=[names[tag] for tag in row["tags"]]) for row in dataset
        ]
    plain = dataset.remove_columns(PROBABILITIES)
    return [
        TaggedSentence(**sentence, probabilities=probabilities)
        for sentence, probabilities in zip(tagged_sentences(plain), tag_probabilities(dataset), strict=True)
    ]


def tag_probabilities(dataset: Dataset) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the column `probabilities` of tagged sentences, `(characters, labels)` each."""
    labels = len(label_names(dataset))
    for row in dataset.select_columns(PROBABILITIES).with_format("numpy"):
        yield row[PROBABILITIES].reshape(-1, labels)


def with_sentences_of_models(tagged: Dataset, of_models: Dataset) -> Dataset:
    """Return tagged sentences, and after them those that models have tagged; all with probabilities if those have any.

    The tags of a sentence that people have tagged are certain. A label that the models do not know has the probability
    0 in their sentences.

    Args:
        tagged: Sentences that people have tagged.
        of_models: Sentences whose labels are among those of `tagged`.
    """
    labels = label_names(tagged)
    of_models = with_labels(of_models, labels)
    if PROBABILITIES in of_models.column_names:
        certain = np.eye(len(labels), dtype=np.float32)
        column = [certain[tags].ravel() for tags in tagged["tags"]]
        tagged = tagged.add_column(PROBABILITIES, column, feature=List(Value("float32")))
    return concatenate_datasets([tagged, of_models])


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
    if PROBABILITIES in dataset.column_names:
        return tagged_dataset((_of_labels(each, names, labels) for each in tagged_sentences(dataset)), labels)
    ids = {name: index for index, name in enumerate(labels)}
    columns = {
        "id": list(dataset["id"]),
        "text": list(dataset["text"]),
        "tags": [[ids[names[tag]] for tag in tags] for tags in dataset["tags"]],
    }
    return Dataset.from_dict(columns, features=tagged_features(labels))


def _of_labels(sentence: TaggedSentence, names: Sequence[str], labels: Sequence[str]) -> TaggedSentence:
    """Return a sentence with probabilities of other labels than those that it has; 0 for those that are new to it."""
    columns = [labels.index(name) for name in names]
    probabilities = np.zeros((len(sentence["text"]), len(labels)), dtype=np.float32)
    probabilities[:, columns] = sentence["probabilities"]
    return {**sentence, "probabilities": probabilities}
