"""Label the tokens of texts with a tagger: of a long text piece by piece, of a piece window by window."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from malmoi.data.alignment import OUTSIDE
from malmoi.data.text_pieces import Piece, Reading
from malmoi.data.token_windows import Offsets, Window
from malmoi.inference.batches import PADDED_LENGTH, length_batches, piece_chunks
from malmoi.inference.engine import Engine
from malmoi.inference.freed_memory import give_back_memory
from malmoi.inference.labelled_tokens import LabelledPart, TokenLabels, WindowScores, no_tokens
from malmoi.inference.seams import find_seam

READING = Reading(length=3072, overlap=1024)
"""How long texts are read by a model that has no limit; `docs/documents.md` shows what the overlap is worth.

Two pieces are answered at a time, side by side: no more than of a text of ten thousand characters.
"""
READING_OF_LIMITED = Reading(length=8192, overlap=1024)
"""How they are read by one with a limit, which divides pieces into windows of its own."""
PADDED_PIECES = READING.length
"""How many tokens a batch of pieces of long texts has: those of one piece."""


def token_labels(engine: Engine, texts: Sequence[str], *, batch_size: int) -> list[TokenLabels]:
    """Return the labels of the tokens of each text: the Viterbi path of a CRF, otherwise the likeliest of each token.

    Args:
        engine: A tagger.
        texts: The texts, of any length.
        batch_size: How many windows are answered at once, at most.
    """
    answers = [no_tokens() for _ in texts]
    number = 0
    for part in labelled_parts(engine, texts, batch_size=batch_size):
        answers[number].extend(part.tokens)
        number += part.is_last
    return answers


def labelled_parts(
    engine: Engine, texts: Iterable[str], *, batch_size: int, reading: Reading | None = None
) -> Iterator[LabelledPart]:
    """Yield the labels of the tokens of texts, of a short text all at once, of a long one as they become known.

    See `labelled_chunks`, which yields those together that become known together.
    """
    for parts in labelled_chunks(engine, texts, batch_size=batch_size, reading=reading):
        yield from parts


def labelled_chunks(
    engine: Engine, texts: Iterable[str], *, batch_size: int, reading: Reading | None = None
) -> Iterator[list[LabelledPart]]:
    """Yield the labels of the tokens of texts, as many at once as become known together.

    What is in memory does not grow with the length of a text. Neighbouring pieces of a long text overlap, and the
    answer goes over from one to the next where both say the same, with what both have read as context on both sides.

    Args:
        engine: A tagger.
        texts: The texts, of any length.
        batch_size: How many windows are answered at once, at most.
        reading: How long texts are read; by default as it is best for the model.

    Raises:
        UserError: If a text holds a lone surrogate, which is no character.
    """
    if reading is None:
        reading = READING if engine.max_length is None else READING_OF_LIMITED
    outside = next((index for index, label in engine.labels.items() if label == OUTSIDE), None)
    left = no_tokens()
    end = 0
    for chunk in piece_chunks(texts, reading):
        parts = []
        for piece, tokens in zip(chunk, _label_pieces(engine, chunk, batch_size)):
            if piece.start:
                kept, skipped = find_seam(left, tokens, piece.start, end, outside=outside)
                parts.append(LabelledPart(piece.text, left.part(0, kept), is_last=False))
                tokens = tokens.part(skipped, len(tokens.labels))
            if piece.is_last:
                parts.append(LabelledPart(piece.text, tokens, is_last=True))
            left, end = tokens, piece.stop
        yield parts


def _label_pieces(engine: Engine, pieces: Sequence[Piece], batch_size: int) -> list[TokenLabels]:
    """Return the labels of the tokens of each piece; offsets are those of the whole text."""
    owners, windows = text_windows(engine.windows([piece.text[piece.start : piece.stop] for piece in pieces]))
    long = any(piece.start or not piece.is_last for piece in pieces)
    lengths = [len(window.input_ids) for window in windows]
    batches = list(length_batches(lengths, batch_size, padded_length=PADDED_PIECES if long else PADDED_LENGTH))
    if long:
        give_back_memory()
    scored = engine.score_tokens([[windows[index].input_ids for index in batch] for batch in batches])
    of_windows: dict[int, tuple[list[int], list[float], NDArray[np.int64], NDArray[np.float32]]] = {}
    for batch, answer in zip(batches, scored):
        best = answer.predictions
        scores = np.take_along_axis(answer.probabilities, np.maximum(best, 0)[..., None], 2)[..., 0]
        rows = zip(best.tolist(), scores.tolist(), best, answer.emissions)
        of_windows.update(zip(batch, rows))
    answers = [no_tokens() for _ in pieces]
    for index, (owner, window) in enumerate(zip(owners, windows)):
        labels, probabilities, predictions, emissions = of_windows[index]
        offsets = _moved(window.offsets, pieces[owner].start)
        first, last = window.kept
        length, kept_before = len(offsets), len(answers[owner].labels)
        answers[owner].windows.append(
            WindowScores(kept_before, window.kept, offsets, predictions[:length], emissions[:length])
        )
        answers[owner].labels.extend(labels[first:last])
        answers[owner].scores.extend(probabilities[first:last])
        answers[owner].offsets.extend(offsets[first:last])
    return answers


def _moved(offsets: Offsets, by: int) -> Offsets:
    """Return offsets in the whole text for those in a piece of it; a token without text stays at `(0, 0)`."""
    return [(start + by, end + by) if end else (0, 0) for start, end in offsets] if by else offsets


def text_windows(windows_of_texts: Sequence[Sequence[Window]]) -> tuple[list[int], list[Window]]:
    """Return the windows of texts that have any tokens, and to which text each belongs."""
    owners: list[int] = []
    windows: list[Window] = []
    for owner, parts in enumerate(windows_of_texts):
        for part in parts:
            if part.input_ids:
                owners.append(owner)
                windows.append(part)
    return owners, windows
