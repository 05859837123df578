"""Which of many texts a model would learn most from: those of which it is least sure, of every kind, none twice.

The texts come one by one and may be any number. For every kind the least sure ones are kept, as many as are wanted in
all, so that memory depends on that number alone.

Of texts that are nearly the same the one stays of which the model is least sure: two are if at least half of the
sequences of four letters or digits that either has are in both. Digits count as one, so that a weather report of every
day is one text.
"""

import re
from collections import Counter
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import zip_longest
from typing import Generic, NamedTuple, TypeVar

from malmoi.data.text_content import letters_and_digits

GRAM = 4
"""Letters or digits of a sequence."""
SHARE = 0.5
"""Two texts are nearly the same if they have so much of their sequences in common."""
DIGIT = re.compile(r"\d")

Answer = TypeVar("Answer")


class Candidate(NamedTuple, Generic[Answer]):
    """A text that may be chosen.

    Args:
        number: Which of the texts it is, counted from 0.
        text: The text.
        kind: What it is a text of; kinds are to be chosen alike.
        doubt: How unsure the model is of its answer, of whatever scale; more is less sure.
        answer: Its answer.
    """

    number: int
    text: str
    kind: str
    doubt: float
    answer: Answer


class Shortlist(Generic[Answer]):
    """The texts that are worth choosing among those that have come so far.

    Args:
        count: How many are to be chosen.
    """

    def __init__(self, count: int):
        self._count = count
        self._candidates: dict[int, Candidate[Answer]] = {}
        self._grams: dict[int, frozenset[str]] = {}
        self._having: dict[str, set[int]] = {}
        # by kind: doubt and number of each text, the surest first and of equals the last; of some that are gone, too
        self._heaps: dict[str, list[tuple[float, int]]] = {}
        self._of_kind: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many texts are kept, of all kinds."""
        return len(self._candidates)

    def add(self, candidate: Candidate[Answer]) -> None:
        """Take a text, if it is worth it; a surer one then goes for which there is no room, or which it resembles."""
        heap = self._heaps.setdefault(candidate.kind, [])
        is_full = self._of_kind[candidate.kind] == self._count
        if is_full and (candidate.doubt, -candidate.number) <= self._surest(candidate.kind):
            return
        grams = text_grams(candidate.text)
        similar = [self._candidates[number] for number in self._nearly_same(grams)]
        if any((other.doubt, -other.number) >= (candidate.doubt, -candidate.number) for other in similar):
            return
        for other in similar:
            self._remove(other.number)
        self._candidates[candidate.number], self._grams[candidate.number] = candidate, grams
        for gram in grams:
            self._having.setdefault(gram, set()).add(candidate.number)
        heappush(heap, (candidate.doubt, -candidate.number))
        self._of_kind[candidate.kind] += 1
        if self._of_kind[candidate.kind] > self._count:
            self._remove(-self._surest(candidate.kind)[1])
        if len(heap) > 2 * self._count:
            heap[:] = [entry for entry in heap if -entry[1] in self._candidates]
            heapify(heap)

    def chosen(self) -> list[Candidate[Answer]]:
        """Return the texts to choose, at most as many as are wanted: of each kind the least sure one, then the next.

        The first one is the least sure of all, so that who stops early has labelled the best ones of every kind.
        """
        kinds: dict[str, list[Candidate[Answer]]] = {}
        for candidate in sorted(self._candidates.values(), key=lambda each: (-each.doubt, each.number)):
            kinds.setdefault(candidate.kind, []).append(candidate)
        in_turn = (candidate for turn in zip_longest(*kinds.values()) for candidate in turn if candidate is not None)
        return [candidate for candidate, _ in zip(in_turn, range(self._count))]

    def _surest(self, kind: str) -> tuple[float, int]:
        """Return the entry of the surest text of a kind of which there are any."""
        heap = self._heaps[kind]
        while -heap[0][1] not in self._candidates:
            heappop(heap)
        return heap[0]

    def _nearly_same(self, grams: frozenset[str]) -> Iterator[int]:
        """Yield the numbers of the texts that nearly are the one with these sequences."""
        shared = Counter(number for gram in grams for number in self._having.get(gram, ()))
        for number, count in shared.items():
            if count >= SHARE * (len(grams) + len(self._grams[number]) - count):
                yield number

    def _remove(self, number: int) -> None:
        """Forget a text; its entry in the heap stays until it is the surest one."""
        candidate = self._candidates.pop(number)
        self._of_kind[candidate.kind] -= 1
        for gram in self._grams.pop(number):
            having = self._having[gram]
            having.discard(number)
            if not having:
                del self._having[gram]


def text_grams(text: str) -> frozenset[str]:
    """Return the sequences of letters and digits by which a text is compared; of a short text it is one, all of it."""
    content = DIGIT.sub("0", letters_and_digits(text))
    return frozenset(content[start : start + GRAM] for start in range(max(len(content) - GRAM + 1, 1)))
