"""`malmoi data` on the command line."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi

from malmoi.data.readers.inline_marks import SAMPLE_CORPUS

LINES = [
    "<서울:LC>에 갔다.",
    "<서울:OG>이 이겼다.",
    "서울은 넓다.",
    "<김하늘 :PS>은 [bold]갔다[/bold]",
    "비가 \x1b[31m온다",
] * 5


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "train.txt").write_text("\n".join(LINES), encoding="utf-8")
    (folder / "validation.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    return folder


def test_what_is_in_data_is_printed_and_nothing_floods_the_screen(corpus: Path) -> None:
    output, error = malmoi("data", corpus)
    assert f"{corpus} is read as inline-marks (otherwise --reader): 25 train, 1 validation sentences, " in error
    assert "\x1b" not in output
    assert "[bold]갔다[/bold]" in output
    assert "비가 [U+001B][31m온다" in output
    assert "Names of several types: 1 of 2 different names" in output
    assert "  서울  LC 6, OG 5\n" in output
    assert "Texts of validation and train that stand in both: 1 of 1 texts" in output
    assert len(output.splitlines()) < 150


def test_json_is_all_that_is_printed(corpus: Path) -> None:
    said = json.loads(malmoi("data", corpus, "--json")[0])
    assert malmoi("data", "--data_dir", corpus, "--json")[0] == malmoi("data", corpus, "--json")[0]
    assert (said["source"], said["reader"], said["form"]) == (str(corpus), "inline-marks", "names")
    assert [split["texts"] for split in said["splits"]] == [25, 1]


def test_josa_are_cut_by_a_flag_and_by_the_setting_of_training(corpus: Path) -> None:
    (corpus / "train.txt").write_text("<김하늘은:PS> 갔다.\n<비가 온다.\n" * 5, encoding="utf-8")
    outputs = {}
    for flags in ([], ["--trim_josa"], ["--trim_josa", "true"], ["--trim-josa", "True"], ["--trim-josa", "false"]):
        output, error = malmoi("data", corpus, *flags)
        outputs[" ".join(flags)] = output
        assert ("김하늘은 → 김하늘" in error) == bool({"--trim_josa", "True"} & {*flags})
    assert outputs["--trim_josa"] == outputs["--trim_josa true"] == outputs["--trim-josa True"] != outputs[""]
    assert outputs["--trim-josa false"] == outputs[""]
    _, error = malmoi("data", corpus, "--trim_josa", "maybe", code=2)
    assert "maybe" in error


def test_a_page_is_written_beside_what_is_printed(corpus: Path, tmp_path: Path) -> None:
    output, _ = malmoi("data", corpus, "--html", tmp_path / "data.html")
    assert f"Written: {tmp_path / 'data.html'}" in output
    assert "서울" in (tmp_path / "data.html").read_text(encoding="utf-8")
    _, error = malmoi("data", corpus, "--html", tmp_path / "none" / "data.html", code=2)
    assert error == f"malmoi: --html {tmp_path / 'none' / 'data.html'}: there is no folder {tmp_path / 'none'}.\n"


def test_data_are_exported_whole_or_not_at_all(corpus: Path, tmp_path: Path) -> None:
    output, _ = malmoi("data", corpus, "--export", "jsonl", "--output", tmp_path / "out")
    assert output == f"{tmp_path / 'out'}: 25 train and 1 validation texts in the form jsonl, in 2 files.\n"
    _, error = malmoi("data", corpus, "--export", "conll", "--output", tmp_path / "out", code=2)
    assert error.endswith("expected a folder that does not exist, or is empty.\n")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"train.jsonl", "validation.jsonl"}
    again, _ = malmoi("data", tmp_path / "out", "--export", "inline", "--output", tmp_path / "back")
    assert again.endswith("in the form inline, in 2 files.\n")
    lines = (tmp_path / "back" / "train.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == LINES[0]


def test_no_split_is_cut_from_another(tmp_path: Path) -> None:
    text = (SAMPLE_CORPUS / "train.txt").read_text(encoding="utf-8")
    (tmp_path / "train.txt").write_text(text, encoding="utf-8")
    said = json.loads(malmoi("data", tmp_path, "--json")[0])
    assert [split["split"] for split in said["splits"]] == ["train"]


def test_spaces_are_those_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("비가  온다\n해가 뜬다\n", encoding="utf-8")
    said = json.loads(malmoi("data", tmp_path, "--reader", "plain-sentences", "--json")[0])
    [spaces] = [finding for finding in said["findings"] if finding["kind"] == "loose_spaces"]
    assert spaces["first_cases"][0]["places"][0]["text"] == "비가  온다"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give the folder with the data, or a dataset by --dataset."),
        (["missing"], "missing: there is no such file or folder."),
        (["--reader", "xml"], "--reader must be one of brat, "),
        (["--reader", "jsonl"], "The reader jsonl has no data of its own; give the folder that it is to read."),
        (["--task", "x"], "--task must be one of "),
        (
            ["--reader", "brat", "--task", "word-spacing"],
            "The reader brat is for named-entities, but --task is word-spacing.",
        ),
        (["a", "--data_dir", "b"], "The folder is given twice, a and --data_dir b; leave out one of them."),
        (["--output", "x"], "--output is where --export writes; say which form: "),
        (["--export", "xml", "--output", "x"], "--export must be one of brat, "),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: list[str], message: str) -> None:
    _, error = malmoi("data", *arguments, code=2)
    assert error.startswith(f"malmoi: {message}")
    assert error.count("\n") == 1


def test_a_bad_name_is_said_once_and_no_other_task(tmp_path: Path) -> None:
    file = tmp_path / "admin.jsonl"
    file.write_text('{"text": "서울에 갔다.", "label": [[0, 99, "LC"]]}\n', encoding="utf-8")
    _, error = malmoi("data", tmp_path, code=2)
    assert error.startswith(f"malmoi: {file}, line 1: expected a name within the text of 7 characters, got LC from 0 ")
    assert error.count(str(file)) == 1
    assert "--task" not in error
    assert "class" not in error


@pytest.mark.parametrize(("flag", "value"), [("--json", []), ("--html", ["data.html"])])
def test_data_are_shown_or_exported_and_neither_is_passed_over(
    corpus: Path, flag: str, value: list[str], tmp_path: Path
) -> None:
    places = [tmp_path / name for name in value]
    _, error = malmoi("data", corpus, flag, *places, "--export", "jsonl", "--output", tmp_path / "out", code=2)
    assert error == (
        f"malmoi: {flag} for what is in data, --export and --output to write them in another form: leave out one.\n"
    )
    assert not any(path.exists() for path in (*places, tmp_path / "out"))
