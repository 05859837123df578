r"""Read JSON piece by piece and strictly, and say where something is wrong.

Strictly: a key stands once in an object, `NaN` and `Infinity` are no numbers, and half a character (`\ud83d` without
its second half) is no text.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from malmoi.data.nested_rows import advice_on_nested_rows
from malmoi.data.notice import shorten
from malmoi.data.text_lines import DataFormatError, read_lines, read_pieces

HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
SPACE = re.compile(r"[ \t\n\r\ufeff]*")
"""What may stand between values; byte order marks, too, which are in the middle where files were put together."""
MAX_DIGITS = 1000
KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
SHOWN = 100
"""How many characters a message shows at most; also more than a number or word that a piece cuts off can lack."""
PEEKED = 1 << 22
"""How many bytes of a file are read to tell its format."""


def kind_of(value: object) -> str:
    """Return what a value of JSON is, as a message says it, such as `a list`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"the number {shorten(str(value))}"
    return KINDS.get(type(value), type(value).__name__)  # the latter in Python alone


class JsonText:
    """A text in JSON and a position in it.

    Args:
        text: The text, or its pieces: of these no more is kept than the value that is being read.
        path: Where it comes from, for messages.
        line: The number of its first line there.
    """

    def __init__(self, text: str | Iterator[str], path: Path | str, *, line: int = 1):
        self._text, self._more = (text, iter(())) if isinstance(text, str) else ("", text)
        self._path = path
        self._position = 0
        self._line, self._counted = line, 0
        self._before = 0  # so many characters of the first line in `_text` are kept no longer

    @property
    def line(self) -> int:
        """The number of the line at the position."""
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = self._position
        return self._line

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            self._position = SPACE.match(self._text, self._position).end()  # type: ignore[union-attr]  # always matches
            if len(self._text) - self._position >= SHOWN or not self._read_on():
                return self._text[self._position : self._position + 1]

    def _read_on(self) -> bool:
        """Let go of what was read, and take as much again as is left; tell whether there was more."""
        pieces, missing = [], max(len(self._text) - self._position, 1)
        for piece in self._more:
            pieces.append(piece)
            missing -= len(piece)
            if missing <= 0:
                break
        if not pieces:
            return False
        self._line = self.line
        end_of_line = self._text.rfind("\n", 0, self._position)
        self._before = self._position - end_of_line - 1 + (self._before if end_of_line < 0 else 0)
        self._text = "".join([self._text[self._position :], *pieces])
        self._position = self._counted = 0
        return True

    def value(self) -> Any:
        """Return the next value.

        Raises:
            DataFormatError: If there is none.
        """
        self.peek()
        while True:
            start = self._position
            try:
                found, end = DECODER.raw_decode(self._text, start)
                if isinstance(found, (int, float)) and len(self._text) - end < SHOWN and self._read_on():
                    continue  # its digits may go on
                self._position = end
                if HALF_CHARACTER.search(self._text, start, end):
                    json.dumps(found, ensure_ascii=False).encode()
                return found
            except json.JSONDecodeError as error:
                is_cut = error.pos > len(self._text) - SHOWN or error.msg.startswith("Unterminated string")
                if is_cut and self._read_on():
                    continue
                self._refuse_value(error)
            except UnicodeEncodeError:
                self._position = start
                self._refuse(r"expected whole characters, but a text holds half of one, such as \ud83d alone.")
            except RecursionError:
                self._refuse("expected JSON, but its brackets are nested too deeply.")
            except ValueError as error:
                self._refuse(f"expected JSON, but {error}.")

    def _refuse_value(self, error: json.JSONDecodeError) -> NoReturn:
        line = self.line + self._text.count("\n", self._position, error.pos)
        end_of_line = self._text.rfind("\n", 0, error.pos)
        place = error.pos - end_of_line + (self._before if end_of_line < 0 else 0)
        raise DataFormatError(
            self._path, line, f"expected JSON, but at character {place} of the line: {error.msg}."
        ) from None

    def elements(self) -> Iterator[None]:
        """Go to each element of the list that is next; the caller reads it before the next step."""
        self._take("[", "a list")
        if self.peek() != "]":
            yield
            while self.peek() == ",":
                self._position += 1
                yield
        self._take("]", "a comma or the end of the list")

    def members(self) -> Iterator[str]:
        """Go to each value of the object that is next, by its key; the caller reads the value before the next step."""
        self._take("{", "an object")
        keys: set[str] = set()
        while self.peek() != "}":
            if keys:
                self._take(",", "a comma or the end of the object")
            if self.peek() != '"':
                self._refuse("expected JSON, but a key without quotes is found.")
            key = self.value()
            if key in keys:
                self._refuse(f"expected JSON, but {_repeated(key)}.")
            keys.add(key)
            self._take(":", "a colon")
            yield key
        self._position += 1

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            DataFormatError: If something does.
        """
        if self.peek():
            self._refuse(f"expected the end, but more follows: {shorten(self._text[self._position :][:80])}.")

    def _take(self, sign: str, called: str) -> None:
        if self.peek() != sign:
            found = self._text[self._position : self._position + 20]
            self._refuse(f"expected {called}, got {shorten(found) if found else 'the end of the file'}.")
        self._position += 1

    def _refuse(self, message: str) -> NoReturn:
        raise DataFormatError(self._path, self.line, message) from None


def read_json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file that has one on each line, or one list of them, with the lines where they begin.

    Empty lines are skipped.

    Raises:
        DataFormatError: If the file holds anything else.
    """
    text = JsonText(read_pieces(path), path)
    if text.peek() == "[":  # all may stand on one line
        yield from _objects_of_list(text, path)
        return
    lines = read_lines(path)
    for number, line in lines:
        if line.lstrip().startswith("["):
            pieces = itertools.chain([line], (f"\n{rest}" for _, rest in lines))
            yield from _objects_of_list(JsonText(pieces, path, line=number), path)
        elif line.strip():
            text = JsonText(line, path, line=number)
            try:
                row = _object(path, number, text.value())
            except DataFormatError as error:
                if not _ends_early(line):
                    raise
                advice = advice_on_nested_rows(first_object(path)) or "; `jq -c . OLD > NEW` writes each in one"
                raise DataFormatError(
                    path, number, f"{error.message} The object does not end in its line{advice}."
                ) from None
            text.end()
            yield number, row


def _ends_early(line: str) -> bool:
    """Tell whether a line is the beginning of an object that goes on in the next ones."""
    beginning = line.strip()
    try:
        DECODER.raw_decode(beginning)
    except json.JSONDecodeError as error:
        # before a comma at the end, which some versions of Python point at
        return beginning.startswith("{") and error.pos >= len(beginning) - 1
    except (ValueError, RecursionError):
        pass
    return False


def _objects_of_list(text: JsonText, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for _ in text.elements():
        text.peek()
        line = text.line
        yield line, _object(path, line, text.value())
    text.end()


def _object(path: Path, line: int, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataFormatError(
            path, line, f"expected a JSON object on each line, or one list of objects, got {kind_of(value)}."
        )
    return value


def first_object(path: Path) -> dict[str, Any] | None:
    """Return the first object of a file, or of the list that it holds; `None` if it does not begin with one."""
    beginning = first_characters(path).lstrip()
    try:
        value = JsonText(beginning.removeprefix("["), path).value()
    except DataFormatError:
        return None
    return value if isinstance(value, dict) else None


def holds_one_object(path: Path) -> bool:
    """Tell whether a file holds an object and nothing behind it; as far as can be seen from its beginning."""
    text = JsonText(first_characters(path), path)
    if text.peek() != "{":
        return False
    with suppress(DataFormatError):  # it goes on behind the beginning, or is none at all
        text.value()
        return not text.peek()
    return True


def first_characters(path: Path) -> str:
    """Return the beginning of a file, as far as formats are told by it."""
    try:
        with path.open("rb") as file:
            return file.read(PEEKED).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object of JSON, as its decoder takes them.

    Raises:
        ValueError: If a key stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(_repeated(next(key for key, count in counts.items() if count > 1)))
    return found


def _repeated(key: str) -> str:
    return f"the key {shorten(key)} stands twice in an object"


def bounded_number(digits: str) -> int:
    """Return a whole number: reading one takes time that grows with the square of its digits.

    Raises:
        ValueError: If it has more than a thousand.
    """
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


DECODER = json.JSONDecoder(object_pairs_hook=unique_keys, parse_int=bounded_number, parse_constant=_no_constant)
