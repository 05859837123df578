"""Batches answered at the same time on a CPU."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import torch

from malmoi.inference import side_by_side
from malmoi.inference.side_by_side import AT_MOST, answer_side_by_side

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def threads_of_this_process() -> Iterator[None]:
    """Give back their number; a parameter named like this fixture would take its place."""
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


@pytest.mark.parametrize(("threads", "at_once", "of_each"), [(1, 1, 1), (2, 2, 1), (9, AT_MOST, 2)])
def test_so_many_batches_run_at_once_as_threads_allow(threads: int, at_once: int, of_each: int) -> None:
    torch.set_num_threads(threads)
    meeting = threading.Barrier(at_once)  # nobody passes before so many have come

    def answer(batch: int) -> tuple[int, int]:
        meeting.wait(timeout=30)
        return batch, torch.get_num_threads()

    batches = range(3 * at_once)
    assert answer_side_by_side(answer, batches, device=CPU) == [(batch, of_each) for batch in batches]
    assert torch.get_num_threads() == threads


def test_other_devices_and_single_batches_stay_on_this_thread() -> None:
    torch.set_num_threads(2)

    def answer(batch: int) -> int:
        assert threading.current_thread() is threading.main_thread()
        return batch

    assert answer_side_by_side(answer, [1, 2, 3], device=torch.device("cuda")) == [1, 2, 3]
    assert answer_side_by_side(answer, [1], device=CPU) == [1]
    assert answer_side_by_side(answer, [], device=CPU) == []


def test_an_error_reaches_the_caller_and_threads_are_given_back() -> None:
    torch.set_num_threads(2)

    def answer(batch: int) -> int:
        raise ValueError(f"batch {batch}")

    with pytest.raises(ValueError, match="batch 1"):
        answer_side_by_side(answer, [1, 2], device=CPU)
    assert torch.get_num_threads() == 2


def test_callers_at_the_same_time_leave_each_other_their_threads() -> None:
    torch.set_num_threads(4)
    counts: list[int] = []

    def call() -> None:
        for _ in range(3):
            answer_side_by_side(lambda batch: batch, [1, 2], device=CPU)
        counts.append(torch.get_num_threads())

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    late = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    late.start()
    late.join()
    assert counts == [4] * 5


def test_autocast_of_the_caller_holds() -> None:
    torch.set_num_threads(2)
    with torch.autocast("cpu", torch.bfloat16):
        answers = answer_side_by_side(lambda _: torch.is_autocast_enabled("cpu"), [1, 2], device=CPU)
    assert answers == [True, True]


def test_a_forked_process_answers_on_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(2)
    monkeypatch.setattr(side_by_side, "_FIRST_PROCESS", os.getpid() + 1)
    names = answer_side_by_side(lambda _: threading.current_thread().name, [1], device=CPU)
    assert names[0].startswith("answers")
    assert answer_side_by_side(lambda batch: batch, [], device=CPU) == []


FORKED = """
import os, signal
from malmoi import Spacer, Tagger

models = [Tagger(), Spacer(), Tagger(bf16=True)]
models[0]("비가 온다")
child = os.fork()
if child == 0:
    signal.alarm(100)
    answers = [answer for model in models for texts in ([""], ["비"], ["비가 온다"] * 40) for answer in model(texts)]
    print(len(answers), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_process_that_was_forked_from_one_that_has_answered_answers_too() -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    run = subprocess.run(
        [sys.executable, "-c", FORKED], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout == "126\n", run.stderr
