"""Two runs that would write the same: the first one goes on as if it were alone, the second is told."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

import pytest
from support.found_words import FindingWords, find_words
from support.text_files import read_rows, write_texts

from malmoi.data import held_files
from malmoi.data.user_error import UserError

TEXTS = ["손흥민은 춘천에서 태어났다.", "비가 왔다"]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def meanwhile(patch: pytest.MonkeyPatch, do: Callable[[], object], *, job: int) -> None:
    """Do something while the next run loads its model (job 0), or before it answers one of its jobs."""
    real = FindingWords.load
    patch.setattr(FindingWords, "load", lambda self, texts: load(self, texts))

    def load(self: FindingWords, texts: list[str]) -> Callable[[list[str]], Iterator]:
        patch.setattr(FindingWords, "load", real)
        if job == 0:
            do()
        jobs = iter(range(1, 1000))
        answer = real(self, texts)

        def answer_later(texts: list[str]) -> Iterator:
            if next(jobs) == job:
                do()
            return answer(texts)

        return answer_later


@pytest.mark.parametrize("output", ["out.jsonl", "out/", "new/out.jsonl"])
@pytest.mark.parametrize("job", [0, 2])
def test_the_second_run_on_an_output_is_refused(output: str, job: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write_texts(Path("d/1.txt"), TEXTS * 3000)
    refused = []

    def start_others() -> None:
        for options in ({}, {"overwrite": True}, {"resume": True}):
            with pytest.raises(UserError, match=r"^--output \S+: another run writes it now; wait for its end, or cho"):
                find_words("d", form="jsonl", output=output, **options)
            refused.append(options)

    meanwhile(monkeypatch, start_others, job=job)
    find_words("d", form="jsonl", output=output)
    assert len(refused) == 3
    written = Path("out/1.jsonl" if output == "out/" else output)
    assert [row["text"] for row in read_rows(written)] == TEXTS * 3000
    assert {path for path in Path().rglob("*") if path.is_file()} == {Path("d/1.txt"), written}


def test_the_second_run_on_a_file_of_errors_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in.txt").write_bytes(b"\xff\n" + "가\n".encode() * 40_000)
    refused = []

    def start_another() -> None:
        with pytest.raises(
            UserError, match=r"--errors errors\.jsonl: another run writes it now; choose another place"
        ):
            find_words("in.txt", output="other.jsonl", errors="errors.jsonl", overwrite=True)
        refused.append(True)

    meanwhile(monkeypatch, start_another, job=2)
    find_words("in.txt", output="out.jsonl", errors="errors.jsonl")
    assert refused
    assert [row["line"] for row in read_rows(Path("errors.jsonl"))] == [1]
    assert sorted(path.name for path in Path().iterdir()) == ["errors.jsonl", "in.txt", "out.jsonl"]


@pytest.mark.parametrize("stranger", [None, "not mine\n"])
def test_a_file_of_another_one_never_takes_the_name(stranger: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    write_texts(Path("in.txt"), TEXTS * 3000)
    partial = Path(".out.jsonl.partial")

    def interfere() -> None:
        partial.unlink()
        if stranger is not None:
            partial.write_text(stranger, encoding="utf-8")

    meanwhile(monkeypatch, interfere, job=2)
    with pytest.raises(UserError, match=r"\.out\.jsonl\.partial is not the file that was written: something has remo"):
        find_words("in.txt", output="out.jsonl")
    assert not Path("out.jsonl").exists()
    with pytest.raises(
        UserError, match=r"--resume: \.out\.jsonl\.partial is (not there any more|shorter than it was)"
    ):
        find_words("in.txt", output="out.jsonl", resume=True)
    find_words("in.txt", output="out.jsonl", overwrite=True)
    assert len(read_rows(Path("out.jsonl"))) == 6000


def test_runs_may_share_a_device_for_their_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in.txt").write_bytes("가\n".encode() + b"\xff\n")
    options = {"errors": os.devnull}
    meanwhile(monkeypatch, lambda: find_words("in.txt", output="other.jsonl", **options), job=0)
    find_words("in.txt", output="out.jsonl", **options)
    assert Path("out.jsonl").read_bytes() == Path("other.jsonl").read_bytes() != b""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the locks of Unix")
def test_a_file_system_without_locks_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    write_texts(Path("in.txt"), TEXTS)
    find_words("in.txt", output="out.jsonl", errors="errors.jsonl")
    assert len(read_rows(Path("out.jsonl"))) == 2
    assert sorted(path.name for path in Path().iterdir()) == ["errors.jsonl", "in.txt", "out.jsonl"]


def test_a_folder_that_may_not_be_written_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_texts(Path("in.txt"), TEXTS)
    find_words("in.txt", output="out.jsonl")

    def refuse(path: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(held_files, "open", refuse, raising=False)  # the rights of a folder do not bind root
    capsys.readouterr()
    find_words("in.txt", output="out.jsonl", resume=True)
    assert capsys.readouterr().err.startswith("malmoi: out.jsonl is there already, and no run of it is unfinished: ")
    for options in ({"output": "other.jsonl", "resume": True}, {"output": "out.jsonl", "overwrite": True}):
        with pytest.raises(
            UserError, match=r"^--output o\w+\.jsonl: nothing can be written into \. \(Permission denied\)\.$"
        ):
            find_words("in.txt", **options)
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt", "out.jsonl"]


def test_a_run_that_ends_while_it_is_looked_at_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    place, real = Path(".out.lock"), held_files.hold
    endings = [place.unlink]

    def hold(file: FileIO) -> bool:
        if endings:
            endings.pop()()
        return real(file)

    monkeypatch.setattr(held_files, "hold", hold)
    refusal = UserError("another run writes it now")
    with held_files.held(place, refusal):
        assert not endings
        with pytest.raises(UserError, match="another run writes it now"), held_files.held(place, refusal):
            pass
        assert place.exists()
    assert not place.exists()
