import io
from typing import Any

import pytest
from rich.console import Console

from malmoi.training.report import print_report


def report_of(classes: list[str]) -> dict[str, Any]:
    figures = {f"{figure}/{name}": 0.5 for name in classes for figure in ("precision", "recall", "f1")}
    return {
        "data": {"split": "validation", "source": "[mine]"},
        "figures": {"accuracy": 0.5, **figures},
        "tokenizer": {},
        "definitions": {"accuracy": "share of texts with the right class"},
        "breakdown": "class",
        "confusion": {"classes": classes, "counts": [[1] * len(classes) for _ in classes]},
    }


@pytest.mark.parametrize("classes", [["[joy]", "[/joy]"], ["[bold]", "[red]x[/red]"], [":smile:", "\\[joy]"]])
def test_names_from_the_data_are_no_markup(classes: list[str]) -> None:
    written = io.StringIO()
    print_report(report_of(classes), Console(file=written, width=200))
    assert "validation of [mine], in %" in " ".join(written.getvalue().split())
    for name in classes:
        assert written.getvalue().count(name) >= 3  # precision and so on; a row and a column of the confusion
