"""Files with a JSON object on each line: a text and its names, or its class.

So write doccano (`{"text": …, "label": [[0, 2, "PS"]]}`), spaCy (`ents`), Prodigy (`spans` and `answer`), and
`malmoi tag --json` and `malmoi classify --json`. A file may also hold one list of such objects.

Fields:
    text or data: The text.
    entities, ents, spans, labels or label: Its names, each `[start, end, type]`, or an object with `start` and `end`,
        or `start_offset` and `end_offset`, and `label`. Offsets count characters; the `text` of an object is compared.
    label, labels or accept: Its class, or a list of one: a text, a whole number, true or false.
    answer: Only rows that Prodigy's user has accepted are read.
    id: A text or a whole number.
    document, doc_id, document_id or the like, also in `meta`: What it is part of.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from datasets import DatasetDict

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import LabelledText, class_name, classified_splits
from malmoi.data.json_fields import class_in, document_of, name_in
from malmoi.data.json_text import first_object, kind_of, read_json_rows
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.nested_rows import advice_on_nested_rows
from malmoi.data.notice import list_names
from malmoi.data.remarks import Remarks
from malmoi.data.splits.files import first_file, split_files
from malmoi.data.text_lines import DataFormatError
from malmoi.data.text_offsets import span_within
from malmoi.data.unique_ids import line_id, with_unique_ids
from malmoi.data.user_error import UserError

SUFFIXES = (".jsonl", ".ndjson", ".json")
TEXT_FIELDS = ("text", "data")
SPAN_FIELDS = ("entities", "ents", "spans", "labels", "label")
CLASS_FIELDS = ("label", "labels", "accept")
NAME_FIELDS = tuple(field for field in SPAN_FIELDS if field not in CLASS_FIELDS)
"""The fields that hold names and never a class."""
EMPTY: tuple[object, ...] = (None, {}, [])
LOOKED_AT = 1000
"""So many objects are looked at for names and classes."""
OFFSET_FIELDS = (("start", "end"), ("start_offset", "end_offset"))
EXPECTED = "a folder with .jsonl files, such as train.jsonl, that have a JSON object on each line"
EXPECTED_NAME = "[start, end, type], or an object with `start`, `end` and `label`"


class JsonRow(NamedTuple):
    """An object with a text, and where it stands."""

    id: str
    text: str
    fields: dict[str, Any]
    path: Path | str
    """The file, or what else a message is to name."""
    line: int | None
    """Its line there, counted from 1."""
    document: str | None


class PlacedObject(NamedTuple):
    """An object as it was found: where it stands, and the id of its text if it says none."""

    path: Path | str
    line: int | None
    id: str
    fields: dict[str, Any]


def read_jsonl(data_dir: Path | None, *, task: str) -> DatasetDict:
    """Return the sentences or texts of a folder with files that have a JSON object on each line.

    Rows without a text in which something can be seen are left out, and so are those that Prodigy's user has not
    accepted, and for classes those whose list of them is empty; relations are not read; a row without a field for
    names has none. All this is said.

    Args:
        data_dir: The folder, or one file.
        task: `named-entities`, or `sentence-classification`.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    if data_dir is None:
        raise UserError(f"Give {EXPECTED}, by --data_dir.")
    files = split_files(data_dir, SUFFIXES, expected=EXPECTED)
    remarks = Remarks()
    rows = {split: _rows_of_files(paths, remarks) for split, paths in files.items()}
    return json_splits(rows, remarks, task=task)


def json_splits(splits: Mapping[str, Iterable[JsonRow]], remarks: Remarks, *, task: str) -> DatasetDict:
    """Return the sentences or texts that objects hold, by the name of their split; see `read_jsonl`.

    Raises:
        DataFormatError: If one is malformed; it names its place and what was expected.
    """
    if task != "sentence-classification":
        marked = {split: with_unique_ids(_marked(rows, remarks), remarks) for split, rows in splits.items()}
        return marked_splits(marked, remarks)
    read = {split: with_unique_ids(_labelled(rows, remarks), remarks) for split, rows in splits.items()}
    labelled = classified_splits(read)
    remarks.say()
    return labelled


def holds_jsonl(data_dir: Path) -> bool:
    """Tell whether a folder holds a file whose first object has a text and names or a class."""
    path = first_file(data_dir, SUFFIXES)
    row = None if path is None else first_object(path)
    if row is None or "annotation_id" in row:  # the latter is Label Studio's
        return False
    return any(isinstance(row.get(field), str) for field in TEXT_FIELDS) and any(
        field in row for field in (*SPAN_FIELDS, *CLASS_FIELDS)
    )


def task_of_json_lines(data_dir: Path) -> str | None:
    """Return the task that the first objects of a folder are for: names in a list, or a class; `None` if neither.

    Names come before a class, beside them or in another object.
    """
    path = first_file(data_dir, SUFFIXES)
    has_class = False
    with suppress(DataFormatError):  # what reads the file will say so
        for _, row in () if path is None else islice(read_json_rows(path), LOOKED_AT):
            if any(_are_names(row.get(field)) for field in SPAN_FIELDS):
                return "named-entities"
            has_class = has_class or any(_is_class(row.get(field)) for field in CLASS_FIELDS)
    return "sentence-classification" if has_class else None


def _are_names(value: Any) -> bool:
    """Tell whether a field holds a list of names."""
    return isinstance(value, list) and isinstance(next(iter(value), None), (list, dict))


def _is_class(value: Any) -> bool:
    """Tell whether a field holds a class, alone or as a list of one."""
    return class_in(_one(value)) is not None


def _one(value: Any) -> Any:
    """Return the class that a field has, alone or as a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _rows_of_files(paths: Iterable[Path], remarks: Remarks) -> Iterator[JsonRow]:
    for path in paths:
        objects = (PlacedObject(path, line, line_id(path, line), row) for line, row in read_json_rows(path))
        yield from json_rows(objects, path, remarks)


def json_rows(objects: Iterable[PlacedObject], place: Path | str, remarks: Remarks) -> Iterator[JsonRow]:
    """Yield the objects that are to be read.

    Raises:
        DataFormatError: If one has no text; or if there is none, which names the place.
    """
    count = 0
    for path, line, name, fields in objects:
        if fields.get("answer", "accept") != "accept":
            remarks.add("rows whose `answer` is not accept are left out", path, line)
            continue
        text = _text(path, line, fields)
        if not class_name(text):
            remarks.add("rows with an empty text are left out", path, line)
            continue
        count += 1
        yield JsonRow(name_in(fields.get("id")) or name, text, fields, path, line, document_of(fields))
    if not count:
        raise remarks.nothing_found(place, "texts")


def _text(path: Path | str, line: int | None, fields: dict[str, Any]) -> str:
    for field in TEXT_FIELDS:
        if field in fields:
            if not isinstance(fields[field], str):
                got = f"{kind_of(fields[field])}{advice_on_nested_rows(fields)}"
                raise DataFormatError(path, line, f"expected a text in `{field}`, got {got}.")
            return str(fields[field])
    got = f"{list_names([*fields]) or 'none'}{advice_on_nested_rows(fields)}"
    raise DataFormatError(path, line, f"expected a field `text`, got {got}.")


def _labelled(rows: Iterable[JsonRow], remarks: Remarks) -> Iterator[LabelledText]:
    count = 0
    place: Path | str = ""
    for row in rows:
        place = row.path
        if any(row.fields.get(field) and isinstance(row.fields[field], list) for field in NAME_FIELDS):
            remarks.add("rows with names beside their class, which are not read", row.path, row.line)
        given = [row.fields[field] for field in CLASS_FIELDS if row.fields.get(field) is not None]
        if given and not any(value != [] for value in given):  # so doccano writes what nobody has labelled
            remarks.add("rows with an empty list of classes are left out", row.path, row.line)
            continue
        found = _one(next((value for value in given if value != []), None))
        label = class_in(found)
        if label is None:
            got = f"a list of {len(found)}" if isinstance(found, list) else kind_of(found)
            raise DataFormatError(
                row.path, row.line, f"expected one class in `label`, as text or a list of one, got {got}."
            )
        count += 1
        yield LabelledText(row.id, row.text, label, row.path, row.line, row.document)
    if not count:
        raise remarks.nothing_found(place, "texts with a class")


def _marked(rows: Iterable[JsonRow], remarks: Remarks) -> Iterator[MarkedText]:
    for row in rows:
        if row.fields.get("relations"):
            remarks.add("rows with relations, which are not read", row.path, row.line)
        spans = [_span(row, entry) for entry in _entries(row, remarks)]
        yield MarkedText(row.id, row.text, spans, row.path, row.line, row.document)


def _entries(row: JsonRow, remarks: Remarks) -> list[Any]:
    """Return what stands in the field with the names."""
    # spaCy has `spans` by group beside `ents`, and a field may stand there without use
    found = [field for field in SPAN_FIELDS if row.fields.get(field) not in EMPTY]
    classes = [field for field in CLASS_FIELDS if _is_class(row.fields.get(field))]
    names = [field for field in found if field not in classes]
    if classes and (names or any(field in row.fields for field in NAME_FIELDS)):
        remarks.add("rows with a class beside their names, which is not read", row.path, row.line)
        found = names
    if isinstance(row.fields.get("ents"), list):
        found = ["ents"]
    if len(found) > 1:
        raise DataFormatError(row.path, row.line, f"expected one field with names, got {list_names(found)}.")
    if not found:
        if not any(field in row.fields for field in SPAN_FIELDS):
            remarks.add(f"rows without any of the fields {list_names(SPAN_FIELDS)} have no names", row.path, row.line)
        return []
    entries = row.fields[found[0]]
    if not isinstance(entries, list):
        raise DataFormatError(row.path, row.line, f"expected a list of names in `{found[0]}`, got {kind_of(entries)}.")
    return entries


def _span(row: JsonRow, entry: Any) -> Span:
    name = None
    if isinstance(entry, list) and len(entry) == 3:
        start, end, label = entry
    elif isinstance(entry, dict):
        pair = next((pair for pair in OFFSET_FIELDS if pair[0] in entry and pair[1] in entry), None)
        if pair is None or "label" not in entry:
            raise DataFormatError(
                row.path, row.line, f"expected a name as {EXPECTED_NAME}, got {list_names([*entry]) or 'nothing'}."
            )
        start, end, label, name = entry[pair[0]], entry[pair[1]], entry["label"], entry.get("text")
    else:
        got = f"a list of {len(entry)}" if isinstance(entry, list) else kind_of(entry)
        raise DataFormatError(row.path, row.line, f"expected a name as {EXPECTED_NAME}, got {got}.")
    return span_within(row.text, start, end, label, path=row.path, line=row.line, name=name)
