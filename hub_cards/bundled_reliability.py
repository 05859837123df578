"""Measure how true the probabilities of a model of the package are, for its report and its card.

python -m malmoi.hub_cards.bundled_reliability named-entities --data_dir DIR --corpus klue-ner-and-sample
python -m malmoi.hub_cards.bundled_reliability sentence-classification --data_dir DIR --corpus nsmc-from-body

DIR holds the data of its training. Measured is the half of the validation split on which its temperature was not
fitted.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from transformers.utils import logging

from malmoi.data.json_object import read_json_object
from malmoi.data.readers import read_splits
from malmoi.data.standard_streams import write_utf8
from malmoi.data.user_error import UserError
from malmoi.hub_cards.card import render_card
from malmoi.hub_cards.corpus import corpus_of
from malmoi.hub_cards.run_facts import read_facts
from malmoi.inference.bundled_models import bundled_name
from malmoi.inference.loading import load_model
from malmoi.metrics.calibration import ERROR
from malmoi.models import FOLDER
from malmoi.reports.report import REPORT_FILE, write_report
from malmoi.training.fitted_temperature import halves
from malmoi.training.processes.launcher import leave
from malmoi.training.run_report import fingerprint
from malmoi.training.tasks import TASKS

MEASURED_ON = "every other text, those on which the temperature was not fitted"
BATCH_SIZE = 32


def measure_reliability(folder: Path, data_dir: Path, *, corpus: str | None = None) -> float:
    """Write into the report and the card of a tagger or a classifier how true its probabilities are.

    Args:
        folder: Its folder.
        data_dir: The data of its training.
        corpus: Name or file of the training data's description, where the reader does not tell.

    Returns:
        The expected calibration error.

    Raises:
        UserError: If these are other data than those of its report.
    """
    report = read_json_object(folder / REPORT_FILE)
    data, task = report["data"], TASKS[report["task"]]
    rows = read_splits(data["reader"], data_dir, task=task.name)[data["split"]]
    if fingerprint(rows) != data["fingerprint"]:
        raise UserError(f"{data_dir}: its {data['split']} split is not the one that {folder / REPORT_FILE} is about.")
    measured = task.describe_answers(load_model(folder, task.name), halves(rows)[1], batch_size=BATCH_SIZE)[
        "reliability"
    ]
    report["reliability"] = {**measured, "measured_on": MEASURED_ON}
    write_report(report, folder)
    facts = read_facts(folder, [])
    card = render_card(facts, corpus_of(facts.report, corpus), bundled_name(facts.task))
    card.save(folder / "README.md")
    return float(measured[ERROR])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure on the data that the arguments name, and say what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m malmoi.hub_cards.bundled_reliability",
        description="Measure how true the probabilities of a model of the package are, for its report and its card.",
        allow_abbrev=False,
    )
    parser.add_argument("task", choices=("named-entities", "sentence-classification"), help="the model, by its task")
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with the data of its training")
    parser.add_argument("--corpus", help="what the training data are: a known name or a YAML file")
    options = parser.parse_args(argv)
    logging.disable_progress_bar()
    error = measure_reliability(FOLDER / options.task, options.data_dir, corpus=options.corpus)
    print(f"{ERROR} {100 * error:.1f} %")


if __name__ == "__main__":
    write_utf8()
    try:
        main()
    except (UserError, OSError) as error:
        leave(f"malmoi: {error}", 2)
