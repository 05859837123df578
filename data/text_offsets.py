"""Where names stand in a text, as files say it: in whole numbers of characters, with what stands there to compare."""

import unicodedata
from pathlib import Path

from malmoi.data.alignment import Span
from malmoi.data.json_text import kind_of
from malmoi.data.notice import shorten
from malmoi.data.text_lines import DataFormatError


def span_within(
    text: str, start: object, end: object, label: object, *, path: Path | str, line: int | None, name: object = None
) -> Span:
    """Return a name of a text.

    Args:
        text: The text.
        start: Its first character, counted from 0.
        end: The character behind its last one.
        label: Its type.
        path: The file that says so, for messages.
        line: The line there.
        name: What the file says that the name is; `None` if it does not say.

    Raises:
        DataFormatError: If these are no whole numbers within the text, the type is no text, or another name is there.
    """
    if not isinstance(label, str) or not label.strip():
        got = "an empty one" if isinstance(label, str) else kind_of(label)
        raise DataFormatError(path, line, f"expected a type as text for each name, got {got}.")
    start, end = _whole_number(start), _whole_number(end)
    for offset in (start, end):
        if not isinstance(offset, int) or isinstance(offset, bool):
            raise DataFormatError(
                path, line, f"expected a whole number where {label} begins and ends, got {kind_of(offset)}."
            )
    assert isinstance(start, int)
    assert isinstance(end, int)
    if not 0 <= start < end <= len(text):
        raise DataFormatError(
            path,
            line,
            f"expected a name within the text of {counted_characters(text)}, got {label} from {start} to {end}"
            f"{_other_unit(text, start, end, None)}.",
        )
    if isinstance(name, str) and not is_same_text(text[start:end], name):
        raise DataFormatError(
            path,
            line,
            f"expected the {label} {shorten(name)} from {start} to {end}, but the text has "
            f"{shorten(text[start:end])} there{_other_unit(text, start, end, name)}.",
        )
    return Span(start, end, label)


def _whole_number(value: object) -> object:
    """Return a number as a whole one if it is one: R writes 100000 as `1e+05`, and pandas 3 as `3.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_same_text(text: str, other: str) -> bool:
    """Tell whether two texts are the same characters, which Unicode may write in one or in parts."""
    return text == other or unicodedata.normalize("NFC", text) == unicodedata.normalize("NFC", other)


def counted_characters(text: str) -> str:
    """Return how long a text is, in words."""
    return f"{len(text)} character{'' if len(text) == 1 else 's'}"


def _other_unit(text: str, start: int, end: int, name: str | None) -> str:
    """Return the end of a remark on what may have been counted instead of characters, if it fits."""
    for encoding, width, counted in (
        ("utf-16-le", 2, "units of UTF-16, in which an emoji is two, as JavaScript and Java count"),
        ("utf-8", 1, "bytes"),
    ):
        units = text.encode(encoding)
        if not 0 <= start < end <= len(units) // width or len(units) // width == len(text):
            continue
        try:
            before, found = (units[a * width : b * width].decode(encoding) for a, b in ((0, start), (start, end)))
        except UnicodeDecodeError:
            continue
        if name is None or is_same_text(found, name):
            return (
                f"; these seem to be {counted}: in characters it is {found and shorten(found)} from {len(before)} to "
                f"{len(before) + len(found)}"
            )
    return ""
