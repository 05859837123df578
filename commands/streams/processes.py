"""Several processes that answer jobs side by side, each with a model of its own.

They are started anew rather than forked, so that libraries with threads and GPUs work in them. When this process
ends, however it does, their connections end, and they do too.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import NamedTuple

from malmoi.commands.error_sentence import TOLD, error_sentence
from malmoi.commands.streams.answers import Answered, Answering
from malmoi.commands.streams.rows import Piece
from malmoi.data.user_error import UserError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")
"""How many threads torch and tokenizers have."""
SECONDS_TO_END = 5.0


class Worker(NamedTuple):
    """A process, and the connection to it."""

    process: SpawnProcess
    connection: Connection


Task = tuple[list[Piece], "Future[Answered]"]


@contextlib.contextmanager
def answered_by_processes(
    jobs: Iterator[list[Piece]], answering: Answering, *, workers: int
) -> Iterator[Iterator[Answered]]:
    """Answer jobs in other processes, and yield the answers in the order of the jobs.

    Args:
        jobs: The jobs. They are read by a thread, two for each process ahead.
        answering: What each process does.
        workers: How many processes there are.
    """
    started = _started(answering, workers)
    todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    in_order: queue.Queue[Future[Answered] | None] = queue.Queue(2 * workers)
    stopped = threading.Event()
    for worker in started:
        threading.Thread(target=_hand_over, args=(worker, todo), daemon=True).start()
    threading.Thread(target=_read, args=(jobs, todo, in_order, stopped), daemon=True).start()
    try:
        yield _results(in_order)
    finally:
        stopped.set()
        with contextlib.suppress(queue.Empty):  # the thread that reads may wait for room
            while True:
                in_order.get_nowait()
        for _ in started:
            todo.put(None)
        for worker in started:
            worker.process.terminate()
        for worker in started:
            worker.process.join(SECONDS_TO_END)


def threads_of_each(workers: int) -> int:
    """Return how many threads each of several processes may have, so that they do not wait for each other."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, cores // workers)


def _started(answering: Answering, workers: int) -> list[Worker]:
    context = multiprocessing.get_context("spawn")
    threads = threads_of_each(workers)
    started = []
    with _without_interrupts():
        for number in range(workers):
            connection, theirs = context.Pipe()
            process = context.Process(
                target=serve_jobs, args=(theirs, answering, threads), name=f"worker {number + 1}", daemon=True
            )
            process.start()
            theirs.close()
            started.append(Worker(process, connection))
    return started


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: this one ends them."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve_jobs(connection: Connection, answering: Answering, threads: int) -> None:
    """Answer the jobs that come, as long as somebody is there: what a process does.

    Args:
        connection: Where jobs come from, and answers go to.
        answering: What answers them.
        threads: How many threads libraries may have, unless the user says it.
    """
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, str(threads))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            job = connection.recv()
            answer: Answered | UserError
            try:
                answer = answering(job)
            except TOLD as error:
                sentence = error_sentence(error)
                if sentence is None:
                    raise
                answer = UserError(sentence)
            connection.send(answer)


def _read(
    jobs: Iterator[list[Piece]],
    todo: "queue.SimpleQueue[Task | None]",
    in_order: "queue.Queue[Future[Answered] | None]",
    stopped: threading.Event,
) -> None:
    """Hand the jobs on, as long as there is room for more of them."""
    try:
        for job in jobs:
            if stopped.is_set():
                return
            future: Future[Answered] = Future()
            in_order.put(future)
            todo.put((job, future))
        in_order.put(None)
    except BaseException as error:  # whatever it is, it is raised where the answers are awaited
        failed: Future[Answered] = Future()
        failed.set_exception(error)
        in_order.put(failed)


def _hand_over(worker: Worker, todo: "queue.SimpleQueue[Task | None]") -> None:
    """Let a process answer one job after the other."""
    while (task := todo.get()) is not None:
        job, future = task
        try:
            worker.connection.send(job)
            answer = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(SECONDS_TO_END)
            future.set_exception(UserError(_ended(worker.process)))
            return
        except BaseException as error:  # whatever it is, somebody waits for an answer
            future.set_exception(error)
            return
        if isinstance(answer, UserError):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _ended(process: SpawnProcess) -> str:
    code = process.exitcode
    if code == 1:  # that of Python for an error, which it has written
        return f"{process.name} of --workers ended with status 1; the error above is its own."
    how = f"by signal {-code}" if code is not None and code < 0 else f"with status {code}"
    return f"{process.name} of --workers ended {how}; if memory ran out, give fewer workers or a smaller --batch_size."


def _results(in_order: "queue.Queue[Future[Answered] | None]") -> Iterator[Answered]:
    while (future := in_order.get()) is not None:
        yield future.result()
