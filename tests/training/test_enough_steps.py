"""Small data get enough steps to learn something, or the run says what to change."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.marked_lines import TRAIN_LINES, VALIDATION_LINES
from support.recipe_flags import as_flags
from transformers import TrainingArguments
from transformers.trainer_utils import IntervalStrategy

from malmoi.commands.compare_embeddings import embedding_recipes
from malmoi.commands.several_runs import unfinished_runs
from malmoi.recipes.recipe import RECIPES, Recipe, load_recipe, recipe_names
from malmoi.training.described_settings import describe_settings, settings_as_given
from malmoi.training.recipe_arguments import parse_recipe
from malmoi.training.steps import (
    EARLY_STOPPING,
    ENOUGH_STEPS,
    MOST_EVALUATIONS,
    give_enough_steps,
    nothing_learned,
    planned_steps,
)
from malmoi.training.train import main, run

TINY = {
    "embedding_size": 8,
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 16,
    "per_device_train_batch_size": 16,
    "use_cpu": "true",
    "disable_tqdm": "true",
}
LARGE = 14_000
"""Rows of an epoch: a tenth of NSMC; the other corpora have more."""
ROWS = {"korean-language-model": 600_000, "demo": 440 * 8, "nsmc-bi-lstm": 142_500}


def given(recipe: Recipe, texts: int) -> tuple[dict[str, Any], TrainingArguments]:
    arguments, training_arguments, _ = parse_recipe(recipe)
    return give_enough_steps(recipe, arguments, training_arguments, texts=texts), training_arguments


def flags(**settings: Any) -> list[str]:
    return as_flags(settings)


@pytest.fixture
def thirty_sentences(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    lines = (TRAIN_LINES * 4)[:30]
    (tmp_path / "data" / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "data" / "validation.txt").write_text("\n".join(VALIDATION_LINES) + "\n", encoding="utf-8")
    return tmp_path / "data"


@pytest.mark.slow
def test_thirty_sentences_are_learned(
    tmp_path: Path, thirty_sentences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = flags(output_dir=tmp_path / "run", data_dir=thirty_sentences, learning_rate=0.01, **TINY)
    report = run(load_recipe("klue-ner-bi-lstm-crf", ["--reader", "inline-marks", *options]))
    assert report["training"]["steps"] >= ENOUGH_STEPS
    assert report["figures"]["entity_f1"] > 0.8
    assert len(report["epochs"]) <= MOST_EVALUATIONS
    said = capsys.readouterr().err
    assert "150 texts make 10 steps an epoch: training 30 epochs instead of 4 (--num_train_epochs sets another" in said
    assert report["settings"]["num_train_epochs"] == 30
    assert report["training"]["instead_of"]["num_train_epochs"] == 4
    again = load_recipe("klue-ner-bi-lstm-crf", ["--reader", "inline-marks", *options])
    assert settings_as_given(report) == describe_settings(again)


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_train_on_their_normal_data_as_they_say(name: str) -> None:
    changed, _ = given(load_recipe(name, ["--use_cpu", "true"]), ROWS.get(name, LARGE))
    assert changed == {}


@pytest.mark.parametrize(
    ("length", "more"), [({"num_train_epochs": 4}, "--num_train_epochs 60"), ({"max_steps": 20}, "--max_steps 300")]
)
def test_what_the_user_says_stays_and_is_told_to_be_little(
    length: dict[str, int], more: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed, training_arguments = given(load_recipe("klue-ner-bi-lstm-crf", flags(use_cpu="true", **length)), 150)
    assert changed == {}
    assert planned_steps(training_arguments, 150) == 20
    assert capsys.readouterr().err == f"20 steps may be too few to learn from; {more} makes 300.\n"


def test_a_recipe_of_the_user_is_the_word_of_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.yaml"
    own.write_text((RECIPES / "klue-ner-bi-lstm-crf.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    changed, training_arguments = given(load_recipe(str(own), ["--use_cpu", "true"]), 150)
    assert changed == {}
    assert training_arguments.num_train_epochs == 4
    assert "--num_train_epochs 60 makes 300" in capsys.readouterr().err


def test_the_learning_rate_shrinks_as_far_as_it_would_have() -> None:
    recipe = load_recipe("kmou-ner-bert-tiny", ["--use_cpu", "true"])
    arguments, training_arguments, _ = parse_recipe(recipe)
    changed = give_enough_steps(recipe, arguments, training_arguments, texts=30)
    assert changed["num_train_epochs"] == 300
    assert arguments.learning_rate_decay**300 == pytest.approx(0.9**3)


def test_evaluations_that_the_user_asks_for_stay() -> None:
    recipe = load_recipe("klue-ner-bi-lstm-crf", flags(use_cpu="true", eval_strategy="epoch"))
    changed, training_arguments = given(recipe, 150)
    assert changed == {"num_train_epochs": 60}
    assert training_arguments.eval_strategy == IntervalStrategy.EPOCH


def test_small_data_get_a_curve_of_the_training_loss_too() -> None:
    recipe = load_recipe("nsmc-bi-lstm", ["--use_cpu", "true"])
    assert int(recipe.settings["logging_steps"]) > ENOUGH_STEPS
    changed, training_arguments = given(recipe, 30)
    assert changed["logging_steps"] == training_arguments.logging_steps == ENOUGH_STEPS // MOST_EVALUATIONS
    changed, training_arguments = given(load_recipe("nsmc-bi-lstm", flags(use_cpu="true", logging_steps=500)), 30)
    assert "logging_steps" not in changed
    assert training_arguments.logging_steps == 500


def test_a_finished_comparison_of_embeddings_on_small_data_stays(tmp_path: Path) -> None:
    recipes = embedding_recipes(
        "demo", flags(embeddings="vectors.txt", resume_from_checkpoint="true", output_dir=tmp_path)
    )
    for folder, recipe in recipes.items():
        folder.mkdir()
        settings = describe_settings(recipe)
        report = {
            "settings": {**settings, "num_train_epochs": 60},
            "training": {"instead_of": {"num_train_epochs": 5}},
        }
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert unfinished_runs(recipes) == {}


def test_a_model_that_has_learned_nothing_is_said_to(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["demo", *flags(output_dir=tmp_path / "run", data_dir=marked_corpus, max_steps=1, learning_rate=0, **TINY)])
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["figures"]["entity_f1"] == 0
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        "The model has learned nothing yet: entity_f1 is 0.00 after 1 step. Train longer (--max_steps)"
    )


def test_a_classifier_that_knows_one_class_has_learned_nothing() -> None:
    report = {
        "main_figure": "accuracy",
        "figures": {"accuracy": 0.5},
        "confusion": {"classes": ["a", "b"], "counts": [[3, 0], [3, 0]]},
        "training": {"steps": 2},
    }
    assert "every text is given the same class after 2 steps" in str(nothing_learned(report))
    assert "Train longer (--num_train_epochs)" in str(nothing_learned(report))
    report["training"] = {"steps": 2, "ended": EARLY_STOPPING}
    assert "Train longer (--early_stopping_patience)" in str(nothing_learned(report))
    report["confusion"] = {"classes": ["a", "b"], "counts": [[3, 0], [2, 1]]}
    assert nothing_learned(report) is None
