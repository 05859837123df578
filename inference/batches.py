"""Group texts into batches, so that a very long text does not multiply the memory of its neighbours."""

from collections.abc import Iterator, Sequence

from malmoi.data.user_error import UserError

CHUNK = 512
"""How many texts are read ahead, so that texts of similar length can be answered together."""
# a batch is as long as its longest text: one very long text must not be multiplied by its neighbours
PADDED_LENGTH = 16_384


def length_batches(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield batches of indices of similar length, none of which takes much more memory than `PADDED_LENGTH`.

    Args:
        lengths: Length of each text, in characters or tokens.
        batch_size: How many texts a batch may have at most.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if batch and (len(batch) == batch_size or (len(batch) + 1) * lengths[index] > PADDED_LENGTH):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def check_text(text: str) -> None:
    """Check that a text consists of characters.

    Raises:
        UserError: If it holds a lone surrogate.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(f"Character {error.start + 1} of the text is a lone surrogate, not a character.") from None
