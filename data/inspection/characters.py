"""Characters that are worth a look: unknown to a tokenizer, invisible, or written in parts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from malmoi.data.alignment import Span
from malmoi.data.inspection.findings import MOST_CASES, Case, Finding, case, in_order, place
from malmoi.data.inspection.inspected_text import InspectedText

JOINER = "\u200d"
INVISIBLE_CATEGORIES = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
"""Categories of Unicode: control, format, private use, surrogate, not assigned, line and paragraph separator."""
UNUSUAL_SPACE = "Zs"
REPLACEMENT = "\ufffd"
CONJOINING = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]")
"""Jamo of which syllables are put together; those that keyboards write are others (ㅋ, ㅠ)."""


def count_characters(texts: Iterable[InspectedText]) -> Counter[str]:
    """Return how often each character occurs."""
    counts: Counter[str] = Counter()
    for row in texts:
        counts.update(row.text)
    return counts


def unknown_characters(
    texts: Sequence[InspectedText], counts: Counter[str], are_known: Callable[[list[str]], list[bool]]
) -> Finding | None:
    """Return the characters that a tokenizer does not know; spaces are not asked for.

    Args:
        texts: The texts.
        counts: How often each character occurs in them.
        are_known: Tells of each of several characters whether the tokenizer knows it.
    """
    asked = [character for character in counts if not character.isspace()]
    unknown = {character for character, known in zip(asked, are_known(asked)) if not known}
    return _character_finding("unknown_characters", texts, counts, unknown, of=sum(counts[each] for each in asked))


def invisible_characters(texts: Sequence[InspectedText], counts: Counter[str]) -> Finding | None:
    """Return control and format characters, private ones, spaces other than the common one, and U+FFFD.

    A joiner is none of them: it makes one emoji of several.
    """
    found = {
        character
        for character in counts
        if character not in (" ", JOINER)
        and (unicodedata.category(character) in (*INVISIBLE_CATEGORIES, UNUSUAL_SPACE) or character == REPLACEMENT)
    }
    return _character_finding("invisible_characters", texts, counts, found, of=counts.total())


def decomposed_texts(texts: Sequence[InspectedText]) -> Finding | None:
    """Return texts with letters in parts (NFD): conjoining jamo, or marks that Unicode's form NFC writes in one."""
    found = ((row, _part(row.text)) for row in texts if not row.text.isascii())
    cases = [Case("", 1, [place(row, Span(part, part + 1, ""))]) for row, part in found if part is not None]
    return in_order("decomposed_texts", cases, of=len(texts))


def _part(text: str) -> int | None:
    """Return where in a text the first letter in parts is; `None` if there is none."""
    if jamo := CONJOINING.search(text):
        return jamo.start()
    if unicodedata.is_normalized("NFC", text) or len(unicodedata.normalize("NFC", text)) == len(text):
        return None
    return next(place for place, character in enumerate(text) if unicodedata.combining(character))


def character_name(character: str) -> str:
    """Return a character with its number and its name in Unicode."""
    name = unicodedata.name(character, "")
    shown = character if character.isprintable() and not character.isspace() else ""
    return " ".join(filter(None, (shown, f"U+{ord(character):04X}", name)))


def _character_finding(
    kind: str, texts: Sequence[InspectedText], counts: Counter[str], characters: set[str], *, of: int
) -> Finding | None:
    if not characters:
        return None
    often = sorted(characters, key=lambda character: (-counts[character], character))
    hits: dict[str, list[tuple[InspectedText, Span]]] = {character: [] for character in often[:MOST_CASES]}
    for row in texts:
        for character in hits.keys() & set(row.text):
            start = row.text.index(character)
            hits[character].append((row, Span(start, start + 1, "")))
    cases = [
        case(character_name(character), hits[character])._replace(occurrences=counts[character]) for character in hits
    ]
    return Finding(kind, cases, len(often), sum(counts[character] for character in often), of)
