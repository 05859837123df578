"""The training set of a saved model, where the data that it is evaluated on hold it."""

from collections.abc import Mapping
from typing import Any

from datasets import Dataset

from malmoi.data.tagged_dataset import names_in
from malmoi.metrics.named_entities import describe_names
from malmoi.training.preparation import draw_fraction


def known_training_set(report: Mapping[str, Any], splits: Mapping[str, Dataset]) -> Dataset | None:
    """Return the tagged sentences that a model was trained on; `None` if it is not certain that they are there.

    The names of a training set are in no saved model, as they may be private. Its report tells them from others.

    Args:
        report: The report of the run; empty if there is none.
        splits: Tagged sentences by the name of their split.
    """
    recorded = report.get("training_names")
    if recorded is None or "train" not in splits:
        return None
    fraction = report["settings"].get("train_fraction", 1.0)
    train = draw_fraction(splits["train"], fraction, seed=report["seed"])
    return train if describe_names(names_in(train)) == recorded else None
