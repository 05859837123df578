"""What came of a search: its trials as JSON and as a plot, and the best one as a recipe."""

import json
from pathlib import Path
from typing import Any

import yaml
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from malmoi.data.counted import counted
from malmoi.data.whole_output import write_whole
from malmoi.reports.plots import can_plot
from malmoi.reports.report import environment
from malmoi.reports.search_plots import plot_search
from malmoi.training.run_report import describe_training_data
from malmoi.training.search.request import Search
from malmoi.training.search.study import TRIALS_FILE, finished_trials
from malmoi.training.search.trial import (
    DIVERGED,
    DRAWN,
    EVALUATIONS,
    SECONDS,
    SETTINGS,
    TOO_LARGE,
    Objective,
    PreparedTrial,
)
from malmoi.training.steps import ALL_STEPS

PLOT_FILE, BEST_FILE, BEST_RUN = "trials.png", "best.yaml", "best"


def describe_search(search: Search, study: Study, prepared: PreparedTrial, objective: Objective) -> dict[str, Any]:
    """Return what `trials.json` says of a search.

    Args:
        search: The search.
        study: Its study, with at least one trial that was trained to its end.
        prepared: Any of its trainings: they have their data in common.
        objective: What was measured.
    """
    task = prepared.request.task
    numbers = {trial.number: number for number, trial in enumerate(finished_trials(study), start=1)}
    best = study.best_trial
    return {
        "recipe": search.recipe.name,
        "task": task.name,
        "figure": objective.figure,
        "greater_is_better": objective.greater_is_better,
        "definition": task.definitions.get(objective.figure, "the loss on the validation set"),
        "data": describe_training_data(prepared.request, prepared.prepared),
        "search_space": {name: values.written() for name, values in search.space.items()},
        "trials": [_describe_trial(trial, number=numbers[trial.number]) for trial in finished_trials(study)],
        "best": {"trial": numbers[best.number], "value": best.value, "parameters": _parameters(best)},
        "environment": environment(),
    }


def _describe_trial(trial: FrozenTrial, *, number: int) -> dict[str, Any]:
    complete = trial.state == TrialState.COMPLETE
    failed = next((how for how in (DIVERGED, TOO_LARGE) if trial.user_attrs.get(how)), None)
    ended = failed or (ALL_STEPS if complete else "pruned")
    return {
        "trial": number,
        "ended": ended,
        "value": None if failed else trial.value,
        "parameters": _parameters(trial),
        "evaluations": trial.user_attrs.get(EVALUATIONS, []),
        "seconds": trial.user_attrs.get(SECONDS),
    }


def _parameters(trial: FrozenTrial) -> dict[str, Any]:
    """Return the values of a trial as its recipe had them; a study has those for encoders and lists in other words."""
    drawn: dict[str, Any] = trial.user_attrs[DRAWN]
    return drawn


def write_results(results: dict[str, Any], study: Study, search: Search) -> list[Path]:
    """Write `trials.json`, `best.yaml` and, where Matplotlib is, `trials.png` into the folder of a search."""
    trials = search.folder / TRIALS_FILE
    _write(trials, json.dumps(results, ensure_ascii=False, indent=2) + "\n")
    best = search.folder / BEST_FILE
    _write(best, best_recipe(results, study, search))
    return [trials, best, *([plot_search(results, search.folder / PLOT_FILE)] if can_plot() else [])]


def remove_results(folder: Path) -> None:
    """Delete what an earlier search wrote beside its study."""
    for name in (TRIALS_FILE, BEST_FILE, PLOT_FILE):
        (folder / name).unlink(missing_ok=True)


def best_recipe(results: dict[str, Any], study: Study, search: Search) -> str:
    """Return the best trial as a recipe, which trains what the trial has trained and keeps the model."""
    figure, best = results["figure"], results["best"]
    settings = study.best_trial.user_attrs[SETTINGS]
    data_dir = search.recipe.given("data_dir")
    settings = {
        **settings,
        **({} if data_dir is None else {"data_dir": str(data_dir)}),
        "output_dir": (search.folder / BEST_RUN).as_posix(),
    }
    trials = counted(len(results["trials"]), "trial")
    path = (search.folder / BEST_FILE).as_posix()
    # what exists in Python alone, no recipe can name
    command = f"malmoi train {path}" if search.recipe.dataset is None else f'malmoi.train("{path}", dataset=...)'
    head = (
        f"# The best of {trials} of {search.recipe.name}: {figure} {best['value']:.4f} on validation data, "
        f"trial {best['trial']}.\n#\n#   {command}\n\n"
    )
    return head + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)


def _write(path: Path, text: str) -> None:
    with write_whole(path) as file:
        file.write(text)
