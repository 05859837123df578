"""Finished runs side by side: a table, a plot, and a refusal to compare what cannot be compared."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.data.user_error import UserError
from malmoi.training.plots import new_figure, save_figure
from malmoi.training.report import REPORT_FILE, read_report


class Run(NamedTuple):
    """A finished run: its name in tables, and its report."""

    name: str
    report: dict[str, Any]


class Column(NamedTuple):
    """A column of the table: its heading, its key in the comparison, how a value is written."""

    heading: str
    key: str
    form: str


COLUMNS = (
    Column("model", "model_type", "{}"),
    Column("best {figure}, %", "best", "{:.2f}"),
    Column("mean {figure} over evaluations, %", "mean", "{:.2f}"),
    Column("s an epoch", "seconds_per_epoch", "{:.1f}"),
    Column("parameters", "parameters", "{:,}"),
    Column("peak memory, GiB", "peak_memory_gib", "{:.2f}"),
    Column("texts a second", "texts_per_second", "{:.0f}"),
    Column("seed", "seed", "{}"),
)


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read the reports of runs, named by what tells their folders apart.

    Raises:
        UserError: If a folder holds no report of a finished run, or is named twice.
    """
    resolved = [folder.resolve() for folder in folders]
    if len(set(resolved)) < len(resolved):
        raise UserError("A run is named twice.")
    runs = []
    for folder in resolved:
        report = read_report(folder)
        if report is None:
            raise UserError(f"{folder}: expected the folder of a finished run, but it holds no {REPORT_FILE}.")
        missing = {"main_figure", "epochs", "cost_definitions", "data"} - set(report)
        if missing:
            raise UserError(f"{folder / REPORT_FILE}: it lacks {', '.join(sorted(missing))}; train the run anew.")
        runs.append(Run(_name(folder, resolved), report))
    return runs


def _name(folder: Path, folders: Sequence[Path]) -> str:
    """Return the last parts of a path that no other of the paths ends with."""
    for count in range(1, len(folder.parts)):
        name = "/".join(folder.parts[-count:])
        if sum(other.parts[-count:] == folder.parts[-count:] for other in folders) == 1:
            return name
    return str(folder)


def conditions(run: Run) -> dict[str, Any]:
    """Return what must be equal for figures to be comparable."""
    report = run.report
    return {
        "task": report["task"],
        "data": f"{report['data']['split']} of {report['data']['source']} ({report['data']['fingerprint']})",
        "definitions of figures": report["definitions"],
        "definitions of costs": report["cost_definitions"],
    }


def comparable_groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs in groups, within which figures have the same definition on the same data."""
    groups: list[list[Run]] = []
    for run in runs:
        for group in groups:
            if conditions(group[0]) == conditions(run):
                group.append(run)
                break
        else:
            groups.append([run])
    return groups


def difference(first: Run, second: Run) -> str:
    """Return a sentence that says why two runs cannot be compared."""
    one, other = conditions(first), conditions(second)
    for name, value in one.items():
        if value != other[name]:
            values = "" if isinstance(value, dict) else f": {value} and {other[name]}"
            return f"{first.name} and {second.name} differ in {name}{values}."
    return f"{first.name} and {second.name} are comparable."


def machine(run: Run) -> str:
    """Return what times and memory depend on."""
    environment = run.report["environment"]
    return (
        f"{environment['device']}, {environment['torch_threads']} of {environment['cpu_count']} cores, "
        f"torch {environment['torch']}, transformers {environment['transformers']}"
    )


def compare(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the comparison of comparable runs as JSON can hold it: definitions, data, one row per run."""
    first = runs[0].report
    figure = first["main_figure"]
    rows = []
    for run in runs:
        report = run.report
        rows.append(
            {
                "run": run.name,
                "recipe": report["recipe"],
                "model_type": report["model_type"],
                "best": 100 * report["best"],
                "mean": 100 * report["mean"],
                "seconds_per_epoch": report["seconds_per_epoch"],
                "parameters": report["parameters"],
                "peak_memory_gib": report["peak_memory_bytes"] / 2**30,
                "texts_per_second": report["texts_per_second"],
                "seed": report["seed"],
                "train_texts": report["data"]["texts"]["train"],
                "machine": machine(run),
                "curve": [{"epoch": entry["epoch"], figure: 100 * entry[figure]} for entry in report["epochs"]],
            }
        )
    return {
        "task": first["task"],
        "data": first["data"],
        "main_figure": figure,
        "definitions": {figure: first["definitions"][figure], **first["cost_definitions"]},
        "runs": rows,
    }


def to_markdown(comparison: dict[str, Any]) -> str:
    """Return a comparison as a Markdown table with its data and definitions."""
    figure, data = comparison["main_figure"], comparison["data"]
    headings = ["run", *(column.heading.format(figure=figure) for column in COLUMNS)]
    align = ["---", "---", *("---:" for _ in COLUMNS[1:])]
    lines = [f"| {' | '.join(headings)} |", f"| {' | '.join(align)} |"]
    for row in comparison["runs"]:
        cells = [row["run"], *(column.form.format(row[column.key]) for column in COLUMNS)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"Task {comparison['task']}, {data['split']} of {data['source']} ({data['texts'][data['split']]:,} texts).",
    ]
    for key, what in (("train_texts", "Texts in training"), ("machine", "Machine")):
        values = {
            str(row[key]): [r["run"] for r in comparison["runs"] if r[key] == row[key]] for row in comparison["runs"]
        }
        if len(values) == 1:
            lines.append(f"{what}: {next(iter(values))}.")
        else:
            differing = "; ".join(f"{value} ({', '.join(names)})" for value, names in values.items())
            lines.append(f"**The runs differ** in {what[0].lower() + what[1:]}: {differing}.")
    lines += ["", *(f"- {name}: {definition}" for name, definition in comparison["definitions"].items())]
    return "\n".join(lines) + "\n"


def plot_comparison(comparison: dict[str, Any], path: Path) -> Path:
    """Draw quality against time per epoch, and the learning curves of the runs."""
    figure_name = comparison["main_figure"]
    figure, _ = new_figure(width=11, height=4.4)
    figure.clear()
    cost, curves = figure.subplots(1, 2)
    for row in comparison["runs"]:
        cost.scatter(row["seconds_per_epoch"], row["best"], s=40)
        cost.annotate(
            row["run"], (row["seconds_per_epoch"], row["best"]), xytext=(6, 4), textcoords="offset points", fontsize=8
        )
        points = [(point["epoch"], point[figure_name]) for point in row["curve"]]
        curves.plot(*zip(*points), marker="o", markersize=3, label=row["run"])
    cost.set_xscale("log")
    cost.margins(x=0.25, y=0.15)
    cost.set_xlabel("seconds an epoch (log)")
    cost.set_ylabel(f"best {figure_name}, %")
    curves.set_xlabel("epoch")
    curves.set_ylabel(f"{figure_name}, %")
    curves.legend(frameon=False, fontsize=8)
    return save_figure(figure, path)


def write_comparison(comparison: dict[str, Any], folder: Path, *, name: str, plot: bool) -> list[Path]:
    """Write a comparison as Markdown, JSON and, if asked for, PNG; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"{name}.md", folder / f"{name}.json"]
    written[0].write_text(to_markdown(comparison), encoding="utf-8")
    written[1].write_text(json.dumps(comparison, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if plot:
        written.append(plot_comparison(comparison, folder / f"{name}.png"))
    return written
