"""Which reader reads the data of a training, and what the recipe tells it."""

import dataclasses
from pathlib import Path

from malmoi.data.notice import list_names
from malmoi.data.readers import readers_of, readers_that_fit
from malmoi.data.readers.reading_options import ReadingOptions
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
    own_words = "reader" in recipe.flags or ("reader" in recipe.settings and not recipe.is_of_the_package)
    if own_words or not arguments.data_dir or not Path(arguments.data_dir).exists():
        return named
    return recognised_reader(Path(arguments.data_dir), (recipe.task,), preferred=named)


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
    if preferred is not None and (preferred in fitting or not fitting):
        return preferred
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RecipeError(f"{data_dir} may be read by {list_names(fitting)}; say which by --reader.")
    known = sorted({name for task in tasks for name in readers_of(task)})
    raise RecipeError(f"{data_dir}: its files are in no known format; say which by --reader: {', '.join(known)}.")
