"""Any text in any file: it comes back as it went in, and offsets point into it."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.found_words import FoundWord, find_words, found_words
from support.property_tests import examples
from support.property_texts import ANY_CHARACTERS
from support.text_files import read_rows

from malmoi.data.inline_marks import parse_marks

HANGUL = st.sampled_from(
    ["손흥민", "춘천에서 ", "가\u1112\u1161\u11ab", unicodedata.normalize("NFD", "한글"), "😀", "👨‍👩‍👧"]
)
TEXTS = st.lists(st.one_of(ANY_CHARACTERS, HANGUL), max_size=12).map("".join)
WITHOUT_NUL = TEXTS.map(lambda text: text.replace("\0", ""))
LINES = WITHOUT_NUL.map(lambda text: text.replace("\n", ""))
BITS = st.sampled_from([3, 40, 128 * 1024])
"""How much is read at once."""


def checked(rows: list[dict], name: str) -> list[str]:
    """Return the texts of rows whose names are where they say."""
    for row in rows:
        names = [FoundWord(**entity) for entity in row["entities"]]
        assert names == found_words(row[name])
        assert all(row[name][found.start : found.end] == found.text for found in names)
    return [row[name] for row in rows]


@contextmanager
def reading(folder: Path, size: int) -> Iterator[None]:
    """Work in a folder, and read so many bytes at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for module in ("raw_lines", "separated_source", "sources"):
            patch.setattr(f"malmoi.commands.streams.{module}.CHUNK_BYTES", size)
        yield


@given(
    texts=st.lists(LINES, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    size=BITS,
)
@settings(max_examples=examples(200))
def test_lines(tmp_path_factory: pytest.TempPathFactory, texts: list[str], end: str, mark: str, size: int) -> None:
    folder = tmp_path_factory.mktemp("lines")
    (folder / "in.txt").write_bytes((mark + "".join(text + end for text in texts)).encode())
    expected = [text.removesuffix("\r") if end == "\n" else text for text in texts]
    if expected and not mark:
        expected[0] = expected[0].removeprefix("\ufeff")
    with reading(folder, size):
        find_words("in.txt", output="out.jsonl")
        find_words("in.txt", output="out.txt")
    rows = read_rows(folder / "out.jsonl")
    assert checked(rows, "text") == expected
    assert [row["line"] for row in rows] == [*range(1, len(expected) + 1)]
    marked = (folder / "out.txt").read_bytes().decode()
    assert [parse_marks(line)[0] for line in marked.split("\n")[:-1]] == expected


@given(text=WITHOUT_NUL, mark=st.sampled_from(["", "\ufeff"]))
@settings(max_examples=examples(200))
def test_documents(tmp_path_factory: pytest.TempPathFactory, text: str, mark: str) -> None:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "in.txt").write_bytes((mark + text).encode())
    expected = (mark + text).removeprefix("\ufeff")
    find_words(folder / "in.txt", output=folder / "out.jsonl", document=True)
    assert checked(read_rows(folder / "out.jsonl"), "text") == [expected]
    find_words(folder / "in.txt", output=folder / "brat", document=True, form="brat")
    assert (folder / "brat/in.txt").read_bytes().decode() == expected
    for line in (folder / "brat/in.ann").read_bytes().decode().splitlines():
        _, place, name = line.split("\t")
        start, end = map(int, place.split(" ")[1:])
        assert expected[start:end] == name


@given(texts=st.lists(TEXTS, max_size=6), others=st.lists(TEXTS, min_size=6, max_size=6), size=BITS)
@settings(max_examples=examples(200))
def test_json_lines(tmp_path_factory: pytest.TempPathFactory, texts: list[str], others: list[str], size: int) -> None:
    folder = tmp_path_factory.mktemp("json")
    rows = [{"x": {other: [other]}, "text": text, "n": None} for text, other in zip(texts, others)]
    lines = [json.dumps(row, ensure_ascii=len(row["text"]) % 2 == 0) for row in rows]
    (folder / "in.jsonl").write_bytes("\n".join(lines).replace("\0", "\\u0000").encode())
    with reading(folder, size):
        find_words("in.jsonl", output="out.jsonl")
    answers = read_rows(folder / "out.jsonl")
    assert checked(answers, "text") == texts
    assert [{name: row[name] for name in ("x", "text", "n")} for row in answers] == rows


@given(texts=st.lists(st.tuples(WITHOUT_NUL, WITHOUT_NUL), max_size=6), sign=st.sampled_from(",;\t"), size=BITS)
@settings(max_examples=examples(200))
def test_comma_separated(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]], sign: str, size: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    written = io.StringIO()
    writer = csv.writer(written, delimiter=sign, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["note", "text"])
    writer.writerow(['a "quote"', "가"])
    writer.writerows(texts)
    (folder / "in.csv").write_bytes(written.getvalue().encode())
    with reading(folder, size):
        find_words("in.csv", output="out.jsonl")
        find_words("in.csv", output="out.parquet")
        find_words("in.csv", output="out.csv")
    expected = [('a "quote"', "가"), *texts]
    for name in ("out.jsonl", "out.parquet"):
        rows = read_rows(folder / name)
        assert checked(rows, "text") == [text for _, text in expected]
        assert [row["note"] for row in rows] == [note for note, _ in expected]
    sheet = [(row["note"], row["text"]) for row in read_rows(folder / "out.csv")]
    assert sheet == [row for row in expected for _ in found_words(row[1]) or [None]]


@given(texts=st.lists(TEXTS, max_size=6), size=st.integers(1, 4))
@settings(max_examples=examples(100))
def test_parquet(tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int) -> None:
    folder = tmp_path_factory.mktemp("parquet")
    table = pa.table({"n": pa.array(range(len(texts)), pa.uint8()), "body": pa.array(texts, pa.large_string())})
    pq.write_table(table, folder / "in.parquet", row_group_size=size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("malmoi.commands.streams.parquet_source.BATCH", 2)
        find_words(folder / "in.parquet", output=folder / "out.parquet")
    assert checked(read_rows(folder / "out.parquet"), "body") == texts
    assert pq.read_table(folder / "out.parquet").select(["n", "body"]) == table


@given(text=st.text("가나다똠 abc,\"'\r", max_size=20))
@settings(max_examples=examples(100))
def test_other_encodings(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("cp949")
    (folder / "in.txt").write_bytes(f"{text}\n{text}\n".encode("cp949"))
    find_words(folder / "in.txt", output=folder / "out.jsonl", encoding="cp949")
    assert checked(read_rows(folder / "out.jsonl"), "text") == [text.removesuffix("\r")] * 2
