"""`malmoi train`."""

import shlex
import sys

import typer
from rich.console import Console

from malmoi.inference.loading import COMMANDS
from malmoi.training.enough_steps import nothing_learned
from malmoi.training.launcher import is_first_process, say
from malmoi.training.plots import MISSING, can_plot
from malmoi.training.recipe import Recipe
from malmoi.training.report import print_report
from malmoi.training.tasks import TASKS
from malmoi.training.train import run


def train_recipe(recipe: Recipe) -> None:
    """Train, print the figures, and say what to do next."""
    folder = recipe.given("output_dir", f"runs/{recipe.name}")
    try:
        report = run(recipe)
    except KeyboardInterrupt:
        flags = {key: value for key, value in recipe.flags.items() if key != "overwrite"}
        flags["resume_from_checkpoint"] = "true"
        command = ["malmoi", "train", recipe.source, *(part for key in flags for part in (f"--{key}", flags[key]))]
        typer.echo(
            f"\nInterrupted. What was saved last is in {folder}; if it holds a checkpoint, go on with\n"
            f"  {shlex.join(command)}",
            err=True,
        )
        sys.exit(130)
    if not is_first_process():
        return
    print_report(report, Console())
    typer.echo(
        f"\nModel, tokenizer, code, report.json{' and plots' if can_plot() else ''} are in {folder}. Next:\n"
        f'  malmoi {COMMANDS[recipe.task]} {folder} "{TASKS[recipe.task].example}"\n'
        f"  malmoi evaluate {folder}{_data_flag(recipe)}"
    )
    if advice := nothing_learned(report):
        say(advice)
    if not can_plot():
        typer.echo(MISSING)


def _data_flag(recipe: Recipe) -> str:
    data_dir = recipe.given("data_dir")
    return f" --data_dir {data_dir}" if data_dir else ""
