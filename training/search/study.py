"""The study of a search: a SQLite file with its trials, opened anew or to be gone on with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import URL

from malmoi.recipes.recipe import RecipeError

STUDY_FILE = "study.db"
STUDY_NAME = "malmoi"
TRIALS_FILE = "trials.json"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
ABOUT = "about"
MOST_NAMED = 5
UNPRUNED_TRIALS = 5
"""So many trials are trained to their end before one is ended early."""


class RepeatableSampler(BaseSampler):
    """Draws like `TPESampler`, by a seed that follows from the trials that are finished.

    So a search that was interrupted tries the same values as one that was not, the interrupted trial's first.

    Args:
        seed: The seed of the search.
    """

    def __init__(self, seed: int):
        self._seed = seed
        self._sampler = TPESampler(seed=seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin anew with the seed of this trial."""
        self._sampler = TPESampler(seed=(self._seed + len(finished_trials(study))) % 2**32)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw what is drawn together."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw a value."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)


def find_study(folder: Path, *, resume: str, overwrite: bool) -> bool:
    """Tell whether a folder holds a search that is gone on with, and make sure that none is lost by mistake.

    Args:
        folder: The folder of the search.
        resume: What `resume_from_checkpoint` says, `true` or `false`.
        overwrite: Whether a search may be replaced.

    Raises:
        RecipeError: If the folder holds a search and neither is given, or if there is nothing to go on with.
    """
    if resume not in ("true", "false"):
        raise RecipeError(f"`resume_from_checkpoint` must be true or false for a search, got {resume!r}.")
    exists = (folder / STUDY_FILE).is_file()
    if resume == "true":
        if not exists:
            raise RecipeError(f"`resume_from_checkpoint`: {folder} holds no search.")
        return True
    if exists and not overwrite:
        raise RecipeError(
            f"{folder} holds a search already. Choose another --output_dir, go on with it by "
            "--resume_from_checkpoint true, or replace it by --overwrite true."
        )
    return False


class OpenStudy(NamedTuple):
    """A study, and what `optuna.create_study` was given for it, by which the stock search opens it once more."""

    study: Study
    options: dict[str, Any]


@contextmanager
def open_study(
    folder: Path,
    about: dict[str, Any],
    *,
    seed: int,
    direction: Literal["maximize", "minimize"],
    prune: bool,
    resume: bool,
) -> Iterator[OpenStudy]:
    """Give the study of a search, a new one or the one in the folder; a trial that was cut off is given up.

    Args:
        folder: The folder of the search.
        about: What the search is about; that of a search that is gone on with must be the same.
        seed: The seed of the search.
        direction: Whether great values are good ones.
        prune: Whether trials that are worse than the median are ended early.
        resume: Whether the study in the folder is gone on with, or replaced.

    Raises:
        RecipeError: If a study is about something else, or cannot be read.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = folder / STUDY_FILE
    if not resume:
        path.unlink(missing_ok=True)
    pruner: BasePruner = MedianPruner(n_startup_trials=UNPRUNED_TRIALS) if prune else NopPruner()
    with _storage(folder) as storage:
        options: dict[str, Any] = {
            **{"storage": storage, "study_name": STUDY_NAME, "load_if_exists": True},
            **{"sampler": RepeatableSampler(seed), "pruner": pruner},
        }
        study = optuna.create_study(direction=direction, **options)
        _check_about(study, about, folder, resume=resume)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        yield OpenStudy(study, options)


def _check_about(study: Study, about: dict[str, Any], folder: Path, *, resume: bool) -> None:
    # as JSON gives it back, which has no tuples
    about = json.loads(json.dumps(about))
    before = study.user_attrs.get(ABOUT)
    if before is None and resume and (folder / TRIALS_FILE).is_file():  # a full disk leaves an empty file
        raise RecipeError(
            f"{folder / STUDY_FILE} holds no search any more, but {TRIALS_FILE} beside it has its trials, which would "
            "be replaced: bring the file back, or begin a new search in another --output_dir."
        )
    if before is None:  # it was cut off before it began
        study.set_user_attr(ABOUT, about)
    elif before != about:
        raise RecipeError(
            f"The search of {folder} cannot go on with what is given now: {_differences(before, about)}. Give it what "
            "it began with, or begin a new search in another --output_dir."
        )


def count_finished(folder: Path) -> int:
    """Return how many trials of the search in a folder came to an end."""
    with _storage(folder) as storage:
        return len(finished_trials(optuna.load_study(study_name=STUDY_NAME, storage=storage)))


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Return the trials that came to an end, in their order; those that were cut off are none."""
    return study.get_trials(deepcopy=False, states=FINISHED)


@contextmanager
def _storage(folder: Path) -> Iterator[RDBStorage]:
    """Give the storage of a folder, and let go of its file in the end.

    Raises:
        RecipeError: If the file is none of a study.
    """
    path = folder / STUDY_FILE
    try:
        storage = RDBStorage(URL.create("sqlite", database=str(path.resolve())).render_as_string())
    except Exception as error:  # those of SQLAlchemy, of Alembic and of optuna have nothing else in common
        raise RecipeError(f"{path} cannot be read as a study ({type(error).__name__}).") from error
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    named = [
        f"`{key}` was {old} and is {new}"
        for part in sorted(before.keys() | now.keys())
        for key, old, new in _changes(part, before.get(part), now.get(part))
    ]
    more = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    return "; ".join(named[:MOST_NAMED] + more)


def _changes(part: str, before: Any, now: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [(key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)]
    return [] if before == now else [(part, before, now)]
