"""Write tagged sentences as columns: one character a line and its BIO tag after a tab, a space as any other.

The reader `conll` gets the same texts and names from them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from datasets import Dataset, DatasetDict

from malmoi.data.alignment import Span, spans_to_tags, tags_to_spans
from malmoi.data.notice import shorten
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.modeling.name_edges import CHARACTER

HEAD = "# one character a line, a tab, and its tag\n"
"""The first line, which also keeps an invisible character at the beginning of a text from being that of a file."""
CHUNK = 4096
"""So many sentences are in memory at once."""
UNWRITABLE = {"\t": "a tab", "\n": "a line feed", "\r": "a carriage return", "\0": "a NUL"}


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
        for sentence_id, text, spans in _sentences(rows):
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
            for _, text, spans in _sentences(rows):
                _write(file, text, spans)
        paths.append(path)
    return paths


def _sentences(rows: Dataset) -> Iterator[tuple[str, str, list[Span]]]:
    labels = label_names(rows)
    for batch in rows.iter(batch_size=CHUNK):
        for sentence_id, text, tags in zip(batch["id"], batch["text"], batch["tags"]):
            yield sentence_id, text, tags_to_spans([labels[tag] for tag in tags])


def _check(sentence_id: str, text: str, spans: list[Span]) -> None:
    """Make sure that a sentence can be written as columns.

    Raises:
        UserError: If it cannot.
    """
    if not text:
        raise UserError(f"The sentence {shorten(sentence_id)} has no characters, so that no column can hold it.")
    for written, what in ((text, "its text"), *((span.label, f"its type {shorten(span.label)}") for span in spans)):
        for character, name in UNWRITABLE.items():
            if character in written:
                raise UserError(
                    f"The sentence {shorten(sentence_id)} cannot be written as columns: {what} has {name}."
                )
    for span in spans:
        if span.label != span.label.strip():
            raise UserError(
                f"The sentence {shorten(sentence_id)} cannot be written as columns: a space is at the edge of its "
                f"type {shorten(span.label)}."
            )


def _write(file: TextIO, text: str, spans: list[Span]) -> None:
    """Write the rows of a sentence, of one character as a reader sees it each, and an empty line."""
    tags = spans_to_tags(spans, len(text))
    edges = {edge for span in spans for edge in span[:2]}
    for match in CHARACTER.finditer(text):
        start = match.start()
        # a name that begins or ends inside a character parts it
        for end in [*(edge for edge in range(start + 1, match.end()) if edge in edges), match.end()]:
            file.write(f"{text[start:end]}\t{tags[start]}\n")
            start = end
    file.write("\n")
