"""Group texts into chunks and batches: similar lengths together, and never more at once than memory should hold."""

import re
from collections.abc import Iterable, Iterator, Sequence

from malmoi.data.text_pieces import Piece, Reading, text_pieces
from malmoi.data.user_error import UserError

# texts are read ahead so far that those of one batch are about equally long: padding is then a few percent
CHUNK_TEXTS = 1024
CHUNK_CHARACTERS = 65_536
# a batch is as long as its longest text: one very long text must not be multiplied by its neighbours
PADDED_LENGTH = 16_384
# pieces of long texts are equally long as they are: no more are read ahead than a short text may have
AHEAD_IN_PIECES = 6144  # two of them
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


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


def piece_chunks(texts: Iterable[str], reading: Reading) -> Iterator[list[Piece]]:
    """Yield the pieces of texts in lists, of which those that are only parts of a text are short.

    Args:
        texts: The texts.
        reading: How long texts are read.

    Raises:
        UserError: If a text holds a lone surrogate, which is no character.
    """
    chunk: list[Piece] = []
    characters = in_pieces = 0
    for text in texts:
        check_text(text)
        for piece in text_pieces(text, reading):
            chunk.append(piece)
            characters += piece.stop - piece.start
            in_pieces += piece.stop - piece.start if len(text) > reading.length else 0
            enough = in_pieces > 0 and in_pieces + reading.length > AHEAD_IN_PIECES
            if enough or len(chunk) == CHUNK_TEXTS or characters >= CHUNK_CHARACTERS:
                yield chunk
                chunk, characters, in_pieces = [], 0, 0
    if chunk:
        yield chunk


def length_batches(
    lengths: Sequence[int], batch_size: int, *, padded_length: int = PADDED_LENGTH
) -> Iterator[list[int]]:
    """Yield batches of indices of similar length, none of which takes much more memory than `padded_length`.

    Args:
        lengths: Length of each text, in characters or tokens.
        batch_size: How many texts a batch may have at most.
        padded_length: How many tokens a batch may have, padding included, if it has more than one text.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == batch_size or (len(batch) + 1) * lengths[index] > padded_length):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def check_text(text: str, *, number: int | None = None) -> None:
    """Check that a text consists of characters.

    Args:
        text: The text.
        number: Which one it is of several, from 1 on.

    Raises:
        UserError: If it holds a lone surrogate.
    """
    if found := LONE_SURROGATE.search(text):
        which = "" if number is None else f"; it is number {number} of the texts"
        raise UserError(f"Character {found.start() + 1} of the text is a lone surrogate, not a character{which}.")
