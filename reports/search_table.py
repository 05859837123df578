"""The table of a search on the console: its trials, the best first."""

from typing import Any

from rich.console import Console
from rich.table import Table

from malmoi.data.counted import counted
from malmoi.reports.report import plain
from malmoi.reports.search_plots import as_text, is_complete, is_share


def print_search(results: dict[str, Any], console: Console) -> None:
    """Print the trials of a search, and the definition of the figure by which they are ordered.

    Args:
        results: What `trials.json` holds.
        console: Where to.
    """
    figure, data = results["figure"], results["data"]
    texts = counted(data["texts"][data["split"]], "text")
    console.print(plain(f"Trials of {results['recipe']} on {data['split']} ({texts})"), style="italic", soft_wrap=True)
    console.print(search_table(results))
    console.print(plain(f"  {figure}: {results['definition']}"), style="dim", soft_wrap=True)


def search_table(results: dict[str, Any]) -> Table:
    """Return the trials of a search as a table, the best first."""
    figure = results["figure"]
    table = Table()
    table.add_column("trial", justify="right")
    table.add_column(f"{figure}, %" if is_share(figure) else figure, justify="right")
    table.add_column("of epoch", justify="right")
    table.add_column("seconds", justify="right")
    for name in results["search_space"]:
        table.add_column(name, justify="right", overflow="fold")
    best = results["best"]["trial"]
    for trial in sorted(results["trials"], key=lambda trial: _order(trial, results)):
        row = [
            str(trial["trial"]),
            _value(trial, figure),
            _of_epoch(trial, results),
            "" if trial["seconds"] is None else f"{trial['seconds']:.0f}",
            *(as_text(trial["parameters"][name]) for name in results["search_space"]),
        ]
        table.add_row(*map(plain, row), style="bold" if trial["trial"] == best else None)
    return table


def _order(trial: dict[str, Any], results: dict[str, Any]) -> tuple[bool, float]:
    """Return what trials are ordered by: trained to the end or not, then the value."""
    value = trial["value"] or 0.0
    return not is_complete(trial), -value if results["greater_is_better"] else value


def _value(trial: dict[str, Any], figure: str) -> str:
    if trial["value"] is None:
        return str(trial["ended"])
    written = f"{100 * trial['value']:.2f}" if is_share(figure) else f"{trial['value']:.4f}"
    return written if is_complete(trial) else f"{written} ({trial['ended']})"


def _of_epoch(trial: dict[str, Any], results: dict[str, Any]) -> str:
    """Return the epoch whose evaluation gave the value."""
    evaluations = [entry for entry in trial["evaluations"] if entry[results["figure"]] == trial["value"]]
    return f"{evaluations[0]['epoch']:.3g}" if evaluations else ""
