"""What a finished training leaves behind, what going on with it means, and what a log of it looks like."""

import errno
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
import torch
from support.command_line import MALMOI, malmoi
from support.recipe_flags import as_flags
from transformers import Trainer, TrainerControl, TrainerState, TrainingArguments

from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.reports.report import read_report
from malmoi.training import callbacks, finished_run
from malmoi.training.callbacks import ShortLines
from malmoi.training.finished_run import FILES_TO_GO_ON
from malmoi.training.resuming.checkpoints import has_optimizer
from malmoi.training.resuming.restoring import find_best_checkpoint
from malmoi.training.run_report import describe_source, epoch_history, kept_epoch
from malmoi.training.tasks import TASKS
from malmoi.training.train import run

TINY = {
    "embedding_size": 8,
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 16,
    "name_replacement_copies": 0,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 8,
    "use_cpu": "true",
}


def flags(**overrides: Any) -> list[str]:
    return as_flags({**TINY, **overrides})


def train(folder: Path, data: Path, **overrides: Any) -> dict[str, Any]:
    return run(load_recipe("demo", flags(output_dir=folder, data_dir=data, **overrides)))


def files_to_go_on(folder: Path) -> list[Path]:
    return [file for name in FILES_TO_GO_ON for file in folder.glob(f"checkpoint-*/{name}")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    train(folder, marked_corpus)
    return folder


@pytest.mark.slow
def test_a_run_that_cannot_be_saved_holds_no_model_and_goes_on(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(finished_run, "write_report", full)
        with pytest.raises(OSError, match="No space left on device"):
            train(folder, marked_corpus, keep_optimizer="true")
    assert {path.name.partition("-")[0] for path in folder.iterdir()} == {"checkpoint"}
    with pytest.raises(UserError, match=r"holds no model; did you mean .*checkpoint-"):
        Tagger(folder)
    report = train(folder, marked_corpus, resume_from_checkpoint="true", keep_optimizer="true")
    assert read_report(folder) == json.loads(json.dumps(report))
    before = Tagger(folder)("김하늘은 서울에 갔다")
    # a finished one stays where a longer one cannot be saved
    with monkeypatch.context() as patched:
        patched.setattr(finished_run, "plot_run", full)
        with pytest.raises(OSError, match="No space left on device"):
            train(folder, marked_corpus, resume_from_checkpoint="true", num_train_epochs=3, keep_optimizer="true")
    assert Tagger(folder)("김하늘은 서울에 갔다") == before


def test_a_finished_run_keeps_models_and_no_optimizer(finished: Path) -> None:
    checkpoints = list(finished.glob("checkpoint-*"))
    assert checkpoints
    for checkpoint in checkpoints:
        assert {"model.safetensors", "trainer_state.json"} <= {file.name for file in checkpoint.iterdir()}
        assert not has_optimizer(checkpoint)
    assert not files_to_go_on(finished)


def test_an_interrupted_run_keeps_all_that_going_on_takes(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: ShortLines, args: Any, state: TrainerState, control: Any, **kwargs: Any) -> None:
        if state.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(callbacks.EpochTimer, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "run", marked_corpus)
    assert all(has_optimizer(checkpoint) for checkpoint in (tmp_path / "run").glob("checkpoint-*"))
    assert files_to_go_on(tmp_path / "run")
    report = train(tmp_path / "run", marked_corpus, resume_from_checkpoint="true")
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2]
    assert not files_to_go_on(tmp_path / "run")


def test_going_on_with_a_finished_run_trains_nothing(finished: Path, marked_corpus: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    report = train(finished, marked_corpus, resume_from_checkpoint="true")
    assert report == json.loads((finished / "report.json").read_text(encoding="utf-8"))
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()} == before


def test_more_epochs_for_a_finished_run_are_refused_with_a_way_out(finished: Path, marked_corpus: Path) -> None:
    with pytest.raises(RecipeError) as error:
        train(finished, marked_corpus, num_train_epochs=3, resume_from_checkpoint="true")
    assert "optimizer" in str(error.value)
    assert "--model_name_or_path" in str(error.value)
    assert str(finished) in str(error.value)
    assert "\n" not in str(error.value)


def test_several_checkpoints_of_a_recipe_keep_no_optimizer(tmp_path: Path, marked_corpus: Path) -> None:
    """Only the flag asks: recipes keep several checkpoints for the sake of the models."""
    recipe = tmp_path / "own.yaml"
    recipe.write_text(
        "reader: inline-marks\nsave_strategy: epoch\neval_strategy: epoch\nsave_total_limit: 3\n", encoding="utf-8"
    )
    run(load_recipe(str(recipe), flags(output_dir=tmp_path / "run", data_dir=marked_corpus)))
    assert len(list((tmp_path / "run").glob("checkpoint-*"))) == 2
    assert not files_to_go_on(tmp_path / "run")


def test_other_data_for_a_finished_run_are_refused(finished: Path, marked_corpus: Path, tmp_path: Path) -> None:
    for split in ("train", "validation"):
        text = (marked_corpus / f"{split}.txt").read_text(encoding="utf-8")
        (tmp_path / f"{split}.txt").write_text(text + text.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(RecipeError):
        train(finished, tmp_path, resume_from_checkpoint="true")


@pytest.mark.slow
@pytest.mark.parametrize("asked", [{"keep_optimizer": "true"}, {"save_total_limit": 3}])
def test_an_optimizer_that_is_asked_for_is_kept_and_goes_on(
    tmp_path: Path, marked_corpus: Path, asked: dict[str, Any]
) -> None:
    options = {"load_best_model_at_end": "false", **asked}
    train(tmp_path / "run", marked_corpus, **options)
    assert files_to_go_on(tmp_path / "run")
    report = train(tmp_path / "run", marked_corpus, num_train_epochs=3, resume_from_checkpoint="true", **options)
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3]
    assert report["kept_epoch"] == 3


def test_the_optimizer_goes_if_that_is_asked_for(tmp_path: Path, marked_corpus: Path) -> None:
    train(tmp_path / "run", marked_corpus, num_train_epochs=1, keep_optimizer="false", save_total_limit=3)
    assert not files_to_go_on(tmp_path / "run")


def test_the_kept_epoch_is_that_of_the_loaded_model(tmp_path: Path, marked_corpus: Path) -> None:
    """By the loss, the best epoch of this run is not that with the best F1 or the last one."""
    report = train(
        tmp_path / "run",
        marked_corpus,
        num_train_epochs=3,
        learning_rate=0.5,
        metric_for_best_model="loss",
        greater_is_better="false",
    )
    losses = {entry["epoch"]: entry["loss"] for entry in report["epochs"]}
    assert report["kept_epoch"] == min(losses, key=lambda epoch: losses[epoch])
    kept = next(entry for entry in report["epochs"] if entry["epoch"] == report["kept_epoch"])
    assert report["figures"]["entity_f1"] == kept["entity_f1"]


@pytest.mark.slow
def test_a_flag_for_another_figure_keeps_the_best_model_by_it(tmp_path: Path, marked_corpus: Path) -> None:
    """The recipe says `greater_is_better: true`, of its own figure."""
    options = {"num_train_epochs": 4, "learning_rate": 0.02}
    report = train(tmp_path / "run", marked_corpus, metric_for_best_model="loss", **options)
    losses = [entry["loss"] for entry in report["epochs"]]
    assert min(losses) < losses[0]
    assert report["figures"]["loss"] == pytest.approx(min(losses), abs=1e-5)


def test_without_loading_the_best_model_the_last_epoch_is_kept(tmp_path: Path) -> None:
    state = TrainerState(epoch=2.0, best_global_step=1, log_history=[{"step": 1, "epoch": 1.0}])
    arguments = TrainingArguments(str(tmp_path), use_cpu=True)
    assert kept_epoch(state, arguments) == 2
    arguments.load_best_model_at_end = True
    assert kept_epoch(state, arguments) == 1


def test_what_speaks_of_the_old_model_goes_with_it(tmp_path: Path, marked_corpus: Path) -> None:
    """A card would show a confusion matrix of another run, and a graph would answer in the place of the model."""
    train(tmp_path / "run", marked_corpus, keep_optimizer="true")
    old, own = ("confusion.png", "model.onnx"), ("notes.png", "notes.txt")
    for again in ({"resume_from_checkpoint": "true", "num_train_epochs": 3}, {"overwrite": "true"}):
        for name in (*old, *own):
            (tmp_path / "run" / name).write_bytes(b"old")
        train(tmp_path / "run", marked_corpus, **again)
        left = {path.name for path in (tmp_path / "run").iterdir()}
        assert left >= {*own, "loss.png", "reliability.png", "report.json"}
        assert not left & {*old}


RARELY_SAVED = {"eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 4}


def test_where_models_are_saved_rarely_the_epoch_is_that_of_the_model_that_is_kept(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # nothing is learned, so the first evaluation is the best, and no model was saved then
    report = train(tmp_path / "run", marked_corpus, **RARELY_SAVED, learning_rate=0.0, max_steps=8)
    assert [entry["step"] for entry in report["epochs"]] == [2, 4, 6, 8]
    assert report["kept_epoch"] == report["epochs"][-1]["epoch"] > report["epochs"][0]["epoch"]
    assert "The best evaluation was after step 2, where no model was saved" in capsys.readouterr().err
    # the best that was saved is an earlier one than the best
    log = [{"step": step, "epoch": step / 2} for step in (2, 4, 6, 8)]
    state = TrainerState(epoch=4.0, best_global_step=6, best_model_checkpoint=r"C:\runs\checkpoint-4", log_history=log)
    assert kept_epoch(state, TrainingArguments(str(tmp_path), use_cpu=True)) == 4
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, load_best_model_at_end=True, eval_strategy="steps")
    assert kept_epoch(state, arguments) == 2


@pytest.mark.parametrize("saved", ["old/place/checkpoint-4", None])
def test_what_was_never_saved_is_not_said_to_be_gone(
    tmp_path: Path, saved: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in (4, 8):
        (tmp_path / f"checkpoint-{step}").mkdir()
    written = {"global_step": 8, "best_global_step": 6, "best_metric": 0.5, "best_model_checkpoint": saved}
    checkpoint = tmp_path / "checkpoint-8"
    (checkpoint / "trainer_state.json").write_text(json.dumps(written), encoding="utf-8")
    state = TrainerState(**{**written, "best_model_checkpoint": None})  # as the `Trainer` has it after a move
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, load_best_model_at_end=True, eval_strategy="steps")
    find_best_checkpoint(arguments, state, checkpoint)
    assert state.best_model_checkpoint == (saved and str(tmp_path / "checkpoint-4"))
    assert (state.best_metric, state.best_global_step) == (0.5, 6)
    assert not capsys.readouterr().err
    if saved is not None:
        (tmp_path / "checkpoint-4").rmdir()
        find_best_checkpoint(arguments, state, checkpoint)
        assert "The best checkpoint so far, checkpoint-4, is gone" in capsys.readouterr().err
        assert (state.best_metric, state.best_global_step) == (None, 0)


@pytest.mark.parametrize("where", ["_move_model_to_device", "training_step", "prediction_step"])
def test_too_little_memory_is_told_with_what_to_change(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def lack(self: Trainer, *given: object, **named: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Trainer, where, lack)
    with pytest.raises(RecipeError, match=r"too little memory .* smaller --per_device_train_batch_size than 8 "):
        train(tmp_path / "run", marked_corpus)


def test_data_in_the_folder_where_one_is_have_a_name(marked_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(marked_corpus)
    for here in (".", "./", Path(".")):
        assert describe_source("inline-marks", here, None) == marked_corpus.name
        assert describe_source("dataset", None, here) == marked_corpus.name
    assert describe_source("dataset", None, "user/nowhere") == "user/nowhere (Hub)"


@pytest.mark.slow
def test_a_log_has_lines_and_a_terminal_has_bars(tmp_path: Path, marked_corpus: Path) -> None:
    def command(name: str, *more: str) -> list[str]:
        return ["train", "demo", *flags(output_dir=tmp_path / name, data_dir=marked_corpus), *more]

    output, error = malmoi(*command("log"))
    assert "\r" not in output + error
    assert "%|" not in output + error
    assert len(error) < 2000
    assert "epoch  2.00   loss" in output
    assert "%|" in malmoi(*command("bar", "--disable_tqdm", "false"))[1]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # without a width there is no bar
    shown = subprocess.Popen([*MALMOI, *command("terminal")], stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    written = b""
    try:
        while part := os.read(master, 1 << 16):
            written += part
    except OSError:  # the other end is closed
        pass
    os.close(master)
    assert shown.wait(400) == 0
    assert b"%|" in written
    assert b"Writing model shards" not in written


def test_a_long_silence_is_broken_by_a_short_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now)
    lines = ShortLines("entity_f1")
    arguments, control = TrainingArguments(str(tmp_path), use_cpu=True), TrainerControl()
    for step in range(1, 1001):
        now += 1.0
        lines.on_step_end(arguments, TrainerState(global_step=step, max_steps=1000), control)
    output, error = capsys.readouterr()
    assert output == ""
    assert error.splitlines() == [f"step {step:,} of 1,000" for step in range(60, 1001, 60)]


def test_an_evaluation_before_the_first_step_took_no_epoch() -> None:
    log = [{"epoch": epoch, "step": step, "eval_entity_f1": 0.5} for epoch, step in ((0, 0), (0.5, 4), (1.0, 9))]
    history = epoch_history(log, [11.0, 22.0], TASKS["named-entities"])
    assert [entry["train_seconds"] for entry in history] == [None, None, 11.0]
