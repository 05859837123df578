"""Documents of brat (https://brat.nlplab.org/standoff.html): a sentence a line in `.txt`, its names in `.ann`."""

import re
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.classified_dataset import class_name
from malmoi.data.notice import shorten
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.data.writers.spaces_for_breaks import other_form

SENTENCES = 100
"""So many sentences become a document where none is named: brat shows a document at once."""


def write_brat(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write a folder for each split, from which the reader `brat` gets the same texts and names again.

    The sentences of a document, or a hundred each if none is named, stand in one file, in their order.

    Args:
        splits: Tagged sentences.
        folder: An existing folder.

    Returns:
        The files.

    Raises:
        UserError: If a text or a type cannot stand in such files, or there are no names but classes. Nothing is
            written then.
    """
    for name, rows in splits.items():
        _check(name, rows)
    paths = []
    for name, rows in splits.items():
        (folder / name).mkdir(exist_ok=True)
        documents = _documents(rows)
        width = len(str(len(documents)))  # names sort as numbers do
        for number, sentences in enumerate(documents, start=1):
            path = folder / name / f"{name}-{number:0{width}d}.txt"
            _write(path, sentences)
            paths += [path, path.with_suffix(".ann")]
    return paths


def _check(split: str, rows: Dataset) -> None:
    """Check that all texts and types of a split can be written."""
    if "tags" not in rows.column_names:
        raise UserError("The form brat is for named entities, but the data have none.")
    for label in label_names(rows):
        if re.search(r"\s", label):
            raise UserError(f"The form brat needs types without spaces, got {shorten(label[2:])}.")
    for row_id, text in zip(rows["id"], rows["text"]):
        fault = _fault(text)
        if fault:
            raise UserError(
                f"{split}, {row_id}: the form brat cannot hold {fault}, got {shorten(text)}{other_form(text)}."
            )


def _fault(text: str) -> str | None:
    if "\n" in text:
        return "a line break within a sentence"
    if "\0" in text:
        return "a NUL"
    if text.endswith("\r"):
        return "a carriage return at the end of a sentence"
    if text.startswith("\ufeff"):
        return "a byte order mark at the beginning of a sentence"
    if not class_name(text):
        return "a sentence without a visible character"
    return None


def _documents(rows: Dataset) -> list[list[tuple[str, list[Span]]]]:
    """Return the sentences of each document with their names."""
    labels = label_names(rows)
    marked = [(text, tags_to_spans([labels[tag] for tag in tags])) for text, tags in zip(rows["text"], rows["tags"])]
    if "document" not in rows.column_names:
        return [marked[start : start + SENTENCES] for start in range(0, len(marked), SENTENCES)]
    documents: dict[str | None, list[tuple[str, list[Span]]]] = {}
    for document, sentence in zip(rows["document"], marked):
        documents.setdefault(document, []).append(sentence)
    return [
        sentences[start : start + size]
        for document, sentences in documents.items()
        for size in [SENTENCES if document is None else len(sentences)]
        for start in range(0, len(sentences), size)
    ]


def _write(path: Path, sentences: list[tuple[str, list[Span]]]) -> None:
    position = number = 0
    with (
        path.open("w", encoding="utf-8", newline="\n") as texts,
        path.with_suffix(".ann").open("w", encoding="utf-8", newline="\n") as names,
    ):
        for text, spans in sentences:
            texts.write(text + "\n")
            for start, end, label in spans:
                number += 1
                names.write(f"T{number}\t{label} {position + start} {position + end}\t{text[start:end]}\n")
            position += len(text) + 1
