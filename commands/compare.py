"""`malmoi compare`."""

from pathlib import Path

import typer

from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import model_place
from malmoi.reports.comparison import (
    comparable_groups,
    compare,
    first_difference,
    read_runs,
    to_markdown,
    write_comparison,
)
from malmoi.reports.plots import MISSING, can_plot


def compare_runs(folders: list[Path], *, output_dir: Path | None, separately: bool) -> None:
    """Print a table of runs that can be compared, and write it as Markdown, JSON and a plot if a folder is given."""
    groups = comparable_groups(read_runs([Path(model_place(folder)) for folder in folders]))
    if len(groups) > 1 and not separately:
        raise UserError(
            f"{first_difference(groups)} Their figures do not belong side by side; --separately gives "
            "each kind a table of its own."
        )
    written: list[Path] = []
    for number, group in enumerate(groups, start=1):
        comparison = compare(group)
        typer.echo(("\n" if number > 1 else "") + to_markdown(comparison), nl=False)
        if output_dir is not None:
            name = "comparison" if len(groups) == 1 else f"comparison-{number}"
            written += write_comparison(comparison, output_dir, name=name, plot=can_plot())
    # beside the table, so that the table alone can go into a file
    if written:
        typer.echo(f"Written: {', '.join(map(str, written))}", err=True)
        if not can_plot():
            typer.echo(MISSING, err=True)
