"""An empty value of an option is refused: it is a variable of the shell that is not set, and no wish for anything."""

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
