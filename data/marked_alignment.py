"""Find the names that a marked sentence, as in `<손흥민:PER>은`, gives to the sentence that it was made from."""

import re
from collections.abc import Collection, Iterator

from malmoi.data.alignment import Span
from malmoi.data.notice import shorten

MARK_END = re.compile(r":(\w+)>")
ANY_MARK = re.compile(r"<.+?:([^<>:]+)>")


def align_marks(sentence: str, marked: str, types: Collection[str]) -> list[Span]:
    """Return the names of the marked sentence, at their places in the sentence.

    The sentence decides which angle brackets are marks and which are text, also within a name: with the sentence
    `<2> 문제`, the name in `<<2>:NOH> 문제` is `<2>`. Where it leaves a choice, as here, brackets that belong together
    stay together.

    Args:
        sentence: The sentence. Names keep the spaces at their edges.
        marked: The same sentence with its names marked as `<name:TYPE>`.
        types: The types that a mark may have.

    Raises:
        ValueError: If a mark has another type, or if no reading of the marks gives the sentence.
    """
    # The ways to read the marks that are still to be followed, the likeliest last. Each is how far the sentence and
    # the marked sentence are read, and the names so far.
    readings: list[tuple[int, int, list[Span]]] = [(0, 0, [])]
    tried: set[tuple[int, int]] = set()
    furthest = (0, 0)
    while readings:
        start, position, spans = readings.pop()
        if (start, position) == (len(sentence), len(marked)):
            return spans
        if (start, position) in tried:
            continue
        tried.add((start, position))
        bracket = marked.find("<", position + 1)
        text = marked[position:] if bracket < 0 else marked[position:bracket]
        agreeing = common_start(text, sentence[start : start + len(text)])
        furthest = max(furthest, (start + agreeing, position + agreeing))
        as_text = [(start + len(text), position + len(text), spans)] if agreeing == len(text) else []
        as_mark = [(span.end, end, [*spans, span]) for span, end in _marks(sentence, start, marked, position, types)]
        balanced = [reading for reading in as_mark if _is_balanced(sentence[start : reading[0]])]
        readings += [*(reading for reading in as_mark if reading not in balanced), *as_text, *balanced]
    raise ValueError(_difference(sentence, marked, furthest, types))


def common_start(left: str, right: str) -> int:
    """Return how many characters two texts share before they differ."""
    shorter = min(len(left), len(right))
    return next((index for index in range(shorter) if left[index] != right[index]), shorter)


def _marks(
    sentence: str, start: int, marked: str, position: int, types: Collection[str]
) -> Iterator[tuple[Span, int]]:
    """Yield the marks that may begin at a position of the marked sentence, with the positions of their ends."""
    if not marked.startswith("<", position):
        return
    for mark_end in MARK_END.finditer(marked, position + 2):
        name = marked[position + 1 : mark_end.start()]
        if not sentence.startswith(name, start):
            return
        if mark_end[1] in types:
            yield Span(start, start + len(name), mark_end[1]), mark_end.end()


def _is_balanced(name: str) -> bool:
    return name.count("<") == name.count(">")


def _difference(sentence: str, marked: str, furthest: tuple[int, int], types: Collection[str]) -> str:
    start, position = furthest
    mark = ANY_MARK.match(marked, position)
    if mark and mark[1] not in types:
        return f"expected marks of the types {', '.join(types)}, got {shorten(mark[1])} in {shorten(mark[0])}."
    return (
        f"expected the sentence with marks <name:TYPE>, but from character {start + 1} on the sentence is "
        f"{sentence[start : start + 20]!r} and the marked sentence {marked[position : position + 20]!r}."
    )
