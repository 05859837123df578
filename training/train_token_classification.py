"""Train a token classifier from a recipe.

malmoi train klue-ner-bi-lstm-crf --data_dir DIR
python -m malmoi.training.train_token_classification klue-ner-bi-lstm-crf --data_dir DIR
torchrun --nproc_per_node 2 -m malmoi.training.train_token_classification klue-ner-bi-lstm-crf --data_dir DIR
"""

import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import torch
import yaml
from datasets import Dataset, DatasetDict
from huggingface_hub.errors import StrictDataclassError
from rich.console import Console
from transformers import (
    AutoTokenizer,
    DataCollatorForTokenClassification,
    EarlyStoppingCallback,
    HfArgumentParser,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.data.augmentation import with_replaced_names
from malmoi.data.readers import DEFAULT_SOURCES, READERS
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.tagged_dataset import label_names
from malmoi.data.token_features import token_features, untagged_token_ids
from malmoi.data.user_error import UserError
from malmoi.modeling import BiLstmCrfForTokenClassification
from malmoi.modeling.pipeline_crf_token_classification import UNLIMITED
from malmoi.training.arguments import TokenClassificationArguments
from malmoi.training.callbacks import EpochTimer, RepeatableLengthGrouping, ShortLines, ShortProgress
from malmoi.training.evaluation import TaggingEvaluation, configure_evaluation, numbered, tokenizer_ceiling
from malmoi.training.metrics.tagging_metrics import DEFINITIONS
from malmoi.training.recipe import Recipe, RecipeError, load_recipe, model_settings
from malmoi.training.report import REPORT_FILE, environment, epoch_history, print_report, write_report

# flags that say where things lie and not what is trained; a report is published, a path is nobody's business
OF_THIS_MACHINE = ("data_dir", "output_dir", "overwrite", "resume_from_checkpoint")


class RecipeParser(HfArgumentParser):
    """The parser of transformers, which reports a wrong value instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found."""
        raise RecipeError(message)


def parse_recipe(recipe: Recipe) -> tuple[TokenClassificationArguments, TrainingArguments, dict[str, Any]]:
    """Return the script's arguments, the `TrainingArguments` and the settings of the model's configuration.

    Raises:
        RecipeError: If a value is not of the type of its key.
    """
    settings: dict[str, Any] = {"output_dir": f"runs/{recipe.name}", **recipe.settings}
    of_model = set(model_settings(str(recipe.flags.get("model_type", settings.get("model_type", "bilstm_crf")))))
    parser = RecipeParser([TokenClassificationArguments, TrainingArguments], allow_abbrev=False)  # type: ignore[list-item]
    of_parser = {action.dest for action in parser._actions}
    parser.set_defaults(**{key: value for key, value in settings.items() if key in of_parser})
    argv = [part for key, value in recipe.flags.items() if key in of_parser for part in (f"--{key}", value)]
    try:
        arguments, training_arguments = parser.parse_args_into_dataclasses(args=argv)
    except ValueError as error:
        raise RecipeError(" ".join(str(error).split())) from error
    model = {
        key: value for key, value in (settings | recipe.flags).items() if key in of_model and key not in of_parser
    }
    return arguments, training_arguments, {key: _typed(value) for key, value in model.items()}


def _typed(value: Any) -> Any:
    """Read the value of a flag as YAML would, and `1e-3`, which YAML takes for text, as a number."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if "e" in value.lower() else yaml.safe_load(value)
    except (ValueError, yaml.YAMLError):
        return value


def check_arguments(arguments: TokenClassificationArguments, training_arguments: TrainingArguments) -> None:
    """Refuse what would train something else than it says.

    Raises:
        RecipeError: With the rule and the value.
    """
    if arguments.reader not in READERS:
        raise RecipeError(f"`reader` must be one of {', '.join(READERS)}, got {arguments.reader!r}.")
    if not 0 <= arguments.name_replacement_probability <= 1:
        raise RecipeError(
            f"`name_replacement_probability` must be from 0 to 1, got {arguments.name_replacement_probability}."
        )
    if training_arguments.num_train_epochs <= 0 and training_arguments.max_steps <= 0:
        raise RecipeError(f"`num_train_epochs` must be above 0, got {training_arguments.num_train_epochs:g}.")
    if training_arguments.per_device_train_batch_size < 1 or training_arguments.per_device_eval_batch_size < 1:
        raise RecipeError("`per_device_train_batch_size` and `per_device_eval_batch_size` must be at least 1.")
    best = training_arguments.metric_for_best_model
    if best is not None and best.removeprefix("eval_") not in ("loss", *DEFINITIONS):
        raise RecipeError(f"`metric_for_best_model` must be loss or one of {', '.join(DEFINITIONS)}, got {best!r}.")
    if "tensorboard" in (training_arguments.report_to or []) and find_spec("tensorboard") is None:
        raise RecipeError("`report_to: tensorboard` needs TensorBoard: `pip install malmoi[tensorboard]`.")
    if training_arguments.label_smoothing_factor:
        raise RecipeError(
            "`label_smoothing_factor` would replace the loss of the CRF by token cross-entropy; remove it."
        )
    if training_arguments.fp16 and training_arguments.device.type == "cpu":
        raise RecipeError("`fp16` has no effect on CPU; use `bf16`, or a GPU.")


def load_splits(arguments: TokenClassificationArguments) -> DatasetDict:
    """Read the data of a training.

    Raises:
        RecipeError: If a split is missing.
    """
    splits = READERS[arguments.reader](Path(arguments.data_dir) if arguments.data_dir else None)
    for split in ("train", "validation"):
        if split not in splits:
            raise RecipeError(f"{arguments.data_dir} holds no {split} file for the reader {arguments.reader}.")
    return splits


def load_tokenizer(arguments: TokenClassificationArguments, train: Dataset) -> PreTrainedTokenizerBase:
    """Build the tokenizer of syllables, or load the one that is named.

    Raises:
        RecipeError: If it can neither be found in a folder nor fetched from the Hub.
    """
    if arguments.tokenizer == "syllables":
        return build_syllable_tokenizer(train["text"], min_frequency=arguments.tokenizer_min_frequency)
    try:
        tokenizer = AutoTokenizer.from_pretrained(arguments.tokenizer)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"The tokenizer {arguments.tokenizer!r} is in no such folder and could not be fetched from the Hub "
            f"({type(error).__name__}). Connect to the network, or give a folder or `syllables` by --tokenizer."
        ) from error
    tokenizer.model_max_length = UNLIMITED  # an LSTM reads texts of any length
    return tokenizer


def build_model(
    settings: dict[str, Any], labels: list[str], tokenizer: PreTrainedTokenizerBase
) -> BiLstmCrfForTokenClassification:
    """Build a BiLSTM-CRF with fresh weights for these labels and this tokenizer.

    Raises:
        RecipeError: If the configuration refuses a setting.
    """
    given = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "unk_token_id": tokenizer.unk_token_id,
        "untagged_token_ids": untagged_token_ids(tokenizer),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    try:
        config = BiLstmCrfConfig(**given | settings)
    except (ValueError, StrictDataclassError) as error:
        raise RecipeError(f"The settings of the model are wrong: {' '.join(str(error).split())}") from error
    return BiLstmCrfForTokenClassification(config)


def build_trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    training_arguments: TrainingArguments,
    *,
    train: Dataset | None,
    validation: Dataset,
) -> Trainer:
    """Return a stock `Trainer` whose evaluation computes all figures of a tagger."""
    configure_evaluation(training_arguments)
    training_arguments.dataloader_pin_memory &= (
        torch.cuda.is_available()
    )  # torch warns where there is nothing to pin for
    trainer = Trainer(
        model=model,
        args=training_arguments,
        train_dataset=train,
        eval_dataset=numbered(validation),
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        compute_metrics=TaggingEvaluation(validation),  # type: ignore[arg-type]
    )
    # both print all figures after every evaluation
    trainer.remove_callback(ProgressCallback)
    trainer.remove_callback(PrinterCallback)
    return trainer


def find_checkpoint(training_arguments: TrainingArguments, *, overwrite: bool) -> str | None:
    """Return the checkpoint to go on from, if any, and make sure that no run is lost by mistake.

    Raises:
        RecipeError: If the folder holds a run and neither `overwrite` nor `resume_from_checkpoint` is given, or if
            there is nothing to go on from.
    """
    folder = Path(str(training_arguments.output_dir))
    resume = training_arguments.resume_from_checkpoint
    if resume and resume.lower() not in ("true", "false"):
        if not Path(resume, "trainer_state.json").is_file():
            raise RecipeError(f"`resume_from_checkpoint`: {resume} is no checkpoint.")
        return resume
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written to is better known now than later
    last = get_last_checkpoint(str(folder))
    if resume and resume.lower() == "true":
        if last is None:
            raise RecipeError(f"`resume_from_checkpoint`: {folder} holds no checkpoint.")
        return last
    if not overwrite and (last is not None or (folder / REPORT_FILE).is_file()):
        raise RecipeError(
            f"{folder} holds a run already. Choose another --output_dir, go on with it by "
            "--resume_from_checkpoint true, or replace it by --overwrite true."
        )
    return None


def remove_old_run(training_arguments: TrainingArguments) -> None:
    """Delete checkpoints, weights and report of an earlier run, and nothing else that may lie in the folder."""
    folder = Path(str(training_arguments.output_dir))
    # every process passes here, whatever the folder holds: a process that turned back would leave the others waiting
    with training_arguments.main_process_first(desc="removing the old run"):
        if training_arguments.process_index == 0:
            for checkpoint in folder.glob("checkpoint-*"):
                shutil.rmtree(checkpoint)
            for name in (REPORT_FILE, "model.safetensors"):
                (folder / name).unlink(missing_ok=True)


def run(recipe: Recipe) -> dict[str, Any]:
    """Train, evaluate and save what the recipe says; return the report."""
    started = time.perf_counter()
    arguments, training_arguments, settings = parse_recipe(recipe)
    check_arguments(arguments, training_arguments)
    # 1. data
    splits = load_splits(arguments)
    checkpoint = find_checkpoint(training_arguments, overwrite=arguments.overwrite)
    set_seed(training_arguments.seed)
    train = with_replaced_names(
        splits["train"],
        copies=arguments.name_replacement_copies,
        probability=arguments.name_replacement_probability,
        seed=training_arguments.seed,
    )
    # 2. tokens
    tokenizer = load_tokenizer(arguments, splits["train"])
    train, validation = token_features(train, tokenizer), token_features(splits["validation"], tokenizer)
    # 3. model
    model = build_model(settings, label_names(splits["train"]), tokenizer)
    # 4. training
    trainer = build_trainer(model, tokenizer, training_arguments, train=train, validation=validation)
    trainer.add_callback(ShortLines() if training_arguments.disable_tqdm else ShortProgress())
    trainer.add_callback(EpochTimer())
    trainer.add_callback(RepeatableLengthGrouping())
    if arguments.early_stopping_patience is not None:
        trainer.add_callback(
            EarlyStoppingCallback(arguments.early_stopping_patience, arguments.early_stopping_threshold)
        )
    training_arguments.restore_callback_states_from_checkpoint = checkpoint is not None
    if checkpoint is None:
        remove_old_run(training_arguments)
    trainer.train(resume_from_checkpoint=checkpoint)
    # 5. evaluation, model and report
    seconds = _timer_of(trainer).seconds
    history = epoch_history(trainer.state.log_history, seconds)
    figures = trainer.evaluate()
    history = history or epoch_history(
        trainer.state.log_history, seconds
    )  # the only evaluation, if none was asked for
    report = {
        "recipe": recipe.name,
        "settings": describe_settings(recipe),
        "data": describe_data(arguments, splits),
        "tokenizer": describe_tokenizer(tokenizer, validation),
        "figures": {name.removeprefix("eval_"): value for name, value in figures.items()},
        "definitions": DEFINITIONS,
        **summarize_epochs(history, seconds),
        "seconds_total": time.perf_counter() - started,
        "parameters": model.num_parameters(),
        "seed": training_arguments.seed,
        "environment": environment(),
    }
    if trainer.is_world_process_zero():
        folder = Path(str(training_arguments.output_dir))
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_report(report, folder)
    return report


def _timer_of(trainer: Trainer) -> EpochTimer:
    """Return the timer in use: resuming puts a restored one in the place of ours."""
    return next(c for c in trainer.callback_handler.callbacks if isinstance(c, EpochTimer))


def describe_settings(recipe: Recipe) -> dict[str, Any]:
    """Return recipe and flags as a published report may show them: no credentials, no path of this machine."""
    settings = {
        key: _typed(value)
        for key, value in {**recipe.settings, **recipe.flags}.items()
        if key not in OF_THIS_MACHINE and not key.endswith("_token")
    }
    if Path(str(settings.get("tokenizer"))).is_dir():
        settings["tokenizer"] = Path(str(settings["tokenizer"])).name
    return settings


def describe_data(arguments: TokenClassificationArguments, splits: DatasetDict) -> dict[str, Any]:
    """Return where the data comes from and how much there is."""
    return {
        "reader": arguments.reader,
        "source": Path(arguments.data_dir).name if arguments.data_dir else DEFAULT_SOURCES[arguments.reader],
        "split": "validation",
        "sentences": {split: rows.num_rows for split, rows in splits.items()},
        "labels": label_names(splits["validation"]),
    }


def describe_tokenizer(tokenizer: PreTrainedTokenizerBase, validation: Dataset) -> dict[str, Any]:
    """Return the size of the vocabulary, the share of unknown tokens and what the tokenizer allows at best."""
    unknown = [token for row in validation["unknown"] for token in row]
    return {
        "vocab_size": len(tokenizer),
        "unknown_share": sum(unknown) / max(len(unknown), 1),
        "ceiling": tokenizer_ceiling(validation),
    }


def summarize_epochs(history: list[dict[str, Any]], seconds: list[float]) -> dict[str, Any]:
    """Return the epochs with the best and the mean entity F1 and the seconds per epoch."""
    scores = [entry["entity_f1"] for entry in history]
    best = max(history, key=lambda entry: entry["entity_f1"])
    return {
        "epochs": history,
        "best_entity_f1": best["entity_f1"],
        "best_epoch": best["epoch"],
        "mean_entity_f1": sum(scores) / len(scores),
        "seconds_per_epoch": sum(seconds) / len(seconds),
    }


def main(argv: list[str]) -> None:
    """Run the recipe that the arguments name."""
    if not argv:
        raise RecipeError("Expected the name of a recipe.")
    recipe = load_recipe(argv[0], argv[1:])
    report = run(recipe)
    if int(torch.distributed.get_rank() if torch.distributed.is_initialized() else 0) == 0:
        print_report(report, Console())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as user_error:
        sys.exit(f"malmoi: {user_error}")
    except KeyboardInterrupt:
        sys.exit(130)
