"""The options of the commands that answer texts: where these come from, and where the answers go."""

import os
from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.streams.destinations import Wish
from malmoi.commands.text_input import STANDARD_INPUT, as_typed
from malmoi.data.user_error import UserError

Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        help="File with a text on each line, or with rows (.jsonl, .csv, .tsv, .parquet), or a folder of such files; "
        "- for standard input. Repeatable.",
    ),
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the files, such as cp949; by default utf-8.")
]
Document = Annotated[
    bool, typer.Option("--document", help="Each file is one text; offsets count its characters from its beginning.")
]
TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text_column",
        "--text-column",
        callback=lambda column: None if column is None else as_typed(column),
        help="Column with the texts, in files of rows; by default the one that is called text, or the only one that "
        "can be it. Standard input is JSON lines then.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        help="File to write, or folder for a file for each one of --input; - for standard output. It takes its name "
        "once it is whole.",
    ),
]
BY_DEFAULT = "for files of rows jsonl, or what the name of --output tells."
Form = Annotated[
    str | None,
    typer.Option("--format", help=f"Form of the answers: text, jsonl, csv or parquet; by default text, {BY_DEFAULT}"),
]
FormOfNames = Annotated[
    str | None,
    typer.Option(
        "--format",
        help=f"Form of the answers: inline, jsonl, conll, brat, csv or parquet; by default inline, {BY_DEFAULT}",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run that had the same options.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
Errors = Annotated[
    Path | None,
    typer.Option(
        "--errors",
        help="File for rows that cannot be answered, with file, number and reason as JSON lines; without it, the run "
        "stops at the first such row.",
    ),
]
Workers = Annotated[
    int, typer.Option("--workers", min=1, help="Processes that answer side by side, each with a model of its own.")
]


def wish_of(
    form: str | None,
    *,
    as_json: bool,
    output: str | None,
    resume: bool,
    overwrite: bool,
    errors: Path | None,
    words: Path | None = None,
    keep_words: Path | None = None,
) -> Wish:
    """Return what is said of the output.

    Args:
        form: The name of its form, if it is said.
        as_json: Whether rows are to be JSON lines that do not say where they stand.
        output: The file or folder, if there is one.
        resume: Whether an earlier run is to be gone on with.
        overwrite: Whether what is there may be replaced.
        errors: The file for bad rows.
        words: The file of `--words`, which is read.
        keep_words: That of `--keep_words`.

    Raises:
        UserError: If two options say different things.
    """
    if as_json and form not in (None, "jsonl"):
        raise UserError(f"Give either --json or --format {form}, not both.")
    if resume and overwrite:
        raise UserError("Give either --resume, which goes on, or --overwrite, which begins anew, not both.")
    if output == STANDARD_INPUT:  # the name of both in pipes
        output = None
    named = {"--words": words, "--keep_words": keep_words}
    return Wish(
        form=form,
        plain=as_json,
        output=None if output is None else Path(output),
        into_folder=output is not None and output.endswith(("/", os.sep)),
        resume=resume,
        overwrite=overwrite,
        errors=errors,
        named={flag: path for flag, path in named.items() if path is not None},
    )
