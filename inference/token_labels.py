"""Label the tokens of texts with a tagger, window by window."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.data.token_windows import Offsets, Window
from malmoi.inference.batches import length_batches
from malmoi.inference.engine import Engine


class WindowScores(NamedTuple):
    """What a tagger says of a window of a text.

    Args:
        first: Which token of the text is the first one that the window keeps.
        kept: First and last (exclusive) of the tokens of the window whose answers count.
        offsets: The characters that each token of the window stands for, in the whole text.
        predictions: The best label of each of its tokens, `(length,)`, negative where it carries none.
        emissions: The score of every label of each, `(length, labels)`.
    """

    first: int
    kept: tuple[int, int]
    offsets: Offsets
    predictions: NDArray[np.int64]
    emissions: NDArray[np.float32]


class TokenLabels(NamedTuple):
    """The tokens of a text.

    Args:
        labels: The label id of each token, negative where it carries none.
        scores: The probability of that label.
        offsets: The characters that the token stands for.
        windows: The windows in which the tagger has read the text, in their order.
    """

    labels: list[int]
    scores: list[float]
    offsets: Offsets
    windows: list[WindowScores]


def token_labels(engine: Engine, texts: Sequence[str], *, batch_size: int) -> list[TokenLabels]:
    """Return the labels of the tokens of each text: the Viterbi path of a CRF, otherwise the likeliest of each token.

    Args:
        engine: A tagger.
        texts: The texts, of any length.
        batch_size: How many windows are answered at once, at most.
    """
    owners, windows = text_windows(engine.windows(texts))
    batches = list(length_batches([len(window.input_ids) for window in windows], batch_size))
    scored = engine.score_tokens([[windows[index].input_ids for index in batch] for batch in batches])
    of_windows: dict[int, tuple[list[int], list[float], NDArray[np.int64], NDArray[np.float32]]] = {}
    for batch, answer in zip(batches, scored):
        best = answer.predictions
        scores = np.take_along_axis(answer.probabilities, np.maximum(best, 0)[..., None], 2)[..., 0]
        rows = zip(best.tolist(), scores.tolist(), best, answer.emissions)
        of_windows.update(zip(batch, rows))
    answers = [TokenLabels([], [], [], []) for _ in texts]
    for index, (owner, window) in enumerate(zip(owners, windows)):
        labels, probabilities, predictions, emissions = of_windows[index]
        first, last = window.kept
        length = len(window.input_ids)
        answers[owner].windows.append(
            WindowScores(
                len(answers[owner].labels), window.kept, window.offsets, predictions[:length], emissions[:length]
            )
        )
        answers[owner].labels.extend(labels[first:last])
        answers[owner].scores.extend(probabilities[first:last])
        answers[owner].offsets.extend(window.offsets[first:last])
    return answers


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
