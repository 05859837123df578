"""Write tagged sentences as columns: one character a line and its BIO tag after a tab, a space as any other.

The reader `conll` gets the same texts, names and documents from them.
"""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.character_columns import HEAD, character_columns, column_fault
from malmoi.data.notice import shorten
from malmoi.data.splits.cutting import DOCUMENT
from malmoi.data.tagged_dataset import label_names
from malmoi.data.token_columns import document_line
from malmoi.data.user_error import UserError
from malmoi.data.writers.spaces_for_breaks import other_form

CHUNK = 4096
"""So many sentences are in memory at once."""


def write_conll(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.conll`, `validation.conll` and `test.conll`, and return those that there are.

    Nothing is written if something cannot be.

    Args:
        splits: Tagged sentences by the name of their split.
        folder: Where the files go; it is made if it is missing.

    Raises:
        UserError: If a text is empty or has a tab, a line end or a NUL, a type has one or a space at its edge, or
            there is no name at all.
    """
    has_names = False
    for rows in splits.values():
        for sentence_id, text, spans, _ in _sentences(rows):
            _check(sentence_id, text, spans)
            has_names = has_names or bool(spans)
    if not has_names:
        raise UserError("Columns without any name cannot be read again; expected at least one sentence with one.")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for split, rows in splits.items():
        path = folder / f"{split}.conll"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(HEAD)
            for _, text, spans, begins in _sentences(rows):
                file.write(begins + character_columns(text, spans))
        paths.append(path)
    return paths


def _sentences(rows: Dataset) -> Iterator[tuple[str, str, list[Span], str]]:
    """Yield id, text and names of each sentence, and the line that begins its document where that is another."""
    labels = label_names(rows)
    has_documents = DOCUMENT in rows.column_names
    before: str | None = None
    for batch in rows.iter(batch_size=CHUNK):
        documents = batch[DOCUMENT] if has_documents else [None] * len(batch["id"])
        for sentence_id, text, tags, document in zip(batch["id"], batch["text"], batch["tags"], documents):
            # a sentence without a document belongs to no other one
            begins = document_line(document) if has_documents and (document is None or document != before) else ""
            before = document
            yield sentence_id, text, tags_to_spans([labels[tag] for tag in tags]), begins


def _check(sentence_id: str, text: str, spans: list[Span]) -> None:
    """Make sure that a sentence can be written as columns.

    Raises:
        UserError: If it cannot.
    """
    if not text:
        raise UserError(f"The sentence {shorten(sentence_id)} has no characters, so that no column can hold it.")
    fault = column_fault(text, spans)
    if fault is not None:
        raise UserError(
            f"The sentence {shorten(sentence_id)} cannot be written as columns: {fault}{other_form(text)}."
        )
