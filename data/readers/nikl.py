"""The named entities of 모두의 말뭉치 (National Institute of Korean Language), in its JSON.

A file has documents, they have sentences, and these have a `form` and a list `NE` of names with `begin`, `end`,
`label` and, to compare, `form`. Labels are kept as they are, such as `PS_NAME`.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_name
from malmoi.data.json_fields import name_in
from malmoi.data.json_text import JsonText, first_characters, kind_of
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.remarks import Remarks
from malmoi.data.splits.files import first_file, split_files
from malmoi.data.text_lines import DataFormatError, read_pieces
from malmoi.data.text_offsets import span_within
from malmoi.data.unique_ids import line_id, with_unique_ids
from malmoi.data.user_error import UserError

EXPECTED = "a folder with the .json files of 모두의 말뭉치, with documents, sentences and their NE"
DOCUMENTS = re.compile(r'"document"\s*:\s*\[')


def read_nikl(data_dir: Path | None) -> DatasetDict:
    """Return the sentences of the files of a folder, each with its document.

    Sentences in which nothing can be seen are left out; this is said.

    Args:
        data_dir: The folder, or one file.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    if data_dir is None:
        raise UserError(f"Give {EXPECTED}, by --data_dir.")
    files = split_files(data_dir, (".json",), expected=EXPECTED)
    remarks = Remarks()
    rows = {split: with_unique_ids(_read(paths, remarks), remarks) for split, paths in files.items()}
    return marked_splits(rows, remarks)


def holds_nikl(data_dir: Path) -> bool:
    """Tell whether a folder holds a file that begins as an object with documents that have sentences."""
    path = first_file(data_dir, (".json",))
    beginning = "" if path is None else first_characters(path)
    return (
        beginning.lstrip().startswith("{")
        and DOCUMENTS.search(beginning) is not None
        and all(f'"{key}"' in beginning for key in ("sentence", "form"))
    )


def _read(paths: Iterable[Path], remarks: Remarks) -> Iterator[MarkedText]:
    for path in paths:
        count = 0
        for row in _sentences(path):
            if class_name(row.text):
                count += 1
                yield row
            else:
                remarks.add("sentences with an empty form are left out", path, row.line)
        if not count:
            raise remarks.nothing_found(path, "sentences")


def _sentences(path: Path) -> Iterator[MarkedText]:
    """Go through a file sentence by sentence: a whole corpus as objects would not fit into memory."""
    text = JsonText(read_pieces(path), path)
    number = 0
    for key in text.members():
        if key != "document":
            text.value()
            continue
        for _ in text.elements():
            number += 1
            document = f"{path.stem}-{number}"  # until its id is read, which stands before the sentences
            for field in text.members():
                if field == "sentence":
                    for _ in text.elements():
                        text.peek()
                        line = text.line
                        yield _sentence(path, line, text.value(), document)
                elif field == "id":
                    document = name_in(text.value()) or document
                else:
                    text.value()
    text.end()
    if not number:
        raise DataFormatError(path, None, "expected an object with a list `document`, found none.")


def _sentence(path: Path, line: int, row: Any, document: str) -> MarkedText:
    if not isinstance(row, dict) or not isinstance(row.get("form"), str):
        got = kind_of(row.get("form")) if isinstance(row, dict) and "form" in row else kind_of(row)
        raise DataFormatError(path, line, f"expected a sentence with its text in `form`, got {got}.")
    names = row.get("NE") or []
    if not isinstance(names, list):
        raise DataFormatError(path, line, f"expected a list of names in `NE`, got {kind_of(names)}.")
    return MarkedText(
        id=name_in(row.get("id")) or line_id(path, line),
        text=row["form"],
        spans=[_span(path, line, row["form"], entry) for entry in names],
        path=path,
        line=line,
        document=document,
    )


def _span(path: Path, line: int, text: str, entry: Any) -> Span:
    if not isinstance(entry, dict) or not {"begin", "end", "label"} <= {*entry}:
        got = ", ".join(entry) if isinstance(entry, dict) else kind_of(entry)
        raise DataFormatError(
            path, line, f"expected a name with `begin`, `end` and `label` in `NE`, got {got or 'nothing'}."
        )
    return span_within(
        text, entry["begin"], entry["end"], entry["label"], path=path, line=line, name=entry.get("form")
    )
