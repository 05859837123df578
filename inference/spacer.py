"""Restore the spaces between words with a saved model.

Nothing but spaces (U+0020) can change, whatever the model says, and none within what is not running text in Hangul
(`whole_words`).
"""

import re
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import NamedTuple, overload

import regex

from malmoi.data.word_spacing import BEGIN
from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.batches import check_text
from malmoi.inference.freed_memory import give_back_memory
from malmoi.inference.text_model import TextModel
from malmoi.inference.token_labels import labelled_parts
from malmoi.inference.whole_words import SPACE, FixedGaps, WholeWords
from malmoi.modeling.name_edges import INVISIBLE

# U+FEFF may begin a file, and forbids a break anywhere else
LAST_SPACE = 0x3000
BARRIERS = "\ufeff" + "".join(c for c in map(chr, range(LAST_SPACE + 1)) if c.isspace() and c != SPACE)
INSERTED = -1
"""Stands for `None` while offsets are collected."""
LONG = 100_000
"""From how many characters on a list of offsets takes memory that is worth making room for."""
STRETCH = re.compile(f"[^{re.escape(BARRIERS)}]+")
"""Characters and the spaces between them. A single class: a repeated group would take memory for each word."""


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
        ahead: deque[Segment] = deque()
        found = self._word_begins(_bodies(texts, ahead), batch_size)
        text: _Respaced | None = None
        for begins in found:
            segment = ahead.popleft()
            if text is None:
                text = _Respaced(segment.text, whole_words.gaps(segment.text), keep_spaces=keep_spaces)
            text.space(segment.start, segment.end, begins)
            if segment.is_last:
                yield text.spaced()
                text = None

    def _word_begins(self, bodies: Iterable[str], batch_size: int) -> Iterator[bytearray]:
        """Yield, for texts without spaces, 1 for each character that begins a word and 0 for the others."""
        begins = bytearray()
        for text, tokens, is_last in labelled_parts(self.engine, bodies, batch_size=batch_size):
            if not begins:
                begins = bytearray(len(text))
            for label, (start, end) in zip(tokens.labels, tokens.offsets):
                if start < end and self.labels.get(label) == BEGIN:
                    begins[start] = 1
            if is_last:
                yield _before_invisible(text, begins)
                begins = bytearray()


class Segment(NamedTuple):
    """Words with spaces between them, which is where spaces may change; what lies outside of all segments stays.

    Args:
        text: The text.
        start: Where the segment begins.
        end: Where it ends.
        is_last: Whether the text has no other after it.
    """

    text: str
    start: int
    end: int
    is_last: bool


def _bodies(texts: Iterable[str], ahead: deque[Segment]) -> Iterator[str]:
    """Yield the segments of texts without their spaces, and put each into `ahead`; a text has at least one."""
    for text in texts:
        check_text(text)
        last = (0, 0)
        is_first = True
        for start, end in _segments(text):
            if not is_first:
                ahead.append(Segment(text, *last, is_last=False))
                yield text[slice(*last)].replace(SPACE, "")
            last, is_first = (start, end), False
        ahead.append(Segment(text, *last, is_last=True))
        yield text[slice(*last)].replace(SPACE, "")


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each stretch of words and spaces in which spaces may change."""
    for match in STRETCH.finditer(text):
        stretch = match[0]
        words = stretch.strip(SPACE)
        if words:
            start = match.start() + len(stretch) - len(stretch.lstrip(SPACE))
            yield start, start + len(words)


def _before_invisible(body: str, begins: bytearray) -> bytearray:
    """Return where words begin, invisible characters before them included; never within a user-perceived character."""
    moved = bytearray(len(body))
    place = 0  # of the first of the invisible characters before this one
    for match in regex.finditer(r"\X", body):  # user-perceived characters (Unicode, UAX 29)
        start, end = match.span()
        moved[place] |= begins[start]
        if end - start > 1 or not INVISIBLE.match(body[start]):
            place = end
    return moved


class _Respaced:
    """A text that gets a space before every character that begins a word, segment by segment.

    Only spaces between two characters of a segment can go, and only between two of them can a space come.

    Args:
        text: The original.
        fixed: Where the writer of the text decides.
        keep_spaces: Whether the spaces of the original stay.
    """

    def __init__(self, text: str, fixed: FixedGaps, *, keep_spaces: bool):
        self.text = text
        self.fixed = fixed
        self.keep_spaces = keep_spaces
        self._written = StringIO()
        self._offsets = array("q")  # a list of a long text takes four times the memory: it is made when all is read
        self._removed: list[int] = []
        self._copied = 0  # how much of the original has been dealt with

    def space(self, start: int, end: int, begins: bytearray) -> None:
        """Space a segment.

        Args:
            start: Where it begins in the text.
            end: Where it ends.
            begins: Which of its characters, counted without spaces, begin a word.
        """
        text = self.text
        has_invisible = INVISIBLE.search(text, start, end) is not None
        last = len(begins) - 1
        spaces: list[int] = []  # since the last visible character
        begin: int | None = None  # the first character since then that begins a word
        count = -1
        for place in range(start, end):
            if text[place] == SPACE:
                spaces.append(place)
                continue
            count += 1
            if count and begin is None and begins[count]:
                begin = place
            if has_invisible and 0 < count < last and INVISIBLE.match(text[place]):
                continue
            if begin is not None or spaces:
                self._decide(begin, spaces)
                begin, spaces = None, []

    def _decide(self, begin: int | None, spaces: list[int]) -> None:
        """Decide what becomes of the place between two characters.

        Args:
            begin: Where a word begins, if one does.
            spaces: The spaces that are there.
        """
        fixed = self.fixed
        if not spaces:
            if begin is not None and not fixed.closed[begin]:
                self._copy(begin)
                self._written.write(SPACE)
                self._offsets.append(INSERTED)
        elif not self.keep_spaces and not any(fixed.untouched[place] for place in spaces):
            stays = begin is not None or any(fixed.open[place] for place in spaces)
            for place in spaces[1:] if stays else spaces:
                self._copy(place)
                self._removed.append(place)
                self._copied = place + 1

    def _copy(self, stop: int) -> None:
        """Take over what has not been dealt with, up to a place."""
        self._written.write(self.text[self._copied : stop])
        self._offsets.extend(range(self._copied, stop))
        self._copied = stop

    def spaced(self) -> SpacedText:
        """Return the whole text."""
        self._copy(len(self.text))
        if len(self.text) > LONG:
            give_back_memory()
        offsets = [None if place == INSERTED else place for place in self._offsets]
        return SpacedText(self._written.getvalue(), offsets, self._removed)
