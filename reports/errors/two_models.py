"""Two models on the same texts: by how much one is better, and which texts only one of them gets right."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from malmoi.data.counted import counted
from malmoi.metrics.paired_bootstrap import DEFINITION, SAMPLES, SEED, Counts, Difference, paired_bootstrap
from malmoi.reports.errors.answers import Answer, TaskErrors
from malmoi.reports.report import plain


def compare_answers(
    answers: Sequence[Answer], others: Sequence[Answer], report: Mapping[str, Any], task: TaskErrors
) -> dict[str, Any]:
    """Return what a report says of another model on the same texts.

    Args:
        answers: The answers of the model.
        others: Those of the other model to the same texts.
        report: The report of the other model on these texts.
        task: The figures that are compared.
    """
    differences = paired_bootstrap(_counts(answers), _counts(others), task.figures)
    right = [(not answer.errors, not other.errors) for answer, other in zip(answers, others)]
    return {
        "model": report["model"],
        "figures": report["figures"],
        "intervals": report["intervals"],
        "differences": {name: _as_report(difference) for name, difference in differences.items()},
        "definition": DEFINITION,
        "samples": SAMPLES,
        "seed": SEED,
        "right": {
            "both": right.count((True, True)),
            "only this model": right.count((True, False)),
            "only the other": right.count((False, True)),
            "neither": right.count((False, False)),
        },
    }


def _counts(answers: Sequence[Answer]) -> Counts:
    return np.array([answer.counts() for answer in answers], dtype=np.float64)


def _as_report(difference: Difference) -> dict[str, Any]:
    return {"difference": difference.value, "interval": [difference.low, difference.high]}


def differences_table(report: Mapping[str, Any]) -> Table:
    """Return the figures of both models and their differences, with the intervals of these, in %."""
    against = report["against"]
    table = Table(title=f"{report['model']} and {against['model']} on the same texts, in %")
    for column in ("figure", "this model", "the other", "difference", "95 %\ninterval"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for name, difference in against["differences"].items():
        low, high = difference["interval"]
        table.add_row(
            plain(name),
            f"{100 * report['figures'][name]:.2f}",
            f"{100 * against['figures'][name]:.2f}",
            f"{100 * difference['difference']:+.2f}",
            f"{100 * low:+.2f} to {100 * high:+.2f}",
        )
    return table


def right_sentence(report: Mapping[str, Any]) -> str:
    """Return how many texts both models, one, or neither gets right, as a sentence."""
    right = report["against"]["right"]
    return (
        f"Of {counted(sum(right.values()), 'text')} both models get {right['both']:,} right, only {report['model']} "
        f"{right['only this model']:,}, only {report['against']['model']} {right['only the other']:,}, and neither "
        f"{right['neither']:,}."
    )
