"""Readers: each turns one format into a `DatasetDict` of tagged sentences (see `malmoi.data.tagged_dataset`)."""

from collections.abc import Callable
from pathlib import Path

from datasets import DatasetDict

from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.klue_ner import read_klue_ner

READERS: dict[str, Callable[[Path | None], DatasetDict]] = {
    "inline-marks": read_inline_marks,
    "klue-ner": read_klue_ner,
}
"""The readers by the name that recipes give them. Each takes the folder of `--data_dir`, or `None` without it."""

DEFAULT_SOURCES = {"inline-marks": "the sample corpus", "klue-ner": "klue/klue (Hub)"}
"""What each reader reads without a folder."""
