"""Measure how true scores of names are: the mean over tokens, the exact probability, and that with a temperature.

python -m malmoi.benchmarks.name_scores --data_dir DIR [--models MODEL ...]

The temperature is fitted on every other sentence of the dev file, and all scores are measured on the rest: those of
the names that the model finds, by the expected calibration error (15 bins of equal width) and the log-loss.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from malmoi.benchmarks.benchmark_data import read_data
from malmoi.benchmarks.measurement import (
    RESULTS,
    machine_line,
    print_table,
    run_as_command,
    set_threads,
    write_results,
)
from malmoi.inference.bundled_models import bundled_name
from malmoi.inference.loading import load_model
from malmoi.metrics.calibration import Reliability, log_loss
from malmoi.reports.name_reliability import AnsweredSentences
from malmoi.training.fitted_temperature import halves
from malmoi.training.name_temperature import fit_temperature

BATCH_SIZE = 32
Row = dict[str, object]


def measure(model: str, data_dir: Path) -> list[Row]:
    """Return a row for each kind of score."""
    loaded = load_model(model, "named-entities")
    dev = read_data(data_dir)["validation"]
    temperature = fit_temperature(loaded, dev, batch_size=BATCH_SIZE).temperature
    rest = AnsweredSentences(loaded, halves(dev)[1], batch_size=BATCH_SIZE)
    scores = {
        "mean over tokens": means_over_tokens(rest),
        "exact probability": rest.names(1.0),
        f"the same, temperature {temperature:g}": rest.names(temperature),
    }
    rows = []
    for kind, names in scores.items():
        reliability, loss = Reliability(), 0.0
        for score, is_right in names:
            reliability.add(score, is_right)
            loss += log_loss(score, is_right)
        report = reliability.report()
        row: Row = {"model": model, "score": kind, "names": report["names"]}
        row |= {"mean, %": 100 * report["mean_probability"], "right, %": 100 * report["right"]}
        rows.append(row | {"calibration error, %": 100 * reliability.error(), "log-loss": loss / report["names"]})
    return rows


def means_over_tokens(answered: AnsweredSentences) -> Iterator[tuple[float, bool]]:
    """Yield, for each name, the mean probability of the labels of its tokens, and whether the name is right."""
    for names, answer, gold in zip(answered.found(), answered.answers, answered.gold):
        for span, (first, last, _) in names:
            yield sum(answer.scores[first:last]) / (last - first), span in gold


def main(argv: list[str]) -> None:
    """Measure, print a table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with KLUE NER")
    parser.add_argument("--models", nargs="+", default=[bundled_name("named-entities")], help="taggers of names")
    parser.add_argument("--threads", type=int, default=2, help="threads of the CPU")
    parser.add_argument("--output_dir", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    set_threads(options.threads)
    rows = [row for model in options.models for row in measure(model, options.data_dir)]
    print_table(rows, title="How true scores of names are, on half of dev")
    print(machine_line())
    print(write_results("name_scores", {"data": options.data_dir.name}, rows, options.output_dir))


if __name__ == "__main__":
    run_as_command(main)
