"""Small data get enough steps: with the epochs of a recipe for a large corpus, a model would learn nothing of them."""

import dataclasses
import math
from typing import Any

from transformers import TrainingArguments

from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe
from malmoi.training.launcher import say
from malmoi.training.recipe_arguments import typed_value
from malmoi.training.resuming import EARLY_STOPPING, planned_steps, steps_per_epoch

ENOUGH_STEPS = 300
FEW_STEPS = 100
"""With fewer steps than this, a training that was asked for them is told so."""
MOST_EVALUATIONS = 20
LENGTHS = ("num_train_epochs", "max_steps")
STRATEGIES = {"eval_strategy": "eval_steps", "save_strategy": "save_steps", "logging_strategy": "logging_steps"}


def give_enough_steps(
    recipe: Recipe, arguments: RecipeArguments, training_arguments: TrainingArguments, *, texts: int
) -> dict[str, Any]:
    """Raise the number of epochs where the data are too few for that of the recipe, and say so in one line.

    What the user has written, as a flag or in a recipe of his own, stays as it is; if it is too little, a line says
    what to change. Evaluations and checkpoints do not become more than `MOST_EVALUATIONS`, and a learning rate that
    shrinks with every epoch shrinks as far as it would have.

    Args:
        recipe: The recipe with its flags.
        arguments: Its arguments, which are changed.
        training_arguments: Its arguments of transformers, which are changed.
        texts: How many texts an epoch has.

    Returns:
        The settings that are others now.
    """
    planned, each = planned_steps(training_arguments, texts), steps_per_epoch(training_arguments, texts)
    before, epochs = training_arguments.num_train_epochs, math.ceil(ENOUGH_STEPS / each)
    if planned >= ENOUGH_STEPS or (training_arguments.max_steps <= 0 and before >= epochs):
        return {}
    if training_arguments.max_steps > 0 or not _is_left_to_us(recipe):
        if planned < FEW_STEPS:
            say(f"{_steps(planned)} may be too few to learn from; --num_train_epochs {epochs} makes {epochs * each}.")
        return {}
    changed: dict[str, Any] = {"num_train_epochs": epochs}
    if arguments.learning_rate_decay != 1:
        changed["learning_rate_decay"] = arguments.learning_rate_decay ** (before / epochs)
    apart = math.ceil(epochs / MOST_EVALUATIONS)
    strategies = {name: getattr(training_arguments, name) for name in STRATEGIES}
    if not {*STRATEGIES, *STRATEGIES.values()} & set(recipe.flags):
        for name, strategy in strategies.items():
            # what comes every so many steps for a large corpus would never come
            never = strategy == "steps" and getattr(training_arguments, STRATEGIES[name]) > epochs * each
            if never or (apart > 1 and strategy == "epoch"):
                changed |= {name: "steps", STRATEGIES[name]: apart * each}
    for name, value in changed.items():
        holder = arguments if name in {field.name for field in dataclasses.fields(arguments)} else training_arguments
        setattr(holder, name, type(getattr(holder, name))(value) if name in STRATEGIES else value)
    say(
        f"{texts:,} texts make {_steps(each)} an epoch: training {epochs} epochs instead of {before:g} "
        "(--num_train_epochs sets another number)."
    )
    return changed


def instead_of(recipe: Recipe, changed: dict[str, Any]) -> dict[str, Any]:
    """Return what recipe and flags say for settings that were changed; `None` where they say nothing."""
    return {name: typed_value(recipe.given(name)) for name in changed}


def settings_as_given(report: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a report as recipe and flags gave them, before small data changed any."""
    before = report.get("training", {}).get("instead_of", {})
    settings = {**report.get("settings", {}), **before}
    return {name: value for name, value in settings.items() if name not in before or value is not None}


def _is_left_to_us(recipe: Recipe) -> bool:
    """Tell whether the number of epochs is that of a recipe of the package, and no word of the user."""
    return recipe.is_of_the_package and not set(LENGTHS) & set(recipe.flags)


def _steps(count: int) -> str:
    return f"{count} step{'s' if count > 1 else ''}"


def nothing_learned(report: dict[str, Any]) -> str | None:
    """Return what to change where a model has learned nothing; `None` if it has."""
    figure = report["main_figure"]
    classes_predicted = sum(any(column) for column in zip(*report.get("confusion", {}).get("counts", [])))
    if f"{report['figures'][figure]:.4f}" == "0.0000":
        found = f"{figure} is 0.00"
    elif classes_predicted == 1 and len(report["confusion"]["classes"]) > 1:
        found = "every text is given the same class"
    else:
        return None
    longer = "early_stopping_patience" if report["training"].get("ended") == EARLY_STOPPING else "num_train_epochs"
    return (
        f"The model has learned nothing yet: {found} after {_steps(report['training']['steps'])}. Train longer "
        f"(--{longer}), with another --learning_rate, or on more data."
    )
