"""Measure `malmoi serve --api` under load: its share of what the same model tags offline, times, and an overload.

python -m malmoi.benchmarks.service --data_dir DIR

- offline: one process that tags all texts in batches of 32, again and again.
- the service, asked by clients of locust that ask again as soon as they have an answer: many texts a request, and one.
- overload: four times as many requests a second as it has answered, whatever comes back; then how long it takes until
  nothing waits and a request is answered at once.

Offline and service take turns, round by round, with equally many threads of torch. The clients need the processor too:
on a machine with few cores they take from what the service has. So the share is given by processor time, too: what a
text costs the offline process, beside what it costs that of the service, HTTP and JSON included. Each answer is
compared with that of the offline process, so that none can be that of another client.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malmoi.benchmarks.benchmark_data import describe_source, read_data
from malmoi.benchmarks.measurement import (
    RESULTS,
    Sample,
    machine_line,
    print_table,
    run_as_command,
    write_results,
)
from malmoi.benchmarks.service_processes import Offline, Outcome, Work, put_load, service, work_so_far
from malmoi.data.user_error import UserError

GOAL = 0.8
"""The share of offline that the service is to reach, with many texts a request."""
OVERLOAD = 4
# what is measured begins when all clients are at work
SETTLE = 1.5
REFUSALS = {429, 503}
PATIENCE = 600.0
"""How many seconds a service may take to recover from an overload."""
Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is measured; the command line describes each."""

    data_dir: Path | None = None
    model: str | None = None
    sentences: int = 2000
    texts_per_request: int = 64
    clients: int = 6
    single_clients: int = 32
    seconds: float = 10.0
    rounds: int = 3
    threads: tuple[int, ...] = (1, 2)
    output_dir: Path = RESULTS

    def __post_init__(self) -> None:
        if min(self.threads) < 1:
            raise UserError(f"`--threads` must be at least 1, got {min(self.threads)}.")
        for name in ("sentences", "texts_per_request", "clients", "single_clients", "rounds"):
            if getattr(self, name) < 1:
                raise UserError(f"`--{name}` must be at least 1, got {getattr(self, name)}.")
        if not 4 <= self.seconds <= 600:
            raise UserError(f"`--seconds` must be from 4 to 600, got {self.seconds}.")


@dataclass(frozen=True)
class Load:
    """What clients got.

    Args:
        texts_per_second: Texts that were answered in a second, once all clients were at work.
        requests_per_second: Requests that were.
        p50: Half of the answers took no more seconds.
        p99: 99 of 100 answers took no more seconds.
        statuses: How many requests got each status.
        wrong: How many answers were not those of the texts that were asked.
    """

    texts_per_second: float
    requests_per_second: float
    p50: float
    p99: float
    statuses: Counter[int]
    wrong: int


def measured_load(outcomes: Sequence[Outcome]) -> Load:
    """Return what clients got, of the time when all of them were at work.

    Raises:
        UserError: If nothing was answered in that time.
    """
    begin = min(outcome.ended - outcome.seconds for outcome in outcomes) + SETTLE if outcomes else 0.0
    end = max((outcome.ended for outcome in outcomes if outcome.status == 200), default=0.0)
    answered = [outcome for outcome in outcomes if outcome.status == 200 and outcome.ended > begin]
    if len(answered) < 2:
        raise UserError("The service has answered next to nothing; give it more `--seconds`.")
    seconds = statistics.quantiles([outcome.seconds for outcome in answered], n=100, method="inclusive")
    return Load(
        texts_per_second=sum(outcome.texts for outcome in answered) / (end - begin),
        requests_per_second=len(answered) / (end - begin),
        p50=seconds[49],
        p99=seconds[98],
        statuses=Counter(outcome.status for outcome in outcomes),
        wrong=sum(outcome.status == 200 and not outcome.right for outcome in outcomes),
    )


def seconds_to_recover(url: str, text: str, *, usual: float) -> float:
    """Return after how many seconds a request is answered about as fast as usual again.

    Raises:
        UserError: If it is not within `PATIENCE`.
    """
    body = json.dumps({"texts": [text]}).encode()
    request = urllib.request.Request(f"{url}/v1/tag", data=body, headers={"Content-Type": "application/json"})
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE:
        asked = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=60):
                recovered = time.monotonic() - asked <= 3 * usual + 0.05
        except OSError:  # refused
            recovered = False
        if recovered:
            return time.monotonic() - started
        time.sleep(0.05)
    raise UserError(f"The service has not recovered from the overload in {PATIENCE:.0f} seconds.")


@dataclass(frozen=True)
class Round:
    """One load, and what was done offline just before.

    Args:
        offline: What the offline process has done.
        load: What clients got.
        cpu_share: Processor time of a text offline, of that in the service.
    """

    offline: Work
    load: Load
    cpu_share: float

    @property
    def share(self) -> float:
        """Texts in a second, of those offline."""
        return self.load.texts_per_second * self.offline.seconds / self.offline.texts


def measured_round(url: str, plan: dict[str, Any], place: Path, offline: Work, *, seconds: float) -> Round:
    """Put a load on the service and return what came of it, beside what was done offline just before."""
    before = work_so_far(url)
    load = measured_load(put_load(url, plan, place, seconds=seconds))
    after = work_so_far(url)
    of_text = (after.cpu_seconds - before.cpu_seconds) / (after.texts - before.texts)
    return Round(offline, load, offline.cpu_seconds / offline.texts / of_text)


def measure(options: Options, threads: int) -> list[Row]:
    """Return the rows of the table for so many threads of torch."""
    texts = measured_texts(options)
    many: list[Round] = []
    single: list[Round] = []
    seconds = options.seconds
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        offline = Offline(options.model, texts, threads=threads)
        try:
            plan = {"texts": texts, "expected": offline.answers, "rate": 0}
            of_many = {**plan, "clients": options.clients, "texts_per_request": options.texts_per_request}
            of_single = {**plan, "clients": options.single_clients, "texts_per_request": 1}
            with service(options.model, place, threads=threads) as url:
                for _ in range(options.rounds):
                    done = offline.work(seconds)
                    many.append(measured_round(url, of_many, place, done, seconds=seconds))
                    single.append(measured_round(url, of_single, place, done, seconds=seconds))
                usual = min(each.load.p50 for each in single)
                pressed = overload(url, of_many, [each.load for each in many], place, options, usual=usual)
        finally:
            offline.close()
    rates = Sample(tuple(each.offline.texts / each.offline.seconds for each in many))
    rows = [
        {"load": "offline, batches of 32", "texts/s": rates},
        service_row(f"{options.clients} clients, {options.texts_per_request} texts a request", many) | {"goal": GOAL},
        service_row(f"{options.single_clients} clients, one text a request", single),
        pressed,
    ]
    return [{"threads": threads, **row} for row in rows]


def overload(
    url: str, plan: dict[str, Any], many: Sequence[Load], place: Path, options: Options, *, usual: float
) -> Row:
    """Ask for four times what is answered otherwise and return what came of it."""
    rate = OVERLOAD * statistics.median(load.requests_per_second for load in many)
    # enough clients that the rate is kept while many of them wait for seconds
    pressing = {**plan, "rate": rate, "clients": max(64, round(8 * rate))}
    outcomes = put_load(url, pressing, place, seconds=2 * options.seconds)
    # those that were taken in time are still answered after the last request
    begun = min(outcome.ended - outcome.seconds for outcome in outcomes)
    drained = max(outcome.ended for outcome in outcomes) - begun - 2 * options.seconds
    recovery = max(drained, 0) + seconds_to_recover(url, plan["texts"][0], usual=usual)
    load = measured_load(outcomes)
    unexpected = sum(count for status, count in load.statuses.items() if status not in {200, *REFUSALS})
    usual_rate = statistics.median(each.texts_per_second for each in many)
    return {
        "load": f"{OVERLOAD} times that, {rate:.0f} requests/s",
        "texts/s": load.texts_per_second,
        "of usual": load.texts_per_second / usual_rate,
        "p50": f"{1000 * load.p50:.0f} ms",
        "p99": f"{1000 * load.p99:.0f} ms",
        "200": load.statuses[200],
        "429": load.statuses[429],
        "503": load.statuses[503],
        "other statuses": unexpected,
        "wrong": load.wrong,
        "recovery": f"{recovery:.1f} s",
    }


def service_row(name: str, rounds: Sequence[Round]) -> Row:
    """Return the row of one kind of load."""
    loads = [each.load for each in rounds]
    return {
        "load": name,
        "texts/s": Sample(tuple(load.texts_per_second for load in loads)),
        "of offline": Sample(tuple(each.share for each in rounds)),
        "by processor time": Sample(tuple(each.cpu_share for each in rounds)),
        "p50": f"{1000 * statistics.median(load.p50 for load in loads):.0f} ms",
        "p99": f"{1000 * statistics.median(load.p99 for load in loads):.0f} ms",
        "200": sum(load.statuses[200] for load in loads),
        "other statuses": sum(load.statuses.total() - load.statuses[200] for load in loads),
        "wrong": sum(load.wrong for load in loads),
    }


def measured_texts(options: Options) -> list[str]:
    """Return the texts: of each split some, in a fixed order."""
    splits = read_data(options.data_dir)
    texts = sorted({str(text) for split in splits.values() for text in split["text"]} - {""})
    return random.Random(1).sample(texts, min(options.sentences, len(texts)))


def parse_options(argv: Sequence[str]) -> Options:
    """Read the command line.

    Raises:
        UserError: If a number is out of range.
    """
    default = Options()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument("--model", help="folder or name of a tagger; by default that of the package")
    parser.add_argument("--output_dir", type=Path, default=default.output_dir, help="where the JSON goes")
    for name, kind, what in (
        ("sentences", int, "different texts, at most"),
        ("texts_per_request", int, "texts of a request, where they are many"),
        ("clients", int, "clients that ask so"),
        ("single_clients", int, "clients that ask with one text"),
        ("seconds", float, "how long each load lasts; an overload twice as long"),
        ("rounds", int, "how often offline and service take turns"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=getattr(default, name), help=f"{what} (%(default)s)")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=default.threads, help="threads of torch, offline and in the service"
    )
    given = vars(parser.parse_args(argv))
    return Options(**{**given, "threads": tuple(given["threads"])})


def main(argv: list[str]) -> None:
    """Measure, print a table and write it as JSON."""
    options = parse_options(argv)
    rows = [row for threads in options.threads for row in measure(options, threads)]
    print_table(rows, title="Tagging over HTTP")
    said = [f"Texts: {describe_source(options.data_dir)}.", machine_line()]
    print(*said, sep="\n")
    settings = {name: value for name, value in vars(options).items() if name not in ("data_dir", "output_dir")}
    write_results("service", {**settings, "notes": said}, rows, options.output_dir)


if __name__ == "__main__":
    run_as_command(main)
