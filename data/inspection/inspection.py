"""All that is looked for in data, by what their rows are."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from datasets import Dataset

from malmoi.data.classified_dataset import class_names
from malmoi.data.inspection.characters import (
    count_characters,
    decomposed_texts,
    invisible_characters,
    unknown_characters,
)
from malmoi.data.inspection.findings import Finding, Place
from malmoi.data.inspection.inspected_text import Form, InspectedText, form_of, inspected_texts
from malmoi.data.inspection.name_occurrences import unmarked_and_half_names
from malmoi.data.inspection.name_types import labelled_names, names_of_several_types
from malmoi.data.inspection.near_overlap import nearly_same_texts
from malmoi.data.inspection.overlap import (
    contents,
    repeated_texts,
    same_texts,
    texts_with_two_answers,
    texts_without_letters,
)
from malmoi.data.inspection.samples import draw_samples
from malmoi.data.inspection.spaces import long_words, loose_spaces
from malmoi.data.inspection.summaries import LabelSummary, SplitSummary, label_summaries, split_summaries
from malmoi.data.inspection.suspicious_marks import suspicious_marks
from malmoi.data.splits.faults import labels_in_two_cases, rare_labels, unlearnable_labels
from malmoi.data.tagged_dataset import label_names

NO_TEXTS: Mapping[str, str] = {}


class Inspection(NamedTuple):
    """What is in data."""

    form: Form
    splits: list[SplitSummary]
    labels: list[LabelSummary]
    remarks: list[str]
    """Sentences about the labels: those that the training set lacks, or has once, or in two spellings."""
    findings: list[Finding]
    samples: list[Place]


def inspect_splits(
    splits: Mapping[str, Dataset],
    *,
    are_known: Callable[[list[str]], list[bool]],
    as_written: Mapping[str, str] = NO_TEXTS,
) -> Inspection:
    """Return what is in data, in the form of any task.

    Args:
        splits: The rows by the name of their split.
        are_known: Tells of each of several characters whether a tokenizer knows it.
        as_written: The texts as their files have them, by id, where the rows have lost something of them.
    """
    texts = inspected_texts(splits)
    form = form_of(next(iter(splits.values())))
    composed = [row.composed() for row in texts]
    content = contents(texts)
    characters = count_characters(texts)
    of_composed = characters if composed == texts else count_characters(composed)
    written = [row._replace(text=as_written.get(row.id, row.text)) for row in texts] if as_written else texts
    found: list[Finding | None] = []
    if form is Form.NAMES:
        found += _of_names(composed)
    if form in (Form.NAMES, Form.CLASSES):
        found.append(texts_with_two_answers(texts, content))
    found += [*same_texts(texts, content), *nearly_same_texts(texts, content), repeated_texts(texts, content)]
    found += [
        texts_without_letters(texts),
        invisible_characters(texts, characters),
        decomposed_texts(texts),
        loose_spaces(written),
        long_words(texts),
        # a tokenizer composes before it looks up
        unknown_characters(composed, of_composed, are_known),
    ]
    return Inspection(
        form,
        split_summaries(texts),
        label_summaries(composed, _labels(splits, form)),
        _remarks(splits) if form in (Form.NAMES, Form.CLASSES) else [],
        [finding for finding in found if finding is not None],
        draw_samples(texts),
    )


def _of_names(texts: Sequence[InspectedText]) -> list[Finding | None]:
    names = labelled_names(texts)
    return [names_of_several_types(names), *unmarked_and_half_names(texts, names), *suspicious_marks(names)]


def _labels(splits: Mapping[str, Dataset], form: Form) -> list[str]:
    rows = next(iter(splits.values()))
    if form is Form.CLASSES:
        return class_names(rows)
    return sorted({name[2:] for name in label_names(rows)} - {""}) if form is Form.NAMES else []


def _remarks(splits: Mapping[str, Dataset]) -> list[str]:
    if "train" not in splits:
        return []
    train = splits["train"]
    remarks = (unlearnable_labels(splits), rare_labels(train), labels_in_two_cases(train))
    return [remark for remark in remarks if remark is not None]
