"""Writers: each writes a `DatasetDict` in a form that a reader reads; `export.py` calls them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.writers.brat import write_brat
from malmoi.data.writers.conll import write_conll
from malmoi.data.writers.dataset import write_dataset
from malmoi.data.writers.inline_marks import write_inline_marks
from malmoi.data.writers.jsonl import write_jsonl
from malmoi.data.writers.labelled_texts import write_labelled_texts
from malmoi.data.writers.plain_sentences import write_plain_sentences
from malmoi.data.writers.spaces_for_breaks import LINE_BREAKS, LINE_BREAKS_AND_TABS


class Writer(NamedTuple):
    """A form that can be written."""

    write: Callable[[DatasetDict, Path], list[Path]]
    """Takes the splits and a folder that is there, and returns the files that it wrote."""
    tasks: tuple[str, ...]
    """The tasks whose data it can hold."""
    reader: str
    """The reader of `READERS` that reads the form again."""
    no_place: re.Pattern[str] | None = None
    """The characters within a text for which a space is written."""
    has_documents: bool = False
    """Whether it says which document a sentence is part of."""
    by_document: bool = False
    """Whether the sentences of a document stand together, in whatever order they were read."""


WRITERS = {
    "brat": Writer(write_brat, ("named-entities",), "brat", LINE_BREAKS, has_documents=True, by_document=True),
    "conll": Writer(write_conll, ("named-entities",), "conll", LINE_BREAKS_AND_TABS, has_documents=True),
    "dataset": Writer(
        write_dataset, ("named-entities", "sentence-classification", "word-spacing"), "dataset", has_documents=True
    ),
    "inline": Writer(write_inline_marks, ("named-entities",), "inline-marks", LINE_BREAKS),
    "jsonl": Writer(write_jsonl, ("named-entities", "sentence-classification"), "jsonl", has_documents=True),
    "labelled-texts": Writer(write_labelled_texts, ("sentence-classification",), "labelled-texts"),
    "plain-sentences": Writer(write_plain_sentences, ("word-spacing",), "plain-sentences"),
}
"""The forms by the name that `--export` gives them."""


def writers_of(task: str) -> list[str]:
    """Return the names of the forms that can hold the data of a task."""
    return [name for name, writer in WRITERS.items() if task in writer.tasks]
