"""Spaces and words that are worth a look."""

import re
import unicodedata
from collections.abc import Sequence

from malmoi.data.alignment import Span
from malmoi.data.inspection.findings import Case, Finding, in_order, place
from malmoi.data.inspection.inspected_text import InspectedText

LOOSE_SPACE = re.compile(r"\s{2,}|^\s+|\s+$")
WORD = re.compile(r"\S+")
LONG_WORD = 20
"""A word of more characters is worth a look."""


def loose_spaces(texts: Sequence[InspectedText]) -> Finding | None:
    """Return texts with several spaces in a row, or with spaces at their edges."""
    found = ((row, LOOSE_SPACE.search(row.text)) for row in texts)
    cases = [Case("", 1, [place(row, Span(*space.span(), ""))]) for row, space in found if space]
    return in_order("loose_spaces", cases, of=len(texts))


def long_words(texts: Sequence[InspectedText]) -> Finding | None:
    """Return the words of more than 20 characters, the longest first: a space may be missing, or it is no word.

    A syllable is one character, however Unicode writes it.
    """
    longest: dict[str, list[tuple[InspectedText, Span]]] = {}
    num_words = 0
    for row in texts:
        words = row.text.split()
        num_words += len(words)
        if max(map(len, words), default=0) > LONG_WORD:
            for word in WORD.finditer(row.text):
                if _length(word[0]) > LONG_WORD:
                    longest.setdefault(word[0], []).append((row, Span(*word.span(), "")))
    cases = [
        Case(word, len(hits), [place(*hits[0])], numbers={"characters": _length(word)})
        for word, hits in sorted(longest.items(), key=lambda item: (-_length(item[0]), item[0]))
    ]
    return in_order("long_words", cases, of=num_words)


def _length(word: str) -> int:
    return len(unicodedata.normalize("NFC", word))
