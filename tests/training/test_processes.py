"""Several processes train together, or not at all."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import torch
import yaml

from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.processes import launcher
from malmoi.training.recipe_arguments import parse_recipe

TINY = {
    "task": "named-entities",
    "reader": "inline-marks",
    "model_type": "bilstm_crf",
    "embedding_size": 8,
    "hidden_size": 16,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4,
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "disable_tqdm": True,
}
PAGE = Path(__file__).parents[2] / "docs/your-own-data.md"


@pytest.fixture
def recipe(tmp_path: Path, marked_corpus: Path) -> Path:
    """A recipe of its own file that trains in a moment, with the folder of its data."""
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({**TINY, "data_dir": str(marked_corpus)}), encoding="utf-8")
    return path


def launched(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=400, env={**os.environ, **environment}
    )


def assert_trained_together(folder: Path) -> None:
    """24 sentences in 2 epochs: 6 steps of two processes with 4 sentences each, and not 12."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["training"]["processes"] == 2
    assert report["training"]["batch"] == 8
    assert [entry["step"] for entry in report["epochs"]] == [3, 6]
    assert {path.name for path in folder.glob("checkpoint-*")} <= {"checkpoint-3", "checkpoint-6"}


TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


@pytest.mark.long
@pytest.mark.skipif(torch.accelerator.is_available(), reason="the processes would need a GPU each")
def test_the_command_of_the_documentation_trains_together_without_a_gpu(tmp_path: Path, recipe: Path) -> None:
    command = re.search(r"^torchrun .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert command is not None
    words = {"torchrun": TORCHRUN, "RECIPE": [str(recipe)], "DIR": [str(tmp_path / "run")]}
    result = launched([part for word in command.group().split() for part in words.get(word, [word])])
    assert result.returncode == 0, result.stderr[-3000:]
    assert_trained_together(tmp_path / "run")
    assert result.stdout.count("By type") == 1


@pytest.mark.long
@pytest.mark.skipif(torch.accelerator.is_available(), reason="the processes would need a GPU each")
def test_the_command_line_trains_together_too(tmp_path: Path, recipe: Path) -> None:
    launch = [*TORCHRUN, "--standalone", "--nproc_per_node", "2", "-m", "malmoi.commands.main"]
    result = launched([*launch, "train", str(recipe), "--output_dir", str(tmp_path / "run")])
    assert result.returncode == 0, result.stderr[-3000:]
    assert_trained_together(tmp_path / "run")
    assert result.stdout.count("By type") == result.stdout.count("Next:") == 1


@pytest.mark.long
@pytest.mark.skipif(torch.accelerator.is_available(), reason="the processes would need a GPU each")
def test_two_processes_learn_from_silver_sentences_what_one_does(tmp_path: Path, recipe: Path) -> None:
    """All sentences are one step, so that it does not matter which process has which."""
    teacher = tmp_path / "teacher"
    command = ["-m", "malmoi.commands.main", "train", str(recipe), "--num_train_epochs", "2"]
    assert launched([sys.executable, *command, "--output_dir", str(teacher)]).returncode == 0
    (tmp_path / "raw.txt").write_text(
        "그는 부산에 산다.\n이강인의 집은 제주에 있다.\n비가 온다.\n흠, 춘천이다.\n", "utf-8"
    )
    silver = [
        "--silver_text",
        str(tmp_path / "raw.txt"),
        "--silver_teachers",
        str(teacher),
        "--silver_confidence",
        "0",
    ]
    still = ["--embedding_dropout", "0", "--hidden_dropout", "0", "--optim", "sgd", "--learning_rate", "0.5"]
    still += ["--logging_strategy", "epoch"]
    losses: list[list[float]] = []
    for processes, launch in ((1, [sys.executable]), (2, [*TORCHRUN, "--standalone", "--nproc_per_node", "2"])):
        folder = tmp_path / f"run-{processes}"
        batch = ["--per_device_train_batch_size", str(28 // processes), "--output_dir", str(folder)]
        result = launched([*launch, *command, *silver, *still, *batch])
        assert result.returncode == 0, result.stderr[-3000:]
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert [entry["step"] for entry in report["epochs"]] == [1, 2]
        losses.append([entry["loss"] for entry in report["losses"]])
        assert len(losses[-1]) == 2
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.long
@pytest.mark.skipif(torch.accelerator.is_available(), reason="the processes would need a GPU each")
def test_processes_of_mpi_train_together(tmp_path: Path, recipe: Path) -> None:
    command = [sys.executable, "-m", "malmoi.training.train", str(recipe), "--output_dir", str(tmp_path / "run")]
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    started = []
    for rank in "01":
        names = {"SIZE": "2", "RANK": rank, "LOCAL_SIZE": "2", "LOCAL_RANK": rank}
        environment = {**os.environ, **{f"OMPI_COMM_WORLD_{name}": value for name, value in names.items()}}
        environment |= {"MASTER_PORT": str(port)}
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    outputs = [process.communicate(timeout=400) for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    assert_trained_together(tmp_path / "run")
    assert "By type" in outputs[0][0].decode()
    assert outputs[1][0] == b""


@pytest.mark.long
@pytest.mark.skipif(torch.accelerator.is_available(), reason="the processes would need a GPU each")
def test_processes_that_would_train_for_themselves_are_refused_once(tmp_path: Path, recipe: Path) -> None:
    launch = [*TORCHRUN, "--standalone", "--nproc_per_node", "2", "-m", "malmoi.training.train", str(recipe)]
    result = launched([*launch, "--use_cpu", "false", "--output_dir", str(tmp_path / "run")])
    assert result.returncode != 0
    assert result.stderr.count("malmoi: The launcher has started 2 processes, but on the device cpu each") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE"])
def test_more_processes_than_train_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "3")
    with pytest.raises(RecipeError, match=r"The launcher has started 3 processes.*each would train for itself"):
        parse_recipe(load_recipe("demo", ["--use_cpu", "false", "--output_dir", str(tmp_path)]))


def test_more_processes_than_gpus_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(
        RecipeError, match="started 4 processes on this machine, which has GPUs for 2; start 2, or add"
    ):
        parse_recipe(load_recipe("demo", ["--output_dir", str(tmp_path)]))


def test_a_launcher_that_starts_one_process_of_several_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `accelerate launch --cpu --num_processes 2` sets."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    parse_recipe(load_recipe("demo", ["--output_dir", str(tmp_path)]))
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.raises(RecipeError, match="`accelerate launch` was asked for several processes"):
        parse_recipe(load_recipe("demo", ["--output_dir", str(tmp_path)]))


def test_only_the_first_process_speaks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setenv("RANK", "1")
    launcher.say("left over from another shell")
    monkeypatch.setenv("WORLD_SIZE", "2")
    launcher.say("by the second")
    with pytest.raises(SystemExit):
        launcher.leave("wrong", 1)
    assert capsys.readouterr().err == "left over from another shell\nwrong\n"
    assert waited == [launcher.SECONDS_TO_SPEAK]
