"""Recipes: YAML files with everything a training needs, and the flags that override them.

Nothing heavy is imported here, so that a misspelt key is answered at once and not after torch has loaded.
"""

import ast
import dataclasses
import difflib
import importlib.util
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from malmoi.data.user_error import UserError
from malmoi.training.arguments import ARGUMENTS, RecipeArguments

RECIPES = Path(__file__).parent / "recipes"
CONFIGURATIONS = {"bilstm": "BiLstmConfig", "bilstm_crf": "BiLstmCrfConfig", "encoder_crf": "EncoderCrfConfig"}
"""The configuration class of each architecture of ours."""
ENCODER = "encoder"
"""The architecture that transformers has for the task, on the encoder that the recipe names."""


class RecipeError(UserError):
    """A recipe or a flag that cannot be understood."""


class Recipe(NamedTuple):
    """A recipe with the flags that override it."""

    name: str
    source: str  # as the user wrote it: a name or a path
    settings: dict[str, Any]
    flags: dict[str, str]

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
    """Return the first comment line of each recipe of the package."""
    return {
        name: (RECIPES / f"{name}.yaml").read_text(encoding="utf-8").split("\n")[0].removeprefix("# ")
        for name in recipe_names()
    }


def load_recipe(name: str, flags: Sequence[str]) -> Recipe:
    """Read a recipe and the flags that follow it.

    Args:
        name: Name of a recipe of the package, or path of a YAML file.
        flags: `--key value` or `--key=value`; a flag without a value means `true`.

    Raises:
        RecipeError: If there is no such recipe, or a key is unknown; it names the nearest known one.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else RECIPES / f"{name}.yaml"
    if not path.is_file():
        raise RecipeError(
            f"There is no recipe {name!r}{nearest(name, recipe_names())} Known: {_list(recipe_names())}."
        )
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: expected YAML: {error}") from None
    if not isinstance(settings, dict):
        raise RecipeError(f"{path}: expected lines of the form `key: value`.")
    recipe = Recipe(path.stem, name, settings, _parse_flags(flags))
    if recipe.task not in ARGUMENTS:
        raise RecipeError(f"Unknown task {recipe.task!r}{nearest(recipe.task, ARGUMENTS)} Known: {_list(ARGUMENTS)}.")
    known = known_keys(recipe.task, recipe.model_type)
    for key in settings:
        if key not in known:
            raise RecipeError(f"{path}: unknown key {key!r}{nearest(str(key), known)}")
    for key in recipe.flags:
        if key not in known:
            raise RecipeError(f"Unknown flag --{key}{nearest(key, known)}")
    return recipe


def _parse_flags(flags: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    rest = list(flags)
    while rest:
        flag = rest.pop(0)
        if not flag.startswith("--"):
            raise RecipeError(f"Expected a flag of the form --key value, got {flag!r}.")
        key, equals, value = flag[2:].partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        given[key.replace("-", "_")] = value
    return given


def known_keys(task: str, model_type: str) -> list[str]:
    """Return every key that a recipe for this task and this architecture may have."""
    return [
        *(field.name for field in dataclasses.fields(ARGUMENTS[task])),
        *_declared_fields("transformers", "training_args.py", "TrainingArguments"),
        *model_settings(model_type),
    ]


def describe_keys() -> dict[str, dict[str, str]]:
    """Return every key of a recipe with what it means, by group; transformers documents its own."""
    common = {field.name for field in dataclasses.fields(RecipeArguments)} - {"reader", "model_type"}
    return {
        "Every task": _described(RecipeArguments, only=common),
        **{
            f"task: {task}": _described(
                arguments, only={field.name for field in dataclasses.fields(arguments)} - common
            )
            for task, arguments in ARGUMENTS.items()
        },
        **{
            f"model_type: {model_type} (see {class_name})": dict.fromkeys(model_settings(model_type), "")
            for model_type, class_name in CONFIGURATIONS.items()
        },
        f"model_type: {ENCODER}": {
            "encoder_config": "Settings of the encoder's configuration, as {model_type: bert, hidden_size: 128}; with "
            "model_name_or_path they override its own."
        },
        "TrainingArguments of transformers": dict.fromkeys(
            _declared_fields("transformers", "training_args.py", "TrainingArguments"), ""
        ),
    }


def _described(arguments: type[RecipeArguments], *, only: set[str]) -> dict[str, str]:
    return {
        field.name: f"{field.metadata['help']} Default: {field.default}."
        for field in dataclasses.fields(arguments)
        if field.name in only
    }


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
    return _declared_fields("malmoi.configuration", f"configuration_{model_type}.py", CONFIGURATIONS[model_type])


@cache
def _declared_fields(package: str, file_name: str, class_name: str) -> list[str]:
    """Read the annotated fields of a class off its source: importing it would load torch."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    source = Path(next(iter(folders or [])), file_name).read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            return [
                line.target.id
                for line in node.body
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
            ]
    raise AssertionError(f"{file_name} has no class {class_name}")


def nearest(key: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that asks whether the nearest known name was meant."""
    matches = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else "."


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
