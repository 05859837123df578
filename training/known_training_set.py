"""The training set of a saved model, where the data that it is evaluated on hold it, and whether it is that."""

from collections.abc import Mapping
from typing import Any

from datasets import Dataset, DatasetDict

from malmoi.data.splits.cutting import cut_of
from malmoi.data.tagged_dataset import names_in
from malmoi.metrics.named_entities import describe_names
from malmoi.training.preparation import draw_fraction
from malmoi.training.run_report import fingerprint
from malmoi.training.tasks import Task


def known_training_set(report: Mapping[str, Any], splits: Mapping[str, Dataset]) -> Dataset | None:
    """Return the tagged sentences that a model was trained on; `None` if they are not there, for all that is known.

    The names of a training set are in no saved model, as they may be private. Its report tells them from others.

    Args:
        report: The report of the run; empty if there is none.
        splits: Tagged sentences by the name of their split.
    """
    if "train" not in splits or not ("training_names" in report or _are_of(splits, report.get("data", {}))):
        return None
    train = draw_fraction(splits["train"], report["settings"].get("train_fraction", 1.0), seed=report["seed"])
    recorded = report.get("training_names")
    return train if recorded is None or recorded == describe_names(names_in(train)) else None


def is_cut_otherwise(report: Mapping[str, Any], splits: DatasetDict, task: Task) -> bool:
    """Tell whether as many data were cut by the same seed as in a training, but into other parts.

    An older version kept together less of what belongs together; or the data have changed.

    Args:
        report: The report of the run; empty if there is none.
        splits: The data by the name of their split.
        task: What they are for.
    """
    data, cut = report.get("data") or {}, cut_of(splits)
    before, judged = data.get("cut"), data.get("split")
    if cut is None or before is None or judged not in splits or (before["of"], before["seed"]) != (cut.of, cut.seed):
        return False
    # other labels have other ids, also for the same sentences
    return data.get("labels") == task.labels(splits[judged]) and data["fingerprint"] != fingerprint(splits[judged])


def are_cut_from_other_data(report: Mapping[str, Any], splits: DatasetDict, task: Task) -> bool:
    """Tell whether data were cut, and those of a training too, but not these.

    A model may have learned what is cut off then. So it is with more sentences, another form of the same ones, or
    another seed; new data look no different.

    Args:
        report: The report of the run; empty if there is none.
        splits: The data by the name of their split.
        task: What they are for.
    """
    data, cut = report.get("data") or {}, cut_of(splits)
    before, judged = data.get("cut"), data.get("split")
    if cut is None or before is None or judged not in splits:
        return False
    labels = task.labels(splits[judged])
    if data.get("labels") == labels:
        return bool(data["fingerprint"] != fingerprint(splits[judged]))
    return {*data.get("labels", ())} != {*labels}  # in another order they have other ids


def _are_of(splits: Mapping[str, Dataset], data: Mapping[str, Any]) -> bool:
    """Tell whether these are the data of a report that does not describe the names of its training set yet."""
    return data.get("texts") == {name: rows.num_rows for name, rows in splits.items()} and (
        data["fingerprint"] == fingerprint(splits[data["split"]])
    )
