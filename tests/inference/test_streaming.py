"""Files of any size on the command line: in order, at constant memory, and whole whenever the command is stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command_line import MALMOI, malmoi
from support.property_tests import examples

from malmoi.commands.streams import raw_lines
from malmoi.commands.streams.raw_lines import CHUNK_BYTES
from malmoi.commands.streams.rows import BadRow, Part, Row
from malmoi.commands.streams.text_source import lines_of_text
from malmoi.data.inline_marks import parse_marks
from malmoi.inference.batches import CHUNK_CHARACTERS, CHUNK_TEXTS, text_chunks

SENTENCES = ["손흥민은 춘천에서 태어났다.", "", "비가 와서 집에 있었다.", "김민재가 서울로 갔다! " * 8]


def many_lines(size: int) -> list[str]:
    """Return different lines of about so many bytes in all."""
    written: list[str] = []
    while size > 0:
        written.append(f"{len(written)} {SENTENCES[len(written) % len(SENTENCES)]}")
        size -= len(written[-1].encode()) + 1
    return written


def parts_of(content: bytes, tmp_path: Path) -> list[Part]:
    (tmp_path / "in.txt").write_bytes(content)
    with (tmp_path / "in.txt").open("rb") as file:
        return list(lines_of_text(file, "in.txt"))


def texts_of(parts: Iterable[Part]) -> list[str]:
    return [row.text for part in parts for row in part.rows if isinstance(row, Row)]


@given(content=st.text(alphabet="가a\n\r\u2028", max_size=60), size=st.integers(1, 20))
@settings(max_examples=examples(100))
def test_no_line_is_lost_wherever_reading_stops(
    tmp_path_factory: pytest.TempPathFactory, content: str, size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_lines, "CHUNK_BYTES", size)
        parts = parts_of(content.encode(), tmp_path_factory.mktemp("lines"))
    expected = content.split("\n")
    expected = [line.removesuffix("\r") for line in (expected if expected[-1] else expected[:-1])]
    assert texts_of(parts) == expected
    assert not parts or parts[-1].position == (len(content.encode()), len(expected))


def test_a_chunk_is_small_and_a_line_may_be_longer_than_a_chunk(tmp_path: Path) -> None:
    long = "가" * CHUNK_BYTES
    parts = parts_of("\n".join(["나"] * CHUNK_BYTES + [long, "다"]).encode(), tmp_path)
    assert texts_of(parts) == ["나"] * CHUNK_BYTES + [long, "다"]
    assert all(len(part.rows) <= CHUNK_BYTES // 4 + 1 for part in parts)


def test_lines_before_one_that_is_not_utf8_are_handed_over(tmp_path: Path) -> None:
    good = many_lines(2 * CHUNK_BYTES)
    path = tmp_path / "in.txt"
    path.write_bytes("\n".join(good).encode() + b"\n\xea\xb0\n" + "가\n".encode())
    with path.open("rb") as file:
        rows = [row for part in lines_of_text(file, "in.txt") for row in part.rows]
    assert [row.text for row in rows if isinstance(row, Row)] == [*good, "가"]
    assert rows[-2] == BadRow(len(good) + 1, "expected UTF-8, but byte 1 of the line is 0xea.", b"\xea\xb0")


def test_a_pipe_is_read_as_it_comes() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as file, open(writer, "wb", buffering=0) as pipe:
        parts = lines_of_text(file, "pipe")
        for part, expected in (("가\n나\n다".encode(), ["가", "나"]), ("라\n".encode(), ["다라"]), (b"\n", [""])):
            pipe.write(part)
            assert texts_of([next(parts)]) == expected
        pipe.write(b"a")
        pipe.close()
        assert [texts_of([part]) for part in parts] == [["a"]]


def test_texts_are_taken_in_chunks() -> None:
    texts = ["가"] * (CHUNK_TEXTS + 1) + ["가" * CHUNK_CHARACTERS, "가"]
    chunks = list(text_chunks(texts))
    assert [text for chunk in chunks for text in chunk] == texts
    assert [len(chunk) for chunk in chunks] == [CHUNK_TEXTS, 2, 1]
    assert list(text_chunks([])) == []


@pytest.mark.slow
def test_answers_keep_the_order_of_a_file_of_two_chunks(saved_model: Path, tmp_path: Path) -> None:
    written = many_lines(CHUNK_BYTES + 10_000)
    file = tmp_path / "in.txt"
    file.write_text("\n".join(written), encoding="utf-8")
    output, error = malmoi("tag", saved_model, "--input", file)
    assert [parse_marks(line)[0] for line in output.removesuffix("\n").split("\n")] == written
    assert error == ""


def test_what_comes_before_a_fault_is_answered(saved_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes("비가 온다\n\n".encode() + b"\xff\n" + "가\n".encode())
    output, error = malmoi("tag", saved_model, "--input", file, code=2)
    assert error == f"malmoi: {file}, line 3: expected UTF-8, but byte 1 of the line is 0xff.\n"
    assert [parse_marks(line)[0] for line in output.split("\n")] == ["비가 온다", "", ""]


@pytest.mark.slow
def test_a_slow_pipe_is_answered_line_by_line(saved_model: Path) -> None:
    command = [*MALMOI, "tag", str(saved_model), "--input", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in SENTENCES:
            process.stdin.write(f"{line}\n".encode())
            assert parse_marks(process.stdout.readline().decode().removesuffix("\n"))[0] == line
        process.stdin.close()
        assert process.wait(timeout=60) == 0


@pytest.mark.slow
def test_an_interrupted_command_leaves_whole_lines(saved_model: Path, tmp_path: Path) -> None:
    written = many_lines(100 * CHUNK_BYTES)
    file, answers = tmp_path / "in.txt", tmp_path / "out.txt"
    file.write_text("\n".join(written), encoding="utf-8")
    with answers.open("wb") as output:
        command = [*MALMOI, "tag", str(saved_model), "--input", str(file)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 200
        while not answers.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    assert b"Traceback" not in error
    *whole, rest = answers.read_text(encoding="utf-8").split("\n")
    assert rest == ""
    assert 0 < len(whole) < len(written)
    assert [parse_marks(line)[0] for line in whole] == written[: len(whole)]


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_alone(saved_model: Path, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    file = tmp_path / "in.txt"
    file.write_text("\n".join(many_lines(10_000)), encoding="utf-8")
    parent, terminal = pty.openpty()
    command = [*MALMOI, "tag", str(saved_model), "--input", str(file)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with (tmp_path / "out.txt").open("wb") as output:
        subprocess.run(command, stdout=output, stderr=terminal, env=environment, check=True, timeout=200)
    os.close(terminal)
    shown = ""
    while "lines a second" not in shown:
        shown += os.read(parent, 65536).decode(errors="replace")
    os.close(parent)
    assert re.search(r"[\d,]+ lines a second", shown)


@pytest.mark.long
def test_memory_does_not_grow_with_the_file(saved_model: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom malmoi.commands.main import main\nfrom malmoi.reports.costs import peak_memory_bytes\n"
        "try:\n    main()\nfinally:\n    print(peak_memory_bytes(), file=sys.stderr)"
    )
    peaks = []
    for size in (1, 8):
        file = tmp_path / f"{size}.txt"
        file.write_text("\n".join(many_lines(size * 500_000)), encoding="utf-8")
        command = [sys.executable, "-c", code, "tag", str(saved_model), "--input", str(file)]
        result = subprocess.run(command, capture_output=True, timeout=500)
        assert result.returncode == 0, result.stderr
        assert len(result.stdout) >= file.stat().st_size
        peaks.append(int(result.stderr))
    # eight times as much text held as tokens would be some hundred megabytes more
    assert abs(peaks[1] - peaks[0]) < 30_000_000
