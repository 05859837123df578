"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from malmoi.data.user_error import UserError


def check_output_file(path: Path, flag: str) -> None:
    """Check, before anything is computed, that a file can be written.

    Args:
        path: The file.
        flag: The flag that names it.

    Raises:
        UserError: If it is a folder, or its folder does not exist or may not be written to.
    """
    if path.is_dir():
        raise UserError(f"{flag} {path}: expected a file to write, got a folder.")
    if not path.parent.is_dir():
        raise UserError(f"{flag} {path}: there is no folder {path.parent}.")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{flag} {path}: the folder {path.parent} may not be written to.")


@contextmanager
def write_whole(path: Path) -> Iterator[TextIO]:
    """Give a file to write to; it takes its name once all is written, and what had the name before is replaced."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
