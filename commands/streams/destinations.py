"""Where the answers go and in which form, by the options of the command line and what is there already."""

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from malmoi.commands.streams.forms import ColumnForm, Form, JsonForm, LineForm, SheetForm, StandoffForm
from malmoi.commands.streams.journal import Journal, Progress
from malmoi.commands.streams.outputs import Files, Output, Pipe, Screen
from malmoi.commands.streams.rows import TYPED, InputFile
from malmoi.commands.streams.tasks import Place, TextTask
from malmoi.commands.streams.whole_files import partial_of, take_name
from malmoi.commands.text_input import STANDARD_INPUT
from malmoi.data.held_files import held
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import is_pipe_or_device

BY_ENDING = {".conll": "conll", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
"""The form that the name of `--output` tells."""
OF_FILES = {".txt", *BY_ENDING}
"""How names end that mean a file even if the input is a folder."""
OF_SPREADSHEETS = (".ods", ".xls", ".xlsx")
"""How names of files end that no text can be."""
FORMS: dict[str, Callable[[TextTask, Place], Form]] = {
    "inline": LineForm,
    "text": LineForm,
    "jsonl": JsonForm,
    "csv": SheetForm,
    "conll": ColumnForm,
}


class Wish(NamedTuple):
    """What the user says of the output.

    Args:
        form: The name of its form, if it is said.
        plain: Whether rows are to be JSON lines that do not say where they stand.
        output: The file or folder, if there is one.
        into_folder: Whether the name of the output is written as that of a folder.
        resume: Whether an earlier run is to be gone on with.
        overwrite: Whether what is there may be replaced.
        errors: The file for bad rows.
        named: Other files that are read, by their flags.
    """

    form: str | None = None
    plain: bool = False
    output: Path | None = None
    into_folder: bool = False
    resume: bool = False
    overwrite: bool = False
    errors: Path | None = None
    named: Mapping[str, Path] = MappingProxyType({})


def form_name(wish: Wish, task: TextTask, files: Sequence[InputFile]) -> str:
    """Return the name of the form: what the user says, what the output is called, or what suits the input.

    Raises:
        UserError: If the task has no such form, or it cannot hold such rows.
    """
    kinds = {file.kind for file in files}
    if wish.form is None and wish.output is not None and wish.output.suffix.lower() in OF_SPREADSHEETS:
        raise UserError(f"--output {wish.output}: no such file is written; spreadsheets read .csv.")
    told = None if wish.output is None else BY_ENDING.get(wish.output.suffix.lower())
    usual = "jsonl" if kinds & {"csv", "json", "parquet"} else task.forms[0]
    name = wish.form or ("jsonl" if wish.plain else told or usual)
    if name not in task.forms:
        raise UserError(f"--format must be one of {', '.join(task.forms)}, got {name!r}.")
    if name == "conll" and "document" in kinds:
        raise UserError("--format conll has a sentence for each line of a file; leave --document out.")
    if name == "brat" and kinds != {"document"}:
        raise UserError("--format brat is for whole documents; add --document.")
    if name == "parquet" and "json" in kinds:
        raise UserError(
            "--format parquet needs columns with types, which JSON lines have not; --format jsonl keeps all."
        )
    if name in ("brat", "parquet") and (wish.output is None or is_pipe_or_device(wish.output)):
        raise UserError(f"--format {name} needs a {'folder' if name == 'brat' else 'file'} to write, by --output.")
    return name


def is_folder(wish: Wish, name: str, files: Sequence[InputFile], *, from_folder: bool) -> bool:
    """Tell whether the output is a folder with a file for each one of the input.

    Args:
        wish: What the user says.
        name: The name of the form.
        files: The input.
        from_folder: Whether the input has a folder.
    """
    if wish.output is None or is_pipe_or_device(wish.output):
        return False
    if wish.output.is_dir() or wish.into_folder or name == "brat":
        return True
    return (from_folder or len(files) > 1) and wish.output.suffix.lower() not in OF_FILES


def make_form(name: str, task: TextTask, place: Place) -> Form:
    """Return a form by its name."""
    if name == "brat":
        return StandoffForm(task, place)
    if name == "parquet":
        from malmoi.commands.streams.parquet_form import ParquetForm

        return ParquetForm(task, place)
    return FORMS[name](task, place)


@contextmanager
def opened_output(
    wish: Wish,
    form: Form,
    files: Sequence[InputFile],
    *,
    folder: bool,
    settings: Mapping[str, Any],
    contents: Callable[[], Mapping[str, str | None]],
    given: Sequence[str],
) -> Iterator[Output | None]:
    """Give what takes the answers; `None` if the output is there and no run of it is unfinished.

    Args:
        wish: What the user says.
        form: The form.
        files: The input.
        folder: Whether the output is a folder.
        settings: The options on which the output depends, by their flags.
        contents: Returns what tells whether the files that options name are the same, by their flags.
        given: The files and folders of `--input`.

    Raises:
        UserError: If something is there that may not be replaced, or cannot be gone on with, or if another run writes
            it now.
    """
    output = wish.output
    if output is None or is_pipe_or_device(output):
        if wish.resume:
            raise UserError("--resume needs a file or folder to go on with, by --output.")
        if wish.overwrite and output is None and wish.errors is None:
            raise UserError("--overwrite needs a file or folder to replace, by --output or --errors.")
        _check_apart(wish, [], files, given)
        check_errors(wish)
        if output is None:
            _check_other_file(files)
        else:
            check_not_read([output], files, wish.named)
        with closing(Screen() if output is None else Pipe(output)) as stream:
            yield stream
        return
    if output.is_file() and folder:
        raise UserError(f"--output {output}: expected a folder, but it is a file.")
    targets = _targets(output, form, files) if folder else [(_linked(output),)]
    _check_apart(wish, targets, files, given)
    place = output / ".malmoi" if folder else targets[0][0].with_name(f".{targets[0][0].name}")
    journal = Journal(place.with_name(f"{place.name}.journal"), settings, contents)
    with ExitStack() as stack:
        try:
            refusal = UserError(
                f"--output {output}: another run writes it now; wait for its end, or choose another place."
            )
            stack.enter_context(held(place.with_name(f"{place.name}.lock"), refusal))
        except OSError as error:
            if not _is_left(wish, targets, journal):
                raise UserError(
                    f"--output {output}: nothing can be written into {place.parent} ({error.strerror})."
                ) from None
        start = _earlier_progress(wish, targets, files, journal)
        if start is None:
            yield None
            return
        journal.begin()
        finish = _finish_of(form)
        written = Files(targets, inputs=len(files), journal=journal, start=start, errors=wish.errors, finish=finish)
        yield stack.enter_context(closing(written))


def _linked(path: Path) -> Path:
    """Return the file that is meant: a link stays one, to the file that is written."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _is_left(wish: Wish, targets: Sequence[tuple[Path, ...]], journal: Journal) -> bool:
    """Tell whether nothing is left to write: all is there, and no run of it is unfinished."""
    all_there = all(path.exists() for target in targets for path in target)
    return wish.resume and all_there and not journal.path.exists()


def _earlier_progress(
    wish: Wish, targets: Sequence[tuple[Path, ...]], files: Sequence[InputFile], journal: Journal
) -> Progress | None:
    """Return how far an earlier run has come; `Progress()` if this run begins, `None` if nothing is left to write.

    Raises:
        UserError: If something is there that may not be replaced, or cannot be gone on with.
    """
    if wish.overwrite:
        check_errors(wish)
        return Progress()
    if journal.path.exists():
        if not wish.resume:
            raise UserError(
                f"--output {wish.output}: a run has begun it and not ended; go on with it by --resume, or begin anew "
                "by --overwrite."
            )
        _check_regular(files)
        start = journal.read(files)
        if wish.errors is None or journal.place_of(wish.errors) == journal.errors:
            return start
        if _holds_something(wish.errors):
            own = "" if journal.errors is None else f", or give its own, {_from(journal, journal.errors)}"
            raise UserError(
                f"--errors: {wish.errors} is there already, and the run that is to be gone on with has not written "
                f"it; choose another place{own}."
            )
        return replace(start, error_size=0)
    if _is_left(wish, targets, journal):
        return None
    there = [path for target in targets for path in target if path.exists()]
    if there:
        raise UserError(f"--output: {there[0]} is there already; choose another place, or replace it by --overwrite.")
    check_errors(wish)
    return Progress()


def check_errors(wish: Wish) -> None:
    """Check that the file of `--errors` may be written.

    Raises:
        UserError: If it is standard output, or there already.
    """
    errors = wish.errors
    if errors is not None and str(errors) == STANDARD_INPUT:  # the name of both in pipes
        raise UserError("--errors: expected the name of a file, got -, which is standard output.")
    if errors is not None and not wish.overwrite and _holds_something(errors):
        raise UserError(f"--errors: {errors} is there already; choose another place, or replace it by --overwrite.")


def _holds_something(errors: Path) -> bool:
    """Tell whether a file of `--errors` would lose something: one that is empty may be what a killed run has left."""
    return errors.exists() and not is_pipe_or_device(errors) and errors.stat().st_size > 0


def _from(journal: Journal, place: str) -> str:
    """Return the path of a file that a journal names."""
    return os.path.normpath(journal.path.parent / place)


def _targets(output: Path, form: Form, files: Sequence[InputFile]) -> list[tuple[Path, ...]]:
    """Return the files for each one of the input, which have its name and another ending.

    Raises:
        UserError: If two of the input would have the same.
    """
    seen: dict[Path, InputFile] = {}
    targets = []
    for file in files:
        if file.path == STANDARD_INPUT:
            raise UserError("Standard input has no name for a file in a folder; give a file as --output.")
        if file.kind == TYPED:
            raise UserError("Texts of the command line have no names for files in a folder; give a file as --output.")
        target = tuple((output / file.relative).with_suffix(ending) for ending in form.endings)
        other = seen.setdefault(target[0], file)
        if other is not file:
            raise UserError(f"{other.name} and {file.name} would both be answered in {target[0]}; rename one of them.")
        targets.append(target)
    return targets


def _check_apart(
    wish: Wish, targets: Sequence[tuple[Path, ...]], files: Sequence[InputFile], given: Sequence[str]
) -> None:
    """Check that nothing of the input would be written over, nor become part of it."""
    written = [path for target in targets for path in target] + ([wish.errors] if wish.errors else [])
    if wish.errors is not None and wish.errors.resolve() in {path.resolve() for path in written[:-1]}:
        raise UserError(f"--errors: {wish.errors} is the file of --output, too.")
    check_not_read(written, files, wish.named)
    folders = [Path(path).resolve() for path in given if path != STANDARD_INPUT and Path(path).is_dir()]
    for path in written:
        for folder in folders:
            if folder in path.resolve().parents:
                raise UserError(f"{path} would be written into {folder}, which is read; choose a place outside of it.")


def check_not_read(written: Iterable[Path], files: Iterable[InputFile], named: Mapping[str, Path]) -> None:
    """Check that no file is written over that is read.

    Args:
        written: The files that are to be written.
        files: The input.
        named: Other files that are read, by their flags.

    Raises:
        UserError: If one of them is read.
    """
    read = {path.resolve(): f"the file of {flag}" for flag, path in named.items()}
    read |= {Path(file.path).resolve(): "a file of --input" for file in files if file.path != STANDARD_INPUT}
    for path in written:
        if path.resolve() in read and path.is_file():  # a device may be read and written
            raise UserError(f"{path} would be written over, but it is {read[path.resolve()]}; choose another place.")


def _check_other_file(files: Sequence[InputFile]) -> None:
    """Check that standard output is none of the files that are read: a shell has made it before they were looked for.

    Raises:
        UserError: If it is one.
    """
    try:
        there = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):  # what stands in its place has no file
        return
    for file in files if stat.S_ISREG(there.st_mode) else ():
        is_named = file.size is not None and file.path != STANDARD_INPUT
        if is_named and os.path.samestat(there, os.stat(file.path)):
            raise UserError(f"{file.name} would be read, but standard output goes there; let it go elsewhere.")


def _check_regular(files: Sequence[InputFile]) -> None:
    for file in files:
        if file.path == STANDARD_INPUT or file.size is None:
            raise UserError(f"--resume: {file.name} cannot be read again; give a file by --input.")


def _finish_of(form: Form) -> Callable[[Path, Path], None]:
    return finish_parquet if form.endings == (".parquet",) else take_name


def finish_parquet(partial: Path, path: Path) -> None:
    """Make a Parquet file of what was written, under its name."""
    from malmoi.commands.streams.parquet_form import write_parquet

    whole = partial_of(partial)
    write_parquet(partial, whole)
    whole.replace(path)
    partial.unlink()
