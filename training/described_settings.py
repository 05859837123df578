"""The settings of a training as others may read them: typed, without credentials, without paths of this machine."""

import os
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from malmoi.recipes.arguments import ARGUMENTS
from malmoi.recipes.recipe import Recipe
from malmoi.recipes.search_space import SEARCH_SPACE
from malmoi.recipes.value_kinds import text_keys
from malmoi.training.recipe_arguments import typed_value

# flags that say where things lie and not what is trained; a report is published, a path is nobody's business
OF_THIS_MACHINE = ("data_dir", "output_dir", "overwrite", "resume_from_checkpoint")
SEVERAL_NAMES = ("lexicon", "silver_teachers")
"""Settings of several names or paths, with commas between them."""
NO_NAMES = ("token_separator",)
"""Settings that may look like a path and are none; an empty one says something, too."""


def typed_settings(recipe: Recipe) -> dict[str, Any]:
    """Return what recipe and flags say of the training, without credentials and where things lie."""
    texts = text_keys([ARGUMENTS[recipe.task], TrainingArguments])
    return {
        key: _as_text(key, value) if key in texts else typed_value(value)
        for key, value in {**recipe.settings, **recipe.flags}.items()
        if key not in (*OF_THIS_MACHINE, SEARCH_SPACE) and not key.endswith("_token")
    }


def _as_text(key: str, value: Any) -> str | None:
    """Return a text as the training was told it; nothing for a key that an empty flag takes away."""
    return None if value is None or (value == "" and key not in NO_NAMES) else str(value)


def describe_settings(recipe: Recipe) -> dict[str, Any]:
    """Return recipe and flags as a published report may show them: no credentials, no path of this machine."""
    settings = typed_settings(recipe)
    for key, value in settings.items():
        if key in SEVERAL_NAMES and isinstance(value, str):
            settings[key] = ",".join(map(name_without_path, value.split(",")))
        elif key not in NO_NAMES:
            settings[key] = _without_paths(value)
    return settings


def settings_as_given(report: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a report as recipe and flags gave them: small data and finished models change some."""
    used, before = report.get("settings", {}), report.get("training", {}).get("instead_of", {})
    not_given = {name for name, value in before.items() if value is None and name in used}
    return {name: value for name, value in {**used, **before}.items() if name not in not_given}


def _without_paths(value: Any) -> Any:
    if isinstance(value, str):
        return name_without_path(value)
    if isinstance(value, list):
        return [_without_paths(element) for element in value]
    if isinstance(value, dict):
        return {key: _without_paths(element) for key, element in value.items()}
    return value


def name_without_path(name: str) -> str:
    """Return the name of a file or folder without where it lies; what is neither, as a name on the Hub, stays.

    What lies nowhere any more is known for a path by how it begins, and by having more than the one slash of a name
    on the Hub.
    """
    if "://" in name:
        return name
    path = Path(name.strip())
    looks_like_one = path.is_absolute() or name.strip().startswith((".", "~"))
    is_one = looks_like_one or len(path.parts) > 2 or os.path.exists(os.path.expanduser(path))
    return path.name if path.name and is_one else name
