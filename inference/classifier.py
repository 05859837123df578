"""Classify texts with a saved model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.batches import length_batches, text_chunks
from malmoi.inference.text_model import TextModel


class Classification(NamedTuple):
    """The class of a text.

    Args:
        label: The likeliest class.
        score: Its probability.
        scores: The probability of every class.
        cut: Whether the end of the text was too long for the model and was not read.
    """

    label: str
    score: float
    scores: dict[str, float]
    cut: bool


class Classifier(TextModel):
    """Classify texts, such as reviews by sentiment."""

    task = "sentence-classification"

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
            texts: The texts. The answers to a list can also be indexed, and stay in memory; whatever else yields texts
                is answered as a stream, whose memory does not grow with their number.
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
            rows, cut = self.engine.rows(chunk)
            batches = list(length_batches([len(row) for row in rows], batch_size))
            scored = self.engine.score_classes([[rows[index] for index in batch] for batch in batches])
            answers: dict[int, Classification] = {}
            for batch, probabilities in zip(batches, scored):
                for index, row in zip(batch, probabilities.tolist()):
                    best = max(range(len(row)), key=row.__getitem__)
                    scores = {label: row[class_id] for class_id, label in self.labels.items()}
                    answers[index] = Classification(self.labels[best], row[best], scores, cut[index])
            yield from (answers[index] for index in range(len(chunk)))
