"""How far a command has come with a file, as a bar on standard error."""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader

Advance = Callable[[int, int], None]
"""Takes the bytes of the file that are done so far, and how many lines have come to those before."""


@contextmanager
def progress_bar(file: BufferedReader) -> Iterator[Advance]:
    """Show how much of a file is done, and how many lines a second.

    There is no bar where it would disturb: without a terminal on standard error, among answers on the same terminal,
    and for lines that are being typed.
    """
    if not sys.stderr.isatty() or sys.stdout.isatty() or file.isatty():
        yield lambda read, more_lines: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,
        redirect_stderr=False,
    )
    started = time.perf_counter()
    lines = 0

    def advance(read: int, more_lines: int) -> None:
        nonlocal lines
        lines += more_lines
        speed = lines / (time.perf_counter() - started)
        bar.update(task, completed=read, speed=f"{speed:,.0f} lines a second")

    with bar:
        task = bar.add_task("", total=_size(file), speed="")
        yield advance


def _size(file: BufferedReader) -> int | None:
    """Return the size of a file in bytes; `None` for a pipe."""
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None
