"""Data without a recipe get one, and it is said which, why, and by what command the same is trained."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from support.command_line import malmoi as command

import malmoi
from malmoi.data.user_error import UserError
from malmoi.recipes.choice import MANY_SENTENCES
from malmoi.recipes.recipe import load_recipe
from malmoi.training import chosen_recipe
from malmoi.training.chosen_recipe import recipe_for_data


def test_the_data_choose_the_recipe_and_it_is_said(marked_corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = recipe_for_data({"data_dir": marked_corpus, "reader": "inline-marks", "learning_rate": "1e-3"})
    assert (chosen.source, chosen.task) == ("klue-ner-from-body", "named-entities")
    assert chosen.given("model_name_or_path") == "bundled:language-model"
    assert chosen.given("output_dir") == f"runs/{marked_corpus.name}"
    assert chosen.given("learning_rate") == "1e-3"
    first, same = capsys.readouterr().err.splitlines()
    assert first.startswith("24 texts to learn from: training by klue-ner-from-body; with 50 sentences of KLUE")
    words = shlex.split(same)
    assert words[:2] == ["malmoi", "train"]
    said = load_recipe(words[2], words[3:])
    assert said.settings == chosen.settings
    assert said.flags == {key: str(value) for key, value in chosen.flags.items()}


def test_a_search_has_a_folder_and_a_command_of_its_own(
    marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--trials", "3", "--prune"]
    chosen = recipe_for_data({"data_dir": marked_corpus}, command="tune", options=options)
    assert chosen.given("output_dir") == f"runs/{marked_corpus.name}-tune"
    _, why, same = capsys.readouterr().err.splitlines()
    assert why.startswith("24 texts to learn from: a search by klue-ner-from-body; ")
    words = shlex.split(same)
    assert words[:3] == ["malmoi", "tune", "klue-ner-from-body"]
    assert words[-3:] == options


def test_rows_in_python_choose_the_recipe_by_what_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": f"비가 {number}번 왔다.", "entities": [[0, 1, "PS"]]} for number in range(9)]
    assert recipe_for_data({"dataset": rows}).source == "klue-ner-from-body"
    assert "The same is" not in capsys.readouterr().err
    reviews = [{"text": f"좋다 {number}", "label": number % 2} for number in range(9)]
    assert recipe_for_data({"dataset": reviews}).source == "nsmc-from-body"
    assert recipe_for_data({"dataset": [row["text"] for row in rows]}).source == "spacing-from-body"
    assert recipe_for_data({"dataset": reviews, "task": "word-spacing"}).source == "spacing-from-body"
    # the error is that of what they are meant for, and not of what else they may be
    rows[4]["entities"] = [[0, 99, "PS"]]
    with pytest.raises(UserError, match=r"^the list, row 5: expected a name within the text"):
        recipe_for_data({"dataset": rows})


def test_what_the_user_says_comes_before_what_is_chosen(
    marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"model_name_or_path": "bundled:named-entities", "output_dir": "runs/mine"}
    chosen = recipe_for_data({"data_dir": marked_corpus, "reader": "inline-marks", **own})
    assert {key: chosen.given(key) for key in own} == own
    assert (
        "training by klue-ner-from-body; it goes on from bundled:named-entities. The same" in capsys.readouterr().err
    )


def test_none_takes_away_what_the_chosen_recipe_has(marked_corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it does where the recipe is named; what follows from the data is not said by `None`."""
    given = {"data_dir": marked_corpus, "reader": "inline-marks", "model_name_or_path": None, "text_column": None}
    chosen = recipe_for_data({**given, "lexicon": None, "save_total_limit": None})
    assert chosen.settings["lexicon"] == "mecab-ko-dic"
    assert (chosen.given("lexicon"), chosen.given("save_total_limit")) == (None, None)
    assert chosen.given("model_name_or_path") == "bundled:language-model"
    assert "The same is" not in capsys.readouterr().err  # no flag says nothing
    recipe_for_data(given)
    _, same = capsys.readouterr().err.splitlines()
    assert "None" not in same


@pytest.mark.parametrize(
    ("reader", "lines", "recipe"),
    [
        ("plain-sentences", ["나는 밥을 먹었다."], "spacing-from-body"),
        ("labelled-texts", ["good\t재미있다", "bad\t지루하다"], "nsmc-from-body"),
    ],
)
def test_the_reader_says_the_task(tmp_path: Path, reader: str, lines: list[str], recipe: str) -> None:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert recipe_for_data({"data_dir": tmp_path, "reader": reader}).source == recipe


def test_files_that_one_reader_alone_reads_need_no_reader(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recipe_for_data({"data_dir": marked_corpus}).given("reader") == "inline-marks"
    said = capsys.readouterr().err.splitlines()[0]
    assert said.startswith(f"{marked_corpus} is read as inline-marks (otherwise --reader): 24 train, ")
    for part in ("train", "test"):
        (tmp_path / f"ratings_{part}.txt").write_text(
            "id\tdocument\tlabel\n" + "".join(f"{n}\t좋은 영화 {n}\t{n % 2}\n" for n in range(40)), encoding="utf-8"
        )
    chosen = recipe_for_data({"data_dir": tmp_path})
    assert (chosen.source, chosen.given("reader")) == ("nsmc-from-body", "nsmc")


def test_a_gpu_and_many_sentences_bring_bert_into_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    lines = [f"비가 <부산:LC>에 {number}번 왔다.\n" for number in range(2 * MANY_SENTENCES)]
    (tmp_path / "train.txt").write_text("".join(lines), encoding="utf-8")
    assert recipe_for_data({"data_dir": tmp_path, "reader": "inline-marks"}).source == "klue-ner-from-body"
    assert "on this GPU, with so many texts, klue-ner-bert may be better" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, r"^Name a recipe \(`malmoi recipes` lists them\), or your data, by --data_dir or --dataset\.$"),
        ({"data_dir": "EMPTY"}, r"expected files with data, but the folder is empty\.$"),
        (
            {"data_dir": "OTHER"},
            "its files are in no known format; say which by --reader: brat, conll, .*inline-marks",
        ),
        ({"data_dir": "nowhere"}, r"nowhere: there is no such file or folder\.$"),
        ({"data_dir": "CORPUS", "reader": "inline-mark"}, "no reader 'inline-mark'; did you mean 'inline-marks'"),
        ({"data_dir": "CORPUS", "reader": "klue-ner"}, "expected a folder with klue-ner-v1.1_train.tsv"),
        (
            {"data_dir": "CORPUS", "reader": "inline-marks", "learning_rat": 1},
            "Unknown setting 'learning_rat'; did you",
        ),
    ],
)
def test_what_is_missing_is_told_in_one_sentence(
    flags: dict[str, Any], message: str, marked_corpus: Path, tmp_path: Path
) -> None:
    folders = {"CORPUS": marked_corpus, "EMPTY": tmp_path / "empty", "OTHER": tmp_path / "other"}
    for name in ("EMPTY", "OTHER"):
        folders[name].mkdir()
    (folders["OTHER"] / "notes.txt").write_text("서울에 갔다.\n", encoding="utf-8")
    flags = {key: folders.get(value, value) for key, value in flags.items()}
    with pytest.raises(UserError, match=message):
        recipe_for_data(flags)
    if "reader" not in flags or flags["reader"] != "klue-ner":
        with pytest.raises(UserError, match=message):
            malmoi.train(**flags)


def test_data_without_training_texts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "validation.txt").write_text("비가 <부산:LC>에 왔다.\n", encoding="utf-8")
    with pytest.raises(UserError, match="holds no train file for the reader inline-marks"):
        recipe_for_data({"data_dir": tmp_path, "reader": "inline-marks"})


@pytest.mark.long
def test_training_without_a_recipe_is_that_of_the_command_it_names(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ["--data_dir", str(marked_corpus), "--reader", "inline-marks", "--max_steps", "2", "--use_cpu", "true"]
    printed, said = command("train", *flags, "--output_dir", "by-command")
    assert "training by klue-ner-from-body" in said
    assert "malmoi tag by-command" in printed
    report = malmoi.train(
        **{"data_dir": marked_corpus, "output_dir": "in-python"}, reader="inline-marks", max_steps=2, use_cpu=True
    )
    named = malmoi.train(
        "klue-ner-from-body",
        **{"data_dir": marked_corpus, "output_dir": "named", "model_name_or_path": "bundled:language-model"},
        **{"reader": "inline-marks", "max_steps": 2, "use_cpu": True},
    )
    for part in ("settings", "losses", "best", "data", "trained_on_from"):
        assert report[part] == named[part], part
    assert chosen_recipe.choose_recipe("named-entities", sentences=24, has_gpu=False).recipe == report["recipe"]


def test_a_search_without_a_recipe_is_understood(tmp_path: Path) -> None:
    for flags, message in (
        ([], "malmoi: Name a recipe (`malmoi recipes` lists them), or your data, by --data_dir or --dataset.\n"),
        (["--trials", "2"], "malmoi: Name a recipe (`malmoi recipes` lists them), or your data, by --data_dir"),
        (["--data_dir", "nowhere", "--trials", "2"], "malmoi: nowhere: there is no such file or folder.\n"),
    ):
        assert command("tune", *flags, code=2)[1].startswith(message)
    with pytest.raises(UserError, match=r"`search_space`: unknown key 'hiden_dropout'"):
        malmoi.tune(dataset=["비가 왔다.", "해가 뜬다.", "눈이 온다."], search_space={"hiden_dropout": [0.2]})
