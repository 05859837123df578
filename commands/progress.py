"""How far a command has come with its files, as a bar on standard error."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate

from malmoi.commands.streams.rows import TYPED, InputFile
from malmoi.commands.text_input import STANDARD_INPUT

Advance = Callable[[InputFile, int, int], None]
"""Takes a file, how many of its bytes are done so far, and how many rows have come to those before."""


@contextmanager
def progress_bar(files: Sequence[InputFile], *, to_screen: bool) -> Iterator[Advance]:
    """Show how much of the input is done, how many rows a second, and how long the rest will take.

    There is no bar where it would disturb: without a terminal on standard error, among answers on the same terminal,
    and for texts that are being typed.

    Args:
        files: The input.
        to_screen: Whether the answers go to standard output.
    """
    among_answers = to_screen and sys.stdout.isatty()
    if not sys.stderr.isatty() or among_answers or any(map(_is_typed, files)):
        yield lambda file, done, more_rows: None
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
    unit = "lines" if all(file.kind == "line" for file in files) else "rows"
    sizes = [file.size for file in files]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    started = time.perf_counter()
    rows = 0

    before = [0, *accumulate(size or 0 for size in sizes)]

    def advance(file: InputFile, done: int, more_rows: int) -> None:
        nonlocal rows
        rows += more_rows
        speed = rows / (time.perf_counter() - started)
        bar.update(task, completed=before[file.number] + done, speed=f"{rows:,} {unit}, {speed:,.0f} {unit} a second")

    with bar:
        task = bar.add_task("", total=total, speed="")
        yield advance


def _is_typed(file: InputFile) -> bool:
    """Tell whether a file is what somebody types."""
    return file.kind == TYPED or (file.path == STANDARD_INPUT and os.isatty(0))
