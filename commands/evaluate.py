"""`malmoi evaluate`."""

import json
import tempfile
from pathlib import Path
from typing import Any

from datasets import disable_progress_bars
from transformers import TrainingArguments
from transformers.utils import logging

from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.notice import notify
from malmoi.data.readers import DIVISION_SEED, READERS, read_splits, readers_of
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.split_cutting import cut_of
from malmoi.data.split_faults import repeated_texts
from malmoi.data.tagged_dataset import bio_labels
from malmoi.data.token_windows import longest_input
from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import bundled_name, model_place
from malmoi.inference.loading import check_labels, load_model, task_of
from malmoi.models import NAMES
from malmoi.reports.report import environment, print_report, read_report, report_console, shown_figures
from malmoi.training.evaluation import Evaluation
from malmoi.training.final_evaluation import evaluate_finished
from malmoi.training.known_training_set import known_training_set
from malmoi.training.other_labels import OtherLabelsEvaluation
from malmoi.training.reading import DATASET, recognised_reader
from malmoi.training.run_report import describe_data
from malmoi.training.tasks import TASKS
from malmoi.training.tasks.named_entities import NamedEntities
from malmoi.training.trainer import build_trainer


def model_to_measure(model: str | None, *, task: str | None, reader: str | None, data_dir: Path | None) -> str:
    """Return the model that is named, or that of the package for a task, for a reader, or for what a folder holds.

    Raises:
        UserError: If neither tells which it is, or a model is named and a task, too.
    """
    if model is not None:
        if task is not None:
            raise UserError(f"--task chooses a model of the package, but {model} is named; leave out one of them.")
        return model
    if task is None:
        if reader is None and data_dir is not None:
            reader = recognised_reader(data_dir, tuple(TASKS))
        tasks = [each for each in READERS[reader].tasks if each in NAMES] if reader in READERS else []
        if len(tasks) != 1:
            raise UserError(f"Give a model, or --task for a model of the package: {', '.join(NAMES)}.")
        task = tasks[0]
    elif task not in NAMES:
        raise UserError(f"--task must be one of {', '.join(NAMES)}, got {task!r}.")
    return bundled_name(task)


def evaluate_model(
    model: str,
    *,
    data_dir: Path | None,
    reader: str | None,
    options: ReadingOptions,
    division_seed: int | None,
    split: str,
    batch_size: int,
    as_json: bool,
    every_figure: bool,
    trust_remote_code: bool,
) -> None:
    """Compute the figures of a saved model on one part of the data, and print them."""
    logging.disable_progress_bar()
    disable_progress_bars()
    loaded = load_model(model, None, trust_remote_code=trust_remote_code)
    task = TASKS[str(task_of(loaded.model.config))]
    check_labels(model, loaded.model.config, task.name)
    reader = reader or _reader_of(model, task.name, data_dir, options)
    if reader not in readers_of(task.name):
        raise UserError(
            f"`--reader` must be one of {', '.join(readers_of(task.name))} for {task.name}, got {reader!r}."
        )
    if data_dir is None and options.dataset is None:
        _check_sample_is_meant(model, reader)
    seed = _report_of(model).get("settings", {}).get("division_seed", DIVISION_SEED)
    splits = read_splits(
        reader,
        data_dir,
        task=task.name,
        options=options,
        division_seed=seed if division_seed is None else division_seed,
    )
    if split not in splits:
        raise UserError(
            f"{data_dir or options.dataset or reader}: there is no split {split!r}, only {', '.join(splits)}."
        )
    if (
        "train" in splits
        and split != "train"
        and (repeated := repeated_texts({k: splits[k] for k in ("train", split)}))
    ):
        notify(repeated)
    labels = [str(name) for _, name in sorted((loaded.model.config.id2label or {}).items())]
    max_length = longest_input(loaded.model.config, loaded.tokenizer)
    scheme = read_label_scheme(labels) if isinstance(task, NamedEntities) else None
    rows = task.with_labels(splits[split], labels if scheme is None or scheme.is_bio else bio_labels(scheme.types()))
    features = task.features(rows, loaded.tokenizer, max_length=max_length)
    evaluation: Evaluation
    if isinstance(task, NamedEntities) and scheme is not None:
        train = None if split == "train" else known_training_set(_report_of(model), splits)
        if train is None and split != "train":
            notify(f"which names are unseen is not known: the data hold no training set that is that of {model}.")
        evaluation = (
            task.evaluation(features, rows, train=train)
            if scheme.is_bio
            else OtherLabelsEvaluation(features, rows, task.metrics_maker(train), labels=labels, scheme=scheme)
        )
    else:
        evaluation = task.evaluation(features, rows)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(folder, per_device_eval_batch_size=batch_size, disable_tqdm=True)
        trainer = build_trainer(task, loaded.model, loaded.tokenizer, arguments, train=None, evaluation=evaluation)
        figures = evaluate_finished(task, trainer, evaluation, loaded.tokenizer, max_length=max_length)
    report: dict[str, Any] = {
        "model": model,
        "task": task.name,
        "data": describe_data(
            task,
            reader,
            data_dir,
            {split: rows},
            split=split,
            dataset=options.dataset,
            cut=cut if (cut := cut_of(splits)) is not None and split in cut.texts else None,
        ),
        "tokenizer": {"vocab_size": len(loaded.tokenizer), **task.describe_tokens(evaluation)},
        "figures": figures,
        **evaluation.details,
        "definitions": {name: text for name, text in task.definitions.items() if name in figures},
        "breakdown": task.breakdown,
        "environment": environment(),
    }
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return
    names = list(report["definitions"]) if every_figure else shown_figures(report)
    print_report(report, report_console(), names=names)
    if len(names) < len(report["definitions"]):
        print(f"--all shows {len(report['definitions']) - len(names)} more figures, those by which KLUE is judged.")


def _check_sample_is_meant(model: str, reader: str) -> None:
    """Refuse to measure a model on the sample corpus that was trained on other data, where those are not named."""
    without_folder = READERS[reader].default_source
    trained_on = _data_of(model).get("source", without_folder)
    if "sample corpus" in (without_folder or "") and trained_on != without_folder:
        raise UserError(f"{model} was trained on {trained_on}; say by --data_dir where those data, or others, are.")


def _reader_of(model: str, task: str, data_dir: Path | None, options: ReadingOptions) -> str:
    """Return the reader that the model was trained with, or another one if the folder is in its format."""
    if options.dataset is not None:
        return DATASET
    known = _data_of(model).get("reader")
    if data_dir is not None:
        return recognised_reader(data_dir, (task,), preferred=known)
    if known is None:
        raise UserError(f"{model} has no report.json that says which reader its data needs; give it by --reader.")
    return str(known)


def _data_of(model: str) -> dict[str, Any]:
    """Return what the report of a run says of its data; nothing if there is none."""
    return _report_of(model).get("data") or {}


def _report_of(model: str) -> dict[str, Any]:
    """Return the report of a run; an empty one if there is none."""
    folder = Path(model_place(model))
    return (read_report(folder) if folder.is_dir() else None) or {}
