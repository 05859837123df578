"""Whether the data are still those that finished runs have learned, where others are trained beside them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from malmoi.data.notice import without_notices
from malmoi.recipes.arguments import OF_READING, RecipeArguments
from malmoi.recipes.recipe import Recipe, RecipeError
from malmoi.training.preparation import load_splits
from malmoi.training.reading import reader_of_training
from malmoi.training.resuming.run_record import fingerprints, other_data
from malmoi.training.tasks import TASKS


class DataNow:
    """The labelled data of recipes as they are now; what several recipes name alike is read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[Any, ...], dict[str, str]] = {}

    def check(
        self, folder: Path, report: Mapping[str, Any], recipe: Recipe, arguments: RecipeArguments, *, seed: int
    ) -> None:
        """Check that a finished run has learned what its recipe would learn now.

        Args:
            folder: Its folder.
            report: Its report; those of older versions do not tell.
            recipe: Its recipe.
            arguments: The arguments of the task in it.
            seed: The seed of its training.

        Raises:
            RecipeError: If it has learned other data.
            UserError: If the data cannot be read any more.
        """
        learned = report.get("training", {}).get("fingerprints")
        if learned is None:
            return
        if others := other_data(learned, self._fingerprints(recipe, arguments, seed)):
            raise RecipeError(
                f"{folder} holds a finished run, and since then its data have changed: {'; '.join(others)}. Runs that "
                "are trained now would learn others: give it what it began with, choose another --output_dir, or "
                "begin all anew by --overwrite true in the place of --resume_from_checkpoint."
            )

    def _fingerprints(self, recipe: Recipe, arguments: RecipeArguments, seed: int) -> dict[str, str]:
        arguments = dataclasses.replace(arguments, reader=reader_of_training(recipe, arguments))
        task = TASKS[recipe.task]
        named = {name: value for name, value in vars(arguments).items() if name in ("task", *OF_READING)}
        key = (*named.items(), seed if "validation_texts" in named else None)  # the seed draws those alone
        if key not in self._read:
            with without_notices():
                self._read[key] = fingerprints(load_splits(task, arguments, seed=seed, dataset=recipe.dataset))
        return self._read[key]
