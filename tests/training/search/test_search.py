"""A search tries values on validation data, can be interrupted at any time, and its best trial is a recipe."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import optuna
import pytest
import torch
import yaml
from support.command_line import MALMOI
from support.marked_lines import VALIDATION_LINES
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS
from transformers import Trainer

import malmoi
from malmoi.data.user_error import UserError
from malmoi.recipes.recipe import RecipeError, load_recipe, recipe_names
from malmoi.training import preparation
from malmoi.training.search.request import read_search
from malmoi.training.search.search import run_search
from malmoi.training.search.study import count_finished
from malmoi.training.tasks.tagging import TaggingTask
from malmoi.training.train import run

SPACE = {
    "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    "hidden_dropout": {"low": 0.0, "high": 0.5},
    "embedding_size": [8, 12],
    "ngram_sizes": [[], [2]],
    "max_steps": {"low": 4, "high": 8, "step": 2},
    "name_replacement_copies": {"low": 0, "high": 2},
}
TINY = {key: value for key, value in SETTINGS.items() if key not in SPACE} | {"use_cpu": True, "seed": 3}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> Path:
    """The small corpus, in a folder of its own."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("train.txt", "validation.txt"):
        (folder / name).write_bytes((marked_corpus / name).read_bytes())
    return folder


def tune(corpus: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    settings = {**TINY, "search_space": SPACE, **changes}
    settings = {key: value for key, value in settings.items() if key not in settings["search_space"]}
    return malmoi.tune("demo", data_dir=corpus, output_dir=folder, **settings)


def drawn(found: dict[str, Any]) -> list[Any]:
    return [(trial["trial"], trial["parameters"], trial["value"]) for trial in found["trials"]]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> tuple[Path, dict[str, Any]]:
    """A search of five trials that nothing has interrupted: its folder, and what it returned."""
    folder = tmp_path_factory.mktemp("searches") / "five"
    return folder, tune(corpus, folder, trials=5)


@pytest.mark.long
def test_every_trial_is_kept_with_what_it_tried(five: tuple[Path, dict[str, Any]]) -> None:
    folder, found = five
    assert json.loads((folder / "trials.json").read_text(encoding="utf-8")) == found
    assert [trial["trial"] for trial in found["trials"]] == [1, 2, 3, 4, 5]
    assert len({json.dumps(trial["parameters"]) for trial in found["trials"]}) == 5
    for trial in found["trials"]:
        assert trial["parameters"].keys() == SPACE.keys()
        assert 1e-3 <= trial["parameters"]["learning_rate"] <= 1e-1
        assert trial["parameters"]["ngram_sizes"] in ([], [2])
        assert trial["parameters"]["max_steps"] in (4, 6, 8)
        # an evaluation after every second step; the best of them counts, as its model would be kept
        assert [entry["step"] for entry in trial["evaluations"]] == [
            *range(2, trial["parameters"]["max_steps"] + 1, 2)
        ]
        assert trial["value"] == max(entry["entity_f1"] for entry in trial["evaluations"])
        assert trial["ended"] == "all steps"
        assert trial["seconds"] > 0
    assert (found["figure"], found["greater_is_better"]) == ("entity_f1", True)
    assert found["data"]["split"] == "validation"
    assert found["data"]["texts"]["validation"] == len(VALIDATION_LINES)
    assert found["best"]["value"] == max(trial["value"] for trial in found["trials"])
    # no model is left behind
    assert {path.name for path in folder.iterdir()} == {"study.db", "trials.json", "trials.png", "best.yaml"}


@pytest.mark.long
def test_the_best_trial_is_a_recipe_that_trains_the_same(
    five: tuple[Path, dict[str, Any]], tmp_path: Path, corpus: Path
) -> None:
    folder, found = five
    text = (folder / "best.yaml").read_text(encoding="utf-8")
    best = yaml.safe_load(text)
    assert text.startswith(
        f"# The best of 5 trials of demo: entity_f1 {found['best']['value']:.4f} on validation data"
    )
    assert {key: best[key] for key in SPACE} == found["best"]["parameters"]
    assert "search_space" not in best
    assert best["data_dir"] == str(corpus)
    assert best["output_dir"] == str(folder / "best")
    report = run(load_recipe(str(folder / "best.yaml"), ["--output_dir", str(tmp_path / "run")]))
    trial = found["trials"][found["best"]["trial"] - 1]
    assert [entry["entity_f1"] for entry in report["epochs"]] == [entry["entity_f1"] for entry in trial["evaluations"]]
    assert report["figures"]["entity_f1"] == found["best"]["value"]


@pytest.mark.long
def test_a_search_is_gone_on_with_as_if_nothing_had_been(
    five: tuple[Path, dict[str, Any]], tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tune(corpus, tmp_path / "run", trials=3)
    with pytest.raises(RecipeError, match=r"holds a search already\. Choose another --output_dir, go on with it by "):
        tune(corpus, tmp_path / "run", trials=5)
    second = tune(corpus, tmp_path / "run", trials=5, resume_from_checkpoint=True)
    assert drawn(first) == drawn(five[1])[:3]
    assert drawn(second) == drawn(five[1])
    capsys.readouterr()
    again = tune(corpus, tmp_path / "run", trials=4, resume_from_checkpoint=True)
    assert "5 trials are finished; nothing is left to try" in capsys.readouterr().err
    assert drawn(again) == drawn(second)
    with pytest.raises(RecipeError, match="`hidden_size` was 16 and is 32"):
        tune(corpus, tmp_path / "run", trials=6, resume_from_checkpoint=True, hidden_size=32)
    with pytest.raises(RecipeError, match="`embedding_size` was \\[8, 12\\] and is \\[8\\]"):
        tune(
            corpus,
            tmp_path / "run",
            resume_from_checkpoint=True,
            search_space={**SPACE, "embedding_size": [8]},
        )


@pytest.mark.long
def test_other_data_are_not_gone_on_with(tmp_path: Path, marked_corpus: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("train.txt", "validation.txt"):
        (data / name).write_bytes((marked_corpus / name).read_bytes())
    tune(data, tmp_path / "run", trials=1)
    with (data / "validation.txt").open("a", encoding="utf-8") as file:
        file.write("<손흥민:PS>이 왔다.\n")
    with pytest.raises(RecipeError, match="cannot go on with what is given now: `validation` was "):
        tune(data, tmp_path / "run", trials=2, resume_from_checkpoint=True)


@pytest.mark.long
def test_a_search_that_is_begun_anew_leaves_nothing_of_the_old_one(tmp_path: Path, corpus: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("study.db", "trials.json", "best.yaml", "trials.png", "mine.txt"):
        (run / name).write_text("of an old search", encoding="utf-8")
    space = {"learning_rate": [0.1, 0.2]}
    with pytest.raises(RecipeError, match="The tokenizer 'nowhere/none' is in no such folder"):
        tune(corpus, run, overwrite=True, search_space=space, tokenizer="nowhere/none")
    assert (run / "trials.json").read_text(encoding="utf-8") == "of an old search"
    found = tune(corpus, run, trials=1, overwrite=True, search_space=space, max_steps=2)
    assert len(found["trials"]) == 1
    assert yaml.safe_load((run / "best.yaml").read_text(encoding="utf-8"))["learning_rate"] in (0.1, 0.2)
    assert (run / "mine.txt").is_file()


@pytest.mark.long
def test_a_search_that_is_killed_loses_only_the_trial_that_was_running(
    five: tuple[Path, dict[str, Any]], tmp_path: Path, corpus: Path
) -> None:
    folder = tmp_path / "run"
    flags = {**TINY, "search_space": json.dumps(SPACE), "data_dir": corpus, "output_dir": folder, "trials": 5}
    command = [*MALMOI, "tune", "demo", *as_flags(flags)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    for finished, stop in ((1, signal.SIGKILL), (3, signal.SIGINT)):
        going_on = ["--resume_from_checkpoint", "true"] if finished > 1 else []
        process = subprocess.Popen([*command, *going_on], env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith(f"Trial {finished + 1} of 5: "):
                break
        time.sleep(0.05)
        process.send_signal(stop)
        said += process.stderr.readlines()
        process.stderr.close()
        process.wait(timeout=60)
        assert finished <= count_finished(folder) <= finished + 1
        if stop == signal.SIGINT:
            assert process.returncode == 130
            told = "".join(said)
            assert f"Interrupted. {count_finished(folder)} of 5 trials are finished" in told
            assert f"malmoi tune demo --{next(iter(TINY))}" in told
            assert "--resume_from_checkpoint true --trials 5" in told
            assert len(json.loads((folder / "trials.json").read_text(encoding="utf-8"))["trials"]) < 5
    found = tune(corpus, folder, trials=5, resume_from_checkpoint=True)
    assert drawn(found) == drawn(five[1])
    states = [
        trial.state.name
        for trial in optuna.load_study(study_name="malmoi", storage=f"sqlite:///{folder}/study.db").trials
    ]
    assert states.count("COMPLETE") == 5
    assert "RUNNING" not in states


@pytest.mark.long
def test_data_are_read_and_tokenised_once_and_never_those_of_the_test(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    tokenised: list[int] = []
    features = TaggingTask.features

    def counting(self: Any, rows: Any, tokenizer: Any, *, max_length: int | None) -> Any:
        tokenised.append(rows.num_rows)
        return features(self, rows, tokenizer, max_length=max_length)

    monkeypatch.setattr(TaggingTask, "features", counting)
    load = preparation.load_splits
    monkeypatch.setattr(
        preparation, "load_splits", lambda *given, **named: read.append("data") or load(*given, **named)
    )
    (tmp_path / "data").mkdir()
    for name in ("train.txt", "validation.txt"):
        (tmp_path / "data" / name).write_bytes((corpus / name).read_bytes())
    (tmp_path / "data" / "test.txt").write_bytes((corpus / "validation.txt").read_bytes())
    found = tune(
        tmp_path / "data",
        tmp_path / "run",
        trials=3,
        max_steps=2,
        search_space={"learning_rate": SPACE["learning_rate"]},
    )
    assert read == ["data"]
    assert len(tokenised) == 2  # validation and training data, for the recipe and three trials
    assert found["data"]["texts"].keys() == {"train", "validation"}
    tokenised.clear()
    space = {"tokenizer_min_frequency": [20, 30]}  # and not 2, as for the recipe
    tune(tmp_path / "data", tmp_path / "other", trials=3, max_steps=2, search_space=space)
    assert len(tokenised) > 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("recipe", "changes", "space"),
    [
        (
            "klue-ner-bert-tiny",
            {"reader": "inline-marks", "num_train_epochs": 1},
            {"encoder_config.hidden_dropout_prob": {"low": 0.0, "high": 0.3}, "learning_rate": [1e-3, 1e-2]},
        ),
        (
            "klue-ner-bert-crf-tiny",
            {"reader": "inline-marks", "num_train_epochs": 1},
            {"crf_learning_rate": [0.1, 0.2]},
        ),
        (
            "klue-ner-from-body",
            {"reader": "inline-marks", "model_name_or_path": "bundled:language-model", "max_steps": 2},
            {"lexicon": [None, "mecab-ko-dic"], "hidden_dropout": {"low": 0.1, "high": 0.5}},
        ),
        (
            "klue-ner-from-body",
            {"reader": "inline-marks", "model_name_or_path": "bundled:named-entities", "max_steps": 2, "lexicon": ""},
            {"hidden_dropout": {"low": 0.1, "high": 0.5}},
        ),
    ],
)
def test_best_recipes_of_every_beginning_train_what_their_trials_did(
    tmp_path: Path, marked_corpus: Path, recipe: str, changes: dict[str, Any], space: dict[str, Any]
) -> None:
    found = malmoi.tune(
        *(recipe,),
        trials=2,
        data_dir=marked_corpus,
        output_dir=tmp_path / "run",
        use_cpu=True,
        disable_tqdm=True,
        search_space=space,
        **changes,
    )
    report = run(load_recipe(str(tmp_path / "run" / "best.yaml")))
    trial = found["trials"][found["best"]["trial"] - 1]
    losses = [entry["loss"] for entry in report["epochs"]]
    assert len(losses) == len(trial["evaluations"]) > 0
    assert report["best"] == found["best"]["value"]


@pytest.mark.slow
def test_the_best_recipe_has_the_direction_of_a_figure_that_a_flag_names(tmp_path: Path, corpus: Path) -> None:
    """The recipe says `greater_is_better: true`, of its own figure; with it the loss would be refused."""
    space = {"learning_rate": [0.01, 0.02]}
    found = tune(corpus, tmp_path / "run", trials=1, search_space=space, max_steps=2, metric_for_best_model="loss")
    report = run(load_recipe(str(tmp_path / "run" / "best.yaml")))
    assert (found["greater_is_better"], found["best"]["value"]) == (False, report["figures"]["loss"])


@pytest.mark.slow
def test_the_best_recipe_reads_the_data_as_the_search_did(tmp_path: Path, corpus: Path) -> None:
    """The recipe is for files of KLUE, and the folder was recognised to hold others."""
    options: dict[str, Any] = {"trials": 1, "search_space": {"learning_rate": [0.1]}, **TINY}
    found = malmoi.tune("klue-ner-bi-lstm-crf", data_dir=corpus, output_dir=tmp_path / "run", **options)
    best = tmp_path / "run" / "best.yaml"
    assert best.read_text(encoding="utf-8").startswith("# The best of 1 trial of klue-ner-bi-lstm-crf: ")
    assert run(load_recipe(str(best)))["figures"]["entity_f1"] == found["best"]["value"]

    rows = [{"text": f"{place}에서 만나요.", "entities": [[0, 2, "LC"]]} for place in ("서울", "부산", "대구", "광주")]
    data = {"train": rows, "validation": rows[:1]}
    found = malmoi.tune("klue-ner-bi-lstm-crf", dataset=data, output_dir=tmp_path / "rows", **options)
    assert found["data"]["source"] == "a dict in Python"
    best = tmp_path / "rows" / "best.yaml"
    assert f'#   malmoi.train("{best.as_posix()}", dataset=...)' in best.read_text(encoding="utf-8")
    with pytest.raises(UserError, match="dataset"):
        malmoi.train(best)
    assert malmoi.train(best, dataset=data)["figures"]["entity_f1"] == found["best"]["value"]


@pytest.mark.long
def test_a_trial_that_is_worse_than_half_of_the_others_ends_early(tmp_path: Path, corpus: Path) -> None:
    """With a learning rate of nothing a model stays what it was, and of 6 good trials it is behind at once."""
    found = tune(
        *(corpus, tmp_path / "run"),
        **{"trials": 12, "prune": True, "max_steps": -1, "num_train_epochs": 4, "metric_for_best_model": "loss"},
        **{"greater_is_better": False, "eval_strategy": "epoch", "save_strategy": "epoch"},
        search_space={"learning_rate": [0.0, 0.05]},
    )
    pruned = [trial for trial in found["trials"] if trial["ended"] == "pruned"]
    assert pruned
    for trial in pruned:
        assert trial["trial"] > 5
        assert trial["parameters"] == {"learning_rate": 0.0}
        assert len(trial["evaluations"]) < 4
    assert found["best"]["parameters"] == {"learning_rate": 0.05}
    assert found["best"]["value"] == min(trial["value"] for trial in found["trials"])


@pytest.mark.long
def test_a_loss_that_is_no_number_ends_a_trial_and_not_the_search(tmp_path: Path, corpus: Path) -> None:
    loss = {"metric_for_best_model": "loss", "greater_is_better": False, "max_steps": 4, "max_grad_norm": 0.0}
    space = {"learning_rate": [1e-3, 1e30]}
    found = tune(corpus, tmp_path / "run", trials=4, search_space=space, optim="sgd", **loss)
    ended = {trial["parameters"]["learning_rate"]: trial["ended"] for trial in found["trials"]}
    assert ended == {1e-3: "all steps", 1e30: "diverged"}
    assert all(trial["value"] is None for trial in found["trials"] if trial["ended"] == "diverged")
    with pytest.raises(RecipeError, match="No trial came to an end: the loss of each was no number"):
        tune(corpus, tmp_path / "none", trials=2, search_space={"learning_rate": [1e30, 1e31]}, optim="sgd", **loss)


@pytest.mark.slow
def test_a_batch_for_which_there_is_too_little_memory_ends_a_trial_and_not_the_search(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.training_step

    def training_step(self: Trainer, *given: Any, **named: Any) -> Any:
        if self.args.per_device_train_batch_size > 8:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return step(self, *given, **named)

    monkeypatch.setattr(Trainer, "training_step", training_step)
    space = {"per_device_train_batch_size": [8, 64]}
    found = tune(corpus, tmp_path / "run", trials=4, search_space=space, max_steps=2)
    ended = {(trial["parameters"]["per_device_train_batch_size"], trial["ended"]) for trial in found["trials"]}
    assert ended == {(8, "all steps"), (64, "out of memory")}
    assert found["best"]["parameters"] == {"per_device_train_batch_size": 8}
    assert all(trial["value"] is None for trial in found["trials"] if trial["ended"] == "out of memory")
    monkeypatch.setattr(Trainer, "training_step", step)
    move = Trainer._move_model_to_device

    def move_to_device(self: Trainer, model: Any, device: Any) -> None:
        if self.args.per_device_train_batch_size in (32, 64):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        move(self, model, device)

    monkeypatch.setattr(Trainer, "_move_model_to_device", move_to_device)
    space = {"per_device_train_batch_size": [32, 64]}
    with pytest.raises(RecipeError, match=r"for 1 of 1 the device has too little memory; try smaller batches\.$"):
        tune(corpus, tmp_path / "none", trials=1, search_space=space, max_steps=2)


@pytest.fixture
def asked(corpus: Path, tmp_path: Path) -> Callable[..., Any]:
    """Read what a search is asked for, without a trial."""

    def read(*, trials: int = 3, recipe: str = "demo", **changes: Any) -> Any:
        searched = changes.get("search_space", {})
        own = {key: value for key, value in TINY.items() if key not in searched}
        flags = {**own, "data_dir": str(corpus), "output_dir": str(tmp_path / "run"), **changes}
        return read_search(load_recipe(recipe)._replace(flags=flags), trials=trials, prune=False)

    return read


def test_trials_may_be_a_number_of_numpy(asked: Callable[..., Any]) -> None:
    assert asked(trials=numpy.int64(3)).trials == 3
    assert type(asked(trials=numpy.int64(3)).trials) is int


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package_can_be_searched(name: str, tmp_path: Path) -> None:
    """What follows from the data, such as the id of the unknown token, is not missed before they are read."""
    flags = ["--output_dir", str(tmp_path / "run")]
    assert read_search(load_recipe(name, flags), trials=1, prune=False).space


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": 0}, "`trials` must be at least 1, got 0"),
        ({"trials": 1.5}, "`trials` must be a whole number, got 1.5"),
        ({"trials": "2"}, "`trials` must be a whole number, got '2'"),
        ({"seed": None}, "`seed: null` draws another seed for every trial"),
        ({"resume_from_checkpoint": "true"}, "holds no search"),
        ({"resume_from_checkpoint": "true", "overwrite": "true"}, "Give either --resume_from_checkpoint true, which"),
        (
            {"resume_from_checkpoint": "some/checkpoint-3"},
            "must be true or false for a search, got 'some/checkpoint-3'",
        ),
        (
            {"search_space": {"hidden_dropout": [0.1, 1.5]}},
            "`hidden_dropout` 1.5 cannot be trained: .*below 1, got 1.5",
        ),
        ({"search_space": {"hidden_size": {"low": 8, "high": 15}}}, "`hidden_size` 15 cannot be trained: .*even"),
        ({"search_space": {"num_train_epochs": [0, 1]}}, "`num_train_epochs` must be above 0"),
        ({"search_space": {"label_smoothing_factor": [0.1, 0.2]}}, "`label_smoothing_factor` would replace the loss"),
        ({"hidden_size": 15}, "even"),
        ({"metric_for_best_model": "acuracy"}, "`metric_for_best_model` must be loss or one of"),
    ],
)
def test_what_cannot_be_searched_is_told_before_the_first_trial(
    asked: Callable[..., Any], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        asked(**{"search_space": {"learning_rate": [0.1, 0.2]}, **changes})
    assert not (tmp_path / "run").exists()


def test_flags_that_set_all_leave_nothing_to_search(asked: Callable[..., Any], tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    demo = load_recipe("demo").settings
    own.write_text(json.dumps({**demo, "search_space": {"learning_rate": [0.1, 0.2]}}), encoding="utf-8")
    with pytest.raises(RecipeError, match="Nothing is left to search"):
        asked(recipe=str(own), learning_rate=0.1)


def test_several_processes_are_refused(asked: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RecipeError, match="A search is of one process; start it without a launcher"):
        asked()


def test_without_optuna_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malmoi.training.search.requirement.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs optuna: `pip install malmoi\[tune\]`"):
        malmoi.tune("demo")


def test_a_file_that_is_no_study_is_said(asked: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "study.db").write_text("no database, but long enough to be taken for one " * 40)
    with pytest.raises(RecipeError, match=r"study\.db cannot be read as a study \(DatabaseError\)"):
        run_search(asked(resume_from_checkpoint="true", search_space={"learning_rate": [0.1, 0.2]}))


def test_a_study_that_was_emptied_does_not_replace_its_trials(asked: Callable[..., Any], tmp_path: Path) -> None:
    """As a full disk leaves it, which SQLite takes for a new one."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "study.db").touch()
    (tmp_path / "run" / "trials.json").write_text('{"trials": []}')
    with pytest.raises(RecipeError, match=r"study\.db holds no search any more, but trials\.json beside it has"):
        run_search(asked(resume_from_checkpoint="true", search_space={"learning_rate": [0.1, 0.2]}))
    assert (tmp_path / "run" / "trials.json").read_text() == '{"trials": []}'


def test_training_leaves_a_search_space_alone_but_checks_it(tmp_path: Path, marked_corpus: Path) -> None:
    folders = {"data_dir": marked_corpus, "output_dir": tmp_path / "run"}
    recipe = load_recipe("demo")
    wrong = recipe._replace(settings={**recipe.settings, "search_space": {"hiden_size": [8]}})
    with pytest.raises(RecipeError, match="unknown key 'hiden_size'; did you mean 'hidden_size'"):
        malmoi.train(wrong, **SETTINGS, **folders)
    with pytest.raises(RecipeError, match="`search_space` is for `malmoi tune`"):
        malmoi.train("demo", **SETTINGS, **folders, search_space={"hidden_size": [8, 16]})
    right = recipe._replace(settings={**recipe.settings, "search_space": {"hidden_size": [8, 16]}})
    report = malmoi.train(right, **SETTINGS, **folders)
    assert "search_space" not in report["settings"]
