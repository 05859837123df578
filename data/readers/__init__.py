"""Readers: each turns one format into a `DatasetDict` in the form of its task."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.klue_ner import read_klue_ner
from malmoi.data.readers.kmou_corpus import read_kmou_corpus
from malmoi.data.readers.kmou_lines import read_kmou_lines
from malmoi.data.readers.labelled_texts import read_labelled_texts
from malmoi.data.readers.nsmc import read_nsmc
from malmoi.data.readers.plain_sentences import read_plain_sentences
from malmoi.data.readers.plain_text import read_plain_text


class Reader(NamedTuple):
    """A reader, the task that its data is for, and what it reads without a folder."""

    read: Callable[[Path | None], DatasetDict]
    task: str
    default_source: str | None


READERS = {
    "inline-marks": Reader(read_inline_marks, "named-entities", "the sample corpus"),
    "klue-ner": Reader(read_klue_ner, "named-entities", "klue/klue (Hub)"),
    "kmou-corpus": Reader(read_kmou_corpus, "named-entities", None),
    "kmou-lines": Reader(read_kmou_lines, "named-entities", None),
    "labelled-texts": Reader(read_labelled_texts, "sentence-classification", None),
    "nsmc": Reader(read_nsmc, "sentence-classification", "e9t/nsmc (Hub)"),
    "plain-text": Reader(read_plain_text, "language-model", None),
    "plain-sentences": Reader(read_plain_sentences, "word-spacing", "the sentences of the sample corpus"),
}
"""The readers by the name that recipes give them. Each takes the folder of `--data_dir`, or `None` without it."""
