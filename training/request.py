"""What a training is asked to do: a recipe and its flags, read, checked and typed."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from transformers import TrainingArguments

from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe, RecipeError
from malmoi.recipes.search_space import SEARCH_SPACE, written_space
from malmoi.training.packaged_recipe import check_packaged_recipe
from malmoi.training.processes.progress import quiet_bars
from malmoi.training.reading import reader_of_training
from malmoi.training.recipe_arguments import check_arguments, draws_seed, parse_recipe
from malmoi.training.resuming.output_dir import find_checkpoint
from malmoi.training.resuming.run_record import read_record
from malmoi.training.tasks import TASKS, Task


class TrainingRequest(NamedTuple):
    """What a training is asked to do."""

    recipe: Recipe
    """As the user gave it, with flags."""
    task: Task
    arguments: RecipeArguments
    """The arguments of the task; where data are few, `plan_training` changes some."""
    training_arguments: TrainingArguments
    """Those of transformers; likewise."""
    settings: dict[str, Any]
    """The settings of the model's configuration."""
    checkpoint: Path | None = None
    """The checkpoint to go on from, if any."""

    @property
    def output_dir(self) -> Path:
        """The folder of the run."""
        return Path(str(self.training_arguments.output_dir))


def read_request(recipe: Recipe) -> TrainingRequest:
    """Return what a recipe asks for, and make sure that it can be done and that no run is lost by it.

    Raises:
        RecipeError: If a value is wrong, or the folder of the run does not allow it.
    """
    return look_into_folder(understand(recipe))


def understand(recipe: Recipe) -> TrainingRequest:
    """Return what a recipe asks for, before a look into the folder of the run: another run may be writing there.

    Raises:
        RecipeError: If a value is wrong.
    """
    task = TASKS[recipe.task]
    check_packaged_recipe(recipe)
    if SEARCH_SPACE in recipe.flags:
        raise RecipeError(
            f"`{SEARCH_SPACE}` is for `malmoi tune`, which tries its values; training has one for each key."
        )
    written_space(recipe)
    arguments, training_arguments, settings = parse_recipe(recipe)
    arguments = replace(arguments, reader=reader_of_training(recipe, arguments))
    check_arguments(task, arguments, training_arguments)
    quiet_bars(training_arguments, recipe)
    return TrainingRequest(recipe, task, arguments, training_arguments, settings)


def look_into_folder(request: TrainingRequest) -> TrainingRequest:
    """Return what is asked for with the checkpoint to go on from, and make sure that no run is lost.

    Raises:
        RecipeError: If the folder of the run does not allow it.
    """
    training_arguments = request.training_arguments
    checkpoint = find_checkpoint(training_arguments, overwrite=request.arguments.overwrite)
    if checkpoint is not None and draws_seed(request.recipe) and (record := read_record(checkpoint)):
        training_arguments.seed = record["settings"]["seed"]  # the one that was drawn when it began
    return request._replace(checkpoint=checkpoint)
