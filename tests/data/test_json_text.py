"""JSON is read in pieces as it is read whole: the same values, the same lines, the same refusals."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.data import text_lines
from malmoi.data.json_text import JsonText, read_json_rows
from malmoi.data.text_lines import DataFormatError, read_lines, read_pieces

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('가a"\\\n\t😀\u2028'), max_size=120),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("가나ab", max_size=3), inner, max_size=4),
    max_leaves=12,
)


def read(text: JsonText) -> list[object]:
    """Return the elements of a list with their lines, or what was read before the refusal, and that."""
    found: list[object] = []
    try:
        for _ in text.elements():
            text.peek()
            line = text.line
            found.append((line, text.value()))
        text.end()
    except DataFormatError as error:
        found.append(str(error))
    return found


@given(
    rows=st.lists(VALUES, max_size=6),
    indent=st.sampled_from([None, 0, 2]),
    is_ascii=st.booleans(),
    damage=st.none()
    | st.tuples(st.floats(0, 1), st.sampled_from(["", '"', "[", "]", "{", "}", ",", "\\u12", "1e", "x"])),
    sizes=st.lists(st.integers(1, 150), min_size=1, max_size=5),
)
@settings(max_examples=examples(300), deadline=None)
def test_pieces_are_read_as_the_whole(
    rows: list[object], indent: int | None, is_ascii: bool, damage: tuple[float, str] | None, sizes: list[int]
) -> None:
    whole = json.dumps(rows, indent=indent, ensure_ascii=is_ascii)
    if damage is not None:
        place = int(damage[0] * len(whole))
        whole = whole[:place] + damage[1] + whole[place + 1 :]

    def pieces() -> Iterator[str]:
        start = 0
        for size in itertools.cycle(sizes):
            if start >= len(whole):
                return
            yield whole[start : start + size]
            start += size

    expected = read(JsonText(whole, "a.json", line=3))
    assert read(JsonText(pieces(), "a.json", line=3)) == expected
    if damage is None:
        assert [value for _, value in expected] == rows  # type: ignore[misc]


def test_no_more_is_kept_than_what_is_read() -> None:
    rows = ",".join(json.dumps({"text": "가" * 100}) for _ in range(2000))
    text = JsonText((f"[{rows}]"[start : start + 1000] for start in range(0, len(rows) + 2, 1000)), "a.json")
    longest = 0
    for _ in text.elements():
        assert text.value() == {"text": "가" * 100}
        longest = max(longest, len(text._text))
    assert longest < 5000 < len(rows)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 16])
def test_a_file_is_the_same_in_pieces(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "PIECE", size)
    path = tmp_path / "a.json"
    path.write_bytes('\ufeff[{"text": "가😀"},\r\n\r\n {"text": "나"}]\r\n'.encode())
    whole = "".join(read_pieces(path)).replace("\r\n", "\n").removesuffix("\r")
    assert whole == "\n".join(line for _, line in read_lines(path))
    assert [*read_json_rows(path)] == [(1, {"text": "가😀"}), (3, {"text": "나"})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b'[\n{"a": "\xff"}]', "line 2: expected UTF-8, but byte 8 of the line is 0xff"),
        ('["가'.encode()[:-1], "line 1: expected UTF-8, but byte 3"),
        (b'[\n{"a": "\0"}]', "line 2: expected text, but character 8 of the line is a NUL"),
        ("[1]".encode("utf-16"), "expected UTF-8, but the file is UTF-16"),
        (None, "there is no such file"),
    ],
)
def test_what_is_no_text_is_refused_as_by_lines(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    for read_all in (read_lines, read_pieces, read_json_rows):
        with pytest.raises(DataFormatError, match=message):
            [*read_all(path)]


def test_a_list_may_begin_below_empty_lines_or_other_objects(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('\n \n[{"a": 1},\n{"a": 2}]\n', encoding="utf-8")
    assert [*read_json_rows(path)] == [(3, {"a": 1}), (4, {"a": 2})]
    path.write_text('{"a": 1}\n\n[{"a": 2},\n{"a": 3}]\n', encoding="utf-8")
    assert [*read_json_rows(path)] == [(1, {"a": 1}), (3, {"a": 2}), (4, {"a": 3})]
