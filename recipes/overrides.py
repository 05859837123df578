"""Settings from Python that override those of a recipe."""

import os
from collections.abc import Mapping
from enum import Enum
from numbers import Integral, Real
from typing import Any

from malmoi.recipes.recipe import Recipe, RecipeError, keys_of, nearest


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
