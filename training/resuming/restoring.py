"""Going on with a training: what is left to train, and what is brought back from the checkpoint."""

from pathlib import Path
from typing import Any

from transformers import (
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_callback import ExportableState
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.processes.launcher import say
from malmoi.training.resuming.checkpoints import has_optimizer, read_state, step_of
from malmoi.training.steps import ALL_STEPS, EARLY_STOPPING


def finished_report(report: dict[str, Any], arguments: RecipeArguments, planned: int) -> str | None:
    """Return what ended the training of a report; `None` if there is something left to train.

    Args:
        report: The report of the run.
        arguments: What recipe and flags say now.
        planned: How many steps they ask for in all.
    """
    training = report.get("training", {})
    steps = training.get("steps", max((entry["step"] for entry in report["epochs"]), default=0))
    patience = report["settings"].get("early_stopping_patience")
    stopped = training.get("ended") == EARLY_STOPPING
    return _end(steps, planned, arguments, evaluations=patience if stopped and patience is not None else 0)


def finished_state(checkpoint: Path, arguments: RecipeArguments, planned: int) -> str | None:
    """Return what ended the training whose last checkpoint this is; `None` if there is something left to train."""
    state = read_state(checkpoint)
    stored = state["stateful_callbacks"].get(EarlyStoppingCallback.__name__, {}).get("attributes", {})
    evaluations = stored.get("early_stopping_patience_counter", 0)
    return _end(state["global_step"], planned, arguments, evaluations=evaluations)


def _end(steps: int, planned: int, arguments: RecipeArguments, *, evaluations: int) -> str | None:
    if steps >= planned:
        return ALL_STEPS
    patience = arguments.early_stopping_patience
    return EARLY_STOPPING if patience is not None and 0 < patience <= evaluations else None


def check_optimizer(checkpoint: Path) -> None:
    """Check that a checkpoint holds what the next step needs.

    Raises:
        RecipeError: If not.
    """
    if not has_optimizer(checkpoint):
        raise RecipeError(
            f"{checkpoint} holds no state of the optimizer, so its training cannot go on; begin a new one with its "
            f"weights by --model_name_or_path {checkpoint} and another --output_dir."
        )


def restore_callbacks(callbacks: list[TrainerCallback], checkpoint: Path) -> None:
    """Give callbacks what a checkpoint knows of them; what the recipe says, such as a patience, stays as it is."""
    stored = read_state(checkpoint)["stateful_callbacks"]
    for callback in callbacks:
        kept = stored.get(type(callback).__name__)
        if isinstance(callback, ExportableState) and isinstance(kept, dict):
            for name, value in kept["attributes"].items():
                setattr(callback, name, value)


def restore_finished_training(trainer: Trainer, checkpoint: Path) -> None:
    """Bring back the end of a training, with the model that it keeps, without a step."""
    trainer.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    find_best_checkpoint(trainer.args, trainer.state, checkpoint)
    best = trainer.state.best_model_checkpoint if trainer.args.load_best_model_at_end else None
    trainer._load_from_checkpoint(str(best or checkpoint))


def find_best_checkpoint(training_arguments: TrainingArguments, state: TrainerState, checkpoint: Path) -> None:
    """Find the best checkpoint so far where the run lies now: the path that is written down may be an old one.

    Where models are saved more rarely than they are judged, it need not be that of the best evaluation.
    """
    if not state.best_global_step:
        return
    written = read_state(checkpoint).get("best_model_checkpoint")
    step = None if written is None else step_of(written)
    for number in (state.best_global_step, step):
        name = f"{PREFIX_CHECKPOINT_DIR}-{number}"
        for folder in (Path(str(training_arguments.output_dir)), checkpoint.parent):
            if (folder / name).is_dir():
                state.best_model_checkpoint = str(folder / name)
                return
    state.best_model_checkpoint = None
    if training_arguments.load_best_model_at_end and written is not None:
        say(f"The best checkpoint so far, {PREFIX_CHECKPOINT_DIR}-{step}, is gone; the best from now on is kept.")
        state.best_metric = None
        state.best_global_step = 0


class ResumedState(TrainerCallback):
    """Completes the state that the `Trainer` reads from a checkpoint.

    Args:
        callbacks: The callbacks of the `Trainer`; a checkpoint need not know all of them.
        checkpoint: The checkpoint.
    """

    def __init__(self, callbacks: list[TrainerCallback], checkpoint: Path):
        self.callbacks = callbacks
        self.checkpoint = checkpoint

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Add what is missing."""
        find_best_checkpoint(args, state, self.checkpoint)
        stored: Any = state.stateful_callbacks  # callbacks before a training, their states after reading a checkpoint
        for callback in self.callbacks:
            if isinstance(callback, ExportableState):
                stored[type(callback).__name__] = callback.state()
