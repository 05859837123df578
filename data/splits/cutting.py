"""Validation and test sentences cut from those for training, where the data have none.

Evenly over types, rare ones first (after the iterative stratification of Sechidis, Tsoumakas and Vlahavas, 2011,
https://doi.org/10.1007/978-3-642-23808-6_10). What belongs together stays together: the sentences of a document, those
that are the same but for case, width, spaces and signs, and documents that say the same. A type stays with the
training sentences first of all: of one that occurs in few places, none may be left for the others.
"""

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict

from malmoi.data.classified_dataset import class_names
from malmoi.data.notice import notify
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_content import letters_and_digits

DOCUMENT = "document"
SHARE = 0.1
"""So many of the training sentences become validation sentences; as many test sentences if nothing is divided yet."""
BATCH = 1000
HALF = 0.5
"""What a part lacks of a type is rounded to whole sentences."""
NO_TYPE = ""
"""Stands for the type of sentences that have none: they are divided evenly, too."""


class Cut(NamedTuple):
    """How missing splits were cut from the training set."""

    texts: dict[str, int]
    """How many sentences each has."""
    of: int
    """How many the training set had before."""
    seed: int
    """The seed by which they were cut."""
    documents: bool
    """Whether the data tell documents, which were kept together."""


class CutSplits(DatasetDict):
    """Splits of which some were cut from the training set."""

    cut: Cut


def cut_of(splits: DatasetDict) -> Cut | None:
    """Return how the splits that were missing were cut; `None` if none was."""
    return splits.cut if isinstance(splits, CutSplits) else None


def with_missing_splits(splits: DatasetDict, *, seed: int) -> DatasetDict:
    """Return the splits, with validation sentences cut from the training set if there are none, and say so.

    If there are neither validation nor test sentences, both are cut. Test sentences alone are never cut: whoever has
    divided the data wants them as they are. A column `document` is gone afterwards.

    Args:
        splits: The sentences by the name of their split.
        seed: The same seed cuts the same sentences.

    Returns:
        The splits; a `CutSplits` if something was cut.
    """
    done: Cut | None = None
    if "train" in splits and "validation" not in splits:
        missing = ["validation"] if "test" in splits else ["validation", "test"]
        train = splits["train"]
        parts = cut(train, missing, seed=seed)
        done = Cut(
            {split: parts[split].num_rows for split in missing if split in parts},
            of=train.num_rows,
            seed=seed,
            documents=DOCUMENT in train.column_names,
        )
        counts = " and ".join(f"{count:,} {split}" for split, count in done.texts.items())
        is_one = [*done.texts.values()] == [1]
        sentences = "sentence is" if is_one else "sentences are"
        together = ", documents together" if done.documents else ""
        notify(f"{counts or 'no'} {sentences} cut from the training set, by division_seed {seed}{together}.")
        splits = DatasetDict({**splits, **parts})
    order = [name for name in ("train", "validation", "test") if name in splits]
    finished = {
        name: splits[name].remove_columns([DOCUMENT]) if DOCUMENT in splits[name].column_names else splits[name]
        for name in order
    }
    if done is None or not done.texts:
        return DatasetDict(finished)
    cut_splits = CutSplits(finished)
    cut_splits.cut = done
    return cut_splits


def cut(rows: Dataset, names: list[str], *, seed: int) -> dict[str, Dataset]:
    """Return `train` and the named parts, each with about a tenth of the sentences and of those with each type.

    Each part has at least one group of what belongs together, as long as one is left for training. A group that is
    far larger than a part is to be, such as a document with a third of all sentences, stays with the training
    sentences, and the parts have about a tenth of the others.

    Args:
        rows: The sentences.
        names: The parts that are cut.
        seed: The same seed cuts the same sentences.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, key in enumerate(_belonging(rows)):
        groups.setdefault(key, []).append(index)
    types = _types(rows)
    counts = [Counter(name for index in indices for name in types[index]) for indices in groups.values()]
    sizes = [len(indices) for indices in groups.values()]
    places = _places(counts, sizes, names, seed=seed)
    taken = {index: place for indices, place in zip(groups.values(), places) for index in indices}
    return {
        name: rows.select([index for index in range(rows.num_rows) if taken[index] == name])
        for name in ("train", *names)
        if name in places
    }


def _places(counts: list[Counter[str]], sizes: list[int], names: list[str], *, seed: int) -> list[str]:
    """Return the part of each group.

    Args:
        counts: How many sentences of each group have each type.
        sizes: How many sentences each group has.
        names: The parts that are cut from those for training.
        seed: Settles which of equal groups goes where.
    """
    shares = {"train": 1 - SHARE * len(names), **dict.fromkeys(names, SHARE)}
    total = sum(sizes)
    of_types = sum(counts, Counter())
    # what each part still lacks, in sentences: all in all, and of each type
    lacks = {part: share * total for part, share in shares.items()}
    lacks_of_type = {part: {name: share * count for name, count in of_types.items()} for part, share in shares.items()}
    waiting: dict[str, list[int]] = {}
    order = list(range(len(sizes)))
    random.Random(seed).shuffle(order)
    order.sort(key=lambda group: -sizes[group])  # large groups while there is room; those of one size as shuffled
    for group in order:
        for name in counts[group]:
            waiting.setdefault(name, []).append(group)
    places: dict[int, str] = {}
    for rarest in sorted(waiting, key=lambda name: (of_types[name], name)):
        for group in waiting[rarest]:
            if group in places:
                continue
            size = sizes[group]
            fitting = [
                part
                for part in shares
                # a single sentence goes by its type alone, or the last type would pay for the rounding of all others
                if part == "train" or lacks[part] >= size / 2 or (size == 1 and lacks_of_type[part][rarest] >= HALF)
            ]
            part = max(fitting, key=lambda each: (lacks_of_type[each][rarest], lacks[each]))
            places[group] = part
            lacks[part] -= size
            for name, count in counts[group].items():
                lacks_of_type[part][name] -= count
    found = [places[group] for group in range(len(sizes))]
    _give_back(found, counts, sizes)
    for part in names:
        _fill(found, part, counts, sizes)
    return found


def _give_back(places: list[str], counts: list[Counter[str]], sizes: list[int]) -> None:
    """Give a type that the training sentences lack back to them, by the smallest group that has it.

    The groups of a type may all have been placed for the sake of rarer types in them.
    """
    learned = {name for group, place in enumerate(places) if place == "train" for name in counts[group]}
    for name in sorted({name for each in counts for name in each} - learned):
        if name not in learned:
            group = min((group for group, each in enumerate(counts) if name in each), key=sizes.__getitem__)
            places[group] = "train"
            learned |= {*counts[group]}


def _fill(places: list[str], part: str, counts: list[Counter[str]], sizes: list[int]) -> None:
    """Move the smallest training group to a part that has none; rather one whose types other groups have, too."""
    training = [group for group, place in enumerate(places) if place == "train"]
    if part in places or len(training) < 2:  # something stays for training
        return
    having = Counter(name for group in training for name in counts[group])
    group = min(training, key=lambda each: (any(having[name] == 1 for name in counts[each]), sizes[each]))
    places[group] = part


def _belonging(rows: Dataset) -> Sequence[Hashable]:
    """Return for each sentence what it belongs to: what its document says, or it says alone.

    Where every text is a document of its own, the same text may well have come in twice.
    """
    texts = [letters_and_digits(text) or text for text in rows["text"]]
    if DOCUMENT not in rows.column_names:
        return texts
    of_documents: dict[str, set[str]] = {}
    for document, text in zip(rows[DOCUMENT], texts):
        if document is not None:
            of_documents.setdefault(document, set()).add(text)
    whole = {document: frozenset(said) for document, said in of_documents.items()}
    return [
        frozenset([text]) if document is None else whole[document] for document, text in zip(rows[DOCUMENT], texts)
    ]


def _types(rows: Dataset) -> list[set[str]]:
    """Return the types of each sentence, or its class; `NO_TYPE` for one that has none."""
    if "label" in rows.column_names:
        names = class_names(rows)
        return [{names[label]} for label in rows["label"][:]]
    if "tags" not in rows.column_names:
        return [{NO_TYPE} for _ in range(rows.num_rows)]
    labels = label_names(rows)
    begins = pa.array([number for number, label in enumerate(labels) if label.startswith("B-")], pa.int64())
    found: list[set[str]] = []
    for batch in rows.with_format("arrow").iter(BATCH):
        tags = batch["tags"].combine_chunks()
        is_begin = pc.is_in(tags.flatten(), value_set=begins)
        parents = pc.list_parent_indices(tags).filter(is_begin).to_pylist()
        types: list[set[str]] = [set() for _ in range(len(tags))]
        for sentence, tag in zip(parents, tags.flatten().filter(is_begin).to_pylist()):
            types[sentence].add(labels[tag][2:])
        found += [each or {NO_TYPE} for each in types]
    return found
