"""`malmoi evaluate`."""

import json
from pathlib import Path
from typing import Any

from datasets import disable_progress_bars
from transformers.utils import logging

from malmoi.commands.streams.json_values import with_numbers_alone
from malmoi.data.counted import counted
from malmoi.metrics.named_entities import OF_KLUE, OF_UNSEEN_NAMES
from malmoi.reports.errors.two_models import differences_table, right_sentence
from malmoi.reports.report import print_definition, print_report, print_table, report_console, shown_figures
from malmoi.training.evaluate import evaluate_saved_model
from malmoi.training.fitted_temperature import temperature_sentence


def evaluate_model(
    model: str, *, as_json: bool, every_figure: bool, errors: Path | None = None, **options: Any
) -> None:
    """Compute the figures of a saved model on one part of the data, and print them.

    Args:
        model: The model.
        as_json: Whether JSON is printed instead of tables.
        every_figure: Whether those figures are printed, too, that are there for other data.
        errors: Where the page of mistakes is written, if at all.
        options: What else `evaluate_saved_model` takes.
    """
    logging.disable_progress_bar()
    disable_progress_bars()
    report = evaluate_saved_model(model, errors=errors, **options)
    if as_json:
        print(json.dumps(with_numbers_alone(report), ensure_ascii=False, indent=2))
    else:
        _print(report, every_figure=every_figure, errors=errors)


def _print(report: dict[str, Any], *, every_figure: bool, errors: Path | None) -> None:
    """Print the figures of a model, and by how much they differ from those of another, if there is one."""
    console = report_console()
    names = list(report["definitions"]) if every_figure else shown_figures(report)
    print_report(report, console, names=names)
    if "against" in report:
        print_table(console, differences_table(report))
        print_definition(console, "95 % interval", report["against"]["definition"])
        print(right_sentence(report))
    hidden = [name for name in report["definitions"] if name not in names]
    if hidden:
        kinds = {"those by which KLUE is judged": OF_KLUE, "those of unseen names": OF_UNSEEN_NAMES}
        which = " and ".join(kind for kind, of_kind in kinds.items() if not set(hidden).isdisjoint(of_kind))
        print(f"--all shows {len(hidden)} more figures, {which}.")
    if "temperature" in report:
        print(temperature_sentence(report["temperature"], report["model"]))
    if errors is not None:
        texts = report["data"]["texts"][report["data"]["split"]]
        wrong = report["errors"]["texts"]
        have = "has" if wrong == 1 else "have"
        print(f"{errors} shows the {wrong:,} of {counted(texts, 'text')} that {have} a mistake.")
