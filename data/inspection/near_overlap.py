"""Texts of one split that stand in another nearly word for word.

A text is nearly the same as another if that one holds at least 80 % of its different sequences of eight letters and
digits. Texts with fewer than 13 of them, as 20 letters have if nothing is repeated, are left out: a longer one may
hold them by chance.

Comparing all with all is never needed. Of `n` sequences a text must share `ceil(0.8 n)`, so whatever shares enough has
one of any `n - ceil(0.8 n) + 1` of them; looked up are those that occur in the fewest texts (prefix filtering;
Chaudhuri, Ganti and Kaushik, 2006, https://doi.org/10.1109/ICDE.2006.9).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from malmoi.data.inspection.findings import Case, Finding, in_order, place
from malmoi.data.inspection.inspected_text import InspectedText
from malmoi.data.inspection.summaries import by_split

GRAM = 8
"""Characters of a sequence."""
SHARE = 0.8
"""So much of its sequences another text holds."""
FEWEST = 13
"""A text with fewer different sequences is left out."""
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""Mixes characters into a hash of 64 bits: any large odd number does."""

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


class Pair(NamedTuple):
    """A text and one that holds most of it, by their numbers."""

    text: int
    other: int
    share: float


class Grams(NamedTuple):
    """The different sequences of texts: those of text `i` are `hashes[starts[i]:starts[i + 1]]`, in order."""

    hashes: Hashes
    starts: Numbers

    def of(self, text: int) -> Hashes:
        """Return those of one text."""
        return self.hashes[self.starts[text] : self.starts[text + 1]]


def nearly_same_texts(texts: Sequence[InspectedText], content: Sequence[str]) -> list[Finding]:
    """Return the texts of each later split that nearly stand in an earlier one, but not quite.

    Args:
        texts: The texts.
        content: The letters and digits of each.
    """
    rows: dict[str, list[tuple[InspectedText, str]]] = {split: [] for split in by_split(texts)}
    for row, same in zip(texts, content):
        rows[row.split].append((row, same))
    findings = []
    for learned, judged in combinations(rows, 2):
        known = {same for _, same in rows[learned]}
        new = [(row, same) for row, same in rows[judged] if same not in known]
        pairs = nearest([same for _, same in new], [same for _, same in rows[learned]])
        cases = [
            Case("", 1, [place(new[i][0]), place(rows[learned][j][0])], numbers={"share": math.floor(100 * share)})
            for i, j, share in sorted(pairs, key=lambda pair: (-pair.share, pair.text))
        ]
        finding = in_order("nearly_same_texts", cases, of=len(rows[judged]), about=f"{judged}, {learned}")
        findings += [finding] if finding else []
    return findings


def nearest(texts: Sequence[str], others: Sequence[str]) -> list[Pair]:
    """Return for each text the one that holds most of it, if it holds enough; the first of several."""
    ours, theirs = _grams(texts), _grams(others)
    order = np.argsort(theirs.hashes, kind="stable")
    postings = theirs.hashes[order]
    owners = np.repeat(np.arange(len(others)), np.diff(theirs.starts))[order]
    first = np.searchsorted(postings, ours.hashes, side="left")
    last = np.searchsorted(postings, ours.hashes, side="right")
    pairs = []
    for text, candidates, needed in _candidates(ours, owners, first, last):
        grams = ours.of(text)
        shared = [_count_shared(grams, theirs.of(other)) for other in candidates]
        best = int(np.argmax(shared))
        if shared[best] >= needed:
            pairs.append(Pair(text, int(candidates[best]), shared[best] / len(grams)))
    return pairs


def _candidates(ours: Grams, owners: Numbers, first: Numbers, last: Numbers) -> Iterator[tuple[int, Numbers, int]]:
    """Yield each text that may have a neighbour, the numbers of those that may be it, and how much they must share."""
    for text in range(len(ours.starts) - 1):
        start, end = ours.starts[text], ours.starts[text + 1]
        count = int(end - start)
        if count < FEWEST:
            continue
        needed = math.ceil(SHARE * count)
        occurrences = last[start:end] - first[start:end]
        if np.count_nonzero(occurrences) < needed:
            continue
        rarest = np.argsort(occurrences, kind="stable")[: count - needed + 1] + start
        found = [owners[first[gram] : last[gram]] for gram in rarest if last[gram] > first[gram]]
        if found:
            yield text, np.unique(np.concatenate(found)), needed


def _count_shared(ours: Hashes, theirs: Hashes) -> int:
    places = np.searchsorted(theirs, ours)
    places[places == len(theirs)] = 0
    return int(np.count_nonzero(theirs[places] == ours))


def _grams(texts: Sequence[str]) -> Grams:
    """Return the hashes of the sequences of each text, in order and each once."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    if len(codes) < GRAM:
        return Grams(np.empty(0, np.uint64), np.zeros(len(texts) + 1, np.int64))
    hashes = np.zeros(len(codes) - GRAM + 1, np.uint64)
    for position in range(GRAM):
        hashes = (hashes + codes[position : position + len(hashes)]) * MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    within = owner[: len(hashes)] == owner[GRAM - 1 :]
    hashes, owner = hashes[within], owner[: len(hashes)][within]
    order = np.lexsort((hashes, owner))
    hashes, owner = hashes[order], owner[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owner[1:] != owner[:-1])
    counts = np.bincount(owner[new], minlength=len(texts))
    return Grams(hashes[new], np.concatenate([[0], np.cumsum(counts)]))
