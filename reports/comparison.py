"""Finished runs side by side: a table, a plot, and a refusal to compare what cannot be compared."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.data.counted import counted
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import write_whole
from malmoi.metrics.intervals import DEFINITION as INTERVAL_DEFINITION
from malmoi.reports.markdown_text import markdown_line, table_line
from malmoi.reports.plots import plot_comparison
from malmoi.reports.report import REPORT_FILE, machine_name, read_report, write_interval
from malmoi.reports.report_shape import check_report

NEEDED = (
    *("recipe", "task", "model_type", "main_figure", "figures", "best", "mean", "epochs"),
    *("definitions", "cost_definitions"),
    *("seconds_per_epoch", "parameters", "peak_memory_bytes", "texts_per_second", "seed"),
    *("data.split", "data.source", "data.fingerprint", "data.texts"),
    *("training.texts_per_epoch", "training.batch", "training.processes", "training.precision"),
    *("environment.platform", "environment.device", "environment.cpu_count", "environment.torch_threads"),
)
"""What a comparison takes from a report."""
CIRCUMSTANCES = {
    "texts_per_epoch": "texts in an epoch",
    "batch": "texts in a step",
    "processes": "processes",
    "precision": "precision",
    "machine": "machine",
    "threads": "threads",
    "versions": "versions",
}
"""What runs may differ in and still be compared, if it is said."""
OF_TEST = ("the number of test texts", "the test data")
"""What must be equal of runs that both have a test set; older reports do not tell the latter."""


class Run(NamedTuple):
    """A finished run: its name in tables, and its report."""

    name: str
    report: dict[str, Any]


class Column(NamedTuple):
    """A column of the table: its heading, its key in the comparison, how a value is written.

    Values that a report does not have are `None`; a column without any value is left out.
    """

    heading: str
    key: str
    write: Callable[[Any], str]


COLUMNS = (
    Column("run", "run", str),
    Column("model", "model_type", str),
    Column("{figure}, %", "kept", lambda share: f"{100 * share:.2f}"),
    Column("95 % interval", "interval", write_interval),
    Column("of epoch", "kept_epoch", lambda epoch: f"{epoch:g}"),
    Column("test {figure}, %", "test", lambda share: f"{100 * share:.2f}"),
    Column("95 % interval of test", "test_interval", write_interval),
    Column("mean {figure}, %", "mean", lambda share: f"{100 * share:.2f}"),
    Column(
        "seconds an epoch", "seconds_per_epoch", lambda seconds: f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.3f}"
    ),
    Column("parameters", "parameters", lambda count: f"{count:,}"),
    Column("peak memory, GiB", "peak_memory_bytes", lambda count: f"{count / 2**30:.2f}"),
    Column("texts a second", "texts_per_second", lambda count: f"{count:.0f}"),
    Column("seed", "seed", str),
)


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read the reports of runs, named by what tells their folders apart.

    Raises:
        UserError: If a folder holds no report of a finished run, or is named twice.
    """
    resolved = [folder.resolve() for folder in folders]
    runs = []
    for number, (given, folder) in enumerate(zip(folders, resolved)):
        if folder in resolved[:number]:
            raise UserError(f"{given}: a run can be compared with others, but it is named twice.")
        if not folder.is_dir():
            raise UserError(f"{given}: there is no such folder.")
        report = read_report(folder)
        if report is None:
            raise UserError(f"{given}: expected the folder of a finished run, but it holds no {REPORT_FILE}.")
        missing = [key for key in NEEDED if not _holds(report, key)]
        if missing:
            raise UserError(
                f"{given / REPORT_FILE}: it lacks {', '.join(missing)}, as reports of older versions do; "
                "train the run anew."
            )
        check_report(report, given / REPORT_FILE)
        runs.append(Run(_name(folder, resolved), report))
    return runs


def _holds(report: dict[str, Any], key: str) -> bool:
    """Tell whether a report has a value at a path of keys."""
    value: Any = report
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _name(folder: Path, folders: Sequence[Path]) -> str:
    """Return the last parts of a path that no other of the paths ends with."""
    for count in range(1, len(folder.parts)):
        if sum(other.parts[-count:] == folder.parts[-count:] for other in folders) == 1:
            return "/".join(folder.parts[-count:])
    return str(folder)


def shown_definitions(report: dict[str, Any]) -> dict[str, str]:
    """Return the definitions of the figures that a comparison shows."""
    figure = report["main_figure"]
    return {figure: report["definitions"][figure], **report["cost_definitions"]}


def conditions(run: Run) -> dict[str, str]:
    """Return what must be equal for figures to be comparable."""
    return {
        "task": run.report["task"],
        "data": run.report["data"]["fingerprint"],
        **{f"the definition of {name}": text for name, text in shown_definitions(run.report).items()},
        **_conditions_of_test(run.report),
    }


def _conditions_of_test(report: dict[str, Any]) -> dict[str, str]:
    """Return what must be equal for figures on the test set to be comparable, if there are any."""
    data = report["data"]
    told = data["texts"].get("test"), data.get("test_fingerprint")
    if "test_figures" not in report:
        return {}
    return {name: str(value) for name, value in zip(OF_TEST, told) if value is not None}


def are_comparable(first: Run, second: Run) -> bool:
    """Tell whether figures of two runs have the same definition on the same data."""
    return not _differing(first, second)


def _differing(first: Run, second: Run) -> list[str]:
    """Return the names of the conditions that differ; a run without a test set has nothing there to compare."""
    one, other = conditions(first), conditions(second)
    names = {**one, **other}
    differing = [name for name in names if one.get(name) != other.get(name)]
    return [name for name in differing if name not in OF_TEST or (name in one and name in other)]


def comparable_groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs in groups, within which figures have the same definition on the same data."""
    groups: list[list[Run]] = []
    for run in runs:
        for group in groups:
            if all(are_comparable(other, run) for other in group):
                group.append(run)
                break
        else:
            groups.append([run])
    return groups


def difference(first: Run, second: Run) -> str:
    """Return a sentence that says why two runs cannot be compared."""
    name = _differing(first, second)[0]
    values = [_data(run) if name == "data" else conditions(run).get(name, "none") for run in (first, second)]
    return f"{first.name} and {second.name} differ in {name}: {values[0]}, and {values[1]}."


def first_difference(groups: Sequence[Sequence[Run]]) -> str:
    """Return a sentence that says why the first two groups of runs are not one."""
    first, (run, *_) = groups[0], groups[1]
    return next(difference(other, run) for other in first if not are_comparable(other, run))


def _data(run: Run) -> str:
    data = run.report["data"]
    return f"{data['split']} of {data['source']} (fingerprint {data['fingerprint']})"


def compare(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the comparison of comparable runs as JSON can hold it: data, definitions, one row per run.

    The figures are those of the reports: quality is from 0 to 1.
    """
    first = runs[0].report
    figure = first["main_figure"]
    return {
        "task": first["task"],
        "data": {key: first["data"][key] for key in ("split", "source", "fingerprint")}
        | {"texts": first["data"]["texts"][first["data"]["split"]]},
        "main_figure": figure,
        "definitions": {
            "kept": f"{figure} of the model that was kept",
            "interval": INTERVAL_DEFINITION,
            "kept_epoch": "the epoch after which the model that was kept was saved",
            "test": f"{figure} of the model that was kept on the test set",
            "test_interval": "the same on the test set",
            "best": f"highest {figure} of the evaluations during training, be the model of that epoch kept or not",
            "mean": f"mean {figure} of the evaluations during training",
            **shown_definitions(first),
        },
        "runs": [_row(run) for run in runs],
    }


def _row(run: Run) -> dict[str, Any]:
    report, environment = run.report, dict(run.report["environment"])
    figure = report["main_figure"]
    machine = f"{environment.pop('platform')}, {machine_name(environment)}, {environment.pop('cpu_count')} cores"
    for name in ("device", "cpu", "cpu_capability"):
        environment.pop(name, None)
    threads = environment.pop("torch_threads")
    same = ("recipe", "model_type", "best", "mean", "seconds_per_epoch", "parameters", "peak_memory_bytes")
    return {
        "run": run.name,
        "kept": report["figures"][figure],
        "interval": report.get("intervals", {}).get(figure),
        "kept_epoch": report.get("kept_epoch"),
        "test": report.get("test_figures", {}).get(figure),
        "test_interval": report.get("test_intervals", {}).get(figure),
        **{key: report[key] for key in (*same, "texts_per_second", "seed")},
        **report["training"],
        "machine": machine,
        "threads": threads,
        "versions": ", ".join(f"{name} {version}" for name, version in environment.items()),
        "curve": [{"epoch": entry["epoch"], figure: entry[figure]} for entry in report["epochs"]],
    }


def to_markdown(comparison: dict[str, Any]) -> str:
    """Return a comparison as a Markdown table with its data, circumstances and definitions."""
    figure, data, rows = comparison["main_figure"], comparison["data"], comparison["runs"]
    columns = [column for column in COLUMNS if any(row[column.key] is not None for row in rows)]
    headings = {column.key: column.heading.format(figure=figure) for column in columns}
    lines = [
        _table_line(list(headings.values())),
        _table_line(["---", "---", *("---:" for _ in columns[2:])]),
        *(_table_line([_cell(column, row) for column in columns]) for row in rows),
        "",
        f"Task {comparison['task']}, {data['split']} of {markdown_line(data['source'])} "
        f"({counted(data['texts'], 'text')}).",
        "",
        *(_circumstance(rows, key, what) for key, what in CIRCUMSTANCES.items()),
        "",
        *(
            f"- {headings.get(name, name)}: {text}"
            for name, text in comparison["definitions"].items()
            if name in headings or name == figure
        ),
    ]
    return "\n".join(lines) + "\n"


def _cell(column: Column, row: dict[str, Any]) -> str:
    value = row[column.key]
    return "" if value is None else column.write(value)


def _table_line(cells: Sequence[str]) -> str:
    return table_line([markdown_line(cell) for cell in cells])


def _circumstance(rows: Sequence[dict[str, Any]], key: str, what: str) -> str:
    """Return a line that says under which circumstances the runs came about, and in bold if they differ."""
    names: dict[str, list[str]] = {}
    for row in rows:
        names.setdefault(markdown_line(row[key]), []).append(markdown_line(row["run"]))
    if len(names) == 1:
        return f"- {what}: {next(iter(names))}"
    return f"- **the runs differ in {what}**: " + "; ".join(
        f"{value} ({', '.join(of)})" for value, of in names.items()
    )


def write_comparison(comparison: dict[str, Any], folder: Path, *, name: str, plot: bool) -> list[Path]:
    """Write a comparison as Markdown, JSON and, if asked for, PNG; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"{name}.md", folder / f"{name}.json"]
    for path, text in zip(written, (to_markdown(comparison), json.dumps(comparison, ensure_ascii=False, indent=2))):
        with write_whole(path) as file:
            file.write(text if path.suffix == ".md" else f"{text}\n")
    if plot:
        written.append(plot_comparison(comparison, folder / f"{name}.png"))
    return written
