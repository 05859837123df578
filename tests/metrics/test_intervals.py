"""Intervals of figures: against another way to get them, and where that way fails."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.benchmarks.spacing_peers import f1_interval
from malmoi.metrics.counts import scores
from malmoi.metrics.intervals import F1Shares, SentenceShares, as_report, wilson_interval
from malmoi.metrics.named_entities import NamedEntityMetrics
from malmoi.metrics.sentence_classification import SentenceClassificationMetrics
from malmoi.metrics.tokenized_sentence import TokenizedSentence
from malmoi.metrics.word_spacing import WordSpacingMetrics

COUNTS = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)).map(
    lambda counts: (counts[0], counts[0] + counts[1], counts[0] + counts[2])
)


def sentences(*, number: int, gathered: float) -> np.ndarray:
    """Correct, predicted and gold names of sentences; in some sentences everything is wrong."""
    draw = np.random.default_rng(5)
    rows = []
    for _ in range(number):
        gold = int(draw.integers(1, 6))
        correct = 0 if draw.random() < gathered else int(draw.binomial(gold, 0.8))
        rows.append((correct, correct + int(draw.binomial(gold - correct, 0.7)), gold))
    return np.array(rows)


@pytest.mark.parametrize("gathered", [0.0, 0.3, 0.6])
def test_the_interval_of_f1_is_that_of_samples_with_replacement(gathered: float) -> None:
    counts = sentences(number=600, gathered=gathered)
    shares = F1Shares()
    for row in counts.tolist():
        shares.add(*row)
    interval = shares.f1_interval()
    assert interval is not None
    sampled = f1_interval(counts)
    width = sampled[1] - sampled[0]
    assert interval == pytest.approx(sampled, abs=0.12 * width)


@given(st.lists(COUNTS, max_size=20))
def test_every_interval_holds_its_figure(counts: list[tuple[int, int, int]]) -> None:
    shares = F1Shares()
    for row in counts:
        shares.add(*row)
    total = [sum(column) for column in zip(*counts)] or [0, 0, 0]
    expected = scores(*total)
    found = (shares.precision.interval(), shares.recall.interval(), shares.f1_interval())
    for value, interval, known in zip(expected, found, (total[1], total[2], total[1] + total[2])):
        assert (interval is None) == (known == 0)
        if interval is not None:
            assert 0 <= interval[0] <= value + 1e-12
            assert value - 1e-12 <= interval[1] <= 1


def test_few_names_that_are_all_right_prove_little() -> None:
    shares = SentenceShares()
    shares.add(2, 2)
    shares.add(1, 1)
    # the lower end of Wilson's interval for n of n is n / (n + z²)
    assert shares.interval() == pytest.approx((3 / (3 + 1.959964**2), 1.0), abs=1e-6)


def test_wilson_is_that_of_its_defining_equation() -> None:
    for share, count in product((0.1, 0.5, 0.9), (4, 50, 1000)):
        for end in wilson_interval(share, count):
            assert abs(share - end) == pytest.approx(1.959963985 * math.sqrt(end * (1 - end) / count))


def test_wrong_sentences_count_as_one_thing() -> None:
    """Ten names of one sentence are no ten witnesses."""
    apart, together = SentenceShares(), SentenceShares()
    for number in range(100):
        apart.add(number % 2, 1)
    for number in range(10):
        together.add(10 * (number % 2), 10)
    narrow, wide = apart.interval(), together.interval()
    assert narrow is not None
    assert wide is not None
    assert wide[1] - wide[0] > 2.5 * (narrow[1] - narrow[0])


def test_nothing_to_share_has_no_interval() -> None:
    assert SentenceShares().interval() is None
    assert as_report({"f1": F1Shares().f1_interval(), "accuracy": (0.25, 0.5)}) == {"accuracy": [0.25, 0.5]}


def test_names_are_counted_by_type() -> None:
    metrics = NamedEntityMetrics(["B-LC", "I-LC", "B-PS", "I-PS", "O"])
    gold = ["B-PS", "I-PS", "O", "B-LC", "I-LC"]
    sentence = TokenizedSentence("민지는서울", gold, [(n, n + 1) for n in range(5)], [False] * 5)
    metrics.update(sentence, ["B-PS", "I-PS", "O", "O", "O"], gold)
    details = metrics.details()
    assert details["counted"] == {"names": 2}
    assert details["support"] == {"LC": 1, "PS": 1}
    intervals = details["intervals"]
    assert isinstance(intervals, dict)
    assert set(intervals) == {"entity_f1", "entity_precision", "entity_recall", "token_f1", "f1/LC", "f1/PS"}
    assert intervals["f1/LC"][0] == 0
    assert intervals["f1/PS"][1] == 1


def test_spaces_and_tags_are_counted() -> None:
    metrics = WordSpacingMetrics(["B", "I"])
    gold = ["B", "I", "B", "I"]
    metrics.update(TokenizedSentence("나는간다", gold, [(n, n + 1) for n in range(4)], [False] * 4), gold, gold)
    details = metrics.details()
    assert (details["counted"], details["support"]) == ({"spaces": 1}, {"B": 2, "I": 2})
    intervals = details["intervals"]
    assert isinstance(intervals, dict)
    assert set(intervals) == {
        *("space_f1", "space_precision", "space_recall", "sentence_accuracy"),
        *("f1/B", "f1/I"),
    }
    assert all(metrics.compute()[name] == pytest.approx(interval[1]) for name, interval in intervals.items())


def test_classes_are_counted() -> None:
    metrics = SentenceClassificationMetrics(["a", "b", "never"])
    for predicted, gold in ((0, 0), (0, 1), (1, 1)):
        metrics.update(predicted, gold)
    details = metrics.details()
    assert details["support"] == {"a": 1, "b": 2, "never": 0}
    intervals = details["intervals"]
    assert isinstance(intervals, dict)
    assert set(intervals) == {"accuracy", "f1/a", "f1/b"}
    for name, (low, high) in intervals.items():
        assert low < metrics.compute()[name] < high
