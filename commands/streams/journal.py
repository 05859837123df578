"""What is written down of a run over files, so that another one can go on where it ended."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from malmoi.commands.streams.rows import BEGINNING, InputFile, Position
from malmoi.commands.streams.whole_files import partial_of, write_whole
from malmoi.commands.text_input import STANDARD_INPUT
from malmoi.data.user_error import UserError

LOOKED_AT = 64 * 1024
"""So many bytes at the beginning and at the end of a file tell whether it is the same."""


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


class Journal:
    """The file with the progress of a run.

    Args:
        path: The file.
        settings: The options on which the output depends, by their flags.
        files: The input.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], files: Iterable[InputFile]):
        self.path = path
        # as JSON gives them back
        self._settings: dict[str, Any] = json.loads(json.dumps(settings))
        self._files = list(files)
        self._input = ""

    def begin(self) -> None:
        """Look at the input, so that another run can tell whether it is the same."""
        self._input = fingerprint(self._files)

    def read(self) -> Progress:
        """Return how far an earlier run has come.

        Raises:
            UserError: If it had other options or another input, or the file is damaged.
        """
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            settings, its_input, progress = found["settings"], found["input"], found["progress"]
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
        if its_input != self._input:
            raise UserError(
                "--resume: the files of --input are not those with which the output was begun: they have other "
                "names, sizes or contents; begin anew by --overwrite."
            )
        return progress

    def write(self, progress: Progress) -> None:
        """Write how far the run has come, whole or not at all."""
        content = {"settings": self._settings, "input": self._input, "progress": asdict(progress)}
        partial = partial_of(self.path)
        with open(partial, "wb", buffering=0) as file:
            write_whole(file, json.dumps(content).encode(), self.path)
        partial.replace(self.path)

    def remove(self) -> None:
        """Remove the file: the run has ended, or none is to be gone on with."""
        self.path.unlink(missing_ok=True)


def fingerprint(files: Iterable[InputFile]) -> str:
    """Return what tells whether files are the same: their names, sizes, beginnings and ends."""
    told = hashlib.sha256()
    for file in files:
        told.update(f"{file.relative}\0{file.kind}\0{file.size}\0".encode(errors="replace"))
        if file.size is None or file.path == STANDARD_INPUT:  # cannot be read twice
            continue
        with open(file.path, "rb") as opened:
            told.update(opened.read(LOOKED_AT))
            opened.seek(max(0, file.size - LOOKED_AT))
            told.update(opened.read(LOOKED_AT))
    return told.hexdigest()


def _shown(value: Any) -> str:
    return "its default" if value is None else str(value)
