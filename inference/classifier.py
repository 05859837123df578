"""Classify texts with a saved model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

from malmoi.data.text_pieces import Reading
from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.batches import length_batches, piece_chunks, text_chunks
from malmoi.inference.engine import tempered
from malmoi.inference.text_model import TextModel

READ_WHOLE = 16_384
"""Up to how many characters a text is read as a whole by a model that has no limit."""
PIECES = Reading(length=4096, overlap=0)
"""How it reads a longer one."""


class Classification(NamedTuple):
    """The class of a text.

    Args:
        label: The likeliest class.
        score: Its probability.
        scores: The probability of every class.
        cut: Whether the text was too long for the model, which has not read its end, or, as its tokenizer says, its
            beginning.
    """

    label: str
    score: float
    scores: dict[str, float]
    cut: bool


class Classifier(TextModel):
    """Classify texts, such as reviews by sentiment."""

    task = "sentence-classification"

    def _understand_labels(self) -> None:
        self.temperature = self.engine.class_temperature
        """What the scores of classes are divided by for their probabilities."""

    @overload  # a string is an iterable of strings, too
    def __call__(self, texts: str, *, batch_size: int = 32) -> Classification: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, texts: Iterable[str], *, batch_size: int = 32) -> list[Classification]: ...

    def __call__(self, texts: str | Iterable[str], *, batch_size: int = 32) -> Classification | list[Classification]:
        """Return the class of one text, or a list of the classes of several texts.

        Raises:
            UserError: If what is given are no texts, or a text holds a lone surrogate, which is no character.
        """
        if isinstance(texts, str):
            return next(self.classify([texts], batch_size=batch_size))
        return list(self.classify(texts, batch_size=batch_size))

    @overload
    def classify(self, texts: Sequence[str], *, batch_size: int = 32) -> Answers[Classification]: ...

    @overload
    def classify(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[Classification]: ...

    def classify(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[Classification]:
        """Return the class of each of several texts, in the order of the texts, one after the other.

        Args:
            texts: The texts. Of one that is longer than a model can read, the beginning counts, or the end if its
                tokenizer truncates on the left. A model without such a limit reads up to 16,384 characters at once; a
                longer text has the mean of what is said of its pieces, weighted by their tokens. The answers to a list
                can also be indexed, and stay in memory; whatever else yields texts is answered as a stream, whose
                memory does not grow with their number.
            batch_size: How many texts are answered at once, at most.

        Raises:
            UserError: If what is given are no texts, a single string among them, or a text holds a lone surrogate,
                which is no character.
        """
        return stream_answers(
            lambda checked: self._classify(checked, batch_size),
            texts,
            user="classifier",
            method="classify",
            batch_size=batch_size,
        )

    def _classify(self, texts: Iterable[str], batch_size: int) -> Iterator[Classification]:
        """Yield the class of each text."""
        for chunk in text_chunks(texts):
            if self.max_length is not None:
                chunk = [self._readable(text) if len(text) > READ_WHOLE else text for text in chunk]
            in_pieces = {
                index: self._classify_in_pieces(text, batch_size)
                for index, text in enumerate(chunk)
                if len(text) > READ_WHOLE and self.max_length is None
            }
            short = [text for index, text in enumerate(chunk) if index not in in_pieces]
            rows, cut = self.engine.rows(short) if short else ([], [])
            of_rows = map(self._classification, self._probabilities(rows, batch_size), cut)
            yield from (in_pieces[index] if index in in_pieces else next(of_rows) for index in range(len(chunk)))

    def _probabilities(self, rows: Sequence[list[int]], batch_size: int) -> list[list[float]]:
        """Return the probability of every class for each row of tokens."""
        batches = list(length_batches([len(row) for row in rows], batch_size))
        scored = self.engine.score_classes([[rows[index] for index in batch] for batch in batches])
        answers = {index: row for batch, answer in zip(batches, scored) for index, row in zip(batch, answer.tolist())}
        return [answers[index] for index in range(len(rows))]

    def _classification(self, probabilities: Sequence[float], cut: bool) -> Classification:
        """Return the class of a text of which every class has this probability before the temperature."""
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        if self.temperature != 1:
            probabilities = tempered(np.array(probabilities), self.temperature).tolist()
        scores = {label: probabilities[class_id] for class_id, label in self.labels.items()}
        return Classification(self.labels[best], probabilities[best], scores, cut)

    def _classify_in_pieces(self, text: str, batch_size: int) -> Classification:
        """Return the class that a long text has on average over its pieces, each of which counts by its tokens."""
        total = np.zeros(len(self.labels))
        for pieces in piece_chunks([text], PIECES):
            rows, _ = self.engine.rows([piece.text[piece.start : piece.stop] for piece in pieces])
            total += np.array([len(row) for row in rows]) @ np.array(self._probabilities(rows, batch_size))
        return self._classification((total / total.sum()).tolist() if total.any() else self._of_nothing(), cut=False)

    def _of_nothing(self) -> list[float]:
        """Return the probability of every class for a text without tokens."""
        rows, _ = self.engine.rows([""])
        return self._probabilities(rows, 1)[0]

    def _readable(self, text: str) -> str:
        """Return as much of a long text, from the side that counts, as has all that the model can read, and more."""
        length = READ_WHOLE
        while length < len(text):
            _, [is_enough] = self.engine.rows([self._from_its_side(text, length)])
            length *= 2  # of a word that is cut off the tokens may be others
            if is_enough:
                break
        return self._from_its_side(text, length)

    def _from_its_side(self, text: str, length: int) -> str:
        """Return so many characters of a text from the side that counts."""
        return text[-length:] if self.engine.cuts_beginning else text[:length]
