"""`malmoi data`."""

import json
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict, disable_progress_bars
from transformers import AutoTokenizer
from transformers.utils import logging

from malmoi.data.inspection.inspection import Inspection, inspect_splits
from malmoi.data.readers import READERS, likely_tasks
from malmoi.data.readers.plain_sentences import sentences_as_written
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.user_error import UserError
from malmoi.data.writers.export import check_export, export
from malmoi.inference.bundled_models import bundled_name, model_place
from malmoi.models import BODY
from malmoi.reports.inspection.console import print_inspection
from malmoi.reports.inspection.page import write_page
from malmoi.reports.inspection.shown_finding import inspection_json
from malmoi.reports.output_file import check_output_file
from malmoi.reports.report import report_console
from malmoi.training.processes.launcher import say
from malmoi.training.reading import DATASET, read_for_tasks, recognised, recognised_reader
from malmoi.training.tasks import TASKS


class ReadData(NamedTuple):
    """Data, and how they were read."""

    splits: DatasetDict
    source: str
    reader: str
    task: str
    written: dict[str, str]
    """The texts as their files have them, by id, where reading loses spaces."""


def data_of(
    data_dir: Path | None,
    *,
    reader: str | None,
    task: str | None,
    options: ReadingOptions,
    trim_josa: bool = False,
) -> ReadData:
    """Read data, in the form that is named or recognised; no split is cut from another.

    Args:
        data_dir: The folder.
        reader: The name of its form.
        task: The task that it is for, if the form is for several.
        options: What else the user says of it.
        trim_josa: Whether names lose what looks like a josa at their end.

    Raises:
        UserError: If they cannot be read, or it is not said what they are.
    """
    disable_progress_bars()
    logging.disable_progress_bar()
    if task is not None and task not in TASKS:
        raise UserError(f"--task must be one of {', '.join(TASKS)}, got {task!r}.")
    was_named = reader is not None or options.dataset is not None
    reader = reader or _reader_of(data_dir, task, options)
    if reader not in READERS:
        raise UserError(f"--reader must be one of {', '.join(READERS)}, got {reader!r}.")
    if task is not None and task not in READERS[reader].tasks:
        raise UserError(f"The reader {reader} is for {', '.join(READERS[reader].tasks)}, but --task is {task}.")
    if data_dir is None and options.dataset is None and READERS[reader].default_source is None:
        raise UserError(f"The reader {reader} has no data of its own; give the folder that it is to read.")
    tasks = likely_tasks(reader, data_dir, options=options) if task is None else (task,)
    splits, task = read_for_tasks(reader, data_dir, tasks, options, trim_josa=trim_josa)
    source = str(options.dataset or data_dir or READERS[reader].default_source)
    if not was_named:
        say(recognised(source, reader, splits))
    written = sentences_as_written(data_dir) if reader == "plain-sentences" and data_dir is not None else {}
    return ReadData(splits, source, reader, task, written)


def show_data(
    data_dir: Path | None,
    *,
    reader: str | None,
    task: str | None,
    options: ReadingOptions,
    trim_josa: bool = False,
    as_json: bool,
    page: Path | None,
) -> None:
    """Print what is in data, and write it as a page if one is wanted.

    Args:
        data_dir: The folder.
        reader: The name of its form.
        task: The task that it is for, if the form is for several.
        options: What else the user says of it.
        trim_josa: Whether names lose what looks like a josa at their end.
        as_json: Whether JSON is printed.
        page: The file of the page.

    Raises:
        UserError: If the data cannot be read, or the page cannot be written there.
    """
    if page is not None:
        check_output_file(page, "--html")
    data = data_of(data_dir, reader=reader, task=task, options=options, trim_josa=trim_josa)
    inspection = _inspect(data)
    if page is not None:
        write_page(page, inspection, source=data.source, reader=data.reader)
    if as_json:
        print(
            json.dumps(
                inspection_json(inspection, source=data.source, reader=data.reader), ensure_ascii=False, indent=2
            )
        )
        return
    print_inspection(inspection, report_console())
    print(f"\nWritten: {page}" if page else "\n--html FILE shows more of each as a page, --json prints it.")


def export_data(
    data_dir: Path | None,
    *,
    reader: str | None,
    task: str | None,
    options: ReadingOptions,
    trim_josa: bool = False,
    form: str | None,
    output: Path | None,
) -> None:
    """Write data in another form, and say what was written.

    Args:
        data_dir: The folder.
        reader: The name of its form.
        task: The task that it is for, if the form is for several.
        options: What else the user says of it.
        trim_josa: Whether names lose what looks like a josa at their end.
        form: The name of the other form.
        output: The folder that is written, which does not exist or is empty.

    Raises:
        UserError: If the data cannot be read, or the form cannot hold them.
    """
    form, output = check_export(form, output)
    data = data_of(data_dir, reader=reader, task=task, options=options, trim_josa=trim_josa)
    check_export(form, output, task=data.task)
    paths = export(data.splits, form, output, task=data.task)
    texts = " and ".join(f"{rows.num_rows:,} {split}" for split, rows in data.splits.items())
    is_one = [rows.num_rows for rows in data.splits.values()] == [1]
    print(f"{output}: {texts} {'text' if is_one else 'texts'} in the form {form}, in {_files(len(paths))}.")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _inspect(data: ReadData) -> Inspection:
    tokenizer = AutoTokenizer.from_pretrained(model_place(bundled_name(BODY)))

    def are_known(characters: list[str]) -> list[bool]:
        ids = tokenizer(characters, add_special_tokens=False)["input_ids"] if characters else []
        return [tokenizer.unk_token_id not in of_character for of_character in ids]

    return inspect_splits(data.splits, are_known=are_known, as_written=data.written)


def _reader_of(data_dir: Path | None, task: str | None, options: ReadingOptions) -> str:
    """Return the reader that the data are for."""
    if options.dataset is not None:
        return DATASET
    if data_dir is None:
        raise UserError("Give the folder with the data, or a dataset by --dataset.")
    if not data_dir.exists():
        raise UserError(f"{data_dir}: there is no such folder.")
    return recognised_reader(data_dir, tuple(TASKS) if task is None else (task,), options=options)
