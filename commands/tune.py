"""`malmoi tune`."""

import shlex
import sys

import typer

from malmoi.commands.train import quote
from malmoi.data.counted import counted
from malmoi.recipes.recipe import Recipe
from malmoi.reports.plots import MISSING, can_plot
from malmoi.reports.report import report_console
from malmoi.reports.search_table import print_search
from malmoi.training.search.request import Search, read_search
from malmoi.training.search.results import BEST_FILE, PLOT_FILE
from malmoi.training.search.search import run_search
from malmoi.training.search.study import STUDY_FILE, TRIALS_FILE, count_finished


def tune_recipe(recipe: Recipe, *, trials: int, prune: bool) -> None:
    """Search, print the trials, and say how to train the best one."""
    search = read_search(recipe, trials=trials, prune=prune)
    try:
        results = run_search(search)
    except KeyboardInterrupt:
        if (search.folder / STUDY_FILE).is_file():
            typer.echo(
                f"\nInterrupted. {count_finished(search.folder)} of {counted(trials, 'trial')} "
                f"{'is' if trials == 1 else 'are'} finished, in "
                f"{search.folder / STUDY_FILE}; go on with\n  {shlex.join(_command(recipe, search))}",
                err=True,
            )
        else:
            typer.echo("\nInterrupted. No trial was begun yet.", err=True)
        sys.exit(130)
    print_search(results, report_console())
    files = [TRIALS_FILE, BEST_FILE, *([PLOT_FILE] if can_plot() else [])]
    typer.echo(
        f"\n{', '.join(files[:-1])} and {files[-1]} are in {search.folder}. Next:\n"
        f"  malmoi train {quote(str(search.folder / BEST_FILE))}"
    )
    if not can_plot():
        typer.echo(MISSING)


def _command(recipe: Recipe, search: Search) -> list[str]:
    """Return the command that goes on with a search."""
    flags = {key: value for key, value in recipe.flags.items() if key != "overwrite"}
    flags |= {"resume_from_checkpoint": "true", "trials": str(search.trials)}
    return [
        *("malmoi", "tune", recipe.source, *(part for key in flags for part in (f"--{key}", flags[key]))),
        *(["--prune"] if search.prune else []),
    ]
