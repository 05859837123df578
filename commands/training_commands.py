"""The commands `train` and `tune`: what they take, before anything heavy is imported."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from malmoi.commands.options import OptionalRecipeName
from malmoi.commands.start_up import lasting_imports

if TYPE_CHECKING:
    from malmoi.recipes.recipe import Recipe


def train(
    context: typer.Context,
    recipe: OptionalRecipeName = None,
) -> None:
    """Train a model from a recipe. Every key of a recipe is also a flag: --learning_rate 1e-3.

    `malmoi train RECIPE --help` shows the flags of a recipe with its values, `malmoi keys KEY` explains one. Without a
    recipe, `malmoi train --data_dir DIR` chooses one by the data and the machine, and says which and why.
    """
    loaded = _recipe(recipe, context.args, command="train")
    with lasting_imports():
        from malmoi.commands.train import train_recipe

    train_recipe(loaded)


def tune(
    context: typer.Context,
    recipe: OptionalRecipeName = None,
    trials: Annotated[
        int, typer.Option(min=1, help="How many trials there are in all, with those of a search that is gone on with.")
    ] = 20,
    prune: Annotated[
        bool, typer.Option("--prune", help="End a trial early that is worse at an epoch than half of the others were.")
    ] = False,
) -> None:
    """Search the best values for some keys of a recipe. Needs the extra `tune`; other flags are those of `train`.

    What is tried says `search_space` (`malmoi keys search_space`), in the recipe or as a flag; without it the learning
    rate, the size of batches and what else the architecture learns by. Trials are compared by metric_for_best_model on
    validation data. The study, all trials, a plot and best.yaml, a recipe for `malmoi train`, go to --output_dir, by
    default runs/RECIPE-tune. After an interruption, --resume_from_checkpoint true goes on with the search; --overwrite
    true begins it anew. Without a recipe, `malmoi tune --data_dir DIR` chooses one as `malmoi train` does.
    """
    from malmoi.recipes.search_space import written_space
    from malmoi.training.search.requirement import require_optuna

    options = ["--trials", str(trials), *(["--prune"] if prune else [])]
    loaded = _recipe(recipe, context.args, command="tune", options=options)
    written_space(loaded)
    require_optuna()
    with lasting_imports():
        from malmoi.commands.tune import tune_recipe

    tune_recipe(loaded, trials=trials, prune=prune)


def _recipe(recipe: str | None, flags: Sequence[str], *, command: str, options: Sequence[str] = ()) -> "Recipe":
    """Return the recipe that is named, or that which the data choose, with the flags.

    Args:
        recipe: What stands where a recipe is named; without one, that is the first flag, if any.
        flags: The others.
        command: The command.
        options: What else is said to it.
    """
    from malmoi.recipes.recipe import load_recipe, parse_flags

    if recipe is not None and not recipe.startswith("-"):
        return load_recipe(recipe, flags)
    given = parse_flags([*([] if recipe is None else [recipe]), *flags])
    with lasting_imports():
        from malmoi.training.chosen_recipe import recipe_for_data

    return recipe_for_data(given, command=command, options=options)
