"""Marks of names that may be slips: what they begin and end with, how long they are, brackets without a partner."""

from collections.abc import Callable, Iterator
from statistics import median

from malmoi.data.inspection.findings import Case, Finding, case, in_order, ranked
from malmoi.data.inspection.name_types import Hits, count_types
from malmoi.data.josa import josa_at_end

BEFORE_NAMES = frozenset(".,;:!?…·/~-)]}>〉》」』’”\"'“‘")
AFTER_NAMES = frozenset(",;:…·/~-([{<〈《「『‘“\"'’”")
BRACKETS = {"(": ")", "[": "]", "{": "}", "〈": "〉", "《": "》", "「": "」", "『": "』", "‘": "’", "“": "”"}
LONGER, LONGEST = 4, 15
"""A name is very long if it has more than 15 characters, and four times as many as half of its type have at most."""


def suspicious_marks(names: Hits) -> list[Finding]:
    """Return the findings of marks that may be slips.

    Args:
        names: The places of each name, by what it is.
    """
    found = (
        _marks("marks_with_edges", names, _has_loose_edge),
        _marks_of_one_letter(names),
        _long_marks(names),
        _marks("marks_with_brackets", names, _has_lone_bracket),
        _marks_with_josa(names),
    )
    return [finding for finding in found if finding is not None]


def _marks(kind: str, names: Hits, is_suspicious: Callable[[str], bool]) -> Finding | None:
    cases = [case(name, hits, types=count_types(hits)) for name, hits in names.items() if is_suspicious(name)]
    return ranked(kind, cases, of=_count(names))


def _marks_of_one_letter(names: Hits) -> Finding | None:
    """Return the names of one character that is no digit, the rarest first: many are family names, rightly."""
    short = {name: hits for name, hits in names.items() if len(name) == 1 and not name.isdigit()}
    cases = [case(name, hits, types=count_types(hits)) for name, hits in short.items()]
    return in_order(
        "marks_of_one_letter", sorted(cases, key=lambda one: (one.occurrences, one.what)), of=_count(names)
    )


def _has_loose_edge(name: str) -> bool:
    """Tell whether a name begins or ends with a space or with a sign that stands between words."""
    first, last = name[0], name[-1]
    if first == "-" and name[1:2].isdigit():
        return False  # a negative number
    return (
        first.isspace()
        or last.isspace()
        or first in BEFORE_NAMES
        or (last in AFTER_NAMES)
        or (last in ".!?" and "가" <= name[-2:-1] <= "힣")
    )


def _has_lone_bracket(name: str) -> bool:
    """Tell whether a bracket or a quotation mark has no partner within the name."""
    return name.count('"') % 2 == 1 or any(
        # an apostrophe is written as the closing mark
        name.count(opening) != name.count(closing) and not (opening == "‘" and opening not in name)
        for opening, closing in BRACKETS.items()
    )


def _long_marks(names: Hits) -> Finding | None:
    lengths: dict[str, list[int]] = {}
    for name, hits in names.items():
        for _, span in hits:
            lengths.setdefault(span.label, []).append(len(name))
    limits = {label: max(LONGEST, LONGER * median(of_type)) for label, of_type in lengths.items()}
    cases = []
    for name, hits in names.items():
        long = [(row, span) for row, span in hits if len(name) > limits[span.label]]
        if long:
            cases.append(case(name, long, types=count_types(long), numbers={"characters": len(name)}))
    return in_order("long_marks", sorted(cases, key=lambda found: (-len(found.what), found.what)), of=_count(names))


def _marks_with_josa(names: Hits) -> Finding | None:
    """Return names that end in what may be a josa, without which they are marked more often; most often first."""
    cases = sorted(_with_josa(names), key=lambda one: (-one.numbers["without_josa"] / one.occurrences, one.what))
    return in_order("marks_with_josa", cases, of=_count(names))


def _with_josa(names: Hits) -> Iterator[Case]:
    for name, hits in names.items():
        josa = josa_at_end(name)
        rest = name.removesuffix(josa)
        if josa and len(rest) > 1 and len(names.get(rest, ())) > len(hits):
            yield case(name, hits, types=count_types(hits), numbers={"without_josa": len(names[rest])})


def _count(names: Hits) -> int:
    return sum(map(len, names.values()))
