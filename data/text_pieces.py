"""Texts of any length, cut into pieces that overlap, before anything else is done with them.

A piece begins and ends at white space, or between two characters as a reader sees them where there is none, so that
its tokens are those of the whole text except near its ends, where other pieces have them with what stands around them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from malmoi.modeling.name_edges import character_starts

REACH = 64
"""How far a cut may move to the left to find white space, at most, in characters."""


class Reading(NamedTuple):
    """How long texts are read.

    Args:
        length: How many characters a piece has, at most. A text that is no longer is read as it is.
        overlap: How many of them it has in common with the piece before, at least, and at most `reach` more. What
            stands in their middle is read with half of them as context on either side.
    """

    length: int
    overlap: int

    @property
    def reach(self) -> int:
        """How far a cut may move to find white space, in characters."""
        return min(REACH, self.length // 16)


class Piece(NamedTuple):
    """A piece of a text.

    Args:
        text: The whole text.
        start: Where the piece begins.
        stop: Where it ends.
    """

    text: str
    start: int
    stop: int

    @property
    def is_last(self) -> bool:
        """Whether the text ends with it."""
        return self.stop == len(self.text)


def text_pieces(text: str, reading: Reading) -> Iterator[Piece]:
    """Yield the pieces of a text, in their order; a text that is short enough is one piece, as it is.

    Args:
        text: The text.
        reading: How long texts are read.

    Raises:
        ValueError: If a piece would share more than a third of its characters with each of its neighbours.
    """
    if reading.overlap < 0 or reading.length < max(1, 3 * reading.overlap):
        raise ValueError(f"A piece must be at least three times as long as what it shares, got {reading}.")
    start = 0
    while len(text) - start > reading.length:
        stop = _cut(text, start + reading.length, reading.reach)
        yield Piece(text, start, stop)
        start = _cut(text, stop - reading.overlap, reading.reach)
    yield Piece(text, start, len(text))


def _cut(text: str, at: int, reach: int) -> int:
    """Return where a text can be parted: at `at`, or up to `reach` characters before.

    The best place is before the white space nearest to `at`, then between two characters. Only a character that is
    longer than `reach`, as none in any language is, is parted itself.
    """
    for place in range(at, at - reach, -1):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    best = at
    for place in character_starts(text, at - reach):
        if place > at:
            break
        best = place
    return best
