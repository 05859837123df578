"""Which files a run has read, so that another one can tell whether they are the same."""

import hashlib
import json
import os
from collections.abc import Sequence
from io import BufferedReader
from itertools import islice
from pathlib import Path

from malmoi.commands.streams.rows import InputFile
from malmoi.commands.streams.whole_files import write_all
from malmoi.data.user_error import UserError

LOOKED_AT = 64 * 1024
"""So many bytes at the beginning and at the end of a file tell whether it is the same."""


class FilesRead:
    """The list of what a run has read, in a file of its own: a line for each file, so that many cost little to note.

    Args:
        path: The file.
    """

    def __init__(self, path: Path):
        self._path = path
        self._count = 0

    def add(self, file: InputFile) -> None:
        """Note a file, unless it is noted already; files come in their order."""
        if file.number < self._count:
            return
        with open(self._path, "ab" if self._count else "wb", buffering=0) as opened:
            write_all(opened, f"{json.dumps([*_names(file), file.fingerprint])}\n".encode(), self._path)
        self._count += 1

    def check(self, files: Sequence[InputFile], count: int) -> None:
        """Check that the first files are those that an earlier run has read, and go on behind them.

        Args:
            files: The input.
            count: How many files that run has read or begun.

        Raises:
            UserError: If one is another or has changed, or the list is damaged.
        """
        if not count:
            return
        try:
            with self._path.open("rb") as opened:
                lines = list(islice(opened, count))
            noted = [json.loads(line) for line in lines]
            before = [([str(name) for name in names], told) for *names, told in noted]
        except (FileNotFoundError, ValueError, TypeError):
            before = []
        if len(before) != count:
            raise UserError(f"--resume: {self._path} is damaged; begin anew by --overwrite.")
        for number, (names, told) in enumerate(before):
            file = files[number] if number < len(files) else None
            if file is None or _names(file) != names:
                now = "nothing" if file is None else file.name
                raise UserError(
                    f"--resume: the output was begun with {names[0]}, in whose place --input has {now}; give the same "
                    "files in the same order, or begin anew by --overwrite."
                )
            # what could not be read has no rows in the output, which it may have now
            if told is not None and told != _fingerprint_of(file):
                raise UserError(
                    f"--resume: {file.name} is not what it was when it was read; put that back, or begin anew by "
                    "--overwrite."
                )
        os.truncate(self._path, sum(map(len, lines)))
        self._count = count

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)


def fingerprint(file: BufferedReader) -> str:
    """Return what tells whether a file is the same, its size, beginning and end, and go back to its beginning.

    Args:
        file: The file, at its beginning.
    """
    size = os.fstat(file.fileno()).st_size
    told = hashlib.sha256(f"{size}\0".encode())
    told.update(file.read(LOOKED_AT))
    file.seek(max(0, size - LOOKED_AT))
    told.update(file.read(LOOKED_AT))
    file.seek(0)
    return told.hexdigest()


def _fingerprint_of(file: InputFile) -> str:
    with open(file.path, "rb") as opened:
        return fingerprint(opened)


def _names(file: InputFile) -> list[str]:
    """Return what a file is called in answers and in a folder of them, and what its rows are."""
    return [file.place, file.relative.encode(errors="replace").decode(), file.kind]
