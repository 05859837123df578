"""Draw ratios as bars, each with its quartiles and its goal, as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from malmoi.benchmarks.measurement import Ratio
from malmoi.reports.plots import new_figure


def plot_ratios(rows: Sequence[Mapping[str, object]], path: Path, *, what: str) -> Path:
    """Draw how many times as fast as each peer ours is.

    Args:
        rows: Rows of a table; the first column, `beside` and `ratio` are read, and `goal` where there is one.
        path: The file.
        what: What was done, for the axis.
    """
    labels = [f"{next(iter(row.values()))}\nbeside {row['beside']}" for row in rows]
    bars = [drawn for row in rows if isinstance(drawn := row["ratio"], Ratio)]
    goals = [goal if isinstance(goal := row.get("goal"), (int, float)) else None for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_figure(path, width=8, height=1.2 + 0.6 * len(bars)) as figure:
        axes = figure.subplots()
        positions = range(len(bars))
        # on a logarithmic axis a bar has to begin somewhere: where both are equally fast
        beyond = [bar.median - 1 for bar in bars]
        spread = [[bar.median - bar.low for bar in bars], [bar.high - bar.median for bar in bars]]
        axes.barh(positions, beyond, left=1, xerr=spread, color="tab:blue", alpha=0.8, capsize=3)
        for position, goal in zip(positions, goals):
            if goal is not None:
                axes.plot([goal, goal], [position - 0.4, position + 0.4], color="black", linestyle="--")
        axes.set_yticks(positions, labels)
        axes.invert_yaxis()
        axes.set_xscale("log")
        ticks = _round_numbers([1, *(bar.low for bar in bars), *(bar.high for bar in bars), *(g for g in goals if g)])
        axes.set_xlim(0.9 * ticks[0], 1.1 * ticks[-1])
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_xlabel(f"{what}: how many times as fast (logarithmic; dashed: the goal)")
        axes.grid(axis="x", alpha=0.3)
    return path


def _round_numbers(values: Sequence[float]) -> list[float]:
    """Return the numbers 1, 2, 5, 10, ... from the last below all values to the first above."""
    numbers = [digit * 10.0**power for power in range(-4, 7) for digit in (1, 2, 5)]
    below = [number for number in numbers if number < min(values)]
    above = [number for number in numbers if number > max(values)]
    return [number for number in numbers if below[-1] <= number <= above[0]]
