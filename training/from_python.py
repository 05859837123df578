"""Training from Python: `malmoi.train` and `malmoi.tune`, with the settings of a recipe as keywords.

Nothing heavy is imported before the settings are understood, so that a misspelt one is answered at once.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from malmoi.recipes.overrides import with_settings
from malmoi.recipes.recipe import Recipe, load_recipe
from malmoi.recipes.search_space import written_space
from malmoi.training.search.requirement import require_optuna

if TYPE_CHECKING:
    from datasets import Dataset


def train(
    recipe: str | os.PathLike[str] | Recipe | None = None,
    /,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    dataset: "str | os.PathLike[str] | Dataset | Mapping[str, Dataset] | None" = None,
    output_dir: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Train a model by a recipe, as `malmoi train` does, and return its report.

        report = malmoi.train("klue-ner-bi-lstm-crf", data_dir="klue-ner", learning_rate=1e-3)
        report["figures"]["entity_f1"]
        report = malmoi.train("klue-ner-from-body", dataset=my_dataset_dict)

    Model, tokenizer, code, `report.json` and plots are in `output_dir` afterwards. Progress goes to standard error.

    Args:
        recipe: Name of a recipe of the package, path of a YAML file, or what `load_recipe` returned; without one, it
            is chosen by the data and the machine, and said.
        data_dir: Folder with the data; by default what the recipe says.
        dataset: A `datasets.Dataset`, of which validation and test sentences are cut, or a `DatasetDict`; or the name
            of one on the Hub, or its folder or file. Columns are found by what they hold, or named by `text_column`
            and `label_column`.
        output_dir: Folder of the run; by default what the recipe says, or else `runs/<name of the recipe>`; without a
            recipe `runs/<name of the data>`.
        settings: Every other key of a recipe (`malmoi keys` lists them) that is to have another value than there.

    Returns:
        What `report.json` holds: settings, data, figures with their definitions, epochs, costs.

    Raises:
        UserError: If there is no such recipe, a setting is unknown or wrong, the data cannot be read, or the folder
            holds a run already.
    """
    named = {"data_dir": data_dir, "dataset": dataset, "output_dir": output_dir}
    if recipe is None:
        from malmoi.training.chosen_recipe import recipe_for_data

        given = {name: value for name, value in named.items() if value is not None} | settings
        understood = with_settings(recipe_for_data(given), {})
    else:
        understood = _understood(recipe, named, settings)
    from malmoi.training.train import run

    return run(understood)


def tune(
    recipe: str | os.PathLike[str] | Recipe,
    /,
    *,
    trials: int = 20,
    prune: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Search the best values for some keys of a recipe, as `malmoi tune` does, and return its trials.

        found = malmoi.tune("demo", trials=10, search_space={"hidden_dropout": {"low": 0.2, "high": 0.6}})
        found["best"]["parameters"]

    The study, `trials.json`, a plot, and `best.yaml`, a recipe for `train`, are in `output_dir` afterwards.

    Args:
        recipe: Name of a recipe of the package, path of a YAML file, or what `load_recipe` returned.
        trials: How many trials there are in all, with those of a search that is gone on with.
        prune: Whether a trial ends early that is worse at an epoch than half of the others were.
        data_dir: Folder with the data; by default what the recipe says.
        output_dir: Folder of the search; by default `runs/<name of the recipe>-tune`.
        settings: Every other key of a recipe, among them `search_space`, what is tried; without it the learning rate,
            the size of batches and what else the architecture learns by. `resume_from_checkpoint=True` goes on with
            a search.

    Returns:
        What `trials.json` holds: every trial with its parameters and its value on validation data, and the best.

    Raises:
        UserError: If optuna is missing, something in recipe or settings is wrong, or the folder holds a search.
    """
    understood = _understood(recipe, {"data_dir": data_dir, "output_dir": output_dir}, settings)
    written_space(understood)
    require_optuna()
    from malmoi.training.search.request import read_search
    from malmoi.training.search.search import run_search

    return run_search(read_search(understood, trials=trials, prune=prune))


def _understood(
    recipe: str | os.PathLike[str] | Recipe, folders: Mapping[str, Any], settings: Mapping[str, Any]
) -> Recipe:
    """Return a recipe with the folders that are given and the settings."""
    given = {**{name: folder for name, folder in folders.items() if folder is not None}, **settings}
    return with_settings(recipe if isinstance(recipe, Recipe) else load_recipe(os.fspath(recipe)), given)


__all__ = ["train", "tune"]
