"""Several processes that train together, as a launcher such as torchrun starts them."""

import os
from typing import Any

import torch
from datasets import disable_progress_bars
from transformers import TrainingArguments

from malmoi.recipes.recipe import RecipeError
from malmoi.training.processes.launcher import is_first_process, launched_processes, processes_here


def settings_of_processes(given: dict[str, Any]) -> dict[str, Any]:
    """Return what `TrainingArguments` need to be told where a launcher has started several processes.

    Args:
        given: What recipe and flags say.

    Raises:
        RecipeError: If there are GPUs, but not one for each process.
    """
    if launched_processes() == 1:
        return {}
    gpus, here = torch.cuda.device_count(), processes_here()
    if 0 < gpus < here and str(given.get("use_cpu", False)).lower() == "false":
        raise RecipeError(
            f"The launcher has started {here} processes on this machine, which has GPUs for {gpus}; start {gpus}, or "
            "add --use_cpu true."
        )
    settings: dict[str, Any] = {}
    # without an accelerator the processes meet on the CPU only if that is asked for
    if "use_cpu" not in given and not torch.accelerator.is_available():
        settings["use_cpu"] = True
        # an MPI launcher says who the processes are, but not where they meet
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    if "log_level_replica" not in given:
        settings["log_level_replica"] = "error"
    if not is_first_process():
        disable_progress_bars()
    return settings


def check_processes(training_arguments: TrainingArguments) -> None:
    """Check that the processes of the launcher train together, and not each for itself into one folder.

    Raises:
        RecipeError: If they do not.
    """
    launched = launched_processes()
    if launched > training_arguments.world_size:
        device = training_arguments.device.type
        advice = "leave out `use_cpu: false`" if device == "cpu" else "add --use_cpu true, or start one process"
        raise RecipeError(
            f"The launcher has started {launched} processes, but on the device {device} each would train for itself "
            f"into the same folder; {advice}."
        )
    # what Accelerate sets for several processes on the CPU that it then does not start
    if launched == 1 and "ACCELERATE_USE_CPU" in os.environ and "MASTER_PORT" in os.environ:
        raise RecipeError(
            "`accelerate launch` was asked for several processes, but without MPI it starts one; start them by "
            "`torchrun --standalone --nproc_per_node N -m malmoi.training.train`."
        )
