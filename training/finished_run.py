"""A run that is finished: what its checkpoints lose then."""

from pathlib import Path

from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe

# the state of the optimizer is larger than the model
FILES_TO_GO_ON = ("optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state*.pth")


def keeps_optimizer(arguments: RecipeArguments, recipe: Recipe) -> bool:
    """Tell whether checkpoints stay as they are when the training is finished.

    Whoever asks for several of them, or keeps all, wants to go back to one.
    """
    if arguments.keep_optimizer is not None:
        return arguments.keep_optimizer
    return recipe.given("save_total_limit") is None or int(recipe.flags.get("save_total_limit", 1)) > 1


def remove_optimizer_state(folder: Path) -> None:
    """Delete from the checkpoints of a run what is needed only to go on with the training; the models stay."""
    for name in FILES_TO_GO_ON:
        for file in folder.glob(f"checkpoint-*/{name}"):
            file.unlink()
