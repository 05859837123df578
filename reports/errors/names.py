"""What a tagger of names gets wrong."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

from datasets import Dataset

from malmoi.data.alignment import Span, gold_names, spans_to_tags
from malmoi.data.one_spelling import one_spelling
from malmoi.data.tagged_dataset import label_names
from malmoi.inference.labelled_tokens import TokenLabels
from malmoi.inference.loading import LoadedModel
from malmoi.inference.tagger import Entity, Tagger
from malmoi.inference.token_labels import token_labels
from malmoi.metrics.name_errors import KINDS, Mistake, compare_names
from malmoi.metrics.paired_bootstrap import Figure, ratio
from malmoi.reports.errors.answers import (
    NONE,
    RIGHT,
    Answer,
    Error,
    Findings,
    Line,
    Mark,
    Table,
    TaskErrors,
    batches,
)
from malmoi.reports.errors.breakdown import NAME_LENGTHS, Breakdown, bucket, bucket_names, confusion_of, sources

SEEN, UNSEEN = "seen", "unseen"


class ScoredToken(NamedTuple):
    """A token, `text[start:end]`, and the probability of the label that it was given."""

    start: int
    end: int
    score: float


@dataclass(frozen=True)
class NameAnswer(Answer):
    """The names in a sentence, those of the data and those of a model.

    Args:
        gold: The names of the data.
        entities: The names of the model.
        mistakes: How they differ, in the order of `errors`.
    """

    gold: list[Span]
    entities: list[Entity]
    mistakes: list[Mistake]

    @property
    def predicted(self) -> list[Span]:
        """Return the names of the model, without what it says beside them."""
        return [Span(entity.start, entity.end, entity.label) for entity in self.entities]

    @property
    def right(self) -> list[Span]:
        """Return the names that both have."""
        return sorted(set(self.gold) & set(self.predicted))

    def counts(self) -> list[int]:
        """Return the numbers of names that are right, predicted, and in the data."""
        return [len(self.right), len(set(self.predicted)), len(set(self.gold))]

    def gold_line(self) -> Line:
        """Return the sentence with the names of the data."""
        kinds = {mistake.gold: mistake.kind for mistake in self.mistakes}
        return Line(self.text, [Mark(*span, kinds.get(span, RIGHT)) for span in self.gold])

    def predicted_line(self) -> Line:
        """Return the sentence with the names of the model."""
        kinds = {mistake.predicted: mistake.kind for mistake in self.mistakes}
        marks = [
            Mark(*span, kinds.get(span, RIGHT), entity.score) for span, entity in zip(self.predicted, self.entities)
        ]
        return Line(self.text, marks)

    def gold_record(self) -> list[dict[str, Any]]:
        """Return the names of the data as `malmoi tag --json` writes names, which have no score."""
        return [
            {"start": start, "end": end, "label": label, "text": self.text[start:end]}
            for start, end, label in self.gold
        ]

    def predicted_record(self) -> dict[str, Any]:
        """Return the names of the model as `malmoi tag --json` writes them."""
        return {"predicted": [entity._asdict() for entity in self.entities]}


def find_name_errors(
    loaded: LoadedModel, dataset: Dataset, training_names: frozenset[str] | None, batch_size: int
) -> Findings:
    """Return what a tagger finds in tagged sentences, and where it differs from them."""
    if training_names is not None:
        training_names = frozenset(map(one_spelling, training_names))
    answers = list(name_answers(loaded, dataset, training_names, batch_size))
    types = sorted({label[2:] for label in label_names(dataset)} - {NONE})
    pairs: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        pairs.update((span.label, span.label) for span in answer.right)
        pairs.update((error.gold, error.predicted) for error in answer.errors)
    types += sorted({label for pair in pairs for label in pair} - {NONE, *types})
    return Findings(list(answers), confusion_of(pairs, types, none=NONE), _tables(answers, training_names))


def name_answers(
    loaded: LoadedModel, dataset: Dataset, training_names: frozenset[str] | None, batch_size: int
) -> Iterator[NameAnswer]:
    """Yield the answer of a tagger to each of several tagged sentences."""
    tagger, labels = Tagger.of_loaded(loaded), label_names(dataset)
    for rows in batches(dataset):
        found = token_labels(tagger.engine, [row["text"] for row in rows], batch_size=batch_size)
        entities = tagger.entities([row["text"] for row in rows], found)
        for row, of_tokens, of_text in zip(rows, found, entities):
            tags = [labels[tag] for tag in row["tags"]]
            yield _answer(row["id"], row["text"], tags, of_text, of_tokens, training_names)


def _answer(
    text_id: str,
    text: str,
    tags: list[str],
    entities: list[Entity],
    of_tokens: TokenLabels,
    training_names: frozenset[str] | None,
) -> NameAnswer:
    gold = gold_names(text, tags)
    predicted = [Span(entity.start, entity.end, entity.label) for entity in entities]
    mistakes = compare_names(text, gold, predicted).errors
    errors = []
    if mistakes:
        predicted_tags = spans_to_tags(predicted, len(text))
        differs = [expected != found for expected, found in zip(tags, predicted_tags)]
        scored = [
            ScoredToken(start, end, score)
            for (start, end), score in zip(of_tokens.offsets, of_tokens.scores)
            if start < end
        ]
        errors = [_error(text, mistake, differs, scored, training_names) for mistake in mistakes]
    return NameAnswer(text_id, text, errors, gold, entities, mistakes)


def _error(
    text: str,
    mistake: Mistake,
    differs: Sequence[bool],
    scored: Sequence[ScoredToken],
    training_names: frozenset[str] | None,
) -> Error:
    name = mistake.gold or mistake.predicted
    assert name is not None
    written = text[name.start : name.end]
    return Error(
        mistake.kind,
        mistake.gold.label if mistake.gold else NONE,
        mistake.predicted.label if mistake.predicted else NONE,
        written,
        sureness(mistake.reach(), differs, scored),
        None if training_names is None else one_spelling(written) in training_names,
    )


def sureness(reach: tuple[int, int], differs: Sequence[bool], scored: Sequence[ScoredToken]) -> float:
    """Return how sure a tagger is of its own labels where they differ from the data: the mean over those tokens.

    Args:
        reach: The characters that a mistake is about.
        differs: Whether the tags of each character of the sentence differ.
        scored: The tokens in their order, each with the probability of its label; a CRF gives the marginal one.

    Returns:
        The mean probability; over all tokens within reach if only characters differ that belong to none; 0 without
        tokens.
    """
    first, last = reach
    within = scored[bisect_right(scored, first, key=lambda token: token.end) :]
    touching = list(takewhile(lambda token: token.start < last, within))
    wrong = [token for token in touching if any(differs[max(token.start, first) : min(token.end, last)])]
    chosen = wrong or touching
    return sum(token.score for token in chosen) / len(chosen) if chosen else 0.0


def _tables(answers: Sequence[NameAnswer], training_names: frozenset[str] | None) -> list[Table]:
    """Return the figures of names by type, by length, by what was seen in training, and by source."""
    by_type, by_length = Breakdown("by_type", "names"), Breakdown("by_length", "names")
    by_seen, by_source = Breakdown("by_seen", "names"), Breakdown("by_source", "names")
    places = sources([answer.id for answer in answers])
    for number, answer in enumerate(answers):
        sides = set(answer.gold), set(answer.predicted), set(answer.right)
        written = [[one_spelling(answer.text[span.start : span.end]) for span in side] for side in sides]
        by_type.add(*([span.label for span in side] for side in sides))
        by_length.add(*([bucket(len(name), NAME_LENGTHS) for name in side] for side in written))
        if training_names is not None:
            by_seen.add(*([SEEN if name in training_names else UNSEEN for name in side] for side in written))
        if places is not None:
            by_source.add(*([places[number]] * len(side) for side in sides))
    return [
        by_type.table(),
        by_length.table(bucket_names(NAME_LENGTHS)),
        *([] if training_names is None else [by_seen.table([SEEN, UNSEEN])]),
        *([] if places is None else [by_source.table()]),
    ]


FIGURES: Mapping[str, Figure] = {
    "entity_f1": lambda sums: ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2]),
    "entity_precision": lambda sums: ratio(sums[:, 0], sums[:, 1]),
    "entity_recall": lambda sums: ratio(sums[:, 0], sums[:, 2]),
}
"""How figures follow from sums of names that are right, predicted, and in the data."""
NAME_ERRORS = TaskErrors(KINDS, FIGURES, find_name_errors)
