"""Set rows aside evenly over classes."""

import random
from collections.abc import Sequence


def draw_evenly(labels: Sequence[str], count: int, *, seed: int) -> set[int]:
    """Return so many indices, drawn by the seed, of each class as large a share as it has of the whole.

    Shares are rounded so that they add up (largest remainder).

    Args:
        labels: The class of each row.
        count: How many rows are drawn, at most all.
        seed: The same seed draws the same rows.
    """
    rows: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        rows.setdefault(label, []).append(index)
    shares = {label: divmod(count * len(indices), len(labels)) for label, indices in sorted(rows.items())}
    left = count - sum(whole for whole, _ in shares.values())
    larger = sorted(shares, key=lambda label: shares[label][1], reverse=True)[:left]
    generator = random.Random(seed)
    return {
        index
        for label, (whole, _) in shares.items()
        for index in generator.sample(rows[label], whole + (label in larger))
    }
