"""The stock `Trainer`, with what the recipe asks of it beside its own arguments."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from malmoi.data.notice import one_line
from malmoi.data.probable_classes import PROBABILITIES
from malmoi.data.whole_output import disk_errors
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.callbacks import (
    EpochTimer,
    LearningRateDecay,
    RepeatableLengthGrouping,
    ShortLines,
    ShortProgress,
)
from malmoi.training.divergence import check_weights
from malmoi.training.evaluation import Evaluation, configure_evaluation, numbered
from malmoi.training.optimizer import recipe_optimizer, try_optimizer
from malmoi.training.plan import TrainingPlan
from malmoi.training.preparation import Preparation
from malmoi.training.probable_labels import learn_probabilities
from malmoi.training.processes.launcher import say
from malmoi.training.request import TrainingRequest
from malmoi.training.resuming.output_dir import remove_old_run
from malmoi.training.resuming.restoring import (
    ResumedState,
    check_optimizer,
    finished_state,
    restore_callbacks,
    restore_finished_training,
)
from malmoi.training.resuming.run_record import RunRecord
from malmoi.training.tasks import Task


class Training(NamedTuple):
    """A training: the `Trainer`, in the end with the model that is kept, and the times of its epochs."""

    trainer: Trainer
    timer: EpochTimer


def train(request: TrainingRequest, prepared: Preparation, plan: TrainingPlan) -> Training:
    """Train the model, from the beginning or from the checkpoint; what an earlier run left in the folder is removed.

    Raises:
        RecipeError: If the checkpoint lacks the state of the optimizer, or if the training diverges.
    """
    training = training_to_come(request, prepared)
    training.trainer.add_callback(RunRecord(plan.record))
    checkpoint = request.checkpoint
    if checkpoint is None or checkpoint.resolve().parent != request.output_dir.resolve():
        remove_old_run(request.training_arguments)
    learning_rate = request.training_arguments.learning_rate
    try:
        train_what_is_left(training.trainer, checkpoint, request.arguments, plan.steps)
    except ValueError:  # a CRF refuses labels whose scores such weights have made impossible
        check_weights(prepared.model, learning_rate=learning_rate)
        raise
    check_weights(prepared.model, learning_rate=learning_rate)
    return training


@contextmanager
def told_if_memory_lacks(training_arguments: TrainingArguments) -> Iterator[None]:
    """Say what to change in a training for which a GPU has too little memory.

    Raises:
        RecipeError: If it has too little.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise RecipeError(
            f"The device {training_arguments.device.type} has too little memory for this training: give a smaller "
            f"--per_device_train_batch_size than {training_arguments.per_device_train_batch_size} (with more "
            "--gradient_accumulation_steps the same is learned), a smaller --per_device_eval_batch_size than "
            f"{training_arguments.per_device_eval_batch_size}, or a smaller --max_seq_length."
        ) from error


def training_to_come(request: TrainingRequest, prepared: Preparation) -> Training:
    """Return the training that a recipe asks for, before its first step.

    Raises:
        RecipeError: If transformers or the optimizer refuse a setting, or need a package that is not installed.
    """
    task, arguments, training_arguments = request.task, request.arguments, request.training_arguments
    probable = PROBABILITIES in prepared.train.column_names
    try:
        try_optimizer(prepared.model, training_arguments)
        trainer = build_trainer(
            task,
            prepared.model,
            prepared.tokenizer,
            training_arguments,
            train=numbered(prepared.train) if probable else prepared.train,
            evaluation=prepared.evaluations["validation"],
            optimizer=recipe_optimizer(prepared.model, arguments, training_arguments),
        )
    except torch.OutOfMemoryError:  # a `RuntimeError`, and no fault of a setting alone
        raise
    except (ImportError, RuntimeError, TypeError, ValueError) as error:
        raise RecipeError(f"The settings of the training cannot be used: {one_line(error)}") from error
    trainer.compute_loss_func = task.loss_function(prepared.train, arguments, num_labels=len(prepared.labels))
    if probable:
        learn_probabilities(trainer, prepared.train)
    timer = EpochTimer()
    for callback in [*training_callbacks(task, arguments, training_arguments), timer]:
        trainer.add_callback(callback)
    return Training(trainer, timer)


def train_what_is_left(trainer: Trainer, checkpoint: Path | None, arguments: RecipeArguments, planned: int) -> None:
    """Train what is left to train; nothing if early stopping or the number of steps has ended the training before."""
    callbacks = trainer.callback_handler.callbacks
    if checkpoint is None:
        with disk_errors(Path(str(trainer.args.output_dir))):
            trainer.train()
    else:
        restore_callbacks(callbacks, checkpoint)
        finished = finished_state(checkpoint, arguments, planned)
        if finished is None:
            check_optimizer(checkpoint)
            # the start was before the checkpoint: judged again, a model would count twice in its mean and its patience
            trainer.args.eval_on_start = False
            trainer.add_callback(ResumedState(callbacks, checkpoint))
            with disk_errors(Path(str(trainer.args.output_dir))):
                trainer.train(resume_from_checkpoint=str(checkpoint))
        else:
            say(f"{checkpoint}: the training is finished ({finished}); nothing is left to train.")
            restore_finished_training(trainer, checkpoint)
    forget_what_was_not_saved(trainer)
    # it would look for the figures of the training in those of the final evaluation
    trainer.remove_callback(EarlyStoppingCallback)


def forget_what_was_not_saved(trainer: Trainer) -> None:
    """Say so if the last model is kept although the best was asked for, as none was saved after a best evaluation."""
    state = trainer.state
    if trainer.args.load_best_model_at_end and state.best_global_step and state.best_model_checkpoint is None:
        say(
            f"The best evaluation was after step {state.best_global_step}, where no model was saved, so the last one "
            "is kept; let `save_steps` be `eval_steps`."
        )
        state.best_global_step = 0


def build_trainer(
    task: Task,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    training_arguments: TrainingArguments,
    *,
    train: Dataset | None,
    evaluation: Evaluation,
    optimizer: torch.optim.Optimizer | None = None,
) -> Trainer:
    """Return a stock `Trainer` whose evaluation computes all figures of the task."""
    configure_evaluation(training_arguments)
    # of a checkpoint callbacks are given what they need (`restore_callbacks`), and made anew they would not be ours
    training_arguments.restore_callback_states_from_checkpoint = False
    # torch warns where there is nothing to pin for
    training_arguments.dataloader_pin_memory &= torch.cuda.is_available()
    trainer = Trainer(
        model=model,
        args=training_arguments,
        train_dataset=train,
        eval_dataset=numbered(evaluation.inputs),
        data_collator=task.collator(tokenizer),
        processing_class=tokenizer,
        compute_metrics=evaluation,  # type: ignore[arg-type]
        preprocess_logits_for_metrics=task.judged,
        optimizers=(optimizer, None),
    )
    judge_all_texts(trainer)
    # both print all figures after every evaluation
    trainer.remove_callback(ProgressCallback)
    trainer.remove_callback(PrinterCallback)
    return trainer


def judge_all_texts(trainer: Trainer) -> None:
    """Let the `Trainer` leave an unfinished batch out of training alone, where that is asked for."""
    make_loader = trainer.get_eval_dataloader

    def get_eval_dataloader(eval_dataset: Any = None) -> DataLoader:
        dropped = trainer.args.dataloader_drop_last
        trainer.args.dataloader_drop_last = False
        try:
            return make_loader(eval_dataset)
        finally:
            trainer.args.dataloader_drop_last = dropped

    trainer.get_eval_dataloader = get_eval_dataloader  # type: ignore[method-assign]


def training_callbacks(
    task: Task, arguments: RecipeArguments, training_arguments: TrainingArguments
) -> list[TrainerCallback]:
    """Return what the recipe asks of the `Trainer` beside its own arguments."""
    callbacks: list[TrainerCallback] = [
        ShortLines(task.main_figure) if training_arguments.disable_tqdm else ShortProgress(task.main_figure),
        RepeatableLengthGrouping(),
    ]
    if arguments.learning_rate_decay != 1:
        callbacks.append(LearningRateDecay(arguments.learning_rate_decay))
    if arguments.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(arguments.early_stopping_patience, arguments.early_stopping_threshold))
    return callbacks
