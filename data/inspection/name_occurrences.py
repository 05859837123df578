"""Where a name that is marked elsewhere stands without a mark, or with a mark on a part of it.

A name is looked for where a word begins: at the beginning of an eojeol, or after a sign. It is there if nothing that
belongs to the word follows it, or a josa does. Of several the longest counts. Names of one character are left out.
"""

from collections.abc import Iterator, Sequence

from malmoi.data.alignment import Span
from malmoi.data.inspection.findings import Case, Finding, case, in_order
from malmoi.data.inspection.inspected_text import InspectedText
from malmoi.data.inspection.name_types import Hits, count_types
from malmoi.data.josa import is_josa

BEGINNING = 2
"""Names are looked up by so many characters; shorter ones are left out."""


def unmarked_and_half_names(texts: Sequence[InspectedText], names: Hits) -> list[Finding]:
    """Return the names that stand somewhere without a mark, and marks that cover a part of a name.

    Both are ranked by how often the name is marked, times the share of its places at which it is: at the top are names
    that are nearly always marked.

    Args:
        texts: The texts.
        names: The places of each name, by what it is.
    """
    unmarked: Hits = {}
    halves: Hits = {}
    for row, span in _occurrences(texts, names):
        touching = [mark for mark in row.names if mark.start < span.end and span.start < mark.end]
        if not touching:
            unmarked.setdefault(row.text[span.start : span.end], []).append((row, span))
        elif (
            all(span.start <= mark.start and mark.end <= span.end for mark in touching) and span[:2] != touching[0][:2]
        ):
            mark = touching[0]
            halves.setdefault(row.text[span.start : span.end], []).append((row, mark))
    num_marks = sum(map(len, names.values()))
    findings = (
        in_order("unmarked_names", _by_marks(unmarked, names), of=num_marks),
        in_order("half_names", _by_marks(halves, names), of=num_marks),
    )
    return [finding for finding in findings if finding is not None]


def _by_marks(found: Hits, names: Hits) -> list[Case]:
    weights = {name: len(names[name]) ** 2 / (len(names[name]) + len(hits)) for name, hits in found.items()}
    return [
        case(name, found[name], types=count_types(names[name]))
        for name in sorted(found, key=lambda name: (-weights[name], name))
    ]


def _occurrences(texts: Sequence[InspectedText], names: Hits) -> Iterator[tuple[InspectedText, Span]]:
    """Yield where names stand as whole words, marked or not."""
    lengths: dict[str, list[int]] = {}
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= BEGINNING and name[0].isalnum():
            of_beginning = lengths.setdefault(name[:BEGINNING], [])
            if len(name) not in of_beginning:
                of_beginning.append(len(name))
    for row in texts:
        text, end, in_word = row.text, 0, False
        for start, character in enumerate(text):
            begins, in_word = not in_word and start >= end, character.isalnum()
            if not (begins and in_word):
                continue
            for length in lengths.get(text[start : start + BEGINNING], ()):
                name = text[start : start + length]
                if len(name) == length and name in names and _ends_word(name, text, start + length):
                    end = start + length
                    yield row, Span(start, end, "")
                    break


def _ends_word(name: str, text: str, position: int) -> bool:
    """Tell whether a word ends at a position of a text, or a josa of it begins there and nothing follows that."""
    end = position
    while end < len(text) and text[end].isalnum():
        end += 1
    return end == position or (end - position < len(name) + 8 and is_josa(text[position:end], after=name))
