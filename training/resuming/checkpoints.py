"""Checkpoints: which of them are whole, and what they know of the training that wrote them."""

import re
import zipfile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME, TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from malmoi.data.json_object import read_json_object
from malmoi.data.user_error import UserError

ARCHIVE = b"PK\x03\x04"
RANDOM_STATES = "rng_state*.pth"  # one for each process
OPTIMIZER_FILES = ("optimizer*", "global_step*")  # of one process, of FSDP, of DeepSpeed


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the checkpoints of a run, the latest first."""
    numbers = {path: path.name.removeprefix(f"{PREFIX_CHECKPOINT_DIR}-") for path in folder.glob("checkpoint-*")}
    found = [path for path, number in numbers.items() if path.is_dir() and number.isdigit()]
    return sorted(found, key=lambda path: -int(numbers[path]))


def step_of(checkpoint: str) -> int | None:
    """Return after which step a checkpoint was saved, by its path, which may be one of another system."""
    digits = re.search(r"\d+$", checkpoint)
    return None if digits is None else int(digits[0])


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Return the state of the `Trainer` that a checkpoint holds."""
    return read_json_object(checkpoint / TRAINER_STATE_NAME)


def what_it_lacks(checkpoint: Path) -> str | None:
    """Return what keeps a training from going on from a checkpoint; `None` if it is whole.

    One whose writing was cut off has no state, which is written last.
    """
    for name in (TRAINER_STATE_NAME, CONFIG_NAME, "tokenizer.json"):
        path = checkpoint / name
        if not path.is_file():
            return f"it holds no {name}"
        try:
            read_json_object(path)
        except UserError:
            return f"its {name} is damaged"
    return _lacking_weights(checkpoint) or _lacking_state_to_go_on(checkpoint)


def _lacking_weights(checkpoint: Path) -> str | None:
    if (checkpoint / SAFE_WEIGHTS_INDEX_NAME).is_file():
        return None
    try:
        with safe_open(checkpoint / SAFE_WEIGHTS_NAME, framework="pt"):
            return None
    except FileNotFoundError:
        return f"it holds no {SAFE_WEIGHTS_NAME}"
    except SafetensorError:
        return f"its {SAFE_WEIGHTS_NAME} is damaged or cut off"


def _lacking_state_to_go_on(checkpoint: Path) -> str | None:
    """Return what is wrong with the state of the optimizer and what belongs to it; a finished run keeps none of it.

    Without the scheduler the `Trainer` would not read the optimizer either, and say nothing.
    """
    if not (checkpoint / OPTIMIZER_NAME).is_file():
        return None
    for pattern in (OPTIMIZER_NAME, SCHEDULER_NAME, RANDOM_STATES):
        paths = sorted(checkpoint.glob(pattern))
        if not paths:
            return f"it holds no {pattern.replace('*', '')}"
        for path in paths:
            if not _is_whole_archive(path):
                return f"its {path.name} is damaged or cut off"
    return None


def _is_whole_archive(path: Path) -> bool:
    """Tell whether a file has the beginning and the end of what `torch.save` writes."""
    with path.open("rb") as file:
        return file.read(len(ARCHIVE)) == ARCHIVE and zipfile.is_zipfile(path)


def has_optimizer(checkpoint: Path) -> bool:
    """Tell whether a checkpoint holds the state of the optimizer, without which a training would begin it anew."""
    return any(any(checkpoint.glob(pattern)) for pattern in OPTIMIZER_FILES)
