"""When sums over tag sequences may be computed with weights, exp(score), instead of scores.

Sums of weights are far cheaper than sums in log space (Rabiner, 1989, section V.A), as long as no product that matters
is too small for float64. Whether one could be is known before the first step: how far scores lie apart says how much a
message can shrink.
"""

import math

import torch
from torch import Tensor

# Float64 goes down to exp(-708) at full precision. A forward and a backward message are multiplied: half for each.
LARGEST_EXPONENT = 345.0


def steps_between_rescaling(emission_spread: float, start: Tensor, transitions: Tensor, end: Tensor) -> int:
    """Return after how many steps a message has to be brought back to a sum of 1; 0 if weights cannot be used.

    Args:
        emission_spread: Largest difference between the scores of two tags at the same position.
        start: Score of starting with a tag, `(tags,)`.
        transitions: Score of a step, `(previous tag, next tag)`; minus infinity where it is forbidden.
        end: Score of ending with a tag, `(tags,)`.
    """
    room, shrink, reach = _limits(start, transitions, end)
    shrink += emission_spread
    steps = (room - reach * shrink) / shrink if shrink else room
    return int(steps) if steps >= 1 else 0  # 0 also if a score is not a number


def largest_emission_spread(start: Tensor, transitions: Tensor, end: Tensor) -> float:
    """Return how far scores at a position may lie apart if messages are brought back at every step.

    The arguments are those of `steps_between_rescaling`; the answer is negative if weights cannot be used at all.
    """
    room, shrink, reach = _limits(start, transitions, end)
    largest = room / (reach + 1) - shrink
    return largest if largest >= 0 else -1.0


def _limits(start: Tensor, transitions: Tensor, end: Tensor) -> tuple[float, float, int]:
    """Return the exponent that steps may use up, that which each uses beside its emissions, and `reach`.

    In a step the largest entry of a message shrinks at most by `shrink` and the spread of the emissions; any entry
    that can be reached within `reach` steps is smaller than the largest by at most `reach` times that.
    """
    extremes = torch.stack([extreme for scores in (transitions, start, end) for extreme in scores.aminmax()])
    lowest, highest, lowest_start, highest_start, lowest_end, highest_end = extremes.tolist()
    reach = 1
    if lowest == -math.inf:
        forbidden = transitions.isneginf()
        allowed = (~forbidden).to(transitions.dtype)
        if not (allowed @ allowed).all():
            return -1.0, 0.0, 1  # a tag that is reached by one way only could stay behind for good
        reach = 2
        lowest = float(transitions.masked_fill(forbidden, torch.inf).amin())
    if lowest_start == -math.inf:
        lowest_start = float(start.masked_fill(start.isneginf(), torch.inf).amin())
    room = LARGEST_EXPONENT - max(highest_start - lowest_start, highest_end - lowest_end)
    return room, highest - lowest + math.log(transitions.size(0)), reach


__all__ = ["largest_emission_spread", "steps_between_rescaling"]
