"""Datasets of 100,000 rows: reading needs no more memory than for few, and time in proportion."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from malmoi.data.readers import read_splits
from malmoi.data.tables.names import marked_texts
from malmoi.data.tables.source import dataset_splits

TEXT = "김하늘은 강릉에 갔다 "
TAGS = [0, 1, 1, 4, 4, 2, 3, *[4] * (len(TEXT) - 7)]


def tokens(count: int, path: Path) -> Path:
    features = Features(
        {
            "tokens": List(Value("string")),
            "ner_tags": List(ClassLabel(names=["B-PS", "I-PS", "B-LC", "I-LC", "O"])),
        }
    )

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(count):
            digits = str(number)
            yield {"tokens": [*TEXT, *digits], "ner_tags": [*TAGS, *[4] * len(digits)]}

    made = Dataset.from_generator(rows, features=features, cache_dir=str(path / "cache"))
    made.to_parquet(path / f"{count}.parquet")
    return path / f"{count}.parquet"


def comma_separated(count: int, path: Path) -> Path:
    place = path / f"{count}.csv"
    with place.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        file.writelines(f'"{TEXT}, {number}",{"좋음" if number % 3 else "나쁨"}\n' for number in range(count))
    return place


def peak_of_reading(path: Path) -> int:
    """Return the most bytes of Python objects while all sentences are read, one after another."""
    tracemalloc.start()
    try:
        (sentences,) = marked_texts(
            dataset_splits(path), text_name=None, label_name=None, token_separator=None
        ).values()
        count = sum(1 for sentence in sentences if len(sentence.spans) == 2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stem == str(count)
    return peak


@pytest.mark.slow
def test_reading_needs_as_much_memory_for_many_rows_as_for_few(tmp_path: Path) -> None:
    few, many = (peak_of_reading(tokens(count, tmp_path)) for count in (3000, 30_000))
    assert many < 1.2 * few


@pytest.mark.slow
@pytest.mark.parametrize(("made", "task"), [(tokens, "named-entities"), (comma_separated, "sentence-classification")])
def test_a_hundred_thousand_rows_take_ten_times_as_long_as_ten_thousand(
    made: Callable[[int, Path], Path], task: str, tmp_path: Path
) -> None:
    took = []
    for count in (10_000, 100_000):
        path = made(count, tmp_path)
        before = pa.total_allocated_bytes()
        started = time.process_time()
        splits = read_splits("dataset", path, task=task)
        took.append(time.process_time() - started)
        assert sum(rows.num_rows for rows in splits.values()) == count
        assert splits["validation"].num_rows == count // 10
        # what is kept are the columns: number, text, a number for each character
        assert pa.total_allocated_bytes() - before < 600 * count
    assert took[1] < 20 * took[0]
