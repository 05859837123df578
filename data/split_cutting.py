"""Validation and test sentences cut from those for training, where a folder has none.

Evenly over types: a sentence counts as one of the rarest type that it has. What belongs together stays together: the
sentences of a document, and those that are the same but for case, width, spaces and signs.
"""

from collections import Counter

from datasets import Dataset, DatasetDict

from malmoi.data.alignment import tags_to_spans
from malmoi.data.classified_dataset import class_names
from malmoi.data.notice import notify
from malmoi.data.silver_text import letters_and_digits
from malmoi.data.stratified_division import draw_evenly
from malmoi.data.tagged_dataset import label_names

DOCUMENT = "document"
SHARE = 0.1
"""So many of the training sentences become validation sentences; as many test sentences if nothing is divided yet."""
NO_TYPE = ""


def with_missing_splits(splits: DatasetDict, *, seed: int) -> DatasetDict:
    """Return the splits, with validation sentences cut from the training set if there are none, and say so.

    If there are neither validation nor test sentences, both are cut. Test sentences alone are never cut: whoever has
    divided the data wants them as they are. A column `document` is gone afterwards.

    Args:
        splits: The sentences by the name of their split.
        seed: The same seed cuts the same sentences.
    """
    if "train" in splits and "validation" not in splits:
        missing = ["validation"] if "test" in splits else ["validation", "test"]
        parts = cut(splits["train"], missing, seed=seed)
        counts = " and ".join(f"{parts[split].num_rows:,} {split}" for split in missing if split in parts)
        notify(f"{counts or 'no'} sentences are cut from the training set, by division_seed {seed}.")
        splits = DatasetDict({**splits, **parts})
    order = [name for name in ("train", "validation", "test") if name in splits]
    return DatasetDict(
        {
            name: splits[name].remove_columns([DOCUMENT]) if DOCUMENT in splits[name].column_names else splits[name]
            for name in order
        }
    )


def cut(rows: Dataset, names: list[str], *, seed: int) -> dict[str, Dataset]:
    """Return `train` and the named parts, each a tenth of the groups that belong together, at least one.

    Args:
        rows: The sentences.
        names: The parts that are cut.
        seed: The same seed cuts the same sentences.
    """
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(_belonging(rows)):
        groups.setdefault(key, []).append(index)
    strata = _strata(rows, groups)
    keys = list(groups)
    parts: dict[str, set[str]] = {}
    count = max(1, round(SHARE * len(keys)))
    for number, name in enumerate(names):
        left = [key for key in keys if not any(key in part for part in parts.values())]
        if len(left) > 1:  # something stays for training
            drawn = draw_evenly([strata[key] for key in left], min(count, len(left) - 1), seed=seed + number)
            parts[name] = {left[index] for index in drawn}
    taken = {index: name for name, part in parts.items() for key in part for index in groups[key]}
    return {
        name: rows.select([index for index in range(rows.num_rows) if taken.get(index, "train") == name])
        for name in ("train", *parts)
    }


def _belonging(rows: Dataset) -> list[str]:
    """Return for each sentence what it belongs to: its document, or what it says."""
    texts = [letters_and_digits(text) or text for text in rows["text"]]
    if DOCUMENT not in rows.column_names:
        return texts
    return [text if document is None else f"\0{document}" for document, text in zip(rows[DOCUMENT], texts)]


def _strata(rows: Dataset, groups: dict[str, list[int]]) -> dict[str, str]:
    """Return the rarest type that occurs in each group."""
    types = _types(rows)
    often = Counter(name for names in types for name in names)
    return {
        key: min(
            (name for index in indices for name in types[index]), key=lambda name: (often[name], name), default=NO_TYPE
        )
        for key, indices in groups.items()
    }


def _types(rows: Dataset) -> list[set[str]]:
    if "label" in rows.column_names:
        names = class_names(rows)
        return [{names[label]} for label in rows["label"]]
    if "tags" not in rows.column_names:
        return [set() for _ in range(rows.num_rows)]
    labels = label_names(rows)
    return [{span.label for span in tags_to_spans([labels[tag] for tag in tags])} for tags in rows["tags"]]
