"""How long a training is, and whether it can go on from the checkpoint that it was asked to go on from."""

from typing import Any, NamedTuple

from malmoi.data.counted import counted
from malmoi.recipes.recipe import RecipeError
from malmoi.training.preparation import Preparation
from malmoi.training.processes.launcher import say
from malmoi.training.request import TrainingRequest
from malmoi.training.resuming.output_dir import report_to_go_on_from
from malmoi.training.resuming.restoring import finished_report
from malmoi.training.resuming.run_record import check_resuming, describe_training
from malmoi.training.steps import give_enough_steps, planned_steps


class TrainingPlan(NamedTuple):
    """How long a training is, and what of it is done."""

    steps: int
    """How many steps it has in all, with those before the checkpoint."""
    changed: dict[str, Any]
    """The settings that are others than those of the recipe, because the data are few."""
    record: dict[str, Any]
    """What every checkpoint keeps, so that nothing else is gone on with."""
    finished_report: dict[str, Any] | None
    """The report of the run, if nothing is left to train and the model is there."""


def plan_training(request: TrainingRequest, prepared: Preparation) -> TrainingPlan:
    """Return how long the training is, and give small data enough steps, which changes arguments of the request.

    Raises:
        RecipeError: If there is not one whole batch and others are left out, or if the checkpoint is of a training
            with other labels, tokenizer, sizes, data or settings.
    """
    arguments, training_arguments = request.arguments, request.training_arguments
    texts = prepared.train.num_rows
    batch = training_arguments.train_batch_size * training_arguments.world_size
    if training_arguments.dataloader_drop_last and texts < batch:
        few = f"{counted(texts, 'text')} {'does' if texts == 1 else 'do'} not fill a batch of {batch}"
        raise RecipeError(f"`dataloader_drop_last: true` leaves nothing to train on: {few}.")
    silver, _, teachers = prepared.silver or (None, None, None)
    record = describe_training(arguments, training_arguments, prepared.splits, silver=silver, teachers=teachers)
    changed = give_enough_steps(request.recipe, arguments, training_arguments, texts=texts)
    steps = planned_steps(training_arguments, texts)
    finished = None
    if request.checkpoint is not None:
        check_resuming(
            request.checkpoint,
            record,
            model=prepared.model,
            tokenizer=prepared.tokenizer,
            train=prepared.splits["train"],
        )
        finished = _find_finished_report(request, steps)
    return TrainingPlan(steps, changed, record, finished)


def _find_finished_report(request: TrainingRequest, steps: int) -> dict[str, Any] | None:
    report = report_to_go_on_from(request.training_arguments)
    ended = None if report is None else finished_report(report, request.arguments, steps)
    if ended is None:
        return None
    say(f"{request.output_dir}: the training is finished ({ended}); nothing is left to train, and all stays as it is.")
    return report
