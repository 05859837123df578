"""Plots of runs as PNG files. Matplotlib is optional: without it a run says so and leaves out the plots."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any

from malmoi.data.whole_output import whole_file
from malmoi.metrics.calibration import unit_of

LOSS_PLOT, CONFUSION_PLOT, RELIABILITY_PLOT = "loss.png", "confusion.png", "reliability.png"
PLOTS = (LOSS_PLOT, CONFUSION_PLOT, RELIABILITY_PLOT)
"""The plots of a run; not every run has each."""
LATIN_FONT = "DejaVu Sans"  # comes with Matplotlib
KOREAN_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans CJK JP",  # the first face of the collection of all CJK fonts, and the only one that Matplotlib sees
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "AppleGothic",
    "Apple SD Gothic Neo",
)
MISSING = "No plots were drawn: they need Matplotlib, `pip install malmoi[plots]`."
MARKERS = "os^DvPX*"
LEGEND_CHARACTERS = 110
"""How many characters of the legend stand side by side below a comparison."""
MOST_WRITTEN, MOST_NAMED = 16, 80
"""Of how many classes at most a confusion matrix has numbers in its cells, and names at its edges."""
MANY_CLASSES_SIZE = 10.0
"""How wide and high the cells of more classes than that are together, in inches."""
LONGEST_NAME = 30
"""How many characters of the name of a class stand at an edge."""


def can_plot() -> bool:
    """Tell whether Matplotlib is there."""
    return find_spec("matplotlib") is not None


def plot_run(report: dict[str, Any], folder: Path) -> list[Path]:
    """Draw the loss curves of a run into its folder, and what else its report has to draw, if it is possible."""
    if not can_plot():
        return []
    drawn = []
    if any("loss" in entry for entry in [*report["losses"], *report["epochs"]]):
        drawn.append(plot_losses(report["losses"], report["epochs"], folder / LOSS_PLOT))
    if "confusion" in report:
        drawn.append(plot_confusion(report["confusion"], folder / CONFUSION_PLOT))
    if "reliability" in report:
        drawn.append(plot_reliability(report["reliability"], folder / RELIABILITY_PLOT))
    return drawn


def plot_losses(losses: list[dict[str, float]], evaluations: list[dict[str, Any]], path: Path) -> Path:
    """Draw the loss in training and on the validation set over epochs."""
    curves = {"training": losses, "validation": [entry for entry in evaluations if "loss" in entry]}
    with new_figure(path, width=6.4, height=4) as figure:
        axes = figure.subplots()
        for name, curve in curves.items():
            if curve:
                # a line through a single point is invisible, and markers on hundreds of points hide the line
                marker = "o" if len(curve) <= 30 else None
                axes.plot(*zip(*((entry["epoch"], entry["loss"]) for entry in curve)), marker=marker, label=name)
        axes.set_ylabel("loss")
        _set_epochs(axes)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return path


def plot_confusion(confusion: dict[str, Any], path: Path) -> Path:
    """Draw how often each class was taken for each; colours are shares of the row.

    Of many classes there are colours alone, in a figure that grows no further: time and memory would be those of its
    area.
    """
    counts, names = confusion["counts"], drawable(confusion["classes"], stand_in="class {}")
    classes = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    written = len(classes) <= MOST_WRITTEN
    cell = (0.9, 0.8) if written else (MANY_CLASSES_SIZE / len(classes),) * 2
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    if not written:
        slanted = {"rotation": 90}
    elif max(map(len, classes)) <= 8:
        slanted = {}
    with new_figure(path, width=2.6 + cell[0] * len(classes), height=2.2 + cell[1] * len(classes)) as figure:
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        title = "texts, and % of the gold class" if written else "share of the gold class: white is 0, dark blue is 1"
        if written:
            _write_counts(axes, counts, shares)
        if len(classes) <= MOST_NAMED:
            small: dict[str, Any] = {} if written else {"fontsize": 7}
            axes.set_xticks(range(len(classes)), classes, **slanted, **small)
            axes.set_yticks(range(len(classes)), classes, **small)
            if not _characters().issuperset("".join(confusion["classes"])):
                title += "\nno font is installed for all names:\nclasses are numbered as in report.json"
        else:
            _number_classes(axes)
            title += "\nclasses are numbered as in report.json"
        axes.set_xlabel("predicted")
        axes.set_ylabel("gold")
        axes.set_title(title, fontsize="medium")
    return path


def _write_counts(axes: Any, counts: Sequence[Sequence[int]], shares: Sequence[Sequence[float]]) -> None:
    """Write into each cell of a confusion matrix how many texts it has, and their share of the row."""
    for gold, row in enumerate(counts):
        for predicted, count in enumerate(row):
            colour = "white" if shares[gold][predicted] > 0.5 else "black"
            label = f"{count:,}\n{100 * shares[gold][predicted]:.1f} %"
            axes.text(predicted, gold, label, ha="center", va="center", color=colour)


def _number_classes(axes: Any) -> None:
    """Mark some classes of both axes by their numbers, from 1 on."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
        axis.set_major_formatter(FuncFormatter(lambda place, _: f"{place + 1:.0f}"))


def plot_reliability(reliability: dict[str, Any], path: Path) -> Path:
    """Draw how many of the answers of each bin of probabilities are right; on the diagonal, probabilities are true."""
    bins, unit = reliability["bins"], unit_of(reliability)
    with new_figure(path, width=4.8, height=5.4) as figure:
        shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        edges = [100 * entry["from"] for entry in bins]
        widths = [100 * (entry["to"] - entry["from"]) for entry in bins]
        shares.bar(edges, [100 * entry["right"] for entry in bins], widths, align="edge", edgecolor="white")
        shares.plot([0, 100], [0, 100], color="black", linestyle="--", linewidth=1)
        shares.plot(
            [100 * entry["mean_probability"] for entry in bins], [100 * entry["right"] for entry in bins], "ko"
        )
        shares.set_ylim(0, 105)
        shares.set_ylabel(f"{unit} that are right, %")
        error = 100 * reliability["expected_calibration_error"]
        shares.set_title(f"expected calibration error {error:.1f} %", fontsize="medium")
        counts.bar(edges, [entry[unit] for entry in bins], widths, align="edge", edgecolor="white")
        counts.set_ylabel(unit)
        counts.set_xlabel("probability, %")
        counts.set_xlim(0, 100)
        for axes in (shares, counts):
            axes.grid(alpha=0.3)
            axes.set_axisbelow(True)
    return path


def plot_comparison(comparison: dict[str, Any], path: Path) -> Path:
    """Draw quality against time per epoch, and the learning curves of the runs, with one legend below."""
    name, rows = comparison["main_figure"], comparison["runs"]
    names = drawable([row["run"] for row in rows], stand_in="row {} of the table")
    labels = [textwrap.fill(label, LEGEND_CHARACTERS) for label in names]
    columns = max(1, min(len(rows), LEGEND_CHARACTERS // (6 + max(map(len, names)))))
    lines = sum(label.count("\n") for label in labels) + -(-len(rows) // columns)
    with new_figure(path, width=11, height=4.4 + 0.25 * lines) as figure:
        cost, curves = figure.subplots(1, 2)
        handles = []
        for row, marker in zip(rows, cycle(MARKERS)):
            # hollow, so that points in one place all show
            style = {"marker": marker, "markersize": 8, "markerfacecolor": "none", "markeredgewidth": 1.6}
            cost.plot(row["seconds_per_epoch"], 100 * row["kept"], **style)
            drawn = curves.plot(*zip(*((point["epoch"], 100 * point[name]) for point in row["curve"])), **style)
            if row["kept_epoch"] is not None:
                filled = style | {"markerfacecolor": drawn[0].get_color(), "color": drawn[0].get_color()}
                curves.plot(row["kept_epoch"], 100 * row["kept"], **filled)
            handles += drawn
        _set_seconds(cost, [row["seconds_per_epoch"] for row in rows])
        _set_percent(cost, [row["kept"] for row in rows])
        cost.set_ylabel(f"{name} of the kept model, %")
        _set_epochs(curves)
        _set_percent(curves, [point[name] for row in rows for point in row["curve"]])
        curves.set_ylabel(f"{name}, %")
        if any(row["kept_epoch"] is not None for row in rows):
            curves.set_title("filled: the epoch that is kept", fontsize="medium")
        for axes in (cost, curves):
            axes.grid(alpha=0.3)
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    return path


def _set_epochs(axes: Any) -> None:
    """Name the axis of epochs and mark whole ones only; it begins at 0, so that a single one has its place."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _set_percent(axes: Any, shares: Sequence[float]) -> None:
    """Choose the limits of an axis so that tiny differences stay small and nothing outside 0 to 100 has much room."""
    low, high = 100 * min(shares), 100 * max(shares)
    margin = max(0.1 * (high - low), 0.5)
    edge = 0.05 * (high - low + margin)
    axes.set_ylim(max(low - margin, -edge), min(high + margin, 100 + edge))
    axes.ticklabel_format(axis="y", useOffset=False)


def _set_seconds(axes: Any, seconds: Sequence[float]) -> None:
    """Make a logarithmic axis from a round number below all values to one above, with round numbers marked."""
    rounded = [digit * 10.0**power for power in range(-6, 9) for digit in (1, 2, 5)]
    first = max(index for index, value in enumerate(rounded) if value < 0.95 * min(seconds))
    last = min(index for index, value in enumerate(rounded) if value > 1.05 * max(seconds))
    ticks = rounded[first : last + 1]
    axes.set_xscale("log")
    axes.set_xlim(ticks[0], ticks[-1])
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("seconds an epoch (logarithmic)")


def drawable(names: Sequence[str], *, stand_in: str) -> list[str]:
    """Return names as they can be drawn: one with characters that no font has becomes `stand_in` with its number.

    A Korean name needs one of `KOREAN_FONTS`; without it Matplotlib would draw empty boxes and warn of each.
    """
    known = _characters()
    return [
        # a dollar sign would begin a formula
        name.replace("$", r"\$") if known.issuperset(name) else stand_in.format(number)
        for number, name in enumerate(names, start=1)
    ]


def _characters() -> set[str]:
    """Return the characters that the fonts have."""
    from matplotlib.font_manager import findfont, get_font

    return {chr(code) for font in _fonts() for code in get_font(findfont(font)).get_charmap()}


def _fonts() -> list[str]:
    """Return the fonts to draw with; a character is taken from the first that has it."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return [LATIN_FONT, *(name for name in KOREAN_FONTS if name in installed)]


@contextmanager
def new_figure(path: Path, *, width: float, height: float) -> Iterator[Any]:
    """Give an empty figure to draw on, and write it as PNG, whole or not at all; no window is opened.

    Args:
        path: The file.
        width: Width in inches.
        height: Height in inches.
    """
    from matplotlib import rc_context, style
    from matplotlib.figure import Figure

    # a notebook may have chosen a style, such as one on black, where what is black here would not show
    # a text takes its fonts when it is made; Matplotlib looks in all of `font.family`, but only in one of each kind
    with style.context("default"), rc_context({"font.family": _fonts()}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        with whole_file(path) as unfinished:
            figure.savefig(unfinished, format="png", dpi=150)
