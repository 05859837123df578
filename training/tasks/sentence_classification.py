"""Classifying whole texts, such as reviews by sentiment."""

from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset, List
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerBase

from malmoi.data.classified_dataset import class_names, with_classes
from malmoi.data.padding_collator import PaddingCollator
from malmoi.data.text_features import text_features
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.sentence_classification import DEFINITIONS
from malmoi.recipes.arguments import RecipeArguments, SentenceClassificationArguments
from malmoi.reports.class_reliability import class_reliability
from malmoi.training.classification_loss import LossFunction, balanced_weights, classification_loss
from malmoi.training.evaluation import ClassificationEvaluation, Evaluation
from malmoi.training.tasks.examples import Candidate, choose_examples, some_rows
from malmoi.training.tasks.task import Task


class SentenceClassification(Task):
    """Sentence classification: one class for each text."""

    name = "sentence-classification"
    model_types = ("bilstm", "encoder")
    auto_model = AutoModelForSequenceClassification
    definitions = DEFINITIONS
    main_figure = "accuracy"
    example = "다시 보고 싶은 영화였어요."
    breakdown = "class"

    def labels(self, dataset: Dataset) -> list[str]:
        """Return the classes of a dataset, in the order of their ids."""
        return class_names(dataset)

    def with_labels(self, dataset: Dataset, labels: list[str]) -> Dataset:
        """Return the dataset with the class ids of a model."""
        return with_classes(dataset, labels)

    def examples(self, dataset: Dataset) -> list[dict[str, str]]:
        """Return a few texts and their classes."""
        names = self.labels(dataset)
        rows = [(row["text"], names[row["label"]]) for row in some_rows(dataset)]
        return choose_examples(Candidate(text, name, frozenset((name,))) for text, name in rows)

    def features(self, dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None) -> Dataset:
        """Return the text features of classified texts."""
        return text_features(dataset, tokenizer, max_length=max_length)

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
        """Return what pads text features to the longest of a batch."""
        return PaddingCollator(tokenizer)

    def loss_function(self, train: Dataset, arguments: RecipeArguments, *, num_labels: int) -> LossFunction | None:
        """Return a loss with a weight for each class, if the recipe asks for it, or for texts with probabilities."""
        assert isinstance(arguments, SentenceClassificationArguments)
        if arguments.class_weights is not None:
            return classification_loss(balanced_weights(torch.tensor(train["labels"][:]), num_labels))
        # the loss of a model takes classes alone
        return classification_loss() if isinstance(train.features["labels"], List) else None

    def evaluation(
        self, features: Dataset, dataset: Dataset, *, train: Dataset | None = None
    ) -> ClassificationEvaluation:
        """Return what judges predictions for the text features of classified texts."""
        return ClassificationEvaluation(features, dataset)

    def describe_answers(self, loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> dict[str, Any]:
        """Return how true the probabilities of classes are."""
        return {"reliability": class_reliability(loaded, dataset, batch_size=batch_size).report()}

    def describe_tokens(self, evaluation: Evaluation) -> dict[str, Any]:
        """Return the share of unknown tokens and of texts whose end was cut off."""
        features = evaluation.features
        return {
            "unknown_share": sum(features["unknown"]) / max(sum(features["length"]), 1),
            "truncated_share": sum(features["truncated"]) / max(features.num_rows, 1),
        }
