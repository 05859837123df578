"""A search: trials of a recipe by the stock `Trainer.hyperparameter_search`, one after another, in a study on disk."""

from typing import Any

from optuna.study import Study
from optuna.trial import Trial, TrialState
from transformers import IntervalStrategy, PreTrainedModel, Trainer
from transformers.trainer_utils import SaveStrategy, TrainOutput

from malmoi.data.counted import counted
from malmoi.recipes.recipe import RecipeError
from malmoi.reports.search_plots import as_text
from malmoi.training.described_settings import describe_settings
from malmoi.training.processes.launcher import say
from malmoi.training.resuming.held_folder import held_folder
from malmoi.training.search.interrupt import Interrupt
from malmoi.training.search.request import Search
from malmoi.training.search.results import describe_search, remove_results, write_results
from malmoi.training.search.shared_parts import SharedParts
from malmoi.training.search.study import find_study, finished_trials, open_study
from malmoi.training.search.trial import TOO_LARGE, draw, objective_of, prepare_trial, recipe_of, train_trial


class TrialTrainer(Trainer):
    """The stock `Trainer`, each of whose trials is trained by a `Trainer` of its own.

    What trials differ in, such as data, batches, losses and the optimizer, a `Trainer` is given when it is made: so a
    trial is the training that `malmoi train` makes of its recipe, and has the same figures.

    Args:
        search: The search.
    """

    objective: float
    """The value of the last trial, where the stock search looks for it."""

    def __init__(self, search: Search):
        self.search = search
        self.parts = SharedParts()
        self.interrupt = Interrupt()
        # the recipe as it is: what it lacks is told before the first trial
        self.prepared = prepare_trial(search.recipe, self.parts)
        arguments = self.prepared.request.training_arguments
        self.measured = objective_of(self.prepared.request)
        # it evaluates nothing itself
        arguments.eval_strategy, arguments.save_strategy = IntervalStrategy.NO, SaveStrategy.NO
        arguments.load_best_model_at_end, arguments.report_to = False, []
        super().__init__(args=arguments, model_init=self.new_model)

    def new_model(self, trial: Trial | None) -> PreTrainedModel:
        """Prepare a trial, and return its model; without a trial that of the recipe."""
        if trial is not None:
            self.interrupt.check()
            drawn = draw(trial, self.search.space)
            say(f"\nTrial {len(finished_trials(trial.study)) + 1} of {self.search.trials}: {_written(drawn)}")
            try:
                self.prepared = prepare_trial(recipe_of(self.search.recipe, drawn), self.parts)
            except RecipeError as error:
                raise RecipeError(f"A trial with {_written(drawn)} cannot be trained: {error}") from error
        return self.prepared.prepared.model

    def train(
        self,
        resume_from_checkpoint: str | bool | None = None,
        trial: Any = None,
        ignore_keys_for_eval: list[str] | None = None,
    ) -> TrainOutput:
        """Train a trial, and keep its value."""
        self.model = self.call_model_init(trial)
        output, self.objective = train_trial(trial, self.prepared, self.measured, self.interrupt)
        return output


def run_search(search: Search) -> dict[str, Any]:
    """Train what is left of a search; write what came of it beside its study, and return it.

    Raises:
        UserError: If the recipe or a trial cannot be trained, the study cannot be gone on with, or another search
            writes into its folder.
        KeyboardInterrupt: If the user interrupts it; what is finished is written.
    """
    with held_folder(search.folder):
        return _run_search(search)


def _run_search(search: Search) -> dict[str, Any]:
    # once more, as another search may have ended since
    find_study(search.folder, resume=str(search.resume).lower(), overwrite=search.overwrite)
    _say_space(search)
    trainer = TrialTrainer(search)
    if not search.resume:
        remove_results(search.folder)
    about = {
        "settings": describe_settings(search.recipe),
        "search_space": {name: values.written() for name, values in search.space.items()},
        "data": trainer.prepared.plan.record["data"],
    }
    direction, seed = trainer.measured.direction, trainer.args.seed
    results = None
    with open_study(
        search.folder, about, seed=seed, direction=direction, prune=search.prune, resume=search.resume
    ) as opened:
        left = search.trials - len(finished_trials(opened.study))
        try:
            if left > 0:
                # a `Trainer` and its model refer to each other, and would last into the next trial
                options = {**opened.options, "gc_after_trial": True}
                with trainer.interrupt.heard():
                    trainer.hyperparameter_search(n_trials=left, direction=direction, backend="optuna", **options)
            else:
                count = len(finished_trials(opened.study))
                finished = "the trial is" if count == 1 else f"{count} trials are"
                say(f"{search.folder}: {finished} finished; nothing is left to try.")
        except ValueError:
            # the stock search asks for the best trial, and there may be none
            if _has_best(opened.study) or len(finished_trials(opened.study)) < search.trials:
                raise
        finally:
            if _has_best(opened.study):
                results = describe_search(search, opened.study, trainer.prepared, trainer.measured)
                write_results(results, opened.study, search)
            trials = finished_trials(opened.study)
    if results is None:
        too_large = sum(bool(trial.user_attrs.get(TOO_LARGE)) for trial in trials)
        why = "the loss of each was no number; try smaller learning rates"
        if too_large:
            why = f"for {too_large:,} of {len(trials):,} the device has too little memory; try smaller batches"
        raise RecipeError(f"No trial came to an end: {why}.")
    return results


def _has_best(study: Study) -> bool:
    return any(trial.state == TrialState.COMPLETE for trial in finished_trials(study))


def _say_space(search: Search) -> None:
    say(f"Searching in {counted(search.trials, 'trial')}, in {search.folder}:")
    for name, values in search.space.items():
        say(f"  {name}: {values}")


def _written(drawn: dict[str, Any]) -> str:
    return ", ".join(f"{name} {as_text(value)}" for name, value in drawn.items())
