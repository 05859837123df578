"""Several runs by one command, gone on with: those that are finished have learned the data of the others."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from support.marked_lines import TRAIN_LINES, VALIDATION_LINES, write_splits
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS

from malmoi.commands.several_runs import unfinished_runs
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.recipes.arguments import OF_READING
from malmoi.recipes.keys import all_keys
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.training import preparation
from malmoi.training.resuming import finished_data
from malmoi.training.train import run


@pytest.fixture
def recipes(tmp_path: Path) -> Callable[[], dict[Path, Recipe]]:
    """Return the recipes of three runs on the same data, which are gone on with; the first two are finished."""
    data = write_splits(tmp_path / "data", train=TRAIN_LINES * 3, validation=VALIDATION_LINES)

    def make() -> dict[Path, Recipe]:
        given = {**SETTINGS, "data_dir": data, "use_cpu": True, "resume_from_checkpoint": True}
        return {
            folder: load_recipe("demo", as_flags({**given, "seed": seed, "output_dir": folder}))
            for seed in (1, 2, 3)
            for folder in [tmp_path / f"seed-{seed}"]
        }

    for recipe in [*make().values()][:2]:
        run(recipe._replace(flags={**recipe.flags, "resume_from_checkpoint": "false"}))
    return make


def test_data_that_changed_since_a_run_was_finished_are_noticed(
    recipes: Callable[[], dict[Path, Recipe]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    load = preparation.load_splits
    monkeypatch.setattr(
        finished_data, "load_splits", lambda *given, **named: read.append("data") or load(*given, **named)
    )
    assert [*unfinished_runs(recipes())] == [tmp_path / "seed-3"]
    assert read == ["data"]
    write_splits(tmp_path / "data", train=[*TRAIN_LINES * 3, "<서울:LC>에 비가 왔다."])
    with pytest.raises(
        RecipeError, match=r"seed-1 holds a finished run, .* have changed: the training data are others"
    ):
        unfinished_runs(recipes())
    write_splits(tmp_path / "data", train=TRAIN_LINES * 3, validation=VALIDATION_LINES[:2])
    with pytest.raises(RecipeError, match="have changed: the validation data are others"):
        unfinished_runs(recipes())
    # where nothing is left to train, all stays as it is
    assert unfinished_runs({folder: recipe for folder, recipe in recipes().items() if folder.name != "seed-3"}) == {}


def test_a_report_of_an_older_version_does_not_tell(recipes: Callable[[], dict[Path, Recipe]], tmp_path: Path) -> None:
    for path in tmp_path.glob("seed-*/report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        del report["training"]["fingerprints"]
        path.write_text(json.dumps(report), encoding="utf-8")
    write_splits(tmp_path / "data", train=TRAIN_LINES)
    assert [*unfinished_runs(recipes())] == [tmp_path / "seed-3"]


def test_whatever_readers_can_be_told_decides_what_is_read() -> None:
    assert {option.name for option in fields(ReadingOptions)} <= set(OF_READING)
    assert set(OF_READING) <= {key.name for key in all_keys()}


def test_a_student_whose_teacher_was_trained_anew_is_not_left_as_it_is(tmp_path: Path) -> None:
    data = write_splits(tmp_path / "data", train=TRAIN_LINES * 3, validation=VALIDATION_LINES)
    (tmp_path / "raw.txt").write_text("손흥민은 부산으로 갔다.\n비가 온다.", encoding="utf-8")
    given = {**SETTINGS, "data_dir": data, "use_cpu": True}
    teacher, student = tmp_path / "teacher", tmp_path / "student"
    silver = {"silver_text": tmp_path / "raw.txt", "silver_teachers": teacher, "silver_confidence": 0.0}
    flags = {teacher: {**given, "output_dir": teacher}, student: {**given, **silver, "output_dir": student}}
    for each in flags.values():
        run(load_recipe("demo", as_flags(each)))
    goes_on = {
        folder: load_recipe("demo", as_flags({**each, "resume_from_checkpoint": True}))
        for folder, each in flags.items()
    }
    assert unfinished_runs(goes_on) == {}
    report = (teacher / "report.json").read_bytes()
    run(load_recipe("demo", as_flags({**flags[teacher], "learning_rate": 0.03, "overwrite": True})))
    (teacher / "report.json").write_bytes(report)
    with pytest.raises(RecipeError, match="student holds a finished run, but its teachers are others than those that"):
        unfinished_runs(goes_on)
    (teacher / "report.json").unlink()
    with pytest.raises(RecipeError, match=r"student holds a finished run, but its teacher .*teacher is not finished"):
        unfinished_runs(goes_on)
    (teacher / "report.json").write_bytes(report)
    (teacher / "model.safetensors").unlink()  # a teacher that is gone tells nothing
    assert unfinished_runs(goes_on) == {}
