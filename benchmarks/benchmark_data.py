"""The sentences that the measurements use, and how few of them can stand for all."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from datasets import Dataset, DatasetDict

from malmoi.data.readers import read_splits
from malmoi.data.user_error import UserError

SEED = 1
Item = TypeVar("Item")


def data_flags(data_dir: Path | None) -> list[str]:
    """Return the flags that give a recipe these data: KLUE NER from a folder, or the sample corpus."""
    return ["--data_dir", str(data_dir)] if data_dir else ["--reader", "inline-marks"]


def read_data(data_dir: Path | None) -> DatasetDict:
    """Return the tagged sentences of the folder, or those of the sample corpus.

    Raises:
        UserError: If the folder lacks a file.
    """
    splits = read_splits("klue-ner" if data_dir else "inline-marks", data_dir, task="named-entities")
    if "train" not in splits:
        raise UserError(f"{data_dir}: there is no training file.")
    return splits


def describe_source(data_dir: Path | None) -> str:
    """Return where the sentences come from, for a table."""
    return data_dir.name if data_dir else "the sample corpus of the package"


def take(dataset: Dataset, count: int) -> Dataset:
    """Return so many rows in an order drawn by a fixed seed, some of them again and again if there are too few."""
    order = list(range(dataset.num_rows))
    random.Random(SEED).shuffle(order)
    return dataset.select([order[index % len(order)] for index in range(count)])


def typical(items: Sequence[Item], lengths: Sequence[int], count: int) -> list[Item]:
    """Return a few items whose lengths are spread like those of all, in an order drawn by a fixed seed.

    Sorted by length, the items are parted into `count` equal groups; the middle one of each group is taken.
    """
    by_length = sorted(range(len(items)), key=lambda index: lengths[index])
    count = min(count, len(items))
    chosen = [by_length[(2 * group + 1) * len(items) // (2 * count)] for group in range(count)]
    random.Random(SEED).shuffle(chosen)
    return [items[index] for index in chosen]
