"""`malmoi.train` is `malmoi train`, and tells at once what is wrong."""

import json
from pathlib import Path

import numpy
import pytest
from support.tiny_runs import SETTINGS
from transformers import IntervalStrategy

import malmoi
from malmoi.recipes.overrides import with_settings
from malmoi.recipes.recipe import load_recipe
from malmoi.training.train import run


def test_training_from_python_is_the_training_of_the_command_line(marked_corpus: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS, "ngram_sizes": [2, 3], "learning_rate": 2e-3, "lr_scheduler_type": "linear"}
    flags = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
    folders = ["--data_dir", str(marked_corpus), "--output_dir", str(tmp_path / "flags")]
    by_flags = run(load_recipe("demo", [*flags, *folders]))
    report = malmoi.train("demo", data_dir=marked_corpus, output_dir=tmp_path / "python", **settings)
    for part in ("settings", "losses", "best", "data", "tokenizer", "parameters"):
        assert report[part] == by_flags[part], part
    assert (
        json.loads((tmp_path / "python" / "report.json").read_text(encoding="utf-8"))["figures"] == report["figures"]
    )
    assert malmoi.Tagger(tmp_path / "python")(["손흥민은 왔다."]) == malmoi.Tagger(tmp_path / "flags")(
        ["손흥민은 왔다."]
    )


def test_a_recipe_that_was_loaded_can_be_changed(tmp_path: Path) -> None:
    recipe = malmoi.load_recipe("demo")
    given = {
        "seed": numpy.int64(7),
        "learning_rate": numpy.float32(0.5),
        "embeddings": tmp_path,
        "save_strategy": IntervalStrategy.EPOCH,
        "ngram_sizes": (2, 3),
        "early_stopping_patience": None,
        "lr_scheduler_kwargs": {"num_cycles": 2},
    }
    changed = with_settings(recipe, given)
    assert changed.flags == {
        "seed": 7,
        "learning_rate": 0.5,
        "embeddings": str(tmp_path),
        "save_strategy": "epoch",
        "ngram_sizes": [2, 3],
        "early_stopping_patience": None,
        "lr_scheduler_kwargs": {"num_cycles": 2},
    }
    json.dumps(changed.flags)
    assert (recipe.flags, changed.settings, changed.name) == ({}, recipe.settings, "demo")


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("demo", {"learning_rat": 1e-3}, "^Unknown setting 'learning_rat'; did you mean 'learning_rate'\\?$"),
        ("dmo", {}, "no recipe 'dmo'; did you mean 'demo'\\?"),
        (Path("nowhere.yaml"), {}, "nowhere.yaml: there is no such file"),
        ("demo", {"task": "word-spcing"}, "Unknown task 'word-spcing'; did you mean 'word-spacing'\\?"),
        ("demo", {"task": "sentence-classification", "model_type": "bilstm"}, "Unknown setting 'name_replacement_"),
        ("demo", {"seed": object()}, "`seed` must be a text, a number, .* got object"),
        ("demo", {"hidden_size": "wide"}, "hidden_size"),
        ("demo", {"fp16": True, "use_cpu": True}, "`fp16` has no effect on CPU"),
        ("demo", {"data_dir": "nowhere"}, "nowhere"),
    ],
)
def test_wrong_settings_are_told_in_one_sentence(
    recipe: str | Path, settings: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(malmoi.UserError, match=message):
        malmoi.train(recipe, output_dir=tmp_path / "run", **settings)
    assert not [*tmp_path.glob("run/*")]
