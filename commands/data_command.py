"""The command that says what is in data, and writes them in another form: `data`."""

from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.data_options import Annotator, DatasetName, LabelColumn, TagColumn, TextColumn, TokenSeparator
from malmoi.commands.start_up import lasting_imports


def data(
    data_dir: Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder with the data, or one file.")] = None,
    reader: Annotated[str | None, typer.Option(help="Format of the data; by default it is recognised.")] = None,
    task: Annotated[
        str | None, typer.Option(help="What the data are for, where their format leaves that open: named-entities, …")
    ] = None,
    dataset: DatasetName = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    tag_column: TagColumn = None,
    token_separator: TokenSeparator = None,
    annotator: Annotator = None,
    trim_josa: Annotated[
        bool,
        typer.Option(
            "--trim_josa/--no_trim_josa",
            "--trim-josa/--no-trim-josa",
            help="Cut what looks like a josa off the end of names.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    export: Annotated[
        str | None, typer.Option(help="Write the data in this form instead: inline, conll, jsonl, brat, dataset, …")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write with --export; it must not exist, or be empty.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--data_dir", "--data-dir", hidden=True, help="DIR, as training names it.")
    ] = None,
) -> None:
    """Say what is in data before anyone trains: sums, likely mistakes, samples; or write them in another form.

    A page (--html) and JSON (--json) have more of each finding than the console.
    """
    with lasting_imports():
        from malmoi.commands.data import export_data, show_data
        from malmoi.data.readers.reading_options import ReadingOptions
        from malmoi.data.user_error import UserError

    if data_dir is not None and folder is not None:
        raise UserError(f"The folder is given twice, {data_dir} and --data_dir {folder}; leave out one of them.")
    data_dir = data_dir or folder
    options = ReadingOptions(
        dataset=dataset,
        text_column=text_column,
        label_column=label_column,
        tag_column=tag_column,
        token_separator=token_separator,
        annotator=annotator,
    )
    if export is not None or output is not None:
        if json or html is not None:
            shows = " and ".join(["--json"] * json + ["--html"] * (html is not None))
            writes = " and ".join(["--export"] * (export is not None) + ["--output"] * (output is not None))
            raise UserError(f"{shows} for what is in data, {writes} to write them in another form: leave out one.")
        export_data(
            data_dir, reader=reader, task=task, options=options, trim_josa=trim_josa, form=export, output=output
        )
    else:
        show_data(data_dir, reader=reader, task=task, options=options, trim_josa=trim_josa, as_json=json, page=html)
