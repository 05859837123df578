"""`malmoi data`."""

import json
from pathlib import Path

from datasets import disable_progress_bars
from transformers import AutoTokenizer
from transformers.utils import logging

from malmoi.data.inspection.inspection import Inspection, inspect_splits
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.writers.export import check_export, export
from malmoi.inference.bundled_models import bundled_name, model_place
from malmoi.models import BODY
from malmoi.reports.inspection.console import print_inspection
from malmoi.reports.inspection.page import write_page
from malmoi.reports.inspection.shown_finding import inspection_json
from malmoi.reports.output_file import check_output_file
from malmoi.reports.report import report_console
from malmoi.training.read_data import ReadData, data_of


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
        check_output_file(page, "--html", data_dir=data_dir)
    disable_progress_bars()
    logging.disable_progress_bar()
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
    disable_progress_bars()
    logging.disable_progress_bar()
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
