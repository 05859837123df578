"""The recipe of a training for which none is named: it follows from the data and the machine."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from malmoi.data.readers import READERS
from malmoi.data.text_lines import DataFormatError
from malmoi.recipes.choice import Choice, choose_recipe, reader_of_files
from malmoi.recipes.recipe import Recipe, RecipeError, keys_of, load_recipe, nearest
from malmoi.training.processes.launcher import say


def recipe_for_data(flags: Mapping[str, Any]) -> Recipe:
    """Return the recipe that suits the data which flags name, with these flags; say which it is, and why.

    Raises:
        UserError: If no folder is named, it cannot be said which reader reads it, or it cannot be read.
    """
    if not flags.get("data_dir"):
        raise RecipeError("Name a recipe (`malmoi recipes` lists them), or the folder of your data by --data_dir.")
    folder = Path(str(flags["data_dir"]))
    reader = _reader(folder, flags.get("reader"))
    task, has_gpu = READERS[reader].task, torch.accelerator.is_available()
    given = {
        **{"reader": reader, "output_dir": f"runs/{folder.resolve().name}"},
        **{key: value for key, value in flags.items() if value is not None},
    }
    # a misspelt flag is known before the data are
    _chosen(choose_recipe(task, sentences=0, has_gpu=has_gpu), given)
    splits = READERS[reader].read(folder)
    if "train" not in splits:
        raise RecipeError(f"{folder} holds no train file for the reader {reader}.")
    texts = splits["train"].num_rows
    choice = choose_recipe(task, sentences=texts, has_gpu=has_gpu)
    chosen = _chosen(choice, given)
    say(f"{texts:,} texts to learn from: training by {choice.recipe}; {choice.why}. The same is\n  {_command(chosen)}")
    return chosen


def _chosen(choice: Choice, flags: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a choice with its flags, and those that are given, which come first."""
    recipe = load_recipe(choice.recipe)._replace(flags={**choice.flags, **flags})
    known = keys_of(recipe)
    for key in recipe.flags:
        if key not in known:
            raise RecipeError(f"Unknown key {key!r}{nearest(key, known)}")
    return recipe


def _reader(folder: Path, named: Any) -> str:
    if named is not None:
        if named not in READERS:
            raise RecipeError(
                f"There is no reader {named!r}{nearest(str(named), READERS)} Known: {', '.join(READERS)}."
            )
        return str(named)
    if not folder.is_dir():
        raise DataFormatError(folder, None, "there is no such folder.")
    found = reader_of_files({path.name for path in folder.iterdir()})
    if found is None:
        raise RecipeError(
            f"{folder}: its files do not tell which format they have; say so by --reader, one of {', '.join(READERS)}."
        )
    return found


def _command(recipe: Recipe) -> str:
    flags = [part for key, value in recipe.flags.items() for part in (f"--{key}", str(value))]
    return shlex.join(["malmoi", "train", recipe.source, *flags])
