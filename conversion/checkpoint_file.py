"""Read the tensors of an old checkpoint. No code in it is ever run."""

import re
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from malmoi.data.notice import list_names, show_value
from malmoi.data.user_error import UserError

SAFETENSORS = ".safetensors"
SUFFIXES = (".bin", ".pth", ".pt", SAFETENSORS)
STATE_DICT_KEYS = ("state_dict", "model_state_dict")
"""Where the checkpoint of a training keeps the weights, beside its epoch and its optimizer."""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by their names, in float32 on the CPU.

    Args:
        path: A state dict as `torch.save` writes it, the checkpoint of a training that holds one, or safetensors.

    Raises:
        UserError: If there is no such file, it is damaged, or it holds anything that only code could unpickle.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file.")
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: expected a file that ends in {', '.join(SUFFIXES)}.")
    return _tensors(_read_safetensors(path) if path.suffix == SAFETENSORS else _read_pickle(path), path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path}: the file is damaged or cut off ({show_value(str(error), length=200)}).") from None


def _read_pickle(path: Path) -> Any:
    """Return what a pickle of tensors and plain containers holds; the unpickler knows nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of what is refused here
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # bytes that are no pickle raise whatever they happen to mean
            if not _needs_code(error, path):
                raise UserError(
                    f"{path}: the file is damaged, cut off or no checkpoint ({type(error).__name__})."
                ) from None
            found = re.search(r"GLOBAL (\S+)", str(error))
            what = f"it holds {list_names([found[1]])}, which" if found else "it is in a format that"
            raise UserError(
                f"{path}: {what} cannot be loaded without running code from the file; expected tensors in plain "
                "containers, as torch.save(model.state_dict(), ...) writes them."
            ) from None


def _needs_code(error: Exception, path: Path) -> bool:
    """Tell whether torch refused a file for what is in it, and not because it is damaged or something else."""
    if isinstance(error, UnpicklingError):
        with path.open("rb") as file:
            return file.read(2)[:1] in (b"\x80", b"P")  # a pickle, or a zip archive that holds one
    # so it refuses its old tar format and TorchScript
    return isinstance(error, RuntimeError) and "weights_only" in str(error)


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict in what was read, checked."""
    if isinstance(content, dict):
        content = next((content[key] for key in STATE_DICT_KEYS if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: expected a state dict with weights, got {_describe(content)}.")
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise UserError(
                f"{path}: expected a tensor under every name, or a state dict under {' or '.join(STATE_DICT_KEYS)}, "
                f"got {type(tensor).__name__} under {show_value(name)}."
            )
        if not tensor.is_floating_point() or tensor.layout != torch.strided:
            raise UserError(
                f"{path}: {list_names([name])} must hold floating-point numbers, got {tensor.dtype} in the layout "
                f"{tensor.layout}."
            )
        if not tensor.float().isfinite().all():
            raise UserError(f"{path}: {list_names([name])} holds infinite numbers or some that are none (NaN).")
    return {name: tensor.float() for name, tensor in content.items()}


def _describe(content: Any) -> str:
    return "an empty one" if isinstance(content, dict) else f"a {type(content).__name__}"
