"""Answer several batches at the same time on a CPU.

The steps of an LSTM are too small to be shared among threads: two batches, each on a thread of its own, are ready
sooner than one after the other on two threads (`docs/performance.md`).
"""

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import TypeVar

import torch

AT_MOST = 4
"""How many batches are in memory at the same time, however many threads there are."""
Batch = TypeVar("Batch")
Answer = TypeVar("Answer")
_starting = Lock()
_FIRST_PROCESS = os.getpid()
"""The one that has imported this; any other was forked from it."""


def answer_side_by_side(
    answer: Callable[[Batch], Answer], batches: Sequence[Batch], *, device: torch.device
) -> list[Answer]:
    """Return the answer to each batch, in their order.

    On a CPU several batches are answered at a time, and share the threads of torch among them. On other devices, under
    autocast, which other threads would not see, or if there is only one batch or thread, they are answered one after
    the other.

    In a process that was forked, as by a server that loads models before its workers start, no thread of torch is left
    of those that the old one had, and the thread that goes on would wait for them for ever: another one answers, also
    where there is only one batch.

    Args:
        answer: What answers a batch; it must be able to run several times at once.
        batches: The batches.
        device: Where the model is.
    """
    pool = None
    if device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
        with _starting:  # while a pool starts, torch gives other threads a wrong number
            threads = torch.get_num_threads()
            at_once = min(threads, len(batches), AT_MOST)
            if at_once > 1 or (batches and threads > 1 and os.getpid() != _FIRST_PROCESS):
                pool = _start_pool(at_once, threads // at_once, os.getpid())
    return [answer(batch) for batch in batches] if pool is None else list(pool.map(answer, batches))


@functools.cache
def _start_pool(workers: int, threads_of_each: int, process: int) -> ThreadPoolExecutor:
    """Return threads that answer, each of which uses so many threads of torch.

    Args:
        workers: How many.
        threads_of_each: How many threads of torch each uses.
        process: The process that they belong to; in a forked one they would be missing.
    """
    threads = torch.get_num_threads()
    started = Barrier(workers)

    def start() -> None:
        torch.set_num_threads(threads_of_each)
        torch.get_num_threads()  # from now on this thread keeps its number, whatever others set

    pool = ThreadPoolExecutor(workers, thread_name_prefix="answers", initializer=start)
    for waiting in [pool.submit(started.wait) for _ in range(workers)]:
        waiting.result()
    torch.set_num_threads(threads)  # what a thread sets for itself, torch takes for those that come later
    return pool
