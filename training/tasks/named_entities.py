"""Tagging names of persons, places and other things."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from malmoi.data.alignment import tags_to_spans
from malmoi.data.augmentation import with_replaced_names
from malmoi.data.inline_marks import write_marks
from malmoi.data.space_noise import with_space_noise, without_spaces
from malmoi.data.tagged_dataset import names_in
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.named_entities import DEFINITIONS, NO_SPACES, NamedEntityMetrics
from malmoi.metrics.tokenized_sentence import TaggingMetrics
from malmoi.recipes.arguments import NamedEntityArguments, RecipeArguments
from malmoi.reports.name_reliability import name_reliability
from malmoi.training.evaluation import Evaluation, TaggingEvaluation
from malmoi.training.tasks.examples import Candidate, choose_examples, some_rows
from malmoi.training.tasks.tagging import TaggingTask


class NamedEntities(TaggingTask):
    """Named entity recognition: BIO tags of characters."""

    name = "named-entities"
    definitions = DEFINITIONS
    main_figure = "entity_f1"
    example = "손흥민은 1992년 7월 8일 춘천에서 태어났다."
    breakdown = "type (exact characters)"
    only_of_finished_models = (NO_SPACES,)
    make_metrics = NamedEntityMetrics

    def examples(self, dataset: Dataset) -> list[dict[str, str]]:
        """Return a few sentences, and the same with their names marked."""
        names = self.labels(dataset)
        candidates = []
        for row in some_rows(dataset):
            spans = tags_to_spans([names[tag] for tag in row["tags"]])
            marked = write_marks(row["text"], spans)
            candidates.append(Candidate(row["text"], marked, frozenset(span.label for span in spans)))
        return choose_examples(candidates)

    def augment(self, train: Dataset, arguments: RecipeArguments, *, seed: int) -> Dataset:
        """Return the sentences, and copies of them in which names are replaced."""
        assert isinstance(arguments, NamedEntityArguments)
        return with_replaced_names(
            train,
            copies=arguments.name_replacement_copies,
            probability=arguments.name_replacement_probability,
            seed=seed,
        )

    def with_noise(self, train: Dataset, arguments: RecipeArguments, *, seed: int) -> Dataset:
        """Return the sentences, some with other spaces."""
        assert isinstance(arguments, NamedEntityArguments)
        return with_space_noise(
            train,
            probability=arguments.space_noise_probability,
            drop_all_probability=arguments.space_noise_drop_all_probability,
            drop_probability=arguments.space_noise_drop_probability,
            add_probability=arguments.space_noise_add_probability,
            seed=seed,
        )

    def metrics_maker(self, train: Dataset | None) -> Callable[[Sequence[str]], TaggingMetrics]:
        """Return what makes empty metrics for labels; they tell unseen names if the training set is known."""
        return partial(NamedEntityMetrics, training_names=None if train is None else frozenset(names_in(train)))

    def describe_answers(self, loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> dict[str, Any]:
        """Return how true the probabilities of names are."""
        return {"reliability": name_reliability(loaded, dataset, batch_size=batch_size).report()}

    def altered_evaluations(
        self, evaluation: Evaluation, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
    ) -> dict[str, Evaluation]:
        """Return what judges a finished model on the texts without their spaces."""
        assert isinstance(evaluation, TaggingEvaluation)
        sentences = without_spaces(evaluation.sentences)
        return {NO_SPACES: evaluation.of(self.features(sentences, tokenizer, max_length=max_length), sentences)}
