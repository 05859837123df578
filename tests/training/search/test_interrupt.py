"""Ctrl-C ends a search even where Python drops the exception."""

import gc
import signal
import weakref

import pytest

from malmoi.training.search.interrupt import Interrupt


class Node:
    """Something that the garbage collector finds."""


def drop_an_interrupt(interrupt: Interrupt) -> None:
    """Interrupt while the garbage collector is at work, whose callbacks cannot raise."""
    with interrupt.heard():
        interrupt.check()
        node = Node()
        node.itself = node  # type: ignore[attr-defined]
        found = weakref.ref(node, lambda _: signal.raise_signal(signal.SIGINT))
        del node
        gc.collect()
        assert found() is None
        assert interrupt.asked  # and nothing was raised here


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_in_the_garbage_collector_is_raised_again() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt = Interrupt()
    try:
        with pytest.raises(KeyboardInterrupt):
            drop_an_interrupt(interrupt)
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
