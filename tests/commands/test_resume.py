"""A run that is killed, wherever it is, and gone on with: exactly the rows that were missing, none twice."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.found_words import DEADLY, FindingWords, find_words
from support.property_tests import examples
from support.text_files import read_rows, write_texts

from malmoi.commands.answering import ModelOptions
from malmoi.commands.streams import outputs
from malmoi.commands.streams.answers import Answering
from malmoi.commands.streams.forms import LineForm
from malmoi.commands.streams.processes import THREAD_VARIABLES, serve_jobs, threads_of_each
from malmoi.commands.streams.raw_lines import CHUNK_BYTES
from malmoi.commands.streams.tasks import Place
from malmoi.data.user_error import UserError

SENTENCES = ["손흥민은 춘천에서 태어났다.", "", "비가\t왔다", "김민재가 서울로 갔다! " * 3]
CASES = {
    "marks": ("in.txt", "out.txt"),
    "lines": ("in.txt", "out.jsonl"),
    "json": ("in.jsonl", "out.jsonl"),
    "csv": ("in.csv", "out.csv"),
    "parquet": ("in.parquet", "out.parquet"),
    "folder": ("d", "out"),
    "one": ("d", "all.jsonl"),
}
"""What is read, and what is written."""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_input(name: str, count: int) -> None:
    texts = [f"{number} {SENTENCES[number % len(SENTENCES)]}" for number in range(count)]
    if name != "d":
        write_texts(Path(name), texts)
        return
    for number, (begin, kind) in enumerate(zip(range(0, count, count // 4), (".txt", ".jsonl", ".csv", ".txt"))):
        write_texts(Path(f"d/{number % 2}/{number}{kind}"), texts[begin : begin + count // 4])


def contents(output: str) -> dict[str, Any]:
    """Return all files of the output, hidden ones too: of Parquet the rows, which may lie in other groups."""
    path = Path(output)
    found = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [*Path().glob(f"*{output}*")]
    return {str(file): rows(file) if file.suffix == ".parquet" else file.read_bytes() for file in found}


def rows(file: Path) -> str:
    """Return the rows and columns of a Parquet file."""
    table = pyarrow.parquet.read_table(file)
    return f"{table.schema}{table.to_pylist()}"


class Killed(BaseException):
    """Stands for a signal that nothing can catch."""


def kill_at(number: int, patch: pytest.MonkeyPatch, *, seconds: float) -> None:
    """Let writing end in the middle of a row the so-manyth time that something is written, without a farewell."""
    real: Callable[..., None] = outputs.write_all
    count = 0

    def write(file: Any, content: bytes, path: Path) -> None:
        nonlocal count
        count += 1
        if count == number:
            file.write(content[: len(content) // 2])
            raise Killed
        real(file, content, path)

    def close(self: outputs.Files) -> None:
        for file in self._open:
            file.close()

    patch.setattr(outputs, "write_all", write)
    patch.setattr(outputs.Files, "close", close)
    patch.setattr(outputs, "SECONDS", seconds)


def answer(case: str, *, resume: bool) -> None:
    given_name, output = CASES[case]
    find_words(given_name, output=output, form="jsonl" if case == "folder" else None, resume=resume)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_wherever_a_run_ends_the_next_one_goes_on(case: str) -> None:
    make_input(CASES[case][0], 6000)
    answer(case, resume=False)
    expected = contents(CASES[case][1])
    for path in expected:
        Path(path).unlink()
    kills = 0
    is_whole = False
    while not is_whole:
        with pytest.MonkeyPatch.context() as patch:
            kill_at(2, patch, seconds=-1.0)
            try:
                answer(case, resume=kills > 0)
                is_whole = True
            except Killed:
                kills += 1
                assert contents(CASES[case][1]) != expected
    assert kills >= 2
    assert contents(CASES[case][1]) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_run_that_ends_before_anything_is_noted_is_begun_anew(case: str) -> None:
    make_input(CASES[case][0], 6000)
    answer(case, resume=False)
    expected = contents(CASES[case][1])
    for path in expected:
        Path(path).unlink()
    with pytest.MonkeyPatch.context() as patch:
        kill_at(2, patch, seconds=1000.0)
        with pytest.raises(Killed):
            answer(case, resume=False)
    answer(case, resume=True)
    assert contents(CASES[case][1]) == expected


@given(
    lines=st.lists(st.sampled_from([b"\xea\xb0\x80", b"", b"\xff", b"a\r", "가나 다".encode() * 20]), max_size=30),
    number=st.integers(1, 8),
    size=st.integers(1, 40),
)
@settings(max_examples=examples(200))
def test_bad_rows_are_kept_once_wherever_a_run_ends(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], number: int, size: int
) -> None:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "in.txt").write_bytes(b"\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        for module in ("raw_lines", "sources"):
            patch.setattr(f"malmoi.commands.streams.{module}.CHUNK_BYTES", size)
        find_words(folder / "in.txt", form="jsonl", output=folder / "a.jsonl", errors=folder / "a.errors")
        options = {"form": "jsonl", "output": folder / "b.jsonl", "errors": folder / "b.errors"}
        with pytest.MonkeyPatch.context() as deadly:
            kill_at(number, deadly, seconds=-1.0)
            try:
                find_words(folder / "in.txt", **options)
            except Killed:
                deadly.undo()
                find_words(folder / "in.txt", **options, resume=True)
    assert (folder / "a.jsonl").read_bytes() == (folder / "b.jsonl").read_bytes()
    assert (folder / "a.errors").read_bytes() == (folder / "b.errors").read_bytes()


def begun(name: str = "in.jsonl", **options: Any) -> None:
    """Begin a run that ends in the middle."""
    make_input(name, 6000)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(2, patch, seconds=-1.0)
        with pytest.raises(Killed):
            find_words(name, output="out.jsonl", **options)


def test_what_was_begun_is_not_lost_by_mistake() -> None:
    begun()
    with pytest.raises(
        UserError, match=r"--output out\.jsonl: a run has begun it and not ended; go on with it by --re"
    ):
        find_words("in.jsonl", output="out.jsonl")
    find_words("in.jsonl", output="out.jsonl", overwrite=True)
    assert len(read_rows(Path("out.jsonl"))) == 6000
    assert sorted(path.name for path in Path().iterdir()) == ["in.jsonl", "out.jsonl"]


def test_what_was_to_be_replaced_does_not_pass_for_the_answers_of_an_interrupted_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_input("small.txt", 4)
    Path("big.txt").write_bytes(b"\xff\n" + "가\n".encode() * 6000)
    find_words("small.txt", output="out.jsonl")
    old = Path("out.jsonl").read_bytes()
    with pytest.raises(UserError, match=r"big\.txt, line 1: expected UTF-8"):
        find_words("big.txt", output="out.jsonl", overwrite=True)
    with pytest.raises(UserError, match=r"big\.txt, line 1: expected UTF-8"):
        find_words("big.txt", output="out.jsonl", resume=True)
    with pytest.raises(UserError, match="the output was begun with --encoding utf-8, not cp949"):
        find_words("big.txt", output="out.jsonl", resume=True, encoding="cp949")
    with pytest.raises(UserError, match="a run has begun it and not ended"):
        find_words("big.txt", output="out.jsonl")
    assert Path("out.jsonl").read_bytes() == old
    find_words("big.txt", output="out.jsonl", resume=True, errors="errors.jsonl")
    assert len(read_rows(Path("out.jsonl"))) == 6000
    assert sorted(path.name for path in Path().iterdir()) == ["big.txt", "errors.jsonl", "out.jsonl", "small.txt"]
    capsys.readouterr()
    find_words("big.txt", output="out.jsonl", resume=True)
    assert capsys.readouterr().err.startswith("malmoi: out.jsonl is there already, and no run of it is unfinished: ")


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_run_that_cannot_load_its_model_changes_nothing(
    is_begun: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_begun:
        begun()
    else:
        make_input("in.jsonl", 40)
        find_words("in.jsonl", output="out.jsonl")
    before = contents("out")

    def load(self: FindingWords, texts: list[str]) -> None:
        raise UserError("there is no such model")

    with monkeypatch.context() as patch:
        patch.setattr(FindingWords, "load", load)
        with pytest.raises(UserError, match="there is no such model"):
            find_words("in.jsonl", output="out.jsonl", overwrite=True, model="typo")
    assert contents("out") == before
    capsys.readouterr()
    find_words("in.jsonl", output="out.jsonl", resume=True)
    assert capsys.readouterr().err.startswith("" if is_begun else "malmoi: out.jsonl is there already, and no run of")
    assert len(read_rows(Path("out.jsonl"))) == (6000 if is_begun else 40)
    assert sorted(path.name for path in Path().iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("case", ["json", "csv", "folder"])
def test_a_run_that_replaces_and_is_killed_while_it_loads_is_gone_on_with(case: str) -> None:
    given_name, output = CASES[case]
    form = "jsonl" if case == "folder" else None
    make_input(given_name, 40)
    answer(case, resume=False)
    old = contents(output)
    make_input(given_name, 60)
    Path("errors.jsonl").write_text("old\n", encoding="utf-8")

    def load(self: FindingWords, texts: list[str]) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        kill_at(1000, patch, seconds=1000.0)
        patch.setattr(FindingWords, "load", load)
        with pytest.raises(Killed):
            find_words(given_name, output=output, form=form, overwrite=True, errors="errors.jsonl")
    assert {name: content for name, content in contents(output).items() if name in old} == old
    assert Path("errors.jsonl").read_text(encoding="utf-8") == "old\n"
    with pytest.raises(UserError, match="a run has begun it and not ended"):
        find_words(given_name, output=output, form=form)
    find_words(given_name, output=output, form=form, resume=True, errors="errors.jsonl")
    found = contents(output)
    find_words(given_name, output=output, form=form, overwrite=True)
    assert found == contents(output) != old
    assert Path("errors.jsonl").read_bytes() == b""


@pytest.mark.parametrize("case", ["json", "folder"])
def test_a_run_that_replaces_and_is_killed_at_once_is_gone_on_with(case: str) -> None:
    given_name, output = CASES[case]
    make_input(given_name, 400)
    answer(case, resume=False)
    old = contents(output)
    make_input(given_name, 6000)
    form = "jsonl" if case == "folder" else None
    with pytest.MonkeyPatch.context() as patch:
        kill_at(1, patch, seconds=1000.0)
        with pytest.raises(Killed):
            find_words(given_name, output=output, form=form, overwrite=True)
    assert {name: content for name, content in contents(output).items() if name in old} == old
    answer(case, resume=True)
    found = contents(output)
    find_words(given_name, output=output, form=form, overwrite=True)
    assert found == contents(output) != old


def test_a_run_with_other_options_or_another_input_is_no_continuation() -> None:
    begun()
    for options, message in (
        ({"form": "csv"}, "the output was begun with --format jsonl, not csv; give that again"),
        ({"text_column": "sentence"}, "the output was begun with --text_column its default, not sentence"),
        ({"encoding": "cp949"}, "the output was begun with --encoding utf-8, not cp949"),
    ):
        with pytest.raises(UserError, match=message):
            find_words("in.jsonl", output="out.jsonl", resume=True, **options)
    content = Path("in.jsonl").read_bytes()
    for other in (content + b"{}\n", b"{" + content, content.replace(b"5999", b"5990")):
        Path("in.jsonl").write_bytes(other)
        with pytest.raises(UserError, match=r"--resume: in\.jsonl is not what it was when it was read; put that back"):
            find_words("in.jsonl", output="out.jsonl", resume=True)
    Path("in.jsonl").write_bytes(content)
    partial = Path(".out.jsonl.partial")
    partial.write_bytes(partial.read_bytes()[:10])
    with pytest.raises(UserError, match="is shorter than it was; begin anew by --overwrite"):
        find_words("in.jsonl", output="out.jsonl", resume=True)
    Path(".out.jsonl.journal").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"journal is damaged; begin anew by --overwrite"):
        find_words("in.jsonl", output="out.jsonl", resume=True)


def test_a_run_that_fails_at_a_bad_row_goes_on_once_that_is_kept() -> None:
    make_input("in.txt", 6000)
    content = Path("in.txt").read_bytes()
    Path("bad.txt").write_bytes(content + b"\xff\n" + content)
    with pytest.raises(UserError, match=r"bad\.txt, line 6001: expected UTF-8"):
        find_words("bad.txt", output="out.txt")
    assert Path(".out.txt.partial").stat().st_size > CHUNK_BYTES
    find_words("bad.txt", output="out.txt", resume=True, errors="errors.jsonl")
    find_words("in.txt", output="good.txt")
    assert Path("out.txt").read_bytes() == 2 * Path("good.txt").read_bytes()
    assert [row["line"] for row in read_rows(Path("errors.jsonl"))] == [6001]


def test_what_comes_through_a_pipe_cannot_be_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, "가\n".encode() + b"\xff\n")
    os.close(writer)
    saved = os.dup(0)
    os.dup2(reader, 0)
    try:
        with pytest.raises(UserError, match="standard input, line 2"):
            find_words("-", output="out.jsonl")
        Path(".out.jsonl.journal").write_text("{}", encoding="utf-8")
        with pytest.raises(UserError, match="--resume: standard input cannot be read again; give a file by --input"):
            find_words("-", output="out.jsonl", resume=True)
    finally:
        os.dup2(saved, 0)
        for descriptor in (saved, reader):
            os.close(descriptor)


def run(given_name: str, *, largest: int | None = None, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a run in a process of its own, in which a file may not be larger than so many bytes."""
    code = f"from support.found_words import find_words; find_words({given_name!r}, **{options!r})"
    # what starts the tests in the background may have it ignored
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {code}"
    if largest is not None:  # the nearest to a full disk that needs no rights
        code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, {largest})); {code}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    return status != "Z"


def all_end(pids: list[int]) -> bool:
    """Tell whether processes end soon."""
    deadline = time.monotonic() + 30
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_running, pids))


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in listed.split()]


@pytest.mark.skipif(sys.platform == "win32", reason="needs the limits of Unix")
@pytest.mark.parametrize("case", ["json", "parquet"])
def test_a_disk_that_gets_full_costs_nothing_that_was_written(case: str) -> None:
    given_name, output = CASES[case]
    make_input(given_name, 6000)
    limited = run(given_name, output=output, largest=50_000 if case == "parquet" else 700_000)
    _, error = limited.communicate(timeout=60)
    assert f"UserError: {output}: it could not be written on (File too large).\n" in error.decode()
    assert Path(f".{output}.journal").exists()
    find_words(given_name, output=output, resume=True)
    found = Path(output).read_bytes()
    find_words(given_name, output=output, overwrite=True)
    assert found == Path(output).read_bytes()


def written(journal: Path) -> bytes:
    """Return what a journal holds once something is answered; it is gone as soon as its command has ended."""
    try:
        content = journal.read_bytes()
    except FileNotFoundError:
        return b""
    progress = json.loads(content)["progress"]
    return content if progress["files"] or progress["sizes"] else b""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(("case", "workers"), [("lines", 1), ("csv", 2), ("parquet", 2), ("folder", 1)])
def test_kill_9_in_the_middle(case: str, workers: int) -> None:
    given_name, output = CASES[case]
    form = {"form": "jsonl"} if case == "folder" else {}
    make_input(given_name, 40_000)
    find_words(given_name, output="expected" + Path(output).suffix, **form)
    expected = contents("expected" + Path(output).suffix)
    chance = random.Random(case)
    kills = 0
    for attempt in range(3):
        started = run(given_name, output=output, workers=workers, seconds=0.15 * workers, resume=attempt > 0, **form)
        place = Path(output) / ".malmoi.journal" if case == "folder" else Path(f".{output}.journal")
        before = written(place)
        deadline = time.monotonic() + 100
        while started.poll() is None and time.monotonic() < deadline:
            if written(place) not in (b"", before):
                break
            time.sleep(0.02)
        time.sleep(chance.random() * 0.5)
        children = children_of(started.pid) if started.poll() is None else []
        started.send_signal(signal.SIGKILL)
        _, error = started.communicate(timeout=60)
        if started.returncode == 0:
            break
        assert started.returncode == -signal.SIGKILL, error
        kills += 1
        assert all_end(children)
    assert kills >= 1
    if started.returncode:
        find_words(given_name, output=output, resume=True, **form)
    found = contents(output)
    assert sorted(found.values(), key=repr) == sorted(expected.values(), key=repr)
    assert len(found) == (4 if case == "folder" else 1)


def test_cores_are_shared_out_unless_the_user_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {*range(8)}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [threads_of_each(workers) for workers in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    nobody, connection = Pipe()
    nobody.close()
    for chosen, expected in (("5", "5"), (None, "3")):
        monkeypatch.delenv("OMP_NUM_THREADS") if chosen is None else monkeypatch.setenv("OMP_NUM_THREADS", chosen)
        answering = Answering(LineForm(FindingWords(ModelOptions("none")), Place()), keeps_bad=False)
        serve_jobs(connection, answering, 3)
        assert os.environ["OMP_NUM_THREADS"] == expected


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "model.safetensors"), "model.safetensors: the system says: Permis"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            "this needs torch, which is not installed here",
        ),
        (UserError("the model is none."), "the model is none."),
    ],
)
def test_a_worker_says_what_one_process_says(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREAD_VARIABLES:  # which a process sets for itself alone
        monkeypatch.setenv(variable, "1")

    def fail(job: object) -> None:
        raise error

    here, there = Pipe()
    here.send([])
    thread = threading.Thread(target=serve_jobs, args=(there, fail, 1))
    thread.start()
    answer = here.recv()
    here.close()
    thread.join()
    assert isinstance(answer, UserError)
    assert str(answer).startswith(said)


@pytest.mark.slow
def test_workers_keep_the_order_and_a_dead_one_is_one_sentence() -> None:
    make_input("in.txt", 20_000)
    find_words("in.txt", output="one.jsonl")
    find_words("in.txt", output="three.jsonl", workers=3)
    assert Path("one.jsonl").read_bytes() == Path("three.jsonl").read_bytes()
    with Path("in.txt").open("a", encoding="utf-8") as file:
        file.write(f"{DEADLY}\n" + "가\n" * 50_000)
    with pytest.raises(UserError, match=r"^worker \d of --workers ended by signal 9; if memory ran out, give fewer"):
        find_words("in.txt", output="dead.jsonl", workers=2, deadly=True)
    assert not Path("dead.jsonl").exists()
    find_words("in.txt", output="dead.jsonl", workers=2, resume=True)
    find_words("in.txt", output="whole.jsonl")
    assert Path("dead.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


@pytest.mark.slow
def test_a_worker_that_fails_does_not_blame_the_memory(capfd: pytest.CaptureFixture[str]) -> None:
    make_input("in.txt", 4)
    with pytest.raises(UserError, match=r"^worker \d of --workers ended with status 1; the error above is its own\.$"):
        # what sleeps for a time that is none stands for what nobody has thought of
        find_words("in.txt", output="out.jsonl", workers=2, seconds=-1.0)
    assert capfd.readouterr().err.endswith("ValueError: sleep length must be non-negative\n")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_is_clean_and_gone_on_with(workers: int) -> None:
    make_input("in.txt", 40_000)
    started = run("in.txt", output="out.jsonl", workers=workers, seconds=0.2)
    deadline = time.monotonic() + 100
    while not written(Path(".out.jsonl.journal")) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = children_of(started.pid)
    for pid in [started.pid, *children]:  # as a terminal sends it to all of them
        with suppress(ProcessLookupError):  # a worker that the first one has ended already
            os.kill(pid, signal.SIGINT)
    _, error = started.communicate(timeout=60)
    assert started.returncode != 0
    said, *rest = error.decode().splitlines()
    assert said == "malmoi: what is answered so far is kept; --resume goes on with it."
    # the command line says no more; here Python does, of this process alone
    assert "".join(rest).count("Traceback") == 1
    assert all_end(children)
    find_words("in.txt", output="out.jsonl", resume=True)
    find_words("in.txt", output="whole.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()
    assert json.loads(Path("out.jsonl").read_text(encoding="utf-8").splitlines()[-1])["line"] == 40_000
