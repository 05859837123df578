"""Whether the data are still those that finished runs have learned, where others are trained beside them."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from malmoi.data.notice import without_notices
from malmoi.data.user_error import UserError
from malmoi.recipes.arguments import OF_READING, RecipeArguments, SilverArguments
from malmoi.recipes.recipe import Recipe, RecipeError
from malmoi.training.preparation import load_splits
from malmoi.training.reading import reader_of_training
from malmoi.training.resuming.run_record import TEACHERS, fingerprints, other_data
from malmoi.training.silver_teachers import fingerprint_of, load_teacher, split_names
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

    def check_teachers(
        self,
        folder: Path,
        report: Mapping[str, Any],
        recipe: Recipe,
        arguments: RecipeArguments,
        *,
        to_train: Collection[Path],
    ) -> None:
        """Check that a finished run has learned from its teachers as they are now, and that none is to be trained yet.

        Args:
            folder: Its folder.
            report: Its report; those of older versions do not tell.
            recipe: Its recipe.
            arguments: The arguments of the task in it.
            to_train: The folders of the runs that are not finished.

        Raises:
            RecipeError: If it has learned from others.
        """
        learned = report.get("training", {}).get("fingerprints", {}).get(TEACHERS)
        if learned is None or not isinstance(arguments, SilverArguments) or not arguments.silver_teachers:
            return
        names = split_names(arguments.silver_teachers)
        what = next((f"its teacher {name} is not finished any more" for name in names if Path(name) in to_train), None)
        if what is None and self._fingerprint_of_teachers(recipe.task, names) not in (learned, None):
            what = f"its teachers are others than those that it has learned from ({', '.join(names)})"
        if what is not None:
            raise RecipeError(
                f"{folder} holds a finished run, but {what}. Begin all anew by --overwrite true in the place of "
                "--resume_from_checkpoint; or, once its teachers are finished, train it alone anew by `malmoi train` "
                f"with --silver_teachers {','.join(names)} and --overwrite true."
            )

    def _fingerprint_of_teachers(self, task: str, names: Collection[str]) -> str | None:
        """Return the hash that a run keeps of its teachers; `None` if they are gone, which tells nothing."""
        try:
            return fingerprint_of([load_teacher(name, task, (), device=torch.device("cpu")) for name in names])
        except UserError:
            return None

    def _fingerprints(self, recipe: Recipe, arguments: RecipeArguments, seed: int) -> dict[str, str]:
        arguments = dataclasses.replace(arguments, reader=reader_of_training(recipe, arguments))
        task = TASKS[recipe.task]
        named = {name: value for name, value in vars(arguments).items() if name in ("task", *OF_READING)}
        key = (*named.items(), seed if "validation_texts" in named else None)  # the seed draws those alone
        if key not in self._read:
            with without_notices():
                self._read[key] = fingerprints(load_splits(task, arguments, seed=seed, dataset=recipe.dataset))
        return self._read[key]
