"""The figures of a saved model on one part of the data.

What is wrong with model or data is said before anything is computed: `prepare` looks, `measure` computes.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset, DatasetDict
from transformers import TrainingArguments

from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.longest_input import longest_input
from malmoi.data.model_labels import labels_of
from malmoi.data.notice import notify
from malmoi.data.readers import DIVISION_SEED, READERS, read_splits, readers_of
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.splits.cutting import cut_of
from malmoi.data.splits.faults import repeated_texts
from malmoi.data.tagged_dataset import bio_labels, names_in
from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import model_place
from malmoi.inference.loading import LoadedModel, check_labels, load_model, task_of
from malmoi.reports.report import environment, read_report
from malmoi.training.evaluation import Evaluation
from malmoi.training.final_evaluation import evaluate_finished
from malmoi.training.known_training_set import are_cut_from_other_data, is_cut_otherwise, known_training_set
from malmoi.training.other_labels import OtherLabelsEvaluation
from malmoi.training.processes.launcher import say
from malmoi.training.reading import DATASET, options_as_in_training, recognised, recognised_reader
from malmoi.training.run_report import describe_data, describe_source
from malmoi.training.tasks import TASKS, Task
from malmoi.training.tasks.named_entities import NamedEntities
from malmoi.training.trainer import build_trainer


class NamedModel(NamedTuple):
    """A loaded model, what it was named by, its task, and the report of its training, which may be empty."""

    name: str
    loaded: LoadedModel
    task: Task
    report: Mapping[str, Any]


class MeasuredData(NamedTuple):
    """The data that models are measured on: all that was read, and which part of it.

    Args:
        reader: What read it.
        data_dir: Where it lies; `None` for what the reader has without a folder.
        dataset: The dataset that was named instead, if any.
        splits: All parts.
        split: The part in question.
    """

    reader: str
    data_dir: Path | None
    dataset: object
    splits: DatasetDict
    split: str


class Measurement(NamedTuple):
    """A model, and the data in its labels.

    Args:
        model: The model.
        data: The data.
        rows: The part in question.
        train: The training set of the model, if the data are known to hold it.
        evaluation: What judges the model.
        max_length: How many tokens it sees at once; `None` if there is no limit.
    """

    model: NamedModel
    data: MeasuredData
    rows: Dataset
    train: Dataset | None
    evaluation: Evaluation
    max_length: int | None

    def training_names(self) -> frozenset[str] | None:
        """Return the names of the training set of the model, if they are known."""
        return None if self.train is None else frozenset(names_in(self.train))


def load_named(model: str, *, trust_remote_code: bool) -> NamedModel:
    """Load a model to be measured.

    Raises:
        UserError: If it cannot be loaded, or has no labels that are read for its task.
    """
    loaded = load_model(model, None, trust_remote_code=trust_remote_code)
    task = TASKS[str(task_of(loaded.model.config))]
    check_labels(model, loaded.model.config, task.name)
    folder = Path(model_place(model))
    return NamedModel(model, loaded, task, (read_report(folder) if folder.is_dir() else None) or {})


def read_measured_data(
    model: NamedModel,
    *,
    data_dir: Path | None,
    reader: str | None,
    options: ReadingOptions,
    division_seed: int | None,
    trim_josa: bool | None,
    split: str | None,
) -> MeasuredData:
    """Read the data that a model is to be measured on.

    Args:
        model: The model.
        data_dir: Folder with the data; without it the reader may have some.
        reader: What reads it; by default the reader that the model was trained with, if the files are in its format.
        options: What else is said of the data; the rest is as in the training of the model.
        division_seed: Seed by which missing splits are cut; by default that of the training.
        trim_josa: Whether names lose what looks like a josa at their end; by default as in the training.
        split: Which part of it; by default `validation`, or the only one that there is.

    Raises:
        UserError: If there is no such reader for the task of the model, or no such part.
    """
    is_recognised = reader is None and options.dataset is None and data_dir is not None
    reader = reader or _reader_of(model, data_dir, options)
    readers = readers_of(model.task.name)
    if reader not in readers:
        raise UserError(f"`--reader` must be one of {', '.join(readers)} for {model.task.name}, got {reader!r}.")
    if data_dir is None and options.dataset is None:
        _check_sample_is_meant(model, reader)
    settings = model.report.get("settings", {})
    splits = read_splits(
        reader,
        data_dir,
        task=model.task.name,
        options=options_as_in_training(model.report, reader, options),
        division_seed=settings.get("division_seed", DIVISION_SEED) if division_seed is None else division_seed,
        trim_josa=settings.get("trim_josa", False) if trim_josa is None else trim_josa,
    )
    if is_recognised:
        say(recognised(str(data_dir), reader, splits))
    split = split or (next(iter(splits)) if len(splits) == 1 else "validation")
    if split not in splits:
        place = data_dir or describe_source(reader, None, options.dataset)
        raise UserError(f"{place}: there is no split {split!r}, only {', '.join(splits)}.")
    if (
        "train" in splits
        and split != "train"
        and (repeated := repeated_texts({k: splits[k] for k in ("train", split)}))
    ):
        notify(repeated)
    return MeasuredData(reader, data_dir, options.dataset, splits, split)


def prepare(model: NamedModel, data: MeasuredData) -> Measurement:
    """Return the data in the labels of a model; say if it may have learned what it is to be judged by.

    Raises:
        UserError: If it has labels that the model lacks.
    """
    if data.split != "train":
        _say_what_may_be_learned(model, data)
    config, tokenizer, task = model.loaded.model.config, model.loaded.tokenizer, model.task
    labels = labels_of(config)
    max_length = longest_input(config, tokenizer)
    scheme = read_label_scheme(labels) if isinstance(task, NamedEntities) else None
    rows = task.with_labels(
        data.splits[data.split], labels if scheme is None or scheme.is_bio else bio_labels(scheme.types())
    )
    features = task.features(rows, tokenizer, max_length=max_length)
    train = None
    evaluation: Evaluation
    if isinstance(task, NamedEntities) and scheme is not None:
        if data.split != "train":
            train = known_training_set(model.report, data.splits)
            if train is None:
                notify(
                    f"which names are unseen is not known: the data hold no training set that is that of {model.name}."
                )
        evaluation = (
            task.evaluation(features, rows, train=train)
            if scheme.is_bio
            else OtherLabelsEvaluation(features, rows, task.metrics_maker(train), labels=labels, scheme=scheme)
        )
    else:
        evaluation = task.evaluation(features, rows)
    return Measurement(model, data, rows, train, evaluation, max_length)


def _say_what_may_be_learned(model: NamedModel, data: MeasuredData) -> None:
    """Point out that texts are cut from what a model may have learned, for all that its report tells."""
    cut = cut_of(data.splits)
    if is_cut_otherwise(model.report, data.splits, model.task):
        notify(
            f"the {data.split} texts are cut from the training set otherwise than when {model.name} was trained, by "
            "an older version or from data that have changed since: it may have learned some of them."
        )
    elif cut is not None and are_cut_from_other_data(model.report, data.splits, model.task):
        notify(
            f"the {data.split} texts are cut from {cut.of:,} texts, which are not those from which {model.name} was "
            "trained: it may have learned some of them, and figures would be too good. Texts that it has not learned "
            "belong in a file whose name says test."
        )


def prepare_against(model: str, first: Measurement, *, trust_remote_code: bool) -> Measurement:
    """Return the data of a measurement in the labels of another model.

    Raises:
        UserError: If that cannot be loaded, is one for another task, or lacks labels that the data have.
    """
    named = load_named(model, trust_remote_code=trust_remote_code)
    if named.task.name != first.model.task.name:
        raise UserError(
            f"--against {model}: this is a model for {named.task.name}, but {first.model.name} is one for "
            f"{first.model.task.name}."
        )
    try:
        return prepare(named, first.data)
    except UserError as error:
        raise UserError(f"--against {model}: {error}") from None


def measure(measurement: Measurement, *, batch_size: int) -> dict[str, Any]:
    """Return the figures of a model, with all that they depend on."""
    (name, loaded, task, _), data, rows, _, evaluation, max_length = measurement
    cut = cut_of(data.splits)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(folder, per_device_eval_batch_size=batch_size, disable_tqdm=True)
        trainer = build_trainer(task, loaded.model, loaded.tokenizer, arguments, train=None, evaluation=evaluation)
        figures = evaluate_finished(task, trainer, evaluation, loaded.tokenizer, max_length=max_length)
    return {
        "model": name,
        "task": task.name,
        "data": describe_data(
            task,
            data.reader,
            data.data_dir,
            {data.split: rows},
            split=data.split,
            dataset=data.dataset,
            cut=cut if cut is not None and data.split in cut.texts else None,
        ),
        "tokenizer": {"vocab_size": len(loaded.tokenizer), **task.describe_tokens(evaluation)},
        "figures": figures,
        **evaluation.details,
        **task.describe_answers(loaded, rows, batch_size=batch_size),
        "definitions": {name: text for name, text in task.definitions.items() if name in figures},
        "breakdown": task.breakdown,
        "environment": environment(),
    }


def _check_sample_is_meant(model: NamedModel, reader: str) -> None:
    """Refuse to measure a model on the sample corpus that was trained on other data, where those are not named."""
    without_folder = READERS[reader].default_source
    trained_on = (model.report.get("data") or {}).get("source", without_folder)
    if "sample corpus" in (without_folder or "") and trained_on != without_folder:
        raise UserError(
            f"{model.name} was trained on {trained_on}; say by --data_dir where those data, or others, are."
        )


def _reader_of(model: NamedModel, data_dir: Path | None, options: ReadingOptions) -> str:
    """Return the reader that the model was trained with, or another one if the folder is in its format."""
    if options.dataset is not None:
        return DATASET
    known = (model.report.get("data") or {}).get("reader")
    if data_dir is not None:
        return recognised_reader(data_dir, (model.task.name,), preferred=known, options=options)
    if known is None:
        raise UserError(f"{model.name} has no report.json that says which reader its data needs; give it by --reader.")
    return str(known)
