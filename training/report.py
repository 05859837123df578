"""What a run leaves behind: `report.json`, and one table on the console."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from malmoi.data.user_error import UserError
from malmoi.training.metrics.tagging_metrics import DEFINITIONS

REPORT_FILE = "report.json"
PACKAGES = ("malmoi", "torch", "transformers", "tokenizers", "datasets", "accelerate", "seqeval")


def environment() -> dict[str, Any]:
    """Return the versions and the machine that figures depend on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "platform": platform.platform(),
        "device": device,
        "cpu_count": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
    }


def write_report(report: dict[str, Any], folder: Path) -> Path:
    """Write a report into a run folder, whole or not at all."""
    path = folder / REPORT_FILE
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def read_report(folder: Path) -> dict[str, Any] | None:
    """Return the report of a run folder; `None` if it has none.

    Raises:
        UserError: If the file is no JSON object.
    """
    path = folder / REPORT_FILE
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: expected a JSON object ({error}).") from None


def epoch_history(log_history: list[dict[str, Any]], seconds: list[float]) -> list[dict[str, Any]]:
    """Return one entry per evaluation during training: epoch, training seconds of that epoch, figures from 0 to 1."""
    evaluations = [entry for entry in log_history if "eval_entity_f1" in entry]
    history = []
    for entry in evaluations:
        figures = {
            name.removeprefix("eval_"): value
            for name, value in entry.items()
            if name.startswith("eval_") and name.removeprefix("eval_") in ("loss", *DEFINITIONS)
        }
        epoch = entry["epoch"]
        finished = int(epoch) - 1 if float(epoch).is_integer() else None
        took = seconds[finished] if finished is not None and finished < len(seconds) else None
        history.append({"epoch": epoch, "step": entry["step"], "train_seconds": took, **figures})
    return history


def figures_table(figures: dict[str, float], ceiling: dict[str, float], *, title: str) -> Table:
    """Return the figures, each beside what the tokenizer allows at best."""
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("ceiling", justify="right")
    for name in DEFINITIONS:
        table.add_row(name, f"{100 * figures[name]:.2f}", f"{100 * ceiling[name]:.2f}")
    return table


def types_table(figures: dict[str, float]) -> Table:
    """Return precision, recall and F1 of each entity type."""
    table = Table(title="By type (exact characters)", title_justify="left")
    for column in ("type", "precision", "recall", "F1"):
        table.add_column(column, justify="left" if column == "type" else "right")
    for entity_type in (name.removeprefix("f1/") for name in figures if name.startswith("f1/")):
        values = [f"{100 * figures[f'{figure}/{entity_type}']:.2f}" for figure in ("precision", "recall", "f1")]
        table.add_row(entity_type, *values)
    return table


def print_report(report: dict[str, Any], console: Console) -> None:
    """Print the figures of a run or an evaluation, and what the run took."""
    figures, ceiling = report["figures"], report["tokenizer"]["ceiling"]
    console.print(
        figures_table(figures, ceiling, title=f"{report['data']['split']} of {report['data']['source']}, in %")
    )
    for name, definition in DEFINITIONS.items():
        console.print(f"  {name}: {definition}", style="dim", highlight=False)
    console.print("  ceiling: what a tagger that labels every token right would reach\n", style="dim", highlight=False)
    console.print(types_table(figures))
    if "epochs" in report:
        table = Table(title="Run", title_justify="left", show_header=False)
        for name, value in run_summary(report).items():
            table.add_row(name, value)
        console.print(table)


def run_summary(report: dict[str, Any]) -> dict[str, str]:
    """Return what a run took and how it went, ready to print."""
    seconds = report["seconds_per_epoch"]
    return {
        "best entity F1": f"{100 * report['best_entity_f1']:.2f} (epoch {report['best_epoch']:g})",
        "mean entity F1 over evaluations": f"{100 * report['mean_entity_f1']:.2f}",
        "training": f"{seconds:.1f} s an epoch, {report['seconds_total']:.0f} s in all",
        "parameters": f"{report['parameters']:,}",
        "vocabulary": f"{report['tokenizer']['vocab_size']:,} tokens, "
        f"{100 * report['tokenizer']['unknown_share']:.2f} % of the {report['data']['split']} tokens unknown",
        "seed": str(report["seed"]),
    }
