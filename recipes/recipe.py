"""Recipes: YAML files with everything a training needs, and the flags that override them.

Nothing heavy is imported here, so that a misspelt key is answered at once and not after torch has loaded.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.data.text_lines import is_file_or_pipe
from malmoi.recipes.arguments import ARGUMENTS, RecipeArguments
from malmoi.recipes.declared_fields import DeclaredField, declared_fields
from malmoi.recipes.recipe_file import RecipeError, read_recipe
from malmoi.recipes.value_kinds import text_keys

RECIPES = Path(__file__).parent
CONFIGURATIONS = {"bilstm": "BiLstmConfig", "bilstm_crf": "BiLstmCrfConfig", "encoder_crf": "EncoderCrfConfig"}
"""The configuration class of each architecture of ours."""
ENCODER = "encoder"
"""The architecture that transformers has for the task, on the encoder that the recipe names."""
MAY_BE_EMPTY = ("embeddings", "lexicon", "silver_teachers", "silver_text", "token_separator")
"""Flags that take away what a recipe has, if nothing is their value, and what stands between tokens."""

TEXTS_OF_TRAINING = ("output_dir", "run_name")
"""Of transformers, what a user names freely: what is written is meant, as a folder `2024_11_30`."""


class Recipe(NamedTuple):
    """A recipe with the flags that override it."""

    name: str
    source: str  # as the user wrote it: a name or a path
    settings: dict[str, Any]
    flags: dict[str, Any]  # texts of a command line; from Python, values of any kind
    dataset: object = None
    """A dataset that exists in Python alone, which neither a file nor a flag can hold."""

    @property
    def task(self) -> str:
        """The task that recipe or flags name."""
        return str(self.given("task", RecipeArguments.task))

    @property
    def model_type(self) -> str:
        """The architecture that recipe or flags name."""
        return str(self.given("model_type", ARGUMENTS[self.task].model_type))

    @property
    def is_of_the_package(self) -> bool:
        """Tell whether it comes with the package, so that only the flags are the user's own words."""
        return self.source in recipe_names()

    def given(self, key: str, default: Any = None) -> Any:
        """Return what recipe or flags say for a key; flags come first."""
        return self.flags.get(key, self.settings.get(key, default))


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def describe_recipes() -> dict[str, str]:
    """Return the first paragraph of the comment that each recipe of the package begins with."""
    return {name: _description((RECIPES / f"{name}.yaml").read_text(encoding="utf-8")) for name in recipe_names()}


def _description(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        if not line.removeprefix("#").strip():
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def load_recipe(name: str, flags: Sequence[str] = ()) -> Recipe:
    """Read a recipe and the flags that follow it.

    Args:
        name: Name of a recipe of the package, or path of a YAML file.
        flags: As on a command line: `--key value` or `--key=value`; a flag without a value means `true`.

    Raises:
        RecipeError: If there is no such recipe, or a key is unknown; it names the nearest known one.
    """
    path = _find(name)
    settings = read_recipe(path, texts={*text_keys(ARGUMENTS.values()), *TEXTS_OF_TRAINING})
    recipe = Recipe(path.stem, name, settings, parse_flags(flags))
    known = keys_of(recipe)
    for key in settings:
        if key not in known:
            raise RecipeError(f"{path}: unknown key {key!r}{nearest(str(key), known)}")
    for key in recipe.flags:
        if key not in known:
            raise RecipeError(f"Unknown flag --{key}{nearest(key, known)}")
    return recipe


def keys_of(recipe: Recipe) -> list[str]:
    """Return every key that a recipe may have.

    Raises:
        RecipeError: If its task or its architecture is unknown.
    """
    if recipe.task not in ARGUMENTS:
        raise RecipeError(f"Unknown task {recipe.task!r}{nearest(recipe.task, ARGUMENTS)} Known: {_list(ARGUMENTS)}.")
    return known_keys(recipe.task, recipe.model_type)


def _find(name: str) -> Path:
    """Return the file of a recipe.

    Raises:
        RecipeError: If there is none.
    """
    path = Path(name)
    if name not in recipe_names() and (path.name != name or path.suffix in (".yaml", ".yml") or path.exists()):
        if path.is_dir():
            raise RecipeError(f"{name} is a folder; expected the name of a recipe, or a YAML file.")
        if not is_file_or_pipe(path):
            of_package = f" The recipe of the package is called {path.stem}." if path.stem in recipe_names() else ""
            raise RecipeError(f"{name}: there is no such file.{of_package}")
        return path
    path = RECIPES / f"{name}.yaml"
    if name not in recipe_names():
        raise RecipeError(
            f"There is no recipe {name!r}{nearest(name, recipe_names())} Known: {_list(recipe_names())}; or give the "
            "path of a YAML file."
        )
    return path


def parse_flags(flags: Sequence[str]) -> dict[str, str]:
    """Return the keys and values of flags as on a command line.

    Raises:
        RecipeError: If something else stands among them, or a value is empty: that is a variable of the shell that
            is not set, and no wish for anything.
    """
    given: dict[str, str] = {}
    rest = list(flags)
    while rest:
        flag = rest.pop(0)
        if not flag.startswith("--"):
            raise RecipeError(f"Expected a flag of the form --key value, got {flag!r}.")
        key, equals, value = flag[2:].partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        key = key.replace("-", "_")
        if not value and key not in MAY_BE_EMPTY:
            raise RecipeError(f"--{key}: expected a value, got an empty one.")
        given[key] = value
    return given


def known_keys(task: str, model_type: str) -> list[str]:
    """Return every key that a recipe for this task and this architecture may have."""
    return [
        *(field.name for field in dataclasses.fields(ARGUMENTS[task])),
        *(field.name for field in training_fields()),
        *model_settings(model_type),
    ]


def model_settings(model_type: str) -> list[str]:
    """Return the keys that belong to the configuration of this architecture.

    Raises:
        RecipeError: If the architecture is unknown.
    """
    known = sorted([*CONFIGURATIONS, ENCODER])
    if model_type not in known:
        raise RecipeError(f"Unknown model_type {model_type!r}{nearest(model_type, known)} Known: {_list(known)}.")
    if model_type == ENCODER:
        return ["encoder_config"]
    return [field.name for field in configuration_fields(model_type)]


def configuration_fields(model_type: str) -> list[DeclaredField]:
    """Return the settings of an architecture of ours."""
    return declared_fields("malmoi.configuration", f"configuration_{model_type}.py", CONFIGURATIONS[model_type])


def training_fields() -> list[DeclaredField]:
    """Return the `TrainingArguments` of transformers."""
    return declared_fields("transformers", "training_args.py", "TrainingArguments")


def nearest(key: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that asks whether the nearest known name was meant."""
    matches = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else "."


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


__all__ = [
    "CONFIGURATIONS",
    "ENCODER",
    "Recipe",
    "RecipeError",
    "configuration_fields",
    "describe_recipes",
    "keys_of",
    "known_keys",
    "load_recipe",
    "model_settings",
    "nearest",
    "parse_flags",
    "recipe_names",
    "training_fields",
]
