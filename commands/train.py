"""`malmoi train`."""

import shlex
import sys
from pathlib import Path
from typing import Any

import typer

from malmoi.inference.loading import COMMANDS
from malmoi.recipes.recipe import Recipe
from malmoi.reports.plots import MISSING, can_plot
from malmoi.reports.report import print_report, report_console
from malmoi.training.processes.launcher import is_first_process, say
from malmoi.training.steps import nothing_learned
from malmoi.training.tasks.examples import SPECIAL
from malmoi.training.train import run


def train_recipe(recipe: Recipe) -> None:
    """Train, print the figures, and say what to do next."""
    folder = recipe.given("output_dir") or f"runs/{recipe.name}"
    try:
        report = run(recipe)
    except KeyboardInterrupt:
        flags = {key: value for key, value in recipe.flags.items() if key != "overwrite"}
        flags["resume_from_checkpoint"] = "true"
        command = ["malmoi", "train", recipe.source, *(part for key in flags for part in (f"--{key}", flags[key]))]
        if any(Path(folder).glob("checkpoint-*")):
            typer.echo(
                f"\nInterrupted. What was saved last is in {folder}; go on with\n  {shlex.join(command)}", err=True
            )
        else:
            typer.echo("\nInterrupted. No checkpoint was saved yet.", err=True)
        sys.exit(130)
    if not is_first_process():
        return
    print_report(report, report_console())
    if advice := nothing_learned(report):
        say(advice)
    quoted = quote(str(folder))
    uses = (
        [
            f"malmoi {COMMANDS[recipe.task]} {quoted} {_example(report)}",
            f"malmoi evaluate {quoted}{_data_flag(recipe)} --all --errors errors.html",
        ]
        if recipe.task in COMMANDS
        else [f"malmoi train RECIPE --model_name_or_path {quoted}"]
    )
    typer.echo(
        f"\nModel, tokenizer, code, report.json{' and plots' if can_plot() else ''} are in {folder}. Next:\n"
        + "\n".join(f"  {command}" for command in uses)
    )
    if not can_plot():
        typer.echo(MISSING)


def _data_flag(recipe: Recipe) -> str:
    flags = {flag: recipe.given(flag) for flag in ("data_dir", "dataset")}
    return "".join(f" --{flag} {quote(str(value))}" for flag, value in flags.items() if value)


def _example(report: dict[str, Any]) -> str:
    """Return a text of the validation data as an argument, or where else texts may come from."""
    examples = report.get("examples")  # older versions wrote none
    return quote(examples[0]["text"]) if examples else "--input FILE"


def quote(argument: str) -> str:
    """Return an argument as a shell takes it: double quotes, which all of them know, where nothing speaks against."""
    if shlex.quote(argument) == argument:
        return argument
    return shlex.quote(argument) if SPECIAL & set(argument) else f'"{argument}"'
