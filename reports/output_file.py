"""Files that a user asks for by a flag."""

import os
from pathlib import Path

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
