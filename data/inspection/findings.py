"""What is found in data: a kind, how often, and the places where it stands."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from malmoi.data.alignment import Span
from malmoi.data.inspection.inspected_text import InspectedText

MOST_CASES = 100
"""How many cases of a kind are kept; a finding says how many there are in all."""
MOST_PLACES = 3
"""How many places of a case are kept."""
LONGEST, AROUND = 160, 60
"""Longer texts are shown in part, and how many characters are shown around what they are shown for."""
CUT = "…"


class Place(NamedTuple):
    """Where something stands."""

    split: str
    id: str
    text: str
    """The text, or what is around the marks of a long one."""
    marks: list[Span]
    """What it is shown for, counted in `text`; the label is empty where the data have none there."""
    label: str | None = None
    """Its class."""


class Case(NamedTuple):
    """One thing of a kind, such as one name with several types."""

    what: str
    occurrences: int
    """How often it occurs."""
    places: list[Place]
    """The first of its places."""
    types: dict[str, int] = {}
    """How often it has which type or class, where that matters."""
    numbers: dict[str, int] = {}
    """Further figures, by names that `malmoi.reports.inspection` knows."""


class Finding(NamedTuple):
    """All of one kind that is worth a look."""

    kind: str
    cases: list[Case]
    """The first of them."""
    num_cases: int
    """How many there are."""
    occurrences: int
    """How often they occur together."""
    of: int
    """Among so many."""
    about: str = ""
    """Which splits, where a kind is looked for in several pairs of them."""


def ranked(kind: str, cases: Iterable[Case], *, of: int, about: str = "") -> Finding | None:
    """Return the cases as a finding, the most frequent ones first; `None` if there is none.

    Args:
        kind: What they are.
        cases: All of them.
        of: Among how many they were found.
        about: The splits, if the kind is looked for in several pairs of them.
    """
    return in_order(kind, sorted(cases, key=lambda case: (-case.occurrences, case.what)), of=of, about=about)


def in_order(kind: str, cases: Sequence[Case], *, of: int, about: str = "") -> Finding | None:
    """Return the cases as a finding, in their order; `None` if there is none."""
    if not cases:
        return None
    return Finding(kind, [*cases[:MOST_CASES]], len(cases), sum(case.occurrences for case in cases), of, about)


def case(
    what: str,
    hits: Sequence[tuple[InspectedText, Span]],
    *,
    types: dict[str, int] | None = None,
    numbers: dict[str, int] | None = None,
) -> Case:
    """Return a case that occurs at these places.

    Args:
        what: What it is.
        hits: The texts, and where in them it stands.
        types: How often it has which type or class.
        numbers: Further figures; see `Case`.
    """
    return Case(what, len(hits), [place(row, span) for row, span in hits[:MOST_PLACES]], types or {}, numbers or {})


def place(row: InspectedText, span: Span | None = None) -> Place:
    """Return where something stands in a text, or the text from its beginning."""
    return place_of_marks(row, [] if span is None else [span])


def place_of_marks(row: InspectedText, marks: Sequence[Span], *, longest: int = LONGEST) -> Place:
    """Return a text with marks, or what is around the first of them if it is long.

    Args:
        row: The text.
        marks: What it is shown for, in order.
        longest: So many characters are shown whole.
    """
    text, shift = row.text, 0
    if len(text) > longest:
        first = marks[0].start if marks else 0
        start = max(0, first - AROUND)
        end = min(len(text), max(start + longest, min(marks[0].end if marks else 0, first + longest) + AROUND))
        before, after = CUT * (start > 0), CUT * (end < len(text))
        shift = start - len(before)
        text = before + text[start:end] + after
    shown = [Span(mark.start - shift, min(mark.end - shift, len(text)), mark.label) for mark in marks]
    return Place(row.split, row.id, text, [mark for mark in shown if 0 <= mark.start < mark.end], row.label)
