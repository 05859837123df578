"""Train a token classifier from a recipe.

malmoi train klue-ner-bi-lstm-crf --data_dir DIR
python -m malmoi.training.train_token_classification klue-ner-bi-lstm-crf --data_dir DIR
torchrun --standalone --nproc_per_node 2 -m malmoi.training.train_token_classification RECIPE --data_dir DIR
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, DatasetDict
from huggingface_hub.errors import StrictDataclassError
from rich.console import Console
from transformers import (
    AutoTokenizer,
    DataCollatorForTokenClassification,
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.data.augmentation import with_replaced_names
from malmoi.data.readers import READERS
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.tagged_dataset import label_names
from malmoi.data.token_features import token_features, untagged_token_ids
from malmoi.data.user_error import UserError
from malmoi.modeling import BiLstmCrfForTokenClassification
from malmoi.modeling.pipeline_crf_token_classification import UNLIMITED
from malmoi.training.arguments import TokenClassificationArguments
from malmoi.training.callbacks import EpochTimer, RepeatableLengthGrouping, ShortLines, ShortProgress
from malmoi.training.evaluation import TaggingEvaluation, configure_evaluation, numbered
from malmoi.training.metrics.tagging_metrics import DEFINITIONS
from malmoi.training.output_dir import find_checkpoint, remove_old_run
from malmoi.training.recipe import Recipe, RecipeError, load_recipe
from malmoi.training.recipe_arguments import check_arguments, parse_recipe
from malmoi.training.report import environment, epoch_history, print_report, write_report
from malmoi.training.run_description import (
    describe_data,
    describe_settings,
    describe_tokenizer,
    summarize_epochs,
)


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
