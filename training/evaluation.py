"""Connects the metrics to the stock `Trainer`, batch by batch, so that memory does not grow with the set."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import EvalPrediction, Trainer, TrainingArguments

from malmoi.data.classified_dataset import class_names
from malmoi.data.tagged_dataset import label_names
from malmoi.metrics.sentence_classification import SentenceClassificationMetrics
from malmoi.metrics.tokenized_sentence import TaggingMetrics, TokenizedSentence

ROW = "row"


class Evaluation(ABC):
    """`compute_metrics` for a `Trainer` that evaluates a dataset of features.

    The `Trainer` evaluates in an order of its own, and several processes repeat rows to fill the last batch. So the
    number of its row travels with every row, as a second label that models ignore.
    """

    def __init__(self, features: Dataset):
        self.features = features
        self.details: dict[str, Any] = {}
        """What the last evaluation shows beside figures."""
        self.altered: dict[str, Evaluation] = {}
        """What judged the finished model on altered texts, by the figure that this gave."""
        self.start()

    def __call__(self, batch: EvalPrediction, compute_result: bool) -> dict[str, float]:
        """Add a batch; return all figures after the last one."""
        predictions: Any = batch.predictions
        label_ids: Any = batch.label_ids
        rows = label_ids[1]
        for row, predicted in zip(rows.tolist(), torch.as_tensor(predictions).tolist()):
            if not self._seen[row]:
                self._seen[row] = True
                self.add(row, predicted)
        if not compute_result:
            return {}
        figures = self.figures()
        self.start()
        return figures

    @property
    def inputs(self) -> Dataset:
        """Return what the model is given: the features."""
        return self.features

    def start(self) -> None:
        """Forget everything and begin anew."""
        self._seen = [False] * self.features.num_rows

    @abstractmethod
    def add(self, row: int, predicted: Any) -> None:
        """Add the prediction for one row."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """Return all figures of what was added, and keep what is shown beside them in `details`."""


class TaggingEvaluation(Evaluation):
    """Evaluates a tagger: the windows of a sentence are put together before the sentence is scored.

    Args:
        features: Token features of the sentences.
        sentences: The tagged sentences.
        make_metrics: Returns empty metrics for these labels.
    """

    def __init__(self, features: Dataset, sentences: Dataset, make_metrics: Callable[[Sequence[str]], TaggingMetrics]):
        self.sentences = sentences
        self.labels = label_names(sentences)
        self.make_metrics = make_metrics
        self._sentence_of_row = list(features["sentence"])
        self._rows_of_sentence: dict[int, list[int]] = {}
        for row, sentence in enumerate(self._sentence_of_row):
            self._rows_of_sentence.setdefault(sentence, []).append(row)
        super().__init__(features)

    def start(self) -> None:
        """Forget everything and begin anew."""
        super().start()
        self.metrics = self.make_metrics(self.labels)
        self._waiting: dict[int, list[int]] = {}

    def add(self, row: int, predicted: list[int]) -> None:
        """Add the predicted label ids of the tokens of a window, possibly padded."""
        self._waiting[row] = predicted
        number = self._sentence_of_row[row]
        rows = self._rows_of_sentence[number]
        if any(other not in self._waiting for other in rows):
            return
        offsets: list[tuple[int, int]] = []
        unknown: list[bool] = []
        found: list[str | None] = []
        gold: list[str | None] = []
        for other in rows:
            window = self.features[other]
            first, last = window["kept"]
            offsets += [(start, end) for start, end in window["offsets"][first:last]]
            unknown += window["unknown"][first:last]
            found += self._names(self._waiting.pop(other)[first:last])
            gold += self._names(window["labels"][first:last])
        sentence = self.sentences[number]
        tags = [self.labels[tag] for tag in sentence["tags"]]
        self.metrics.update(TokenizedSentence(sentence["text"], tags, offsets, unknown, number), found, gold)

    def figures(self) -> dict[str, float]:
        """Return all figures of the sentences that were added."""
        self.details = self.metrics.details()
        return self.metrics.compute()

    def of(self, features: Dataset, sentences: Dataset) -> "TaggingEvaluation":
        """Return what judges the same model on other sentences."""
        return TaggingEvaluation(features, sentences, self.make_metrics)

    def _names(self, label_ids: list[int]) -> list[str | None]:
        return [None if label_id < 0 else self.labels[label_id] for label_id in label_ids]


class ClassificationEvaluation(Evaluation):
    """Evaluates a classifier of texts.

    Args:
        features: Text features.
        texts: The classified texts.
    """

    def __init__(self, features: Dataset, texts: Dataset):
        self.classes = class_names(texts)
        self._gold = list(features["labels"])
        super().__init__(features)

    def start(self) -> None:
        """Forget everything and begin anew."""
        super().start()
        self.metrics = SentenceClassificationMetrics(self.classes)

    def add(self, row: int, predicted: int) -> None:
        """Add the predicted class of a text."""
        self.metrics.update(predicted, self._gold[row])

    def figures(self) -> dict[str, float]:
        """Return all figures of the texts that were added."""
        self.details = self.metrics.details()
        return self.metrics.compute()


def predicted_labels(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the label ids with the greatest logits; those of a CRF are made so that this is its Viterbi path."""
    return logits.argmax(dim=-1)


def numbered(features: Dataset) -> Dataset:
    """Return the dataset with the number of each row beside it, as an `Evaluation` needs it."""
    return features.add_column(ROW, list(range(features.num_rows)))


def configure_evaluation(training_arguments: TrainingArguments) -> None:
    """Make the `Trainer` hand over predictions batch by batch, with the number of each row."""
    training_arguments.batch_eval_metrics = True
    training_arguments.label_names = ["labels", ROW]


def evaluate(trainer: Trainer, evaluation: Evaluation, *, prefix: str = "eval") -> dict[str, float]:
    """Return the figures of the model for the features of an evaluation; logs name them with the prefix."""
    trainer.compute_metrics = evaluation  # type: ignore[assignment]
    features: Any = numbered(evaluation.inputs)
    figures = trainer.evaluate(features, metric_key_prefix=prefix)
    return {name.removeprefix(f"{prefix}_"): value for name, value in figures.items()}


def tokenizer_ceiling(evaluation: TaggingEvaluation) -> dict[str, float]:
    """Return the figures of a tagger that labels every token right: what the tokenizer allows at best."""
    perfect = TaggingEvaluation(evaluation.features, evaluation.sentences, evaluation.make_metrics)
    for row, labels in enumerate(perfect.features["labels"]):
        perfect.add(row, labels)
    return perfect.figures()
