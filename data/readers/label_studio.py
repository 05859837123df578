"""What Label Studio exports as JSON, or as JSON-MIN: texts with labelled regions, or with a choice.

Of several annotations of a text the newest is read, or the newest of one annotator. Cancelled annotations and
predictions are not. The text is the only one in `data`, or the one that the annotations name by `to_name`, or `text`.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from datasets import DatasetDict

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import LabelledText, class_name, classified_splits
from malmoi.data.json_fields import document_of, name_in
from malmoi.data.json_text import first_object, kind_of, read_json_rows
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.notice import list_names, shorten
from malmoi.data.remarks import Remarks
from malmoi.data.splits.files import first_file, split_files
from malmoi.data.text_lines import DataFormatError
from malmoi.data.text_offsets import is_same_text, span_within
from malmoi.data.unique_ids import line_id, with_unique_ids
from malmoi.data.user_error import UserError

SUFFIXES = (".json", ".jsonl")
EXPECTED = "a folder with .json files that Label Studio has exported as JSON or JSON-MIN"
ANNOTATIONS = ("annotations", "completions")
PREDICTIONS = "predictions"
"""What a model has said of a task. Nobody has looked at it: it is no annotation."""
CANCELLED = ("was_cancelled", "cancelled", "skipped")
NO_ANSWER = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
"""The fields of JSON-MIN that are neither data nor answers."""
BREAK = re.compile(r"\\[nr]?|\s")
"""A line break or space as a text has it, or as Label Studio writes it, and what else it writes with a backslash."""
NO_TIME = datetime.min.replace(tzinfo=timezone.utc)


class Annotation(NamedTuple):
    """What one annotator has said of a task."""

    annotator: tuple[str, ...]
    """Their number and address, as far as they are known."""
    time: datetime
    regions: list[dict[str, Any]]
    choices: list[Any]
    targets: list[str]
    """What is labelled, by the names that the project has given to it."""


class LabelTask(NamedTuple):
    """A text in Label Studio, with its annotations."""

    id: str
    texts: dict[str, str]
    """The texts in its data, one of which is labelled."""
    annotations: list[Annotation]
    path: Path
    line: int
    document: str | None
    only_predicted: bool = False
    """Whether it has no place for annotations, but predictions, as a task has that is to be imported."""


class Said(NamedTuple):
    """What the tasks of a split say together."""

    annotators: list[str]
    """The numbers and addresses of all."""
    targets: list[str]
    """What is labelled, by the names that the project has given to it."""


def read_label_studio(data_dir: Path | None, *, task: str, annotator: str | None = None) -> DatasetDict:
    """Return the texts of an export that have an annotation.

    Args:
        data_dir: The folder, or one file.
        task: `named-entities`, which reads labelled regions, or `sentence-classification`, which reads choices.
        annotator: The number or address of the only annotator whose annotations are read.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given, or there is no such annotator.
    """
    if data_dir is None:
        raise UserError(f"Give {EXPECTED}, by --data_dir.")
    files = split_files(data_dir, SUFFIXES, expected=EXPECTED)
    # each file is read twice, a task at a time: what all tasks say together does not need them all in memory
    said = {split: _said(paths) for split, paths in files.items()}
    known = {name: None for each in said.values() for name in each.annotators}
    if annotator is not None and annotator not in known:
        raise UserError(
            f"{data_dir}: expected annotations of {annotator}, found those of {list_names([*known]) or 'nobody'}."
        )
    remarks = Remarks()
    chosen = {split: _chosen(paths, said[split].targets, annotator, remarks) for split, paths in files.items()}
    if task != "sentence-classification":
        return marked_splits(
            {split: with_unique_ids(_marked(rows), remarks) for split, rows in chosen.items()}, remarks
        )
    labelled = {split: [*with_unique_ids(_labelled(rows, remarks), remarks)] for split, rows in chosen.items()}
    for split, texts in labelled.items():
        if not texts:
            raise remarks.nothing_found(files[split][0], "texts with a choice")
    splits = classified_splits(labelled)
    remarks.say()
    return splits


def holds_label_studio(data_dir: Path) -> bool:
    """Tell whether a folder holds a file whose first object is a task of Label Studio."""
    path = first_file(data_dir, SUFFIXES)
    row = None if path is None else first_object(path)
    return row is not None and (_is_minimal(row) or _is_task(row))


def _is_minimal(row: dict[str, Any]) -> bool:
    return "annotation_id" in row


def _is_task(row: dict[str, Any]) -> bool:
    return isinstance(row.get("data"), dict) and any(
        isinstance(row.get(field), list) for field in (*ANNOTATIONS, PREDICTIONS)
    )


def _said(paths: Iterable[Path]) -> Said:
    annotators: dict[str, None] = {}
    targets: dict[str, None] = {}
    for path in paths:
        for task in _tasks(path, Remarks()):
            for annotation in task.annotations:
                annotators.update(dict.fromkeys(annotation.annotator))
                targets.update(dict.fromkeys(annotation.targets))
    return Said([*annotators], [*targets])


def _tasks(path: Path, remarks: Remarks) -> Iterator[LabelTask]:
    """Yield the tasks of a file; in JSON-MIN each annotation is an object of its own."""
    # by the id of their task, or without one by their number: a whole file may stand in one line
    minimal: dict[str | int, LabelTask] = {}
    for number, (line, row) in enumerate(read_json_rows(path)):
        if _is_minimal(row):
            task = _minimal_task(path, line, row)
            key = name_in(row.get("id")) or number
            before = minimal.get(key)
            if before is not None:
                task = before._replace(annotations=[*before.annotations, *task.annotations])
            minimal[key] = task
        elif _is_task(row):
            yield _task(path, line, row, remarks)
        else:
            raise DataFormatError(
                path,
                line,
                "expected a task of Label Studio, with `data` and `annotations`, or with `annotation_id`, got "
                f"{list_names([*row]) or 'nothing'}.",
            )
    yield from minimal.values()


def _task(path: Path, line: int, row: dict[str, Any], remarks: Remarks) -> LabelTask:
    given = next((row[field] for field in ANNOTATIONS if isinstance(row.get(field), list)), None)
    annotations = []
    for entry in given or []:
        if not isinstance(entry, dict) or not isinstance(entry.get("result", []), list):
            raise DataFormatError(path, line, "expected annotations that are objects with a list `result`.")
        if not any(entry.get(field) for field in CANCELLED):
            annotations.append(_annotation(path, line, entry, remarks))
    data = row["data"]
    return LabelTask(
        id=name_in(row.get("id")) or line_id(path, line),
        texts={key: value for key, value in data.items() if isinstance(value, str)},
        annotations=annotations,
        path=path,
        line=line,
        document=document_of(data),
        only_predicted=given is None,
    )


def _annotation(path: Path, line: int, entry: dict[str, Any], remarks: Remarks) -> Annotation:
    annotation = Annotation(_annotator(entry.get("completed_by")), _time(path, line, entry), [], [], [])
    for result in entry.get("result", []):
        value = result.get("value") if isinstance(result, dict) else None
        kind = result.get("type") if isinstance(result, dict) else None
        if kind == "labels" and isinstance(value, dict):
            annotation.regions.append(value)
        elif kind == "choices" and isinstance(value, dict) and "start" not in value:
            annotation.choices.extend(_choices(value))
        else:
            remarks.add(f"results of the type {list_names([str(kind)])} are not read", path, line)
            continue
        annotation.targets.append(str(result.get("to_name")))
    return annotation


def _minimal_task(path: Path, line: int, row: dict[str, Any]) -> LabelTask:
    """Return a task with one annotation. The data stand before the `id`, the answers behind it."""
    texts = {key: value for key, value in row.items() if isinstance(value, str) and key not in NO_ANSWER}
    keys = [*row]
    data = {key: value for key, value in texts.items() if "id" in row and keys.index(key) < keys.index("id")}
    data = data or {key: value for key, value in texts.items() if key == "text"} or texts
    annotation = Annotation(_annotator(row.get("annotator")), _time(path, line, row), [], [], [])
    for key, value in row.items():
        if isinstance(value, list):
            annotation.regions.extend(each for each in value if isinstance(each, dict) and "start" in each)
        elif isinstance(value, dict) and "choices" in value:
            annotation.choices.extend(_choices(value))
        elif key in texts and key not in data:
            annotation.choices.append(value)
    name = name_in(row.get("id")) or line_id(path, line)
    return LabelTask(name, data, [annotation], path, line, document_of(row))


def _annotator(value: Any) -> tuple[str, ...]:
    given = [value.get(key) for key in ("id", "email", "username")] if isinstance(value, dict) else [value]
    return tuple(filter(None, map(name_in, given)))


def _choices(value: dict[str, Any]) -> list[Any]:
    choices = value.get("choices")
    return choices if isinstance(choices, list) else [choices]


def _time(path: Path, line: int, entry: dict[str, Any]) -> datetime:
    """Return when an annotation was changed last; very long ago if it does not say."""
    value = entry.get("updated_at") or entry.get("created_at")
    if value is None:
        return NO_TIME
    try:
        if isinstance(value, (int, float)):  # seconds, as in completions
            return datetime.fromtimestamp(value, tz=timezone.utc)
        time = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise DataFormatError(path, line, f"expected a time in `updated_at`, got {shorten(str(value))}.") from None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _chosen(
    paths: list[Path], targets: list[str], annotator: str | None, remarks: Remarks
) -> Iterator[tuple[LabelTask, str, Annotation]]:
    """Yield the tasks that have an annotation, with their text and the annotation that is read."""
    count = 0
    only_predicted = False
    for task in (task for path in paths for task in _tasks(path, remarks)):
        only_predicted |= task.only_predicted
        theirs = [each for each in task.annotations if annotator is None or annotator in each.annotator]
        if not theirs:
            whose = "" if annotator is None else f" of {annotator}"
            remarks.add(f"tasks without an annotation{whose} are left out", task.path, task.line)
            continue
        text = task.texts[_text_key(task, [*targets, "text"])]
        if not class_name(text):
            remarks.add("tasks with an empty text are left out", task.path, task.line)
            continue
        if len(theirs) > 1:
            remarks.add("of several annotations of a task the newest is read", task.path, task.line)
        count += 1
        yield task, text, max(reversed(theirs), key=lambda annotation: annotation.time)
    if not count:
        if only_predicted:
            found = "predictions alone, which nobody has checked: label the tasks in Label Studio, and export them"
            raise DataFormatError(paths[0], None, f"expected texts with an annotation, found {found}.")
        raise remarks.nothing_found(paths[0], "texts with an annotation")


def _text_key(task: LabelTask, names: list[str]) -> str:
    if len(task.texts) == 1:
        return next(iter(task.texts))
    for name in names:
        if name in task.texts:
            return name
    raise DataFormatError(
        task.path, task.line, f"expected one text in the data of the task, got {list_names([*task.texts]) or 'none'}."
    )


def _marked(rows: Iterable[tuple[LabelTask, str, Annotation]]) -> Iterator[MarkedText]:
    for task, text, annotation in rows:
        spans = [_span(task, text, region) for region in annotation.regions]
        yield MarkedText(task.id, text, spans, task.path, task.line, task.document)


def _span(task: LabelTask, text: str, region: dict[str, Any]) -> Span:
    labels = region.get("labels")
    if not isinstance(labels, list) or len(labels) != 1:
        got = list_names([str(label) for label in labels]) if isinstance(labels, list) else kind_of(labels)
        raise DataFormatError(task.path, task.line, f"expected one label on each region, got {got or 'none'}.")
    start, end, name = (region.get(field) for field in ("start", "end", "text"))
    if isinstance(name, str) and {"\n", "\r", "\\"} & {*name}:
        name = _name_with_breaks(text[start:end] if isinstance(start, int) and isinstance(end, int) else name, name)
    return span_within(text, start, end, labels[0], path=task.path, line=task.line, name=name)


def _name_with_breaks(found: str, name: str) -> str | None:
    """Return a name of several lines, which are not exported as they are; `None` if the text has it but for them."""
    if is_same_text(BREAK.sub("", found), BREAK.sub("", name)):
        return None
    return name.replace("\\r", "\r").replace("\\n", "\n")


def _labelled(rows: Iterable[tuple[LabelTask, str, Annotation]], remarks: Remarks) -> Iterator[LabelledText]:
    for task, text, annotation in rows:
        if not annotation.choices:
            remarks.add("tasks whose annotation has no choice are left out", task.path, task.line)
            continue
        if len(annotation.choices) > 1 or not isinstance(annotation.choices[0], str):
            got = list_names([str(choice) for choice in annotation.choices])
            raise DataFormatError(task.path, task.line, f"expected one choice for each text, got {got}.")
        yield LabelledText(task.id, text, annotation.choices[0], task.path, task.line, task.document)
