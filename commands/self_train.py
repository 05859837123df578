"""`malmoi self-train`: teachers of several seeds, and a student that learns what they agree on beside the data."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from malmoi.commands.several_runs import train_unfinished
from malmoi.data.counted import counted
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe

SEEDS = "--seeds"
TEACHERS = "teachers"
"""The folder of the teachers' runs, in that of the student."""
GIVEN_BY_US = ("silver_text", "silver_teachers")


class SelfTraining(NamedTuple):
    """The recipes of a self-training, by the folders of their runs."""

    teachers: dict[Path, Recipe]
    student: dict[Path, Recipe]


def self_training(name: str, arguments: Sequence[str]) -> SelfTraining:
    """Return the recipe of each teacher, which differ in their seeds alone, and of the student.

    Args:
        name: The recipe.
        arguments: Its flags, and `--seeds` with the seed of each teacher; 1, 2 and 3 without it.

    Raises:
        RecipeError: If the unlabelled text is not named, if a seed is none, or if a flag does not fit.
    """
    seeds, flags = take_seeds(arguments)
    recipe = load_recipe(name, flags)
    if not recipe.given("silver_text"):
        raise RecipeError("Give the unlabelled texts by --silver_text FILE.")
    if "silver_teachers" in recipe.flags:
        raise RecipeError("The teachers are trained here; with finished ones, use `malmoi train --silver_teachers`.")
    if str(recipe.given("train_fraction", 1)) not in ("1", "1.0"):
        raise RecipeError("`train_fraction` is drawn by the seed: teachers of other seeds would learn other texts.")
    folder = Path(str(recipe.given("output_dir") or f"runs/{recipe.name}-self-trained"))
    if "," in str(folder):  # or the student would look for others than the teachers that were trained
        raise RecipeError(f"`output_dir` must have no comma, as commas stand between names of teachers, got {folder}.")
    for_all = {key: value for key, value in recipe.flags.items() if not key.startswith("silver_")}
    without = {key: "" for key in GIVEN_BY_US if any(given.startswith("silver_") for given in recipe.settings)}
    teachers = {
        run: recipe._replace(flags={**for_all, **without, "seed": str(seed), "output_dir": str(run)})
        for seed in seeds
        for run in [folder / TEACHERS / f"seed-{seed}"]
    }
    own = {"silver_teachers": ",".join(map(str, teachers)), "output_dir": str(folder)}
    return SelfTraining(teachers, {folder: recipe._replace(flags={**recipe.flags, **own})})


def take_seeds(arguments: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the seeds among arguments, and the other arguments.

    Raises:
        RecipeError: If a seed is no whole number, or there twice.
    """
    if SEEDS not in arguments:
        return [1, 2, 3], list(arguments)
    first = arguments.index(SEEDS) + 1
    last = next((n for n in range(first, len(arguments)) if arguments[n].startswith("--")), len(arguments))
    written = arguments[first:last]
    if not written or not all(seed.isdecimal() for seed in written) or len({*map(int, written)}) < len(written):
        raise RecipeError(
            f"{SEEDS} takes a different whole number for each teacher, got {' '.join(written) or 'none'}."
        )
    return [*map(int, written)], [*arguments[: first - 1], *arguments[last:]]


def train_teachers_and_student(runs: SelfTraining) -> None:
    """Train what is not finished, and say what came of it."""
    from malmoi.reports.report import read_report

    train_unfinished({**runs.teachers, **runs.student})
    typer.echo("")
    for folder in [*runs.teachers, *runs.student]:
        report = read_report(folder) or {}
        figure = report["main_figure"]
        typer.echo(f"{folder}: {figure} {100 * report['figures'][figure]:.2f} % on {report['data']['split']}")
    silver, texts = report["silver"], "texts" if report["task"] == "sentence-classification" else "sentences"
    teachers = counted(len(runs.teachers), "teacher")
    typer.echo(
        f"Beside the labelled {texts}, {folder.name} has learned {silver['kept']:,} of the {silver['labelled']:,} "
        f"that {teachers} labelled (silver_confidence {silver['confidence']:g})."
    )
