"""Answer several batches at the same time on a CPU.

The steps of an LSTM are too small to be shared among threads: two batches, each on a thread of its own, are ready
sooner than one after the other on two threads (`docs/performance.md`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch

AT_MOST = 4
"""How many batches are in memory at the same time, however many threads there are."""
Batch = TypeVar("Batch")
Answer = TypeVar("Answer")


def answer_side_by_side(
    answer: Callable[[Batch], Answer], batches: Sequence[Batch], *, device: torch.device
) -> list[Answer]:
    """Return the answer to each batch, in their order.

    On a CPU several batches are answered at a time, and share the threads of torch among them. On other devices, or
    if there is only one batch or thread, they are answered one after the other.

    Args:
        answer: What answers a batch; it must be able to run several times at once.
        batches: The batches.
        device: Where the model is.
    """
    threads = torch.get_num_threads()
    at_once = min(threads, len(batches), AT_MOST)
    if device.type != "cpu" or at_once < 2:
        return [answer(batch) for batch in batches]
    try:
        with ThreadPoolExecutor(at_once, initializer=partial(torch.set_num_threads, threads // at_once)) as pool:
            return list(pool.map(answer, batches))
    finally:
        torch.set_num_threads(threads)  # what a thread sets for itself, torch takes for those that come later
