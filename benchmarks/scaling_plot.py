"""Draw how time and memory grow, as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.ticker import LogLocator, StrMethodFormatter

from malmoi.reports.plots import MARKERS, new_figure


def plot_scaling(rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Draw a column for everything that grows: time above, memory below, both axes logarithmic.

    Args:
        rows: Rows of the table of `scaling.py`.
        path: The file.
    """
    columns = list(dict.fromkeys(row["what grows"] for row in rows))
    names = list(dict.fromkeys(row["what is done"] for row in rows))
    styles = {
        name: {"marker": marker, "color": f"C{number}"} for number, (name, marker) in enumerate(zip(names, MARKERS))
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_figure(path, width=3.2 * len(columns), height=6) as figure:
        axes = figure.subplots(2, len(columns), squeeze=False)
        for column, grows in enumerate(columns):
            of_column = [row for row in rows if row["what grows"] == grows]
            for name in dict.fromkeys(row["what is done"] for row in of_column):
                points = [row for row in of_column if row["what is done"] == name]
                sizes = [point["to"] for point in points]
                seconds = [point["time"].median for point in points]
                # a process that needed nothing more than it had has no place on a logarithmic axis
                memory = [max(point["peak memory, MiB"], 0.1) for point in points]
                axes[0][column].plot(sizes, seconds, label=name, **styles[name])
                axes[1][column].plot(sizes, memory, label=name, **styles[name])
            ticks = sorted({row["to"] for row in of_column})
            for plot in (axes[0][column], axes[1][column]):
                plot.set_xscale("log")
                plot.set_yscale("log")
                plot.minorticks_off()
                # an axis of less than a decade would have one number, or none
                plot.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                plot.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
                plot.set_xticks(ticks, [str(tick) for tick in ticks])
                plot.grid(alpha=0.3)
            axes[1][column].set_xlabel(grows)
        axes[0][0].set_ylabel("seconds")
        axes[1][0].set_ylabel("peak memory, MiB")
        handles = {label: handle for plot in axes[0] for handle, label in zip(*plot.get_legend_handles_labels())}
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3, frameon=False)
    return path
