"""Ctrl-C ends a search, wherever in Python it arrives."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Interrupt(TrainerCallback):
    """Remembers that the user has interrupted a search, and ends it at the next step if that was not heard.

    Python raises `KeyboardInterrupt` in whatever runs at that moment, and drops it where this is a callback of its
    garbage collector, of which a study on disk has many.
    """

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen within; whoever has a handler of their own keeps it."""
        before = signal.getsignal(signal.SIGINT)
        is_ours = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
        if is_ours:
            signal.signal(signal.SIGINT, self._ask)
        try:
            yield
            self.check()
        finally:
            if is_ours:
                signal.signal(signal.SIGINT, before)

    def check(self) -> None:
        """End the search if the user has asked for it.

        Raises:
            KeyboardInterrupt: If so.
        """
        if self.asked:
            raise KeyboardInterrupt

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Look before every step."""
        self.check()

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        raise KeyboardInterrupt
