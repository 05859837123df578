"""`malmoi compare-embeddings`: the same recipe with random, frozen and trained embeddings."""

from collections.abc import Sequence
from pathlib import Path

from malmoi.commands.several_runs import train_unfinished
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe

RUNS = {
    "random": {"embeddings": "", "embeddings_trained": "true"},
    "frozen": {"embeddings_trained": "false"},
    "trained": {"embeddings_trained": "true"},
}
"""The flags that make each of the runs what it is."""


def embedding_recipes(name: str, flags: Sequence[str]) -> dict[Path, Recipe]:
    """Return the recipe three times, by the folder of its run.

    Raises:
        RecipeError: If recipe and flags name no embeddings.
    """
    recipe = load_recipe(name, flags)
    if not recipe.given("embeddings"):
        raise RecipeError("Give the pretrained embeddings to compare by --embeddings NAME_OR_FILE.")
    folder = Path(str(recipe.given("output_dir", f"runs/{recipe.name}-embeddings")))
    return {
        folder / run: recipe._replace(flags={**recipe.flags, **own, "output_dir": str(folder / run)})
        for run, own in RUNS.items()
    }


def train_and_compare(recipes: dict[Path, Recipe]) -> None:
    """Train every recipe, and compare the runs."""
    from malmoi.commands.compare import compare_runs

    train_unfinished(recipes)
    compare_runs(list(recipes), output_dir=next(iter(recipes)).parent, separately=False)
