"""What a tagger of spaces gets wrong."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from datasets import Dataset

from malmoi.data.tagged_dataset import label_names
from malmoi.data.word_spacing import BEGIN, join_words
from malmoi.inference.labelled_tokens import TokenLabels
from malmoi.inference.loading import LoadedModel
from malmoi.inference.spacer import Spacer
from malmoi.inference.token_labels import token_labels
from malmoi.metrics.paired_bootstrap import Figure, ratio
from malmoi.metrics.word_spacing import token_tags
from malmoi.reports.errors.answers import Answer, Error, Findings, Line, Mark, Table, TaskErrors, batches
from malmoi.reports.errors.breakdown import NAME_LENGTHS, Breakdown, bucket, bucket_names, confusion_of, sources

MISSING, EXTRA = "missing_space", "extra_space"
SPACE, TOGETHER = "space", "together"
CONTEXT = 6
"""How many characters are shown on either side of a wrong space."""


@dataclass(frozen=True)
class SpaceAnswer(Answer):
    """The spaces of a sentence, those of the data and those of a model; `text` has none.

    Args:
        gold: One tag per character in the data, `B` where a word begins.
        predicted: The same of the model.
    """

    gold: list[str]
    predicted: list[str]

    def counts(self) -> list[int]:
        """Return the numbers of spaces that are right, predicted, and in the data, whether all is right, and 1."""
        gold, predicted = _places(self.gold), _places(self.predicted)
        return [len(gold & predicted), len(predicted), len(gold), int(gold == predicted), 1]

    def gold_line(self) -> Line:
        """Return the sentence with the spaces of the data."""
        return _line(self.text, self.gold, self.predicted, own=MISSING, others=EXTRA)

    def predicted_line(self) -> Line:
        """Return the sentence with the spaces of the model."""
        return _line(self.text, self.predicted, self.gold, own=EXTRA, others=MISSING)

    def gold_record(self) -> str:
        """Return the sentence with the spaces of the data."""
        return join_words(self.text, self.gold)

    def predicted_record(self) -> dict[str, Any]:
        """Return the sentence with the spaces of the model."""
        return {"predicted": join_words(self.text, self.predicted)}


def find_space_errors(
    loaded: LoadedModel, dataset: Dataset, training_names: frozenset[str] | None, batch_size: int
) -> Findings:
    """Return the spaces that a tagger gives sentences, and where they differ from the data."""
    answers = list(space_answers(loaded, dataset, batch_size))
    pairs: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        pairs.update(
            (SPACE if gold == BEGIN else TOGETHER, SPACE if found == BEGIN else TOGETHER)
            for gold, found in zip(answer.gold[1:], answer.predicted[1:])
        )
    return Findings(list(answers), confusion_of(pairs, [SPACE, TOGETHER], none=None), _tables(answers))


def space_answers(loaded: LoadedModel, dataset: Dataset, batch_size: int) -> Iterator[SpaceAnswer]:
    """Yield the answer of a tagger of spaces to each of several sentences without spaces."""
    spacer, labels = Spacer.of_loaded(loaded), label_names(dataset)
    for rows in batches(dataset):
        found = token_labels(spacer.engine, [row["text"] for row in rows], batch_size=batch_size)
        for row, of_tokens in zip(rows, found):
            gold = [labels[tag] for tag in row["tags"]]
            names = [spacer.labels.get(label) for label in of_tokens.labels]
            predicted = token_tags(names, of_tokens.offsets, len(row["text"]))
            yield SpaceAnswer(
                row["id"], row["text"], _errors(row["text"], gold, predicted, of_tokens), gold, predicted
            )


def _errors(text: str, gold: Sequence[str], predicted: Sequence[str], of_tokens: TokenLabels) -> list[Error]:
    scores = {start: score for (start, end), score in zip(of_tokens.offsets, of_tokens.scores) if start < end}
    return [
        Error(
            MISSING if gold[place] == BEGIN else EXTRA,
            SPACE if gold[place] == BEGIN else TOGETHER,
            SPACE if predicted[place] == BEGIN else TOGETHER,
            f"{text[max(0, place - CONTEXT) : place]}|{text[place : place + CONTEXT]}",
            scores.get(place, 0.0),
        )
        for place in sorted(_places(gold) ^ _places(predicted))
    ]


def _places(tags: Sequence[str]) -> set[int]:
    """Return before which characters there is a space."""
    return {place for place, tag in enumerate(tags) if tag == BEGIN and place > 0}


def _line(text: str, tags: Sequence[str], others_tags: Sequence[str], *, own: str, others: str) -> Line:
    """Return a sentence with its spaces; those that only one side has are marked, also where they are lacking."""
    places, others_places = _places(tags), _places(others_tags)
    marks, shift = [], 0
    for place in sorted(places | others_places):
        if place not in others_places:
            marks.append(Mark(place + shift, place + shift + 1, "", own))
        elif place not in places:
            marks.append(Mark(place + shift, place + shift, "", others))
        shift += place in places
    return Line(join_words(text, tags), marks)


def _tables(answers: Sequence[SpaceAnswer]) -> list[Table]:
    """Return the figures of words by length and source; a word is right if its edges are and no space is within."""
    by_length, by_source = Breakdown("by_word_length", "words"), Breakdown("by_source", "words")
    places = sources([answer.id for answer in answers])
    for number, answer in enumerate(answers):
        gold, predicted = (
            set(pairwise([0, *sorted(_places(tags)), len(answer.text)])) for tags in (answer.gold, answer.predicted)
        )
        sides = gold, predicted, gold & predicted
        by_length.add(*([bucket(end - start, NAME_LENGTHS) for start, end in side] for side in sides))
        if places is not None:
            by_source.add(*([places[number]] * len(side) for side in sides))
    return [by_length.table(bucket_names(NAME_LENGTHS)), *([] if places is None else [by_source.table()])]


FIGURES: Mapping[str, Figure] = {
    "space_f1": lambda sums: ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2]),
    "space_precision": lambda sums: ratio(sums[:, 0], sums[:, 1]),
    "space_recall": lambda sums: ratio(sums[:, 0], sums[:, 2]),
    "sentence_accuracy": lambda sums: ratio(sums[:, 3], sums[:, 4]),
}
"""How figures follow from sums of spaces that are right, predicted and in the data, and of sentences."""
SPACE_ERRORS = TaskErrors((MISSING, EXTRA), FIGURES, find_space_errors)
