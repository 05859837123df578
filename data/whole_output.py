"""Output that is there whole or not at all, whenever the process is killed and wherever the disk is full.

What is written gets another name first, in the same file system, reaches the disk, and takes its own name at the end:
a rename is one step. A process that is killed leaves what was there before, and beside it something hidden, whose name
begins with a dot, which nothing reads. In a folder that has to stay where it is one step is not enough: see
`whole_folder`.
"""

import contextlib
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from malmoi.data.user_error import UserError

OF_THE_SYSTEM = re.compile(r"\(os error (\d+)\)")
"""What Rust writes behind a message of the operating system."""
OF_A_PROCESS = re.compile(r"/dev/(stdin|stdout|stderr|fd/\d+)|/proc/(self|thread-self|\d+)/fd/\d+")
"""How what a process has open is called: links to files, if a shell lets it go there, which nothing may replace."""
OF_THIS_PROCESS = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")
LONGEST_BEGINNING = 40
"""Characters of its later name that something unfinished has: with all of them it could be longer than names can."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise what the operating system refuses as an `OSError`: libraries in Rust raise classes of their own for it.

    Args:
        path: What is written.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        found = OF_THE_SYSTEM.search(str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error


@contextmanager
def write_named(path: Path) -> Iterator[TextIO]:
    """Give a file to write to that a user has named, as `write_whole`; a link stays one, to the file that is written.

    The files of a model are no such files: in the cache of the Hub they are links to what other versions have, too.
    """
    # `/dev/stdout` is a link to a name that nothing can be opened by
    with write_whole(path if is_pipe_or_device(path) else path.resolve()) as file:
        yield file


@contextmanager
def write_whole(path: Path) -> Iterator[TextIO]:
    """Give a file to write to; it takes its name once all is written, and what had the name before is replaced."""
    # to the end: what standard output goes to may be a file that holds something
    with whole_file(path) as unfinished, open(to_open(unfinished), "a", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path of a file to write; it takes its name once all is written, and replaces what had the name.

    A pipe or a device stays what it is, and takes what is written as it comes.
    """
    if is_pipe_or_device(path):
        with disk_errors(path):
            yield path
        return
    # a name that nobody can foretell: neither a file of the user's nor a link of somebody else's has it already
    unfinished = path.with_name(f".{path.name[:LONGEST_BEGINNING]}-{secrets.token_hex(8)}")
    try:
        with disk_errors(path):
            yield unfinished
        _reach_the_disk(unfinished)
        unfinished.replace(path)
        _reach_the_disk(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def is_pipe_or_device(path: Path) -> bool:
    """Tell whether a path names something that is there already and neither file nor folder, such as `/dev/null`.

    So does `/dev/stdout`, wherever it goes.
    """
    if not path.exists() or path.is_dir():
        return False
    return not path.is_file() or OF_A_PROCESS.fullmatch(os.path.abspath(path)) is not None


def to_open(path: Path) -> Path | int:
    """Return what is to be opened to write at the end of a path.

    Of what this process has open already that is a duplicate, which stands at the same place: what else goes there,
    such as notices, does not write over it.
    """
    found = OF_THIS_PROCESS.fullmatch(os.path.abspath(path))
    if found is None or not path.exists():
        return path
    return os.dup(("stdin", "stdout", "stderr").index(found[1]) if found[1] else int(found[2]))


@contextmanager
def whole_folder(folder: Path, *, replaces: bool = False) -> Iterator[Path]:
    """Give an empty folder to write to; it takes its name once all is written.

    A folder that is there already gives its place to the new one, but for two that cannot: a place at which another
    file system begins, such as a volume of a container, and the one that the process is in, which a shell would go on
    being in. What was written moves into these, one thing after another; what was there comes back if one cannot move.

    Args:
        folder: Where it is to be. The folders above it are made.
        replaces: Whether it may take the place of a folder that holds something. If the process is killed in the
            moment between the two, there is neither, and the old one lies beside it under a hidden name; in a folder
            that stays, what has not moved yet lies in it under such a name.

    Raises:
        UserError: If there is a file of that name, or a folder that holds something and is not to be replaced.
    """
    folder = folder.resolve()
    check_new_folder(folder, replaces=replaces)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stays = folder.is_dir() and (os.path.ismount(folder) or os.path.samefile(folder, os.curdir))
    beside = folder if stays else folder.parent  # where a rename is one step
    with tempfile.TemporaryDirectory(dir=beside, prefix=_hidden(folder)) as temporary:
        # a folder in the folder: only the owner may enter the outer one
        unfinished = Path(temporary) / folder.name
        unfinished.mkdir()
        with disk_errors(folder):
            yield unfinished
        _give_usual_rights(unfinished)
        _all_reach_the_disk(unfinished)
        check_new_folder(folder, replaces=replaces)  # somebody may have written there meanwhile
        before = Path(temporary) / "before"
        if stays:
            before.mkdir()
            _move_all(
                [(path, before) for path in _content(folder)] + [(path, folder) for path in _content(unfinished)]
            )
        else:
            if folder.exists():
                folder.rename(before)
            unfinished.rename(folder)
        _reach_the_disk(beside)


def _hidden(folder: Path) -> str:
    """Return what the names of unfinished folders begin with: one in it that a killed process left does not count."""
    return f".{folder.name}-"


def _content(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(_hidden(folder)))


def _move_all(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move each path into its folder; if one cannot move, such as the root of another file system, all come back."""
    moved: list[tuple[Path, Path]] = []
    try:
        for path, folder in moves:
            moved.append((path.rename(folder / path.name), path))
    except BaseException:
        for there, path in reversed(moved):
            there.rename(path)
        raise


def check_new_folder(folder: Path, *, replaces: bool = False) -> None:
    """Check that `whole_folder` may write a folder: for what is to be known before it is computed.

    Args:
        folder: Where it is to be.
        replaces: Whether it may take the place of a folder that holds something.

    Raises:
        UserError: If there is a file of that name, or a folder that holds something and is not to be replaced.
    """
    if not replaces and folder.is_dir() and _content(folder):
        raise UserError(f"{folder}: the folder is not empty; give another, or one that does not exist.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: there is a file of that name; expected a folder.")


@contextmanager
def files_together(folder: Path, *, last: Sequence[str], stale: Sequence[str] = ()) -> Iterator[Path]:
    """Give an empty folder to write to, whose files then move into another one, which may hold other things.

    Files of the same names are replaced. While they move, those in `last` are missing: without them nothing there is
    taken for whole.

    Args:
        folder: Where the files are to be.
        last: The names of the files that move last, in this order.
        stale: Patterns of files that belong to what is replaced, and go if they are not written anew.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as temporary:
        unfinished = Path(temporary)
        with disk_errors(folder):
            yield unfinished
        _give_usual_rights(unfinished)
        _all_reach_the_disk(unfinished)
        for name in reversed(last):
            (folder / name).unlink(missing_ok=True)
        _reach_the_disk(folder)
        written = sorted(path.name for path in unfinished.iterdir())
        for path in (path for pattern in stale for path in folder.glob(pattern)):
            if path.name not in written:
                path.unlink()
        for name in [name for name in written if name not in last] + [name for name in last if name in written]:
            target = folder / name
            if target.is_dir():
                shutil.rmtree(target)
            (unfinished / name).replace(target)
        _reach_the_disk(folder)


def _all_reach_the_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        _reach_the_disk(path)
    _reach_the_disk(folder)


def _give_usual_rights(folder: Path) -> None:
    """Give files that their owner alone may read the rights of any new file, as safetensors does not.

    A model that one user has trained is often served by another.
    """
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        new = Path(temporary) / "new"
        new.touch()
        usual = stat.S_IMODE(new.stat().st_mode)
    for path in folder.rglob("*"):
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR:
            path.chmod(usual)


def _reach_the_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are where a power cut leaves them."""
    with contextlib.suppress(PermissionError, IsADirectoryError):  # Windows opens no folders
        # Windows flushes nothing that is open to be read alone
        is_writable = not path.is_dir() and os.access(path, os.W_OK)
        if sys.platform == "win32" and not is_writable:
            return
        opened = os.open(path, os.O_RDWR if is_writable else os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
