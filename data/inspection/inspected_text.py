"""The rows of any data set as those who look at them see them: texts with names, with a class, or alone."""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from datasets import Dataset

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.classified_dataset import class_names
from malmoi.data.tagged_dataset import label_names
from malmoi.data.word_spacing import SPACING_LABELS, join_words

BATCH = 1024
"""So many rows have their tags as lists at once."""


class Form(Enum):
    """What the rows of a data set are."""

    NAMES = "names"
    CLASSES = "classes"
    SPACING = "spacing"
    TEXTS = "texts"


class InspectedText(NamedTuple):
    """A text and what the data say of it."""

    split: str
    id: str
    text: str
    """As people write it: with the spaces, where a row has them as tags."""
    names: Sequence[Span] = ()
    label: str | None = None
    """Its class."""

    def composed(self) -> "InspectedText":
        """Return the same in Unicode's form NFC, in which names can be compared."""
        if unicodedata.is_normalized("NFC", self.text):
            return self
        names = [Span(self._place(start), self._place(end), label) for start, end, label in self.names]
        return self._replace(text=_composed(self.text), names=names)

    def _place(self, place: int) -> int:
        """Return where a place between characters is in the composed text."""
        return len(_composed(self.text[:place]))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def form_of(rows: Dataset) -> Form:
    """Return what the rows of a data set are, by its columns."""
    if "label" in rows.features:
        return Form.CLASSES
    if "tags" not in rows.features:
        return Form.TEXTS
    return Form.SPACING if label_names(rows) == SPACING_LABELS else Form.NAMES


def inspected_texts(splits: Mapping[str, Dataset]) -> list[InspectedText]:
    """Return the rows of all splits, in their order."""
    return [row for split, rows in splits.items() for row in _of_split(split, rows)]


def _of_split(split: str, rows: Dataset) -> list[InspectedText]:
    ids, texts = rows["id"][:], rows["text"][:]
    form = form_of(rows)
    if form is Form.TEXTS:
        return [InspectedText(split, *row) for row in zip(ids, texts)]
    if form is Form.CLASSES:
        classes = class_names(rows)
        return [
            InspectedText(split, text_id, text, label=classes[label])
            for text_id, text, label in zip(ids, texts, rows["label"][:])
        ]
    labels = label_names(rows)
    all_tags = (tags for batch in rows.iter(BATCH) for tags in batch["tags"])
    tagged = ((text_id, text, [labels[tag] for tag in tags]) for text_id, text, tags in zip(ids, texts, all_tags))
    if form is Form.SPACING:
        return [InspectedText(split, text_id, join_words(text, tags)) for text_id, text, tags in tagged]
    return [InspectedText(split, text_id, text, names=tags_to_spans(tags)) for text_id, text, tags in tagged]
