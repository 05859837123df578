"""The file of `--errors`: the rows that could not be answered, and the files that could not be read, as JSON lines."""

import base64
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from malmoi.commands.streams.outputs import Output
from malmoi.commands.streams.rows import WHOLE_FILE, BadRow, InputFile
from malmoi.commands.streams.whole_files import write_all
from malmoi.data.held_files import hold, is_same
from malmoi.data.notice import list_names
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import is_pipe_or_device, to_open


class BadRows:
    """Keeps bad rows.

    Args:
        path: The file.
        size: How many bytes of it an earlier run has written.

    Raises:
        UserError: If another run writes it, or it does not have these bytes any more.
    """

    def __init__(self, path: Path, *, size: int):
        self.path = path
        self._is_new = not path.exists()
        self._goes_on = is_pipe_or_device(path)
        self._file = open(to_open(path), "ab", buffering=0)  # noqa: SIM115 - closed by `close`
        if not self._goes_on:
            try:
                self._check(size)
            except UserError:
                self._file.close()
                raise
        self.size = size
        self.count = 0
        self.files: dict[str, str] = {}
        """Those that could not be read, or not to their ends, and why."""

    def write(self, file: InputFile, rows: Iterable[BadRow], *, encoding: str) -> None:
        """Write rows.

        Args:
            file: The file that they are from.
            rows: The rows.
            encoding: Its encoding.
        """
        self._go_on()
        rows = list(rows)
        content = "".join(
            f"{json.dumps(_described(file, row, encoding), ensure_ascii=False)}\n" for row in rows
        ).encode()
        write_all(self._file, content, self.path)
        self.size += len(content)
        for row in rows:
            if row.number == WHOLE_FILE:
                self.files[file.name] = row.reason
            else:
                self.count += 1

    def tell(self) -> None:
        """Say how many rows and files there were."""
        self._go_on()
        if self.count:
            print(f"malmoi: rows without an answer: {self.count:,}, all in {self.path}.", file=sys.stderr)
        if self.files:
            print(
                f"malmoi: files that could not be read, or not to their ends: {len(self.files):,} "
                f"({list_names([*self.files])}); {self.path} says why, and their rows are missing.",
                file=sys.stderr,
            )

    def close(self, *, leaves_traces: bool = True) -> None:
        """Close the file.

        Args:
            leaves_traces: Whether it stays if it was not there before and is empty.
        """
        goes = not leaves_traces and self._is_new and not os.fstat(self._file.fileno()).st_size
        if goes:
            with suppress(OSError):
                self.path.resolve().unlink()  # as long as it is held, so that it is not that of the next run
        self._file.close()
        if goes and sys.platform == "win32":  # which removes no open file
            with suppress(OSError):
                self.path.resolve().unlink()

    def _check(self, size: int) -> None:
        if not hold(self._file) or not is_same(self._file, self.path):
            raise UserError(f"--errors {self.path}: another run writes it now; choose another place.")
        if self._file.seek(0, os.SEEK_END) < size:
            raise UserError(
                f"--errors {self.path}: it is shorter than it was; give another file, or begin anew by --overwrite."
            )

    def _go_on(self) -> None:
        """Cut off what no earlier run has noted, once there are answers: a run that ends before changes nothing."""
        if not self._goes_on:
            self._file.truncate(self.size)
            self._goes_on = True


@contextmanager
def kept_bad_rows(path: Path, output: Output) -> Iterator[BadRows]:
    """Give what keeps bad rows; a run that fails and cannot be gone on with leaves no empty file.

    Args:
        path: The file.
        output: What takes the answers.

    Raises:
        UserError: If another run writes the file, or it is shorter than an earlier run has noted.
    """
    bad_rows = BadRows(path, size=output.start.error_size)
    leaves_traces = False
    try:
        yield bad_rows
        leaves_traces = True
    finally:
        bad_rows.close(leaves_traces=leaves_traces or output.is_begun)


def error_of(file: InputFile, row: BadRow) -> UserError:
    """Return what is to be raised for a row where bad rows are not kept."""
    if file.kind == "document":
        return UserError(f"{file.name}: {row.reason}")
    return UserError(f"{file.name}, {_unit(file)} {row.number}: {row.reason}")


def _described(file: InputFile, row: BadRow, encoding: str) -> dict[str, Any]:
    if row.number == WHOLE_FILE:
        return {"file": file.place, "reason": row.reason}
    described = {"file": file.place, _unit(file): row.number, "reason": row.reason}
    if isinstance(row.raw, str):
        return {**described, "raw": row.raw}
    try:
        return {**described, "raw": row.raw.decode(encoding)}
    except UnicodeDecodeError:
        raw = row.raw.decode(encoding, errors="backslashreplace")
        return {**described, "raw": raw, "base64": base64.b64encode(row.raw).decode()}


def _unit(file: InputFile) -> str:
    """Return what the numbers of the rows of a file count."""
    return "row" if file.kind == "parquet" else "line"
