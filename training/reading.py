"""Which reader reads the data of a training, and what the recipe tells it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from malmoi.data.classified_dataset import class_names
from malmoi.data.notice import list_names
from malmoi.data.readers import READERS, readers_of, readers_that_fit
from malmoi.data.readers.python_objects import task_of_lists
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.tables.python_rows import are_lists
from malmoi.data.tagged_dataset import label_names
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


def tasks_of(reader: str, options: ReadingOptions) -> tuple[str, ...]:
    """Return the tasks that data may be for, the likeliest first: those of their reader, or that of rows in Python."""
    if are_lists(options.dataset):
        return (task_of_lists(options.dataset, label_column=options.label_column),)
    return READERS[reader].tasks


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
    return recognised_reader(Path(arguments.data_dir), (recipe.task,), preferred=named)


def is_recognised(recipe: Recipe, arguments: RecipeArguments) -> bool:
    """Tell whether the reader of a training is found by a look into the files: the user has not said which it is."""
    own_words = "reader" in recipe.flags or ("reader" in recipe.settings and not recipe.is_of_the_package)
    has_folder = bool(arguments.data_dir) and Path(str(arguments.data_dir)).exists()
    return has_folder and arguments.dataset is None and not own_words


def recognised(data_dir: Path | str, reader: str, splits: DatasetDict) -> str:
    """Return a line that says in which format data were found to be, and what was read."""
    parts = ", ".join(f"{rows.num_rows:,} {split}" for split, rows in splits.items())
    first = next(iter(splits.values()))
    what = " sentences"
    if "label" in first.column_names:
        what = " texts" + _counted(class_names(first), "class", "classes")
    elif "tags" in first.column_names and (types := _types(label_names(first))):
        what += _counted(types, "type", "types")
    return f"{data_dir} is read as {reader} (otherwise --reader): {parts}{what}."


def _types(labels: list[str]) -> list[str]:
    """Return the types of names among labels, in their order."""
    return [label[2:] for label in labels if label.startswith("B-")]


def _counted(names: list[str], one: str, more: str) -> str:
    return f", {len(names)} {one if len(names) == 1 else more} ({list_names(names)})"


def recognised_reader(data_dir: Path, tasks: tuple[str, ...], *, preferred: str | None = None) -> str:
    """Return the one reader whose format a folder is in.

    Args:
        data_dir: The folder.
        tasks: The tasks that its data may be for.
        preferred: The reader that is taken if its format is among those that fit, or if none fits: it says what it
            expected.

    Raises:
        RecipeError: If there is not one.
    """
    fitting = readers_that_fit(data_dir, tasks)
    # any text is one for a language model, so that speaks for a task only where nothing else does
    fitting = [name for name in fitting if READERS[name].tasks != ("language-model",)] or fitting
    if preferred is not None and (preferred in fitting or not fitting):
        return preferred
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RecipeError(f"{data_dir} may be read by {list_names(fitting)}; say which by --reader.")
    known = sorted({name for task in tasks for name in readers_of(task)})
    raise RecipeError(f"{data_dir}: its files are in no known format; say which by --reader: {', '.join(known)}.")
