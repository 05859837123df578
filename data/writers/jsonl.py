"""Files with a JSON object on each line, as doccano has them: `{"id": …, "text": …, "label": [[0, 2, "PS"]]}`."""

import json
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict

from malmoi.data.alignment import tags_to_spans
from malmoi.data.classified_dataset import class_name, class_names
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError


def write_jsonl(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write a file for each split, such as `train.jsonl`, from which the reader `jsonl` gets the same again.

    Args:
        splits: Tagged sentences, or classified texts.
        folder: An existing folder.

    Returns:
        The files.

    Raises:
        UserError: If a text has no visible character, which the reader leaves out. Nothing is written then.
    """
    for name, rows in splits.items():
        for row_id, text in zip(rows["id"], rows["text"]):
            if not class_name(text):
                raise UserError(
                    f"{name}, {row_id}: the form jsonl needs a text with a visible character, got {text!r}."
                )
    paths = []
    for name, rows in splits.items():
        path = folder / f"{name}.jsonl"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            answers = _classes(rows) if "label" in rows.column_names else _names(rows)
            documents = rows["document"] if "document" in rows.column_names else [None] * rows.num_rows
            for row_id, text, label, document in zip(rows["id"], rows["text"], answers, documents):
                fields = {"id": row_id, "text": text, "label": label}
                fields |= {} if document is None else {"document": document}
                file.write(json.dumps(fields, ensure_ascii=False) + "\n")
        paths.append(path)
    return paths


def _classes(rows: Dataset) -> list[Any]:
    names = class_names(rows)
    return [names[label] for label in rows["label"]]


def _names(rows: Dataset) -> list[Any]:
    labels = label_names(rows)
    return [[list(span) for span in tags_to_spans([labels[tag] for tag in tags])] for tags in rows["tags"]]
