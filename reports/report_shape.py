"""What the values of a report are, which may come from anywhere: it is checked once, where reports are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from malmoi.data.user_error import UserError

Check = Callable[[Any], bool]


def is_number(value: Any) -> bool:
    """Tell whether a value is a number; that of a failed training may be NaN."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _each(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(check(inner) for inner in value.values())


def _is_interval(value: Any) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and all(map(is_number, value)))


NUMBERS = ("best", "mean", "seconds_per_epoch", "parameters", "peak_memory_bytes", "texts_per_second")
SHAPE: dict[str, tuple[Check, str]] = {
    **dict.fromkeys(("task", "main_figure", "recipe", "model_type"), (_is_text, "a text")),
    **dict.fromkeys(NUMBERS, (is_number, "a number")),
    **dict.fromkeys(("figures", "test_figures"), (_each(is_number), "numbers by their names")),
    **dict.fromkeys(("definitions", "cost_definitions"), (_each(_is_text), "texts by their names")),
    **dict.fromkeys(("intervals", "test_intervals"), (_each(_is_interval), "two numbers for each name")),
    **dict.fromkeys(("data", "settings", "training", "environment"), (_is_object, "an object")),
    "data.texts": (_each(is_number), "numbers by their names"),
    **dict.fromkeys(("data.split", "data.source", "data.fingerprint"), (_is_text, "a text")),
    "seed": (lambda value: isinstance(value, int), "a whole number"),
    "kept_epoch": (lambda value: value is None or is_number(value), "a number"),
    "epochs": (
        lambda value: isinstance(value, list) and all(isinstance(entry, dict) and "epoch" in entry for entry in value),
        "a list of evaluations",
    ),
}


def check_report(report: dict[str, Any], path: Path) -> None:
    """Check that what a report holds is what a comparison and a card make of it.

    Raises:
        UserError: If not; the message names the file and the key.
    """
    for key, (check, expected) in SHAPE.items():
        value: Any = report
        for part in key.split("."):
            value = value.get(part, _MISSING) if isinstance(value, dict) else _MISSING
        if value is not _MISSING and not check(value):
            raise UserError(f"{path}: expected {expected} for `{key}`, got {str(value)[:60]!r}.")
    figure, split = report["main_figure"], report["data"].get("split")
    for key, held in (("figures", figure), ("definitions", figure)):
        if held not in report[key]:
            raise UserError(f"{path}: expected `{key}` to hold {held!r}, which is its main figure.")
    if split not in report["data"].get("texts", {}):
        raise UserError(f"{path}: expected `data.texts` to hold the number of texts of {str(split)[:60]!r}.")
    if not all(is_number(entry["epoch"]) and is_number(entry.get(figure)) for entry in report["epochs"]):
        raise UserError(f"{path}: expected a number for {figure!r} in each of the `epochs`.")


_MISSING = object()
