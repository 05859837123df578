"""Measure how time and peak memory grow with the length of sentences, their number in a batch, tags, and the corpus.

python -m malmoi.benchmarks.scaling --data_dir DIR

Length, batch and tags: loss and gradient of the CRF, ours and pytorch-crf, and a training step of a model of the sizes
of the recipe `klue-ner-bi-lstm-crf`, on random token ids without padding. The candidates take turns, and the median
counts. Corpus: an epoch of training by that recipe, from reading the sentences on, and tagging them as `malmoi tag`
does, once each. Peak memory is how far a process of its own grows beyond what it held after it had loaded the
libraries and done something tiny; a process goes through the sizes from the smallest to the largest.

Times on a machine that others use too mean little; what counts is how they grow.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from malmoi.benchmarks.benchmark_data import data_flags, describe_source
from malmoi.benchmarks.measurement import (
    RESULTS,
    Timing,
    machine_line,
    print_table,
    run_as_command,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.benchmarks.our_training import ONLY_ORIGINALS, OurTraining
from malmoi.benchmarks.scaling_plot import plot_scaling
from malmoi.benchmarks.scaling_work import CANDIDATES, Cost, Shape, costs_apart
from malmoi.reports.plots import MISSING, can_plot

Row = dict[str, object]
# so few make no tagger, but one that knows that most characters are outside of names
SENTENCES_OF_TAGGER = 256


@dataclass(frozen=True)
class Sizes:
    """What grows: the shapes of each series, and the numbers of sentences."""

    shapes: dict[str, list[Shape]] = field(
        default_factory=lambda: {
            "length": [Shape(batch=8, length=length) for length in (32, 128, 512, 2048)],
            "batch": [Shape(batch=batch) for batch in (2, 8, 32, 128)],
            "tags": [Shape(length=128, tags=tags) for tags in (5, 13, 41, 121)],
        }
    )
    trained: list[int] = field(default_factory=lambda: [250, 500, 1000, 2000])
    tagged: list[int] = field(default_factory=lambda: [1000, 2000, 4000, 8000])


TINY = Sizes(
    {"length": [Shape(2, 4, 3), Shape(2, 8, 3)], "tags": [Shape(2, 4, 2), Shape(2, 4, 5)]}, trained=[8], tagged=[4, 8]
)
"""Sizes that show that everything runs."""


def measure_shapes(sizes: Sizes, *, rounds: int, threads: int) -> Iterator[Row]:
    """Yield a row for every candidate and every shape."""
    for grows, shapes in sizes.shapes.items():
        memory = {name: costs_apart({"candidate": name, "shapes": shapes, "threads": threads}) for name in CANDIDATES}
        for number, shape in enumerate(shapes):
            timings = time_alternately(
                {name: build(shape) for name, build in CANDIDATES.items()}, rounds=rounds, warmup=2
            )
            for name, timing in timings.items():
                yield _row(grows, shape._asdict()[grows], name, timing, memory[name][number], str(tuple(shape)))


def measure_corpus(sizes: Sizes, data_dir: Path | None, *, threads: int) -> Iterator[Row]:
    """Yield a row for training and one for tagging, for every number of sentences."""
    request = {"data_dir": None if data_dir is None else str(data_dir), "threads": threads}
    with OurTraining(
        "klue-ner-bi-lstm-crf", [*data_flags(data_dir), *ONLY_ORIGINALS], count=SENTENCES_OF_TAGGER
    ) as ours:
        ours.epoch()
        request["model"] = str(ours.save("tagger"))
        for corpus, name, counts in (
            ("train", "training, an epoch", sizes.trained),
            ("tag", "tagging", sizes.tagged),
        ):
            for count, cost in zip(counts, costs_apart({**request, "corpus": corpus, "counts": counts})):
                yield _row("corpus", count, name, Timing((cost.seconds,)), cost, f"{count} sentences")


def _row(grows: str, size: int, name: str, timing: Timing, cost: Cost, shape: str) -> Row:
    return {
        "what grows": grows,
        "to": size,
        "(batch, length, tags)": shape,
        "what is done": name,
        "time": timing,
        "time per unit": timing.per(size),
        "peak memory, MiB": round(cost.mebibytes, 1),
    }


def main(argv: Sequence[str]) -> None:
    """Measure, print a table, write it as JSON and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument("--rounds", type=int, default=5, help="how often each candidate is timed")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--tiny", action="store_true", help="sizes that only show that everything runs")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="folder for JSON and plot")
    options = parser.parse_args(argv)
    set_threads(options.threads)
    sizes = TINY if options.tiny else Sizes()
    rows = [
        *measure_shapes(sizes, rounds=options.rounds, threads=options.threads),
        *measure_corpus(sizes, options.data_dir, threads=options.threads),
    ]
    said = [f"Corpus: {describe_source(options.data_dir)}.", machine_line()]
    print_table(rows, title="Growth")
    print(*said, sep="\n")
    settings = {"rounds": options.rounds, "threads": options.threads, "notes": said}
    write_results("scaling", settings, rows, options.output_dir)
    if can_plot():
        plot_scaling(rows, options.output_dir / "scaling.png")
    else:
        print(MISSING)


if __name__ == "__main__":
    run_as_command(main)
