"""Files of every kind, answered in every form: nothing is lost that stood beside the texts."""

import csv
import json
import os
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.command_line import malmoi
from support.found_words import find_words, found_words
from support.text_files import KINDS, read_rows, write_texts

from malmoi.data.inline_marks import parse_marks
from malmoi.data.readers.brat import read_brat
from malmoi.data.readers.conll import read_conll
from malmoi.data.user_error import UserError

TEXTS = ["손흥민은 춘천에서 태어났다.", "", 'abc, "def"; 가\t나', "😀 한\u1112\u1161\u11ab글 <비가:온다>", " "]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entities(text: str) -> list[dict]:
    return [word._asdict() for word in found_words(text)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["inline", "jsonl", "csv", "parquet"])
def test_every_kind_of_file_is_answered_in_every_form(kind: str, form: str) -> None:
    source = write_texts(Path(f"in{KINDS[kind]}"), TEXTS)
    if (kind, form) == ("json", "parquet"):
        with pytest.raises(UserError, match="parquet needs columns with types, which JSON lines have not"):
            find_words(source, form=form, output="out")
        return
    find_words(source, form=form, output="out.txt" if form == "inline" else f"out.{form}")
    assert [path.name for path in Path().glob("*out*")] == ["out.txt" if form == "inline" else f"out.{form}"]
    if form == "inline":
        lines = Path("out.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
        assert [parse_marks(line)[0] for line in lines] == TEXTS
        return
    rows = read_rows(Path(f"out.{form}"))
    name = "text" if kind == "line" else "sentence"
    if form == "csv":
        assert list(dict.fromkeys(row[name] for row in rows)) == TEXTS
        for row in rows:
            assert row["name"] == (row[name][int(row["start"]) : int(row["end"])] if row["start"] else "")
        assert [row["name"] for row in rows if row["name"]] == [w.text for text in TEXTS for w in found_words(text)]
    else:
        assert [row[name] for row in rows] == TEXTS
        assert [row["entities"] for row in rows] == [entities(text) for text in TEXTS]
    if kind == "line":
        assert list(dict.fromkeys(int(row["line"]) for row in rows)) == [1, 2, 3, 4, 5]
    elif form == "csv":
        assert list(dict.fromkeys(int(row["id"]) for row in rows)) == [0, 1, 2, 3, 4]
    else:
        others = [{key: row[key] for key in row if key not in ("entities", "line")} for row in rows]
        given = read_rows(source) if kind != "tsv" else [{**row, "note": 'the "note"'} for row in others]
        assert others == (given if form != "jsonl" or kind != "parquet" else json.loads(json.dumps(others)))
        assert [int(row["id"]) for row in rows] == [0, 1, 2, 3, 4]


def test_types_of_parquet_are_kept_and_written_as_json_where_that_has_none() -> None:
    write_texts(Path("in.parquet"), ["가", "나"])
    find_words("in.parquet", output="out.parquet")
    assert [row["raw"] for row in read_rows(Path("out.parquet"))] == [b"\x00", b"\x01"]
    find_words("in.parquet", output="out.jsonl")
    assert [row["raw"] for row in read_rows(Path("out.jsonl"))] == ["AA==", "AQ=="]


@pytest.mark.parametrize("kind", ["dictionary", "large_string", "string_view"])
def test_texts_and_columns_of_every_type_of_text_are_kept(kind: str) -> None:
    texts = [None if number % 7 == 3 else f"가나다 {number % 1700}" for number in range(2500)]
    column = pa.array(texts)
    column = column.dictionary_encode() if kind == "dictionary" else column.cast(getattr(pa, kind)())
    table = pa.table({"text": column, "other": column})
    Path("d").mkdir()
    for name in "ab":  # whose dictionaries differ
        pq.write_table(table.slice(0 if name == "a" else 500), f"d/{name}.parquet", row_group_size=900)
    for form in ("parquet", "jsonl", "csv"):
        find_words("d", output=f"out.{form}", errors=f"{form}.errors")
        expected = [text for text in texts + texts[500:] if text is not None]
        assert [row["text"] for row in read_rows(Path(f"out.{form}"))] == expected
        assert [row["other"] for row in read_rows(Path(f"out.{form}"))] == expected
    assert pq.read_schema("out.parquet").field("other").type == column.type


def test_columns_of_characters_are_read_again() -> None:
    texts = [text for text in TEXTS if "\t" not in text]
    Path("data").mkdir()
    write_texts(Path("in.txt"), texts)
    find_words("in.txt", output="data/train.conll")
    assert read_conll(Path("data"))["train"]["text"] == [text for text in texts if text]
    with pytest.raises(UserError, match=r"in\.tsv, line 4: the text cannot be written as columns: its text has a tab"):
        find_words(write_texts(Path("in.tsv"), TEXTS), form="conll", output="out.conll")


def test_files_stay_documents_in_one_file_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malmoi.commands.streams.raw_lines.CHUNK_BYTES", 64)  # so that a file is several pieces
    texts = [f"손흥민은 {number}번이다." for number in range(9)]
    write_texts(Path("texts/a.txt"), texts)
    odd = "하나" if sys.platform == "win32" else "\n하나"
    write_texts(Path(f"texts/{odd}.txt"), texts[:2])
    write_texts(Path("texts/더/둘.jsonl"), texts[5:])
    find_words("texts", output="data/train.conll")
    rows = read_conll(Path("data"))["train"]
    assert rows["text"] == [*texts[:2], *texts, *texts[5:]]
    assert rows["document"] == ["train-1"] * 2 + ["train-2"] * 9 + ["train-3"] * 4
    written = Path("data/train.conll").read_text(encoding="utf-8").split("\n")
    assert [line for line in written if line.startswith("# newdoc")] == [
        f"# newdoc id = {odd.replace(chr(10), ' ')}.txt",
        "# newdoc id = a.txt",
        "# newdoc id = 더/둘.jsonl",
    ]
    # a file of its own needs none, nor a file that stands alone
    find_words("texts", output="out/", form="conll")
    find_words("texts/a.txt", output="alone.conll")
    others = [path for path in Path().rglob("*.conll") if path.parent.name != "data"]
    assert not [path for path in others if "newdoc" in path.read_text(encoding="utf-8")]


def test_rows_of_json_stay_in_their_documents_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malmoi.commands.streams.raw_lines.CHUNK_BYTES", 64)  # so that a file is several pieces
    documents = ["가", "가", "가", None, "나", "가"]
    Path("texts").mkdir()
    rows = [{"text": f"손흥민은 {number}번이다.", "doc_id": document} for number, document in enumerate(documents)]
    for name in ("a", "b"):
        lines = (f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        Path(f"texts/{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    find_words("texts/a.jsonl", output="one/train.conll")
    found = read_conll(Path("one"))["train"]["document"]
    assert found == [f"train-{number}" for number in (1, 1, 1, 2, 3, 1)]
    find_words("texts", output="both/train.conll")
    found = read_conll(Path("both"))["train"]["document"]
    assert found == [f"train-{number}" for number in (1, 1, 1, 2, 3, 1, 4, 4, 4, 5, 6, 4)]


def test_rows_without_a_document_are_in_none_whatever_piece_they_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malmoi.commands.streams.raw_lines.CHUNK_BYTES", 64)  # a row or two
    rows = [
        {"text": f"손흥민은 {number}번이다.", "meta": {"doc_id": "가" if number < 2 else None}} for number in range(6)
    ]
    lines = (f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    Path("a.jsonl").write_text("".join(lines), encoding="utf-8")
    find_words("a.jsonl", output="out/train.conll")
    assert read_conll(Path("out"))["train"]["document"] == [f"train-{number}" for number in (1, 1, 2, 3, 4, 5)]


def test_a_text_that_is_called_document_names_none() -> None:
    lines = (json.dumps({"document": text}, ensure_ascii=False) for text in ("손흥민은 7번이다.", "비가 온다."))
    Path("a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    find_words("a.jsonl", output="out.conll")
    assert "newdoc" not in Path("out.conll").read_text(encoding="utf-8")


def test_a_folder_gives_a_folder() -> None:
    write_texts(Path("texts/하나.txt"), TEXTS)
    write_texts(Path("texts/더/둘.csv"), TEXTS)
    write_texts(Path("texts/더/.hidden.txt"), TEXTS)
    Path("texts/picture.png").touch()
    find_words("texts", output="out", form="jsonl")
    assert sorted(str(path) for path in Path("out").rglob("*") if path.is_file()) == [
        "out/더/둘.jsonl",
        "out/하나.jsonl",
    ]
    for path, name in (("out/하나.jsonl", "text"), ("out/더/둘.jsonl", "sentence")):
        assert [row[name] for row in read_rows(Path(path))] == TEXTS


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_what_a_folder_only_links_to_is_not_left_out_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    write_texts(Path("texts/a.txt"), TEXTS)
    write_texts(Path("elsewhere/b.txt"), TEXTS)
    Path("texts/more").symlink_to(Path("elsewhere").absolute())
    Path("texts/gone.txt").symlink_to("nowhere.txt")
    Path("texts/c.txt").symlink_to(Path("elsewhere/b.txt").absolute())
    find_words("texts", output="out.jsonl")
    assert {row["file"] for row in read_rows(Path("out.jsonl"))} == {"a.txt", "c.txt"}
    assert caplog.messages == ["malmoi: texts: links to folders, or to nothing, are not followed: gone.txt, more."]


def test_a_folder_that_may_not_be_read_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    write_texts(Path("texts/a.txt"), TEXTS)
    write_texts(Path("texts/kept/b.txt"), TEXTS)
    access = os.access  # whoever runs the tests may be allowed everything
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "kept" and access(path, mode))
    with pytest.raises(UserError, match=r"^texts/kept: this user may not read the folder, whose files would be miss"):
        find_words("texts", output="out.jsonl")
    assert not Path("out.jsonl").exists()
    Path("texts/kept").rename("texts/lost+found")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "lost+found" and access(path, mode))
    find_words("texts", output="out.jsonl")
    assert len(read_rows(Path("out.jsonl"))) == len(TEXTS)


def test_of_what_lies_in_a_folder_that_may_not_be_read_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may be listed and not entered: whatever is asked of a file in it is an error of the system."""
    write_texts(Path("texts/a.txt"), TEXTS)
    write_texts(Path("texts/kept/b.txt"), TEXTS)
    access, is_symlink = os.access, Path.is_symlink

    def kept_from(path: Path) -> bool:
        if path.parent.name == "kept":
            raise PermissionError(13, "Permission denied", str(path))
        return is_symlink(path)

    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "kept" and access(path, mode))
    monkeypatch.setattr(Path, "is_symlink", kept_from)
    with pytest.raises(UserError, match=r"^texts/kept: this user may not read the folder"):
        find_words("texts", output="out.jsonl")


def test_a_folder_gives_one_file_that_says_where_each_text_stands() -> None:
    write_texts(Path("texts/b.txt"), TEXTS)
    write_texts(Path("texts/a/c.jsonl"), TEXTS[:2])
    find_words("texts", output="names.jsonl")
    rows = read_rows(Path("names.jsonl"))
    assert [row["file"] for row in rows] == ["a/c.jsonl"] * 2 + ["b.txt"] * 5
    assert [row.get("line") for row in rows] == [None, None, 1, 2, 3, 4, 5]
    assert [row.get("id") for row in rows] == [0, 1] + [None] * 5


def test_a_document_is_a_text_and_offsets_count_its_characters() -> None:
    content = "\ufeff손흥민은\r\n춘천에서 😀 태어났다.\n\n끝"
    Path("texts").mkdir()
    Path("texts/a.txt").write_bytes(content.encode())
    Path("texts/b.txt").write_bytes(b"")
    find_words("texts", document=True, output="all.jsonl")
    first, second = read_rows(Path("all.jsonl"))
    assert first == {"file": "a.txt", "text": content[1:], "entities": entities(content[1:])}
    assert second == {"file": "b.txt", "text": "", "entities": []}
    find_words("texts", document=True, output="marked", form="inline")
    assert parse_marks(Path("marked/a.txt").read_bytes().decode())[0] == content[1:]
    find_words("texts", document=True, output="all.csv")
    assert [row["name"] for row in read_rows(Path("all.csv"))] == [w.text for w in found_words(content[1:])] + [""]


def test_brat_documents_are_read_again() -> None:
    Path("texts").mkdir()
    content = "손흥민은 춘천에서\n\n끝 😀 났다\n"
    Path("texts/train.txt").write_text(content, encoding="utf-8")
    find_words("texts", document=True, output="out", form="brat")
    assert Path("out/train.txt").read_text(encoding="utf-8") == content
    rows = read_brat(Path("out"))["train"]
    assert rows["text"] == ["손흥민은 춘천에서", "끝 😀 났다"]
    for line in Path("out/train.ann").read_text(encoding="utf-8").splitlines():
        _, place, name = line.split("\t")
        _, start, end = place.split(" ")
        assert content[int(start) : int(end)] == name
    find_words("texts/train.txt", document=True, output="alone", form="brat")
    assert Path("alone/train.ann").read_bytes() == Path("out/train.ann").read_bytes()


def test_standard_input_is_json_lines_if_a_column_is_named() -> None:
    lines = "".join(f'{{"id": {number}, "body": "가{number}"}}\n' for number in range(3))
    code = "malmoi classify - --text_column body --format jsonl"
    output, _ = malmoi(*code.split()[1:], stdin=lines.encode())
    rows = [json.loads(line) for line in output.splitlines()]
    assert [(row["id"], row["body"]) for row in rows] == [(0, "가0"), (1, "가1"), (2, "가2")]
    assert all(row["score"] == row["scores"][row["label"]] for row in rows)


def test_rows_of_a_pipe_have_the_columns_of_the_first_one() -> None:
    lines = '{"id": 1, "body": "가, 나"}\n{"body": "다", "id": 2}\n'
    arguments = ["classify", "-", "--text_column", "body", "--format", "csv"]
    output, _ = malmoi(*arguments, stdin=lines.encode())
    heading, *rows = csv.reader(output.splitlines())
    assert heading == ["id", "body", "label", "score"]
    assert [row[:2] for row in rows] == [["1", "가, 나"], ["2", "다"]]
    output, error = malmoi(*arguments, stdin=f'{lines}{{"body": "라", "more": 3}}\n'.encode(), code=2)
    assert len(output.splitlines()) == 3
    assert error == (
        "malmoi: standard input, line 3: the first row has no more, so that CSV cannot hold it; jsonl can.\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("output", ["out.csv", "out.jsonl"])
def test_bad_rows_of_a_pipe_before_the_first_one_do_not_make_the_heading(output: str) -> None:
    os.mkfifo("in.jsonl")

    def write() -> None:
        with open("in.jsonl", "w", encoding="utf-8") as pipe:
            for line in ('{"no": "text"}', "{", '{"id": 1, "text": "가"}', '{"text": 7}', '{"text": "나", "id": 2}'):
                print(line, file=pipe, flush=True)
                time.sleep(0.05)  # so that they come one by one

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    find_words("in.jsonl", output=output, errors="errors.jsonl")
    writing.join()
    rows = read_rows(Path(output))
    assert [*rows[0]][:2] == ["id", "text"]
    assert [(str(row["id"]), row["text"]) for row in rows] == [("1", "가"), ("2", "나")]
    assert [row["line"] for row in read_rows(Path("errors.jsonl"))] == [1, 2, 4]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_without_a_single_row_has_a_heading() -> None:
    os.mkfifo("in.jsonl")
    writing = threading.Thread(target=lambda: Path("in.jsonl").write_text('{"no": 1}\n'), daemon=True)
    writing.start()
    find_words("in.jsonl", output="out.csv", errors="errors.jsonl")
    writing.join()
    assert Path("out.csv").read_text(encoding="utf-8") == "text,start,end,label,score,name\n"
    assert [row["line"] for row in read_rows(Path("errors.jsonl"))] == [1]


def test_an_answer_never_takes_the_place_of_a_column() -> None:
    rows = [
        {"text": "가", "entities": 1, "line": 7},
        {"text": "나", "entities": 1, "predicted_entities": 2},
        {"text": "다", "predicted_entities": 1},
    ]
    Path("in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    find_words("in.jsonl", output="out.jsonl")
    assert read_rows(Path("out.jsonl")) == [
        {**rows[0], "predicted_entities": entities("가")},
        {**rows[1], "predicted_entities_2": entities("나")},
        {**rows[2], "entities": entities("다")},
    ]


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_answers_can_be_answered_again_and_again(kind: str) -> None:
    write_texts(Path(f"0{kind}"), TEXTS[:2])
    for number in range(3):
        find_words(f"{number}{kind}", output=f"{number + 1}{kind}")
    row = read_rows(Path(f"3{kind}"))[0]
    added = ["start", "end", "label", "score", "name"] if kind == ".csv" else ["entities"]
    again = [f"predicted_{name}" for name in added]
    assert [*row][-3 * len(added) :] == [*added, *again, *(f"{name}_2" for name in again)]
    first, second, third = (row[name] for name in (added[-1], again[-1], f"{again[-1]}_2"))
    assert first == second == third


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_a_row_says_where_it_stands_even_if_it_has_such_a_column(kind: str) -> None:
    for name in "ab":
        rows = [{"file": f"mine {name}", "source_file": "", "text": "가"}]
        if kind == ".jsonl":
            Path(f"{name}{kind}").write_text(f"{json.dumps(rows[0])}\n", encoding="utf-8")
        elif kind == ".csv":
            Path(f"{name}{kind}").write_text(f"file,source_file,text\nmine {name},,가\n", encoding="utf-8")
        else:
            pq.write_table(pa.Table.from_pylist(rows), f"{name}{kind}")
    find_words(f"a{kind}", f"b{kind}", output=f"out{kind}")
    found = read_rows(Path(f"out{kind}"))
    assert [row["source_file_2"] for row in found] == [f"a{kind}", f"b{kind}"]
    assert [(row["file"], row["source_file"]) for row in found] == [("mine a", ""), ("mine b", "")]


def test_json_leaves_out_where_a_row_stands_and_nothing_else() -> None:
    Path("in.jsonl").write_text('{"id": 1, "file": "mine", "text": "가"}\n', encoding="utf-8")
    Path("in.txt").write_text("나\n", encoding="utf-8")
    find_words("in.jsonl", "in.txt", output="out.jsonl", plain=True)
    assert read_rows(Path("out.jsonl")) == [
        {"id": 1, "file": "mine", "text": "가", "entities": entities("가")},
        {"text": "나", "entities": entities("나")},
    ]


def test_space_and_classify_write_the_forms_that_make_sense() -> None:
    Path("in.csv").write_text('id,document,label\n1,"좋은,영화",1\n2,나쁜 영화,0\n', encoding="utf-8")
    malmoi("classify", "--input", "in.csv", "--output", "out.csv")
    rows = read_rows(Path("out.csv"))
    assert [(row["id"], row["document"], row["label"]) for row in rows] == [
        ("1", "좋은,영화", "1"),
        ("2", "나쁜 영화", "0"),
    ]
    assert [float(row["score"]) > 0 and row["predicted_label"] for row in rows] == ["positive", "negative"]
    malmoi("space", "--input", "in.csv", "--output", "out.parquet")
    for row in read_rows(Path("out.parquet")):
        assert row["spaced"].replace(" ", "") == row["document"].replace(" ", "")
        assert len(row["offsets"]) == len(row["spaced"])
    assert malmoi("space", "--input", "in.csv", "--format", "conll", code=2)[1].startswith("malmoi: --format must be")


def test_names_that_are_hardly_likely_can_be_left_out() -> None:
    text = "손흥민은 춘천에서 태어났다. 김민재는 나폴리에서 뛰었다."
    all_names = json.loads(malmoi("tag", text, "--json")[0])["entities"]
    least = sorted(entity["score"] for entity in all_names)[1]
    names = json.loads(malmoi("tag", text, "--json", "--min_score", str(least))[0])["entities"]
    assert names == [entity for entity in all_names if entity["score"] >= least]
    assert 0 < len(names) < len(all_names)
