"""Build a model without memory for its numbers, and hold it against the weights that are to fill it.

The settings of a configuration decide what a model reserves. On the device `meta` tensors have a shape and no content;
what is counted there is refused before anything of that size is made.
"""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks
from transformers import PreTrainedConfig, PreTrainedModel

from malmoi.data.user_error import UserError
from malmoi.inference.weights_header import WEIGHTS, Shapes

MOST_BUFFERS = 1 << 24
"""How many numbers a model may hold that are not saved with it, such as masks."""
PARTS_PER_TENSOR = 20
"""How many modules and parameters there may be for each tensor of the weights; layers like dropout have none."""


class _TooManyPartsError(Exception):
    pass


def check_built_size(model_class: Any, config: PreTrainedConfig, shapes: Shapes, *, folder: object) -> None:
    """Check that a model of a configuration is as large as the weights that it will be given.

    Args:
        model_class: What makes the model: a class, or an Auto class of transformers.
        config: The configuration.
        shapes: The shapes of the weights.
        folder: How messages call where both lie.

    Raises:
        UserError: If a tensor has another shape, or the model is larger than the weights.
    """
    make = model_class.from_config if hasattr(model_class, "from_config") else model_class._from_config
    try:
        # initial numbers cost nothing on `meta`; `no_init_weights` would switch them off in the whole process, and for
        # good if another thread did so, too
        with _at_most_parts(1000 + PARTS_PER_TENSOR * len(shapes)), torch.device("meta"):
            built: PreTrainedModel = make(copy.deepcopy(config))
    except _TooManyPartsError:
        raise UserError(
            f"{folder}/config.json: it asks for a model of far more parts than the {len(shapes):,} tensors of the "
            "weights."
        ) from None
    unmatched = 0
    saved = built.state_dict()
    for name, tensor in saved.items():
        if name not in shapes:
            unmatched += tensor.numel()
        elif shapes[name] != tuple(tensor.shape):
            raise UserError(
                f"{folder}/{WEIGHTS}: {name} is {shapes[name]}, but config.json asks for {tuple(tensor.shape)}."
            )
    there = sum(prod(shape) for shape in shapes.values())
    # tensors that are tied, or that were saved under other names
    if unmatched > 2 * there + MOST_BUFFERS:
        raise UserError(
            f"{folder}/config.json: it asks for {unmatched:,} numbers that {WEIGHTS} does not name; it has {there:,}."
        )
    passing = sum(buffer.numel() for name, buffer in built.named_buffers() if name not in saved)
    if passing > 4 * there + MOST_BUFFERS:
        raise UserError(f"{folder}/config.json: it asks for {passing:,} numbers beside the {there:,} of {WEIGHTS}.")


@contextmanager
def _at_most_parts(most: int) -> Iterator[None]:
    """Stop what this thread builds when it has more modules and parameters than that."""
    thread, count = threading.get_ident(), 0

    def counted(module: nn.Module, name: str, part: object) -> None:
        nonlocal count
        if threading.get_ident() == thread:
            count += 1
            if count > most:
                raise _TooManyPartsError

    handles = (
        hooks.register_module_module_registration_hook(counted),
        hooks.register_module_parameter_registration_hook(counted),
        hooks.register_module_buffer_registration_hook(counted),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
