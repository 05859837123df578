"""What is drawn can be read: valid images in which nothing overlaps or leaves the figure."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread

from malmoi.metrics.calibration import TEXTS, Reliability
from malmoi.reports import plots
from malmoi.reports.plots import (
    KOREAN_FONTS,
    can_plot,
    drawable,
    new_figure,
    plot_comparison,
    plot_confusion,
    plot_losses,
    plot_reliability,
    plot_run,
)

KOREAN_CLASSES = ["정치", "경제", "사회", "생활문화", "세계", "IT과학", "스포츠"]


def comparison(*rows: tuple[str, float, list[float]]) -> dict[str, Any]:
    return {
        "main_figure": "accuracy",
        "runs": [
            {
                "run": name,
                "kept": scores[-1],
                "kept_epoch": len(scores),
                "seconds_per_epoch": seconds,
                "curve": [{"epoch": epoch, "accuracy": score} for epoch, score in enumerate(scores, start=1)],
            }
            for name, seconds, scores in rows
        ],
    }


def confusion(classes: list[str]) -> dict[str, Any]:
    count = len(classes)
    return {"classes": classes, "counts": [[90 if i == j else 10 for j in range(count)] for i in range(count)]}


def assert_drawn(path: Path) -> None:
    """A PNG of sensible size that is neither blank nor mostly ink."""
    height, width = imread(path).shape[:2]
    assert struct.unpack(">II", path.read_bytes()[16:24]) == (width, height)
    assert 400 <= height <= 3000
    assert 400 <= width <= 3000
    ink = (imread(path)[:, :, :3].min(axis=2) < 0.9).mean()
    assert 0.002 < ink < 0.9
    assert not list(path.parent.glob("*.part"))


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn, in order."""
    drawn: list[Figure] = []

    @contextmanager
    def remembering(path: Path, *, width: float, height: float) -> Iterator[Figure]:
        with new_figure(path, width=width, height=height) as figure:
            drawn.append(figure)
            yield figure

    monkeypatch.setattr(plots, "new_figure", remembering)
    return drawn


def assert_within(figure: Figure) -> None:
    """Everything lies within the figure, and the legend covers neither axes nor their labels."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
    legends = [legend.get_window_extent(renderer) for legend in figure.legends]
    for box in [*boxes, *legends]:
        assert box is not None
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y1 <= figure.bbox.y1 + 1
    everything = [*boxes, *legends]
    assert not any(one.overlaps(other) for i, one in enumerate(everything) for other in everything[:i])  # type: ignore[union-attr, arg-type]


LONG = "a-very-long-name-of-an-experiment-with-everything-in-it"


@pytest.mark.parametrize(
    "rows",
    [
        [("only", 3.0, [0.5])],
        [("slow", 240.0, [0.7, 0.9]), ("fast", 12.3, [0.5, 0.8])],
        [("one", 12.30, [0.8431]), ("two", 12.31, [0.8432]), ("$x$", 12.30, [0.8432])],
        [("random", 0.011, [0.0, 0.0]), ("frozen", 0.012, [0.0, 0.0]), ("_trained", 0.012, [1.0, 1.0])],
        [(f"{LONG}-{number}", 10.0**number, [0.1 * number, 0.9]) for number in range(-1, 5)],
        [(f"{LONG}-{LONG}-{LONG}", 1.0, [0.4]), ("short", 2.0, [0.4])],
        [(f"run {number}", 1.0 + number, [0.1 * number]) for number in range(10)],
    ],
)
def test_a_comparison_is_drawn_within_its_figure(
    tmp_path: Path, figures: list[Figure], rows: list[tuple[str, float, list[float]]]
) -> None:
    assert_drawn(plot_comparison(comparison(*rows), tmp_path / "comparison.png"))
    (figure,) = figures
    assert_within(figure)
    names = [text.get_text().replace("\n", "").replace("\\", "") for text in figure.legends[0].get_texts()]
    assert names == [name for name, _, _ in rows]
    cost, curves = figure.axes
    assert (cost.get_xlabel(), cost.get_ylabel()) == (
        "seconds an epoch (logarithmic)",
        "accuracy of the kept model, %",
    )
    assert (curves.get_xlabel(), curves.get_ylabel()) == ("epoch", "accuracy, %")


def test_every_run_is_a_point_among_round_numbers(tmp_path: Path, figures: list[Figure]) -> None:
    plot_comparison(comparison(("a", 11.0, [0.5]), ("b", 90.0, [0.75])), tmp_path / "comparison.png")
    cost, curves = figures[0].axes
    assert [text.get_text() for text in cost.get_xticklabels()] == ["10", "20", "50", "100"]
    assert [line.get_xydata().tolist() for line in cost.lines] == [[[11.0, 50.0]], [[90.0, 75.0]]]  # type: ignore[union-attr]
    # each curve, and over it the epoch that is kept
    expected = [[[1.0, 50.0]], [[1.0, 50.0]], [[1.0, 75.0]], [[1.0, 75.0]]]
    assert [line.get_xydata().tolist() for line in curves.lines] == expected  # type: ignore[union-attr]
    assert all(line.get_marker() != "None" for line in curves.lines)


def test_the_kept_epoch_is_filled_in_the_curve(tmp_path: Path, figures: list[Figure]) -> None:
    """The best of the evaluations may belong to a model that was thrown away."""
    row = comparison(("a", 11.0, [0.9, 0.5, 0.6]))["runs"][0] | {"kept": 0.5, "kept_epoch": 2}
    plot_comparison({"main_figure": "accuracy", "runs": [row]}, tmp_path / "comparison.png")
    cost, curves = figures[0].axes
    assert cost.lines[0].get_xydata().tolist() == [[11.0, 50.0]]  # type: ignore[union-attr]
    curve, kept = curves.lines
    assert kept.get_xydata().tolist() == [[2.0, 50.0]]  # type: ignore[union-attr]
    assert (curve.get_markerfacecolor(), kept.get_markerfacecolor()) == ("none", curve.get_color())


def test_a_report_that_does_not_name_the_kept_epoch_has_none_filled(tmp_path: Path, figures: list[Figure]) -> None:
    row = comparison(("a", 11.0, [0.9, 0.5]))["runs"][0] | {"kept_epoch": None}
    plot_comparison({"main_figure": "accuracy", "runs": [row]}, tmp_path / "comparison.png")
    assert len(figures[0].axes[1].lines) == 1


def test_runs_in_one_place_all_show(tmp_path: Path, figures: list[Figure]) -> None:
    plot_comparison(comparison(("a", 1.0, [0.5]), ("b", 1.0, [0.5])), tmp_path / "comparison.png")
    first, second = figures[0].axes[0].lines
    assert first.get_marker() != second.get_marker()
    assert first.get_markerfacecolor() == second.get_markerfacecolor() == "none"


def test_a_tiny_difference_is_not_blown_up(tmp_path: Path, figures: list[Figure]) -> None:
    plot_comparison(comparison(("a", 1.0, [0.9001]), ("b", 2.0, [0.9002])), tmp_path / "comparison.png")
    for axes in figures[0].axes:
        low, high = axes.get_ylim()
        assert high - low >= 1


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_loss_is_drawn_even_of_one_epoch(tmp_path: Path, figures: list[Figure], epochs: int) -> None:
    losses = [{"epoch": epoch + 1, "loss": 2 / (epoch + 1)} for epoch in range(epochs)]
    assert_drawn(plot_losses(losses, losses, tmp_path / "loss.png"))
    (axes,) = figures[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    assert [line.get_marker() for line in axes.lines] == ["o", "o"]
    assert_within(figures[0])


def test_the_validation_loss_is_drawn_even_if_none_was_logged_in_training(tmp_path: Path) -> None:
    assert plot_run({"losses": [], "epochs": [{"epoch": 1, "loss": 0.5}]}, tmp_path) == [tmp_path / "loss.png"]
    assert_drawn(tmp_path / "loss.png")
    assert plot_run({"losses": [], "epochs": [{"epoch": 1, "accuracy": 0.5}]}, tmp_path) == []


def test_a_long_loss_curve_is_a_line_and_a_missing_one_is_left_out(tmp_path: Path, figures: list[Figure]) -> None:
    losses = [{"epoch": step / 100, "loss": 1.0} for step in range(200)]
    plot_losses(losses, [{"epoch": 1, "accuracy": 0.5}], tmp_path / "loss.png")
    (line,) = figures[0].axes[0].lines
    assert line.get_marker() == "None"


@pytest.mark.parametrize("classes", [["negative", "positive"], [f"a longer name of class {i}" for i in range(7)]])
def test_a_confusion_matrix_is_drawn_within_its_figure(
    tmp_path: Path, figures: list[Figure], classes: list[str]
) -> None:
    assert_drawn(plot_confusion(confusion(classes), tmp_path / "confusion.png"))
    (axes,) = figures[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == classes
    assert [label.get_text() for label in axes.get_yticklabels()] == classes
    assert len(axes.texts) == len(classes) ** 2
    assert axes.texts[0].get_text() == ("90\n90.0 %" if len(classes) == 2 else "90\n60.0 %")
    assert_within(figures[0])


@pytest.mark.parametrize("count", [17, 80, 600])
def test_a_confusion_matrix_of_many_classes_grows_no_further(
    tmp_path: Path, figures: list[Figure], count: int
) -> None:
    """With 500 classes the image would be too large for Matplotlib, and the model would not be saved either."""
    classes = [f"intent {number}" for number in range(1, count + 1)]
    assert_drawn(plot_confusion(confusion(classes), tmp_path / "confusion.png"))
    (axes,) = figures[0].axes
    assert not axes.texts
    named = [label.get_text() for label in axes.get_yticklabels()]
    if count <= 80:
        assert named == [label.get_text() for label in axes.get_xticklabels()] == classes
    else:
        within = [tick for tick in axes.get_yticks() if 0 <= tick < count]
        assert {str(int(tick) + 1) for tick in within} <= set(named)
        assert "classes are numbered as in report.json" in axes.get_title()
    assert_within(figures[0])


def test_the_long_name_of_a_class_leaves_room_for_the_matrix(tmp_path: Path, figures: list[Figure]) -> None:
    long = "이 상품은 배송이 늦어서 " * 12 if _has_korean_font() else "a very long name of a class " * 8
    assert_drawn(plot_confusion(confusion([long, "short"]), tmp_path / "confusion.png"))
    (axes,) = figures[0].axes
    first, second = (label.get_text() for label in axes.get_xticklabels())
    assert first.endswith("…")
    assert len(first) == 30
    assert second == "short"
    assert_within(figures[0])


def _has_korean_font() -> bool:
    from matplotlib.font_manager import fontManager

    return bool({font.name for font in fontManager.ttflist} & set(KOREAN_FONTS))


def test_korean_names_without_a_korean_font_become_numbers(
    tmp_path: Path, figures: list[Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Matplotlib would draw empty boxes and warn of each, and warnings fail a test."""
    monkeypatch.setattr(plots, "KOREAN_FONTS", ())
    assert_drawn(plot_confusion(confusion(KOREAN_CLASSES), tmp_path / "confusion.png"))
    (axes,) = figures[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [f"class {number}" for number in range(1, 8)]
    assert "no font is installed for all names:\nclasses are numbered as in report.json" in axes.get_title()
    assert_within(figures[0])
    assert_drawn(plot_comparison(comparison(("가", 1.0, [0.5]), ("a", 2.0, [0.5])), tmp_path / "comparison.png"))
    assert [text.get_text() for text in figures[1].legends[0].get_texts()] == ["row 1 of the table", "a"]


def test_korean_names_are_drawn_with_a_korean_font(tmp_path: Path, figures: list[Figure]) -> None:
    if not _has_korean_font():
        pytest.skip("no Korean font is installed")
    assert_drawn(plot_confusion(confusion(KOREAN_CLASSES), tmp_path / "confusion.png"))
    assert [label.get_text() for label in figures[0].axes[0].get_xticklabels()] == KOREAN_CLASSES


def test_the_reliability_of_a_run_is_drawn(tmp_path: Path, figures: list[Figure]) -> None:
    reliability = Reliability()
    for number in range(100):
        reliability.add(number / 100, number % 3 > 0)
    report = {"losses": [], "epochs": [], "reliability": reliability.report()}
    assert plot_run(report, tmp_path) == [tmp_path / "reliability.png"]
    assert_drawn(tmp_path / "reliability.png")
    shares, counts = figures[0].axes
    assert [bar.get_height() for bar in counts.patches] == [part["names"] for part in report["reliability"]["bins"]]
    assert shares.get_title() == f"expected calibration error {100 * reliability.error():.1f} %"


def test_that_of_a_classifier_is_one_of_texts(tmp_path: Path, figures: list[Figure]) -> None:
    reliability = Reliability(TEXTS)
    for number in range(40):
        reliability.add(0.5 + number / 80, number % 4 > 0)
    assert plot_run({"losses": [], "epochs": [], "reliability": reliability.report()}, tmp_path)
    shares, counts = figures[0].axes
    assert (shares.get_ylabel(), counts.get_ylabel()) == ("texts that are right, %", "texts")
    assert sum(bar.get_height() for bar in counts.patches) == 40


def test_no_names_are_a_reliability_too(tmp_path: Path) -> None:
    assert plot_run({"losses": [], "epochs": [], "reliability": Reliability().report()}, tmp_path)


def test_a_style_that_a_notebook_has_chosen_is_left_alone(tmp_path: Path) -> None:
    from matplotlib import rcParams, style

    reliability = Reliability()
    reliability.add(0.9, True)
    plain = plot_reliability(reliability.report(), tmp_path / "plain.png").read_bytes()
    with style.context("dark_background"):
        rcParams["font.size"] = 30
        assert plot_reliability(reliability.report(), tmp_path / "dark.png").read_bytes() == plain
        assert rcParams["font.size"] == 30
        assert rcParams["figure.facecolor"] == "black"


def test_a_dollar_sign_begins_no_formula() -> None:
    assert drawable(["a$b$"], stand_in="run {}") == [r"a\$b\$"]


def test_nothing_is_drawn_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"losses": [{"epoch": 1, "loss": 1.0}], "epochs": [], "confusion": confusion(["a", "b"])}
    assert [path.name for path in plot_run(report, tmp_path)] == ["loss.png", "confusion.png"]
    (tmp_path / "without").mkdir()
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert not can_plot()
    assert plot_run(report, tmp_path / "without") == []
    assert not list((tmp_path / "without").iterdir())
