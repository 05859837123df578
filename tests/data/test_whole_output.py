"""What is written is there whole or not at all, wherever the process is killed and wherever the disk is full."""

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file
from support.warm_process import run_in_process

from malmoi.data.user_error import UserError
from malmoi.data.whole_output import (
    disk_errors,
    files_together,
    is_pipe_or_device,
    whole_file,
    whole_folder,
    write_named,
    write_whole,
)
from malmoi.reports.output_file import check_output_file

TESTS = Path(__file__).parents[1]


def stop_halfway(writing: AbstractContextManager[Path]) -> None:
    with writing as unfinished:
        (unfinished / "config" if unfinished.is_dir() else unfinished).write_text("half", encoding="utf-8")
        raise RuntimeError("stop")


def write_on_a_full_disk(path: Path) -> None:
    with whole_file(path) as unfinished:
        unfinished.symlink_to("/dev/full")
        unfinished.write_text("a", encoding="utf-8")


def test_a_file_takes_its_name_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before", encoding="utf-8")
    with write_whole(path) as file:
        file.write("after")
        file.flush()
        assert path.read_text(encoding="utf-8") == "before"
    assert path.read_text(encoding="utf-8") == "after"
    with pytest.raises(RuntimeError, match="stop"):
        stop_halfway(whole_file(path))
    assert path.read_text(encoding="utf-8") == "after"
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc")
def test_what_a_process_has_open_is_a_device_wherever_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with path.open("a", encoding="utf-8") as file:
        file.write("before\n")
        file.flush()
        for folder in ("/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd"):
            link = Path(folder) / str(file.fileno())
            assert is_pipe_or_device(link)
            with write_named(link) as written:
                written.write("after\n")
    assert path.read_text(encoding="utf-8") == "before\n" + "after\n" * 3
    assert os.listdir(tmp_path) == ["file.txt"]
    assert not is_pipe_or_device(path)
    assert not is_pipe_or_device(link)
    assert not is_pipe_or_device(Path("/dev/fd"))
    assert is_pipe_or_device(Path(os.devnull))


@pytest.mark.parametrize("replaces", [True, False])
def test_a_folder_takes_its_name_once_it_is_whole(tmp_path: Path, replaces: bool) -> None:
    folder = tmp_path / "deeper" / "folder"
    with pytest.raises(RuntimeError, match="stop"):
        stop_halfway(whole_folder(folder, replaces=replaces))
    assert os.listdir(tmp_path / "deeper") == []
    folder.mkdir()
    with whole_folder(folder, replaces=replaces) as unfinished:
        (unfinished / "inner").mkdir()
        (unfinished / "inner" / "whole").touch()
        assert os.listdir(folder) == []
    assert os.listdir(folder) == ["inner"]
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode)
    if replaces:
        with whole_folder(folder, replaces=True) as unfinished:
            (unfinished / "other").touch()
        assert os.listdir(folder) == ["other"]
    else:
        with pytest.raises(UserError, match="the folder is not empty"), whole_folder(folder):
            pass
    assert os.listdir(tmp_path / "deeper") == ["folder"]
    with whole_folder(folder.parent / "other" / ".." / "new"):
        pass
    assert sorted(os.listdir(tmp_path / "deeper")) == ["folder", "new"]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="there is a file of that name"), whole_folder(tmp_path / "file"):
        pass


def test_files_go_together_into_a_folder_that_holds_other_things(tmp_path: Path) -> None:
    for name in ("mine", "config", "weights-1", "weights-2", "stale"):
        (tmp_path / name).write_text("before", encoding="utf-8")
    with pytest.raises(RuntimeError, match="stop"):
        stop_halfway(files_together(tmp_path, last=["config"]))
    assert {path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"before"}
    with files_together(tmp_path, last=["config"], stale=["weights-*"]) as unfinished:
        for name in ("config", "weights-1"):
            (unfinished / name).write_text("after", encoding="utf-8")
    found = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert found == {"mine": "before", "config": "after", "weights-1": "after", "stale": "before"}


def test_what_the_system_refuses_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left on device"), disk_errors(tmp_path):
        raise ValueError("I/O error: No space left on device (os error 28)")
    with pytest.raises(ValueError, match="other"), disk_errors(tmp_path):
        raise ValueError("other")
    with pytest.raises(OSError, match="No space left on device"):
        write_on_a_full_disk(tmp_path / "full")
    assert os.listdir(tmp_path) == []


def test_what_somebody_put_beside_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "page.html.part").write_text("mine", encoding="utf-8")
    path = tmp_path / "page.html"
    with write_whole(path) as first, write_whole(path) as second:  # as two processes do
        first.write("first")
        second.write("second")
    assert path.read_text(encoding="utf-8") == "first"
    assert sorted(os.listdir(tmp_path)) == ["page.html", "page.html.part"]
    long = tmp_path / f"{'가' * 84}.a"
    with write_whole(long) as file:
        file.write("a")
    assert long.read_text(encoding="utf-8") == "a"


# what saves a model, killed at every step and with a disk that is full at any size
CODE = """
import json, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from support.killed_process import killed_at_each_step, with_a_full_disk
from support.saved_models import build
from support.tiny_models import SENTENCES
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import disk_errors, files_together, whole_folder
from malmoi.inference.tagger import Tagger
import torch
root = Path({root!r})
tokenizer = build_syllable_tokenizer(SENTENCES)
old, new = build("bilstm_crf", len(tokenizer)), build("bilstm_crf", len(tokenizer))
with torch.no_grad():
    old.classifier.bias.copy_(torch.tensor([9.0, 0, 0, 0, 0]))
    new.classifier.bias.copy_(torch.tensor([0, 0, 9.0, 0, 0]))

def save(folder, model=new):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

def into_a_run(folder):
    with files_together(folder / "model", last=("config.json",), stale=("model*.safetensors",)) as unfinished:
        save(unfinished)

def in_its_place(folder):
    with whole_folder(folder / "model", replaces=True) as unfinished:
        save(unfinished)

def in_a_new_place(folder):
    with whole_folder(folder / "new") as unfinished:
        save(unfinished)

def as_a_checkpoint(folder):  # as the stock Trainer does
    with disk_errors(folder):
        save(folder / "new")

def found(folder):
    try:
        answers = Tagger(folder)("가나다라")
    except UserError as error:
        assert "\\n" not in str(error)
        return "refused"
    return "old" if {{entity.label for entity in answers}} == {{"PS"}} else "new"

start = root / "start"
save(start / "model", old)
work = {work}
folder = root / "folder"
place = folder / ("model" if work in (into_a_run, in_its_place) else "new")
for step, killed in killed_at_each_step(work, start, folder):
    print(json.dumps(["killed" if killed else "finished", found(place), found(folder / "model")]))
largest = max(path.stat().st_size for path in place.iterdir())
sizes = [0, 1, 100, 1000, largest // 2, largest - 1, largest + 1000]
for size, refused in with_a_full_disk(work, start, folder, sizes):
    print(json.dumps(["full" if refused else "finished", found(place), found(folder / "model")]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("work", ["into_a_run", "in_its_place", "in_a_new_place", "as_a_checkpoint"])
def test_a_model_is_saved_whole_or_refused_wherever_saving_ends(tmp_path: Path, work: str) -> None:
    result = run_in_process(CODE.format(tests=str(TESTS), root=str(tmp_path), work=work))
    assert result.returncode == 0, result.stderr
    tries = [json.loads(line) for line in result.stdout.splitlines()]
    ends = [end for end, _, _ in tries]
    assert ends.count("killed") >= 8
    assert ends.count("full") >= 5
    assert ends.count("finished") == 2
    replaced = work in ("into_a_run", "in_its_place")
    for end, found, other in tries:
        if end == "finished":
            assert found == "new"
        elif end == "full":
            # nothing was moved yet
            assert found == ("old" if replaced else "refused")
        else:
            assert found in ("old", "new", "refused")
        assert replaced or other == "old"
    before = [found for end, found, _ in tries if end == "killed"]
    assert before[0] == ("old" if replaced else "refused")
    assert "new" in before or work == "as_a_checkpoint" or work == "in_a_new_place"


def test_a_folder_that_was_filled_meanwhile_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()

    def fill() -> None:
        with whole_folder(folder) as written:
            (written / "config.json").touch()
            (folder / "mine.txt").touch()

    with pytest.raises(UserError, match="the folder is not empty"):
        fill()
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("why", ["it is the current one", "another file system begins there"])
def test_a_folder_that_cannot_move_stays_and_takes_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    number = folder.stat().st_ino
    if why == "it is the current one":
        monkeypatch.chdir(folder)
    else:
        monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == folder)
    with pytest.raises(RuntimeError, match="stop"):
        stop_halfway(whole_folder(folder))
    assert os.listdir(folder) == []
    for names, replaces in ((["a", "b"], False), (["b", "c"], True)):
        with whole_folder(folder, replaces=replaces) as unfinished:
            for name in names:
                (unfinished / name).mkdir()
                (unfinished / name / "file").touch()
        assert sorted(os.listdir(folder)) == names
        assert folder.stat().st_ino == number
    assert os.listdir(tmp_path) == ["made"]
    with pytest.raises(UserError, match="the folder is not empty"), whole_folder(folder):
        pass

    def fill() -> None:
        for name in ("b", "c"):
            shutil.rmtree(folder / name)
        with whole_folder(folder):
            (folder / "mine.txt").touch()

    with pytest.raises(UserError, match="the folder is not empty"):
        fill()
    assert os.listdir(folder) == ["mine.txt"]


@pytest.mark.parametrize("number", range(4))
def test_in_a_folder_that_stays_what_was_there_comes_back_if_something_cannot_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Such as `lost+found` at the root of a file system."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(name).write_text("old", encoding="utf-8")
    rename, moved = Path.rename, []

    def refuse_one(path: Path, target: Path) -> Path:
        moved.append(path)
        if len(moved) == number + 1:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return rename(path, target)

    def write() -> None:
        with whole_folder(tmp_path, replaces=True) as unfinished:
            for name in ("b", "c"):
                (unfinished / name).write_text("new", encoding="utf-8")
            monkeypatch.setattr(Path, "rename", refuse_one)

    with pytest.raises(PermissionError):
        write()
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"a": "old", "b": "old"}


def test_what_a_killed_process_left_in_a_folder_that_stays_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(f".{tmp_path.name}-killed").mkdir()
    with whole_folder(tmp_path) as unfinished:
        (unfinished / "a").touch()
    assert sorted(os.listdir(tmp_path)) == [f".{tmp_path.name}-killed", "a"]


@pytest.mark.skipif(sys.platform == "win32", reason="asks as other systems do how a file was opened")
def test_files_are_flushed_as_windows_does_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def flush(opened: int) -> None:
        if not stat.S_ISDIR(os.fstat(opened).st_mode) and not fcntl.fcntl(opened, fcntl.F_GETFL) & os.O_RDWR:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(os, "fsync", flush)
    with write_whole(tmp_path / "file") as file:
        file.write("whole")
    with whole_folder(tmp_path / "folder") as unfinished:
        (unfinished / "file").write_text("whole", encoding="utf-8")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "whole"
    assert (tmp_path / "folder" / "file").is_file()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_takes_what_is_written_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    check_output_file(pipe, "--output")
    with write_whole(pipe) as file:
        file.write("비가")
    reader.join(timeout=60)
    assert read == ["비가"]
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such rights")
@pytest.mark.parametrize("give", [whole_folder, partial(files_together, last=())])
def test_what_a_library_keeps_from_other_users_has_the_rights_of_any_new_file(
    tmp_path: Path, give: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    """A model that one user has trained is served by another."""
    folder = tmp_path / "run"
    if give is not whole_folder:
        folder.mkdir()
    with give(folder) as unfinished:
        save_file({"weight": torch.zeros(1)}, unfinished / "model.safetensors")
        (unfinished / "config.json").write_text("{}", encoding="utf-8")
        (unfinished / "script").touch(mode=0o755)
    rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert rights["model.safetensors"] == rights["config.json"] == 0o666 & rights["script"]
    assert sorted(rights) == ["config.json", "model.safetensors", "script"]
