"""Where models run."""

import logging

import torch
from torch import nn

from malmoi.data.user_error import UserError

logger = logging.getLogger(__name__)


def default_device() -> str:
    """Return where models run unless told otherwise: on a GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def find_device(device: str | int | torch.device | None) -> torch.device:
    """Return the device of a name.

    Args:
        device: Its name, such as `cpu` or `cuda:1`, or the number of a GPU; `None` for the default.

    Raises:
        UserError: If it has no such name, or this machine has no such device.
    """
    if device is None:
        return torch.device(default_device())
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise UserError(f"`device` must be the name of one, such as cpu, cuda or cuda:1, got {device!r}.") from None
    if found.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"`device` is {device!r}, but PyTorch finds no GPU here; use cpu, or leave it out.")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"`device` is {device!r}, but there are only {torch.cuda.device_count()} GPUs, from cuda:0 on."
        )
    if found.type == "meta":
        raise UserError("`device` must be one that computes, got 'meta'.")
    try:
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, ImportError) as error:  # what it is depends on the kind of device
        reason = str(error).split(". ")[0] or type(error).__name__
        raise UserError(f"`device` is {device!r}, which PyTorch cannot use here ({reason}).") from None
    return found


def device_of(model: nn.Module) -> torch.device:
    """Return where a model is.

    `device` of transformers takes the first parameter off a generator and leaves that to be finalized, which is where
    Python drops an interrupt: whoever presses Ctrl-C then would have to press it again.
    """
    device, *_ = (parameter.device for parameter in model.parameters())
    return device


def warn_of_slow_bfloat16(device: torch.device) -> None:
    """Say it if bfloat16 is computed by other instructions, which is several times slower than float32."""
    if device.type == "cpu" and not cpu_has_bfloat16():
        logger.warning("This processor has no instructions for bfloat16: bf16 is slower here than without it.")


def cpu_has_bfloat16() -> bool:
    """Tell whether the processor computes in bfloat16 itself."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
