"""Dropout whose random numbers take a fifth of the time on a CPU, where they were a fifth of a training step."""

import torch
from torch import Tensor, nn

LEVELS = 2**16


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, but a CPU draws one random number of 64 bits for four elements.

    Each element is zeroed with the probability rounded to a multiple of 2**-16, independently of the others. Other
    devices, and `torch.compile`, compute as `torch.nn.Dropout` does.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the input with random elements zeroed, in training; the others are scaled up."""
        zeroed = round(self.p * LEVELS)
        if not self.training or zeroed in (0, LEVELS) or inputs.device.type != "cpu" or torch.compiler.is_compiling():
            return super().forward(inputs)
        count = inputs.numel()
        draws = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
        levels = draws.view(torch.int16)[:count].view(inputs.shape)  # each from -32,768 to 32,767
        kept = (levels >= zeroed - LEVELS // 2).to(inputs.dtype)
        return inputs * kept.mul_(LEVELS / (LEVELS - zeroed))


__all__ = ["Dropout"]
