"""Measure what reading a long text in pieces changes and costs: answers, peak memory and time.

python -m malmoi.benchmarks.documents --data_dir DIR

The text is one line: lines of the folder's unlabelled text (`korean-text.txt.xz`, or another `.txt` or `.txt.xz`) in
an order drawn by a fixed seed, joined by spaces; for word spacing they are taken out again. Three tables: how many
answers of the tagger and the spacer of the package differ from those of a text that is read whole, for several lengths
of context (half of what pieces have in common; a piece is eight times as long); peak memory of a process of its own
for texts of several lengths, with PyTorch and with ONNX Runtime; and the time of reading in pieces and whole, which
take turns.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from malmoi.benchmarks.benchmark_data import SEED, describe_source
from malmoi.benchmarks.document_without_torch import KINDS
from malmoi.benchmarks.measurement import (
    RESULTS,
    machine_line,
    print_table,
    ratio,
    run_as_command,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.data.alignment import token_labels_to_spans
from malmoi.data.readers.inline_marks import SAMPLE_CORPUS
from malmoi.data.text_lines import read_lines
from malmoi.data.text_pieces import Reading
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import BEGIN
from malmoi.inference.engine_choice import ONNX, TORCH
from malmoi.inference.labelled_tokens import TokenLabels, no_tokens
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.inference.token_labels import READING, labelled_parts
from malmoi.reports.costs import peak_memory_bytes

MIB = 1 << 20
BATCH_SIZE = 32
CHILDREN = {
    TORCH: ("malmoi.benchmarks.documents", "--child"),
    ONNX: ("malmoi.benchmarks.document_without_torch",),
}
"""What a process runs that answers a text."""
Row = dict[str, object]


class Sizes(NamedTuple):
    """What is measured."""

    contexts: tuple[int, ...] = (32, 64, 128, 256, 512, 1024)
    compared: int = 200_000
    memory: tuple[int, ...] = (10_000, 1_000_000)
    timed: int = 50_000


TINY = Sizes(contexts=(8, 16), compared=1_000, memory=(500, 1_000), timed=500)
"""Sizes that show that everything runs."""


def long_text(data_dir: Path | None, characters: int) -> str:
    """Return one line of so many characters.

    Raises:
        UserError: If the folder holds no text.
    """
    files = (
        [SAMPLE_CORPUS / "train.txt"]
        if data_dir is None
        else sorted([*data_dir.glob("*.txt"), *data_dir.glob("*.xz")])
    )
    lines = [line for file in files for _, line in read_lines(file) if line.strip()]
    if not lines:
        raise UserError(f"{data_dir}: expected files of text (.txt, .txt.xz).")
    random.Random(SEED).shuffle(lines)
    text = " ".join(lines)
    return (text + " ") * (characters // (len(text) + 1)) + text[: characters % (len(text) + 1)]


def read(model: Tagger | Spacer, text: str, reading: Reading) -> TokenLabels:
    """Return what a model says of the tokens of a text."""
    found = no_tokens()
    for part in labelled_parts(model.engine, [text], batch_size=BATCH_SIZE, reading=reading):
        found.extend(part.tokens)
    return found


def answers(model: Tagger | Spacer, tokens: TokenLabels) -> set[object]:
    """Return the names, or where words begin."""
    labels = [*map(model.labels.get, tokens.labels)]
    if isinstance(model, Tagger):
        names = token_labels_to_spans(model.scheme.to_bio(labels, tokens.offsets), tokens.offsets)
        return {name for name, _ in names}
    return {span for label, span in zip(labels, tokens.offsets) if label == BEGIN}


def compare_contexts(text: str, sizes: Sizes) -> Iterator[Row]:
    """Yield a row for every model and context."""
    for task, model in (("names", Tagger()), ("spaces", Spacer())):
        assert isinstance(model, (Tagger, Spacer))
        line = text if task == "names" else text.replace(" ", "")
        whole = read(model, line, Reading(length=len(line), overlap=0))
        expected = answers(model, whole)
        for context in sizes.contexts:
            started = time.perf_counter()
            pieces = read(model, line, Reading(length=8 * context, overlap=2 * context))
            seconds = time.perf_counter() - started
            yield {
                "answers": task,
                "context": context,
                "of the whole": len(expected),
                "differ": len(expected ^ answers(model, pieces)),
                "labels differ": sum(one != other for one, other in zip(whole.labels, pieces.labels, strict=True)),
                "tokens": len(whole.labels),
                "probability differs by at most": max(
                    abs(one - other) for one, other in zip(whole.scores, pieces.scores, strict=True)
                ),
                "seconds": seconds,
            }


def answer(task: str, file: Path) -> dict[str, float]:
    """Answer the text of a file in this process, and return what that took."""
    text = file.read_text(encoding="utf-8")
    model = KINDS[task]()
    started = time.perf_counter()
    model(text)
    return {"seconds": time.perf_counter() - started, "peak": peak_memory_bytes() / MIB}


def measure_memory(text: str, sizes: Sizes, threads: int) -> Iterator[Row]:
    """Yield a row for every engine, task and length of text, each of a process of its own.

    Raises:
        RuntimeError: If a process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        for engine, task, characters in itertools.product(CHILDREN, KINDS, sizes.memory):
            file = Path(folder) / "text.txt"
            line = text.replace(" ", "") if task == "spaces" else text
            file.write_text((line * (characters // len(line) + 1))[:characters], encoding="utf-8")
            request = json.dumps({"task": task, "file": str(file), "threads": threads})
            result = subprocess.run([sys.executable, "-m", *CHILDREN[engine], request], capture_output=True, text=True)
            if result.returncode:
                raise RuntimeError(f"{task} of {characters} characters failed: {result.stderr}")
            took = json.loads(result.stdout.splitlines()[-1])
            yield {
                "engine": engine,
                "answers": task,
                "characters": characters,
                "peak memory, MiB": took["peak"],
                "microseconds a character": 1e6 * took["seconds"] / characters,
            }


def measure_time(text: str, rounds: int) -> Iterator[Row]:
    """Yield a row for the tagger and one for the spacer: the time in pieces, and whole."""
    for task, model in (("names", Tagger()), ("spaces", Spacer())):
        assert isinstance(model, (Tagger, Spacer))
        line = text if task == "names" else text.replace(" ", "")
        readings = {"pieces": READING, "whole": Reading(length=len(line), overlap=0)}
        timings = time_alternately(
            {name: partial(read, model, line, reading) for name, reading in readings.items()}, rounds=rounds
        )
        yield {
            "answers": task,
            "characters": len(line),
            "in pieces": timings["pieces"],
            "whole": timings["whole"],
            "whole/pieces": ratio(timings["whole"], timings["pieces"]),
        }


def main(argv: Sequence[str]) -> None:
    """Measure, print tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with unlabelled text; without it the sample corpus")
    parser.add_argument("--rounds", type=int, default=3, help="how often reading in pieces and whole are timed")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--tiny", action="store_true", help="sizes that only show that everything runs")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="folder for the JSON")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        request = json.loads(options.child)
        set_threads(request["threads"])
        print(json.dumps(answer(request["task"], Path(request["file"]))))
        return
    set_threads(options.threads)
    sizes = TINY if options.tiny else Sizes()
    longest = long_text(options.data_dir, max(sizes.memory))
    text = longest[: sizes.compared]
    tables = {
        "Read in pieces and whole": [*compare_contexts(text, sizes)],
        "Peak memory": [*measure_memory(longest, sizes, options.threads)],
        "Time": [*measure_time(text[: sizes.timed], options.rounds)],
    }
    said = [
        f"Text: {describe_source(options.data_dir)}, one line; compared were {sizes.compared:,} characters.",
        f"Pieces are of {READING.length:,} characters, of which neighbours share {READING.overlap:,}.",
        machine_line(),
    ]
    for title, rows in tables.items():
        print_table(rows, title=title)
    print(*said, sep="\n")
    settings = {"rounds": options.rounds, "threads": options.threads, "notes": said}
    rows = [{"table": title, **row} for title, rows in tables.items() for row in rows]
    write_results("documents", settings, rows, options.output_dir)


if __name__ == "__main__":
    run_as_command(main)
