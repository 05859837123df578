"""What a search is asked to do: a recipe, its search space and its flags, read and checked."""

from pathlib import Path
from typing import NamedTuple

from huggingface_hub.errors import StrictDataclassError

import malmoi.modeling
from malmoi.data.notice import one_line
from malmoi.data.numbers_given import is_whole_number
from malmoi.recipes.recipe import CONFIGURATIONS, ENCODER, Recipe, RecipeError
from malmoi.recipes.search_space import SEARCH_SPACE, Choices, SearchSpace, default_space, written_space
from malmoi.training.processes.launcher import launched_processes
from malmoi.training.recipe_arguments import check_arguments, draws_seed, parse_recipe, typed_value
from malmoi.training.resuming.output_dir import check_going_on
from malmoi.training.search.study import find_study
from malmoi.training.search.trial import recipe_of
from malmoi.training.tasks import TASKS

OF_THE_SEARCH = ("output_dir", "resume_from_checkpoint", "overwrite", SEARCH_SPACE)
"""What is said of the search and not of its trials."""


class Search(NamedTuple):
    """A search: its recipe, the folder of its study, what is tried, and how often."""

    recipe: Recipe
    """What all trials have in common."""
    folder: Path
    space: SearchSpace
    trials: int
    prune: bool
    resume: bool
    """Whether the search in the folder is gone on with,"""
    overwrite: bool
    """or replaced."""


def read_search(recipe: Recipe, *, trials: int, prune: bool) -> Search:
    """Return the search that a recipe and its flags ask for, and make sure that no search is lost by it.

    Raises:
        RecipeError: If the search space or a value is wrong, or the folder does not allow it.
    """
    if launched_processes() > 1:
        raise RecipeError("A search is of one process; start it without a launcher such as torchrun.")
    if not is_whole_number(trials):
        raise RecipeError(f"`trials` must be a whole number, got {trials!r}.")
    if trials < 1:
        raise RecipeError(f"`trials` must be at least 1, got {trials}.")
    space = default_space(recipe) if recipe.given(SEARCH_SPACE) is None else written_space(recipe)
    if not space:
        raise RecipeError("Nothing is left to search: flags set every key of the search space.")
    if draws_seed(recipe):
        raise RecipeError("`seed: null` draws another seed for every trial, which then differ by luck; give a number.")
    run = recipe.settings.get("output_dir") or f"runs/{recipe.name}"
    folder = Path(str(recipe.flags.get("output_dir") or f"{run}-tune"))
    resume = str(recipe.given("resume_from_checkpoint") or "false").lower()
    overwrite = typed_value(recipe.given("overwrite", False)) is True
    check_going_on(resume, overwrite=overwrite)
    common = {key: value for key, value in recipe.flags.items() if key not in OF_THE_SEARCH}
    search = Search(
        recipe._replace(
            settings={key: value for key, value in recipe.settings.items() if key not in OF_THE_SEARCH},
            flags=common | {"output_dir": str(folder)},
        ),
        folder,
        space,
        int(trials),
        prune,
        find_study(folder, resume=resume, overwrite=overwrite),
        overwrite,
    )
    check_values(search)
    return search


def check_values(search: Search) -> None:
    """Refuse now, and not in the middle of a search, what no training takes: an end of a range, or a choice.

    Raises:
        RecipeError: If there is one; values that only together cannot be trained are found by their trial.
    """
    _check_recipe(search.recipe)
    for name, values in search.space.items():
        for value in values.values if isinstance(values, Choices) else (values.low, values.high):
            try:
                _check_recipe(recipe_of(search.recipe, {name: value}))
            except RecipeError as error:
                raise RecipeError(f"`{SEARCH_SPACE}`: `{name}` {value} cannot be trained: {error}") from error


def _check_recipe(recipe: Recipe) -> None:
    arguments, training_arguments, settings = parse_recipe(recipe)
    check_arguments(TASKS[recipe.task], arguments, training_arguments)
    if recipe.model_type in CONFIGURATIONS and not recipe.model_type.startswith(ENCODER):  # an encoder has its own
        # what depends on the labels, on a lexicon or on the tokenizer is known where a model is built
        own = {key: value for key, value in settings.items() if key not in ("encoder_config", "lexicon_labels")}
        try:
            getattr(malmoi.modeling, CONFIGURATIONS[recipe.model_type])(**own | {"unk_token_id": 0})
        except (ValueError, TypeError, KeyError, StrictDataclassError) as error:
            raise RecipeError(one_line(error)) from error
