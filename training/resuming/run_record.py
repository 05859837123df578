"""What a training is about, kept in every checkpoint: labels, tokenizer, data and settings that stay the same."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, DatasetDict
from safetensors import safe_open
from transformers import (
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_callback import ExportableState
from transformers.utils import SAFE_WEIGHTS_NAME

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import one_line
from malmoi.data.probable_classes import PROBABILITIES
from malmoi.modeling.lexicon import Lexicon
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.resuming.checkpoints import read_state

# what may change on the way, and what is compared by what it leads to: data, vocabulary, weights
FREE_ARGUMENTS = (
    *("reader", "data_dir", "dataset", "text_column", "label_column", "tag_column", "token_separator", "annotator"),
    *("division_seed", "trim_josa", "overwrite", "early_stopping_patience", "early_stopping_threshold"),
    *("tokenizer", "tokenizer_min_frequency", "tokenizer_vocab_size", "model_type", "model_name_or_path"),
    *("embeddings", "keep_optimizer", "lexicon", "silver_text", "silver_teachers"),
)
# a checkpoint brings its optimizer and its schedule: other values would be passed over in silence
BINDING_TRAINING_ARGUMENTS = (
    *("seed", "data_seed", "learning_rate", "weight_decay", "optim", "optim_args"),
    *("adam_beta1", "adam_beta2", "adam_epsilon"),
    *("lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "max_grad_norm", "label_smoothing_factor"),
    *("neftune_noise_alpha", "train_sampling_strategy", "dataloader_drop_last"),
    # and the value of its best model, with which those of another figure would be compared
    *("metric_for_best_model", "greater_is_better"),
)
# written by transformers, the same in result, or compared by what it leads to
FREE_SETTINGS = (
    *("transformers_version", "dtype", "torch_dtype", "auto_map", "custom_pipelines", "architectures", "use_cache"),
    *("_name_or_path", "name_or_path", "problem_type", "crf_implementation", "id2label", "label2id", "vocab_size"),
    *("pad_token_id", "bos_token_id", "eos_token_id", "unk_token_id", "untagged_token_ids", "malmoi_task"),
)
# names of rows; probabilities, whose last digits follow the number of threads: the likeliest class stands beside them
FREE_COLUMNS = ("id", PROBABILITIES)
COMPARED_TEXTS = 1000
TEACHERS = "teachers"
NAMED = {"train": "the training data are others", TEACHERS: "the models that `silver_teachers` names are others"}
"""What is said of data that are others."""
MOST_NAMED = 5


class RunRecord(TrainerCallback, ExportableState):
    """Puts into every checkpoint what its training is about."""

    def __init__(self, content: dict[str, Any]):
        self.content = content

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"args": {"content": self.content}, "attributes": {}}


def describe_training(
    arguments: RecipeArguments,
    training_arguments: TrainingArguments,
    splits: DatasetDict,
    *,
    silver: Dataset | None = None,
    teachers: str | None = None,
) -> dict[str, Any]:
    """Return what a training must have in common with the checkpoint that it goes on from.

    Args:
        arguments: The arguments of the task.
        training_arguments: Those of transformers.
        splits: The labelled data.
        silver: What finished models have labelled for it, if anything.
        teachers: A hash of those models.
    """
    settings = {
        field.name: getattr(arguments, field.name)
        for field in dataclasses.fields(arguments)
        if field.name not in FREE_ARGUMENTS
    }
    for name in BINDING_TRAINING_ARGUMENTS:
        value = getattr(training_arguments, name, None)
        settings[name] = getattr(value, "value", value)
    batch = training_arguments.train_batch_size * training_arguments.gradient_accumulation_steps
    settings["texts in a step"] = batch * training_arguments.world_size
    data: dict[str, str | None] = {**fingerprints(splits), "silver": None}
    if silver is not None:
        data |= {"silver": _fingerprint(silver), TEACHERS: teachers}
    return {"settings": settings, "data": data}


def fingerprints(splits: DatasetDict) -> dict[str, str]:
    """Return hashes of the labelled data that a training learns and chooses its best model by."""
    return {split: _fingerprint(splits[split]) for split in ("train", "validation")}


def read_record(checkpoint: Path) -> dict[str, Any] | None:
    """Return what a checkpoint says its training is about; `None` for those of older versions, which do not."""
    record: dict[str, Any] = read_state(checkpoint)["stateful_callbacks"].get(RunRecord.__name__, {})
    return record.get("args", {}).get("content")


def check_resuming(
    checkpoint: Path,
    record: dict[str, Any],
    *,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Dataset,
) -> None:
    """Check that a training can go on from a checkpoint: with its labels, tokenizer, sizes, data and settings.

    Args:
        checkpoint: The checkpoint.
        record: What the training is about, from `describe_training`.
        model: The model that the training would go on with.
        tokenizer: Its tokenizer.
        train: The training set; both tokenizers must read its first texts alike.

    Raises:
        RecipeError: If anything differs; it names what.
    """
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    differences = [
        *_other_labels(config, model.config),
        *_other_tokenizer(checkpoint, tokenizer, list(train[:COMPARED_TEXTS]["text"])),
        *_other_model(checkpoint, config, model),
    ]
    before = read_record(checkpoint)
    if before is not None:
        differences += other_data(before["data"], record["data"])
        differences += [
            f"`{name}` was {before['settings'][name]} and is {value}"
            for name, value in json.loads(json.dumps(record["settings"])).items()
            if name in before["settings"] and before["settings"][name] != value
        ]
    if differences:
        raise RecipeError(
            f"The training of {checkpoint} cannot go on with what is given now: {'; '.join(differences)}. Give it "
            "what it began with, or begin a new training with its weights by --model_name_or_path "
            f"{checkpoint} and another --output_dir."
        )


def other_data(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return which data are others, in words.

    Args:
        before: Hashes of the data that a training began with; older versions have kept none of teachers.
        now: Those of the data that it would go on with.
    """
    return [
        NAMED.get(part, f"the {part} data are others")
        for part, fingerprint in now.items()
        if before.get(part) != fingerprint and (part in before or part != TEACHERS)
    ]


def _other_labels(config: dict[str, Any], now: PreTrainedConfig) -> list[str]:
    before = [str(label) for _, label in sorted((config.get("id2label") or {}).items(), key=lambda kv: int(kv[0]))]
    after = labels_of(now)
    if before == after or not before:
        return []
    changes = {
        "new": [label for label in after if label not in before],
        "gone": [label for label in before if label not in after],
    }
    named = "; ".join(f"{word}: {_some(labels)}" for word, labels in changes.items() if labels)
    return [f"the labels are others ({named or 'the same in another order'})"]


def _other_tokenizer(checkpoint: Path, now: PreTrainedTokenizerBase, texts: list[str]) -> list[str]:
    try:
        before: Any = AutoTokenizer.from_pretrained(checkpoint)
    except (OSError, ValueError) as error:
        raise RecipeError(f"{checkpoint}: its tokenizer cannot be read ({one_line(error)}).") from error
    old, new = before.get_vocab(), now.get_vocab()
    moved = sum(old.get(token) != number for token, number in new.items())
    if moved or len(old) != len(new):
        return [f"the tokenizer is another ({len(old):,} tokens before, {len(new):,} now, {moved:,} with another id)"]
    ids = [tokenizer(texts, verbose=False)["input_ids"] for tokenizer in (before, now)]
    return [] if ids[0] == ids[1] else ["the tokenizer splits text in another way"]


def _other_model(checkpoint: Path, config: dict[str, Any], model: PreTrainedModel) -> list[str]:
    if config.get("model_type") != model.config.model_type:
        return [f"the architecture was {config.get('model_type')} and is {model.config.model_type}"]
    before = type(model.config).from_pretrained(checkpoint).to_dict()
    return _other_settings(before, model.config.to_dict()) or _other_words(checkpoint, model)


def _other_words(checkpoint: Path, model: PreTrainedModel) -> list[str]:
    """Compare the words of lexicons with as many words of the same classes."""
    tables = {
        f"{name}.{table}": getattr(layer, table).cpu()
        for name, layer in model.named_modules()
        if isinstance(layer, Lexicon)
        for table in ("word_hashes", "word_classes")
    }
    weights = checkpoint / SAFE_WEIGHTS_NAME
    if not tables or not weights.is_file():
        return []
    with safe_open(weights, framework="pt") as before:
        same = all(torch.equal(before.get_tensor(name), table) for name, table in tables.items())
    return [] if same else ["the words of the lexicon are others"]


def _other_settings(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    differences = []
    for name in sorted(before.keys() & now.keys() - set(FREE_SETTINGS)):
        old, new = before[name], now[name]
        if isinstance(old, dict) and isinstance(new, dict):
            differences += _other_settings(old, new)
        elif old != new:
            differences.append(f"`{name}` was {old} and is {new}")
    return differences


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"


def _fingerprint(dataset: Dataset) -> str:
    """Return a hash of all columns but the free ones; whole columns at once, as a corpus may be large."""
    digest = hashlib.sha256()
    for name in sorted(dataset.column_names):
        if name not in FREE_COLUMNS:
            digest.update(json.dumps([name, dataset[name][:]], ensure_ascii=False).encode())
    return digest.hexdigest()[:16]
