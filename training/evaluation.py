"""Connects the metrics to the stock `Trainer`, batch by batch, so that memory does not grow with the set."""

from typing import Any

import torch
from datasets import Dataset
from transformers import EvalPrediction, TrainingArguments

from malmoi.data.tagged_dataset import label_names
from malmoi.training.metrics.tagging_metrics import TaggingMetrics, TokenizedSentence

ROW = "row"


class TaggingEvaluation:
    """`compute_metrics` for a `Trainer` that evaluates a dataset of token features.

    The `Trainer` evaluates in an order of its own, and several processes repeat sentences to fill the last batch. So
    the number of its row travels with every sentence, as a second label that the model ignores.
    """

    def __init__(self, features: Dataset):
        self.features = features
        self.labels = label_names(features)
        self._start()

    def _start(self) -> None:
        self.metrics = TaggingMetrics(self.labels)
        self._seen = [False] * self.features.num_rows

    def __call__(self, batch: EvalPrediction, compute_result: bool) -> dict[str, float]:
        """Add a batch; return all figures after the last one."""
        predictions: Any = batch.predictions
        label_ids: Any = batch.label_ids
        rows = label_ids[1]
        for row, predicted in zip(rows.tolist(), torch.as_tensor(predictions).tolist()):
            self.add(row, predicted)
        if not compute_result:
            return {}
        figures = self.metrics.compute()
        self._start()
        return figures

    def add(self, row: int, predicted: list[int]) -> None:
        """Add the sentence in a row with the predicted label ids of its tokens, possibly padded; once only."""
        if self._seen[row]:
            return
        self._seen[row] = True
        sentence = self.features[row]
        tokenized = TokenizedSentence(
            sentence["text"],
            [self.labels[tag] for tag in sentence["tags"]],
            sentence["offsets"],
            sentence["unknown"],
        )
        length = len(sentence["labels"])
        self.metrics.update(tokenized, self._names(predicted[:length]), self._names(sentence["labels"]))

    def _names(self, label_ids: list[int]) -> list[str | None]:
        return [None if label_id < 0 else self.labels[label_id] for label_id in label_ids]


def numbered(features: Dataset) -> Dataset:
    """Return the dataset with the number of each row beside it, as `TaggingEvaluation` needs it."""
    return features.add_column(ROW, list(range(features.num_rows)))


def configure_evaluation(training_arguments: TrainingArguments) -> None:
    """Make the `Trainer` hand over predictions batch by batch, with the number of each row."""
    training_arguments.batch_eval_metrics = True
    training_arguments.label_names = ["labels", ROW]


def tokenizer_ceiling(features: Dataset) -> dict[str, float]:
    """Return the figures of a tagger that labels every token right: what the tokenizer allows at best."""
    evaluation = TaggingEvaluation(features)
    for row, labels in enumerate(features["labels"]):
        evaluation.add(row, labels)
    return evaluation.metrics.compute()
