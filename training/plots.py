"""Plots of a run as PNG files. Matplotlib is optional: without it a run says so and leaves out the plots."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

LOSS_PLOT, CONFUSION_PLOT = "loss.png", "confusion.png"
KOREAN_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "AppleGothic",
    "Apple SD Gothic Neo",
)
MISSING = "No plots were drawn: they need Matplotlib, `pip install malmoi[plots]`."


def can_plot() -> bool:
    """Tell whether Matplotlib is there."""
    return find_spec("matplotlib") is not None


def plot_run(report: dict[str, Any], folder: Path) -> list[Path]:
    """Draw the loss curves and, for a classifier, the confusion matrix of a run into its folder, if it is possible."""
    if not can_plot():
        return []
    drawn = []
    if report["losses"]:
        drawn.append(plot_losses(report["losses"], report["epochs"], folder / LOSS_PLOT))
    if "confusion" in report:
        drawn.append(plot_confusion(report["confusion"], folder / CONFUSION_PLOT))
    return drawn


def plot_losses(losses: list[dict[str, float]], evaluations: list[dict[str, Any]], path: Path) -> Path:
    """Draw the loss in training and on the validation set over epochs."""
    figure, axes = new_figure()
    axes.plot([entry["epoch"] for entry in losses], [entry["loss"] for entry in losses], label="training")
    validation = [(entry["epoch"], entry["loss"]) for entry in evaluations if "loss" in entry]
    if validation:
        axes.plot(*zip(*validation), marker="o", label="validation")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.legend(frameon=False)
    return save_figure(figure, path)


def plot_confusion(confusion: dict[str, Any], path: Path) -> Path:
    """Draw how often each class was taken for each; colours are shares of the row."""
    classes, counts = confusion["classes"], confusion["counts"]
    figure, axes = new_figure(width=2.5 + 0.9 * len(classes), height=2.2 + 0.8 * len(classes))
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for gold, row in enumerate(counts):
        for predicted, count in enumerate(row):
            dark = shares[gold][predicted] > 0.5
            label = f"{count:,}\n{100 * shares[gold][predicted]:.1f} %"
            axes.text(predicted, gold, label, ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    return save_figure(figure, path)


def new_figure(*, width: float = 6.4, height: float = 4.0) -> tuple[Any, Any]:
    """Return an empty figure and its axes; no window is opened."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def save_figure(figure: Any, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all."""
    from matplotlib import font_manager, rc_context

    installed = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [name for name in KOREAN_FONTS if name in installed]
    unfinished = path.with_suffix(".png.part")
    with rc_context({"font.sans-serif": [*fonts, "DejaVu Sans"]}):
        figure.savefig(unfinished, format="png", dpi=150)
    unfinished.replace(path)
    return path
