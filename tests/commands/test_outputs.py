"""Where answers go: nothing that is there is lost, and nothing is there that is not whole."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.found_words import find_words
from support.text_files import read_rows, write_texts

from malmoi.data.user_error import UserError

TEXTS = ["손흥민은 춘천에서 태어났다.", "", "비가 왔다"]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_there_is_replaced_only_if_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_texts(Path("in.txt"), TEXTS)
    Path("out.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"out\.jsonl is there already; choose another place, or replace it by --over"):
        find_words("in.txt", output="out.jsonl")
    assert Path("out.jsonl").read_text(encoding="utf-8") == "mine"
    find_words("in.txt", output="out.jsonl", overwrite=True)
    assert len(read_rows(Path("out.jsonl"))) == 3
    find_words("in.txt", output="out.jsonl", resume=True)
    assert capsys.readouterr().err == (
        "malmoi: out.jsonl is there already, and no run of it is unfinished: it is left as it is; --overwrite begins "
        "anew.\n"
    )
    Path("errors.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"--errors: errors\.jsonl is there already"):
        find_words("in.txt", output="other.jsonl", errors="errors.jsonl")
    assert not Path("other.jsonl").exists()


def test_a_run_that_fails_leaves_nothing_under_the_name_of_the_output() -> None:
    Path("in.txt").write_bytes("가\n나\n".encode() + b"\xff\n")
    with pytest.raises(UserError, match=r"in\.txt, line 3"):
        find_words("in.txt", output="out.jsonl")
    assert [path.name for path in Path().iterdir()] == ["in.txt"]


@pytest.mark.parametrize(
    ("given", "output", "errors", "message"),
    [
        (["in.txt"], "in.txt", None, r"in\.txt would be written over, but it is a file of --input"),
        (["in.txt"], "./d/../in.txt", None, "would be written over"),
        (["in.txt"], "out.txt", "in.txt", r"in\.txt would be written over"),
        (["in.txt"], "out.txt", "out.txt", r"--errors: out\.txt is the file of --output, too"),
        (["d"], "d/out.jsonl", None, "would be written into .*d, which is read"),
        (["d"], "d", None, r"d/a\.txt would be written over"),
        (["d"], "d/out", None, "would be written into .*d, which is read"),
        (["d"], "in.txt", None, r"--output: in\.txt is there already"),
        (["d", "in.txt", "e/in.txt"], "out", None, r"in\.txt and e/in\.txt would both be answered in out/in\.txt"),
        (["-"], "out/", None, "Standard input has no name for a file in a folder"),
        (["empty"], "out", None, "empty: expected a folder with files such as"),
        (["in.txt", "t.csv"], "out.csv", None, r"in\.txt and t\.csv have different columns"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_read(
    given: list[str], output: str, errors: str | None, message: str
) -> None:
    for path in ("in.txt", "d/a.txt", "e/in.txt", "t.csv"):
        write_texts(Path(path), TEXTS)
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError, match=message):
        find_words(*given, output=output, errors=errors, overwrite=output == "in.txt" and given == ["in.txt"])
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "xml"], "--format must be one of inline, jsonl, conll, brat, csv, parquet, got 'xml'."),
        (["--format", "brat", "--output", "out"], "--format brat is for whole documents; add --document."),
        (["--format", "brat", "--document"], "--format brat needs a folder to write, by --output."),
        (["--format", "conll", "--document"], "--format conll has a sentence for each line of a file"),
        (["--output", "a.xlsx"], "--output a.xlsx: no such file is written; spreadsheets read .csv."),
        (["--format", "parquet"], "--format parquet needs a file to write, by --output."),
        (["--format", "csv", "--json"], "Give either --json or --format csv, not both."),
        (["--resume", "--overwrite", "--output", "out"], "Give either --resume, which goes on, or --overwrite"),
        (["--resume"], "--resume needs a file or folder to go on with, by --output."),
        (["--overwrite"], "--overwrite needs a file or folder to replace, by --output or --errors."),
        (["--overwrite", "--output", "-"], "--overwrite needs a file or folder to replace, by --output or --errors."),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str], message: str) -> None:
    write_texts(Path("in.txt"), TEXTS)
    assert malmoi("tag", "--input", "in.txt", *arguments, code=2)[1].startswith(f"malmoi: {message}")


def test_documents_are_not_mixed_in_one_file() -> None:
    for name in ("d/a.txt", "d/b.txt"):
        write_texts(Path(name), TEXTS)
    with pytest.raises(UserError, match="--format inline has no place between documents"):
        find_words("d", document=True, output="out.txt")


def test_texts_of_the_command_line_are_written_too_but_are_no_files() -> None:
    malmoi("tag", "손흥민은 춘천에서 태어났다.", "--output", "out.jsonl")
    assert [row["text"] for row in read_rows(Path("out.jsonl"))] == ["손흥민은 춘천에서 태어났다."]
    Path("folder").mkdir()
    for output in ("folder", "new/"):
        assert malmoi("tag", "비가 온다", "--output", output, code=2)[1] == (
            "malmoi: Texts of the command line have no names for files in a folder; give a file as --output.\n"
        )
    assert sorted(path.name for path in Path().iterdir()) == ["folder", "out.jsonl"]
    for option in (["--document"], ["--text_column", "x"], ["--workers", "2"]):
        assert malmoi("tag", "비가 온다", *option, code=2)[1] == (
            f"malmoi: {option[0]} is for files, but there is no --input.\n"
        )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("kind", [".txt", ".csv"])
def test_a_full_disk_is_one_sentence(kind: str) -> None:
    source = write_texts(Path(f"in{kind}"), TEXTS)
    with pytest.raises(UserError, match=r"/dev/full: it could not be written on \(No space left on device\)"):
        find_words(source, output="/dev/full")
    Path("bad.txt").write_bytes(b"\xff\n")
    with pytest.raises(UserError, match="/dev/full: it could not be written on"):
        find_words("bad.txt", output="out.txt", errors="/dev/full")
    _, error = malmoi("tag", "--input", source, "--output", "/dev/full", code=2)
    assert error == "malmoi: /dev/full: it could not be written on (No space left on device).\n"


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc")
def test_what_a_shell_lets_standard_output_go_to_is_written_on() -> None:
    Path("in.txt").write_bytes("가\n".encode() + b"\xff\n" + "나\n".encode())
    with Path("so.txt").open("wb") as output, Path("se.txt").open("wb") as errors:
        for file in (output, errors):
            file.write(b"before\n")
            file.flush()
        links = {name: f"/proc/self/fd/{file.fileno()}" for name, file in (("output", output), ("errors", errors))}
        for options in ({}, {"overwrite": True}):
            find_words("in.txt", form="inline", **links, **options)
        with pytest.raises(UserError, match="--resume needs a file or folder to go on with"):
            find_words("in.txt", **links, resume=True)
        with pytest.raises(UserError, match=r"would be written over, but it is a file of --input"):
            find_words("so.txt", output=links["output"])
        output.write(b"after\n")
    assert Path("so.txt").read_text(encoding="utf-8") == "before\n" + "<가:PS>\n<나:PS>\n" * 2 + "after\n"
    first, *rows = Path("se.txt").read_text(encoding="utf-8").splitlines()
    assert (first, [json.loads(row)["line"] for row in rows]) == ("before", [2, 2])
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt", "se.txt", "so.txt"]


@pytest.mark.parametrize("target", [None, "mine\n"])
def test_a_link_stays_one_to_the_file_that_is_written(target: str | None) -> None:
    write_texts(Path("in.txt"), TEXTS)
    Path("deep").mkdir()
    if target is not None:
        Path("deep/real.jsonl").write_text(target, encoding="utf-8")
    try:
        Path("link.jsonl").symlink_to("deep/real.jsonl")
    except OSError:
        pytest.skip("needs links")
    if target is not None:
        with pytest.raises(UserError, match=r"real\.jsonl is there already"):
            find_words("in.txt", output="link.jsonl")
    find_words("in.txt", output="link.jsonl", overwrite=target is not None)
    assert Path("link.jsonl").is_symlink()
    assert len(read_rows(Path("deep/real.jsonl"))) == 3
    assert [path.name for path in Path("deep").iterdir()] == ["real.jsonl"]
    assert sorted(path.name for path in Path().iterdir()) == ["deep", "in.txt", "link.jsonl"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_written_to_and_read_from() -> None:
    os.mkfifo("in.txt")
    os.mkfifo("out.txt")
    written = threading.Thread(target=lambda: Path("in.txt").write_text("가\n나\n", encoding="utf-8"))
    answering = threading.Thread(target=lambda: find_words("in.txt", output="out.txt", form="csv"))
    written.start()
    answering.start()
    content = Path("out.txt").read_text(encoding="utf-8")
    assert content == "line,text,start,end,label,score,name\n1,가,0,1,PS,0.5000,가\n2,나,0,1,PS,0.5000,나\n"
    written.join()
    answering.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_json_lines_come_through_a_named_pipe_and_tables_do_not() -> None:
    os.mkfifo("in.jsonl")
    lines = "".join(f'{{"text": "가", "n": {number}}}\n' for number in range(50_000))
    writing = threading.Thread(target=lambda: Path("in.jsonl").write_text(lines, encoding="utf-8"), daemon=True)
    writing.start()
    find_words("in.jsonl", output="out.jsonl")
    assert [row["n"] for row in read_rows(Path("out.jsonl"))] == [*range(50_000)]
    writing.join()
    for kind in ("csv", "tsv", "parquet"):
        os.mkfifo(f"in.{kind}")
        with pytest.raises(UserError, match=rf"in\.{kind}: a pipe is read once, and a table like this twice; make it"):
            find_words(f"in.{kind}", output="other.jsonl")


def test_what_is_read_is_not_where_standard_output_goes() -> None:
    write_texts(Path("d/a.txt"), TEXTS)
    code = "from support.found_words import find_words; find_words('d')"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with Path("d/out.txt").open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=output, stderr=subprocess.PIPE, env=environment, timeout=60
        )
    said = done.stderr.decode().splitlines()[-1]
    assert said.endswith("UserError: d/out.txt would be read, but standard output goes there; let it go elsewhere.")
    assert Path("d/out.txt").read_bytes() == b""


def test_a_bar_counts_the_rows_of_every_kind_of_file() -> None:
    pty = pytest.importorskip("pty")
    code = "from support.found_words import find_words; find_words('in.parquet', 'in.csv', output='out.jsonl')"
    for kind in ("csv", "parquet"):
        write_texts(Path(f"in.{kind}"), TEXTS * 1000)
    parent, terminal = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TERM": "xterm", "COLUMNS": "120"}
    subprocess.run([sys.executable, "-c", code], stderr=terminal, env=environment, check=True, timeout=200)
    os.close(terminal)
    shown = ""
    while "6,000 rows" not in shown:
        shown += os.read(parent, 65536).decode(errors="replace")
    os.close(parent)
    assert re.search(r"6,000 rows, [\d,]+ rows a second", shown)


def test_an_empty_file_has_an_empty_answer(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in (".txt", ".jsonl", ".csv"):
        Path(f"in{kind}").touch()
        find_words(f"in{kind}", output=f"out{kind}.jsonl")
        assert Path(f"out{kind}.jsonl").read_bytes() == b""
        assert capsys.readouterr().err == f"malmoi: in{kind}: the file is empty.\n"
    find_words(write_texts(Path("in.parquet"), []), output="out.parquet")
    assert read_rows(Path("out.parquet")) == []
    find_words(write_texts(Path("heading.csv"), []), output="heading-out.csv")
    assert Path("heading-out.csv").read_text(encoding="utf-8").startswith("id,sentence,note,start,")
    said = capsys.readouterr().err
    assert said == "".join(f"malmoi: {name}: it has columns, but no row.\n" for name in ("in.parquet", "heading.csv"))


def test_a_file_that_an_option_names_is_not_written_over() -> None:
    write_texts(Path("in.txt"), TEXTS)
    Path("words.txt").write_text("손흥민\n", encoding="utf-8")
    for flag in ("--keep_words", "--words"):
        for written in (
            ["--output", "./words.txt"],
            ["--output", "o.txt", "--errors", "words.txt"],
            ["--errors", "words.txt"],
        ):
            _, error = malmoi("space", "--input", "in.txt", flag, "words.txt", *written, "--overwrite", code=2)
            assert (
                error
                == f"malmoi: words.txt would be written over, but it is the file of {flag}; choose another place.\n"
            )
    _, error = malmoi("tag", "--input", "in.txt", "--errors", "in.txt", "--overwrite", code=2)
    assert error == "malmoi: in.txt would be written over, but it is a file of --input; choose another place.\n"
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt", "words.txt"]
    assert Path("words.txt").read_text(encoding="utf-8") == "손흥민\n"


def test_a_dash_is_standard_output_and_no_file(capfd: pytest.CaptureFixture[str]) -> None:
    write_texts(Path("in.txt"), TEXTS)
    find_words("in.txt")
    expected = capfd.readouterr().out
    find_words("in.txt", output="-")
    assert capfd.readouterr().out == expected != ""
    with pytest.raises(UserError, match="--errors: expected the name of a file, got -, which is standard output"):
        find_words("in.txt", errors="-")
    assert [path.name for path in Path().iterdir()] == ["in.txt"]


def test_columns_without_a_name_come_back_under_their_places() -> None:
    Path("excel.csv").write_text("id,text,,\n1,비가 온다,,\n2,눈이 온다,,가\n", encoding="utf-8-sig")
    find_words("excel.csv", output="out.csv")
    rows = [(row["id"], row["text"], row["column 3"], row["column 4"]) for row in read_rows(Path("out.csv"))]
    assert {*rows} == {("1", "비가 온다", "", ""), ("2", "눈이 온다", "", "가")}


def test_what_is_no_finite_number_is_written_as_each_form_can() -> None:
    Path("in.jsonl").write_text('{"text": "비가 온다", "n": 1e400, "m": -1e400, "k": null}\n', encoding="utf-8")
    find_words("in.jsonl", output="out.csv")
    assert {(row["n"], row["m"], row["k"]) for row in read_rows(Path("out.csv"))} == {("inf", "-inf", "")}
    find_words("in.jsonl", output="out.jsonl")
    assert [(row["n"], row["m"], row["k"]) for row in read_rows(Path("out.jsonl"))] == [(None, None, None)]
