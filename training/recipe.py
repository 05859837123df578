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
from malmoi.training.arguments import TokenClassificationArguments

RECIPES = Path(__file__).parent / "recipes"


class RecipeError(UserError):
    """A recipe or a flag that cannot be understood."""


class Recipe(NamedTuple):
    """A recipe with the flags that override it."""

    name: str
    source: str  # as the user wrote it: a name or a path
    settings: dict[str, Any]
    flags: dict[str, str]


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
            f"There is no recipe {name!r}{_nearest(name, recipe_names())} Known: {_list(recipe_names())}."
        )
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: expected YAML: {error}") from None
    if not isinstance(settings, dict):
        raise RecipeError(f"{path}: expected lines of the form `key: value`.")
    given = _parse_flags(flags)
    model_type = given.get("model_type", settings.get("model_type", TokenClassificationArguments.model_type))
    known = known_keys(str(model_type))
    for key in settings:
        if key not in known:
            raise RecipeError(f"{path}: unknown key {key!r}{_nearest(str(key), known)}")
    for key in given:
        if key not in known:
            raise RecipeError(f"Unknown flag --{key}{_nearest(key, known)}")
    return Recipe(path.stem, name, settings, given)


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


def known_keys(model_type: str) -> list[str]:
    """Return every key that a recipe for this architecture may have."""
    return [
        *(field.name for field in dataclasses.fields(TokenClassificationArguments)),
        *_declared_fields("transformers", "training_args.py", "TrainingArguments"),
        *model_settings(model_type),
    ]


def describe_keys() -> dict[str, dict[str, str]]:
    """Return every key of a recipe with what it means, by group; transformers documents its own."""
    return {
        "Data and model": {
            field.name: f"{field.metadata['help']} Default: {field.default}."
            for field in dataclasses.fields(TokenClassificationArguments)
        },
        "Configuration of bilstm_crf (see BiLstmCrfConfig)": dict.fromkeys(model_settings("bilstm_crf"), ""),
        "TrainingArguments of transformers": dict.fromkeys(
            _declared_fields("transformers", "training_args.py", "TrainingArguments"), ""
        ),
    }


def model_settings(model_type: str) -> list[str]:
    """Return the keys that belong to the configuration of this architecture.

    Raises:
        RecipeError: If the architecture is unknown.
    """
    if model_type != "bilstm_crf":
        raise RecipeError(
            f"Unknown model_type {model_type!r}{_nearest(model_type, ['bilstm_crf'])} Known: bilstm_crf."
        )
    return _declared_fields("malmoi.configuration", "configuration_bilstm_crf.py", "BiLstmCrfConfig")


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


def _nearest(key: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else "."


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
