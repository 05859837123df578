"""Requests share batches, wait fairly, and do not suffer from each other."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.service import request_batches
from malmoi.service.request_batches import ROUND_TEXTS, Job, RequestBatches
from malmoi.service.service_errors import ServiceError


class Model:
    """Answers texts in capitals, holds on while told to, and remembers what it was asked at once."""

    def __init__(self) -> None:
        self.rounds: list[tuple[list[str], Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = threading.Event()

    def answer(self, texts: Sequence[str], options: Any) -> list[str]:
        self.rounds.append((list(texts), options))
        self.asked.set()
        assert self.may_answer.wait(10)
        if "bad" in texts:
            raise RuntimeError("bad text")
        return [text.upper() for text in texts]


def joined(answers: list[Any]) -> bytes:
    return ",".join(answers).encode()


@contextmanager
def queue(model: Model, **settings: Any) -> Iterator[RequestBatches]:
    defaults = {"max_queue": 1_000_000, "max_wait": 1e9, "observe": lambda *_: None}
    batches = RequestBatches("test", model.answer, **{**defaults, **settings})
    try:
        yield batches
    finally:
        model.may_answer.set()
        batches.close()
        batches._thread.join(10)
        assert not batches._thread.is_alive()


def run(model: Model, steps: Callable[[RequestBatches], Awaitable[None]], **settings: Any) -> None:
    """Run steps in an event loop, with a queue."""

    async def inside() -> None:
        with queue(model, **settings) as batches:
            await steps(batches)

    asyncio.run(asyncio.wait_for(inside(), 20))


async def occupy(model: Model, batches: RequestBatches) -> Job:
    """Let the model begin with a text, and hold on, so that others gather."""
    model.may_answer.clear()
    job = batches.submit(["first"], None, joined)
    await asyncio.to_thread(model.asked.wait, 10)
    return job


def test_what_gathers_while_the_model_is_busy_is_answered_together() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        jobs = [batches.submit([f"text {n}", f"more {n}"], None, joined) for n in range(20)]
        assert batches.requests == 20
        assert batches.characters == sum(job.waiting for job in jobs) > 0
        model.may_answer.set()
        answers = await asyncio.gather(*(job.future for job in jobs))
        assert answers == [f"TEXT {n},MORE {n}".encode() for n in range(20)]
        assert [len(texts) for texts, _ in model.rounds] == [1, 40]
        assert batches.characters == batches.requests == 0

    run(model, steps)


def test_requests_with_other_options_do_not_share_a_batch() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        jobs = [batches.submit([f"text {n}"], n % 2, joined) for n in range(6)]
        model.may_answer.set()
        assert await asyncio.gather(*(job.future for job in jobs)) == [f"TEXT {n}".encode() for n in range(6)]
        assert model.rounds[1:] == [(["text 0", "text 2", "text 4"], 0), (["text 1", "text 3", "text 5"], 1)]

    run(model, steps)


def test_a_small_request_does_not_wait_for_the_whole_of_a_large_one() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        large = batches.submit(["x"] * (10 * ROUND_TEXTS), None, joined)
        small = batches.submit(["small"], None, joined)
        model.may_answer.set()
        assert await small.future == b"SMALL"
        assert await large.future == joined(["X"] * (10 * ROUND_TEXTS))
        assert "small" in model.rounds[2][0]
        assert max(len(texts) for texts, _ in model.rounds) == ROUND_TEXTS

    run(model, steps)


def test_a_request_that_breaks_the_model_breaks_no_other() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        jobs = [batches.submit([text, "more"], None, joined) for text in ("one", "bad", "two")]
        model.may_answer.set()
        answers = await asyncio.gather(*(job.future for job in jobs), return_exceptions=True)
        assert answers[::2] == [b"ONE,MORE", b"TWO,MORE"]
        assert isinstance(answers[1], RuntimeError)
        assert await batches.submit(["after"], None, joined).future == b"AFTER"

    run(model, steps)


def test_an_answer_that_cannot_be_written_breaks_no_other() -> None:
    model = Model()

    def fail(answers: list[Any]) -> bytes:
        raise ValueError("cannot be written")

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        jobs = [batches.submit(["text"], None, finish) for finish in (joined, fail, joined)]
        model.may_answer.set()
        answers = await asyncio.gather(*(job.future for job in jobs), return_exceptions=True)
        assert answers[::2] == [b"TEXT"] * 2
        assert isinstance(answers[1], ValueError)

    run(model, steps)


def test_the_rest_of_a_request_that_has_failed_is_not_answered() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        job = batches.submit(["bad", *["x"] * (3 * ROUND_TEXTS)], None, joined)
        with pytest.raises(RuntimeError):
            await job.future
        assert await batches.submit(["after"], None, joined).future == b"AFTER"
        assert [len(texts) for texts, _ in model.rounds] == [ROUND_TEXTS, 1]
        assert batches.characters == 0

    run(model, steps)


def test_a_request_without_texts_is_answered() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        assert await batches.submit([], None, joined).future == b""
        assert await batches.submit(["", ""], None, joined).future == b","

    run(model, steps)


def test_a_full_queue_says_when_to_come_again() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        waiting = [batches.submit(["x" * 49], None, joined) for _ in range(2)]
        with pytest.raises(ServiceError) as refused:
            batches.submit(["y"], None, joined)
        assert (refused.value.status, refused.value.code, refused.value.retry_after) == (429, "queue_full", 1)
        batches.withdraw(waiting[1])  # its client is gone: there is room again
        accepted = batches.submit(["y"], None, joined)
        model.may_answer.set()
        assert await accepted.future == b"Y"
        assert not waiting[1].future.done()
        assert ["x" * 49, "y"] in [texts for texts, _ in model.rounds]

    run(model, steps, max_queue=100)


def test_what_would_wait_too_long_is_refused_however_little_it_is() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        await occupy(model, batches)
        waiting = [batches.submit(["x" * 99], None, joined)]
        for took, seconds in ((0.1, None), (1.9, None), (2.1, 3), (10.0, 10), (1000.0, 60)):
            batches._answered, batches._took = 100.0, took
            if seconds is None:
                job = batches.submit([], None, joined)
                batches.withdraw(job)
                continue
            with pytest.raises(ServiceError) as refused:
                batches.submit(["y"], None, joined)
            assert (refused.value.code, refused.value.retry_after) == ("queue_full", seconds)
        model.may_answer.set()
        await waiting[0].future
        batches._took = 1e9
        assert await batches.submit(["z"], None, joined).future == b"Z"  # nothing waits

    run(model, steps, max_wait=2)


def test_the_speed_is_that_of_the_last_rounds() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        for _ in range(30):
            await batches.submit(["x" * 9], None, joined).future
        assert 45 < batches._answered <= 50  # 10 / (1 - 0.8)
        assert 0 < batches._took < 10

    run(model, steps)


def test_what_is_withdrawn_while_it_is_answered_goes_to_nobody() -> None:
    model = Model()

    async def steps(batches: RequestBatches) -> None:
        job = await occupy(model, batches)
        job.future.cancel()
        batches.withdraw(job)
        model.may_answer.set()
        assert await batches.submit(["after"], None, joined).future == b"AFTER"
        assert job.future.cancelled()

    run(model, steps)


def test_every_round_is_observed_before_its_answers_arrive() -> None:
    model, seen = Model(), []

    async def steps(batches: RequestBatches) -> None:
        await batches.submit(["ab", "c"], None, joined).future
        [(texts, characters, seconds)] = seen
        assert (texts, characters) == (2, 3)
        assert 0 <= seconds < 10

    run(model, steps, observe=lambda *round_: seen.append(round_))


def test_answers_after_the_end_of_the_event_loop_are_dropped() -> None:
    model = Model()
    kept = []

    async def leave() -> None:
        kept.append(RequestBatches("test", model.answer, max_queue=100, max_wait=9, observe=lambda *_: None))
        await occupy(model, kept[0])

    asyncio.run(leave())
    model.may_answer.set()

    async def come_again() -> None:
        assert await kept[0].submit(["again"], None, joined).future == b"AGAIN"

    asyncio.run(come_again())
    kept[0].close()
    kept[0]._thread.join(10)
    assert not kept[0]._thread.is_alive()


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.text("ab가", max_size=12), max_size=9), st.integers(0, 2)), max_size=12),
    st.integers(1, 5),
    st.integers(1, 20),
)
def test_each_request_gets_its_own_answers_however_it_is_parted(
    requests: list[tuple[list[str], int]], texts: int, characters: int
) -> None:
    model = Model()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_batches, "ROUND_TEXTS", texts)
        patch.setattr(request_batches, "ROUND_CHARACTERS", characters)

        async def steps(batches: RequestBatches) -> None:
            jobs = [batches.submit(own, options, joined) for own, options in requests]
            answers = await asyncio.gather(*(job.future for job in jobs))
            assert answers == [joined([text.upper() for text in own]) for own, _ in requests]
            assert batches.characters == batches.requests == 0
            assert all(len(own) <= texts for own, _ in model.rounds)

        run(model, steps)
