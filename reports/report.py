"""What a run leaves behind: `report.json`, and tables on the console.

Names that come from the data are `Text` in the tables: in a plain string rich would take `[name]` for markup.
"""

import json
import os
import platform
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from malmoi.data.counted import counted
from malmoi.data.json_object import read_json_object
from malmoi.data.whole_output import write_whole
from malmoi.metrics.calibration import ERROR, NAMES, unit_of
from malmoi.metrics.intervals import DEFINITION as INTERVAL_DEFINITION
from malmoi.metrics.language_model import NO_SHARES
from malmoi.metrics.named_entities import OF_KLUE, OF_UNSEEN_NAMES, UNSEEN_NAMES
from malmoi.reports.processor import processor

REPORT_FILE = "report.json"
KLUE_READER = "klue-ner"
FILE_WIDTH = 160
"""How wide a table may be where no terminal limits it."""
MOST_CONFUSIONS = 12
PACKAGES = ("malmoi", "torch", "transformers", "tokenizers", "datasets", "accelerate", "seqeval")


def environment() -> dict[str, Any]:
    """Return the versions and the machine that figures depend on."""
    # nothing is allocated on a GPU that is there but was not used
    device = torch.cuda.get_device_name() if torch.cuda.max_memory_allocated() else "cpu"
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "torch": torch.__version__,  # which names the build, too
        "platform": f"{platform.system()} {platform.machine()}",
        "device": device,
        "cpu": processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cpu_count": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
    }


def machine_name(environment: dict[str, Any]) -> str:
    """Return what a run computed on: the GPU, or the processor; older reports do not name the latter."""
    device = str(environment["device"])
    if device != "cpu" or "cpu" not in environment:
        return device
    return f"{environment['cpu']} ({environment['cpu_capability']})"


def write_report(report: dict[str, Any], folder: Path) -> Path:
    """Write a report into a run folder, whole or not at all."""
    path = folder / REPORT_FILE
    with write_whole(path) as file:
        file.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
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


def report_console() -> Console:
    """Return a console for tables: where no terminal limits it, it is wide enough for most."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = FILE_WIDTH
    return console


def plain(text: object) -> Text:
    """Return text for a table: brackets and colons in names are no markup and no emoji."""
    return Text(str(text))


def shown_figures(report: dict[str, Any]) -> list[str]:
    """Return the figures that concern the data: those of KLUE are for KLUE, and those of unseen names need some."""
    of_klue = report["data"]["reader"] == KLUE_READER
    names = [name for name in report["definitions"] if of_klue or name not in OF_KLUE]
    parts = [part for part in ("figures", "test_figures") if part in report]
    return [name for name in names if any(is_measured(report, name, part=part) for part in parts)]


def is_measured(report: dict[str, Any], name: str, *, part: str = "figures") -> bool:
    """Tell whether the data had anything that a figure measures: of unseen names there may be none."""
    counted = report.get("test_counted" if part == "test_figures" else "counted", {})
    # older reports do not tell how many there are; a figure of 0 stands for none then
    return name not in OF_UNSEEN_NAMES or counted.get(UNSEEN_NAMES, report[part].get(name)) != 0


def print_report(report: dict[str, Any], console: Console, *, names: Sequence[str] | None = None) -> None:
    """Print the figures of a run or an evaluation, and what the run took.

    Args:
        report: The report.
        console: Where to.
        names: The figures; by default those that concern the data.
    """
    names = shown_figures(report) if names is None else names
    print_table(console, figures_table(report, names))
    for name in names:
        print_definition(console, name, report["definitions"][name])
    if "ceiling" in report["tokenizer"]:
        print_definition(console, "ceiling", "what a tagger that labels every token right would reach")
    if report.get("intervals"):
        print_definition(console, "95 % interval", INTERVAL_DEFINITION)
    console.print()
    if any(name.startswith("f1/") for name in report["figures"]):
        print_table(console, breakdown_table(report))
    if "reliability" in report:
        print_table(console, reliability_table(report))
        print_definition(console, ERROR, report["reliability"]["definition"])
    if "confusion" in report:
        confusion = confusion_table(report["confusion"])
        fits = Measurement.get(console, console.options, confusion).maximum < console.width
        print_table(console, confusion if fits else confusions_table(report["confusion"]))
    for sample in report.get("samples", [])[:3]:
        for name in ("gt", "pred"):
            console.print(plain(f"  {name:5}{sample[name]}"), soft_wrap=True)
    if "epochs" in report:
        table = Table(title="Run", show_header=False)
        for name, value in run_summary(report).items():
            table.add_row(name, plain(value))
        print_table(console, table)


def print_table(console: Console, table: Table) -> None:
    """Print a table below its title, which may be wider than it."""
    title, table.title = table.title, None
    console.print(plain(title), style="italic", soft_wrap=True)
    console.print(table)


def print_definition(console: Console, name: str, definition: str) -> None:
    lines = textwrap.fill(f"{name}: {definition}", console.width, initial_indent="  ", subsequent_indent="      ")
    console.print(plain(lines), style="dim", soft_wrap=True)


def figures_table(report: dict[str, Any], names: Sequence[str]) -> Table:
    """Return figures, each beside what the tokenizer allows at best and, if measured, that of the test set."""
    data = report["data"]
    numbers = {"texts": data["texts"][data["split"]], **report.get("counted", {})}
    counts = ", ".join(counted(count, what.removesuffix("s"), what) for what, count in numbers.items())
    unit = "shares in %" if {*names} & {*NO_SHARES} else "in %"
    table = Table(title=f"{data['split']} of {data['source']} ({counts}), {unit}")
    columns: dict[str, Callable[[str], str]] = {"value": partial(_percent, report["figures"])}
    if report.get("intervals"):
        columns["95 %\ninterval"] = partial(_interval, report["intervals"])
    if "ceiling" in report["tokenizer"]:
        columns["ceiling"] = partial(_percent, report["tokenizer"]["ceiling"])
    if "test_figures" in report:
        columns["test"] = partial(_percent, report["test_figures"])
    if report.get("test_intervals"):
        columns["95 %\nof test"] = partial(_interval, report["test_intervals"])
    table.add_column("figure")
    for heading in columns:
        table.add_column(heading, justify="right")
    for name in names:
        table.add_row(name, *(write(name) for write in columns.values()))
    return table


def _percent(figures: dict[str, float], name: str) -> str:
    return f"{figures[name]:.4f}" if name in NO_SHARES else f"{100 * figures[name]:.2f}"


def _interval(intervals: dict[str, Sequence[float]], name: str) -> str:
    return write_interval(intervals.get(name))


def write_interval(interval: Sequence[float] | None) -> str:
    """Return an interval in %; nothing if there is none."""
    return "" if interval is None else f"{100 * interval[0]:.1f}-{100 * interval[1]:.1f}"


def breakdown_table(report: dict[str, Any]) -> Table:
    """Return precision, recall and F1 of each type, tag or class, and how often it occurs."""
    figures, intervals, support = report["figures"], report.get("intervals", {}), report.get("support", {})
    table = Table(title=f"By {report['breakdown']}, in %")
    columns = ["", "precision", "recall", "F1", *(["95 % interval"] if intervals else [])]
    for column in [*columns, *(["number"] if support else [])]:
        table.add_column(column, justify="right" if column else "left")
    for name in (name.removeprefix("f1/") for name in figures if name.startswith("f1/")):
        cells = [_percent(figures, f"{figure}/{name}") for figure in ("precision", "recall", "f1")]
        cells += [_interval(intervals, f"f1/{name}")] if intervals else []
        cells += [f"{support.get(name, 0):,}"] if support else []
        table.add_row(plain(name), *cells)
    return table


def reliability_table(report: dict[str, Any]) -> Table:
    """Return how probable answers are, and how many are right: all, and those of each bin of probabilities."""
    reliability = report["reliability"]
    unit = unit_of(reliability)
    of_what = "names" if unit == NAMES else "classes"
    table = Table(title=f"Probabilities of {of_what}, in % ({ERROR} {100 * reliability[ERROR]:.1f})")
    for column in ("probability", unit, "mean probability", "right"):
        table.add_column(column, justify="right")
    for bin_ in reliability["bins"]:
        table.add_row(f"{100 * bin_['from']:.0f}-{100 * bin_['to']:.0f}", *_reliability_cells(bin_, unit))
    table.add_section()
    table.add_row("all", *_reliability_cells(reliability, unit))
    return table


def _reliability_cells(part: dict[str, Any], unit: str) -> list[str]:
    return [f"{part[unit]:,}", f"{100 * part['mean_probability']:.1f}", f"{100 * part['right']:.1f}"]


def confusion_table(confusion: dict[str, Any]) -> Table:
    """Return how often each class was taken for each."""
    table = Table(title="Confusion (rows gold, columns predicted)")
    table.add_column("")
    for name in confusion["classes"]:
        table.add_column(plain(name), justify="right")
    for name, counts in zip(confusion["classes"], confusion["counts"]):
        table.add_row(plain(name), *(f"{count:,}" for count in counts))
    return table


def confusions_table(confusion: dict[str, Any]) -> Table:
    """Return the most frequent confusions, for more classes than a table has room for columns."""
    table = Table(title="Most frequent confusions")
    for column in ("gold", "predicted", "texts"):
        table.add_column(column, justify="right" if column == "texts" else "left")
    classes = confusion["classes"]
    wrong = [
        (count, gold, predicted)
        for gold, row in enumerate(confusion["counts"])
        for predicted, count in enumerate(row)
        if count and gold != predicted
    ]
    for count, gold, predicted in sorted(wrong, key=lambda cell: (-cell[0], *cell[1:]))[:MOST_CONFUSIONS]:
        table.add_row(plain(classes[gold]), plain(classes[predicted]), f"{count:,}")
    return table


def run_summary(report: dict[str, Any]) -> dict[str, str]:
    """Return what a run took and how it went, ready to print."""
    figure, tokenizer, split = report["main_figure"], report["tokenizer"], report["data"]["split"]
    kept = report.get("kept_epoch")
    summary = {
        f"{figure} of the kept model": f"{100 * report['figures'][figure]:.2f}"
        + ("" if kept is None else f" (epoch {kept:g})"),
        **(
            {f"best {figure}, not kept": f"{100 * report['best']:.2f} (epoch {report['best_epoch']:g})"}
            if round(report["best"], 4) > round(report["figures"][figure], 4)
            else {}
        ),
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
    if "silver" in report:
        silver, classified = report["silver"], report["task"] == "sentence-classification"
        summary["silver texts" if classified else "silver sentences"] = (
            f"{silver['kept']:,} of {silver['labelled']:,} of {silver['text']}, labelled by "
            f"{', '.join(silver['teachers'])} with a {'largest probability' if classified else 'smallest posterior'} "
            f"of at least {silver['confidence']:g}"
        )
    if tokenizer.get("truncated_share"):
        summary["cut off"] = f"the ends of {100 * tokenizer['truncated_share']:.2f} % of the {split} texts"
    return summary
