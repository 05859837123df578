"""Training from Python: `malmoi.train`, with the settings of a recipe as keywords.

Nothing heavy is imported before the settings are understood, so that a misspelt one is answered at once.
"""

import os
from collections.abc import Mapping
from enum import Enum
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from malmoi.recipes.recipe import Recipe, RecipeError, keys_of, load_recipe, nearest

if TYPE_CHECKING:
    from datasets import Dataset


def train(
    recipe: str | os.PathLike[str] | Recipe,
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
        recipe: Name of a recipe of the package, path of a YAML file, or what `load_recipe` returned.
        data_dir: Folder with the data; by default what the recipe says.
        dataset: A `datasets.Dataset`, of which validation and test sentences are cut, or a `DatasetDict`; or the name
            of one on the Hub, or its folder or file. Columns are found by what they hold, or named by `text_column`
            and `label_column`.
        output_dir: Folder of the run; by default what the recipe says, or else `runs/<name of the recipe>`.
        settings: Every other key of a recipe (`malmoi keys` lists them) that is to have another value than there.

    Returns:
        What `report.json` holds: settings, data, figures with their definitions, epochs, costs.

    Raises:
        UserError: If there is no such recipe, a setting is unknown or wrong, the data cannot be read, or the folder
            holds a run already.
    """
    given = {
        **({} if data_dir is None else {"data_dir": data_dir}),
        **({} if dataset is None else {"dataset": dataset}),
        **({} if output_dir is None else {"output_dir": output_dir}),
        **settings,
    }
    understood = with_settings(recipe if isinstance(recipe, Recipe) else load_recipe(os.fspath(recipe)), given)
    from malmoi.training.train import run

    return run(understood)


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Return a recipe with settings that override it, as flags would.

    Raises:
        RecipeError: If a setting is unknown, or its value is of a kind that no recipe can hold.
    """
    dataset = settings.get("dataset")
    if dataset is not None and not isinstance(dataset, (str, os.PathLike)):
        settings = {key: value for key, value in settings.items() if key != "dataset"}
        recipe = recipe._replace(dataset=dataset)
    given = {key: _plain(key, value) for key, value in settings.items()}
    changed = recipe._replace(flags={**recipe.flags, **given})
    known = keys_of(changed)
    for key in {**changed.settings, **changed.flags}:
        if key not in known:
            raise RecipeError(f"Unknown setting {key!r}{nearest(key, known)}")
    return changed


def _plain(key: str, value: Any) -> Any:
    """Return a value as a YAML file would give it: what is trained is told by a report, which is JSON."""
    if isinstance(value, Enum):  # as those of transformers
        return _plain(key, value.value)
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Integral):  # also those of numpy
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [_plain(key, element) for element in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(key, element) for name, element in value.items()}
    raise RecipeError(
        f"`{key}` must be a text, a number, true or false, a list, a mapping or None, got {type(value).__name__}."
    )


__all__ = ["train", "with_settings"]
