"""The keys of recipes, each of which is also a flag of `malmoi train`: what they mean, where they are set."""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple, get_type_hints

from malmoi.recipes.arguments import ARGUMENTS, RecipeArguments
from malmoi.recipes.declared_fields import as_written
from malmoi.recipes.recipe import (
    CONFIGURATIONS,
    ENCODER,
    Recipe,
    RecipeError,
    configuration_fields,
    load_recipe,
    nearest,
    recipe_names,
    training_fields,
)

EVERY_TASK, TASK, MODEL_TYPE = "Every task", "task: ", "model_type: "
TRAINING = "Training"
OF_TRANSFORMERS = "of transformers"


# what is meant by these here is more than transformers says of them
OURS = {
    "output_dir": ("Folder of the run: model, tokenizer, code, report and checkpoints.", "runs/RECIPE"),
    "resume_from_checkpoint": (
        "Go on with an interrupted training: true for the last checkpoint in output_dir, or the folder of one.",
        "null",
    ),
    "disable_tqdm": ("Short lines instead of progress bars.", "true where the error output is no terminal"),
}


class Key(NamedTuple):
    """A key: its name, the type of its value, its default, what it means, and the group that it belongs to."""

    name: str
    type: str
    default: str
    help: str
    group: str

    def described(self) -> str:
        """Return what it means, and its default if it has one."""
        default = "" if self.default in ("", "null") else f"Default: {self.default}."
        return f"{self.help} {default}".strip()


def all_keys() -> list[Key]:
    """Return every key, group by group; one that several tasks or architectures have is there for each."""
    common = {field.name for field in dataclasses.fields(RecipeArguments)} - {"reader", "model_type"}
    return [
        *_arguments(RecipeArguments, EVERY_TASK, only=common),
        *(
            key
            for task, arguments in ARGUMENTS.items()
            for key in _arguments(
                arguments, f"{TASK}{task}", only={field.name for field in dataclasses.fields(arguments)} - common
            )
        ),
        *(
            Key(field.name, field.type, field.default, field.help, f"{MODEL_TYPE}{model_type}")
            for model_type in CONFIGURATIONS
            for field in configuration_fields(model_type)
        ),
        Key(
            "encoder_config",
            "dict",
            "null",
            "Settings of the encoder's configuration, as {model_type: bert, hidden_size: 128}; with "
            "model_name_or_path they override its own.",
            f"{MODEL_TYPE}{ENCODER}",
        ),
        *(
            Key(field.name, field.type, default, meaning, f"{TRAINING}: {field.group} ({OF_TRANSFORMERS})")
            for field in training_fields()
            for meaning, default in [OURS.get(field.name, (field.help, field.default))]
        ),
    ]


def _arguments(arguments: type[RecipeArguments], group: str, *, only: set[str]) -> list[Key]:
    # not those of the fields, in which the parser of transformers writes
    types_of = get_type_hints(arguments)
    return [
        Key(
            field.name,
            _written_type(types_of[field.name]),
            as_written(field.default),
            field.metadata["help"],
            group,
        )
        for field in dataclasses.fields(arguments)
        if field.name in only
    ]


def _written_type(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


def keys_of(recipe: Recipe) -> list[Key]:
    """Return the keys that concern a recipe: those of its task and its architecture."""
    groups = (EVERY_TASK, f"{TASK}{recipe.task}", f"{MODEL_TYPE}{recipe.model_type}")
    return [key for key in all_keys() if key.group in groups or key.group.startswith(TRAINING)]


def by_group(keys: Iterable[Key]) -> dict[str, list[Key]]:
    """Return keys by their group."""
    groups: dict[str, list[Key]] = {}
    for key in keys:
        groups.setdefault(key.group, []).append(key)
    return groups


def find_key(name: str) -> list[Key]:
    """Return a key, as often as it means different things.

    Raises:
        RecipeError: If there is no such key; it names the nearest one.
    """
    wanted = name.removeprefix("--").replace("-", "_")
    keys = all_keys()
    found = [key for key in keys if key.name == wanted]
    if not found:
        raise RecipeError(f"There is no key {name!r}{nearest(wanted, {key.name for key in keys})}")
    merged: list[Key] = []
    for key in found:
        same = [number for number, other in enumerate(merged) if other[1:4] == key[1:4]]
        if same:
            other = merged[same[0]]
            merged[same[0]] = other._replace(group=f"{other.group}, {key.group.removeprefix(MODEL_TYPE)}")
        else:
            merged.append(key)
    return merged


def recipes_with(name: str) -> dict[str, list[str]]:
    """Return the values that recipes of the package give a key, each with the names of the recipes."""
    values: dict[str, list[str]] = {}
    for recipe in recipe_names():
        settings = load_recipe(recipe, []).settings
        if name in settings:
            values.setdefault(as_written(settings[name]), []).append(recipe)
    return values
