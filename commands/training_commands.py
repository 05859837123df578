"""The commands `train` and `tune`: what they take, before anything heavy is imported."""

from typing import Annotated

import typer

from malmoi.commands.options import OptionalRecipeName, RecipeName
from malmoi.commands.start_up import lasting_imports


def train(
    context: typer.Context,
    recipe: OptionalRecipeName = None,
) -> None:
    """Train a model from a recipe. Every key of a recipe is also a flag: --learning_rate 1e-3.

    `malmoi train RECIPE --help` shows the flags of a recipe with its values, `malmoi keys KEY` explains one. Without a
    recipe, `malmoi train --data_dir DIR` chooses one by the data and the machine, and says which and why.
    """
    from malmoi.recipes.recipe import load_recipe, parse_flags

    if recipe is None or recipe.startswith("-"):  # the first flag, where no recipe is before it
        flags = parse_flags([*([] if recipe is None else [recipe]), *context.args])
        with lasting_imports():
            from malmoi.training.chosen_recipe import recipe_for_data

        loaded = recipe_for_data(flags)
    else:
        loaded = load_recipe(recipe, context.args)
    with lasting_imports():
        from malmoi.commands.train import train_recipe

    train_recipe(loaded)


def tune(
    context: typer.Context,
    recipe: RecipeName,
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
    true begins it anew.
    """
    from malmoi.recipes.recipe import load_recipe
    from malmoi.recipes.search_space import written_space
    from malmoi.training.search.requirement import require_optuna

    loaded = load_recipe(recipe, context.args)
    written_space(loaded)
    require_optuna()
    with lasting_imports():
        from malmoi.commands.tune import tune_recipe

    tune_recipe(loaded, trials=trials, prune=prune)
