"""Restore the spaces between words with a saved model.

Nothing but spaces (U+0020) can change, whatever the model says, and none within what is not running text in Hangul
(`whole_words`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, overload

import regex

from malmoi.data.word_spacing import BEGIN
from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.batches import text_chunks
from malmoi.inference.text_model import TextModel
from malmoi.inference.token_labels import token_labels
from malmoi.inference.whole_words import SPACE, FixedGaps, WholeWords
from malmoi.modeling.name_edges import INVISIBLE

# U+FEFF may begin a file, and forbids a break anywhere else
WORD = r"[^\s\ufeff]+"
SEGMENT = re.compile(rf"{WORD}(?: +{WORD})*")
"""Words with spaces between them, which is where spaces may change; what lies outside of all segments stays."""


class SpacedText(NamedTuple):
    """A text with its spaces restored.

    Args:
        text: The text.
        offsets: For each of its characters the place of that character in the original; `None` for an inserted space.
        removed: Places of the spaces of the original that are gone.
    """

    text: str
    offsets: list[int | None]
    removed: list[int]


class Spacer(TextModel):
    """Restore spaces. Every other character stays as it is and in its place in the order."""

    task = "word-spacing"

    @overload  # a string is an iterable of strings, too
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, *, keep_spaces: bool = False, keep_words: Iterable[str] = (), batch_size: int = 32
    ) -> SpacedText: ...

    @overload
    def __call__(
        self, texts: Iterable[str], *, keep_spaces: bool = False, keep_words: Iterable[str] = (), batch_size: int = 32
    ) -> list[SpacedText]: ...

    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        keep_spaces: bool = False,
        keep_words: Iterable[str] = (),
        batch_size: int = 32,
    ) -> SpacedText | list[SpacedText]:
        """Return one text with its spaces restored, or a list of several texts; see `space`."""
        several = [texts] if isinstance(texts, str) else texts
        answers = list(self.space(several, keep_spaces=keep_spaces, keep_words=keep_words, batch_size=batch_size))
        return answers[0] if isinstance(texts, str) else answers

    @overload
    def space(
        self, texts: Sequence[str], *, keep_spaces: bool = False, keep_words: Iterable[str] = (), batch_size: int = 32
    ) -> Answers[SpacedText]: ...

    @overload
    def space(
        self, texts: Iterable[str], *, keep_spaces: bool = False, keep_words: Iterable[str] = (), batch_size: int = 32
    ) -> Iterator[SpacedText]: ...

    def space(
        self,
        texts: Iterable[str],
        *,
        keep_spaces: bool = False,
        keep_words: Iterable[str] = (),
        batch_size: int = 32,
    ) -> Iterator[SpacedText]:
        r"""Return each of several texts with its spaces restored, in the order of the texts, one after the other.

        Args:
            texts: The texts, of any length; they may hold line ends, which stay. The answers to a list can also be
                indexed, and stay in memory; whatever else yields texts is answered as a stream, whose memory does not
                grow with their number.
            keep_spaces: Whether the spaces of a text stay where they are and others are only added. Otherwise they are
                decided anew, except those at the beginning and the end of a line and those that `whole_words` names.
            keep_words: Words that stay exactly as they are written in a text, with the spaces in them; one between
                slashes is a regular expression (`/제\d+조/`).
            batch_size: How many lines are answered at once, at most.

        Raises:
            UserError: If what is given are no texts, a single string among them, if a text holds a lone surrogate,
                which is no character, or if a word of `keep_words` is empty or no regular expression.
        """
        whole_words = WholeWords(keep_words)
        return stream_answers(
            lambda checked: self._space(
                checked, keep_spaces=keep_spaces, whole_words=whole_words, batch_size=batch_size
            ),
            texts,
            user="spacer",
            method="space",
            batch_size=batch_size,
        )

    def _space(
        self, texts: Iterable[str], *, keep_spaces: bool, whole_words: WholeWords, batch_size: int
    ) -> Iterator[SpacedText]:
        """Yield each text with its spaces restored."""
        for chunk in text_chunks(texts):
            segments = [[match.span() for match in SEGMENT.finditer(text)] for text in chunk]
            bodies = [
                text[start:end].replace(SPACE, "") for text, spans in zip(chunk, segments) for start, end in spans
            ]
            begins = iter(self._word_begins(bodies, batch_size))
            for text, spans in zip(chunk, segments):
                segments_of_text = [(span, next(begins)) for span in spans]
                yield _respace(text, segments_of_text, whole_words.gaps(text), keep_spaces=keep_spaces)

    def _word_begins(self, bodies: list[str], batch_size: int) -> list[set[int]]:
        """Return, for texts without spaces, which characters begin a word."""
        answers = token_labels(self.engine, bodies, batch_size=batch_size)
        return [
            _before_invisible(
                body,
                {
                    start
                    for label, (start, end) in zip(answer.labels, answer.offsets)
                    if self.labels.get(label) == BEGIN and start < end
                },
            )
            for body, answer in zip(bodies, answers)
        ]


def _before_invisible(body: str, begins: set[int]) -> set[int]:
    """Return where words begin, invisible characters before them included; never within a user-perceived character."""
    starts = grapheme_starts(body)
    begins = begins & starts
    if not INVISIBLE.search(body):
        return begins
    moved = set()
    for begin in begins:
        while begin - 1 in starts and INVISIBLE.match(body[begin - 1]):
            begin -= 1
        moved.add(begin)
    return moved


def grapheme_starts(text: str) -> set[int]:
    """Return where a text may be parted: before every user-perceived character (Unicode, UAX 29)."""
    return {match.start() for match in regex.finditer(r"\X", text)}


def _respace(
    text: str, segments: list[tuple[tuple[int, int], set[int]]], fixed: FixedGaps, *, keep_spaces: bool
) -> SpacedText:
    """Return the text with a space before every character that begins a word.

    Only spaces between two characters of a segment can go, and only between two of them can a space come.

    Args:
        text: The original.
        segments: Start and end of each stretch of words and spaces, and which of its characters, counted without
            spaces, begin a word.
        fixed: Where the writer of the text decides.
        keep_spaces: Whether the spaces of the original stay.
    """
    removed: list[int] = []
    inserted: set[int] = set()
    has_invisible = INVISIBLE.search(text) is not None
    for (start, end), begins in segments:
        places = [index for index in range(start, end) if text[index] != SPACE]
        counts: Sequence[int] = range(len(places))
        if has_invisible:
            counts = [n for n in counts if n in (0, len(places) - 1) or not INVISIBLE.match(text[places[n]])]
        for left, right in pairwise(counts):
            spaces = [index for index in range(places[left] + 1, places[right]) if text[index] == SPACE]
            begin = next((count for count in range(left + 1, right + 1) if count in begins), None)
            if not spaces:
                if begin is not None and places[begin] not in fixed.closed:
                    inserted.add(places[begin])
            elif keep_spaces or not fixed.untouched.isdisjoint(spaces):
                continue
            elif begin is not None or not fixed.open.isdisjoint(spaces):
                removed += spaces[1:]
            else:
                removed += spaces
    gone = set(removed)
    offsets: list[int | None] = []
    for index in range(len(text)):
        if index in inserted:
            offsets.append(None)
        if index not in gone:
            offsets.append(index)
    return SpacedText("".join(SPACE if at is None else text[at] for at in offsets), offsets, removed)
