"""The plot of a search: its values in the order of trials, and over the values of each parameter."""

import json
import math
from itertools import accumulate
from pathlib import Path
from typing import Any

from malmoi.metrics.language_model import NO_SHARES
from malmoi.reports.plots import drawable, new_figure

COLUMNS = 3
WIDTH, HEIGHT = 3.7, 3.2
"""The size of each part in inches."""


def is_share(figure: str) -> bool:
    """Tell whether a figure is a share from 0 to 1, which is written in %."""
    return figure != "loss" and figure not in NO_SHARES


def plot_search(results: dict[str, Any], path: Path) -> Path:
    """Draw the value of each trial with the best so far, and below it over the values of every parameter.

    Args:
        results: What `trials.json` holds.
        path: The file.
    """
    trials = [trial for trial in results["trials"] if trial["value"] is not None]
    names = list(results["search_space"])
    rows = 1 + math.ceil(len(names) / COLUMNS)
    with new_figure(path, width=COLUMNS * WIDTH, height=rows * HEIGHT) as figure:
        grid = figure.add_gridspec(rows, COLUMNS)
        _plot_order(figure.add_subplot(grid[0, :]), trials, results)
        for number, name in enumerate(names):
            axes = figure.add_subplot(grid[1 + number // COLUMNS, number % COLUMNS])
            _plot_parameter(axes, trials, name, results)
    return path


def _plot_order(axes: Any, trials: list[dict[str, Any]], results: dict[str, Any]) -> None:
    from matplotlib.ticker import MaxNLocator

    numbers, values = [trial["trial"] for trial in trials], _values(trials, results)
    _scatter(axes, numbers, values, trials)
    complete = [(number, value) for number, value, trial in zip(numbers, values, trials) if is_complete(trial)]
    best = [*accumulate((value for _, value in complete), max if results["greater_is_better"] else min)]
    places = [*(number for number, _ in complete), max(numbers)]
    axes.step(places, [*best, best[-1]], where="post", color="C1", label="best so far")
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes, results)
    axes.legend(frameon=False)


def _plot_parameter(axes: Any, trials: list[dict[str, Any]], name: str, results: dict[str, Any]) -> None:
    space = results["search_space"][name]
    values = _values(trials, results)
    if isinstance(space, dict):
        _scatter(axes, [trial["parameters"][name] for trial in trials], values, trials)
        _set_range(axes, space)
    else:
        places = {json.dumps(choice): place for place, choice in enumerate(space)}
        _scatter(axes, [places[json.dumps(trial["parameters"][name])] for trial in trials], values, trials)
        labels = drawable([as_text(choice) for choice in space], stand_in="choice {}")
        axes.set_xticks(range(len(space)), labels)
        axes.set_xlim(-0.5, len(space) - 0.5)
    axes.set_xlabel(name)
    _finish(axes, results)


def _set_range(axes: Any, space: dict[str, Any]) -> None:
    """Show the whole range that was searched."""
    low, high = space["low"], space["high"]
    if space.get("log"):
        axes.set_xscale("log")
        ticks = [low, math.sqrt(low * high), high]
        axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlim(low / (high / low) ** 0.05, high * (high / low) ** 0.05)
    else:
        axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _scatter(axes: Any, places: list[float], values: list[float], trials: list[dict[str, Any]]) -> None:
    """Draw trials as dots, hollow where they were ended early."""
    for complete, label in ((True, None), (False, "ended early")):
        chosen = [(x, y) for x, y, trial in zip(places, values, trials) if is_complete(trial) == complete]
        if chosen:
            filled = {} if complete else {"facecolors": "none", "edgecolors": "C0"}
            axes.scatter(*zip(*chosen), s=28, color=None if not complete else "C0", label=label, **filled)


def is_complete(trial: dict[str, Any]) -> bool:
    """Tell whether a trial was trained to its end."""
    return bool(trial["ended"] == "all steps")


def _values(trials: list[dict[str, Any]], results: dict[str, Any]) -> list[float]:
    factor = 100 if is_share(results["figure"]) else 1
    return [factor * trial["value"] for trial in trials]


def _finish(axes: Any, results: dict[str, Any]) -> None:
    figure = results["figure"]
    axes.set_ylabel(f"{figure}, %" if is_share(figure) else figure)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(alpha=0.3)


def as_text(value: Any) -> str:
    """Return the value of a parameter as a table and a plot show it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
