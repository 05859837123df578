"""Several trainings by one command: each in a process of its own, those that are finished left as they are."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

from malmoi.recipes.recipe import Recipe, RecipeError


def unfinished_runs(recipes: dict[Path, Recipe]) -> dict[Path, Recipe]:
    """Return the recipes that are to be trained: all, unless an interrupted command is gone on with.

    Then a finished run stays as it is, one with a whole checkpoint goes on from there, and one without begins.

    Raises:
        RecipeError: If an argument is wrong, if a folder holds a run that is neither to be replaced nor gone on with,
            or if a finished run had other settings, or other data than those that are left to train.
    """
    from malmoi.reports.report import read_report
    from malmoi.training.described_settings import describe_settings, settings_as_given
    from malmoi.training.packaged_recipe import check_packaged_recipe
    from malmoi.training.recipe_arguments import check_arguments, parse_recipe
    from malmoi.training.resuming.checkpoints import checkpoints_in, what_it_lacks
    from malmoi.training.resuming.finished_data import DataNow
    from malmoi.training.resuming.output_dir import check_going_on, find_checkpoint
    from malmoi.training.tasks import TASKS

    parsed = {}
    for folder, recipe in recipes.items():  # all of them, before the first folder is made
        check_packaged_recipe(recipe)
        arguments, training_arguments, _ = parse_recipe(recipe)
        check_arguments(TASKS[recipe.task], arguments, training_arguments)
        parsed[folder] = arguments, training_arguments
    unfinished: dict[Path, Recipe] = {}
    finished: dict[Path, dict[str, Any]] = {}
    for folder, recipe in recipes.items():
        arguments, training_arguments = parsed[folder]
        resume = str(training_arguments.resume_from_checkpoint or "false").lower()
        if resume == "false":
            find_checkpoint(training_arguments, overwrite=arguments.overwrite)
            unfinished[folder] = recipe
            continue
        if resume != "true":
            raise RecipeError(f"`resume_from_checkpoint` must be true or false for several runs, got {resume!r}.")
        check_going_on(resume, overwrite=arguments.overwrite)
        report = read_report(folder)
        if report is None:
            found = checkpoints_in(folder)
            started = any(what_it_lacks(checkpoint) is None for checkpoint in found)
            flags = {**recipe.flags, "resume_from_checkpoint": str(started).lower()}
            if found and not started:  # it was cut off while it wrote the first one
                flags["overwrite"] = "true"
            unfinished[folder] = recipe._replace(flags=flags)
        elif settings_as_given(report) != describe_settings(recipe):
            raise RecipeError(f"{folder} holds a finished run with other settings. Choose another --output_dir.")
        else:
            finished[folder] = report
    data = DataNow()
    for folder, report in finished.items() if unfinished else ():
        arguments, training_arguments = parsed[folder]
        data.check(folder, report, recipes[folder], arguments, seed=training_arguments.seed)
    for folder, report in finished.items():
        data.check_teachers(folder, report, recipes[folder], parsed[folder][0], to_train=unfinished)
    return unfinished


def train_unfinished(recipes: dict[Path, Recipe]) -> None:
    """Train every recipe whose run is not finished, each in a process of its own so that its memory can be measured.

    Raises:
        RecipeError: As `unfinished_runs`, before the first training.
        SystemExit: If a training fails, or is interrupted.
    """
    unfinished = unfinished_runs(recipes)
    for folder in recipes:
        if folder not in unfinished:
            typer.echo(f"{folder} is finished and stays as it is.")
    for folder, recipe in unfinished.items():
        typer.echo(f"\n{folder}")
        flags = [f"--{key}={value}" for key, value in recipe.flags.items()]
        try:
            training = subprocess.run([sys.executable, "-m", "malmoi.training.train", recipe.source, *flags])
        except KeyboardInterrupt:
            is_given = str(recipes[folder].flags.get("overwrite", "false")).lower() == "true"
            instead = " in the place of --overwrite" if is_given else ""
            typer.echo(
                f"\nInterrupted. Go on by the same command with --resume_from_checkpoint true{instead}.", err=True
            )
            sys.exit(130)
        if training.returncode:
            sys.exit(training.returncode)
