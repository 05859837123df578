"""The figures of word spacing and sentence classification, against scikit-learn and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from malmoi.data.word_spacing import SPACING_LABELS, join_words
from malmoi.metrics import sentence_classification, word_spacing
from malmoi.metrics.sentence_classification import SentenceClassificationMetrics
from malmoi.metrics.tokenized_sentence import TokenizedSentence
from malmoi.metrics.word_spacing import WordSpacingMetrics, token_tags

TAGS = st.lists(st.sampled_from(SPACING_LABELS), min_size=1, max_size=12)
PAIRS = st.lists(
    TAGS.flatmap(
        lambda gold: st.tuples(
            st.just(["B", *gold[1:]]),
            st.lists(st.sampled_from(SPACING_LABELS), min_size=len(gold), max_size=len(gold)),
        )
    ),
    min_size=1,
    max_size=6,
)


def character_sentence(tags: list[str]) -> TokenizedSentence:
    """A sentence with one token per character."""
    offsets = [(index, index + 1) for index in range(len(tags))]
    return TokenizedSentence("가" * len(tags), tags, offsets, [False] * len(tags))


@given(PAIRS)
def test_spacing_figures_are_those_of_scikit_learn(pairs: list[tuple[list[str], list[str]]]) -> None:
    metrics = WordSpacingMetrics(SPACING_LABELS)
    for number, (gold, predicted) in reversed(list(enumerate(pairs))):
        metrics.update(character_sentence(gold)._replace(number=number), predicted, gold)
    figures = metrics.compute()
    assert set(word_spacing.DEFINITIONS) <= set(figures)
    all_gold = [tag for gold, _ in pairs for tag in gold]
    all_predicted = [tag for _, predicted in pairs for tag in predicted]
    between_gold = [tag == "B" for gold, _ in pairs for tag in gold[1:]]
    between_predicted = [tag == "B" for _, predicted in pairs for tag in predicted[1:]]
    expected = precision_recall_fscore_support(
        between_gold or [False], between_predicted or [False], labels=[True], zero_division=0
    )
    for name, values in zip(("space_precision", "space_recall", "space_f1"), expected):
        assert figures[name] == pytest.approx(values[0])
    for index, values in enumerate(
        zip(*precision_recall_fscore_support(all_gold, all_predicted, labels=SPACING_LABELS, zero_division=0)[:3])
    ):
        for name, value in zip(("precision", "recall", "f1"), values):
            assert figures[f"{name}/{SPACING_LABELS[index]}"] == pytest.approx(value)
    macro = f1_score(all_gold, all_predicted, labels=SPACING_LABELS, average="macro", zero_division=0)
    assert figures["tag_macro_f1"] == pytest.approx(macro)
    right = [gold[1:] == predicted[1:] for gold, predicted in pairs]
    assert figures["sentence_accuracy"] == pytest.approx(sum(right) / len(right))
    assert metrics.details()["samples"] == [
        {"gt": join_words("가" * len(gold), gold), "pred": join_words("가" * len(gold), predicted)}
        for gold, predicted in pairs
    ]


def test_a_token_of_several_characters_begins_at_most_one_word() -> None:
    assert token_tags(["B", None, "I"], [(0, 2), (0, 0), (2, 4)], 5) == ["B", "I", "I", "I", "I"]


LABELS = ["negative", "neutral", "positive"]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_classification_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    metrics = SentenceClassificationMetrics(LABELS)
    for gold, predicted in pairs:
        metrics.update(predicted, gold)
    gold, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    figures = metrics.compute()
    assert set(sentence_classification.DEFINITIONS) <= set(figures)
    assert figures["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    macro = f1_score(gold, predicted, labels=[0, 1, 2], average="macro", zero_division=0)
    assert figures["macro_f1"] == pytest.approx(macro)
    # the mean of what stands below it
    assert figures["macro_f1"] == pytest.approx(sum(figures[f"f1/{name}"] for name in LABELS) / len(LABELS))
    assert metrics.details()["confusion"] == {
        "classes": LABELS,
        "counts": confusion_matrix(gold, predicted, labels=[0, 1, 2]).tolist(),
    }
