"""What is written down of a run over files, so that another one can go on where it ended."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from malmoi.commands.streams.files_read import FilesRead
from malmoi.commands.streams.rows import BEGINNING, InputFile, Position
from malmoi.commands.streams.whole_files import partial_of, write_all
from malmoi.data.user_error import UserError


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run has come.

    Args:
        files: How many files of the input are done.
        position: The place in the next one.
        sizes: How many bytes of whole rows stand in each file that is being written; empty if none is.
        error_size: How many bytes stand in the file of `--errors`.
        is_whole: Whether all is written, so that the files have but to take their names.
    """

    files: int = 0
    position: Position = BEGINNING
    sizes: list[int] = field(default_factory=list)
    error_size: int = 0
    is_whole: bool = False

    @property
    def files_begun(self) -> int:
        """How many files of the input are done or begun."""
        return self.files + (self.is_whole or self.position != BEGINNING)


class Journal:
    """The file with the progress of a run.

    Args:
        path: The file.
        settings: The options on which the output depends, by their flags.
        contents: Returns what tells whether the files that options name are the same, by their flags.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], contents: Callable[[], Mapping[str, str | None]]):
        self.path = path
        self.errors: str | None = None
        """The place of the file of `--errors`, if there has been one."""
        # as JSON gives them back
        self._settings: dict[str, Any] = json.loads(json.dumps(settings))
        self._look = contents
        self._contents: dict[str, str | None] = {}
        self._read = FilesRead(path.with_name(f"{path.name}.files"))

    def begin(self) -> None:
        """Look at the files that options name, so that another run can tell whether they are the same."""
        self._contents = self._contents or {**self._look()}

    def read(self, files: Sequence[InputFile]) -> Progress:
        """Return how far an earlier run has come.

        Args:
            files: The input. What was not begun yet may be anything.

        Raises:
            UserError: If it had other options or another input, or the file is damaged.
        """
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            settings, contents, progress = found["settings"], dict(found["contents"]), found["progress"]
            self.errors = found["errors"]
            progress = Progress(**{**progress, "position": Position(*progress["position"])})
        except (ValueError, TypeError, KeyError):
            raise UserError(f"--resume: {self.path} is damaged; begin anew by --overwrite.") from None
        for name in {**self._settings, **settings}:
            was, now = settings.get(name), self._settings.get(name)
            if was != now:
                raise UserError(
                    f"--resume: the output was begun with {name} {_shown(was)}, not {_shown(now)}; give that again, "
                    "or begin anew by --overwrite."
                )
        self.begin()
        for name, now in self._contents.items():
            if contents.get(name) != now:
                raise UserError(
                    f"--resume: {name} {_shown(self._settings.get(name))} has other contents than those with which "
                    "the output was begun; put these back, or begin anew by --overwrite."
                )
        self._read.check(files, progress.files_begun)
        return progress

    def place_of(self, errors: Path) -> str:
        """Return where a file of `--errors` lies, seen from the journal: a folder with both of them can be moved."""
        try:
            return os.path.relpath(errors.resolve(), self.path.parent.resolve())
        except ValueError:  # on another drive of Windows
            return str(errors.resolve())

    def add(self, file: InputFile) -> None:
        """Note that a file has been begun, before the progress is written that says so."""
        self._read.add(file)

    def write(self, progress: Progress) -> None:
        """Write how far the run has come, whole or not at all."""
        content = {
            "settings": self._settings,
            "contents": self._contents,
            "errors": self.errors,
            "progress": asdict(progress),
        }
        partial = partial_of(self.path)
        with open(partial, "wb", buffering=0) as file:
            write_all(file, json.dumps(content).encode(), self.path)
        partial.replace(self.path)

    def remove(self) -> None:
        """Remove the file: the run has ended, or none is to be gone on with."""
        self.path.unlink(missing_ok=True)
        self._read.remove()


def _shown(value: Any) -> str:
    return "its default" if value is None else str(value)
