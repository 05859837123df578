"""Files that one run alone may write. It holds them as long as it lives: whatever ends it lets them go."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from malmoi.data.user_error import UserError

if sys.platform == "win32":
    import msvcrt

    FAR = (1 << 31) - 1
    """The byte that is locked: Windows keeps others from reading it, too, so that it is none of a usual file."""

    def _lock(file: FileIO) -> None:
        place = file.tell()
        file.seek(FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(place)

    TAKEN: type[OSError] = PermissionError
else:
    import fcntl

    def _lock(file: FileIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    TAKEN: type[OSError] = BlockingIOError


def hold(file: FileIO) -> bool:
    """Hold a file until it is closed, and tell whether that can be: not if another run holds it.

    Where the file system has no locks nobody can hold anything, and the run goes on without.
    """
    try:
        _lock(file)
    except TAKEN:
        return False
    except OSError:
        pass
    return True


def is_same(file: FileIO, path: Path) -> bool:
    """Tell whether an open file is still the one that has a name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


_now_held: set[FileIO] = set()


def _let_go_in_a_fork() -> None:
    """Close what a forked process has inherited.

    A worker that loads data may outlive a run that was killed by seconds, and would hold its files so long.
    """
    for file in _now_held:
        file.close()
    _now_held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_a_fork)


@contextmanager
def held(path: Path, refusal: UserError) -> Iterator[None]:
    """Hold what is to be written, which nobody else writes in the meantime.

    Args:
        path: The file that stands for it, and is there in the meantime; one that was killed leaves it, and holds
            nothing.
        refusal: What is raised if another run holds it.

    Raises:
        UserError: If another run holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _held(path, refusal)
    _now_held.add(file)
    try:
        yield
    finally:
        _now_held.discard(file)
        with suppress(OSError):
            path.unlink()  # as long as it is held, so that it is not that of the next run
        file.close()
        if sys.platform == "win32":  # which removes no open file
            with suppress(OSError):
                path.unlink()


def _held(path: Path, refusal: UserError) -> FileIO:
    while True:
        file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by `held`
        if not hold(file):
            file.close()
            raise refusal
        if is_same(file, path):
            return file
        file.close()  # its run has ended and removed it since it was opened
