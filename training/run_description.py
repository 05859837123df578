"""What a report says of a run beside its figures: settings, data, epochs."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import TrainerState, TrainingArguments

from malmoi.data.readers import READERS
from malmoi.data.split_faults import count_repeated
from malmoi.recipes.recipe import Recipe
from malmoi.training.evaluation import Evaluation
from malmoi.training.recipe_arguments import typed_value
from malmoi.training.tasks import Task

# flags that say where things lie and not what is trained; a report is published, a path is nobody's business
OF_THIS_MACHINE = ("data_dir", "output_dir", "overwrite", "resume_from_checkpoint")
# settings that may be a name on the Hub or a path
NAMES_OR_PATHS = ("tokenizer", "model_name_or_path", "embeddings")


def describe_settings(recipe: Recipe) -> dict[str, Any]:
    """Return recipe and flags as a published report may show them: no credentials, no path of this machine."""
    settings = {
        key: typed_value(value)
        for key, value in {**recipe.settings, **recipe.flags}.items()
        if key not in OF_THIS_MACHINE and not key.endswith("_token")
    }
    for key in NAMES_OR_PATHS:
        if Path(str(settings.get(key))).exists():
            settings[key] = Path(str(settings[key])).name
    return settings


def describe_data(
    task: Task, reader: str, data_dir: str | Path | None, splits: Mapping[str, Dataset], *, split: str
) -> dict[str, Any]:
    """Return where the data comes from, how much there is, and on which part the figures are measured."""
    return {
        "reader": reader,
        "source": Path(data_dir).name if data_dir else READERS[reader].default_source,
        "split": split,
        "texts": {name: rows.num_rows for name, rows in splits.items()},
        "labels": task.labels(splits[split]),
        "fingerprint": fingerprint(splits[split]),
        **({"also_in_training": count_repeated(splits)} if "train" in splits else {}),
    }


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
        finished = int(epoch) - 1 if float(epoch).is_integer() else None
        took = seconds[finished] if finished is not None and finished < len(seconds) else None
        history.append({"epoch": epoch, "step": entry["step"], "train_seconds": took, **figures})
    return history


def kept_epoch(state: TrainerState, training_arguments: TrainingArguments) -> float | None:
    """Return the epoch whose model is kept: the best one if that is loaded at the end, otherwise the last."""
    if training_arguments.load_best_model_at_end:
        for entry in state.log_history:
            if entry["step"] == state.best_global_step:
                return float(entry["epoch"])
    return state.epoch


def describe_test(figures: dict[str, float], evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures on the test set with what stands behind them."""
    beside = {f"test_{name}": evaluation.details[name] for name in ("support", "intervals")}
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
