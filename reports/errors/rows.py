"""Puts what is wrong into rows that a page shows: plain lists, numbers and texts, which become JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from malmoi.data.alignment import Span
from malmoi.reports.errors.answers import RIGHT, Answer, Findings, Line, Mark, TaskErrors
from malmoi.reports.errors.breakdown import sources

LONGEST, AROUND = 600, 120
"""A text of more characters is shown in parts: so many before and after each mistake."""
GAP = " […] "
MODEL, OTHER = 0, 1
DIGITS = 6


def page_data(
    report: Mapping[str, Any], task: TaskErrors, found: Findings, other: Findings | None = None
) -> dict[str, Any]:
    """Return all that a page shows.

    Args:
        report: The report of the evaluation.
        task: How the task names its kinds of mistakes and its figures.
        found: What the model answered.
        other: What another model answered to the same texts, if there is one.
    """
    rows = error_rows(found.answers, None if other is None else other.answers)
    data = report["data"]
    return {
        "task": report["task"],
        "model": report["model"],
        "against": report["against"]["model"] if "against" in report else None,
        "source": data["source"],
        "split": data["split"],
        "texts": len(found.answers),
        "figures": _figures(report, task),
        "kinds": [kind for kind in task.kinds if any(error[0] == kind for row in rows for error in row["errors"])],
        "labels": found.confusion.labels,
        "confusion": found.confusion.counts,
        "tables": [table._asdict() for table in found.tables],
        "rows": rows,
    }


def count_errors(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return how many texts have mistakes, and how many mistakes there are of each kind."""
    kinds = Counter(error.kind for answer in answers for error in answer.errors)
    return {"texts": sum(bool(answer.errors) for answer in answers), "kinds": dict(kinds.most_common())}


def error_rows(answers: Sequence[Answer], others: Sequence[Answer] | None = None) -> list[dict[str, Any]]:
    """Return a row for each text that a model gets wrong, or another model, those first of which the model is surest.

    Args:
        answers: The answers of the model.
        others: Those of the other model to the same texts.
    """
    places = sources([answer.id for answer in answers])
    rows = []
    for number, answer in enumerate(answers):
        other = None if others is None else others[number]
        both = [(MODEL, error) for error in answer.errors]
        both += [] if other is None else [(OTHER, error) for error in other.errors]
        if not both:
            continue
        lines = [
            _gold_line(answer, other),
            answer.predicted_line(),
            *([] if other is None else [other.predicted_line()]),
        ]
        own = [error.sure for by, error in both if by == MODEL]
        rows.append(
            {
                "number": number + 1,
                "id": answer.id,
                "source": None if places is None else places[number],
                "sure": max(own or [error.sure for _, error in both]),
                "errors": [
                    [error.kind, error.gold, error.predicted, error.what, round(error.sure, DIGITS), error.seen, by]
                    for by, error in both
                ],
                "lines": [_shown(line, lines) for line in lines],
            }
        )
    return sorted(rows, key=lambda row: (not any(error[-1] == MODEL for error in row["errors"]), -row["sure"]))


def _gold_line(answer: Answer, other: Answer | None) -> Line:
    """Return the text as the data have it; where the model is right, the mistakes of the other model are marked."""
    return other.gold_line() if other is not None and not answer.errors else answer.gold_line()


def _shown(line: Line, lines: Sequence[Line]) -> dict[str, Any]:
    """Return a line as the page takes it; of a long text the parts with mistakes.

    Args:
        line: The line.
        lines: All lines of the row; a mistake that another one of the same text marks may have no mark here.
    """
    wrong = [mark for other in lines if other.text == line.text for mark in other.marks if mark.kind != RIGHT]
    text, marks = _parts(line, sorted(wrong, key=lambda mark: mark[:2]))
    return {
        "text": text,
        "marks": [[*mark[:4], None if mark.score is None else round(mark.score, DIGITS)] for mark in marks],
        "label": line.label,
        "score": None if line.score is None else round(line.score, DIGITS),
    }


def _parts(line: Line, wrong: Sequence[Mark]) -> tuple[str, list[Mark]]:
    """Return the parts of a text that have mistakes, with the marks of the line; a text that is not long whole."""
    if len(line.text) <= LONGEST:
        return line.text, line.marks
    parts: list[Span] = []
    for mark in wrong or [Mark(0, LONGEST, "", RIGHT)]:
        start, end = max(0, mark.start - AROUND), min(len(line.text), mark.end + AROUND)
        if parts and start <= parts[-1].end:
            start, end = parts[-1].start, max(end, parts.pop().end)
        parts.append(Span(start, end, ""))
    pieces, marks, length, rest = [], [], 0, list(line.marks)
    for start, end, _ in parts:
        gap = GAP if start > 0 else ""
        length += len(gap)
        while rest and rest[0].start < end:
            mark = rest.pop(0)
            if mark.start >= start and mark.end <= end:
                marks.append(mark._replace(start=mark.start - start + length, end=mark.end - start + length))
        pieces += [gap, line.text[start:end]]
        length += end - start
    return "".join(pieces) + (GAP if parts[-1].end < len(line.text) else ""), marks


def _figures(report: Mapping[str, Any], task: TaskErrors) -> list[dict[str, Any]]:
    """Return the figures that are shown, with their definitions, and those of the other model beside them."""
    against = report.get("against") or {}
    unseen = [name for name in report["definitions"] if name.endswith("_unseen")]
    return [
        {
            "name": name,
            "value": report["figures"][name],
            "interval": report["intervals"].get(name),
            "other": against.get("figures", {}).get(name),
            "difference": against.get("differences", {}).get(name),
            "definition": report["definitions"][name],
        }
        for name in [*task.figures, *unseen]
    ]
