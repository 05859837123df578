"""What the functions over padded tensors accept, and what a wrong argument is told."""

from collections.abc import Callable

import torch
from torch import Tensor


def check_chain(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the scores in their widest type, at least float32, and the lengths as int64.

    Raises:
        TypeError: If an argument is no tensor, or scores are no floating-point numbers.
        ValueError: If shapes or devices do not fit together, or a length is not from 0 to that of the padding. A CUDA
            device, which is not waited for, reports the last itself and later.
    """
    scores = {"emissions": emissions, "start": start, "transitions": transitions, "end": end}
    for name, tensor in {**scores, "lengths": lengths}.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"Expected a tensor as `{name}`, got {type(tensor).__name__}.")
        if tensor.device != emissions.device:
            raise ValueError(f"Expected `{name}` on {emissions.device}, as the emissions are, got {tensor.device}.")
    for name, tensor in scores.items():
        if not tensor.is_floating_point():
            raise TypeError(f"Expected floating-point numbers as `{name}`, got {tensor.dtype}.")
    if emissions.dim() != 3 or not emissions.size(2):
        raise ValueError(f"Expected emissions of shape (batch, length, tags), got {tuple(emissions.shape)}.")
    batch, length, tags = emissions.shape
    for name, shape in (("start", (tags,)), ("transitions", (tags, tags)), ("end", (tags,))):
        if scores[name].shape != shape:
            raise ValueError(
                f"Expected `{name}` of shape {shape}, as the emissions are of {tags} tags, "
                f"got {tuple(scores[name].shape)}."
            )
    if lengths.shape != (batch,) or not _holds_integers(lengths):
        raise ValueError(
            f"Expected `lengths`, the number of positions of each sentence, as integers of shape ({batch},), got "
            f"{lengths.dtype} of shape {tuple(lengths.shape)}; of a mask that is true up to the end of each sentence, "
            "pass `mask.sum(1)`."
        )
    _require(
        (lengths < 0) | (lengths > length), lengths, lambda wrong: f"Lengths must be from 0 to {length}, got {wrong}."
    )
    dtype = torch.float32
    for tensor in scores.values():
        dtype = torch.promote_types(dtype, tensor.dtype)
    return emissions.to(dtype), lengths.long(), start.to(dtype), transitions.to(dtype), end.to(dtype)


def check_labels(labels: Tensor, lengths: Tensor, *, length: int, tags: int) -> Tensor:
    """Return labels as int64.

    Args:
        labels: Tag ids, `(batch, length)`.
        lengths: Number of positions of each sentence, `(batch,)`.
        length: Number of positions with padding.
        tags: Number of tags.

    Raises:
        TypeError: If they are no tensor.
        ValueError: If they are no integers, of another shape, on another device, or no tags up to the end of a
            sentence; a CUDA device reports the last itself and later.
    """
    if not isinstance(labels, Tensor):
        raise TypeError(f"Expected a tensor as `labels`, got {type(labels).__name__}.")
    if labels.device != lengths.device:
        raise ValueError(f"Expected `labels` on {lengths.device}, as the emissions are, got {labels.device}.")
    shape = (lengths.size(0), length)
    if labels.shape != shape or not _holds_integers(labels):
        raise ValueError(
            f"Expected integer labels of shape {shape}, got {labels.dtype} of shape {tuple(labels.shape)}."
        )
    inside = torch.arange(length, device=lengths.device)[None] < lengths[:, None]
    _require(
        inside & ((labels < 0) | (labels >= tags)),
        labels,
        lambda wrong: f"Labels must be tags from 0 to {tags - 1} up to the end of each sentence, got {wrong}.",
    )
    return labels.long()


def _holds_integers(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() and not tensor.is_complex() and tensor.dtype != torch.bool


def _require(wrong: Tensor, values: Tensor, message: Callable[[int], str]) -> None:
    """Raise, with a message about the first value that is wrong, if there is one."""
    if wrong.device.type == "cuda":
        torch._assert_async(~wrong.any(), "Lengths or labels of the CRF are out of range.")
    elif wrong.any():
        raise ValueError(message(int(values[wrong][0])))


__all__ = ["check_chain", "check_labels"]
