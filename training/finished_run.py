"""A run that is finished: what its checkpoints lose then, and what it means to go on with it."""

from pathlib import Path
from typing import Any

from malmoi.training.arguments import RecipeArguments
from malmoi.training.recipe import Recipe, RecipeError
from malmoi.training.report import read_report
from malmoi.training.run_description import describe_settings

# the state of the optimizer is larger than the model
FILES_TO_GO_ON = ("optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state*.pth")
# what may differ though the training is the same
NO_PART_OF_TRAINING = ("disable_tqdm", "keep_optimizer", "logging_steps", "logging_strategy", "report_to")


def keeps_optimizer(arguments: RecipeArguments, recipe: Recipe) -> bool:
    """Tell whether checkpoints stay as they are when the training is finished.

    Whoever asks for several of them wants to go back to one.
    """
    if arguments.keep_optimizer is not None:
        return arguments.keep_optimizer
    return int(recipe.flags.get("save_total_limit", 1)) > 1


def remove_optimizer_state(folder: Path) -> None:
    """Delete from the checkpoints of a run what is needed only to go on with the training; the models stay."""
    for name in FILES_TO_GO_ON:
        for file in folder.glob(f"checkpoint-*/{name}"):
            file.unlink()


def has_state_to_go_on(checkpoint: Path) -> bool:
    """Tell whether a checkpoint holds more than a model; `global_step*` are folders of DeepSpeed."""
    return any(found for name in (*FILES_TO_GO_ON, "global_step*") for found in checkpoint.glob(name))


def finished_report(checkpoint: str, recipe: Recipe, data: dict[str, Any]) -> dict[str, Any] | None:
    """Return the report of a finished run that is to be gone on with and has nothing left to train.

    Args:
        checkpoint: The checkpoint to go on from.
        recipe: What is asked for now.
        data: The description of the data as they are now.

    Returns:
        The report; `None` if the training can go on, since the checkpoint has all that this takes.

    Raises:
        RecipeError: If there is something left to train, but the optimizer state was removed.
    """
    place = Path(checkpoint)
    report = read_report(place.parent)
    if report is None or has_state_to_go_on(place):
        return None
    before, now = report["settings"], describe_settings(recipe)
    others = sorted(
        key for key in {**before, **now} if key not in NO_PART_OF_TRAINING and before.get(key) != now.get(key)
    )
    others += ["data"] if report["data"] != data else []
    if others:
        raise RecipeError(
            f"{place.parent} is finished and its optimizer state was removed then, so it cannot go on with other "
            f"settings ({', '.join(others)}); start from its model by --model_name_or_path {place.parent} and another "
            "--output_dir, or train anew by --overwrite true (--keep_optimizer true keeps the state)."
        )
    return report
