"""One bad file among many: it is said which and why, the others are answered, and a better one may take its place."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.found_words import find_words
from support.text_files import read_rows, write_texts

from malmoi.commands.streams import outputs
from malmoi.data.user_error import UserError

TEXTS = ["손흥민은 춘천에서 태어났다.", "비가 왔다"]
ROWS = 5000


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def damaged(path: Path) -> None:
    """Write a Parquet file whose first rows can be read, and whose last ones cannot."""
    table = pa.table({"text": [f"가나다 {number}" for number in range(ROWS)]})
    pq.write_table(table, path, row_group_size=1000, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    place = content.index(b"2500")
    content[place - 3000 : place] = b"\xff" * 3000
    path.write_bytes(content)


BAD = {
    "2.parquet": (b"PAR1 no", "expected a whole Parquet file, but it is damaged"),
    "2.txt": (TEXTS[0].encode("utf-16"), "expected UTF-8, but the file is UTF-16"),
    "2.csv": (b"id,body\n1,x\n", "expected a column with texts, but several may be it: id, body"),
    "2.jsonl": (b'{"a": 1, "b": 2}\n', "expected a column with texts, but it has a, b"),
    "2.json": (b'[{"text": "x"}]', "expected a JSON object on each line, got a list"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("output", ["out.jsonl", "out/", None])
def test_a_file_that_cannot_be_read_is_left_out_and_said(
    name: str, output: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    content, reason = BAD[name]
    write_texts(Path("d/1.txt"), TEXTS)
    write_texts(Path("d/3.txt"), TEXTS)
    (Path("d") / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"d/{name}(, line 1)?: {reason}"):
        find_words("d", form="jsonl", output="stops.jsonl")
    capsys.readouterr()
    find_words("d", form="jsonl", output=output, errors="errors.jsonl")
    printed, said = capsys.readouterr()
    assert said == (
        f"malmoi: files that could not be read, or not to their ends: 1 (d/{name}); errors.jsonl says why, and their "
        "rows are missing.\n"
    )
    [bad] = read_rows(Path("errors.jsonl"))
    assert [*bad] == ["file", "reason"]
    assert bad["file"] == name
    assert reason in bad["reason"]
    if output == "out/":
        assert sorted(str(path) for path in Path("out").rglob("*")) == ["out/1.jsonl", "out/3.jsonl"]
        return
    if output is None:
        Path("out.jsonl").write_text(printed, encoding="utf-8")
    rows = read_rows(Path("out.jsonl"))
    assert [(row["file"], row["text"]) for row in rows] == [(file, t) for file in ("1.txt", "3.txt") for t in TEXTS]
    assert not [path for path in Path().iterdir() if path.name.startswith(".out")]


def test_workers_leave_a_bad_file_out_too() -> None:
    write_texts(Path("d/1.txt"), TEXTS)
    write_texts(Path("d/3.txt"), TEXTS)
    Path("d/2.txt").write_bytes(BAD["2.txt"][0])
    find_words("d", output="out.jsonl", errors="errors.jsonl", workers=2)
    assert [row["file"] for row in read_rows(Path("out.jsonl"))] == ["1.txt"] * 2 + ["3.txt"] * 2
    assert [row["file"] for row in read_rows(Path("errors.jsonl"))] == ["2.txt"]


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_bad_file_before_the_others_does_not_make_the_heading(kind: str) -> None:
    write_texts(Path(f"d/2{kind}"), TEXTS)
    write_texts(Path(f"d/3{kind}"), TEXTS)
    Path(f"d/1{kind}").write_bytes(BAD["2.parquet"][0] if kind == ".parquet" else BAD["2.csv"][0])
    find_words("d", output=f"out{kind}", errors="errors.jsonl")
    Path(f"d/1{kind}").unlink()
    find_words("d", output=f"good{kind}")
    assert read_rows(Path(f"out{kind}")) == read_rows(Path(f"good{kind}"))
    assert [row["file"] for row in read_rows(Path("errors.jsonl"))] == [f"1{kind}"]


@pytest.mark.parametrize("output", ["out.jsonl", "out.parquet"])
def test_what_could_be_read_of_a_file_is_answered(output: str) -> None:
    Path("d").mkdir()
    damaged(Path("d/1.parquet"))
    pq.write_table(pa.table({"text": ["끝"]}), "d/2.parquet")
    with pytest.raises(UserError, match=r"d/1\.parquet: expected a whole Parquet file, but it is damaged"):
        find_words("d", output=f"stops-{output}")
    find_words("d", output=output, errors="errors.jsonl")
    texts = [row["text"] for row in read_rows(Path(output))]
    assert len(texts) > 1000
    assert texts == [*(f"가나다 {number}" for number in range(len(texts) - 1)), "끝"]
    [bad] = read_rows(Path("errors.jsonl"))
    assert bad["file"] == "1.parquet"
    assert bad["reason"].startswith("d/1.parquet: expected a whole Parquet file, but it is damaged")


def test_a_file_that_may_not_be_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    write_texts(Path("1.txt"), TEXTS)
    write_texts(Path("2.txt"), TEXTS)
    real = open

    def refusing(path: object, *arguments: object, **options: object) -> object:
        if path == "1.txt":
            raise PermissionError(13, "Permission denied", path)
        return real(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("malmoi.commands.streams.sources.open", refusing, raising=False)
    find_words("1.txt", "2.txt", output="out.jsonl", errors="errors.jsonl")
    assert [row["file"] for row in read_rows(Path("out.jsonl"))] == ["2.txt"] * 2
    assert read_rows(Path("errors.jsonl")) == [
        {"file": "1.txt", "reason": "1.txt: it cannot be read (Permission denied)."}
    ]


@pytest.mark.parametrize("output", ["out.csv", "out.parquet", "out/", None])
def test_an_option_that_fits_no_file_is_the_end(output: str | None) -> None:
    write_texts(Path("d/1.csv"), TEXTS)
    write_texts(Path("d/2.csv"), TEXTS)
    with pytest.raises(UserError, match=r"--text_column: d/1\.csv has no column 'body'"):
        find_words(
            "d", form="csv" if output is None else None, output=output, errors="errors.jsonl", text_column="body"
        )
    assert not [path for path in Path().rglob("*out*") if path.is_file()]


class Killed(BaseException):
    """Stands for a signal that nothing can catch."""


def killed_after(count: int, *given: str, **options: object) -> None:
    """Let a run end as if it were killed once so many pieces are written and noted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "SECONDS", -1.0)
        patch.setattr("malmoi.commands.streams.sources.CHUNK_BYTES", 4)  # each piece is answered alone
        real = outputs.Files.settle
        left = iter(range(count))

        def settle(self: outputs.Files, *arguments: object, **named: object) -> None:
            real(self, *arguments, **named)  # type: ignore[arg-type]
            if next(left, None) is None:
                raise Killed

        patch.setattr(outputs.Files, "settle", settle)
        with pytest.raises(Killed):
            find_words(*given, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("output", ["out.jsonl", "out"])
def test_a_bad_file_is_replaced_and_the_run_goes_on(output: str) -> None:
    write_texts(Path("d/1.txt"), TEXTS)
    write_texts(Path("d/3.txt"), TEXTS)
    Path("d/2.txt").write_bytes(TEXTS[0].encode("utf-16"))
    with pytest.raises(UserError, match=r"d/2\.txt: expected UTF-8, but the file is UTF-16"):
        find_words("d", form="jsonl", output=output)
    write_texts(Path("d/2.txt"), ["다시"])
    write_texts(Path("d/4.txt"), ["새로"])
    find_words("d", form="jsonl", output=output, resume=True)
    find_words("d", form="jsonl", output="whole.jsonl")
    found = [Path(output)] if output == "out.jsonl" else [Path(f"out/{number}.jsonl") for number in range(1, 5)]
    texts = [row["text"] for path in found for row in read_rows(path)]
    assert texts == [row["text"] for row in read_rows(Path("whole.jsonl"))] == [*TEXTS, "다시", *TEXTS, "새로"]


def test_only_what_was_read_must_be_what_it_was() -> None:
    for number in range(1, 5):
        write_texts(Path(f"d/{number}.txt"), TEXTS * number)
    killed_after(3, "d", output="out.jsonl")  # within or behind the second file
    for change, message in (
        (lambda: write_texts(Path("d/1.txt"), ["다른 글"]), r"--resume: d/1\.txt is not what it was when it was read"),
        (
            lambda: write_texts(Path("d/0.txt"), TEXTS),
            r"was begun with 1\.txt, in whose place --input has d/0\.txt; give",
        ),
        (lambda: Path("d/1.txt").unlink(), r"was begun with 1\.txt, in whose place --input has d/2\.txt"),
    ):
        change()
        with pytest.raises(UserError, match=message):
            find_words("d", output="out.jsonl", resume=True)
        Path("d/0.txt").unlink(missing_ok=True)
        write_texts(Path("d/1.txt"), TEXTS)
    with pytest.raises(UserError, match="the output was begun with --input several files, not one file"):
        find_words("d/1.txt", output="out.jsonl", resume=True)
    write_texts(Path("d/3.txt"), ["anders"])
    write_texts(Path("d/5.txt"), ["새로"])
    Path("d/4.txt").unlink()
    find_words("d", output="out.jsonl", resume=True)
    find_words("d", output="whole.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()
    assert sorted(path.name for path in Path().iterdir()) == ["d", "out.jsonl", "whole.jsonl"]


@pytest.mark.parametrize("output", ["out.jsonl", "out.csv", "out.parquet", "out"])
@pytest.mark.parametrize("kept", [2, 3])
def test_files_that_were_not_begun_may_be_gone(output: str, kept: int) -> None:
    for number in range(1, 5):
        write_texts(Path(f"d/{number}.csv"), TEXTS)
    form = "jsonl" if output == "out" else None
    killed_after(3, "d", form=form, output=output)  # a row group, the end, twice
    for number in range(kept + 1, 5):
        Path(f"d/{number}.csv").unlink()
    find_words("d", form=form, output=output, resume=True)
    whole = "whole" + Path(output).suffix
    find_words("d", form=form, output=whole)
    pairs = [(Path(output), Path(whole))]
    if output == "out":
        pairs = [(Path(f"out/{number}.jsonl"), Path(f"whole/{number}.jsonl")) for number in range(1, kept + 1)]
    for found, expected in pairs:
        assert read_rows(found) == read_rows(expected)
    assert not [path for path in Path().rglob(".*") if path.is_file()]


@pytest.mark.parametrize("output", ["out.jsonl", "out"])
def test_a_run_that_is_killed_behind_a_bad_file_goes_on(output: str) -> None:
    write_texts(Path("d/2.txt"), TEXTS)
    write_texts(Path("d/3.txt"), TEXTS)
    Path("d/1.txt").write_bytes(TEXTS[0].encode("utf-16"))
    killed_after(0, "d", form="jsonl", output=output, errors="errors.jsonl")
    write_texts(Path("d/1.txt"), ["better"])  # too late: it is among the errors
    find_words("d", form="jsonl", output=output, errors="errors.jsonl", resume=True)
    found = [Path(output)] if output == "out.jsonl" else [Path(f"out/{number}.jsonl") for number in (2, 3)]
    assert [row["text"] for path in found for row in read_rows(path)] == TEXTS * 2
    assert [row["file"] for row in read_rows(Path("errors.jsonl"))] == ["1.txt"]
    assert not [path for path in Path().rglob(".*") if path.is_file()]


def test_the_list_of_files_may_not_be_lost() -> None:
    for number in (1, 2):
        write_texts(Path(f"d/{number}.txt"), TEXTS)
    killed_after(2, "d", output="out.jsonl")
    listed = Path(".out.jsonl.journal.files")
    content = listed.read_bytes()
    for damage in (b"", b"{}\n" + content, b"\xff\n" * 3, b"[]\n" * 3):
        listed.write_bytes(damage)
        with pytest.raises(UserError, match=r"\.out\.jsonl\.journal\.files is damaged; begin anew by --overwrite"):
            find_words("d", output="out.jsonl", resume=True)
    listed.write_bytes(content + b'["half')  # as a kill leaves it
    find_words("d", output="out.jsonl", resume=True)
    assert len(read_rows(Path("out.jsonl"))) == 4
    assert not os.path.exists(listed)
