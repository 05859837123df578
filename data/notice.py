"""Tell the user what is worth knowing but no error, and keep what messages quote short."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

logger = logging.getLogger("malmoi")


def notify(message: str) -> None:
    """Log a sentence as a warning, in the first of several processes alone."""
    if os.environ.get("RANK", "0") == "0":
        logger.warning("malmoi: %s", message)


@contextmanager
def without_notices() -> Iterator[None]:
    """Silence `notify`, as where data are read a second time."""
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def shorten(text: str, *, length: int = 60) -> str:
    """Return the text in quotes; of one with more than `length` characters the middle is left out."""
    return repr(text if len(text) <= length else f"{text[: length - 20]}…{text[-19:]}")


def one_line(error: BaseException, *, length: int | None = None) -> str:
    """Return what an error says, in one line; cut off after `length` characters, if it is given."""
    return " ".join(str(error).split())[:length]


def show_value(value: object, *, length: int = 60) -> str:
    """Return a value as it would be written in Python, cut off after `length` characters."""
    try:
        shown = repr(value)
    except ValueError:  # Python writes no numbers of more digits than it would read
        return "a number of thousands of digits"
    return shown if len(shown) <= length else f"{shown[:length]}…"


def list_names(names: Sequence[str], *, shown: int = 8, length: int = 40) -> str:
    """Return the first names, each cut to a length, and how many more there are."""
    printable = [name if name.isprintable() else repr(name)[1:-1] for name in names[:shown]]
    first = [name if len(name) <= length else name[: length - 1] + "…" for name in printable]
    more = [f"{len(names) - shown:,} more"] if len(names) > shown else []
    return ", ".join(first + more)
