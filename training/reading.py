"""Which reader reads the data of a training, and what the recipe tells it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from malmoi.data.classified_dataset import class_names
from malmoi.data.notice import list_names
from malmoi.data.readers import NO_OPTIONS, READERS, likely_tasks, read_splits, readers_of, readers_that_fit
from malmoi.data.readers.appearance import advice_on_files, check_texts, marked_file, seeming_reader
from malmoi.data.readers.python_objects import task_of_lists
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.tables.python_rows import are_lists
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe, RecipeError

DATASET = "dataset"
"""The reader of datasets, which is meant where one is named."""


def reading_options(arguments: RecipeArguments, *, dataset: object = None) -> ReadingOptions:
    """Return what a recipe says of its data.

    Args:
        arguments: The arguments of the task.
        dataset: A dataset given in Python, which comes before one that the arguments name.
    """
    options = ReadingOptions(
        **{field.name: getattr(arguments, field.name) for field in dataclasses.fields(ReadingOptions)}
    )
    return options if dataset is None else dataclasses.replace(options, dataset=dataset)


def options_as_in_training(report: Mapping[str, Any], reader: str, said: ReadingOptions) -> ReadingOptions:
    """Return what is said of data, and otherwise what the training of a model was told of its own.

    Args:
        report: The report of the training; it may be empty.
        reader: What reads the data. If the training had another reader, only what is said counts.
        said: What the user says now.
    """
    if (report.get("data") or {}).get("reader") != reader:
        return said
    settings = report.get("settings", {})
    told = {option: settings.get(option) for option in READERS[reader].options if option != DATASET}
    return ReadingOptions(**{**told, **said.given()})


def tasks_of(reader: str, data_dir: Path | None, options: ReadingOptions) -> tuple[str, ...]:
    """Return the tasks that data may be for: those of their reader, or the one that they are clearly for.

    Raises:
        UserError: If the data cannot be looked into.
    """
    if are_lists(options.dataset):
        return (task_of_lists(options.dataset, label_column=options.label_column),)
    return likely_tasks(reader, data_dir, options=options)


def reader_of_training(recipe: Recipe, arguments: RecipeArguments) -> str:
    """Return the reader that a recipe names, or the one whose format the data are in.

    What the user says is taken: the flag, or the key of a recipe file of the user's own. A recipe of the package says
    which data it is made for; where the folder is in another format, and in no more than one, it is read in that.

    Raises:
        RecipeError: If several formats fit, or none does and the recipe names none.
    """
    is_given = arguments.dataset is not None or recipe.dataset is not None
    if is_given and "reader" not in recipe.flags:
        return DATASET
    named = arguments.reader
    if arguments.data_dir is None or not is_recognised(recipe, arguments):
        return named
    return recognised_reader(
        Path(arguments.data_dir), (recipe.task,), preferred=named, options=reading_options(arguments)
    )


def is_recognised(recipe: Recipe, arguments: RecipeArguments) -> bool:
    """Tell whether the reader of a training is found by a look into the files: the user has not said which it is."""
    own_words = "reader" in recipe.flags or ("reader" in recipe.settings and not recipe.is_of_the_package)
    has_folder = bool(arguments.data_dir) and Path(str(arguments.data_dir)).exists()
    return has_folder and arguments.dataset is None and not own_words


def recognised(data_dir: Path | str, reader: str, splits: DatasetDict) -> str:
    """Return a line that says in which format data were found to be, and what was read."""
    parts = ", ".join(f"{rows.num_rows:,} {split}" for split, rows in splits.items())
    first, *others = splits.values()
    end = "" if first.num_rows == 1 and not others else "s"
    what = f" sentence{end}"
    if "label" in first.column_names:
        what = f" text{end}" + _counted(class_names(first), "class", "classes")
    elif "tags" in first.column_names and (types := _types(label_names(first))):
        what += _counted(types, "type", "types")
    return f"{data_dir} is read as {reader} (otherwise --reader): {parts}{what}."


def _types(labels: list[str]) -> list[str]:
    """Return the types of names among labels, in their order."""
    return [label[2:] for label in labels if label.startswith("B-")]


def _counted(names: list[str], one: str, more: str) -> str:
    return f", {len(names)} {one if len(names) == 1 else more} ({list_names(names)})"


def recognised_reader(
    data_dir: Path, tasks: tuple[str, ...], *, preferred: str | None = None, options: ReadingOptions = NO_OPTIONS
) -> str:
    """Return the one reader whose format a folder is in, or seems to be: it will say what is wrong there.

    Args:
        data_dir: The folder, or one file.
        tasks: The tasks that its data may be for.
        preferred: The reader that is taken if its format is among those that fit, or if none fits: it says what it
            expected.
        options: What the user says of the data: a reader that has no such option is not meant.

    Raises:
        RecipeError: If there is not one.
        DataFormatError: If there are no data, or they are no text.
    """
    if not data_dir.exists():
        raise DataFormatError(data_dir, None, "there is no such file or folder.")
    if data_dir.is_fifo():
        raise DataFormatError(data_dir, None, "a pipe is read once, and data more often; make it a file first.")
    known = list(dict.fromkeys(name for task in tasks for name in readers_of(task)))
    told = {*options.given()} - {DATASET}
    known = [name for name in known if told <= {*READERS[name].options}] or known
    if told and len(known) == 1:
        return known[0]
    fitting = [name for name in readers_that_fit(data_dir, tasks) if name in known]
    # any text is one for a language model, so that speaks for a task only where nothing else does
    others = [name for name in fitting if READERS[name].tasks != ("language-model",)]
    if fitting and not others and {*tasks} != {"language-model"} and (path := marked_file(data_dir)) is not None:
        raise RecipeError(
            f"{path}: names are marked in the texts, and a language model would learn the marks; files for names are "
            "called train.txt, val.txt and test.txt. For a language model, say --reader plain-text."
        )
    fitting = others or fitting
    if preferred in fitting:
        return str(preferred)
    if not fitting:
        seeming = seeming_reader(data_dir)
        if seeming in known:
            return str(seeming)
        check_texts(data_dir)
        if preferred is not None:
            return preferred
        raise RecipeError(
            f"{data_dir}: its files are in no known format; say which by --reader: {', '.join(sorted(known))}"
            f"{advice_on_files(data_dir, known)}."
        )
    if len(fitting) > 1:
        raise RecipeError(f"{data_dir} may be read by {list_names(fitting)}; say which by --reader.")
    return fitting[0]


def read_for_tasks(
    reader: str, data_dir: Path | None, tasks: tuple[str, ...], options: ReadingOptions, *, trim_josa: bool
) -> tuple[DatasetDict, str]:
    """Return data, from which no split is cut, and the first of the tasks as which they can be read.

    Args:
        reader: The name of their reader.
        data_dir: The folder.
        tasks: The tasks that they may be for; see `likely_tasks`.
        options: What else the user says of them.
        trim_josa: Whether names lose what looks like a josa at their end.

    Raises:
        UserError: If they cannot be read. Of several tasks the error is that of the one that they are meant for.
    """
    errors: dict[str, UserError] = {}
    for task in tasks:
        try:
            splits = read_splits(reader, data_dir, task=task, options=options, division_seed=None, trim_josa=trim_josa)
            return splits, task
        except UserError as error:
            errors[task] = error
    raise error_of(errors)


def error_of(errors: Mapping[str, UserError]) -> UserError:
    """Return what is said of data that can be read for none of several tasks, by the error of each.

    It is the error of the task as which they were read furthest, and all errors only where that does not tell.
    """
    first, *others = errors.values()
    if all(str(error) == str(first) for error in others):
        return first
    malformed = [error for error in errors.values() if isinstance(error, DataFormatError)]
    lines = [error.line or 0 for error in malformed]
    if len(malformed) == len(errors) and len({str(error.path) for error in malformed}) == 1:
        furthest = malformed[lines.index(max(lines))]
        if lines.count(max(lines)) == 1:
            return furthest
    said = "; ".join(f"for {task}, {str(error).rstrip('.')}" for task, error in errors.items())
    return UserError(f"The data can be read for none of the tasks of their reader: {said}.")
