"""The folder of a run: what it holds already, and what may be removed from it."""

import shutil
from pathlib import Path

from transformers import TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from malmoi.training.recipe import RecipeError
from malmoi.training.report import REPORT_FILE


def find_checkpoint(training_arguments: TrainingArguments, *, overwrite: bool) -> str | None:
    """Return the checkpoint to go on from, if any, and make sure that no run is lost by mistake.

    Raises:
        RecipeError: If the folder holds a run and neither `overwrite` nor `resume_from_checkpoint` is given, or if
            there is nothing to go on from.
    """
    folder = Path(str(training_arguments.output_dir))
    resume = training_arguments.resume_from_checkpoint
    if resume and resume.lower() not in ("true", "false"):
        if not Path(resume, "trainer_state.json").is_file():
            raise RecipeError(f"`resume_from_checkpoint`: {resume} is no checkpoint.")
        return resume
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written to is better known now than later
    last = get_last_checkpoint(str(folder))
    if resume and resume.lower() == "true":
        if last is None:
            raise RecipeError(f"`resume_from_checkpoint`: {folder} holds no checkpoint.")
        return last
    if not overwrite and (last is not None or (folder / REPORT_FILE).is_file()):
        raise RecipeError(
            f"{folder} holds a run already. Choose another --output_dir, go on with it by "
            "--resume_from_checkpoint true, or replace it by --overwrite true."
        )
    return None


def remove_old_run(training_arguments: TrainingArguments) -> None:
    """Delete checkpoints, weights and report of an earlier run, and nothing else that may lie in the folder."""
    folder = Path(str(training_arguments.output_dir))
    # every process passes here, whatever the folder holds: a process that turned back would leave the others waiting
    with training_arguments.main_process_first(desc="removing the old run"):
        if training_arguments.process_index == 0:
            for checkpoint in folder.glob("checkpoint-*"):
                shutil.rmtree(checkpoint)
            for name in (REPORT_FILE, "model.safetensors"):
                (folder / name).unlink(missing_ok=True)
