"""What kinds of mistakes a tagger of names makes in a sentence.

A gold and a predicted name that overlap are one mistake about one name and no two. Pairs are made once for each name:
those with the same characters first, then those of the same type, of these the longest overlap first. What is left
over on either side is missed or invented.
"""

from collections.abc import Sequence
from typing import NamedTuple

from malmoi.data.alignment import Span
from malmoi.data.josa import is_josa

KINDS = ("missed", "invented", "type", "josa", "end", "start", "both_ends", "type_and_ends")
"""The kinds: no such name predicted; no such name in the data; another type; the end differs by what may be a josa;
the end differs by something else; the start differs; both do; type and characters differ."""


class Mistake(NamedTuple):
    """One mistake: the name in the data, the predicted one, and how they differ; one of them may be missing."""

    kind: str
    gold: Span | None
    predicted: Span | None

    def reach(self) -> tuple[int, int]:
        """Return the first character of both names, and the one after the last."""
        names = [name for name in (self.gold, self.predicted) if name is not None]
        return min(name.start for name in names), max(name.end for name in names)


class ComparedNames(NamedTuple):
    """The names of a sentence that are right, and the mistakes in their order."""

    right: list[Span]
    errors: list[Mistake]


def compare_names(text: str, gold: Sequence[Span], predicted: Sequence[Span]) -> ComparedNames:
    """Return what is right and what is wrong in a sentence.

    Args:
        text: The sentence.
        gold: Its names in the data, which do not overlap.
        predicted: Its predicted names, which do not overlap either.
    """
    right = sorted(set(gold) & set(predicted))
    wrong_gold, wrong = (sorted(set(names) - set(right)) for names in (gold, predicted))
    errors = []
    for one, other in _pairs(wrong_gold, wrong):
        wrong_gold.remove(one)
        wrong.remove(other)
        errors.append(Mistake(_kind(text, one, other), one, other))
    errors += [Mistake("missed", name, None) for name in wrong_gold]
    errors += [Mistake("invented", None, name) for name in wrong]
    return ComparedNames(right, sorted(errors, key=Mistake.reach))


def _pairs(gold: Sequence[Span], predicted: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Return gold names with the predicted ones that overlap them, each name once."""
    candidates = []
    start = 0
    for one in gold:
        while start < len(predicted) and predicted[start].end <= one.start:
            start += 1
        for other in predicted[start:]:
            if other.start >= one.end:
                break
            overlap = min(one.end, other.end) - max(one.start, other.start)
            other_characters = (one.start, one.end) != (other.start, other.end)
            candidates.append((other_characters, one.label != other.label, -overlap, one, other))
    pairs, taken_gold, taken = [], set(), set()
    for *_, one, other in sorted(candidates):
        if one not in taken_gold and other not in taken:
            pairs.append((one, other))
            taken_gold.add(one)
            taken.add(other)
    return pairs


def _kind(text: str, gold: Span, predicted: Span) -> str:
    """Return how two names differ that overlap and are not the same."""
    if (gold.start, gold.end) == (predicted.start, predicted.end):
        return "type"
    if gold.label != predicted.label:
        return "type_and_ends"
    if gold.start != predicted.start:
        return "both_ends" if gold.end != predicted.end else "start"
    inner, outer = sorted((gold.end, predicted.end))
    return "josa" if is_josa(text[inner:outer], after=text[gold.start : inner]) else "end"
