"""Spaces and words that are worth a look."""

import re
from collections.abc import Sequence

from malmoi.data.alignment import Span
from malmoi.data.inspection.findings import Case, Finding, in_order, place
from malmoi.data.inspection.inspected_text import InspectedText

LOOSE_SPACE = re.compile(r"\s{2,}|^\s+|\s+$")
LONG_WORD = 20
"""A word of more characters is worth a look."""


def loose_spaces(texts: Sequence[InspectedText]) -> Finding | None:
    """Return texts with several spaces in a row, or with spaces at their edges."""
    found = ((row, LOOSE_SPACE.search(row.text)) for row in texts)
    cases = [Case("", 1, [place(row, Span(*space.span(), ""))]) for row, space in found if space]
    return in_order("loose_spaces", cases, of=len(texts))


def long_words(texts: Sequence[InspectedText]) -> Finding | None:
    """Return the words of more than 20 characters, the longest first: a space may be missing, or it is no word."""
    longest: dict[str, list[tuple[InspectedText, int]]] = {}
    num_words = 0
    for row in texts:
        words = row.text.split()
        num_words += len(words)
        for word in words:
            if len(word) > LONG_WORD:
                longest.setdefault(word, []).append((row, row.text.index(word)))
    cases = [
        Case(
            word,
            len(hits),
            [place(hits[0][0], Span(hits[0][1], hits[0][1] + len(word), ""))],
            numbers={"characters": len(word)},
        )
        for word, hits in sorted(longest.items(), key=lambda item: (-len(item[0]), item[0]))
    ]
    return in_order("long_words", cases, of=num_words)
