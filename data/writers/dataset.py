"""Data as Parquet files for `datasets`, pandas and whatever else reads them: one file per split.

Names are a tag per character, as KLUE has them on the Hub: `tokens` and `ner_tags`; beside them stands the `text`.
Classified texts are `text` and `label`, texts to be spaced `text` alone. Tags and classes are a `ClassLabel`, which
`datasets.load_dataset(folder)` brings back; the reader `dataset` makes the same of it again.
"""

from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

from malmoi.data.tagged_dataset import label_names
from malmoi.data.whole_output import whole_file
from malmoi.data.word_spacing import SPACING_LABELS, join_words


def write_dataset(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.parquet`, `validation.parquet` and so on into a folder, which is made if it is not there.

    Args:
        splits: What a reader has read: sentences with names, classified texts, or texts with spacing tags.
        folder: The folder.

    Returns:
        The files, in the order of the splits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for split, rows in splits.items():
        path = folder / f"{split}.parquet"
        with whole_file(path) as unfinished:
            _as_published(rows).to_parquet(unfinished)
        paths.append(path)
    return paths


def _as_published(rows: Dataset) -> Dataset:
    """Return the rows with the columns that others expect."""
    if "tags" not in rows.column_names:
        return rows
    labels = label_names(rows)
    if labels == SPACING_LABELS:
        return rows.map(
            lambda row: {"text": join_words(row["text"], [labels[tag] for tag in row["tags"]])},
            remove_columns=["tags"],
            keep_in_memory=True,
        )
    features = {name: feature for name, feature in rows.features.items() if name != "tags"}
    published = Features({**features, "tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=labels))})

    def with_tokens(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {"tokens": [list(text) for text in batch["text"]], "ner_tags": batch["tags"]}

    return rows.map(with_tokens, batched=True, remove_columns=["tags"], features=published, keep_in_memory=True)
