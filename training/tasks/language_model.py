"""Predicting every token of a text from those before it and from those behind it: what a body is trained by."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from torch import Tensor
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.language_model_features import LanguageModelCollator, hold_out, language_model_features
from malmoi.data.readers.plain_text import read_plain_text
from malmoi.data.space_noise import texts_with_space_noise
from malmoi.metrics.language_model import DEFINITIONS, LanguageModelMetrics
from malmoi.recipes.arguments import LanguageModelArguments, RecipeArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.evaluation import Evaluation
from malmoi.training.models.language_model import BiLstmLanguageModel
from malmoi.training.reading import reading_options
from malmoi.training.tasks.task import Task


class LanguageModelEvaluation(Evaluation):
    """Evaluates a language model.

    Args:
        features: Features of texts.
    """

    def start(self) -> None:
        """Forget everything and begin anew."""
        super().start()
        self.metrics = LanguageModelMetrics()

    def add(self, row: int, predicted: list[list[float]]) -> None:
        """Add the sums of a text, from which the figures follow."""
        self.metrics.update(predicted)

    def figures(self) -> dict[str, float]:
        """Return all figures of the texts that were added."""
        self.details = {"support": {}, "intervals": {}}
        return self.metrics.compute()


class LanguageModel(Task):
    """Language model: embeddings and an LSTM that have read much, for taggers and classifiers to begin from."""

    name = "language-model"
    model_types = ("bilstm",)
    auto_model = AutoModel
    definitions = DEFINITIONS
    main_figure = "accuracy"
    example = "오늘은 날씨가 좋아서 공원에 갔다."
    breakdown = "direction"

    def read(self, arguments: RecipeArguments, *, seed: int, dataset: object = None) -> DatasetDict:
        """Return the texts; without a validation file, some of the training files are held out.

        Raises:
            RecipeError: If something is said that is for other data, or there are too few texts to hold some out.
        """
        assert isinstance(arguments, LanguageModelArguments)
        said = [*reading_options(arguments, dataset=dataset).given(), *(["trim_josa"] if arguments.trim_josa else [])]
        if said:
            raise RecipeError(
                f"`{said[0]}` is for data with labels, and a language model reads plain texts, from the files of "
                "`data_dir`; leave it out."
            )
        splits = read_plain_text(Path(arguments.data_dir) if arguments.data_dir else None, lines=arguments.text_lines)
        if "validation" not in splits:
            train, held = hold_out(splits["train"], arguments.validation_texts, seed=seed)
            if not (train.num_rows and held.num_rows):
                raise RecipeError(
                    "There are too few texts to hold any out for validation from them: expected several that differ, "
                    f"got {splits['train'].num_rows}; give more, or a validation file."
                )
            splits = DatasetDict({**splits, "train": train, "validation": held})
        return splits

    def labels(self, dataset: Dataset) -> list[str]:
        """Return no labels: texts have none."""
        return []

    def with_labels(self, dataset: Dataset, labels: list[str]) -> Dataset:
        """Return the dataset as it is."""
        return dataset

    def augment(self, train: Dataset, arguments: RecipeArguments, *, seed: int) -> Dataset:
        """Return the training texts, some of them with other spaces."""
        assert isinstance(arguments, LanguageModelArguments)
        if not arguments.space_noise_probability:
            return train
        texts = texts_with_space_noise(
            train["text"][:],
            probability=arguments.space_noise_probability,
            drop_all_probability=arguments.space_noise_drop_all_probability,
            drop_probability=arguments.space_noise_drop_probability,
            add_probability=arguments.space_noise_add_probability,
            seed=seed,
        )
        return Dataset.from_dict({"id": train["id"][:], "text": texts}, features=train.features)

    def examples(self, dataset: Dataset) -> list[dict[str, str]]:
        """Return no texts: there is nothing that a body answers."""
        return []

    def features(self, dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None) -> Dataset:
        """Return the tokens of texts, long ones in pieces."""
        return language_model_features(dataset, tokenizer, max_length=max_length)

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
        """Return what pads texts to the longest of a batch."""
        return LanguageModelCollator(tokenizer)

    def judged(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sums of texts as they are."""
        return logits

    def evaluation(self, features: Dataset, dataset: Dataset, *, train: Dataset | None = None) -> Evaluation:
        """Return what judges a language model on texts."""
        return LanguageModelEvaluation(features)

    def describe_tokens(self, evaluation: Evaluation) -> dict[str, Any]:
        """Return the share of unknown tokens."""
        features = evaluation.features
        return {"unknown_share": sum(features["unknown"]) / max(sum(features["length"]), 1)}

    def kept(self, model: PreTrainedModel) -> PreTrainedModel:
        """Return the body of the model: what predicts tokens has done its work."""
        assert isinstance(model, BiLstmLanguageModel)
        return model.body()
