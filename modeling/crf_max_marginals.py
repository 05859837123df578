"""What makes max-marginals fit for anybody's argmax: one best sequence stands out, and nothing is infinite.

This file travels with every saved model, so it imports nothing but torch.
"""

import torch
from torch import Tensor

IMPOSSIBLE = -1e4  # float16 and bfloat16 hold it too
LEAST_LEAD = 1e-6  # a softmax in float32 makes equals of numbers that differ by less


def keep_path_ahead(scores: Tensor, path: Tensor) -> Tensor:
    """Return max-marginals of which each position's only largest is that of the tag on the path.

    All tags of a best sequence have the same max-marginal, and so have those of another one that is as good, or nearly
    as good: large sums are rounded. The tag on the path gets the largest of its position; what was as large goes down
    to the next smaller number that the type holds.

    Args:
        scores: Max-marginals, `(batch, length, tags)`.
        path: The tags of a best sequence, `(batch, length)`; negative where a position has none.
    """
    highest = scores.amax(-1, keepdim=True)
    behind = torch.nextafter(highest, highest.new_tensor(-torch.inf))
    return torch.minimum(scores, behind).scatter_(-1, path.clamp(min=0)[..., None], highest)


def finite_scores(scores: Tensor, mask: Tensor, *, outside_label_id: int | None) -> Tensor:
    """Return max-marginals without infinity, with the same largest tag at each position, also after a softmax.

    The largest has a lead of at least 0.000001, for the stock pipeline takes the argmax of probabilities in float32.
    A tag that no allowed sequence has gets 10,000 less than the lowest one of its position that has. Where a position
    is not in the chain, every tag gets -10,000, and the outside label 0.

    Args:
        scores: Max-marginals, `(batch, length, tags)`; minus infinity for tags that are impossible.
        mask: Which positions are in the chain, `(batch, length)`.
        outside_label_id: The label of positions outside the chain; `None` if there is none.
    """
    impossible = scores.isneginf()
    lowest = scores.masked_fill(impossible, torch.inf).amin(-1, keepdim=True)
    highest = scores.amax(-1, keepdim=True)
    scores = torch.where(scores < highest, torch.minimum(scores, highest - LEAST_LEAD), scores)
    logits = torch.where(impossible, lowest.nan_to_num(nan=torch.nan, posinf=0.0) + IMPOSSIBLE, scores)
    if outside_label_id is not None:
        logits[..., outside_label_id].masked_fill_(~mask, 0)
    return logits


__all__ = ["finite_scores", "keep_path_ahead"]
