"""How true the probabilities of the names are that a tagger finds in tagged sentences."""

from collections.abc import Iterator
from dataclasses import replace

from datasets import Dataset

from malmoi.data.alignment import Span, gold_names
from malmoi.data.tagged_dataset import label_names
from malmoi.inference.found_names import FoundName
from malmoi.inference.loading import LoadedModel
from malmoi.inference.tagger import Tagger
from malmoi.inference.token_labels import token_labels
from malmoi.metrics.calibration import Reliability
from malmoi.reports.errors.answers import batches


class AnsweredSentences:
    """What a tagger says of tagged sentences, for which names can be had at any temperature.

    Args:
        loaded: The tagger, in evaluation mode.
        dataset: The sentences.
        batch_size: How many are answered at once.
    """

    def __init__(self, loaded: LoadedModel, dataset: Dataset, *, batch_size: int):
        self.tagger = Tagger.of_loaded(loaded)
        self.texts: list[str] = list(dataset["text"])
        self.gold = list(_gold_names(dataset))
        self.answers = token_labels(self.tagger.engine, self.texts, batch_size=batch_size)

    def found(self) -> list[list[FoundName]]:
        """Return the names that the tagger finds in each sentence."""
        return [self.tagger.names(text, answer) for text, answer in zip(self.texts, self.answers)]

    def names(self, temperature: float) -> Iterator[tuple[float, bool]]:
        """Yield the probability of each name that the tagger finds, and whether it is right."""
        self.tagger.name_chain = replace(self.tagger.name_chain, temperature=temperature)
        for entities, gold in zip(self.tagger.entities(self.texts, self.answers), self.gold):
            yield from ((entity.score, Span(*entity[:3]) in gold) for entity in entities)


def name_reliability(loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> Reliability:
    """Return how true the probabilities of names are, at the temperature of the model; little memory is needed.

    Args:
        loaded: The tagger, in evaluation mode.
        dataset: Tagged sentences.
        batch_size: How many are answered at once.
    """
    tagger, reliability = Tagger.of_loaded(loaded), Reliability()
    gold = _gold_names(dataset)
    for rows in batches(dataset):
        for entities in tagger.tag([row["text"] for row in rows], batch_size=batch_size):
            names = next(gold)
            for entity in entities:
                reliability.add(entity.score, Span(*entity[:3]) in names)
    return reliability


def _gold_names(dataset: Dataset) -> Iterator[set[Span]]:
    """Yield the names of each sentence."""
    labels = label_names(dataset)
    for rows in batches(dataset):
        yield from (set(gold_names(row["text"], [labels[tag] for tag in row["tags"]])) for row in rows)
