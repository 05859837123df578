"""What cannot be read or written is said with file and number, and kept if somebody asks for it."""

import base64
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.found_words import find_words
from support.text_files import read_rows, write_texts

from malmoi.data.user_error import UserError

CP949 = "한글".encode("cp949")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


BAD = {
    "a.txt": (
        "가\n".encode() + CP949 + b"\n" + "나\n".encode(),
        2,
        "expected UTF-8, but byte 1 of the line is 0xc7",
        CP949,
    ),
    "b.jsonl": (
        '{"text": "가"}\n\n{"text": \n{"text": "나"}\n'.encode(),
        3,
        "expected JSON, but at character",
        b'{"text": ',
    ),
    "c.jsonl": (
        '{"text": "가"}\n{"txt": "x"}\n{"text": "나"}\n'.encode(),
        2,
        "expected a text in the field 'text', but there are txt",
        b'{"txt": "x"}',
    ),
    "d.jsonl": (
        '{"text": "가"}\n{"text": null}\n{"text": "나"}\n'.encode(),
        2,
        "expected a text in the field 'text', got null",
        b'{"text": null}',
    ),
    "e.jsonl": (
        '{"text": "가"}\n{"text": "\\ud83d"}\n{"text": "나"}\n'.encode(),
        2,
        "expected whole characters",
        b'{"text": "\\ud83d"}',
    ),
    "f.jsonl": ('{"text": "가"}\n[1]\n{"text": "나"}\n'.encode(), 2, "expected a JSON object, got a list", b"[1]"),
    "g.jsonl": (
        '{"text": "가"}\n'.encode() + b'{"text": "\xff"}\n' + '{"text": "나"}\n'.encode(),
        2,
        "expected UTF-8, but byte 11",
        b'{"text": "\xff"}',
    ),
    "h.csv": ('id,text\n1,가\n2,"x\n3"\n2\n4,나\n'.encode(), 5, "expected 2 columns as in the heading, got 1", b"2"),
    "i.csv": (
        'id,text\n1,가\n2,"x"y\n4,나\n'.encode(),
        3,
        "expected columns as CSV has them, with quotes in pairs",
        b'2,"x"y',
    ),
    "j.csv": (
        "id,text\n1,가\n2,".encode() + CP949 + b"\n" + "4,나\n".encode(),
        3,
        "expected UTF-8, but byte 3",
        b"2," + CP949,
    ),
    "k.csv": (
        b'id,text\n1,\xea\xb0\x80\n2,"x\n\0"\n4,\xeb\x82\x98\n',
        3,
        "expected text, but character 1 of the line is a NUL",
        b'2,"x\n\0"',
    ),
}


DEEP = b'{"text": "x", "y": ' + b"[" * 100 + b"]" * 100 + b"}"
BAD["l.jsonl"] = (
    '{"text": "가"}\n'.encode() + DEEP + '\n{"text": "나"}\n'.encode(),
    2,
    "expected at most 100 brackets within each other",
    DEEP,
)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_ends_the_run_or_is_kept(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, number, reason, raw = BAD[name]
    Path(name).write_bytes(content)
    with pytest.raises(UserError) as refusal:
        find_words(name, form="jsonl")
    assert str(refusal.value).startswith(f"{name}, line {number}: {reason}")
    assert "\n" not in str(refusal.value)
    before = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert before[0] == "가"
    assert "나" not in before
    find_words(name, form="jsonl", output="out.jsonl", errors="errors.jsonl")
    kept = [row["text"] for row in read_rows(Path("out.jsonl"))]
    assert (kept[0], kept[-1]) == ("가", "나")
    [bad] = read_rows(Path("errors.jsonl"))
    assert (bad["file"], bad["line"]) == (name, number)
    assert bad["reason"].startswith(reason)
    assert (base64.b64decode(bad["base64"]) if "base64" in bad else bad["raw"].encode()) == raw


def test_a_null_of_parquet_is_a_bad_row() -> None:
    pq.write_table(pa.table({"id": [1, 2, 3], "text": ["가", None, "나"]}), "in.parquet")
    with pytest.raises(
        UserError, match=r"in\.parquet, row 2: expected a text in the column 'text', but there is a null"
    ):
        find_words("in.parquet", output="out.jsonl")
    find_words("in.parquet", output="out.parquet", errors="errors.jsonl")
    assert [row["id"] for row in read_rows(Path("out.parquet"))] == [1, 3]
    [bad] = read_rows(Path("errors.jsonl"))
    assert (bad["row"], json.loads(bad["raw"])) == (2, {"id": 2, "text": None})


@pytest.fixture
def strange() -> pa.Table:
    """A table with values that Python cannot hold: a date behind the year 9999 in Seoul, bytes that are no UTF-8."""
    when = pa.array([0, 253_402_300_799, 0, 253_402_300_799], pa.timestamp("s")).cast(pa.timestamp("us", "Asia/Seoul"))
    notes = pa.array([b"a", b"b", b"\xff", b"c"], pa.binary())
    table = pa.table(
        {
            "id": [1, 2, 3, 4],
            "text": ["가", "나", "다", None],
            "when": when,
            "note": pa.Array.from_buffers(pa.string(), 4, notes.buffers()),
        }
    )
    pq.write_table(table, "in.parquet")
    return table


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_value_of_parquet_that_the_form_cannot_hold_makes_a_bad_row(form: str, strange: pa.Table) -> None:
    with pytest.raises(UserError, match=r"^in\.parquet, row 2: the column 'when' has a value that can be written nei"):
        find_words("in.parquet", output=f"out.{form}")
    find_words("in.parquet", output=f"out.{form}", errors="errors.jsonl", resume=True)
    [kept] = read_rows(Path(f"out.{form}"))
    assert (str(kept["id"]), kept["when"], kept["note"]) == ("1", "1970-01-01T09:00:00+09:00", "a")
    bad = read_rows(Path("errors.jsonl"))
    assert [row["row"] for row in bad] == [2, 3, 4]
    assert [row["raw"] for row in bad[:2]] == ["나", "다"]
    assert bad[1]["reason"].startswith("the column 'note' has a value that can be written neither as JSON nor as CSV")
    assert json.loads(bad[2]["raw"]) == {"id": 4, "text": None, "note": "c"}


@pytest.mark.parametrize("form", ["parquet", "inline", "conll"])
def test_columns_that_only_travel_along_need_not_be_understood(form: str, strange: pa.Table) -> None:
    find_words("in.parquet", form=form, output="out", errors="errors.jsonl")
    assert [row["row"] for row in read_rows(Path("errors.jsonl"))] == [4]
    if form == "parquet":
        assert pq.read_table("out").select(strange.column_names).equals(strange.slice(0, 3))


def test_a_document_that_is_no_text_is_kept_with_the_line_that_is_none() -> None:
    Path("d").mkdir()
    Path("d/a.txt").write_bytes("가\n".encode() + CP949)
    Path("d/b.txt").write_text("나", encoding="utf-8")
    with pytest.raises(UserError, match=r"d/a\.txt: line 2: expected UTF-8, but byte 1 of the line is 0xc7"):
        find_words("d", document=True, form="jsonl")
    find_words("d", document=True, output="out.jsonl", errors="errors.jsonl")
    assert [row["text"] for row in read_rows(Path("out.jsonl"))] == ["나"]
    assert [row["file"] for row in read_rows(Path("errors.jsonl"))] == ["a.txt"]


@pytest.mark.parametrize("name", ["in.txt", "in.jsonl", "in.csv"])
def test_other_encodings_are_read_if_that_is_said(name: str) -> None:
    texts = ["똠방각하 펲시콜라", "한글"]
    write_texts(Path(name), texts)
    Path(name).write_bytes(Path(name).read_bytes().decode().encode("cp949"))
    find_words(name, encoding="cp949", output="out.jsonl")
    assert [row.get("sentence", row.get("text")) for row in read_rows(Path("out.jsonl"))] == texts
    with pytest.raises(UserError, match="expected UTF-8"):
        find_words(name, output="other.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            b"id,body\n1,x\n",
            r"a\.csv: expected a column with texts, but several may be it: id, body; say which by --text_column",
        ),
        (
            "b.csv",
            b"text,text\n1,x\n",
            r"b\.csv, line 1: expected a heading with a name for each column, got 'text' twice",
        ),
        ("c.csv", b"\xff,text\n1,x\n", r"c\.csv, line 1: expected UTF-8"),
        ("d.json", b'[{"text": "x"}]', r"d\.json, line 1: expected a JSON object on each line, got a list"),
        (
            "e.jsonl",
            b'{"a": 1, "b": 2}\n',
            r"e\.jsonl, line 1: expected a column with texts, but it has a, b; say which by",
        ),
        ("f.parquet", b"PAR1 no", r"f\.parquet: expected a whole Parquet file, but it is damaged"),
        ("g.csv", "text".encode("utf-16"), r"g\.csv: expected UTF-8, but the file is UTF-16"),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_sentence(name: str, content: bytes, message: str) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        find_words(name, form="jsonl", errors="errors.jsonl")


def test_a_column_is_found_or_named() -> None:
    Path("in.csv").write_text("id;comment;body\n1;가;나\n", encoding="utf-8")
    find_words("in.csv", output="a.jsonl")
    find_words("in.csv", output="b.jsonl", text_column="body")
    assert [read_rows(Path(name))[0]["entities"][0]["text"] for name in ("a.jsonl", "b.jsonl")] == ["가", "나"]
    with pytest.raises(UserError, match=r"in\.csv has no column 'bdy'; did you mean 'body'"):
        find_words("in.csv", output="c.jsonl", text_column="bdy")
    pq.write_table(pa.table({"n": [1], "any": ["가"]}), "in.parquet")
    find_words("in.parquet", output="d.jsonl")
    with pytest.raises(UserError, match="expected a column with texts, but 'n' holds something else"):
        find_words("in.parquet", output="e.jsonl", text_column="n")
    Path("in.txt").touch()
    with pytest.raises(UserError, match="none of the files of --input has columns"):
        find_words("in.txt", output="f.jsonl", text_column="text")


def test_a_carriage_return_within_a_line_is_text() -> None:
    Path("in.csv").write_bytes('id,text\r\n1,가\r나\r\n2,"다\r\n라"\r\n'.encode())
    find_words("in.csv", output="out.jsonl")
    assert [row["text"] for row in read_rows(Path("out.jsonl"))] == ["가\r나", "다\r\n라"]


def test_a_quote_that_is_never_closed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in.csv").write_text('id,text\n1,가\n2,"나\n3,다\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"in\.csv, line 3: expected columns as CSV has them, with quotes in pairs"):
        find_words("in.csv", form="jsonl")
    monkeypatch.setattr("malmoi.commands.streams.separated_source.LONGEST", 10)
    Path("in.csv").write_text('id,text\n1,가\n2,"' + "나\n" * 8 + "3,다\n", encoding="utf-8")
    find_words("in.csv", output="out.jsonl", errors="errors.jsonl")
    assert [row["id"] for row in read_rows(Path("out.jsonl"))] == ["1", "3"]
    assert read_rows(Path("errors.jsonl"))[0]["line"] == 3


WITHOUT_TEXT = {
    "a null beside another text": ('{"text": null, "label": "x"}', '{"text": "가", "label": "x"}'),
    "a null in a field of the user's language": ('{"id": "1", "본문": null}', '{"id": "1", "본문": "가"}'),
    "no such field": ('{"id": 1}', '{"id": 1, "text": "가"}'),
    "a number": ('{"id": 1, "text": 7}', '{"id": 1, "text": "가"}'),
}


@pytest.mark.parametrize("lines", WITHOUT_TEXT.values(), ids=WITHOUT_TEXT)
def test_a_first_object_without_its_text_hides_neither_the_field_nor_the_rest(lines: tuple[str, str]) -> None:
    Path("a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    find_words("a.jsonl", output="out.jsonl", errors="errors.jsonl")
    [kept] = read_rows(Path("out.jsonl"))
    assert [word["text"] for word in kept["entities"]] == ["가"]
    [bad] = read_rows(Path("errors.jsonl"))
    assert (bad["line"], bad["raw"]) == (1, lines[0])


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_row_that_the_form_cannot_hold_is_kept_with_its_text_in_any_encoding(encoding: str) -> None:
    Path("a.jsonl").write_text('{"text": "가\\n나"}\n{"text": "다"}\n', encoding=encoding)
    find_words("a.jsonl", form="inline", output="out.txt", errors="errors.jsonl", encoding=encoding)
    assert Path("out.txt").read_text(encoding="utf-8") == "<다:PS>\n"
    [bad] = read_rows(Path("errors.jsonl"))
    assert (bad["line"], bad["raw"]) == (1, "가\n나")
