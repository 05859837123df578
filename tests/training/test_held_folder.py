"""One training alone writes into a folder: of two, the one that began later is told, and nothing is mixed."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS

from malmoi.data import held_files
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training import train as training
from malmoi.training.resuming import held_folder
from malmoi.training.resuming.held_folder import HELD
from malmoi.training.search import search as searching
from malmoi.training.search.request import read_search

REFUSED = r"run: another training writes into this folder now; wait for its end, or choose another --output_dir\.$"


def test_a_second_training_into_the_folder_of_one_that_has_no_checkpoint_yet_is_refused(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**SETTINGS, "data_dir": marked_corpus, "output_dir": tmp_path / "run", "use_cpu": True}
    train, others = training.train, []

    def train_meanwhile(*of_first: Any) -> Any:
        monkeypatch.setattr(training, "train", train)
        for options in ({}, {"overwrite": True}):
            with pytest.raises(RecipeError, match=REFUSED):
                training.run(load_recipe("demo", as_flags({**given, "seed": 2, **options})))
            others.append(options)
        return train(*of_first)

    monkeypatch.setattr(training, "train", train_meanwhile)
    report = training.run(load_recipe("demo", as_flags(given)))
    assert len(others) == 2
    assert report["training"]["steps"] == 4
    assert not (tmp_path / "run" / HELD).exists()


def test_a_run_that_ends_just_before_another_begins_is_not_lost(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**SETTINGS, "data_dir": marked_corpus, "output_dir": tmp_path / "run", "use_cpu": True}
    holds = training.held_folder

    @contextmanager
    def hold_later(folder: Path) -> Iterator[None]:
        folder.mkdir(exist_ok=True)
        (folder / "report.json").write_text("{}", encoding="utf-8")
        with holds(folder):
            yield

    monkeypatch.setattr(training, "held_folder", hold_later)
    with pytest.raises(RecipeError, match="run holds a run already"):
        training.run(load_recipe("demo", as_flags(given)))
    assert (tmp_path / "run" / "report.json").read_text(encoding="utf-8") == "{}"


def test_a_search_that_ends_just_before_another_begins_is_not_lost(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {key: value for key, value in SETTINGS.items() if key not in ("max_steps", "num_train_epochs")}
    given |= {"data_dir": marked_corpus, "output_dir": tmp_path / "run", "search_space": "{max_steps: [1, 2]}"}
    search = read_search(load_recipe("demo", as_flags(given)), trials=1, prune=False)
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "study.db").write_text("of another", encoding="utf-8")
    with pytest.raises(RecipeError, match="run holds a search already"):
        searching.run_search(search)
    assert (tmp_path / "run" / "study.db").read_text(encoding="utf-8") == "of another"


def test_a_folder_is_let_go_when_a_training_fails_and_one_that_was_killed_holds_nothing(
    tmp_path: Path, marked_corpus: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / HELD).touch()
    given = {**SETTINGS, "data_dir": marked_corpus, "output_dir": tmp_path / "run", "use_cpu": True}
    with pytest.raises(RecipeError, match="is in no such folder"):
        training.run(load_recipe("demo", as_flags({**given, "tokenizer": "nowhere/none"})))
    assert not (tmp_path / "run" / HELD).exists()


def test_a_second_search_that_goes_on_with_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would give up the trial of the first one as cut off."""
    search = Searched(tmp_path / "run")
    refused = []

    def search_meanwhile(first: Any) -> dict[str, Any]:
        with pytest.raises(RecipeError, match=REFUSED):
            searching.run_search(search)  # type: ignore[arg-type]
        refused.append(first)
        return {}

    monkeypatch.setattr(searching, "_run_search", search_meanwhile)
    searching.run_search(search)  # type: ignore[arg-type]
    assert refused == [search]


class Searched:
    """What is asked of a search, as far as its folder goes."""

    def __init__(self, folder: Path):
        self.folder = folder


@pytest.mark.parametrize("rank", ["0", "1"])
def test_of_processes_that_train_together_the_first_one_holds_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rank: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    with held_folder.held_folder(tmp_path):
        assert (tmp_path / HELD).exists() == (rank == "0")


def test_where_there_are_no_locks_a_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(held_files, "_lock", refuse)
    with held_folder.held_folder(tmp_path), held_folder.held_folder(tmp_path):
        assert (tmp_path / HELD).exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_was_forked_from_a_training_holds_nothing_once_that_is_gone(tmp_path: Path) -> None:
    """As workers that load data are: they outlive a training that was killed by seconds."""
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from malmoi.training.resuming.held_folder import held_folder\n"
        "with held_folder(Path(sys.argv[1])):\n"
        "    if os.fork() == 0:\n"
        "        print(os.getpid(), flush=True)\n"  # it has let go by then
        "    time.sleep(60)\n"
    )
    training = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert training.stdout is not None
    child = int(training.stdout.readline())
    try:
        with pytest.raises(RecipeError, match="another training writes into this folder now"):
            held_folder.held_folder(tmp_path).__enter__()
        training.kill()
        training.wait()
        with held_folder.held_folder(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        training.stdout.close()


def test_in_a_folder_that_may_not_be_written_to_nothing_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(held_files, "open", refuse, raising=False)
    with held_folder.held_folder(tmp_path):
        assert not list(tmp_path.iterdir())
