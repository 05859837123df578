"""A folder that is there whole or not at all, whatever happens while it is written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from malmoi.data.user_error import UserError


def check_target(folder: Path) -> None:
    """Check that a folder can be written.

    Raises:
        UserError: If something is there already.
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UserError(f"{folder}: expected a folder that does not exist, or is empty.")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a place beside a folder to write its files in; once all are on the disk, it becomes the folder.

    If an error comes in between, nothing is left. If the process is killed, what is left has another name.

    Raises:
        UserError: If something is there already.
    """
    check_target(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as unfinished:
        written = Path(unfinished) / folder.name
        written.mkdir()
        yield written
        for path in (*written.iterdir(), written):
            _write_through(path)
        check_target(folder)
        if folder.exists():  # not every system renames over an empty folder
            folder.rmdir()
        written.rename(folder)
        _write_through(folder.parent)


def _write_through(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    if os.name == "nt" and path.is_dir():  # there is no way to do so
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
