"""`malmoi train`."""

import shlex
import sys

import typer
from rich.console import Console

from malmoi.training.recipe import Recipe
from malmoi.training.report import print_report
from malmoi.training.train_token_classification import run


def train_recipe(recipe: Recipe) -> None:
    """Train, print the figures, and say what to do next."""
    folder = recipe.flags.get("output_dir", recipe.settings.get("output_dir", f"runs/{recipe.name}"))
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
    print_report(report, Console())
    typer.echo(
        f"\nModel, tokenizer, code and report.json are in {folder}. Next:\n"
        f'  malmoi tag {folder} "손흥민은 1992년 7월 8일 춘천에서 태어났다."\n'
        f"  malmoi evaluate {folder}{_data_flag(recipe)}"
    )


def _data_flag(recipe: Recipe) -> str:
    data_dir = recipe.flags.get("data_dir", recipe.settings.get("data_dir"))
    return f" --data_dir {data_dir}" if data_dir else ""
