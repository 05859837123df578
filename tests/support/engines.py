"""Engines that run on many machines, on this one: what they need, texts for them, and the end of a worker."""

import datetime
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet
import pytest

from support.marked_lines import LABELS
from support.tiny_models import SENTENCES, bert_tokenizer, knowing_bert_tagger, save

COLUMNS = pa.schema(
    {
        "id": pa.int64(),
        "text": pa.string(),
        "tags": pa.list_(pa.string()),
        "when": pa.timestamp("us", tz="UTC"),
        "price": pa.decimal128(8, 2),
    }
)


def require_engine(package: str) -> None:
    """Skip the test without the engine, or fail where `MALMOI_ENGINES_REQUIRED` is set, as it is in CI."""
    missing = ""
    if find_spec(package) is None:
        missing = f"{package} is not installed: pip install 'malmoi[ray,spark]'"
    elif package == "pyspark" and shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        missing = "Spark needs Java, which is not installed (Debian: openjdk-17-jre-headless)."
    if missing and os.environ.get("MALMOI_ENGINES_REQUIRED"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def save_tagger(folder: Path) -> Path:
    """Save a tagger that finds a person and two places in the texts."""
    labels = {"손": "B-PS", "##흥": "I-PS", "##민": "I-PS", "춘": "B-LC", "##천": "I-LC", "서": "B-LC", "##울": "I-LC"}
    tokenizer = bert_tokenizer()
    return save(folder, knowing_bert_tagger(tokenizer, LABELS, labels), tokenizer)


def write_texts(folder: Path, *, files: int, rows: int) -> pa.Table:
    """Write files of so many rows each, with some texts that are null or empty; return all rows."""
    folder.mkdir()
    tables = []
    for file in range(files):
        numbers = range(file * rows, (file + 1) * rows)
        columns = {
            "id": numbers,
            "text": [_text(number) for number in numbers],
            "tags": [["가", None, f"{number}"] if number % 3 else None for number in numbers],
            "when": [datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=number) for number in numbers],
            "price": [Decimal(number) / 4 for number in numbers],
        }
        tables.append(pa.table({name: list(values) for name, values in columns.items()}, schema=COLUMNS))
        pyarrow.parquet.write_table(tables[-1], folder / f"{file}.parquet")
    return pa.concat_tables(tables)


def _text(number: int) -> str | None:
    if number % 17 == 3:
        return None
    return "" if number % 19 == 4 else " ".join(SENTENCES[number % 3 :][: 1 + number % 5])


def read_rows(folder: Path) -> pa.Table:
    """Return what an engine has written, in the order of the ids."""
    return pyarrow.parquet.read_table(folder).sort_by("id")


@contextmanager
def killed_once(find: Callable[[], list[psutil.Process]]) -> Iterator[list[int]]:
    """Kill the processes that are found as soon as there are any; give a list, in the end of their ids.

    Args:
        find: Returns the workers that are in the middle of their work.
    """
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set() and not killed:
            for process in find():
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield killed
    finally:
        over.set()
        watcher.join()
