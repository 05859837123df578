"""The training set of a saved model, where the data that it is evaluated on hold it, and whether it is that."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from datasets import Dataset, DatasetDict

from malmoi.data.splits.cutting import Cut, cut_of
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
    both = _both_cut(report, splits)
    if both is None or (both.before["of"], both.before["seed"]) != (both.now.of, both.now.seed):
        return False
    # other labels have other ids, also for the same sentences
    return both.labels == task.labels(both.rows) and both.fingerprint != fingerprint(both.rows)


def are_cut_from_other_data(report: Mapping[str, Any], splits: DatasetDict, task: Task) -> bool:
    """Tell whether data were cut, and those of a training too, but not these; the arguments are as above.

    A model may have learned what is cut off then. So it is with more sentences, another form of the same ones, or
    another seed; new data look no different.
    """
    both = _both_cut(report, splits)
    if both is None:
        return False
    labels = task.labels(both.rows)
    if both.labels == labels:
        return both.fingerprint != fingerprint(both.rows)
    return {*both.labels} != {*labels}  # in another order they have other ids


class _BothCut(NamedTuple):
    """Data that were cut, and what a report says of those of its training, which were cut, too."""

    before: Mapping[str, Any]
    """How those of the training were cut."""
    labels: list[str]
    fingerprint: str
    """Those of the split by which the training was judged."""
    now: Cut
    rows: Dataset
    """That split of the data."""


def _both_cut(report: Mapping[str, Any], splits: DatasetDict) -> _BothCut | None:
    data, now = report.get("data") or {}, cut_of(splits)
    before, judged = data.get("cut"), data.get("split")
    if now is None or before is None or judged not in splits:
        return None
    return _BothCut(before, data.get("labels") or [], data["fingerprint"], now, splits[judged])


def _are_of(splits: Mapping[str, Dataset], data: Mapping[str, Any]) -> bool:
    """Tell whether these are the data of a report that does not describe the names of its training set yet."""
    return data.get("texts") == {name: rows.num_rows for name, rows in splits.items()} and (
        data["fingerprint"] == fingerprint(splits[data["split"]])
    )
