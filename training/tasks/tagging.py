"""What the tasks have in common that give every token a label."""

from collections.abc import Callable, Sequence
from typing import Any

from datasets import Dataset
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerBase

from malmoi.data.padding_collator import PaddingCollator
from malmoi.data.tagged_dataset import label_names, with_labels
from malmoi.data.token_features import token_features
from malmoi.metrics.tokenized_sentence import TaggingMetrics
from malmoi.training.evaluation import Evaluation, TaggingEvaluation, tokenizer_ceiling
from malmoi.training.tasks.task import Task


class TaggingTask(Task):
    """A task whose data are tagged sentences."""

    model_types = ("bilstm_crf", "encoder", "encoder_crf")
    auto_model = AutoModelForTokenClassification
    make_metrics: Callable[[Sequence[str]], TaggingMetrics]
    """Returns empty metrics for these labels."""

    def labels(self, dataset: Dataset) -> list[str]:
        """Return the labels of a dataset, in the order of their ids."""
        return label_names(dataset)

    def with_labels(self, dataset: Dataset, labels: list[str]) -> Dataset:
        """Return the dataset with the label ids of a model."""
        return with_labels(dataset, labels)

    def features(self, dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None) -> Dataset:
        """Return the token features of tagged sentences."""
        return token_features(dataset, tokenizer, max_length=max_length)

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
        """Return what pads token features to the longest of a batch."""
        return PaddingCollator(tokenizer)

    def metrics_maker(self, train: Dataset | None) -> Callable[[Sequence[str]], TaggingMetrics]:
        """Return what makes empty metrics for labels, for models of this training set if it is known."""
        return type(self).make_metrics

    def evaluation(self, features: Dataset, dataset: Dataset, *, train: Dataset | None = None) -> TaggingEvaluation:
        """Return what judges predictions for the token features of tagged sentences."""
        return TaggingEvaluation(features, dataset, self.metrics_maker(train))

    def describe_tokens(self, evaluation: Evaluation) -> dict[str, Any]:
        """Return the share of unknown tokens, and what the tokenizer allows at best."""
        assert isinstance(evaluation, TaggingEvaluation)
        altered = {
            name: tokenizer_ceiling(other)[self.main_figure]
            for name, other in evaluation.altered.items()
            if isinstance(other, TaggingEvaluation)
        }
        unknown = [token for row in evaluation.features["unknown"] for token in row]
        return {
            "unknown_share": sum(unknown) / max(len(unknown), 1),
            "ceiling": tokenizer_ceiling(evaluation) | altered,
        }
