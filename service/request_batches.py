"""Answer the texts of many requests together: a queue and a thread for each model.

request -> queue -> what waits, up to a few hundred texts -> batches of the model -> answers -> each request its own

A model that has nothing to do begins at once; while it answers, further requests gather, and the more there are, the
better they share batches. A large request is answered in several rounds, between which others have their turn.
"""

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from malmoi.service.service_errors import ServiceError

# about a tenth of a second on a CPU; texts of one round are sorted by length, and more of them would gain little
ROUND_TEXTS = 256
ROUND_CHARACTERS = 8_192
# of the sums that tell the speed, so much is left after each further round
KEPT = 0.8
Result = bytes | Exception
"""What a request gets."""


@dataclass(eq=False)
class Job:
    """What one request asks of a model.

    Args:
        texts: The texts.
        options: What else the model is told; requests with equal options share batches.
        finish: Makes of the answers what the request gets, in the thread of the model.
        future: Gets it, in the event loop.
    """

    texts: Sequence[str]
    options: Hashable
    finish: Callable[[list[Any]], bytes]
    future: asyncio.Future[bytes]
    begun: int = 0
    answers: list[Any] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Return how much of it waits, in characters; a text without any counts, too."""
        return sum(len(text) + 1 for text in self.texts[self.begun :])


class Piece(NamedTuple):
    """The texts of a request that are answered in one round."""

    job: Job
    texts: Sequence[str]


class RequestBatches:
    """The queue of a model and the thread that answers it.

    Args:
        name: Name of the model, for the thread.
        answer: Returns the answers to texts, for given options.
        max_queue: Characters that wait, at most; a request is taken as long as there are fewer.
        max_wait: Seconds that they will take, at most, by the speed of late.
        observe: Is told of each round: texts, characters, seconds.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[str], Any], Iterable[Any]],
        *,
        max_queue: int,
        max_wait: float,
        observe: Callable[[int, int, float], None],
    ):
        self._answer = answer
        self._observe = observe
        self._max_queue = max_queue
        self._max_wait = max_wait
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._answered = self._took = 0.0  # characters and seconds of the last rounds, the older the less
        self.characters = 0
        """How many characters wait."""
        self._thread = threading.Thread(target=self._work, name=f"model {name}", daemon=True)
        self._thread.start()

    @property
    def requests(self) -> int:
        """Return how many requests wait."""
        return len(self._jobs)

    def submit(self, texts: Sequence[str], options: Hashable, finish: Callable[[list[Any]], bytes]) -> Job:
        """Let texts wait for their answers; called in the event loop.

        Raises:
            ServiceError: If the queue is full.
        """
        job = Job(texts, options, finish, asyncio.get_running_loop().create_future())
        with self._changed:
            seconds = self.characters * self._took / max(self._answered, 1.0)
            if self.characters >= self._max_queue or seconds > self._max_wait:
                raise ServiceError(
                    "queue_full",
                    "Too many texts are waiting; try again later.",
                    retry_after=max(1, min(60, math.ceil(seconds))),
                )
            self._jobs.append(job)
            self.characters += job.waiting
            self._changed.notify()
        return job

    def withdraw(self, job: Job) -> None:
        """Forget a request; what is being answered of it already is answered for nobody."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
                self.characters -= job.waiting

    def close(self) -> None:
        """Let the thread end once nothing waits."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self) -> None:
        while (pieces := self._next_round()) is not None:
            started = time.perf_counter()
            results = self._answer_round(pieces)
            seconds = time.perf_counter() - started
            texts = sum(len(piece.texts) for piece in pieces)
            characters = sum(len(text) for piece in pieces for text in piece.texts)
            self._answered = KEPT * self._answered + characters + texts
            self._took = KEPT * self._took + seconds
            self._observe(texts, characters, seconds)
            for job, result in results:
                _hand_over(job, result)

    def _next_round(self) -> list[Piece] | None:
        """Return what is answered next, as soon as anything waits; `None` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            if not self._jobs:
                return None
            pieces: list[Piece] = []
            texts = characters = 0
            while self._jobs and texts < ROUND_TEXTS and characters < ROUND_CHARACTERS:
                job = self._jobs.popleft()
                begin = job.begun
                while job.begun < len(job.texts) and texts < ROUND_TEXTS and characters < ROUND_CHARACTERS:
                    characters += len(job.texts[job.begun]) + 1
                    texts += 1
                    job.begun += 1
                pieces.append(Piece(job, job.texts[begin : job.begun]))
                if job.begun < len(job.texts):
                    self._jobs.append(job)  # behind all others
            self.characters -= characters
            return pieces

    def _answer_round(self, pieces: Sequence[Piece]) -> list[tuple[Job, Result]]:
        """Answer texts of several requests, those with equal options together; return what is complete now."""
        by_options: dict[Hashable, list[Piece]] = {}
        for piece in pieces:
            by_options.setdefault(piece.job.options, []).append(piece)
        return [result for same in by_options.values() for result in self._answer_pieces(same)]

    def _answer_pieces(self, pieces: Sequence[Piece]) -> list[tuple[Job, Result]]:
        """Answer texts with equal options together."""
        try:
            answers = list(self._answer([text for piece in pieces for text in piece.texts], pieces[0].job.options))
        except Exception as error:
            if len(pieces) > 1:  # others shall not suffer from what one request holds
                return [result for piece in pieces for result in self._answer_pieces([piece])]
            self.withdraw(pieces[0].job)  # the rest of it
            return [(pieces[0].job, error)]
        complete: list[tuple[Job, Result]] = []
        begin = 0
        for job, texts in pieces:
            job.answers += answers[begin : begin + len(texts)]
            begin += len(texts)
            if len(job.answers) == len(job.texts):
                complete.append((job, _finished(job)))
        return complete


def _finished(job: Job) -> Result:
    """Return what a request gets, now that all its texts are answered."""
    try:
        return job.finish(job.answers)
    except Exception as error:
        return error


def _hand_over(job: Job, result: Result) -> None:
    """Give a request its answer, in the event loop."""

    def give() -> None:
        if job.future.done():  # given up meanwhile
            return
        if isinstance(result, Exception):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)

    with contextlib.suppress(RuntimeError):  # the event loop has ended
        job.future.get_loop().call_soon_threadsafe(give)
