"""Run work again and again, killed at each of its steps on the disk, and look at what it leaves.

Everything is done in one process with the libraries in it, which forks for every try: the child counts what Python
asks of the file system below a folder, and kills itself before the step with a number. What libraries write without
Python is cut off by a limit on the size of files, as a full disk does.
"""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

STEPS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
FINISHED, REFUSED = 0, 3


def killed_at_each_step(work: Callable[[Path], object], start: Path, folder: Path) -> Iterator[tuple[int, bool]]:
    """Yield after each try, with the number of the step before which it was killed, and whether it was.

    Args:
        work: What is done in a folder.
        start: What the folder holds before.
        folder: The folder, which is made anew for each try.
    """
    step = 0
    killed = True
    while killed:
        step += 1
        _anew(start, folder)
        status = _in_a_child(lambda step=step: (_kill_before(step, folder), work(folder)))
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed or os.waitstatus_to_exitcode(status) == FINISHED
        yield step, killed


def with_a_full_disk(
    work: Callable[[Path], object], start: Path, folder: Path, sizes: list[int]
) -> Iterator[tuple[int, bool]]:
    """Yield after each try, with the size at which files could not grow further, and whether the work was refused."""
    for size in sizes:
        _anew(start, folder)
        status = os.waitstatus_to_exitcode(_in_a_child(lambda size=size: (_no_larger_than(size), work(folder))))
        assert status in (FINISHED, REFUSED), status
        yield size, status == REFUSED


def _anew(start: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start, folder)


def _in_a_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except OSError as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(REFUSED)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(FINISHED)
    return os.waitpid(child, 0)[1]


def _kill_before(number: int, folder: Path) -> None:
    count = 0

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            by_flags = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if not (by_flags or any(letter in str(mode) for letter in "wxa")):
                return
        elif event not in STEPS:
            return
        if str(folder) in str(arguments[0]):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def _no_larger_than(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
