"""Short texts of a dataset to try a model on, so that a stranger sees what it was made for."""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from datasets import Dataset

EXAMPLES = 5
LONGEST, COMFORTABLE = 200, 30
"""How many characters an example has at most, and about how many are best."""
LOOKED_AT = 2000
"""How many rows of a dataset are looked at, evenly spread."""
SPECIAL = set("\"'`$\\!%^&|<>*?~#;(){}[]")
"""Characters that mean something to one shell or another."""


class Candidate(NamedTuple):
    """A text, its right answer as people write it, and what occurs in it: types of names, its class."""

    text: str
    gold: str
    kinds: frozenset[str]


def some_rows(dataset: Dataset) -> Dataset:
    """Return some rows of a dataset, evenly spread: it may be sorted."""
    return dataset.select(range(0, dataset.num_rows, max(1, dataset.num_rows // LOOKED_AT)))


def choose_examples(candidates: Iterable[Candidate]) -> list[dict[str, str]]:
    """Return a few short and plain texts in which as much as possible of what there is occurs."""
    by_text = {each.text: each for each in candidates if 0 < len(each.text) <= LONGEST and each.text.isprintable()}
    rest = sorted(by_text.values(), key=_awkwardness)
    chosen: list[Candidate] = []
    shown: set[str] = set()
    while rest and len(chosen) < EXAMPLES:
        # the first with something new; once there is none, the first of all
        best = next((each for each in rest if each.kinds - shown), rest[0])
        rest.remove(best)
        chosen.append(best)
        shown |= best.kinds
    return [{"text": each.text, "gold": each.gold} for each in chosen]


def _awkwardness(candidate: Candidate) -> tuple[bool, bool, int]:
    """Return a key that sorts texts: something in it, easy to type and to quote, neither short nor long."""
    symbols = any(
        unicodedata.category(character) in ("So", "Sk", "Mn", "Me", "Cn", "Co") for character in candidate.text
    )
    awkward = symbols or bool(SPECIAL & set(candidate.text)) or candidate.text.startswith("-")
    return not candidate.kinds, awkward, abs(len(candidate.text) - COMFORTABLE)
