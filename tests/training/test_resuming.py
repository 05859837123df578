"""A training goes on with what it began with, and a finished one is finished."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.marked_lines import TRAIN_LINES, VALIDATION_LINES
from support.recipe_flags import as_flags
from transformers import TrainingArguments
from transformers.utils import logging

from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.resuming.checkpoints import read_state, what_it_lacks
from malmoi.training.steps import planned_steps, steps_per_epoch
from malmoi.training.train import run

TINY = {
    "embedding_size": 8,
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 16,
    "name_replacement_copies": 0,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 8,
    "learning_rate": 0.02,
    "save_total_limit": 9,
    "use_cpu": "true",
    "disable_tqdm": "true",
}


def train(folder: Path, data: Path, **overrides: Any) -> dict[str, Any]:
    settings = {**TINY, "output_dir": folder, "data_dir": data, **overrides}
    return run(load_recipe("demo", as_flags(settings)))


def resume(folder: Path, data: Path, **overrides: Any) -> dict[str, Any]:
    return train(folder, data, resume_from_checkpoint="true", **overrides)


def write(folder: Path, train_lines: list[str], validation_lines: list[str] = VALIDATION_LINES) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "train.txt").write_text("\n".join(train_lines) + "\n", encoding="utf-8")
    (folder / "validation.txt").write_text("\n".join(validation_lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and the finished run on them."""
    folder = tmp_path_factory.mktemp("finished")
    train(folder / "run", write(folder / "data", TRAIN_LINES * 3))
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


@pytest.mark.parametrize("restore", ["false", "true"])
def test_a_training_that_goes_on_knows_how_long_each_epoch_took(tmp_path: Path, restore: str) -> None:
    """A checkpoint of steps is saved after the last step of an epoch, and before the epoch has ended."""
    data = write(tmp_path / "data", TRAIN_LINES * 3)
    steps = {"eval_strategy": "steps", "save_strategy": "steps", "keep_optimizer": "true"}
    each = steps_per_epoch(TrainingArguments(str(tmp_path), per_device_train_batch_size=8), len(TRAIN_LINES) * 3)
    given = {**steps, "eval_steps": each, "save_steps": each, "restore_callback_states_from_checkpoint": restore}
    train(tmp_path / "run", data, num_train_epochs=1, lr_scheduler_type="constant", warmup_steps=0, **given)
    first = read_state(tmp_path / "run" / f"checkpoint-{each}")["stateful_callbacks"]["EpochTimer"]["attributes"]
    assert (first["seconds"], first["spent"] > 0) == ([], True)
    report = resume(tmp_path / "run", data, num_train_epochs=3, lr_scheduler_type="constant", warmup_steps=0, **given)
    took = [epoch["train_seconds"] for epoch in report["epochs"]]
    assert took[0] == pytest.approx(first["spent"])
    assert all(seconds is not None for seconds in took)
    assert report["seconds_per_epoch"] == pytest.approx(sum(took) / 3)


# the same characters and types, but more of some
OTHER_FREQUENCIES = [line for line in TRAIN_LINES if "부산" in line] * 4 + TRAIN_LINES * 3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (OTHER_FREQUENCIES, "the tokenizer is another"),
        ([*TRAIN_LINES * 3, "<평양:LC> <평양:LC>"], "the tokenizer is another"),
        ([*TRAIN_LINES * 3, "<서울:OG>에서"], r"the labels are others \(new: B-OG, I-OG\)"),
        ([line.replace("PS", "XX") for line in TRAIN_LINES] * 3, r"labels are others \(new: .*; gone: B-PS, I-PS\)"),
        (list(reversed(TRAIN_LINES * 3)), "the training data are others"),
    ],
)
def test_other_data_are_refused_by_what_differs(copy: Path, lines: list[str], message: str) -> None:
    before = {path: path.read_bytes() for path in (copy / "run").iterdir() if path.is_file()}
    validation = [line.replace("PS", "XX") for line in VALIDATION_LINES] if "XX" in lines[0] else VALIDATION_LINES
    write(copy / "data", lines, validation)
    for epochs in (2, 3):
        with pytest.raises(RecipeError, match=message):
            resume(copy / "run", copy / "data", num_train_epochs=epochs)
    assert {path: path.read_bytes() for path in (copy / "run").iterdir() if path.is_file()} == before


def test_other_validation_data_are_refused(copy: Path) -> None:
    write(copy / "data", TRAIN_LINES * 3, VALIDATION_LINES[:2])
    with pytest.raises(RecipeError, match="the validation data are others"):
        resume(copy / "run", copy / "data", num_train_epochs=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 32}, "`hidden_size` was 16 and is 32"),
        ({"hidden_dropout": 0.1}, "`hidden_dropout` was 0.4 and is 0.1"),
        ({"learning_rate": 0.01}, "`learning_rate` was 0.02 and is 0.01"),
        ({"seed": 7}, "`seed` was 1 and is 7"),
        ({"optim_args": "momentum=0.5"}, "`optim_args` was None and is momentum=0.5"),
        ({"per_device_train_batch_size": 4}, "`texts in a step` was 8 and is 4"),
        ({"name_replacement_copies": 2}, "`name_replacement_copies` was 0 and is 2"),
        ({"tokenizer": "wordpiece", "tokenizer_vocab_size": 80}, "the tokenizer is another"),
        ({"metric_for_best_model": "loss"}, "`metric_for_best_model` was entity_f1 and is loss"),
    ],
)
def test_other_settings_are_refused_by_name(finished: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        resume(finished / "run", finished / "data", num_train_epochs=3, **settings)


def test_other_words_of_a_lexicon_are_refused_and_another_place_of_it_is_not(tmp_path: Path) -> None:
    data = write(tmp_path / "data", TRAIN_LINES * 3)
    before, now = tmp_path / "before.txt", tmp_path / "now.txt"
    before.write_text("부산\tplace\n김하늘\tperson\n", encoding="utf-8")
    train(tmp_path / "run", data, lexicon=before, keep_optimizer="true")
    now.write_text("서울\tplace\n김하늘\tperson\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="cannot go on with what is given now: the words of the lexicon are others"):
        resume(tmp_path / "run", data, lexicon=now, num_train_epochs=3)
    report = resume(tmp_path / "run", data, lexicon=before.rename(now), num_train_epochs=3)
    assert report["epochs"][-1]["epoch"] == 3


def test_another_architecture_is_refused(finished: Path) -> None:
    settings = {**TINY, "resume_from_checkpoint": "true", "output_dir": finished / "run", "model_type": "encoder_crf"}
    settings = {key: value for key, value in settings.items() if not key.startswith(("ngram", "embed", "hidden"))}
    settings |= {"data_dir": str(finished / "data"), "output_dir": str(finished / "run"), "task": "named-entities"}
    recipe = load_recipe("klue-ner-bert-crf-tiny", ["--reader", "inline-marks"])
    flags = {**recipe.flags, **{key: str(value) for key, value in settings.items()}, "tokenizer": "syllables"}
    with pytest.raises(RecipeError, match="the architecture was bilstm_crf and is encoder_crf"):
        run(recipe._replace(flags=flags))


def test_checkpoints_of_older_versions_are_compared_by_their_files(copy: Path) -> None:
    for state in (copy / "run").glob("checkpoint-*/trainer_state.json"):
        content = json.loads(state.read_text(encoding="utf-8"))
        del content["stateful_callbacks"]["RunRecord"]
        state.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RecipeError, match="`hidden_size` was 16 and is 32"):
        resume(copy / "run", copy / "data", num_train_epochs=3, hidden_size=32)
    report = resume(copy / "run", copy / "data", num_train_epochs=3)
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3]
    write(copy / "data", OTHER_FREQUENCIES)
    with pytest.raises(RecipeError, match="the tokenizer is another"):
        resume(copy / "run", copy / "data", num_train_epochs=4)


def test_more_epochs_and_another_crf_implementation_are_welcome(copy: Path) -> None:
    report = resume(copy / "run", copy / "data", num_train_epochs=3, crf_implementation="torch")
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3]


def test_a_finished_training_stays_as_it_is(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (copy / "run").rglob("*") if path.is_file()}
    report = resume(copy / "run", copy / "data")
    assert "the training is finished (all steps); nothing is left to train" in capsys.readouterr().err
    assert report == json.loads((copy / "run" / "report.json").read_text(encoding="utf-8"))
    assert {path: path.read_bytes() for path in (copy / "run").rglob("*") if path.is_file()} == before


def test_a_training_in_the_middle_of_an_epoch_is_finished_too(tmp_path: Path, finished: Path) -> None:
    options = {"max_steps": 4, "save_strategy": "steps", "eval_strategy": "steps", "save_steps": 2, "eval_steps": 2}
    train(tmp_path / "run", finished / "data", **options)
    trained = load_file(tmp_path / "run" / "model.safetensors")
    (tmp_path / "run" / "report.json").unlink()  # interrupted after the last step, before all was written
    report = resume(tmp_path / "run", finished / "data", **options)
    assert report["training"]["steps"] == 4 == report["epochs"][-1]["step"]
    for name, tensor in load_file(tmp_path / "run" / "model.safetensors").items():
        assert torch.equal(trained[name], tensor), name


STOPPING = {"num_train_epochs": 8, "early_stopping_patience": 2, "early_stopping_threshold": 100.0}


@pytest.mark.parametrize("interrupted", [False, True], ids=["reported", "not reported"])
def test_what_early_stopping_has_ended_is_finished(
    tmp_path: Path, finished: Path, interrupted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    report = train(tmp_path / "run", finished / "data", **STOPPING)
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3]
    assert report["training"]["ended"] == "early stopping"
    trained = load_file(tmp_path / "run" / "model.safetensors")
    if interrupted:
        (tmp_path / "run" / "report.json").unlink()
    again = resume(tmp_path / "run", finished / "data", **STOPPING)
    assert "the training is finished (early stopping); nothing is left to train" in capsys.readouterr().err
    for key in ("epochs", "best", "best_epoch", "training"):
        assert again[key] == report[key], key
    assert again["figures"]["entity_f1"] == report["figures"]["entity_f1"]
    for name, tensor in load_file(tmp_path / "run" / "model.safetensors").items():
        assert torch.equal(trained[name], tensor), name


@pytest.mark.slow
def test_more_patience_than_before_goes_on(tmp_path: Path, finished: Path) -> None:
    train(tmp_path / "run", finished / "data", **STOPPING)
    report = resume(tmp_path / "run", finished / "data", **{**STOPPING, "early_stopping_patience": 3})
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3, 4]


def test_what_is_judged_at_the_start_is_not_judged_once_more(copy: Path, tmp_path: Path) -> None:
    """It would count twice in the mean, and where early stopping counts evaluations."""
    report = train(tmp_path / "run", copy / "data", eval_on_start="true", keep_optimizer="true")
    assert [entry["step"] for entry in report["epochs"]] == [0, 3, 6]
    again = resume(tmp_path / "run", copy / "data", eval_on_start="true", num_train_epochs=3)
    assert [entry["step"] for entry in again["epochs"]] == [0, 3, 6, 9]


def test_early_stopping_is_not_said_to_be_disabled(
    tmp_path: Path, finished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.enable_propagation()
    try:
        train(tmp_path / "run", finished / "data", **STOPPING)
    finally:
        logging.disable_propagation()
    assert "early stopping" not in caplog.text


def test_the_best_model_is_found_where_the_run_lies_now(tmp_path: Path, copy: Path) -> None:
    """The state names the best checkpoint by the path of then."""
    shutil.move(copy / "run", tmp_path / "moved")
    state = json.loads((tmp_path / "moved" / "checkpoint-3" / "trainer_state.json").read_text(encoding="utf-8"))
    for path in (tmp_path / "moved").glob("checkpoint-6/trainer_state.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        content |= {"best_metric": 2.0, "best_global_step": 3}  # nothing is better than the first epoch
        path.write_text(json.dumps(content), encoding="utf-8")
    assert state["global_step"] == 3
    resume(tmp_path / "moved", copy / "data", num_train_epochs=3)
    best = load_file(tmp_path / "moved" / "checkpoint-3" / "model.safetensors")
    for name, tensor in load_file(tmp_path / "moved" / "model.safetensors").items():
        assert torch.equal(best[name], tensor), name


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage", "lack"),
    [
        ("trainer_state.json", Path.unlink, "it holds no trainer_state.json"),
        ("trainer_state.json", cut, "its trainer_state.json is damaged"),
        ("model.safetensors", cut, "its model.safetensors is damaged or cut off"),
        ("model.safetensors", Path.unlink, "it holds no model.safetensors"),
        ("config.json", cut, "its config.json is damaged"),
        ("optimizer.pt", cut, "its optimizer.pt is damaged or cut off"),
        ("scheduler.pt", Path.unlink, "it holds no scheduler.pt"),
        ("rng_state.pth", cut, "its rng_state.pth is damaged or cut off"),
    ],
)
def test_a_checkpoint_that_was_cut_off_is_passed_over(
    copy: Path, name: str, damage: Any, lack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(copy / "run" / "checkpoint-6" / name)
    assert what_it_lacks(copy / "run" / "checkpoint-6") == lack
    report = resume(copy / "run", copy / "data", num_train_epochs=3)
    assert f"checkpoint-6 is not whole ({lack}); going on from checkpoint-3" in capsys.readouterr().err
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3]
    damage(copy / "run" / "checkpoint-6" / name)
    match = "is no checkpoint" if "holds no trainer" in lack else lack
    with pytest.raises(RecipeError, match=match):
        train(copy / "run", copy / "data", resume_from_checkpoint=copy / "run" / "checkpoint-6")


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_what_a_training_goes_on_with_is_whole(copy: Path, name: str) -> None:
    checkpoint = copy / "run" / "checkpoint-6"
    assert what_it_lacks(checkpoint) is None
    whole = (checkpoint / name).read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1], bytes(100) + whole[100:]):
        (checkpoint / name).write_bytes(content)
        assert what_it_lacks(checkpoint) == f"its {name} is damaged or cut off"
    (checkpoint / name).unlink()
    assert what_it_lacks(checkpoint) == (None if name == "optimizer.pt" else f"it holds no {name}")


def test_a_run_without_a_whole_checkpoint_is_named(copy: Path) -> None:
    for state in (copy / "run").glob("checkpoint-*/trainer_state.json"):
        state.unlink()
    with pytest.raises(RecipeError, match=r"holds no checkpoint that is whole \(checkpoint-6: it holds no trainer_st"):
        resume(copy / "run", copy / "data", num_train_epochs=3)


def test_a_checkpoint_without_optimizer_is_refused(copy: Path) -> None:
    (copy / "run" / "checkpoint-6" / "optimizer.pt").unlink()
    with pytest.raises(RecipeError, match="holds no state of the optimizer, so its training cannot go on"):
        resume(copy / "run", copy / "data", num_train_epochs=3)


def test_a_drawn_seed_stays_when_the_training_goes_on(tmp_path: Path) -> None:
    data = write(tmp_path / "data", TRAIN_LINES * 3)
    settings = {"seed": "null", "num_train_epochs": 1}
    drawn = train(tmp_path / "run", data, keep_optimizer="true", **settings)["seed"]
    assert resume(tmp_path / "run", data, **settings | {"num_train_epochs": 2})["seed"] == drawn
    assert train(tmp_path / "run", data, overwrite="true", **settings)["seed"] != drawn


def test_the_graph_of_another_model_does_not_stay_beside_a_run_that_overwrites(copy: Path) -> None:
    graph = copy / "run" / "model.onnx"
    graph.write_bytes(b"")
    train(copy / "run", copy / "data", overwrite="true", num_train_epochs=1)
    assert not graph.exists()


def test_the_checkpoint_of_another_run_overwrites_no_run(copy: Path, tmp_path: Path) -> None:
    train(tmp_path / "other", copy / "data", num_train_epochs=1)
    checkpoint = copy / "run" / "checkpoint-3"
    with pytest.raises(RecipeError, match="holds a run already"):
        train(tmp_path / "other", copy / "data", resume_from_checkpoint=checkpoint)
    report = train(tmp_path / "other", copy / "data", resume_from_checkpoint=checkpoint, overwrite="true")
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2]


@pytest.mark.parametrize(
    ("texts", "batch", "accumulation", "drop_last", "steps"),
    [(24, 8, 1, False, 3), (25, 8, 1, False, 4), (25, 8, 1, True, 3), (25, 8, 3, False, 2), (3, 8, 1, True, 1)],
)
def test_steps_are_counted_as_the_trainer_counts_them(
    tmp_path: Path, texts: int, batch: int, accumulation: int, drop_last: bool, steps: int
) -> None:
    from transformers import TrainingArguments

    arguments = TrainingArguments(
        str(tmp_path),
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulation,
        dataloader_drop_last=drop_last,
        num_train_epochs=2.5,
        use_cpu=True,
    )
    assert steps_per_epoch(arguments, texts) == steps
    assert planned_steps(arguments, texts) == -(-5 * steps // 2)
