"""What is suspicious about the splits of a data set: labels that nothing teaches, texts that were learned by heart."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from datasets import Dataset

from malmoi.data.classified_dataset import class_names
from malmoi.data.notice import list_names
from malmoi.data.one_spelling import one_spelling
from malmoi.data.tagged_dataset import label_names

MANY = 20
"""A label that occurs once is told from others only beside one that occurs so often."""


def split_faults(splits: Mapping[str, Dataset]) -> list[str]:
    """Return a sentence for each kind of fault that the splits show together; none if they show none.

    Args:
        splits: Tagged sentences or classified texts by the name of their split, `train` among them.
    """
    train = splits["train"]
    found = (unlearnable_labels(splits), rare_labels(train), labels_in_two_cases(train), repeated_texts(splits))
    return [sentence for sentence in found if sentence is not None]


def count_labels(dataset: Dataset) -> Counter[str]:
    """Return how often each class occurs, or each type of name, or each tag if tags have no types."""
    is_tagged = "tags" in dataset.features
    if not is_tagged and "label" not in dataset.features:  # texts alone
        return Counter()
    column = dataset.with_format("arrow")[:]["tags" if is_tagged else "label"].combine_chunks()
    names = label_names(dataset) if is_tagged else class_names(dataset)
    counted = (column.flatten() if is_tagged else column).value_counts().to_pylist()
    counts = Counter({names[entry["values"]]: entry["counts"] for entry in counted})
    if not is_tagged or not any(name.startswith("B-") for name in names):
        return counts
    return Counter({name[2:]: count for name, count in counts.items() if name.startswith("B-")})


def unlearnable_labels(splits: Mapping[str, Dataset]) -> str | None:
    """Say which labels the training data lacks, and which of its labels is the nearest to each."""
    known = count_labels(splits["train"])
    places: dict[str, list[str]] = {}
    for split, rows in splits.items():
        for name, count in count_labels(rows).items():
            if name not in known:
                places.setdefault(name, []).append(f"{count:,} in {split}")
    if not places:
        return None
    named = [f"{name} ({', '.join(counts)}{_nearest(name, known)})" for name, counts in sorted(places.items())]
    return f"no model can learn what the training data lacks: {list_names(named, length=90)}."


def rare_labels(train: Dataset) -> str | None:
    """Say which labels occur once in the training data, if others occur often."""
    counts = count_labels(train)
    rare = [name for name, count in sorted(counts.items()) if count == 1]
    common = [name for name, count in sorted(counts.items()) if count >= MANY]
    if not rare or not common:
        return None
    named = [f"{name} (once{_nearest(name, common)})" for name in rare]
    return f"labels that may be misspelt in the training data: {list_names(named, length=90)}."


def labels_in_two_cases(train: Dataset) -> str | None:
    """Say which labels of the training data differ in capitals or width alone."""
    spellings: dict[str, list[str]] = {}
    for name in sorted(count_labels(train)):
        spellings.setdefault(unicodedata.normalize("NFKC", name).casefold(), []).append(name)
    named = [" and ".join(names) for names in spellings.values() if len(names) > 1]
    return f"labels that differ in capitals or width alone are two: {list_names(named, length=90)}." if named else None


def repeated_texts(splits: Mapping[str, Dataset]) -> str | None:
    """Say how many texts of the other splits also stand in the training data."""
    counts = count_repeated(splits)
    said = [f"{count:,} of {splits[split].num_rows:,} texts of {split}" for split, count in counts.items() if count]
    if not said:
        return None
    return f"{' and '.join(said)} also stand in the training data, so their figures flatter."


def count_repeated(splits: Mapping[str, Dataset]) -> dict[str, int]:
    """Return how many texts of each other split also stand in `train`, signs and all.

    However many spaces there are between two words, and whichever spelling of Unicode: that makes no difference.
    """
    learned = {_as_compared(text) for text in splits["train"]["text"][:]}
    return {
        split: sum(_as_compared(text) in learned for text in rows["text"][:])
        for split, rows in splits.items()
        if split != "train"
    }


def _as_compared(text: str) -> str:
    return " ".join(one_spelling(text).split())


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a remark that names the known label with the most characters in common, if there is one."""
    shares = [(SequenceMatcher(None, name.casefold(), other.casefold()).ratio(), other) for other in sorted(known)]
    share, other = max(shares, default=(0.0, ""))
    return f"; nearest: {other}" if share else ""
