"""The folder of a run: what it holds already, and what may be removed from it."""

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from malmoi.inference.exported_folder import GRAPH
from malmoi.inference.model_folder import CONFIG
from malmoi.inference.weights_header import WEIGHT_FILES
from malmoi.recipes.recipe import RecipeError
from malmoi.reports.report import REPORT_FILE, read_report
from malmoi.training.processes.launcher import say
from malmoi.training.resuming.checkpoints import checkpoints_in, what_it_lacks

OTHER_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.onnx")
"""Patterns of files that may be weights which a run does not write."""


def find_checkpoint(training_arguments: TrainingArguments, *, overwrite: bool) -> Path | None:
    """Return the checkpoint to go on from, if any, and make sure that no run is lost by mistake.

    Raises:
        RecipeError: If the folder holds a run or a model and neither `overwrite` nor `resume_from_checkpoint` is
            given, or both are, if there is nothing to go on from, or if something there has the name of a checkpoint
            and is none.
    """
    folder = Path(str(training_arguments.output_dir))
    if others := _folders_that_are_taken_for_checkpoints(folder):
        raise RecipeError(
            f"{others[0]} is no checkpoint of a training, but its name makes the `Trainer` delete it as an old one. "
            "Rename it, or choose another --output_dir."
        )
    resume = str(training_arguments.resume_from_checkpoint or "false")
    check_going_on(resume, overwrite=overwrite)
    if resume.lower() == "true":
        folder.mkdir(parents=True, exist_ok=True)
        return _last_whole_checkpoint(folder)
    named = None if resume.lower() == "false" else Path(resume)
    if named is not None:
        if not (named / "trainer_state.json").is_file():
            raise RecipeError(f"`resume_from_checkpoint`: {resume} is no checkpoint.")
        if lack := what_it_lacks(named):
            raise RecipeError(f"`resume_from_checkpoint`: {resume} is no whole checkpoint: {lack}.")
        if named.resolve().parent == folder.resolve():
            return named
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written to is better known now than later
    if not overwrite and (checkpoints_in(folder) or (folder / REPORT_FILE).is_file()):
        raise RecipeError(
            f"{folder} holds a run already. Choose another --output_dir, go on with it by "
            "--resume_from_checkpoint true, or replace it by --overwrite true."
        )
    if not overwrite and (there := _weights_at_risk(folder)):
        raise RecipeError(
            f"{folder} holds a model already ({there[0].name}). Choose another --output_dir, or replace it by "
            "--overwrite true."
        )
    return named


def check_going_on(resume: str, *, overwrite: bool) -> None:
    """Check that a run is not both to be gone on with and to be replaced.

    Args:
        resume: What `resume_from_checkpoint` says.
        overwrite: Whether a run may be replaced.

    Raises:
        RecipeError: If it is.
    """
    if resume.lower() == "true" and overwrite:
        raise RecipeError(
            "Give either --resume_from_checkpoint true, which goes on, or --overwrite true, which begins anew, not "
            "both."
        )


def _folders_that_are_taken_for_checkpoints(folder: Path) -> list[Path]:
    return sorted({path for path in folder.glob("checkpoint-*") if path.is_dir()} - {*checkpoints_in(folder)})


def _weights_at_risk(folder: Path) -> list[Path]:
    """Return the weights that a run would replace, or whose configuration it would, whoever wrote them.

    A configuration alone is what is left of a run that was to be replaced by one that was interrupted.
    """
    others = OTHER_WEIGHTS if (folder / CONFIG).is_file() else ()
    return sorted(path for pattern in (*WEIGHT_FILES, *others) for path in folder.glob(pattern))


def _last_whole_checkpoint(folder: Path) -> Path:
    """Return the latest checkpoint that is whole: an interruption may have cut the last one off."""
    found = checkpoints_in(folder)
    if not found:
        raise RecipeError(f"`resume_from_checkpoint`: {folder} holds no checkpoint.")
    lacks = {checkpoint: what_it_lacks(checkpoint) for checkpoint in found}
    whole = next((checkpoint for checkpoint in found if lacks[checkpoint] is None), None)
    if whole is None:
        raise RecipeError(
            f"`resume_from_checkpoint`: {folder} holds no checkpoint that is whole ({found[0].name}: "
            f"{lacks[found[0]]}); train anew by --overwrite true."
        )
    for checkpoint in found[: found.index(whole)]:
        say(f"{checkpoint.name} is not whole ({lacks[checkpoint]}); going on from {whole.name}.")
    return whole


def report_to_go_on_from(training_arguments: TrainingArguments) -> dict[str, Any] | None:
    """Return the report of the run that is gone on with; `None` if it has none, or no whole model beside it."""
    folder = Path(str(training_arguments.output_dir))
    if str(training_arguments.resume_from_checkpoint).lower() != "true" or not any(folder.glob("*.safetensors")):
        return None
    return read_report(folder)


def remove_old_run(training_arguments: TrainingArguments) -> None:
    """Delete checkpoints, weights, graph and report of an earlier run, and nothing else that may lie in the folder."""
    folder = Path(str(training_arguments.output_dir))
    # every process passes here, whatever the folder holds: a process that turned back would leave the others waiting
    with training_arguments.main_process_first(desc="removing the old run"):
        if training_arguments.process_index == 0:
            for checkpoint in checkpoints_in(folder):
                shutil.rmtree(checkpoint)
            for pattern in (REPORT_FILE, GRAPH, *WEIGHT_FILES):  # a graph would answer beside its new configuration
                for path in folder.glob(pattern):
                    path.unlink()
