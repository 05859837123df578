"""`malmoi evaluate`."""

import json
import tempfile
from pathlib import Path
from typing import Any

from datasets import disable_progress_bars
from rich.console import Console
from transformers import TrainingArguments
from transformers.utils import logging

from malmoi.data.readers import DEFAULT_SOURCES, READERS
from malmoi.data.tagged_dataset import with_labels
from malmoi.data.token_features import token_features
from malmoi.data.user_error import UserError
from malmoi.inference.loading import load_tagger
from malmoi.training.metrics.tagging_metrics import DEFINITIONS
from malmoi.training.report import environment, print_report, read_report
from malmoi.training.run_description import describe_tokenizer
from malmoi.training.train_token_classification import build_trainer


def evaluate_model(
    model: str,
    *,
    data_dir: Path | None,
    reader: str | None,
    split: str,
    batch_size: int,
    as_json: bool,
    trust_remote_code: bool,
) -> None:
    """Compute the figures of a saved model on one part of the data, and print them."""
    logging.disable_progress_bar()
    disable_progress_bars()
    loaded = load_tagger(model, trust_remote_code=trust_remote_code)
    reader = reader or _reader_of(model)
    if reader not in READERS:
        raise UserError(f"`--reader` must be one of {', '.join(READERS)}, got {reader!r}.")
    splits = READERS[reader](data_dir)
    if split not in splits:
        raise UserError(f"{data_dir or reader}: there is no split {split!r}, only {', '.join(splits)}.")
    labels = [str(name) for _, name in sorted((loaded.model.config.id2label or {}).items())]
    features = token_features(with_labels(splits[split], labels), loaded.tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(folder, per_device_eval_batch_size=batch_size, disable_tqdm=True)
        trainer = build_trainer(loaded.model, loaded.tokenizer, arguments, train=None, validation=features)
        figures = {name.removeprefix("eval_"): value for name, value in trainer.evaluate().items()}
    report: dict[str, Any] = {
        "model": model,
        "data": {"reader": reader, "source": data_dir.name if data_dir else DEFAULT_SOURCES[reader], "split": split},
        "tokenizer": describe_tokenizer(loaded.tokenizer, features),
        "figures": figures,
        "definitions": DEFINITIONS,
        "environment": environment(),
    }
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        print_report(report, Console())


def _reader_of(model: str) -> str:
    """Return the reader that the model was trained with."""
    report = read_report(Path(model)) if Path(model).is_dir() else None
    if report is None or "data" not in report:
        raise UserError(f"{model} has no report.json that says which reader its data needs; give it by --reader.")
    return str(report["data"]["reader"])
