"""Every draw trains on what was drawn first, and on that with more at random and with what was suggested."""

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import DatasetDict
from support.marked_lines import TRAIN_LINES, VALIDATION_LINES
from support.tiny_runs import SETTINGS, train_body

from malmoi.benchmarks import suggested_sentences
from malmoi.benchmarks.suggested_sentences import Plan, measure
from malmoi.data.inline_marks import parse_marks
from malmoi.data.readers import read_splits
from malmoi.data.user_error import UserError
from malmoi.inference.suggestions import Suggestion

SENTENCES = [f"{line} {number}" for number in range(3) for line in TRAIN_LINES]
NAMES = {text: len(names) for text, names in map(parse_marks, SENTENCES)}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "train.txt").write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    (folder / "validation.txt").write_text("\n".join(VALIDATION_LINES) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def splits(corpus: Path) -> DatasetDict:
    return read_splits("inline-marks", corpus, task="named-entities")


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be trained; F1 is the share of sentences. The last of the other texts are suggested."""
    asked: list[dict[str, Any]] = []

    def train(recipe: str, *, dataset: DatasetDict, **given: Any) -> dict[str, Any]:
        texts = ["".join(tokens) for tokens in dataset["train"]["tokens"]]
        asked.append({"recipe": recipe, "texts": texts, **given})
        return {"figures": {"entity_f1": len(texts) / len(SENTENCES)}}

    def suggest(model: Path, texts: list[str], *, count: int, measure: str) -> list[Suggestion]:
        chosen = range(len(texts) - count, len(texts)) if measure == "token" else range(1, count + 1)
        return [Suggestion(number, texts[number], [], 0.5, "") for number in chosen]

    monkeypatch.setattr(suggested_sentences, "train", train)
    monkeypatch.setattr(suggested_sentences, "suggest", suggest)
    return asked


def test_a_row_for_every_choice(trainings: list[dict[str, Any]], splits: DatasetDict) -> None:
    rows = measure(Plan(splits, "a-recipe", "a-body", 4, 6, {"bf16": True}), 2)
    assert [(row["labelled"], row["sentences"]) for row in rows[:4]] == [
        ("the first ones", 4),
        ("and more at random", 10),
        ("and more by sentence", 10),
        ("and more by token", 10),
    ]
    assert [row["entity_f1"] for row in rows[:4]] == pytest.approx([100 * 4 / 24] + [100 * 10 / 24] * 3)
    assert [(each["seed"], each["model_name_or_path"], each["bf16"]) for each in trainings] == (
        [(1, "a-body", True)] * 5 + [(2, "a-body", True)] * 5
    )
    for draw in (trainings[:5], trainings[5:]):
        first, at_random, by_sentence, by_token, as_long = (each["texts"] for each in draw)
        assert [len({*texts}) for texts in (first, at_random, by_sentence, by_token)] == [4, 10, 10, 10]
        assert at_random[:4] == by_token[:4] == by_sentence[:4] == as_long[:4] == first
        assert by_sentence[4:9] == at_random[5:]
        assert not {*by_token} & {*at_random} - {*first}  # the last ones, and those after the first
        characters = max(len("".join(texts)) for texts in (by_sentence, by_token))
        assert len("".join(as_long)) >= characters > len("".join(as_long[:-1]))
        assert as_long[: len(at_random)] == at_random[: len(as_long)]
    assert rows[4]["labelled"] == "and as many characters at random"
    assert all(len(row["of each draw"]) == 2 for row in rows)
    assert trainings[0]["texts"] != trainings[5]["texts"]
    names = [sum(map(NAMES.__getitem__, each["texts"])) for each in trainings]
    assert [row["names"] for row in rows] == [(names[at] + names[at + 5]) / 2 for at in range(5)]
    assert rows[0]["characters"] == sum(len(text) for at in (0, 5) for text in trainings[at]["texts"]) / 2


def test_the_table_is_written(
    tmp_path: Path,
    corpus: Path,
    trainings: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("task: named-entities\nreader: inline-marks\n", encoding="utf-8")
    given = ["--data_dir", str(corpus), "--body", "a-body", "--recipe", str(recipe), "--threads", "1", "--draws", "1"]
    suggested_sentences.main(
        [*given, "--first", "4", "--more", "6", "--max_steps", "7", "--output_dir", str(tmp_path)]
    )
    rows = json.loads((tmp_path / "suggested_sentences.json").read_text(encoding="utf-8"))["rows"]
    assert [row["sentences"] for row in rows[:4]] == [4, 10, 10, 10]
    assert all(each["max_steps"] == 7 and "bf16" not in each for each in trainings)
    assert "and more by token" in capsys.readouterr().out
    with pytest.raises(UserError, match="24 together at most, got 20 and 5"):
        suggested_sentences.main([*given, "--first", "20", "--more", "5"])
    with pytest.raises(UserError, match="`--draws` must be at least 1, got 0"):
        suggested_sentences.main([*given, "--draws", "0"])


@pytest.mark.long
def test_it_trains_and_suggests(tmp_path: Path, splits: DatasetDict) -> None:
    body = train_body(tmp_path / "body", [*NAMES])
    kept = (
        "max_steps",
        "eval_steps",
        "save_steps",
        "eval_strategy",
        "save_strategy",
        "disable_tqdm",
        "name_replacement_copies",
    )
    settings = {name: SETTINGS[name] for name in kept}
    rows = measure(Plan(splits, "klue-ner-from-body", str(body), 6, 5, settings), 1)
    assert [row["sentences"] for row in rows[:4]] == [6, 11, 11, 11]
    assert all(0 <= row["entity_f1"] <= 100 for row in rows)
