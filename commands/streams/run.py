"""The run over the texts of a command: read, answered, written, and noted how far it has come."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.commands.progress import Advance, progress_bar
from malmoi.commands.streams.answers import Answered, Answering
from malmoi.commands.streams.bad_rows import BadRows, error_of, kept_bad_rows
from malmoi.commands.streams.destinations import Wish, form_name, is_folder, make_form, opened_output
from malmoi.commands.streams.input_files import input_files
from malmoi.commands.streams.outputs import Output
from malmoi.commands.streams.rows import BEGINNING, TYPED, InputFile, Layout, Part, Piece, Row
from malmoi.commands.streams.sources import Reading, check_layouts, jobs_of
from malmoi.commands.streams.tasks import Place, TextTask
from malmoi.commands.text_input import STANDARD_INPUT, TextInput
from malmoi.data.counted import counted
from malmoi.data.user_error import UserError


class Manner(NamedTuple):
    """How texts are read and answered.

    Args:
        document: Whether each file is one text.
        text_column: The column with the texts, if it is said.
        workers: How many processes answer.
    """

    document: bool = False
    text_column: str | None = None
    workers: int = 1


def answer_texts(task: TextTask, source: TextInput, wish: Wish, manner: Manner) -> None:
    """Answer the texts of a command, in their order, and write the answers.

    However large the input is, a chunk of it for each process is held at once. What is typed, or comes through a slow
    pipe, is answered as it comes.

    Args:
        task: What is asked of the texts.
        source: Where they come from.
        wish: Where the answers go, and in which form.
        manner: How they are read and answered.

    Raises:
        UserError: If a text cannot be read or answered; those before it are answered. Or if the output cannot be had.
    """
    files = _files(source, manner)
    reading = Reading(source.encoding, manner.text_column, keeps_bad=wish.errors is not None)
    name = form_name(wish, task, files)
    from_folder = any(path != STANDARD_INPUT and Path(path).is_dir() for path in source.files)
    folder = is_folder(wish, name, files, from_folder=from_folder)
    one_for_all = len(files) > 1 and not folder
    if name in task.forms[:1] and manner.document and one_for_all and wish.output is not None:
        raise UserError(
            f"--format {name} has no place between documents; give a folder as --output, or --format jsonl."
        )
    if name in ("csv", "parquet") and one_for_all:
        check_layouts(files, reading)
    has_file = (one_for_all or (manner.document and not folder)) and not wish.plain
    form = make_form(name, task, Place(file=has_file, line=not wish.plain))
    settings = {**_settings(task, name, wish, manner, reading), "--input": "several files" if has_file else "one file"}
    answering = Answering(form, keeps_bad=wish.errors is not None, texts=source.texts)
    with ExitStack() as stack:
        output = stack.enter_context(
            opened_output(
                wish, form, files, folder=folder, settings=settings, contents=task.contents, given=source.files
            )
        )
        if output is None:
            print(
                f"malmoi: {wish.output} is there already, and no run of it is unfinished: it is left as it is; "
                "--overwrite begins anew.",
                file=sys.stderr,
            )
            return
        bad_rows = None
        if wish.errors is not None:
            bad_rows = stack.enter_context(kept_bad_rows(wish.errors, output))
        advance = stack.enter_context(progress_bar(files, to_screen=wish.output is None))
        jobs = _jobs(source, files, reading, output)
        try:
            answers = stack.enter_context(_answered(jobs, answering, workers=manner.workers))
            _write_all(answers, output, bad_rows, advance, files=len(files), encoding=reading.encoding)
        except KeyboardInterrupt:
            if output.is_begun:
                print("malmoi: what is answered so far is kept; --resume goes on with it.", file=sys.stderr)
            raise


def _jobs(source: TextInput, files: Sequence[InputFile], reading: Reading, output: Output) -> Iterator[list[Piece]]:
    """Return the texts that are not answered yet."""
    if source.files:
        return jobs_of(files[output.start.files :], reading, output.start.position)
    rows = [Row(number, text) for number, text in enumerate(source.texts, start=1)]
    return iter([[Piece(files[0], Layout(), Part([*rows], BEGINNING, 0), is_last=True)]])


def _files(source: TextInput, manner: Manner) -> list[InputFile]:
    if source.files:
        return input_files(source.files, document=manner.document, text_column=manner.text_column)
    for is_given, flag in (
        (manner.document, "--document"),
        (manner.text_column is not None, "--text_column"),
        (manner.workers > 1, "--workers"),
    ):
        if is_given:
            raise UserError(f"{flag} is for files, but there is no --input.")
    return [InputFile(0, "", "the command line", "", "", TYPED, None)]


def _settings(task: TextTask, name: str, wish: Wish, manner: Manner, reading: Reading) -> dict[str, Any]:
    """Return the options on which the output depends, by their flags."""
    return {
        **task.settings(),
        "--format": name,
        "--json": wish.plain,
        "--document": manner.document,
        "--text_column": reading.text_column,
        "--encoding": reading.encoding,
    }


@contextmanager
def _here(jobs: Iterator[list[Piece]], answering: Answering) -> Iterator[Iterator[Answered]]:
    """Answer jobs in this process."""
    answering.load()
    yield map(answering, jobs)


def _answered(
    jobs: Iterator[list[Piece]], answering: Answering, *, workers: int
) -> AbstractContextManager[Iterator[Answered]]:
    if workers == 1:
        return _here(jobs, answering)
    from malmoi.commands.streams.processes import answered_by_processes

    return answered_by_processes(jobs, answering, workers=workers)


def _write_all(
    answers: Iterator[Answered],
    output: Output,
    bad_rows: BadRows | None,
    advance: Advance,
    *,
    files: int,
    encoding: str,
) -> None:
    """Write the answers as they come.

    Args:
        answers: The answers.
        output: Where they go.
        bad_rows: What keeps bad rows, if something does.
        advance: Is told how far this is.
        files: How many files the input has.
        encoding: The encoding of the files.

    Raises:
        UserError: For the first bad row, if bad rows are not kept, or if none of the files could be read.
    """
    cut = unread = 0
    for answered in answers:
        cut += answered.cut
        for written in answered.written:
            unread += written.is_unread and written.is_last
            output.write(written)
            if bad_rows is not None:
                bad_rows.write(written.file, written.bad, encoding=encoding)
            elif written.bad:
                raise error_of(written.file, written.bad[0])
            output.settle(written, error_size=output.start.error_size if bad_rows is None else bad_rows.size)
            advance(written.file, written.done, written.rows)
    if bad_rows is not None:
        bad_rows.tell()
        if unread == files:  # such as for an option that fits none of them
            raise UserError(next(iter(bad_rows.files.values())))
    if cut:
        were, ends = ("was", "its end was") if cut == 1 else ("were", "their ends were")
        print(
            f"malmoi: {counted(cut, 'text')} {were} longer than the model can read; {ends} not read.", file=sys.stderr
        )
