"""Label the tokens of texts with a tagger: of a long text piece by piece, of a piece window by window."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from malmoi.data.alignment import OUTSIDE
from malmoi.data.text_pieces import Piece, Reading
from malmoi.data.token_windows import Offsets, Window
from malmoi.inference.batches import PADDED_LENGTH, length_batches, piece_chunks
from malmoi.inference.engine import Engine
from malmoi.inference.seams import find_seam

READING = Reading(length=6144, overlap=2048)
"""How long texts are read by a model that has no limit; `docs/documents.md` shows what the overlap is worth.

Two pieces are answered at a time, in one batch: as much as there is of a text of ten thousand characters.
"""
READING_OF_LIMITED = Reading(length=8192, overlap=1024)
"""How they are read by one with a limit, which divides pieces into windows of its own."""
PADDED_PIECES = 12_288
"""How many tokens a batch of pieces of long texts has: those of two pieces."""


class TokenLabels(NamedTuple):
    """The tokens of a text, or of a part of it.

    Args:
        labels: The label id of each token, negative where it carries none.
        scores: The probability of that label.
        offsets: The characters that the token stands for.
    """

    labels: list[int]
    scores: list[float]
    offsets: Offsets

    def part(self, first: int, last: int) -> "TokenLabels":
        """Return some of the tokens, from `first` to before `last`."""
        return TokenLabels(self.labels[first:last], self.scores[first:last], self.offsets[first:last])

    def extend(self, more: "TokenLabels") -> None:
        """Add the tokens that follow these."""
        self.labels.extend(more.labels)
        self.scores.extend(more.scores)
        self.offsets.extend(more.offsets)


class LabelledPart(NamedTuple):
    """The next tokens of a text.

    Args:
        text: The whole text.
        tokens: Some of its tokens; their offsets are those in the whole text.
        is_last: Whether they are the last of the text.
    """

    text: str
    tokens: TokenLabels
    is_last: bool


def token_labels(engine: Engine, texts: Sequence[str], *, batch_size: int) -> list[TokenLabels]:
    """Return the labels of the tokens of each text: the Viterbi path of a CRF, otherwise the likeliest of each token.

    Args:
        engine: A tagger.
        texts: The texts, of any length.
        batch_size: How many windows are answered at once, at most.
    """
    answers = [TokenLabels([], [], []) for _ in texts]
    number = 0
    for part in labelled_parts(engine, texts, batch_size=batch_size):
        answers[number].extend(part.tokens)
        number += part.is_last
    return answers


def labelled_parts(
    engine: Engine, texts: Iterable[str], *, batch_size: int, reading: Reading | None = None
) -> Iterator[LabelledPart]:
    """Yield the labels of the tokens of texts, of a short text all at once, of a long one as they become known.

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
    left = TokenLabels([], [], [])
    end = 0
    for chunk in piece_chunks(texts, reading):
        for piece, tokens in zip(chunk, _label_pieces(engine, chunk, batch_size)):
            if piece.start:
                kept, skipped = find_seam(left, tokens, piece.start, end, outside=outside)
                yield LabelledPart(piece.text, left.part(0, kept), is_last=False)
                tokens = tokens.part(skipped, len(tokens.labels))
            if piece.is_last:
                yield LabelledPart(piece.text, tokens, is_last=True)
            left, end = tokens, piece.stop


def _label_pieces(engine: Engine, pieces: Sequence[Piece], batch_size: int) -> list[TokenLabels]:
    """Return the labels of the tokens of each piece; offsets are those of the whole text."""
    owners, windows = text_windows(engine.windows([piece.text[piece.start : piece.stop] for piece in pieces]))
    long = any(piece.start or not piece.is_last for piece in pieces)
    lengths = [len(window.input_ids) for window in windows]
    batches = list(length_batches(lengths, batch_size, padded_length=PADDED_PIECES if long else PADDED_LENGTH))
    scored = engine.score_tokens([[windows[index].input_ids for index in batch] for batch in batches])
    of_windows: list[tuple[list[int], list[float]]] = [([], [])] * len(windows)
    for batch, answer in zip(batches, scored):
        best = answer.predictions
        scores = np.take_along_axis(answer.probabilities, np.maximum(best, 0)[..., None], 2)[..., 0]
        for index, labels_of_row, scores_of_row in zip(batch, best.tolist(), scores.tolist()):
            of_windows[index] = labels_of_row, scores_of_row
    answers = [TokenLabels([], [], []) for _ in pieces]
    for owner, window, (labels, probabilities) in zip(owners, windows, of_windows):
        first, last = window.kept
        answers[owner].labels.extend(labels[first:last])
        answers[owner].scores.extend(probabilities[first:last])
        answers[owner].offsets.extend(_moved(window.offsets[first:last], pieces[owner].start))
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
