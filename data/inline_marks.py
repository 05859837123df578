r"""Names written into the sentence, as in `<손흥민:PS>은 <춘천:LC>에서 태어났다`.

A mark is `<name:TYPE>`. The type is what follows the last colon; it begins and ends with a letter or a digit and has
at least one letter. Spaces at the edges of the name stay in the text but do not belong to the name.

Other angle brackets are text, as in `1 < 2`, `>▽<` and `<12:30>`. What only looks like a mark is refused, for names
would be lost in silence:

- a colon or semicolon, also of full width, in brackets without a type after it: `<춘천: LC>`, `<춘천;LC>`,
  `<춘천：LC>`, `<:PS>`, `<손흥민:1>`,
- a type in capital letters, or one that the corpus has elsewhere, whose mark is not closed (`<효진:PS 역`) or not
  opened (`효진:PS>은`).

A backslash before a bracket makes it text: `\<사진:연합뉴스>`. It does so only before a bracket that may be part of a
mark: before `<`, if a colon or semicolon and a letter follow before the next bracket, or a backslash stands before
that one; before `>`, if a colon and what may be a type stand before it. There a backslash of the text is doubled,
everywhere else it is itself. Within a mark a backslash makes `<`, `>`, `:`, a space or a backslash part of the name,
and any character part of the type.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from malmoi.data.alignment import Span
from malmoi.data.notice import shorten

IN_NAME = r"(?:\\[<>:\\\s]|[^<>\\]|\\(?![<>:\\\s]))"
MARK = re.compile(rf"<({IN_NAME}+):((?:\\.|[^<>:\\])+)>", re.DOTALL)
ESCAPED_IN_NAME = re.compile(r"\\([<>:\\\s])")
BRACKET = re.compile(r"(\\*)([<>])")
BRACKET_SIGN = re.compile(r"[<>]")
COLONS = ":;：；"
"""What people write for the colon of a mark, those of full width by keyboards of East Asia."""
LETTER = re.compile(r"[^\W\d_]")
CAPITALS = r"[A-Z][A-Z0-9_]+"
NO_TYPES: frozenset[str] = frozenset()


def parse_marks(line: str, *, types: frozenset[str] = NO_TYPES) -> tuple[str, list[Span]]:
    """Return the sentence without its marks, and the names in it.

    Args:
        line: The sentence with its marks.
        types: Types that the corpus has: one of them in a mark that is not closed or not opened is refused.

    Raises:
        ValueError: If something looks like a mark and is none.
    """
    text, spans = "", []
    position = 0
    before = ""  # the bracket before this position, if it is text
    while bracket := BRACKET.search(line, position):
        backslashes, sign = bracket[1], bracket[2]
        chunk = line[position : bracket.start()]
        position = bracket.end()
        following = _up_to_bracket(line, position)
        text += chunk
        if not (_may_open(following) if sign == "<" else _may_close(chunk)):
            text += backslashes + sign
        else:
            text += "\\" * (len(backslashes) // 2)
            if len(backslashes) % 2 == 0 and sign == "<":
                mark = MARK.match(line, position - 1)
                if mark and (label := _read_type(mark[2])) and (name := _read_name(mark[1])):
                    start = len(text) + len(name[0])
                    spans.append(Span(start, start + len(name[1]), label))
                    text += "".join(name)
                    position, before = mark.end(), ""
                    continue
                _check_opening(following, closed=line.startswith(">", position + len(following)), types=types)
            elif len(backslashes) % 2 == 0 and before != "<":
                _check_closing(chunk, types)
            text += sign
        before = sign
    return text + line[position:], spans


def write_marks(text: str, spans: Iterable[Span]) -> str:
    """Return the sentence with its names marked, so that `parse_marks` gives both again.

    Raises:
        ValueError: If a name or a type is empty.
    """
    marked, position = "", 0
    for start, end, label in sorted(spans):
        if start == end or not label:
            raise ValueError(f"A mark needs a name and a type, got {text[start:end]!r} of type {label!r}.")
        marked += _escape_text(text[position:start], before_mark=True)
        marked += f"<{_escape_name(text[start:end])}:{_escape_type(label)}>"
        position = end
    return marked + _escape_text(text[position:], before_mark=False)


def _up_to_bracket(line: str, position: int) -> str:
    bracket = BRACKET_SIGN.search(line, position)
    return line[position : bracket.start() if bracket else len(line)]


def _may_open(following: str) -> bool:
    """Tell whether `<` may be part of a mark, by what stands between it and the next bracket."""
    if following.endswith("\\"):
        return True
    return any(colon in following for colon in COLONS) and ("\\" in following or LETTER.search(following) is not None)


def _may_close(chunk: str) -> bool:
    """Tell whether `>` may be part of a mark, by what stands between it and the bracket before."""
    _, colon, label = chunk.rpartition(":")
    return bool(colon) and label == label.strip() and LETTER.search(label) is not None


def _is_plain_type(label: str) -> bool:
    """Tell whether a type is one as it stands, without a backslash."""
    plain = label[:1].isalnum() and label[-1:].isalnum() and LETTER.search(label)
    return bool(plain) and not set(label) & set("<>:\\")


def _read_name(written: str) -> tuple[str, str, str] | None:
    """Return the spaces before a name, the name and the spaces after it; `None` if there is no name."""
    stripped = written.lstrip()
    before = written[: len(written) - len(stripped)]
    name = stripped.rstrip()
    after = stripped[len(name) :]
    if after and (len(name) - len(name.rstrip("\\"))) % 2:
        name, after = name + after[0], after[1:]
    return (before, ESCAPED_IN_NAME.sub(r"\1", name), after) if name else None


def _read_type(written: str) -> str | None:
    if "\\" in written:
        return re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL)
    return written if _is_plain_type(written) else None


def _check_opening(following: str, *, closed: bool, types: frozenset[str]) -> None:
    end = max(map(following.rfind, COLONS))
    label = following[end + 1 :]
    is_broken = re.search(rf"^\S.*(?<!\s):{CAPITALS}(?![A-Za-z0-9_])", following) is not None
    is_broken |= _known_type(types, after=r"(?![A-Za-z0-9_-])").search(following) is not None
    if closed and end >= 0:
        is_word = re.fullmatch(r"\s*\w+", label) is not None
        # digits on both sides of a colon are a time, a score or a ratio
        is_ratio = following[:end][-1:].isdigit() and label.strip().isdigit()
        is_broken |= (is_word and not is_ratio) or (following[end] == ":" and _may_close(following))
    if is_broken:
        raise _not_a_mark("<" + following + (">" if closed else ""))


def _check_closing(chunk: str, types: frozenset[str]) -> None:
    if re.search(rf":{CAPITALS}$", chunk) or _known_type(types, after="$").search(chunk):
        raise _not_a_mark(chunk[-20:] + ">")


@lru_cache
def _known_type(types: frozenset[str], *, after: str) -> re.Pattern[str]:
    names = sorted(filter(_is_plain_type, types), key=len, reverse=True)
    return re.compile(rf":\s*(?:{'|'.join(map(re.escape, names))}){after}" if names else r"(?!)")


def _not_a_mark(found: str) -> ValueError:
    return ValueError(
        "expected marks of the form <name:TYPE>, whose TYPE begins and ends with a letter or a digit and has a letter "
        f"in it, got {shorten(found)}; a bracket that is text has a backslash before it."
    )


def _escape_text(text: str, *, before_mark: bool) -> str:
    """Put backslashes before the brackets of a text without names that may be part of a mark.

    From its end to its start, for a backslash before a bracket makes the bracket before that one ambiguous too.
    """
    parts: list[str] = []
    brackets = list(BRACKET.finditer(text))
    following = text[brackets[-1].end() if brackets else 0 :]
    if before_mark:
        stripped = following.rstrip("\\")
        following = stripped + "\\" * (2 * (len(following) - len(stripped)))
    parts.append(following)
    for index in reversed(range(len(brackets))):
        backslashes, sign = brackets[index][1], brackets[index][2]
        start = brackets[index - 1].end() if index else 0
        before = brackets[index - 1][2] if index else ""
        chunk = text[start : brackets[index].start()]
        if _may_open(following) if sign == "<" else _may_close(chunk):
            backslashes *= 2
            backslashes += "\\" if sign == "<" or before != "<" else ""
        following = chunk + backslashes
        parts += [sign, following]
    return "".join(reversed(parts))


def _escape_name(name: str) -> str:
    escaped = ""
    for index, character in enumerate(name):
        following = name[index + 1 : index + 2]
        at_edge = index == 0 or not following
        if (
            character in "<>"
            or (character.isspace() and at_edge)
            or (character == "\\" and (not following or following in "<>:\\" or following.isspace()))
        ):
            escaped += "\\"
        escaped += character
    return escaped


def _escape_type(label: str) -> str:
    if _is_plain_type(label):
        return label
    escaped = re.sub(r"([<>:\\])", r"\\\1", label)
    return escaped if "\\" in escaped else "\\" + escaped
