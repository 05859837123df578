"""Measure how soon the first answer comes: a cold process that answers one sentence, with torch and without.

python -m malmoi.benchmarks.start_up

On Linux. Processes take turns. What they take of a processor is the system's own account, as is their memory: the
largest resident set, libraries included. Time on the clock also depends on what else the machine does.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from malmoi.benchmarks.measurement import (
    RESULTS,
    Sample,
    Timing,
    machine_line,
    print_table,
    ratio,
    run_as_command,
    time_alternately,
    write_results,
)
from malmoi.data.user_error import UserError
from malmoi.export.exported_model import export_model
from malmoi.inference.model_tasks import COMMANDS

SENTENCE = "손흥민은 춘천에서 태어났다."
MEGABYTE = 1_000_000
# without the runtime, the models of the package run on torch
WITHOUT = "sys.modules['onnxruntime'] = None"
RUN = """
import atexit, pathlib, sys
peak = sys.argv.pop(1)
atexit.register(lambda: pathlib.Path(peak).write_bytes(pathlib.Path("/proc/self/status").read_bytes()))
{}
from malmoi.commands.main import main
main()
"""


class Run(NamedTuple):
    """What a process took."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def run_cold(code: str, arguments: Sequence[str]) -> Run:
    """Run a command in a process of its own.

    Raises:
        UserError: If it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        peak = Path(folder) / "status"
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", code, peak, *arguments], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise UserError(f"malmoi {' '.join(arguments)} ended with {process.returncode}.")
        # what `wait4` says of memory counts that of this process, from which the other was forked
        [kilobytes] = re.findall(r"VmHWM:\s*(\d+) kB", peak.read_text(encoding="utf-8"))
    return Run(took, usage.ru_utime + usage.ru_stime, int(kilobytes) * 1024 / MEGABYTE)


def measure(rounds: int, exported: Path) -> list[dict[str, object]]:
    """Return a row for each command and engine.

    Args:
        rounds: How often each is run.
        exported: An exported tagger.
    """
    commands = {f"malmoi {command}": [command, SENTENCE] for command in COMMANDS.values()}
    candidates = {
        **{(name, "torch"): (RUN.format(WITHOUT), arguments) for name, arguments in commands.items()},
        **{(name, "onnx"): (RUN.format(""), arguments) for name, arguments in commands.items()},
        ("malmoi tag DIR", "onnx"): (RUN.format(""), ["tag", str(exported), SENTENCE]),
    }
    runs: dict[str, list[Run]] = {" ".join(name): [] for name in candidates}

    def run(name: str, code: str, arguments: Sequence[str]) -> None:
        runs[name].append(run_cold(code, arguments))

    calls = {" ".join(name): partial(run, " ".join(name), *given) for name, given in candidates.items()}
    time_alternately(calls, rounds=rounds)
    rows: list[dict[str, object]] = []
    for command, engine in candidates:
        kept = runs[f"{command} {engine}"][-rounds:]  # the first ones filled the caches of the system
        cpu = Timing(tuple(each.cpu_seconds for each in kept))
        row: dict[str, object] = {
            "command": command,
            "engine": engine,
            "seconds": Sample(tuple(each.seconds for each in kept)),
            "cpu_seconds": Sample(cpu.values),
            "megabytes": Sample(tuple(each.megabytes for each in kept)),
        }
        if engine == "onnx":
            of_torch = runs[f"{command.removesuffix(' DIR')} torch"][-rounds:]
            row["torch_takes"] = ratio(Timing(tuple(each.cpu_seconds for each in of_torch)), cpu)
        rows.append(row)
    return rows


def main(argv: Sequence[str]) -> None:
    """Measure, print a table and write the results."""
    parser = argparse.ArgumentParser(prog="python -m malmoi.benchmarks.start_up", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each command is run")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="where the results go")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "exported"
        export_model("bundled:named-entities", exported, sentences=[SENTENCE])
        rows = measure(options.rounds, exported)
    print_table(rows, title="The first answer of a cold process")
    print(machine_line())
    settings = {"sentence": SENTENCE, "rounds": options.rounds}
    print(write_results("start_up", settings, rows, options.output_dir))


if __name__ == "__main__":
    run_as_command(main)
