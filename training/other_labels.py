"""Evaluate taggers whose labels follow another scheme than the BIO labels of the data."""

from collections.abc import Callable, Sequence

from datasets import Dataset

from malmoi.data.label_scheme import LabelScheme
from malmoi.metrics.tokenized_sentence import TaggingMetrics
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL
from malmoi.training.evaluation import TaggingEvaluation


class OtherLabelsEvaluation(TaggingEvaluation):
    """Evaluates such a tagger as others: by the names that its labels spell.

    Args:
        features: Token features of the sentences, with BIO labels.
        sentences: The tagged sentences.
        make_metrics: Returns empty metrics for these labels.
        labels: The labels of the model, in the order of their ids.
        scheme: What they mean.
    """

    def __init__(
        self,
        features: Dataset,
        sentences: Dataset,
        make_metrics: Callable[[Sequence[str]], TaggingMetrics],
        *,
        labels: Sequence[str],
        scheme: LabelScheme,
    ):
        self._model_labels = list(labels)
        self._scheme = scheme
        super().__init__(features, sentences, make_metrics)
        self._ids = {label: index for index, label in enumerate(self.labels)}

    @property
    def inputs(self) -> Dataset:
        """Return the features with the labels as the model would write them, from which it computes its loss."""
        ids = {label: index for index, label in enumerate(self._model_labels)}

        def translate(row: dict[str, list[int]]) -> dict[str, list[int]]:
            written = self._scheme.from_bio(self._names(row["labels"]))
            return {"labels": [IGNORED_LABEL if label is None else ids[label] for label in written]}

        return self.features.map(translate, keep_in_memory=True)

    def of(self, features: Dataset, sentences: Dataset) -> TaggingEvaluation:
        """Return what judges the same model on other sentences."""
        return OtherLabelsEvaluation(
            features, sentences, self.make_metrics, labels=self._model_labels, scheme=self._scheme
        )

    def add(self, row: int, predicted: list[int]) -> None:
        """Add the predicted label ids of the tokens of a window, possibly padded."""
        offsets = [(start, end) for start, end in self.features[row]["offsets"]]
        names = [None if index < 0 else self._model_labels[index] for index in predicted[: len(offsets)]]
        labels = self._scheme.to_bio(names, offsets)
        super().add(row, [IGNORED_LABEL if label is None else self._ids[label] for label in labels])
