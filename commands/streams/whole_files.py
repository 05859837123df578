"""Write all of something, or say why that cannot be done."""

from io import FileIO
from pathlib import Path

from malmoi.data.user_error import UserError


def partial_of(path: Path) -> Path:
    """Return where a file is written until it is whole."""
    return path.with_name(f".{path.name}.partial")


def take_name(partial: Path, path: Path) -> None:
    """Give a file its name."""
    partial.replace(path)


def write_all(file: FileIO, content: bytes, path: Path) -> None:
    """Write all of something.

    Raises:
        UserError: If there is no room for it, or something else is wrong with the file.
    """
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{path}: it could not be written on ({error.strerror}).") from None
