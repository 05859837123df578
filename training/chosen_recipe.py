"""The recipe of a training for which none is named: it follows from the data and the machine."""

import dataclasses
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import DatasetDict

from malmoi.data.counted import counted
from malmoi.data.notice import without_notices
from malmoi.data.readers import READERS
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.recipes.choice import choose_recipe
from malmoi.recipes.overrides import with_settings
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe, nearest
from malmoi.training.preparation import load_splits
from malmoi.training.processes.launcher import say
from malmoi.training.reading import DATASET, error_of, recognised, recognised_reader, tasks_of
from malmoi.training.recipe_arguments import parse_recipe
from malmoi.training.tasks import TASKS

COMMANDS = {"train": ("training", ""), "tune": ("a search", "-tune")}
"""What a command does, and how the name of its folder ends."""
FOUND = ("task", "reader", "data_dir", "dataset", "output_dir", "model_name_or_path")
"""What is found here where nothing is said; of any other key `None` takes away what the recipe has."""


def recipe_for_data(flags: Mapping[str, Any], *, command: str = "train", options: Sequence[str] = ()) -> Recipe:
    """Return the recipe that suits the data which flags name, with these flags; say which it is, and why.

    The task is that of the reader. Where its data can be for several, it is the first of them for which they can be
    read: names, classes, spaces.

    Args:
        flags: Keys of recipes with their values, among them where the data are.
        command: What the recipe is for: `train`, or `tune`.
        options: What else the user says to that command and no recipe holds.

    Raises:
        UserError: If no data are named, it cannot be said which reader reads them, or they cannot be read.
    """
    if not flags.get("data_dir") and flags.get("dataset") is None:
        raise RecipeError("Name a recipe (`malmoi recipes` lists them), or your data, by --data_dir or --dataset.")
    reader = _reader(flags)
    what, suffix = COMMANDS[command]
    given = {
        **{"reader": reader, "output_dir": f"runs/{_name(flags)}{suffix}"},
        **{key: value for key, value in flags.items() if value is not None or key not in FOUND},
    }
    if flags.get("task"):
        tasks: tuple[str, ...] = (str(flags["task"]),)
    else:
        folder = flags.get("data_dir")
        tasks = tasks_of(reader, None if folder is None else Path(str(folder)), _options(flags))
    failed: dict[str, UserError] = {}
    for task in tasks:
        looked = _chosen(task, given, texts=0)
        try:
            splits = _splits(looked)
        except UserError as error:
            failed[task] = error
            continue
        if flags.get("reader") is None and flags.get("dataset") is None:
            say(recognised(flags["data_dir"], reader, splits))
        texts = splits["train"].num_rows
        chosen = _chosen(task, given, texts=texts)
        model = str(chosen.given("model_name_or_path"))
        why = choose_recipe(task, sentences=texts, has_gpu=torch.accelerator.is_available(), begins_from=model).why
        same = f" The same is\n  {_command(chosen, command, options)}" if _has_command(chosen) else ""
        say(f"{counted(texts, 'text')} to learn from: {what} by {chosen.name}; {why}.{same}")
        return chosen
    raise error_of(failed)


def _chosen(task: str, flags: Mapping[str, Any], *, texts: int) -> Recipe:
    """Return the recipe for so many texts with its flags, and those that are given, which come first."""
    choice = choose_recipe(task, sentences=texts, has_gpu=torch.accelerator.is_available())
    return with_settings(load_recipe(choice.recipe), {**choice.flags, **flags})


def _splits(recipe: Recipe) -> DatasetDict:
    """Read the data once, for a look: training reads them again, and says then what is to be said."""
    arguments, training_arguments, _ = parse_recipe(recipe)
    with without_notices():
        return load_splits(TASKS[recipe.task], arguments, seed=training_arguments.seed, dataset=recipe.dataset)


def _reader(flags: Mapping[str, Any]) -> str:
    """Return the reader that is named, or the one whose format the data are in."""
    named = flags.get("reader")
    if named is not None:
        if named not in READERS:
            raise RecipeError(
                f"There is no reader {named!r}{nearest(str(named), READERS)} Known: {', '.join(READERS)}."
            )
        return str(named)
    if flags.get("dataset") is not None:
        return DATASET
    source = Path(str(flags["data_dir"]))
    if not source.exists():
        raise DataFormatError(source, None, "there is no such file or folder.")
    tasks = (str(flags["task"]),) if flags.get("task") else tuple(TASKS)
    return recognised_reader(source, tasks, options=_options(flags))


def _options(flags: Mapping[str, Any]) -> ReadingOptions:
    """Return what flags say of the data."""
    return ReadingOptions(**{field.name: flags.get(field.name) for field in dataclasses.fields(ReadingOptions)})


def _name(flags: Mapping[str, Any]) -> str:
    """Return what a run on these data is called."""
    source = flags.get("data_dir") or flags["dataset"]
    if not isinstance(source, (str, os.PathLike)):
        return DATASET
    return Path(source).resolve().name.partition(".")[0] or DATASET


def _has_command(recipe: Recipe) -> bool:
    """Tell whether a command says the same: none names what exists in Python alone, or takes a value away."""
    taken_away = [key for key, value in recipe.flags.items() if value is None and recipe.settings.get(key) is not None]
    return recipe.dataset is None and not taken_away


def _command(recipe: Recipe, command: str, options: Sequence[str]) -> str:
    said = {key: value for key, value in recipe.flags.items() if value is not None}
    flags = [part for key, value in said.items() for part in (f"--{key}", _written(value))]
    return shlex.join(["malmoi", command, recipe.source, *flags, *options])


def _written(value: Any) -> str:
    """Return a value as a shell takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
