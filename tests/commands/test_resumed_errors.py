"""The file of `--errors` of a run that is gone on with: its own goes on, and no other one is touched."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.found_words import FindingWords, find_words
from support.text_files import read_rows

from malmoi.commands.streams import outputs
from malmoi.data.user_error import UserError

LINES = b"\xff\n" + "가\n".encode() * 40_000 + b"\xff\n" + "가\n".encode() * 40_000
BAD = [1, 40_002]
PRECIOUS = b'{"mine": 1}\n'


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_bytes(LINES)
    return tmp_path


def interrupted(errors: str | None, *, output: str = "out.jsonl", resume: bool = False) -> None:
    """Begin a run, or go on with it, and end it before its second job."""
    real = FindingWords.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "SECONDS", -1.0)

        def load(self: FindingWords, texts: list[str]) -> object:
            answer, jobs = real(self, texts), iter([True])

            def answer_first(texts: list[str]) -> object:
                if next(jobs, None) is None:
                    raise KeyboardInterrupt
                return answer(texts)

            return answer_first

        patch.setattr(FindingWords, "load", load)
        with pytest.raises(KeyboardInterrupt):
            find_words("in.txt", form="jsonl", output=output, errors=errors, resume=resume)


def numbers(name: str) -> list[int]:
    return [row["line"] for row in read_rows(Path(name))]


def test_without_an_earlier_run_nothing_that_is_there_is_its_file() -> None:
    Path("precious.jsonl").write_bytes(PRECIOUS)
    with pytest.raises(UserError, match=r"--errors: precious\.jsonl is there already; choose another place"):
        find_words("in.txt", output="out.jsonl", errors="precious.jsonl", resume=True)
    assert Path("precious.jsonl").read_bytes() == PRECIOUS
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize("again", ["errors.jsonl", "./errors.jsonl"])
def test_the_same_file_goes_on(again: str) -> None:
    interrupted("errors.jsonl")
    assert numbers("errors.jsonl") == BAD[:1]
    find_words("in.txt", output="out.jsonl", errors=again, resume=True)
    assert numbers("errors.jsonl") == BAD
    assert len(read_rows(Path("out.jsonl"))) == 80_000


def test_another_file_is_begun_and_none_that_is_there_is_cut_off() -> None:
    interrupted("errors.jsonl")
    Path("precious.jsonl").write_bytes(PRECIOUS * 100)
    with pytest.raises(
        UserError,
        match=r"^--errors: precious\.jsonl is there already, and the run that is to be gone on with has not written "
        r"it; choose another place, or give its own, errors\.jsonl\.$",
    ):
        find_words("in.txt", output="out.jsonl", errors="precious.jsonl", resume=True)
    assert Path("precious.jsonl").read_bytes() == PRECIOUS * 100
    interrupted("other.jsonl", resume=True)
    with pytest.raises(UserError, match=r"--errors: errors\.jsonl is there already"):
        find_words("in.txt", output="out.jsonl", errors="errors.jsonl", resume=True)
    find_words("in.txt", output="out.jsonl", errors="other.jsonl", resume=True)
    assert (numbers("errors.jsonl"), numbers("other.jsonl")) == (BAD[:1], BAD[1:])
    assert len(read_rows(Path("out.jsonl"))) == 80_000


def test_a_file_that_comes_later_goes_on_too() -> None:
    good = "가\n".encode() * 40_000
    Path("in.txt").write_bytes(good + (b"\xff\n" + good) * 3)
    interrupted(None)
    interrupted("errors.jsonl", resume=True)
    assert numbers("errors.jsonl") == [40_001]
    with pytest.raises(UserError, match=r"in\.txt, line 80002: expected UTF-8"):
        find_words("in.txt", output="out.jsonl", resume=True)
    find_words("in.txt", output="out.jsonl", errors="errors.jsonl", resume=True)
    assert numbers("errors.jsonl") == [40_001, 80_002, 120_003]


def test_a_file_of_a_run_without_one_is_not_touched() -> None:
    Path("in.txt").write_bytes("가\n".encode() * 80_000)
    interrupted(None)
    Path("precious.jsonl").write_bytes(PRECIOUS)
    with pytest.raises(UserError, match=r"has not written it; choose another place\.$"):
        find_words("in.txt", output="out.jsonl", errors="precious.jsonl", resume=True)
    assert Path("precious.jsonl").read_bytes() == PRECIOUS


@pytest.mark.parametrize("output", ["out.jsonl", "out/"])
def test_a_folder_that_was_moved_goes_on(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    (here / "before").mkdir()
    Path("in.txt").rename("before/in.txt")
    monkeypatch.chdir("before")
    interrupted("errors.jsonl", output=output)
    monkeypatch.chdir(here)
    Path("before").rename("after")
    monkeypatch.chdir("after")
    find_words("in.txt", form="jsonl", output=output, errors="errors.jsonl", resume=True)
    assert numbers("errors.jsonl") == BAD


def fail(self: FindingWords, texts: list[str]) -> None:
    raise UserError("there is no such model")


def stop(self: FindingWords, texts: list[str]) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("load", [fail, stop])
@pytest.mark.parametrize("options", [{"output": "out.jsonl"}, {"output": "out.jsonl", "resume": True}, {}])
def test_a_run_that_ends_before_its_first_answer_leaves_no_file(
    load: Callable[..., None], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FindingWords, "load", load)
    with pytest.raises((UserError, KeyboardInterrupt)):
        find_words("in.txt", errors="errors.jsonl", **options)
    assert [path.name for path in Path().iterdir()] == ["in.txt"]
    Path("errors.jsonl").touch()  # what a run that is killed there leaves
    with pytest.raises((UserError, KeyboardInterrupt)):
        find_words("in.txt", errors="errors.jsonl", **options)
    assert Path("errors.jsonl").exists()


def test_a_run_that_ends_before_its_first_answer_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted("errors.jsonl")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(FindingWords, "load", fail)
        for options in ({"resume": True}, {"overwrite": True}):
            with pytest.raises(UserError, match="there is no such model"):
                find_words("in.txt", output="out.jsonl", errors="errors.jsonl", **options)
            assert {path.name: path.read_bytes() for path in Path().iterdir()} == before
    find_words("in.txt", output="out.jsonl", errors="errors.jsonl", resume=True)
    assert numbers("errors.jsonl") == BAD


@pytest.mark.parametrize("left", [b"", b"{"])
def test_a_file_that_has_lost_rows_is_refused(left: bytes) -> None:
    interrupted("errors.jsonl")
    Path("errors.jsonl").write_bytes(left)
    with pytest.raises(UserError, match=r"--errors errors\.jsonl: it is shorter than it was; give another file, or"):
        find_words("in.txt", output="out.jsonl", errors="errors.jsonl", resume=True)
    assert Path("errors.jsonl").read_bytes() == left
    find_words("in.txt", output="out.jsonl", errors="other.jsonl", resume=True)
    assert numbers("other.jsonl") == BAD[1:]


def test_a_device_takes_what_comes() -> None:
    interrupted(os.devnull)
    find_words("in.txt", output="out.jsonl", errors=os.devnull, resume=True)
    assert len(read_rows(Path("out.jsonl"))) == 80_000
