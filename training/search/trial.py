"""A trial: a recipe with the values that were drawn for it, trained like any other, and judged on validation data."""

import json
import math
from typing import Any, Literal, NamedTuple

import torch
from optuna import TrialPruned
from optuna.trial import Trial
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import SaveStrategy, TrainOutput

from malmoi.recipes.recipe import Recipe
from malmoi.recipes.search_space import OF_ENCODER, Choices, Range, SearchSpace
from malmoi.training.divergence import has_diverged
from malmoi.training.evaluation import evaluate
from malmoi.training.plan import TrainingPlan, plan_training
from malmoi.training.preparation import Parts, Preparation, prepare
from malmoi.training.request import TrainingRequest, read_request
from malmoi.training.search.effective_settings import effective_settings
from malmoi.training.search.interrupt import Interrupt
from malmoi.training.trainer import training_to_come

DRAWN, EVALUATIONS, SETTINGS, SECONDS = "drawn", "evaluations", "settings", "seconds"
DIVERGED, TOO_LARGE = "diverged", "out of memory"
"""What a study keeps of a trial."""


class Objective(NamedTuple):
    """The figure by which trials are compared."""

    figure: str
    greater_is_better: bool

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Return the direction as optuna names it."""
        return "maximize" if self.greater_is_better else "minimize"

    def is_better(self, value: float, other: float) -> bool:
        """Tell whether a value is better than another."""
        return value > other if self.greater_is_better else value < other


class PreparedTrial(NamedTuple):
    """A training that is prepared: of a trial, or of the recipe as it is."""

    request: TrainingRequest
    prepared: Preparation
    plan: TrainingPlan


def objective_of(request: TrainingRequest) -> Objective:
    """Return what the recipe keeps the best model by, or else the main figure of the task."""
    arguments = request.training_arguments
    figure = (arguments.metric_for_best_model or request.task.main_figure).removeprefix("eval_")
    greater = arguments.greater_is_better
    return Objective(figure, figure != "loss" if greater is None else greater)


def draw(trial: Trial, space: SearchSpace) -> dict[str, Any]:
    """Draw a value for every key of a search space."""
    drawn = {name: _draw(trial, name, values) for name, values in space.items()}
    trial.set_user_attr(DRAWN, drawn)
    return drawn


def _draw(trial: Trial, name: str, values: Range | Choices) -> Any:
    if isinstance(values, Choices):
        if all(value is None or isinstance(value, str | int | float) for value in values.values):
            return trial.suggest_categorical(name, values.values)
        # a study keeps no lists and mappings
        return json.loads(trial.suggest_categorical(name, [json.dumps(value) for value in values.values]))
    if values.is_whole:
        step = 1 if values.step is None else int(values.step)
        return trial.suggest_int(name, int(values.low), int(values.high), step=step, log=values.log)
    return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)


def recipe_of(recipe: Recipe, drawn: dict[str, Any]) -> Recipe:
    """Return the recipe of a trial: what was drawn overrides it as flags do."""
    flags = {name: value for name, value in drawn.items() if not name.startswith(OF_ENCODER)}
    nested = {name.removeprefix(OF_ENCODER): value for name, value in drawn.items() if name.startswith(OF_ENCODER)}
    if nested:
        flags["encoder_config"] = {**(recipe.given("encoder_config") or {}), **nested}
    return recipe._replace(flags={**recipe.flags, **flags})


def prepare_trial(recipe: Recipe, parts: Parts) -> PreparedTrial:
    """Prepare a training that keeps no checkpoint: its figures are what is wanted of it."""
    request = read_request(recipe)
    prepared = prepare(request, parts)
    plan = plan_training(request, prepared)
    return PreparedTrial(request, prepared, plan)


class ReportToStudy(TrainerCallback):
    """Reports every evaluation of a trial to its study, which may end the trial.

    Args:
        trial: The trial.
        objective: What is measured.
        keeps_best: Whether the value of the best model counts, or that of the last one.
        saves_in_steps: Whether models would be saved every so many steps, `save_steps`, and not whenever they are
            judged: what is better than all before and is not saved keeps the `Trainer` from taking what is worse, and
            is not kept itself.
    """

    def __init__(self, trial: Trial, objective: Objective, *, keeps_best: bool, saves_in_steps: bool = False):
        self.trial = trial
        self.objective = objective
        self.keeps_best = keeps_best
        self.saves_in_steps = saves_in_steps
        self.evaluations: list[dict[str, float]] = []
        self.best: float | None = None
        self.kept: float | None = None
        """The value of the model that would be kept so far; `None` if it is the last one."""
        self.ended = False
        """Whether the trial ends before its training does."""

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Report the figure."""
        assert metrics is not None
        self.add(
            metrics[f"eval_{self.objective.figure}"],
            epoch=state.epoch or 0,
            step=state.global_step,
            is_saved=self._is_saved(state),
        )
        # at its last step there is nothing left to spare
        if state.global_step < state.max_steps and self.trial.should_prune():
            self.ended = True
        if self.ended:
            control.should_training_stop = True

    def _is_saved(self, state: TrainerState) -> bool:
        """Tell whether a training would save the model of this step, as the `Trainer` does."""
        step, is_last = state.global_step, state.global_step >= state.max_steps
        return not self.saves_in_steps or is_last or (state.save_steps > 0 and step % state.save_steps == 0)

    def add(self, value: float, *, epoch: float, step: int, is_saved: bool = True) -> None:
        """Add a value; a trial that goes wrong ends."""
        if not math.isfinite(value):
            self.trial.set_user_attr(DIVERGED, True)
            self.ended = True
            return
        self.evaluations.append({"epoch": epoch, "step": step, self.objective.figure: value})
        self.trial.set_user_attr(EVALUATIONS, self.evaluations)
        # what `eval_on_start` measures before the first step is no model of the training
        if self.keeps_best and step and (self.best is None or self.objective.is_better(value, self.best)):
            self.best = value
            self.kept = value if is_saved else self.kept
        # others have evaluations at the same epoch, whatever their batches are
        if float(epoch).is_integer():
            self.trial.report(self.value(), int(epoch))

    def value(self) -> float:
        """Return the value of the trial so far."""
        return self.evaluations[-1][self.objective.figure] if self.kept is None else self.kept


def train_trial(
    trial: Trial, prepared: PreparedTrial, objective: Objective, interrupt: Interrupt
) -> tuple[TrainOutput, float]:
    """Train a trial; return what the `Trainer` does, and the figure of the model that `malmoi train` would keep.

    Raises:
        TrialPruned: If it ends early, also if the device has too little memory for it.
    """
    try:
        return _train_trial(trial, prepared, objective, interrupt)
    except torch.OutOfMemoryError:  # the next trial may have a smaller batch or model
        pass
    # not while the error is handled, which holds all that was computed
    trial.set_user_attr(TOO_LARGE, True)
    raise TrialPruned


def _train_trial(
    trial: Trial, prepared: PreparedTrial, objective: Objective, interrupt: Interrupt
) -> tuple[TrainOutput, float]:
    request = prepared.request
    arguments = request.training_arguments
    trial.set_user_attr(SETTINGS, effective_settings(*prepared))
    report = ReportToStudy(
        trial,
        objective,
        keeps_best=arguments.load_best_model_at_end,
        saves_in_steps=arguments.save_strategy == SaveStrategy.STEPS,
    )
    # only the best of all trials is trained for its model
    arguments.save_strategy = SaveStrategy.NO
    arguments.load_best_model_at_end = False
    arguments.report_to = []
    training = training_to_come(request, prepared.prepared)
    training.trainer.add_callback(report)
    training.trainer.add_callback(interrupt)
    try:
        output = training.trainer.train()
    except ValueError as error:
        if not has_diverged(prepared.prepared.model):
            raise
        trial.set_user_attr(DIVERGED, True)
        raise TrialPruned from error
    state = training.trainer.state
    trial.set_user_attr(SECONDS, training.timer.total())
    if has_diverged(prepared.prepared.model):  # whatever its figures are, `malmoi train` would not keep it
        trial.set_user_attr(DIVERGED, True)
        raise TrialPruned
    is_judged = report.kept is not None or (
        bool(report.evaluations) and report.evaluations[-1]["step"] == state.global_step
    )
    if not report.ended and not is_judged:
        training.trainer.remove_callback(report)
        figures = evaluate(training.trainer, prepared.prepared.evaluations["validation"])
        report.add(figures[objective.figure], epoch=state.epoch or 0, step=state.global_step)
    if report.ended:
        raise TrialPruned
    return output, report.value()
