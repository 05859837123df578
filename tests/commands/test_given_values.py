"""What is given: no empty value, which is a variable of the shell that is not set; the folder of the user for `~`."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["tag", "--input", ""], "--input"),
        (["tag", "--input", "a.txt", "--input="], "--input"),
        (["tag", "--output", "", "비가 온다"], "--output"),
        (["space", "--keep_words", "", "비가"], "--keep_words"),
        (["classify", "--engine", "", "비가"], "--engine"),
        (["suggest", "bundled:named-entities", "--input", ""], "--input"),
        (["evaluate", "bundled:named-entities", "--data_dir", ""], "--data_dir"),
        (["train", "--data_dir", ""], "--data_dir"),
        (["tune", "demo", "--output-dir="], "--output_dir"),
        (["self-train", "demo", "--data_dir", ""], "--data_dir"),
        (["data", ""], "data_dir"),
        (["compare", "runs/a", ""], "runs"),
        (["compare", "runs/a", "--output-dir", ""], "--output_dir"),
        (["export", "bundled:named-entities", ""], "folder"),
        (["push", "runs/a", "user/a", "--revision", ""], "--revision"),
        (["serve", "--host", ""], "--host"),
    ],
)
def test_an_empty_value_is_refused_by_its_name(arguments: list[str], named: str) -> None:
    assert malmoi(*arguments, code=2) == ("", f"malmoi: {named}: expected a value, got an empty one.\n")


def test_a_text_may_be_empty() -> None:
    assert malmoi("tag", "bundled:named-entities", "") == ("\n", "")


def test_nothing_may_stand_between_tokens(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("서\tB-LC\n울\tI-LC\n\n비\tO\n", encoding="utf-8")
    shown, _ = malmoi("data", str(tmp_path), "--reader", "conll", "--token_separator", "", "--json")
    assert json.loads(shown)["splits"][0]["texts"] == 2


@pytest.mark.parametrize("written", ["--output={}", "--output {}"])
def test_a_tilde_that_the_shell_leaves_is_the_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    (tmp_path / "texts.txt").write_text("비가 온다\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    working_folder = tmp_path / "work"
    working_folder.mkdir()
    monkeypatch.chdir(working_folder)
    malmoi("tag", "--input=~/texts.txt", *written.format("~/names.jsonl").split())
    assert (tmp_path / "names.jsonl").read_text(encoding="utf-8").startswith('{"line": 1')
    assert list(working_folder.iterdir()) == []


def test_a_tilde_in_a_flag_of_a_recipe_is_the_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    told = malmoi("tune", "--data_dir=~/corpus", code=2)
    assert told == ("", f"malmoi: {tmp_path / 'corpus'}: there is no such file or folder.\n")


def test_a_tilde_in_a_text_stays() -> None:
    assert malmoi("tag", "bundled:named-entities", "~/비가 온다")[0] == "~/비가 온다\n"
    assert "'~/비가 온다' could be" in malmoi("tag", "~/비가 온다", code=2)[1]


def test_what_looks_like_a_home_and_is_none_is_told_as_it_is() -> None:
    assert "~\\nope" in malmoi("compare", "~\\nope", "~\\other", code=2)[1]


@pytest.mark.parametrize("text", ["-5도까지 떨어진다", "- 비가 온다", "--비가--", "-h 비가", "-vh 비가"])
def test_a_text_that_begins_as_an_option_does_is_told_where_to_stand(text: str) -> None:
    told = f"malmoi: {text!r} begins as an option does; as a text it must stand behind --, such as "
    assert malmoi("tag", text, code=2) == ("", f"{told}`malmoi tag -- '{text}'`.\n")
    model = "bundled:named-entities"
    assert malmoi("tag", model, text, code=2) == ("", f"{told}`malmoi tag {model} -- '{text}'`.\n")
    assert malmoi("tag", "--", text)[1] == ""


def test_an_unknown_option_is_no_text() -> None:
    assert "No such option: --inptu" in malmoi("tag", "--inptu=my file.txt", code=2)[1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["tag", "--model", "runs/a", "비가 온다"], "malmoi tag [model] [texts]..."),
        (["evaluate", "--model=runs/a"], "malmoi evaluate [model]"),
        (["train", "--recipe", "demo"], "malmoi train [recipe]"),
        (["compare", "--runs", "runs/a", "runs/b"], "malmoi compare {runs}..."),
        (["push", "--repo-id=a/b", "runs/a"], "malmoi push {model} {repo_id}"),
    ],
)
def test_what_has_a_place_is_told_to_need_no_flag(arguments: list[str], line: str) -> None:
    flag = arguments[1].partition("=")[0]
    told = f"malmoi: {flag}: {flag[2:]} is given without a flag, in its place: `{line}`.\n"
    assert malmoi(*arguments, code=2) == ("", told)
    assert malmoi("tag", "--", "--model")[0] == "--model\n"
