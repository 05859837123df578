"""Texts drawn at random, to be read."""

import random
from collections.abc import Sequence

from malmoi.data.inspection.findings import Place, place_of_marks
from malmoi.data.inspection.inspected_text import InspectedText
from malmoi.data.inspection.summaries import by_split

COUNT = 10
SEED = 42
LONGEST = 300
"""Of a longer text the beginning is shown."""


def draw_samples(texts: Sequence[InspectedText], *, seed: int = SEED) -> list[Place]:
    """Return ten texts of the first split, in their order, with all their names.

    Args:
        texts: The texts.
        seed: The same seed draws the same ones.
    """
    rows = next(iter(by_split(texts).values()), [])
    drawn = sorted(random.Random(seed).sample(range(len(rows)), min(COUNT, len(rows))))
    return [place_of_marks(rows[index], rows[index].names, longest=LONGEST) for index in drawn]
