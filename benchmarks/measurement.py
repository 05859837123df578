"""Time several ways to do one thing alternately, and keep what was measured as a table and as JSON.

Ratios are the point. A time in seconds means little on a machine that others use too; but candidates that take turns,
round by round, meet the same slow moments, and the quotient of two times of one round hardly notices them.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from malmoi.data.standard_streams import write_utf8
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import write_whole
from malmoi.reports.report import FILE_WIDTH, environment, machine_name

RESULTS = Path("benchmarks/results")
"""Where results lie unless told otherwise, seen from the root of the project."""
PEER_PACKAGES = ("numba", "triton", "pytorch-crf", "flair")
SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True)
class Sample:
    """What was measured in each round.

    Args:
        values: One value per round, in the order of the rounds.
    """

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value that half of the rounds stay below."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The lower quartile."""
        return _quartile(self.values, 0)

    @property
    def high(self) -> float:
        """The upper quartile."""
        return _quartile(self.values, 2)

    def __str__(self) -> str:
        return f"{_digits(self.median)} ({_digits(self.low)}–{_digits(self.high)})"

    def as_json(self) -> dict[str, float]:
        """Return what is written into a file."""
        return {"median": self.median, "low": self.low, "high": self.high}


class Timing(Sample):
    """The seconds that a candidate took in each round."""

    @property
    def seconds(self) -> list[float]:
        """The seconds of each round."""
        return list(self.values)

    def per(self, count: float) -> "Timing":
        """Return the seconds that one of `count` equal things took."""
        return Timing(tuple(value / count for value in self.values))

    def rate(self, count: float) -> Sample:
        """Return how many things are done in a second, if `count` of them were done in each round."""
        return Sample(tuple(count / value for value in self.values))

    def __str__(self) -> str:
        median, low, high = (_digits(1000 * seconds) for seconds in (self.median, self.low, self.high))
        return f"{median} ({low}–{high}) ms"


class Ratio(Sample):
    """How many times as long as ours a peer took, in each round."""

    def __str__(self) -> str:
        return f"{_digits(self.median)}x ({_digits(self.low)}–{_digits(self.high)})"


class Elapsed(float):
    """Seconds by a candidate's own clock; returned by it, they count instead of the time of the whole call."""


def time_alternately(
    candidates: Mapping[str, Callable[[], object]], *, rounds: int, warmup: int = 1
) -> dict[str, Timing]:
    """Time candidates in turns, so that whatever slows the machine down for a while slows all of them down.

    Every other round goes through the candidates backwards: none always comes after the same other one.

    Args:
        candidates: What is timed, by name. A call that returns `Elapsed` has timed itself.
        rounds: How often each is timed.
        warmup: How often each is called before that.

    Returns:
        The timing of each candidate, in the order of the candidates.
    """
    if rounds < 1:
        raise UserError(f"`rounds` must be at least 1, got {rounds}.")
    for candidate in candidates.values():
        for _ in range(warmup):
            candidate()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        names = list(candidates)
        for name in reversed(names) if number % 2 else names:
            started = time.perf_counter()
            result = candidates[name]()
            took = time.perf_counter() - started
            seconds[name].append(float(result) if isinstance(result, Elapsed) else took)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def ratio(timing_of_peer: Timing, timing_of_ours: Timing) -> Ratio:
    """Return how many times as long the peer took; each value compares two times of the same round."""
    pairs = zip(timing_of_peer.values, timing_of_ours.values, strict=True)
    return Ratio(tuple(of_peer / of_ours for of_peer, of_ours in pairs))


def set_threads(count: int) -> None:
    """Let torch use so many threads from now on; all candidates of a run share the setting.

    Raises:
        UserError: If that is less than one.
    """
    if count < 1:
        raise UserError(f"`--threads` must be at least 1, got {count}.")
    torch.set_num_threads(count)


def machine() -> dict[str, Any]:
    """Return the machine and the versions that times depend on; a package that is not installed is left out."""
    return {**environment(), **installed_versions(PEER_PACKAGES)}


def installed_versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def write_results(
    name: str, settings: Mapping[str, object], rows: Sequence[Mapping[str, object]], directory: Path
) -> Path:
    """Write what was measured, with machine and versions, to `NAME.json`, whole or not at all.

    Args:
        name: Name of the measurement.
        settings: What was measured on: sizes, data, rounds.
        rows: The rows of the table; a `Sample` becomes its median and quartiles.
        directory: The folder, which is made if it is missing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    results = {
        "benchmark": name,
        "machine": machine(),
        "settings": dict(settings),
        "rows": [dict(row) for row in rows],
    }
    with write_whole(path) as file:
        file.write(json.dumps(_plain(results), ensure_ascii=False, indent=2) + "\n")
    return path


def print_table(rows: Sequence[Mapping[str, object]], *, title: str, console: Console | None = None) -> None:
    """Print rows as a table; its columns are the keys of the rows, in the order in which they first occur."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title, title_justify="left")
    for column in columns:
        numeric = all(isinstance(row.get(column, 0), (int, float, Sample)) for row in rows)
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console = console or Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)


def machine_line() -> str:
    """Return machine and versions as one line to print below a table."""
    facts = machine()
    packages = [
        f"{name} {facts[name]}" for name in ("python", "torch", "transformers", *PEER_PACKAGES) if name in facts
    ]
    return (
        f"{machine_name(facts)}, {facts['cpu_count']} cores, {facts['torch_threads']} threads, {facts['platform']}; "
        + ", ".join(packages)
    )


def run_as_command(main: Callable[[list[str]], None]) -> None:
    """Run a measurement with the arguments of the command line; what the user can mend is said in one line."""
    write_utf8()
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"malmoi: {error}")


def _quartile(values: Sequence[float], index: int) -> float:
    return statistics.quantiles(values, n=4, method="inclusive")[index] if len(values) > 1 else values[0]


def _digits(value: float) -> str:
    """Return a number with three significant digits, and thousands separated."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return _digits(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: Any) -> Any:
    """Return what JSON can hold, with numbers of no more digits than were measured."""
    if isinstance(value, Sample):
        return _plain(value.as_json())
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value if value is None or isinstance(value, (int, str)) else str(value)
