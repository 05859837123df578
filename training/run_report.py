"""The report of a run, put together: figures, and all that they depend on and cost."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import TrainerState, TrainingArguments

from malmoi.data.readers import READERS
from malmoi.data.splits.cutting import Cut, cut_of
from malmoi.data.splits.faults import count_repeated
from malmoi.inference.loading import LoadedModel
from malmoi.modeling.linear_chain_crf import LinearChainCrf
from malmoi.reports.costs import DEFINITIONS as COST_DEFINITIONS
from malmoi.reports.costs import peak_memory_bytes, texts_per_second, without_kernels
from malmoi.reports.report import environment
from malmoi.training.described_settings import describe_settings, name_without_path
from malmoi.training.evaluation import Evaluation
from malmoi.training.plan import TrainingPlan
from malmoi.training.preparation import Preparation
from malmoi.training.request import TrainingRequest
from malmoi.training.resuming.checkpoints import step_of
from malmoi.training.steps import end_of_training
from malmoi.training.tasks import Task
from malmoi.training.trainer import Training


def make_report(
    request: TrainingRequest,
    prepared: Preparation,
    plan: TrainingPlan,
    training: Training,
    figures: Mapping[str, dict[str, float]],
    *,
    started: float,
) -> dict[str, Any]:
    """Put together what `report.json` says of a run; the first process alone measures how the model answers.

    Args:
        request: What was asked for.
        prepared: What the training started from, with the details of the last evaluation.
        plan: How long the training was to be.
        training: The training.
        figures: The figures of the model that is kept, for each split.
        started: When the run began, by `time.perf_counter()`.
    """
    task, training_arguments = request.task, request.training_arguments
    state = training.trainer.state
    evaluation = prepared.evaluations["validation"]
    history = epoch_history(state.log_history, training.timer.seconds, task)
    # the only evaluation, if none was asked for
    history = history or [{"epoch": state.epoch, "step": state.global_step, **figures["validation"]}]
    beginning = describe_beginning(request, prepared, plan)
    report: dict[str, Any] = {
        "recipe": request.recipe.name,
        "task": task.name,
        "model_type": prepared.model.config.model_type,
        **beginning,
        "data": describe_training_data(request, prepared),
        "training": describe_steps(request, prepared, plan, state, settings=beginning["settings"]),
        "tokenizer": {"vocab_size": len(prepared.tokenizer), **task.describe_tokens(evaluation)},
        **({"embeddings": prepared.embeddings} if prepared.embeddings else {}),
        **({"silver": prepared.silver.description} if prepared.silver else {}),
        "figures": figures["validation"],
        **evaluation.details,
        **(describe_test(figures["test"], prepared.evaluations["test"]) if "test" in figures else {}),
        "definitions": {name: text for name, text in task.definitions.items() if name in figures["validation"]},
        "breakdown": task.breakdown,
        **summarize_epochs(history, task.main_figure),
        "kept_epoch": kept_epoch(state, training_arguments),
        "losses": loss_history(state.log_history),
        "seconds_per_epoch": training.timer.total() / (state.epoch or 1),
        "seconds_total": time.perf_counter() - started,
        "parameters": prepared.model.num_parameters(),
        "peak_memory_bytes": peak_memory_bytes(),
        "cost_definitions": COST_DEFINITIONS,
        "seed": training_arguments.seed,
        "examples": task.examples(prepared.splits["validation"]),
        "environment": environment(),
    }
    if training.trainer.is_world_process_zero():
        report |= measure_answers(task, prepared, batch_size=training_arguments.per_device_eval_batch_size)
    return report


def measure_answers(task: Task, prepared: Preparation, *, batch_size: int) -> dict[str, Any]:
    """Return what answers are like that the model gives once it is trained, and how fast it gives them.

    Args:
        task: What it is for.
        prepared: The model, and the data.
        batch_size: How many texts are answered at once.
    """
    measured: dict[str, Any] = {}
    loaded = LoadedModel(prepared.model.eval(), prepared.tokenizer)
    for split, prefix in (("validation", ""), ("test", "test_")):
        if split in prepared.splits:
            found = task.describe_answers(loaded, prepared.splits[split], batch_size=batch_size)
            measured |= {prefix + name: value for name, value in found.items()}
    answered = *loaded, prepared.splits["validation"]["text"]
    measured["texts_per_second"] = texts_per_second(*answered, max_length=prepared.max_length)
    if any(isinstance(module, LinearChainCrf) for module in prepared.model.modules()):
        with without_kernels():
            measured["texts_per_second_without_malmoi"] = texts_per_second(*answered, max_length=prepared.max_length)
    return measured


def describe_beginning(request: TrainingRequest, prepared: Preparation, plan: TrainingPlan) -> dict[str, Any]:
    """Return the settings that a training had in the end, and the finished model that it began from, if any."""
    settings, finished = describe_settings(request.recipe), prepared.finished
    if prepared.embeddings is not None and "embedding_size" in settings:
        settings["embedding_size"] = prepared.embeddings["embedding_size"]
    if finished is None:
        return {"settings": settings | plan.changed}
    return {
        "settings": finished.settings_used(settings) | plan.changed,
        "trained_on_from": finished.describe(request.task.labels(prepared.splits["train"])),
    }


def describe_steps(
    request: TrainingRequest,
    prepared: Preparation,
    plan: TrainingPlan,
    state: TrainerState,
    *,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Return what a training was: texts, hashes of its data, batches, steps, its end, and what was given otherwise."""
    training_arguments, precision = request.training_arguments, request.training_arguments.mixed_precision
    given = describe_settings(request.recipe)
    names = [name for name in {**given, **settings} if name not in settings or given.get(name) != settings[name]]
    instead_of = {name: given.get(name) for name in names}
    return {
        "texts_per_epoch": prepared.train.num_rows,
        "fingerprints": plan.record["data"],
        "batch": training_arguments.train_batch_size
        * training_arguments.gradient_accumulation_steps
        * training_arguments.world_size,
        "processes": training_arguments.world_size,
        "steps": state.global_step,
        "ended": end_of_training(state.global_step, plan.steps),
        **({"instead_of": instead_of} if instead_of else {}),
        "precision": {"no": "float32"}.get(precision, precision),
    }


def describe_training_data(request: TrainingRequest, prepared: Preparation) -> dict[str, Any]:
    """Return what a report says of the data of a training, which is judged on their validation part."""
    arguments, splits = request.arguments, prepared.splits
    described = describe_data(
        request.task,
        arguments.reader,
        arguments.data_dir,
        splits,
        split="validation",
        dataset=arguments.dataset if request.recipe.dataset is None else request.recipe.dataset,
        cut=cut_of(splits),
    )
    return {**described, **({"test_fingerprint": fingerprint(splits["test"])} if "test" in splits else {})}


def describe_data(
    task: Task,
    reader: str,
    data_dir: str | Path | None,
    splits: Mapping[str, Dataset],
    *,
    split: str,
    dataset: object = None,
    cut: Cut | None = None,
) -> dict[str, Any]:
    """Return where the data comes from, how much there is, and on which part the figures are measured.

    Args:
        task: What they are for.
        reader: The reader that has read them.
        data_dir: Their folder, if there is one.
        splits: The splits.
        split: The one that is measured.
        dataset: The dataset that they are of, if `data_dir` does not say where they are.
        cut: How missing splits were cut, if they were.
    """
    return {
        "reader": reader,
        "source": describe_source(reader, data_dir, dataset),
        "split": split,
        "texts": {name: rows.num_rows for name, rows in splits.items()},
        **({} if cut is None else {"cut": cut._asdict()}),
        "labels": task.labels(splits[split]),
        "fingerprint": fingerprint(splits[split]),
        **({"also_in_training": count_repeated(splits)} if "train" in splits else {}),
    }


def describe_source(reader: str, data_dir: str | Path | None, dataset: object) -> str | None:
    """Return what a report calls the data: their name on the Hub, or that of their folder without where it lies."""
    if dataset is None:
        return _folder_name(data_dir) if data_dir else READERS[reader].default_source
    if not isinstance(dataset, (str, os.PathLike)):
        return f"a {type(dataset).__name__} in Python"
    folder = Path(dataset).expanduser()
    return _folder_name(folder) if folder.exists() else f"{name_without_path(os.fspath(dataset))} (Hub)"


def _folder_name(path: str | Path) -> str:
    """Return the name of a folder or file; `.` has none of its own."""
    return Path(os.path.abspath(path)).name


def fingerprint(dataset: Dataset) -> str:
    """Return a hash of the texts and labels of a dataset: equal where figures are measured on the same data."""
    digest = hashlib.sha256()
    for row in dataset.remove_columns("id"):
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def epoch_history(log_history: list[dict[str, Any]], seconds: list[float], task: Task) -> list[dict[str, Any]]:
    """Return one entry per evaluation during training: epoch, training seconds of that epoch, figures from 0 to 1."""
    history = []
    for entry in log_history:
        if f"eval_{task.main_figure}" not in entry:
            continue
        figures = {name: entry[f"eval_{name}"] for name in ("loss", *task.definitions) if f"eval_{name}" in entry}
        epoch = entry["epoch"]
        is_whole = float(epoch).is_integer() and 1 <= epoch <= len(seconds)
        took = seconds[int(epoch) - 1] if is_whole else None
        history.append({"epoch": epoch, "step": entry["step"], "train_seconds": took, **figures})
    return history


def kept_epoch(state: TrainerState, training_arguments: TrainingArguments) -> float | None:
    """Return the epoch whose model is kept: the best one if that is loaded at the end, otherwise the last."""
    if training_arguments.load_best_model_at_end:
        # the best of those that were saved need not be that of the best evaluation
        saved = state.best_model_checkpoint
        step = state.best_global_step if saved is None else step_of(saved)
        for entry in state.log_history:
            if entry["step"] == step:
                return float(entry["epoch"])
    return state.epoch


def describe_test(figures: dict[str, float], evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures on the test set with what stands behind them."""
    beside = {
        f"test_{name}": evaluation.details[name]
        for name in ("counted", "support", "intervals")
        if name in evaluation.details
    }
    return {"test_figures": figures, **beside}


def loss_history(log_history: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the training loss wherever it was logged."""
    return [
        {"epoch": entry["epoch"], "step": entry["step"], "loss": entry["loss"]}
        for entry in log_history
        if "loss" in entry
    ]


def summarize_epochs(history: list[dict[str, Any]], main_figure: str) -> dict[str, Any]:
    """Return the evaluations, with the best and the mean of the main figure."""
    scores = [entry[main_figure] for entry in history]
    best = max(history, key=lambda entry: entry[main_figure])
    return {
        "main_figure": main_figure,
        "epochs": history,
        "best": best[main_figure],
        "best_epoch": best["epoch"],
        "mean": sum(scores) / len(scores),
    }
