"""How many steps a training has.

Small data get enough of them: with the epochs of a recipe for a large corpus, a model would learn nothing.
"""

import dataclasses
import math
from typing import Any

from transformers import TrainingArguments

from malmoi.data.counted import counted
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe
from malmoi.training.processes.launcher import say

ENOUGH_STEPS = 300
FEW_STEPS = 100
"""With fewer steps than this, a training that was asked for them is told so."""
MOST_EVALUATIONS = 20
EARLY_STOPPING = "early stopping"
ALL_STEPS = "all steps"
LENGTHS = ("num_train_epochs", "max_steps")
STRATEGIES = {"eval_strategy": "eval_steps", "save_strategy": "save_steps", "logging_strategy": "logging_steps"}


def steps_per_epoch(training_arguments: TrainingArguments, texts: int) -> int:
    """Return how many steps the `Trainer` makes of so many texts."""
    batch = training_arguments.train_batch_size * training_arguments.world_size
    batches = texts // batch if training_arguments.dataloader_drop_last else math.ceil(texts / batch)
    return max(1, math.ceil(batches / training_arguments.gradient_accumulation_steps))


def planned_steps(training_arguments: TrainingArguments, texts: int) -> int:
    """Return how many steps a training of so many texts has in all."""
    if training_arguments.max_steps > 0:
        return training_arguments.max_steps
    return math.ceil(training_arguments.num_train_epochs * steps_per_epoch(training_arguments, texts))


def end_of_training(steps: int, planned: int) -> str:
    """Return what ended a training after so many steps."""
    return ALL_STEPS if steps >= planned else EARLY_STOPPING


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
            # where steps are counted, epochs are not
            are_counted = training_arguments.max_steps > 0
            more = f"--max_steps {ENOUGH_STEPS}" if are_counted else f"--num_train_epochs {epochs}"
            makes = ENOUGH_STEPS if are_counted else epochs * each
            say(f"{counted(planned, 'step')} may be too few to learn from; {more} makes {makes}.")
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
        f"{counted(texts, 'text')} make{'s' if texts == 1 else ''} {counted(each, 'step')} an epoch: training "
        f"{counted(epochs, 'epoch')} instead of {before:g} "
        "(--num_train_epochs sets another number)."
    )
    return changed


def _is_left_to_us(recipe: Recipe) -> bool:
    """Tell whether the number of epochs is that of a recipe of the package, and no word of the user."""
    return recipe.is_of_the_package and not set(LENGTHS) & set(recipe.flags)


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
    are_counted = int(report.get("settings", {}).get("max_steps") or 0) > 0
    longer = "max_steps" if are_counted else "num_train_epochs"
    if report["training"].get("ended") == EARLY_STOPPING:
        longer = "early_stopping_patience"
    return (
        f"The model has learned nothing yet: {found} after {counted(report['training']['steps'], 'step')}. "
        f"Train longer (--{longer}), with another --learning_rate, or on more data."
    )
