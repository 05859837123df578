"""What a run leaves behind: `report.json`, and tables on the console.

Names that come from the data are `Text` in the tables: in a plain string rich would take `[name]` for markup.
"""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from malmoi.data.json_object import read_json_object

REPORT_FILE = "report.json"
PACKAGES = ("malmoi", "torch", "transformers", "tokenizers", "datasets", "accelerate", "seqeval")


def environment() -> dict[str, Any]:
    """Return the versions and the machine that figures depend on."""
    # nothing is allocated on a GPU that is there but was not used
    device = torch.cuda.get_device_name() if torch.cuda.max_memory_allocated() else "cpu"
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
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
    return read_json_object(path)


def print_report(report: dict[str, Any], console: Console) -> None:
    """Print the figures of a run or an evaluation, and what the run took."""
    console.print(figures_table(report))
    for name, definition in report["definitions"].items():
        console.print(f"  {name}: {definition}", style="dim", highlight=False)
    if "ceiling" in report["tokenizer"]:
        ceiling = "  ceiling: what a tagger that labels every token right would reach"
        console.print(ceiling, style="dim", highlight=False)
    console.print()
    console.print(breakdown_table(report))
    if "confusion" in report:
        console.print(confusion_table(report["confusion"]))
    for sample in report.get("samples", [])[:3]:
        for name in ("gt", "pred"):
            console.print(f"  {name:5}{sample[name]}", highlight=False, markup=False, soft_wrap=True)
    if "epochs" in report:
        table = Table(title="Run", title_justify="left", show_header=False)
        for name, value in run_summary(report).items():
            table.add_row(name, value)
        console.print(table)


def figures_table(report: dict[str, Any]) -> Table:
    """Return the figures, each beside what the tokenizer allows at best and, if measured, that of the test set."""
    data = report["data"]
    title = Text(f"{data['split']} of {data['source']}, in %", style="table.title")
    table = Table(title=title, title_justify="left")
    columns = {
        "value": report["figures"],
        "ceiling": report["tokenizer"].get("ceiling"),
        "test": report.get("test_figures"),
    }
    shown = {name: figures for name, figures in columns.items() if figures is not None}
    table.add_column("figure")
    for name in shown:
        table.add_column(name, justify="right")
    for name in report["definitions"]:
        table.add_row(name, *(f"{100 * figures[name]:.2f}" for figures in shown.values()))
    return table


def breakdown_table(report: dict[str, Any]) -> Table:
    """Return precision, recall and F1 of each type, tag or class."""
    figures = report["figures"]
    table = Table(title=f"By {report['breakdown']}, in %", title_justify="left")
    for column in ("", "precision", "recall", "F1"):
        table.add_column(column, justify="right" if column else "left")
    for name in (name.removeprefix("f1/") for name in figures if name.startswith("f1/")):
        values = [f"{100 * figures[f'{figure}/{name}']:.2f}" for figure in ("precision", "recall", "f1")]
        table.add_row(Text(name), *values)
    return table


def confusion_table(confusion: dict[str, Any]) -> Table:
    """Return how often each class was taken for each."""
    table = Table(title="Confusion (rows gold, columns predicted)", title_justify="left")
    table.add_column("")
    for name in confusion["classes"]:
        table.add_column(Text(name), justify="right")
    for name, counts in zip(confusion["classes"], confusion["counts"]):
        table.add_row(Text(name), *(f"{count:,}" for count in counts))
    return table


def run_summary(report: dict[str, Any]) -> dict[str, str]:
    """Return what a run took and how it went, ready to print."""
    figure, tokenizer, split = report["main_figure"], report["tokenizer"], report["data"]["split"]
    summary = {
        f"best {figure}": f"{100 * report['best']:.2f} (epoch {report['best_epoch']:g})",
        f"mean {figure} over evaluations": f"{100 * report['mean']:.2f}",
        "training": f"{report['seconds_per_epoch']:.1f} s an epoch, {report['seconds_total']:.0f} s in all",
        "peak memory": f"{report['peak_memory_bytes'] / 2**30:.2f} GiB",
        "speed": f"{report['texts_per_second']:.0f} texts a second",
        "parameters": f"{report['parameters']:,}",
        "vocabulary": f"{tokenizer['vocab_size']:,} tokens, "
        f"{100 * tokenizer['unknown_share']:.2f} % of the {split} tokens unknown",
        "seed": str(report["seed"]),
    }
    if "embeddings" in report:
        embeddings = report["embeddings"]
        summary["pretrained embeddings"] = (
            f"{embeddings['embedding_size']} wide; {100 * embeddings['covered_vocabulary']:.1f} % of the vocabulary "
            f"and {100 * embeddings['covered_training_tokens']:.1f} % of the training tokens"
        )
    if tokenizer.get("truncated_share"):
        summary["cut off"] = f"the ends of {100 * tokenizer['truncated_share']:.2f} % of the {split} texts"
    return summary
