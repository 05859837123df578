"""Which files `--input` means, and what a row is in each of them."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from malmoi.commands.streams.rows import InputFile
from malmoi.commands.text_input import STANDARD_INPUT
from malmoi.data.notice import list_names, notify
from malmoi.data.user_error import UserError

KINDS = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".md": "line",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".text": "line",
    ".tsv": "csv",
    ".txt": "line",
}
"""What the files of a folder hold, by their endings; a file that is named itself holds text if it has another one."""
FROM_INPUT = "standard input"
OF_THE_SYSTEM = "lost+found"
"""A folder at the root of a file system of Linux, which only root may read; no text of the user is in it."""


def input_files(given: Sequence[str], *, document: bool, text_column: str | None) -> list[InputFile]:
    """Return the files in their order, those of a folder sorted by their names.

    Args:
        given: Files and folders; `-` is standard input.
        document: Whether each file is one text.
        text_column: What the user says is the column with the texts; standard input is JSON lines then.

    Raises:
        UserError: If a folder has no such files, documents have columns, or a table comes through a pipe.
    """
    found: list[InputFile] = []
    for path in given:
        if path != STANDARD_INPUT and Path(path).is_dir():
            found += _files_of_folder(Path(path), document=document, first=len(found), alone=len(given) == 1)
            continue
        kind = KINDS.get(Path(path).suffix.lower(), "line")
        name = path
        if path == STANDARD_INPUT:
            kind, name = "line" if text_column is None else "json", FROM_INPUT
        if document and kind != "line":
            raise UserError(f"--document: {name} is a table of texts; leave --document out for it.")
        if kind in ("csv", "parquet") and _size(path) is None:
            raise UserError(f"{name}: a pipe is read once, and a table like this twice; make it a file first.")
        kind = "document" if document else kind
        found.append(InputFile(len(found), path, name, Path(path).name, _written(name), kind, _size(path)))
    if text_column is not None and not any(file.kind in ("json", "csv", "parquet") for file in found):
        raise UserError(f"--text_column {text_column}: none of the files of --input has columns.")
    return found


def _files_of_folder(folder: Path, *, document: bool, first: int, alone: bool) -> Iterator[InputFile]:
    """Yield the files of a folder that are texts or, unless texts are documents, tables; hidden ones are none.

    Raises:
        UserError: If there are none, or a folder in it cannot be read.
    """
    found = _visible(folder)
    for path in [folder, *found]:  # each folder before what is in it, of which nothing may be asked
        # Python passes over what the system keeps from it
        is_link = path != folder and path.is_symlink()
        if not is_link and path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            raise UserError(f"{path}: this user may not read the folder, whose files would be missing.")
    dead_ends = [str(path.relative_to(folder)) for path in found if path.is_symlink() and not path.is_file()]
    if dead_ends:
        notify(f"{folder}: links to folders, or to nothing, are not followed: {list_names(dead_ends)}.")
    paths = [path for path in found if path.is_file()]
    kinds = {path: KINDS.get(path.suffix.lower()) for path in paths}
    chosen = [path for path in paths if kinds[path] == "line" or (kinds[path] and not document)]
    if not chosen:
        expected = "texts (.txt, .text, .md)" if document else f"files such as {', '.join(KINDS)}"
        raise UserError(f"{folder}: expected a folder with {expected}, found none.")
    left_out = [str(path.relative_to(folder)) for path in paths if path not in set(chosen)]
    if left_out:
        notify(f"{folder}: files that hold no texts by their endings are left out: {list_names(left_out)}.")
    for number, path in enumerate(chosen, start=first):
        name, relative = str(path), path.relative_to(folder).as_posix()
        kind = "document" if document else str(kinds[path])
        yield InputFile(number, name, name, relative, _written(relative if alone else name), kind, _size(name))


def _visible(folder: Path) -> list[Path]:
    def is_hidden(part: str) -> bool:
        return part.startswith(".") or part == OF_THE_SYSTEM

    found = [path for path in folder.rglob("*") if not any(map(is_hidden, path.relative_to(folder).parts))]
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def _written(name: str) -> str:
    """Return the name of a file as text: one of another system may be none."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def _size(path: str) -> int | None:
    """Return the size of a file in bytes; `None` for a pipe."""
    status = os.fstat(0) if path == STANDARD_INPUT else os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else None
