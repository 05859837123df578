"""Where answers go: to standard output, to a pipe or device, or into files that take their names once whole."""

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path

from malmoi.commands.streams.answers import Written
from malmoi.commands.streams.journal import Journal, Progress
from malmoi.commands.streams.rows import BEGINNING
from malmoi.commands.streams.whole_files import partial_of, write_all
from malmoi.data.held_files import is_same
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import to_open

SECONDS = 1.0
"""How much work a kill can cost, at most, beside one job."""


class Output(ABC):
    """What takes answers, in their order."""

    start = Progress()
    """How far an earlier run has come."""

    @property
    def is_begun(self) -> bool:
        """Whether something is written that another run can go on with."""
        return False

    @abstractmethod
    def write(self, written: Written) -> None:
        """Take a piece of a file."""

    @abstractmethod
    def settle(self, written: Written, *, error_size: int) -> None:
        """Note that a piece, and what is wrong with rows of it, has been written.

        Args:
            written: The piece.
            error_size: How many bytes the file of `--errors` has now.
        """

    @abstractmethod
    def close(self) -> None:
        """End, whole or not."""


class Forgetful(Output):
    """What cannot be gone on with."""

    def settle(self, written: Written, *, error_size: int) -> None:
        """Note nothing."""

    def close(self) -> None:
        """Leave it open, for whoever opened it."""


class Screen(Forgetful):
    """Standard output. The rows of a piece are written in one go: a signal cannot leave half a row."""

    def __init__(self) -> None:
        self._is_begun = False

    def write(self, written: Written) -> None:
        """Take a piece of a file."""
        text = b"".join([*([] if self._is_begun else written.head), *written.contents]).decode()
        self._is_begun = self._is_begun or not written.is_unread
        sys.stdout.write(text)
        sys.stdout.flush()


class Pipe(Forgetful):
    """A pipe or a device, which has a name among files.

    Args:
        path: Its name.
    """

    def __init__(self, path: Path):
        self._path = path
        # what standard output goes to may be a file that holds something
        self._file = open(to_open(path), "ab", buffering=0)  # noqa: SIM115 - closed by `close`
        self._is_begun = False

    def write(self, written: Written) -> None:
        """Take a piece of a file."""
        content = b"".join([*([] if self._is_begun else written.head), *written.contents])
        self._is_begun = self._is_begun or not written.is_unread
        write_all(self._file, content, self._path)

    def close(self) -> None:
        """Close it."""
        self._file.close()


class Files(Output):
    """Files, each of which is written beside its place and takes its name once it is whole.

    Args:
        targets: The files, which are several for one form: one such group for all files of the input, or one for each.
        inputs: How many files the input has.
        journal: Where it is written down how far the run has come.
        start: How far an earlier one has come.
        errors: The file of `--errors`.
        finish: Makes of what was written what is to have the name.
    """

    def __init__(
        self,
        targets: Sequence[tuple[Path, ...]],
        *,
        inputs: int,
        journal: Journal,
        start: Progress,
        errors: Path | None,
        finish: Callable[[Path, Path], None],
    ):
        self._targets = targets
        self._inputs = inputs
        self._journal = journal
        self._errors = errors
        self._finish = finish
        self._is_noted = self._is_announced = False
        self._open: list[FileIO] = []
        self._saved = time.monotonic()
        self._progress = start
        if start.is_whole and len(targets) == 1 and start.files + 1 < inputs:  # there is more to read than there was
            self._progress = replace(start, files=start.files + 1, is_whole=False)
        elif start.is_whole:
            self._name()
        elif start.files == inputs and start.sizes:  # what was still to be read is not there any more
            self._open_partials()
            self._name()
        elif start.files == inputs:
            self._journal.remove()
        self.start = self._progress
        # what is to be replaced would seem to be the whole output of this run, if that were killed while it loads
        replaces = start == Progress() and any(path.exists() for target in targets for path in target)
        if replaces and not self._journal.path.exists():
            self._write_beginning()
            self._is_announced = True

    def write(self, written: Written) -> None:
        """Take a piece of a file; one that is cut off would not be gone on with, and is left.

        A file of which nothing could be read is not even begun to be answered.
        """
        if not self._is_noted:
            self._note()
        if written.is_cut_off or (written.is_unread and not self._progress.sizes):
            return
        if not self._open:
            self._open_partials()
        for path, file, head, content in zip(self._target(), self._open, written.head, written.contents):
            write_all(file, content if self._progress.sizes else head + content, path)

    def settle(self, written: Written, *, error_size: int) -> None:
        """Note that a piece has been written; after the last one the files take their names."""
        if written.is_cut_off:
            return
        self._journal.add(written.file)
        files = self._progress.files
        is_whole = written.is_last and (len(self._targets) > 1 or files == self._inputs - 1)
        if is_whole:
            self._check_own()
        # in one step: whatever interrupts this finds the progress of before or of after
        self._progress = Progress(
            files=files + 1 if written.is_last and not is_whole else files,
            position=BEGINNING if written.is_last else written.position,
            sizes=[file.tell() for file in self._open],
            error_size=error_size,
            is_whole=is_whole,
        )
        if is_whole:
            self._save()
            self._name()
        elif time.monotonic() - self._saved > SECONDS:
            for file in self._open:
                os.fsync(file.fileno())
            self._save()

    @property
    def is_begun(self) -> bool:
        """Whether something is written that another run can go on with."""
        return bool(self._progress.files or self._progress.sizes)

    def close(self) -> None:
        """Close the files; if they are not whole, another run can go on with them."""
        for file in self._open:
            file.close()
        if self._progress.files == self._inputs:
            return
        if not self._is_noted:  # what an earlier run has left stays
            if self._is_announced:
                self._journal.remove()
            return
        if self.is_begun or any(path.exists() for target in self._targets for path in target):
            with suppress(OSError, UserError):  # the disk may be full; what was noted before is true, too
                self._save()
            return
        for path in map(partial_of, self._target()):
            path.unlink(missing_ok=True)
        self._journal.remove()

    def _note(self) -> None:
        """Note that the run has begun: it may replace an output that is whole, which would seem to be its own.

        Where an unfinished run has left notes, that waits for the first answers. A run that ends before, as for a
        model that is not there, changes nothing.
        """
        self._write_beginning()
        self._is_noted = True

    def _write_beginning(self) -> None:
        if self._errors is not None:
            self._journal.errors = self._journal.place_of(self._errors)
        self._save()

    def _target(self) -> tuple[Path, ...]:
        return self._targets[self._progress.files if len(self._targets) > 1 else 0]

    def _open_partials(self) -> None:
        """Open what was begun, up to the last whole row, or begin."""
        target = self._target()
        target[0].parent.mkdir(parents=True, exist_ok=True)
        for path, size in zip(map(partial_of, target), self._progress.sizes or [0] * len(target)):
            if not size:  # what is there may be a link of somebody else's
                path.unlink(missing_ok=True)
            try:
                file = open(path, "r+b" if size else "xb", buffering=0)  # noqa: SIM115 - closed by `close`
            except FileNotFoundError:
                raise UserError(_gone(path)) from None
            self._open.append(file)
            if file.seek(0, os.SEEK_END) < size:
                raise UserError(f"--resume: {path} is shorter than it was; begin anew by --overwrite.")
            file.truncate(size)
            file.seek(size)

    def _check_own(self) -> None:
        """Check that what is to take the name of the output is what this run has written.

        Raises:
            UserError: If it is another file.
        """
        for path, file in zip(map(partial_of, self._target()), self._open):
            if not is_same(file, path):
                raise UserError(
                    f"{path} is not the file that was written: something has removed or replaced it; begin anew by "
                    "--overwrite."
                )

    def _name(self) -> None:
        """Let what is whole take its name."""
        for file in self._open:
            file.close()
        self._open = []
        for path in self._target():
            if not self._progress.sizes:  # nothing could be read that would be answered there
                partial_of(path).unlink(missing_ok=True)
            elif partial_of(path).exists():
                self._finish(partial_of(path), path)
            elif not path.exists():  # otherwise it has its name already
                raise UserError(_gone(partial_of(path)))
        done = self._progress.files + 1 if len(self._targets) > 1 else self._inputs
        self._progress = Progress(files=done, error_size=self._progress.error_size)
        if done == self._inputs:
            self._journal.remove()
        else:
            self._save()

    def _save(self) -> None:
        self._journal.write(self._progress)
        self._saved = time.monotonic()


def _gone(path: Path) -> str:
    return f"--resume: {path} is not there any more; begin anew by --overwrite."
