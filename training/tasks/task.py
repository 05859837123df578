"""What the one trainer path asks of a task."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.readers import read_splits
from malmoi.inference.loading import LoadedModel
from malmoi.recipes.arguments import RecipeArguments
from malmoi.training.classification_loss import LossFunction
from malmoi.training.evaluation import Evaluation, predicted_labels
from malmoi.training.reading import reading_options


class Task(ABC):
    """A kind of data with what is learned from it and how it is judged."""

    name: str
    """As recipes name it, and as the key of its arguments in `malmoi.recipes.arguments`."""
    model_types: tuple[str, ...]
    """The architectures that can learn it."""
    auto_model: type
    """The `Auto` class of its models."""
    definitions: dict[str, str]
    """Its figures, each from 0 to 1, with what they mean."""
    main_figure: str
    """The figure by which runs are compared."""
    example: str
    """A text to try a model on."""
    breakdown: str
    """What its figures `precision/X`, `recall/X` and `f1/X` are figures of."""
    only_of_finished_models: tuple[str, ...] = ()
    """The figures that are not measured after every epoch: those on altered texts."""

    def read(self, arguments: RecipeArguments, *, seed: int, dataset: object = None) -> DatasetDict:
        """Return the splits of the data that the recipe names, or of a dataset given in Python."""
        return read_splits(
            arguments.reader,
            Path(arguments.data_dir) if arguments.data_dir else None,
            task=self.name,
            options=reading_options(arguments, dataset=dataset),
            division_seed=arguments.division_seed,
            trim_josa=arguments.trim_josa,
        )

    @abstractmethod
    def labels(self, dataset: Dataset) -> list[str]:
        """Return the labels of a dataset, in the order of their ids."""

    @abstractmethod
    def with_labels(self, dataset: Dataset, labels: list[str]) -> Dataset:
        """Return the dataset with the label ids of a model.

        Raises:
            UserError: If the data has a label that the model lacks.
        """

    def augment(self, train: Dataset, arguments: RecipeArguments, *, seed: int) -> Dataset:
        """Return the training set with what the recipe adds to it."""
        return train

    def with_noise(self, train: Dataset, arguments: RecipeArguments, *, seed: int) -> Dataset:
        """Return the whole training set, silver texts too, less tidy where the recipe asks for it."""
        return train

    def prepare_tokenizer(self, tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
        """Return the tokenizer in the form that the task needs."""
        return tokenizer

    @abstractmethod
    def examples(self, dataset: Dataset) -> list[dict[str, str]]:
        """Return a few short texts of a dataset to try a model on: `text`, and `gold` with its right answer."""

    @abstractmethod
    def features(self, dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None) -> Dataset:
        """Return what a model is trained and judged on."""

    @abstractmethod
    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
        """Return what makes a batch of features."""

    def loss_function(self, train: Dataset, arguments: RecipeArguments, *, num_labels: int) -> LossFunction | None:
        """Return the loss that the recipe asks for, for these features; `None` if it is that of the model."""
        return None

    def judged(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return what an `Evaluation` is given of a batch: the label ids that are predicted."""
        return predicted_labels(logits, labels)

    @abstractmethod
    def evaluation(self, features: Dataset, dataset: Dataset, *, train: Dataset | None = None) -> Evaluation:
        """Return what judges predictions for the features of a dataset.

        Args:
            features: The features.
            dataset: The dataset that they are of.
            train: The training set, if it is known: figures of what is new to a model depend on it.
        """

    def altered_evaluations(
        self, evaluation: Evaluation, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
    ) -> dict[str, Evaluation]:
        """Return what judges a finished model on altered texts, by the name of the figure that this gives.

        The figure is the main one of the task, for the altered texts.

        Args:
            evaluation: What judges the model on the texts as they are.
            tokenizer: The tokenizer of the model.
            max_length: How many tokens the model sees at once; `None` if there is no limit.
        """
        return {}

    def kept(self, model: PreTrainedModel) -> PreTrainedModel:
        """Return what is saved of a trained model."""
        return model

    def describe_answers(self, loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> dict[str, Any]:
        """Return what a report says of the answers of a finished model, beside figures of its predictions.

        Args:
            loaded: The model, in evaluation mode.
            dataset: The texts with their right answers.
            batch_size: How many are answered at once.
        """
        return {}

    @abstractmethod
    def describe_tokens(self, evaluation: Evaluation) -> dict[str, Any]:
        """Return how well the tokenizer fits the data that is evaluated."""
