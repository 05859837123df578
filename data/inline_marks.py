"""Names written into the sentence, as in `<손흥민:PS>은 <춘천:LC>에서 태어났다`."""

import re
from collections.abc import Iterable

from malmoi.data.alignment import Span

TYPE = r"[A-Z][A-Z0-9_]+"
MARK = re.compile(rf"<([^<>]+):({TYPE})>")
# what was meant as a mark: never closed, never opened, or with a type that is not in capital letters
BROKEN = re.compile(rf"<[^<>\s][^<>]*:{TYPE}(?![A-Za-z0-9_>])|:{TYPE}>|<[^<>]+[:;]\s*\w+>")


def parse_marks(line: str) -> tuple[str, list[Span]]:
    """Return the sentence without its marks, and the names in it.

    Angle brackets that are not part of a mark belong to the text.

    Raises:
        ValueError: If a mark is not closed, not opened or empty.
    """
    text, spans, position = "", [], 0
    for mark in MARK.finditer(line):
        text += line[position : mark.start()]
        spans.append(Span(len(text), len(text) + len(mark[1]), mark[2]))
        text += mark[1]
        position = mark.end()
    rest = MARK.sub("", line)
    if broken := BROKEN.search(rest):
        raise ValueError(f"expected marks of the form <name:TYPE> with TYPE in capital letters, got {broken[0]!r}.")
    return text + line[position:], spans


def write_marks(text: str, spans: Iterable[Span]) -> str:
    """Return the sentence with its names marked."""
    marked, position = "", 0
    for start, end, label in sorted(spans):
        marked += f"{text[position:start]}<{text[start:end]}:{label}>"
        position = end
    return marked + text[position:]
