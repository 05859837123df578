"""Group texts into chunks and batches: similar lengths together, and never more at once than memory should hold."""

from collections.abc import Iterable, Iterator, Sequence

from malmoi.data.user_error import UserError

# texts are read ahead so far that those of one batch are about equally long: padding is then a few percent
CHUNK_TEXTS = 1024
CHUNK_CHARACTERS = 65_536
# a batch is as long as its longest text: one very long text must not be multiplied by its neighbours
PADDED_LENGTH = 16_384


def text_chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts in lists, each of at most `CHUNK_TEXTS`, and of about `CHUNK_CHARACTERS` in all.

    Raises:
        UserError: If a text holds a lone surrogate, which is no character.
    """
    chunk: list[str] = []
    characters = 0
    for text in texts:
        check_text(text)
        chunk.append(text)
        characters += len(text)
        if len(chunk) == CHUNK_TEXTS or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def length_batches(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield batches of indices of similar length, none of which takes much more memory than `PADDED_LENGTH`.

    Args:
        lengths: Length of each text, in characters or tokens.
        batch_size: How many texts a batch may have at most.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
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
