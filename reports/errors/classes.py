"""What a classifier of texts gets wrong."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset

from malmoi.data.classified_dataset import class_names
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.paired_bootstrap import Counts, ratio
from malmoi.reports.errors.answers import Answer, Error, Findings, Line, TaskErrors
from malmoi.reports.errors.breakdown import TEXT_LENGTHS, accuracy_table, bucket, bucket_names, confusion_of, sources


@dataclass(frozen=True)
class ClassAnswer(Answer):
    """The class of a text, that of the data and that of a model.

    Args:
        gold: The class of the data.
        found: The answer of the model.
    """

    gold: str
    found: Classification

    def counts(self) -> list[int]:
        """Return for each class whether the text is of it and predicted, predicted, and of it."""
        return [
            count
            for name in self.found.scores
            for count in (
                int(name == self.gold == self.found.label),
                int(name == self.found.label),
                int(name == self.gold),
            )
        ]

    def gold_line(self) -> Line:
        """Return the text with the class of the data."""
        return Line(self.text, [], self.gold)

    def predicted_line(self) -> Line:
        """Return the text with the class of the model."""
        return Line(self.text, [], self.found.label, self.found.score)

    def gold_record(self) -> str:
        """Return the class of the data."""
        return self.gold

    def predicted_record(self) -> dict[str, Any]:
        """Return the class of the model, its probability, and that of every class."""
        return {"predicted": self.found.label, "score": self.found.score, "scores": self.found.scores}


def find_class_errors(
    loaded: LoadedModel, dataset: Dataset, training_names: frozenset[str] | None, batch_size: int
) -> Findings:
    """Return the classes that a classifier gives texts, and where they differ from the data."""
    classes, classifier = class_names(dataset), Classifier.of_loaded(loaded)
    answers = []
    texts = list(dataset["text"])
    for text_id, text, label, found in zip(
        dataset["id"], texts, dataset["label"], classifier.classify(iter(texts), batch_size=batch_size)
    ):
        gold = classes[label]
        errors = [] if gold == found.label else [Error("class", gold, found.label, "", found.score)]
        answers.append(ClassAnswer(text_id, text, errors, gold, found))
    pairs = Counter((answer.gold, answer.found.label) for answer in answers)
    right = [not answer.errors for answer in answers]
    lengths = [bucket(len(answer.text), TEXT_LENGTHS) for answer in answers]
    tables = [accuracy_table("by_text_length", lengths, right, bucket_names(TEXT_LENGTHS))]
    if (places := sources([answer.id for answer in answers])) is not None:
        tables.append(accuracy_table("by_source", places, right, None))
    return Findings(list(answers), confusion_of(pairs, classes, none=None), tables)


def _accuracy(sums: Counts) -> Counts:
    return ratio(sums[:, 0::3].sum(axis=1), sums[:, 2::3].sum(axis=1))


def _macro_f1(sums: Counts) -> Counts:
    return np.asarray(ratio(2 * sums[:, 0::3], sums[:, 1::3] + sums[:, 2::3]).mean(axis=1))


CLASS_ERRORS = TaskErrors(("class",), {"accuracy": _accuracy, "macro_f1": _macro_f1}, find_class_errors)
"""Its figures follow from sums of texts of each class that are right, predicted so, and of it."""
