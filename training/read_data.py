"""Data to be looked at, to be written in another form, or to be had in Python: read as they are, with no split cut."""

import os
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.readers import READERS
from malmoi.data.readers.plain_sentences import sentences_as_written
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.user_error import UserError
from malmoi.training.processes.launcher import say
from malmoi.training.reading import DATASET, read_for_tasks, recognised, recognised_reader, tasks_of
from malmoi.training.tasks import TASKS


class ReadData(NamedTuple):
    """Data, and how they were read."""

    splits: DatasetDict
    source: str
    reader: str
    task: str
    written: dict[str, str]
    """The texts as their files have them, by id, where reading loses spaces."""


def folder_of(source: object, *, reader: str | None) -> Path | None:
    """Return the folder or file that a source is; `None` for what is in Python, or on the Hub: there are no others.

    A name on the Hub has a slash in it. One that has none, and that no file has, is rather misspelt, unless it is said
    that it names a dataset.
    """
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    may_be_on_the_hub = isinstance(source, str) and (reader == DATASET or (reader is None and "/" in source))
    return None if may_be_on_the_hub and not path.exists() else path


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
    tasks = tasks_of(reader, data_dir, options) if task is None else (task,)
    splits, task = read_for_tasks(reader, data_dir, tasks, options, trim_josa=trim_josa)
    source = str(options.dataset or data_dir or READERS[reader].default_source)
    if not was_named:
        say(recognised(source, reader, splits))
    written = sentences_as_written(data_dir) if reader == "plain-sentences" and data_dir is not None else {}
    return ReadData(splits, source, reader, task, written)


def _reader_of(data_dir: Path | None, task: str | None, options: ReadingOptions) -> str:
    """Return the reader that the data are for."""
    if options.dataset is not None:
        return DATASET
    if data_dir is None:
        raise UserError("Give the folder with the data, or a dataset by --dataset.")
    if not data_dir.exists():
        raise UserError(f"{data_dir}: there is no such file or folder.")
    return recognised_reader(data_dir, tuple(TASKS) if task is None else (task,), options=options)
