"""Lines of a file of names that were marked for malmoi."""

from collections.abc import Sequence

from malmoi.data.alignment import Span
from malmoi.hub_cards.klue_names import checksum_of


def described(name: str, text: str, names: Sequence[Span]) -> str:
    """Return the line of a sentence in such a file."""
    return "\t".join([name, checksum_of(text), " ".join(f"{start}:{end}:{label}" for start, end, label in names)])
