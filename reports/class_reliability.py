"""How true the probabilities of the classes are that a classifier gives texts."""

from collections.abc import Iterator

import numpy as np
from datasets import Dataset

from malmoi.data.classified_dataset import class_names
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.engine import tempered
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.calibration import TEXTS, Reliability
from malmoi.reports.errors.answers import batches


class AnsweredTexts:
    """What a classifier says of classified texts, for which probabilities can be had at any temperature.

    Args:
        loaded: The classifier, in evaluation mode.
        dataset: The texts.
        batch_size: How many are answered at once.
    """

    def __init__(self, loaded: LoadedModel, dataset: Dataset, *, batch_size: int):
        classifier = Classifier.of_loaded(loaded)
        self.temperature = classifier.temperature
        """That of the model."""
        classifier.temperature = 1.0
        names = [*classifier.labels.values()]
        gold: list[int] = []
        scores: list[list[float]] = []
        for right, answer in _answers(classifier, dataset, batch_size=batch_size):
            gold.append(names.index(right))
            scores.append([*answer.scores.values()])
        self._gold = np.array(gold)
        self._probabilities = np.array(scores)

    def of_right_classes(self, temperature: float) -> list[float]:
        """Return how probable the right class of each text is."""
        found = tempered(self._probabilities, temperature)
        right: list[float] = found[np.arange(len(found)), self._gold].tolist()
        return right

    def reliability(self, temperature: float) -> Reliability:
        """Return how true the probabilities of the likeliest classes are."""
        reliability = Reliability(TEXTS)
        found, best = tempered(self._probabilities, temperature), self._probabilities.argmax(axis=1)
        for probabilities, label, gold in zip(found, best.tolist(), self._gold.tolist()):
            reliability.add(float(probabilities[label]), label == gold)
        return reliability


def class_reliability(loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> Reliability:
    """Return how true the probabilities of classes are, at the temperature of the model; little memory is needed.

    Args:
        loaded: The classifier, in evaluation mode.
        dataset: Classified texts.
        batch_size: How many are answered at once.
    """
    reliability = Reliability(TEXTS)
    for right, answer in _answers(Classifier.of_loaded(loaded), dataset, batch_size=batch_size):
        reliability.add(answer.score, answer.label == right)
    return reliability


def _answers(classifier: Classifier, dataset: Dataset, *, batch_size: int) -> Iterator[tuple[str, Classification]]:
    """Yield the right class of each text, and the answer of the classifier."""
    classes = class_names(dataset)
    for rows in batches(dataset):
        answers = classifier.classify(iter([row["text"] for row in rows]), batch_size=batch_size)
        yield from ((classes[row["label"]], answer) for row, answer in zip(rows, answers))
