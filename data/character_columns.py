"""A sentence as columns: one character a line and its BIO tag after a tab, a space as any other."""

from collections.abc import Iterable

from malmoi.data.alignment import Span, spans_to_tags
from malmoi.data.notice import shorten
from malmoi.modeling.name_edges import CHARACTER

HEAD = "# one character a line, a tab, and its tag\n"
"""The first line, which also keeps an invisible character at the beginning of a text from being that of a file."""
UNWRITABLE = {"\t": "a tab", "\n": "a line feed", "\r": "a carriage return", "\0": "a NUL"}


def column_fault(text: str, spans: Iterable[Span]) -> str | None:
    """Return why a sentence with a character cannot be written as columns; `None` if it can.

    Args:
        text: The sentence.
        spans: The names in it.
    """
    labels = [span.label for span in spans]
    for written, what in ((text, "its text"), *((label, f"its type {shorten(label)}") for label in labels)):
        for character, name in UNWRITABLE.items():
            if character in written:
                return f"{what} has {name}"
    for label in labels:
        if label != label.strip():
            return f"a space is at the edge of its type {shorten(label)}"
    return None


def character_columns(text: str, spans: list[Span]) -> str:
    """Return the lines of a sentence, each with one character as a reader sees it, and an empty line.

    Args:
        text: The sentence.
        spans: The names in it.
    """
    tags = spans_to_tags(spans, len(text))
    edges = {edge for span in spans for edge in span[:2]}
    lines = []
    for match in CHARACTER.finditer(text):
        start = match.start()
        # a name that begins or ends inside a character parts it
        for end in [*(edge for edge in range(start + 1, match.end()) if edge in edges), match.end()]:
            lines.append(f"{text[start:end]}\t{tags[start]}\n")
            start = end
    return "".join([*lines, "\n"])
