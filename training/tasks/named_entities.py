"""Tagging names of persons, places and other things."""

from datasets import Dataset

from malmoi.data.alignment import tags_to_spans
from malmoi.data.augmentation import with_replaced_names
from malmoi.data.inline_marks import write_marks
from malmoi.metrics.named_entities import DEFINITIONS, NamedEntityMetrics
from malmoi.recipes.arguments import NamedEntityArguments, RecipeArguments
from malmoi.training.tasks.examples import Candidate, choose_examples, some_rows
from malmoi.training.tasks.tagging import TaggingTask


class NamedEntities(TaggingTask):
    """Named entity recognition: BIO tags of characters."""

    name = "named-entities"
    definitions = DEFINITIONS
    main_figure = "entity_f1"
    example = "손흥민은 1992년 7월 8일 춘천에서 태어났다."
    breakdown = "type (exact characters)"
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
