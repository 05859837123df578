"""Data as people write them down: texts with their spaces, and names as places in a text.

A row has an `id`, a `text` and, where the data tell them, `entities` (each with `start`, `end` and `label`) or a
`label`; and a `document` if they tell what a text is part of. The reader `dataset` makes the same of it again.
"""

from typing import Any

from datasets import Dataset, DatasetDict, Features, List, Value

from malmoi.data.alignment import tags_to_spans
from malmoi.data.inspection.inspected_text import Form, form_of
from malmoi.data.tagged_dataset import label_names
from malmoi.data.word_spacing import join_words

ENTITIES = List({"start": Value("int64"), "end": Value("int64"), "label": Value("string")})


def as_text_rows(splits: DatasetDict) -> DatasetDict:
    """Return what a reader has read with names as spans, and with the spaces that it had as tags."""
    return DatasetDict({split: _text_rows(rows) for split, rows in splits.items()})


def _text_rows(rows: Dataset) -> Dataset:
    form = form_of(rows)
    if form not in (Form.NAMES, Form.SPACING):
        return rows
    labels = label_names(rows)
    tags = [[labels[tag] for tag in row] for row in rows["tags"]]
    features = {name: feature for name, feature in rows.features.items() if name != "tags"}
    columns: dict[str, list[Any]] = {name: list(rows[name]) for name in features}
    if form is Form.NAMES:
        columns["entities"] = [[span._asdict() for span in tags_to_spans(each)] for each in tags]
        features["entities"] = ENTITIES
    else:
        columns["text"] = [join_words(text, each) for text, each in zip(columns["text"], tags)]
    return Dataset.from_dict(columns, features=Features(features))
