"""Recipes of models of the package: they tell how those were trained, also with files that nobody else has."""

from pathlib import Path

from malmoi.inference.bundled_models import BUNDLED
from malmoi.models import FOLDER
from malmoi.recipes.recipe import Recipe, RecipeError
from malmoi.training.silver_teachers import split_names

NAMES_FILES = ("silver_text", "silver_teachers", "model_name_or_path")


def check_packaged_recipe(recipe: Recipe) -> None:
    """Refuse the recipe of a model of the package if files that it names are not here; any other recipe passes.

    Raises:
        RecipeError: With what is missing, and what makes it.
    """
    if Path(recipe.source).resolve().parent.parent != FOLDER.resolve():
        return
    named = [str(recipe.settings.get(key) or "") for key in NAMES_FILES if key not in recipe.flags]
    missing = [
        name
        for names in named
        for name in split_names(names)
        if not name.startswith(BUNDLED) and not Path(name).exists()
    ]
    if missing:
        raise RecipeError(
            f"{recipe.source} tells how the model of the package was trained, and names what is not here: "
            f"{', '.join(dict.fromkeys(missing))}. In a checkout of malmoi, `make models DATA=DIR` makes all of it "
            "and trains the model anew."
        )
