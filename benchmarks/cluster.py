"""Measure what Ray Data and Spark add to tagging, and work out what a billion sentences cost on a cluster of them.

python -m malmoi.benchmarks.cluster --data_dir DIR --price 0.03 0.05

The engines run on this machine, with as many workers as `--workers` says and a thread for each; beside them as many
processes that do nothing but read, tag and write. All read the same Parquet files and write such files, one way after
the other, round by round. What counts is how much more many sentences take than few: start-up, which a long job hardly
notices, is told apart. Processor time is that of all processes of a way together, what the engine does for itself
included. Seconds on the clock mean little on a machine that others use too. `--price` is what the reader pays for an
hour of a core: nothing here knows prices.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pyarrow as pa
import pyarrow.parquet

from malmoi.benchmarks.benchmark_data import describe_source, read_data, take
from malmoi.benchmarks.cluster_engines import ENGINES, PLAIN
from malmoi.benchmarks.measurement import (
    RESULTS,
    Sample,
    Timing,
    machine_line,
    print_table,
    ratio,
    run_as_command,
    set_threads,
    write_results,
)
from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import bundled_name, model_place

BILLION = 1_000_000_000
GIGABYTE = 1e9
RATE = "sentences per second of processor"
Row = dict[str, object]


class Texts(NamedTuple):
    """Folders of Parquet files, and how many sentences lie in them."""

    few: Path
    many: Path
    counts: tuple[int, int]

    @property
    def difference(self) -> int:
        """How many sentences more are in the one than in the other."""
        return self.counts[1] - self.counts[0]


def write_texts(sentences: Sequence[str], folder: Path, *, share: float, files: int) -> Texts:
    """Write all sentences into one folder, and a share of them into another, each as so many files."""
    counts = (max(files, int(share * len(sentences))), len(sentences))
    for name, count in zip(("few", "many"), counts):
        (folder / name).mkdir()
        for number in range(files):
            part = sentences[number * count // files : (number + 1) * count // files]
            pyarrow.parquet.write_table(pa.table({"text": part}), folder / name / f"{number}.parquet")
    return Texts(folder / "few", folder / "many", counts)


class Spent(NamedTuple):
    """Seconds that have gone by."""

    processor: float
    clock: float

    def since(self, earlier: "Spent") -> "Spent":
        """Return what has been spent since an earlier time."""
        return Spent(self.processor - earlier.processor, self.clock - earlier.clock)


class Meter:
    """The processor time of this process and all below it, those that end meanwhile included.

    Not every parent is told what its children have spent, so that a thread looks twice a second.
    """

    def __init__(self) -> None:
        self._seconds: dict[tuple[int, float], float] = {}
        self._own = 0.0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> "Meter":
        self._watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._watcher.join()

    def spent(self) -> Spent:
        """Return what has been spent by now, what the meter needs for itself left out."""
        with self._lock:
            started = time.thread_time()
            own = psutil.Process()
            for process in [own, *own.children(recursive=True)]:
                with suppress(psutil.Error):  # it has just ended
                    times = process.cpu_times()
                    self._seconds[process.pid, process.create_time()] = times.user + times.system
            total = sum(self._seconds.values()) - self._own
            self._own += time.thread_time() - started
            return Spent(total, time.perf_counter())

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.spent()


class Measured(NamedTuple):
    """What one way has spent in one round: until its first answers, and on many sentences more than on few."""

    first: Spent
    more: Spent


def measure(texts: Texts, model: str | None, *, workers: int, rounds: int, folder: Path) -> dict[str, list[Measured]]:
    """Return what each way has spent in each round; every other round goes through the ways backwards."""
    if rounds < 1:
        raise UserError(f"`--rounds` must be at least 1, got {rounds}.")
    measured: dict[str, list[Measured]] = {name: [] for name in ENGINES}
    for number in range(rounds):
        for name in list(reversed(ENGINES)) if number % 2 else list(ENGINES):
            with Meter() as meter:
                marks = [meter.spent()]
                with ENGINES[name](model, workers) as job:
                    # the first job starts the workers
                    for source in (texts.few, texts.few, texts.many):
                        job(source, folder / f"{name}-{number}-{len(marks)}")
                        marks.append(meter.spent())
            steps = [later.since(earlier) for earlier, later in pairwise(marks)]
            found = Measured(steps[0], steps[2].since(steps[1]))
            measured[name].append(found)
            spent_more = f"{found.more.processor:.1f} s of processors, {found.more.clock:.1f} s on the clock"
            print(f"Round {number + 1}, {name}: {spent_more} for {texts.difference:,} sentences.", flush=True)
    return measured


def speed_rows(measured: Mapping[str, Sequence[Measured]], difference: int) -> list[Row]:
    """Return how fast each way is, and what it spends beside malmoi alone."""
    processor = {name: Timing(tuple(each.more.processor for each in rounds)) for name, rounds in measured.items()}
    clock = {name: Timing(tuple(each.more.clock for each in rounds)) for name, rounds in measured.items()}
    return [
        {
            "way": name,
            RATE: processor[name].rate(difference),
            "processor time": ratio(processor[name], processor[PLAIN]),
            "time on the clock": ratio(clock[name], clock[PLAIN]),
            "until the first answers, processor seconds": Sample(tuple(each.first.processor for each in rounds)),
            "on the clock": Sample(tuple(each.first.clock for each in rounds)),
        }
        for name, rounds in measured.items()
    ]


def cost_rows(speeds: Sequence[Row], *, cores: Sequence[int], prices: Sequence[float]) -> list[Row]:
    """Return what a billion sentences cost at the median speeds of these rows."""
    rows: list[Row] = []
    for speed in speeds:
        rate = speed[RATE]
        assert isinstance(rate, Sample)
        hours = BILLION / rate.median / 3600
        row: Row = {"way": speed["way"], "core hours": hours}
        row |= {f"hours on {count} cores": hours / count for count in cores}
        row |= {f"at {price:g} per core hour": hours * price for price in prices}
        rows.append(row)
    return rows


def size(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(argv: Sequence[str]) -> None:
    """Measure, print two tables, and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument("--model", help="folder of the model; by default the one of the package")
    parser.add_argument("--sentences", type=int, default=10_000, help="how many, some again and again if need be")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is timed")
    parser.add_argument("--workers", type=int, default=2, help="processes that answer, each with one thread")
    parser.add_argument("--cores", type=int, nargs="+", default=[100, 1000], help="sizes of the cluster")
    parser.add_argument("--price", type=float, nargs="+", default=[], help="what an hour of a core costs you")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="folder for the JSON file")
    options = parser.parse_args(argv)
    if options.sentences < 40 * options.workers:
        raise UserError(f"`--sentences` must be at least {40 * options.workers}, got {options.sentences}.")
    set_threads(1)
    sentences = [str(row["text"]) for row in take(read_data(options.data_dir)["train"], options.sentences)]
    model_folder = Path(model_place(options.model or bundled_name("named-entities")))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = write_texts(sentences, folder, share=0.1, files=4 * options.workers)
        measured = measure(texts, options.model, workers=options.workers, rounds=options.rounds, folder=folder)
        read, written = (size(each) / texts.counts[1] for each in (texts.many, folder / f"{PLAIN}-0-3"))
    rows = speed_rows(measured, texts.difference)
    costs = cost_rows(rows, cores=options.cores, prices=options.price)
    notes = [
        f"{len(sentences):,} sentences of {describe_source(options.data_dir)}, {options.workers} workers; "
        f"the folder of the model has {size(model_folder) / 2**20:.1f} MiB.",
        f"Parquet of a billion: {read * BILLION / GIGABYTE:.0f} GB in, {written * BILLION / GIGABYTE:.0f} GB out.",
        machine_line(),
    ]
    print_table(rows, title="Tagging on engines for many machines")
    print_table(costs, title=f"A billion sentences: core hours = 10^9 / {RATE} / 3600")
    print(*notes, sep="\n")
    told = {name: getattr(options, name) for name in ("model", "sentences", "rounds", "workers", "cores", "price")}
    settings: dict[str, Any] = {**told, "costs": costs, "bytes read": read, "bytes written": written}
    write_results("cluster", {**settings, "notes": notes}, rows, options.output_dir)


if __name__ == "__main__":
    run_as_command(main)
