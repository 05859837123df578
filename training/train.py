"""Train a model from a recipe: the one trainer path, whatever the task and the architecture.

malmoi train klue-ner-bi-lstm-crf --data_dir DIR
python -m malmoi.training.train klue-ner-bi-lstm-crf --data_dir DIR
torchrun --standalone --nproc_per_node 2 -m malmoi.training.train RECIPE --data_dir DIR
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from malmoi.data.standard_streams import write_utf8
from malmoi.data.user_error import UserError
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.reports.costs import DEFINITIONS as COST_DEFINITIONS
from malmoi.reports.costs import peak_memory_bytes, texts_per_second
from malmoi.reports.plots import plot_run
from malmoi.reports.report import environment, print_report, report_console, write_report
from malmoi.training.callbacks import (
    EpochTimer,
    LearningRateDecay,
    RepeatableLengthGrouping,
    ShortLines,
    ShortProgress,
)
from malmoi.training.enough_steps import give_enough_steps, instead_of, nothing_learned
from malmoi.training.evaluation import Evaluation, configure_evaluation, numbered, predicted_labels
from malmoi.training.finished_model import find_finished_model
from malmoi.training.finished_run import keeps_optimizer, remove_optimizer_state
from malmoi.training.launcher import is_first_process, leave, say
from malmoi.training.optimizer import recipe_optimizer
from malmoi.training.output_dir import find_checkpoint, remove_old_run, report_to_go_on_from
from malmoi.training.preparation import prepare
from malmoi.training.progress import quiet_bars
from malmoi.training.recipe_arguments import check_arguments, parse_recipe
from malmoi.training.resuming import (
    ResumedState,
    check_optimizer,
    end_of_training,
    finished_report,
    finished_state,
    planned_steps,
    restore_callbacks,
    restore_finished_training,
)
from malmoi.training.run_description import (
    describe_data,
    describe_settings,
    describe_test,
    epoch_history,
    kept_epoch,
    loss_history,
    summarize_epochs,
)
from malmoi.training.run_record import RunRecord, check_resuming, describe_training
from malmoi.training.tasks import TASKS, Task


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
        preprocess_logits_for_metrics=predicted_labels,
        optimizers=(optimizer, None),
    )
    # both print all figures after every evaluation
    trainer.remove_callback(ProgressCallback)
    trainer.remove_callback(PrinterCallback)
    return trainer


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


def run(recipe: Recipe) -> dict[str, Any]:
    """Train, evaluate and save what the recipe says; return the report."""
    started = time.perf_counter()
    # 1. what is asked for
    task = TASKS[recipe.task]
    arguments, training_arguments, settings = parse_recipe(recipe)
    check_arguments(task, arguments, training_arguments)
    checkpoint = find_checkpoint(training_arguments, overwrite=arguments.overwrite)
    quiet_bars(training_arguments, recipe)
    # 2. data, tokenizer, model, features
    set_seed(training_arguments.seed)
    finished = find_finished_model(task, arguments, recipe)
    prepared = prepare(task, arguments, settings, seed=training_arguments.seed, finished=finished)
    record = describe_training(arguments, training_arguments, prepared)
    changed = give_enough_steps(recipe, arguments, training_arguments, texts=prepared.train.num_rows)
    planned = planned_steps(training_arguments, prepared.train.num_rows)
    folder = Path(str(training_arguments.output_dir))
    if checkpoint is not None:
        check_resuming(checkpoint, prepared, record)
        written = report_to_go_on_from(training_arguments)
        if written is not None and (ended := finished_report(written, arguments, planned)):
            say(f"{folder}: the training is finished ({ended}); nothing is left to train, and all stays as it is.")
            return written
    # 3. training
    trainer = build_trainer(
        task,
        prepared.model,
        prepared.tokenizer,
        training_arguments,
        train=prepared.train,
        evaluation=prepared.evaluations["validation"],
        optimizer=recipe_optimizer(prepared.model, arguments, training_arguments),
    )
    trainer.compute_loss_func = task.loss_function(
        prepared.train, arguments, num_labels=len(task.labels(prepared.splits["train"]))
    )
    timer = EpochTimer()
    for callback in [*training_callbacks(task, arguments, training_arguments), timer, RunRecord(record)]:
        trainer.add_callback(callback)
    if checkpoint is None or checkpoint.resolve().parent != folder.resolve():
        remove_old_run(training_arguments)
    train_what_is_left(trainer, checkpoint, arguments, planned)
    # 4. evaluation
    history = epoch_history(trainer.state.log_history, timer.seconds, task)
    figures = {
        split: evaluate(trainer, evaluation, prefix=split) for split, evaluation in prepared.evaluations.items()
    }
    # the only evaluation, if none was asked for
    history = history or [{"epoch": trainer.state.epoch, "step": trainer.state.global_step, **figures["validation"]}]
    settings_used = describe_settings(recipe)
    if finished is not None:
        settings_used = finished.settings_used(settings_used)
    report: dict[str, Any] = {
        "recipe": recipe.name,
        "task": task.name,
        "model_type": prepared.model.config.model_type,
        "settings": settings_used | changed,
        **({"trained_on_from": finished.describe(task.labels(prepared.splits["train"]))} if finished else {}),
        "data": describe_data(task, arguments.reader, arguments.data_dir, prepared.splits, split="validation"),
        "training": {
            "texts_per_epoch": prepared.train.num_rows,
            "batch": training_arguments.train_batch_size
            * training_arguments.gradient_accumulation_steps
            * training_arguments.world_size,
            "processes": training_arguments.world_size,
            "steps": trainer.state.global_step,
            "ended": end_of_training(trainer.state.global_step, planned),
            **({"instead_of": instead_of(recipe, changed)} if changed else {}),
            "precision": {"no": "float32"}.get(training_arguments.mixed_precision, training_arguments.mixed_precision),
        },
        "tokenizer": {
            "vocab_size": len(prepared.tokenizer),
            **task.describe_tokens(prepared.evaluations["validation"]),
        },
        **({"embeddings": prepared.embeddings} if prepared.embeddings else {}),
        "figures": figures["validation"],
        **prepared.evaluations["validation"].details,
        **(describe_test(figures["test"], prepared.evaluations["test"]) if "test" in figures else {}),
        "definitions": task.definitions,
        "breakdown": task.breakdown,
        **summarize_epochs(history, task.main_figure),
        "kept_epoch": kept_epoch(trainer.state, training_arguments),
        "losses": loss_history(trainer.state.log_history),
        "seconds_per_epoch": timer.total() / (trainer.state.epoch or 1),
        "seconds_total": time.perf_counter() - started,
        "parameters": prepared.model.num_parameters(),
        "peak_memory_bytes": peak_memory_bytes(),
        "cost_definitions": COST_DEFINITIONS,
        "seed": training_arguments.seed,
        "examples": task.examples(prepared.splits["validation"]),
        "environment": environment(),
    }
    # 5. speed, model, report and plots, by the first process alone
    if trainer.is_world_process_zero():
        report["texts_per_second"] = texts_per_second(
            prepared.model,
            prepared.tokenizer,
            prepared.splits["validation"]["text"],
            max_length=prepared.max_length,
        )
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(folder)
        prepared.tokenizer.save_pretrained(folder)
        write_report(report, folder)
        plot_run(report, folder)
        if not keeps_optimizer(arguments, recipe):
            remove_optimizer_state(folder)
    trainer.accelerator.wait_for_everyone()
    return report


def train_what_is_left(trainer: Trainer, checkpoint: Path | None, arguments: RecipeArguments, planned: int) -> None:
    """Train what is left to train; nothing if early stopping or the number of steps has ended the training before."""
    callbacks = trainer.callback_handler.callbacks
    if checkpoint is None:
        trainer.train()
    else:
        restore_callbacks(callbacks, checkpoint)
        finished = finished_state(checkpoint, arguments, planned)
        if finished is None:
            check_optimizer(checkpoint)
            trainer.add_callback(ResumedState(callbacks, checkpoint))
            trainer.train(resume_from_checkpoint=str(checkpoint))
        else:
            say(f"{checkpoint}: the training is finished ({finished}); nothing is left to train.")
            restore_finished_training(trainer, checkpoint)
    # it would look for the figures of the training in those of the final evaluation
    trainer.remove_callback(EarlyStoppingCallback)


def evaluate(trainer: Trainer, evaluation: Evaluation, *, prefix: str = "eval") -> dict[str, float]:
    """Return the figures of the model for the features of an evaluation; logs name them with the prefix."""
    trainer.compute_metrics = evaluation  # type: ignore[assignment]
    features: Any = numbered(evaluation.inputs)
    figures = trainer.evaluate(features, metric_key_prefix=prefix)
    return {name.removeprefix(f"{prefix}_"): value for name, value in figures.items()}


def main(argv: list[str]) -> None:
    """Run the recipe that the arguments name."""
    if not argv:
        raise RecipeError("Expected the name of a recipe.")
    recipe = load_recipe(argv[0], argv[1:])
    report = run(recipe)
    if is_first_process():
        print_report(report, report_console())
        if advice := nothing_learned(report):
            say(advice)


if __name__ == "__main__":
    write_utf8()
    try:
        main(sys.argv[1:])
    except UserError as user_error:
        leave(f"malmoi: {user_error}", 1)
    except KeyboardInterrupt:
        sys.exit(130)
