"""The trials of a search as a table and as a plot."""

import io
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from rich.console import Console

from malmoi.reports.search_plots import as_text, plot_search
from malmoi.reports.search_table import print_search

SPACE = {
    "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    "hidden_dropout": {"low": 0.0, "high": 0.5},
    "ngram_sizes": [[], [2]],
    "lexicon": [None, "mecab-ko-dic"],
}


def trial(number: int, value: float | None, ended: str = "all steps", **parameters: Any) -> dict[str, Any]:
    drawn = {"learning_rate": 0.01, "hidden_dropout": 0.25, "ngram_sizes": [2], "lexicon": None, **parameters}
    evaluations = (
        [] if value is None else [{"epoch": 1.0, "step": 5, "f": 0.1}, {"epoch": 2.0, "step": 10, "f": value}]
    )
    return {
        **{"trial": number, "ended": ended, "value": value, "parameters": drawn, "evaluations": evaluations},
        "seconds": 12.3,
    }


def results(*trials: dict[str, Any], figure: str = "f", greater: bool = True) -> dict[str, Any]:
    complete = [each for each in trials if each["ended"] == "all steps"]
    best = (max if greater else min)(complete, key=lambda each: each["value"])
    return {
        **{"recipe": "demo", "figure": figure, "greater_is_better": greater, "definition": "a share [of all]"},
        **{"data": {"split": "validation", "texts": {"validation": 1200}}, "search_space": SPACE},
        **{"trials": list(trials), "best": {"trial": best["trial"], "value": best["value"]}},
    }


def printed(found: dict[str, Any]) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    print_search(found, console)
    return console.export_text()


def test_the_table_has_the_best_first_and_says_what_did_not_come_to_an_end() -> None:
    found = results(
        trial(1, 0.5, hidden_dropout=0.123456),
        trial(2, 0.75, ngram_sizes=[], lexicon="mecab-ko-dic"),
        trial(3, 0.9, "pruned"),
        trial(4, None, "diverged", learning_rate=0.1),
    )
    text = printed(found)
    assert "Trials of demo on validation (1,200 texts)" in text
    assert "f: a share [of all]" in text
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert rows == [
        ["2", "75.00", "2", "12", "0.01", "0.25", "[]", "mecab-ko-dic"],
        ["1", "50.00", "2", "12", "0.01", "0.1235", "[2]", "null"],
        ["3", "90.00 (pruned)", "2", "12", "0.01", "0.25", "[2]", "null"],
        ["4", "diverged", "", "12", "0.1", "0.25", "[2]", "null"],
    ]


def test_of_losses_the_smallest_is_the_best_and_no_share() -> None:
    losses = [trial(1, 0.5), trial(2, 0.25)]
    for each in losses:
        each["evaluations"] = [{"epoch": 0.123456, "step": 1, "loss": each["value"]}]
    text = printed(results(*losses, figure="loss", greater=False))
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in text.splitlines() if "│" in line]
    assert rows == [["2", "0.2500", "0.123"], ["1", "0.5000", "0.123"]]
    assert "loss, %" not in text


@pytest.mark.parametrize("greater", [True, False])
def test_the_plot_shows_the_order_the_best_so_far_and_every_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, greater: bool
) -> None:
    drawn: list[Figure] = []
    saved = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *given, **named: (drawn.append(self), saved(self, *given, **named))
    )
    trials = [
        trial(1, 0.5),
        trial(2, 0.4, ngram_sizes=[]),
        trial(3, 0.7, "pruned"),
        trial(4, 0.6),
        trial(5, None, "diverged"),
    ]
    path = plot_search(results(*trials, greater=greater), tmp_path / "trials.png")
    height, width = imread(path).shape[:2]
    assert 400 <= height <= 3000
    assert 400 <= width <= 3000
    [figure] = drawn
    order, *parameters = figure.axes
    assert [axes.get_xlabel() for axes in figure.axes] == ["trial", *SPACE]
    # hollow dots for trials that were ended early, none for those without a value
    assert [len(dots.get_offsets()) for dots in order.collections] == [3, 1]
    assert [round(value) for value in order.lines[0].get_ydata()] == (
        [50, 50, 60, 60] if greater else [50, 40, 40, 40]
    )
    assert parameters[0].get_xscale() == "log"
    assert parameters[0].get_xlim()[0] < 1e-3 < 1e-1 < parameters[0].get_xlim()[1]
    assert [label.get_text() for label in parameters[3].get_xticklabels()] == ["null", "mecab-ko-dic"]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00012345, "0.0001234"), (3, "3"), (True, "true"), (None, "null"), ("이름", "이름"), ([2, 3], "[2, 3]")],
)
def test_values_are_written_as_in_a_recipe(value: Any, text: str) -> None:
    assert as_text(value) == text
