import json
import math
import random

import pytest

from malmoi.metrics.calibration import DEFINITIONS, ERROR, TEXTS, Reliability, best_temperature, log_loss, unit_of


def test_the_calibration_error_is_the_mean_difference_within_bins() -> None:
    reliability = Reliability()
    for probability, is_right in [(0.9, True), (0.92, False), (0.01, False), (1.0, True), (0.0, False)]:
        reliability.add(probability, is_right)
    # [0.9, 0.92] in one bin, of which half is right; 1.0 in the last, with the edge itself
    expected = (abs(0.91 - 0.5) * 2 + abs(0.005 - 0) * 2 + 0) / 5
    report = reliability.report()
    assert reliability.error() == report[ERROR] == pytest.approx(expected)
    assert report["names"] == 5
    assert report["mean_probability"] == pytest.approx(2.83 / 5)
    assert report["right"] == pytest.approx(2 / 5)
    bins = report["bins"]
    assert [(round(15 * part["from"]), part["names"], part["right"]) for part in bins] == [
        (0, 2, 0.0),
        (13, 2, 0.5),
        (14, 1, 1.0),
    ]


def test_texts_are_counted_as_names_are() -> None:
    names, texts = Reliability(), Reliability(TEXTS)
    for reliability in (names, texts):
        for probability, is_right in [(0.9, True), (0.6, False), (1.0, True)]:
            reliability.add(probability, is_right)
    of_names, of_texts = names.report(), texts.report()
    assert (unit_of(of_names), unit_of(of_texts)) == ("names", "texts")
    assert of_names["definition"] == DEFINITIONS["names"] != of_texts["definition"] == DEFINITIONS["texts"]
    renamed = json.loads(json.dumps(of_names).replace('"names":', '"texts":'))
    assert of_texts == {**renamed, "definition": of_texts["definition"]}


def test_no_names_are_no_error() -> None:
    report = Reliability().report()
    assert (report[ERROR], report["names"], report["bins"]) == (0, 0, [])


def test_probabilities_that_are_true_have_hardly_an_error() -> None:
    chance = random.Random(0)
    true, boastful = Reliability(), Reliability()
    for _ in range(20_000):
        probability = chance.random()
        is_right = chance.random() < probability
        true.add(probability, is_right)
        boastful.add(min(probability + 0.2, 1.0), is_right)
    assert true.error() < 0.02
    assert boastful.error() == pytest.approx(0.18, abs=0.02)


def test_the_log_loss_is_finite() -> None:
    assert log_loss(0.25, True) == pytest.approx(math.log(4))
    assert log_loss(0.25, False) == pytest.approx(math.log(4 / 3))
    assert log_loss(1.0, True) == 0
    assert math.isfinite(log_loss(0.0, True))
    assert math.isfinite(log_loss(1.0, False))


@pytest.mark.parametrize("best", [0.07, 1.0, 3.3, 15.0])
def test_the_best_temperature_is_found(best: float) -> None:
    assert best_temperature(lambda temperature: (math.log(temperature) - math.log(best)) ** 2) == pytest.approx(
        best, rel=1e-3
    )


def test_a_temperature_that_was_put_on_scores_is_found_again() -> None:
    chance = random.Random(0)
    scores = [chance.gauss(0, 2) for _ in range(4000)]
    answers = [(3 * score, chance.random() < 1 / (1 + math.exp(-score))) for score in scores]

    def loss(temperature: float) -> float:
        return sum(log_loss(1 / (1 + math.exp(-score / temperature)), is_right) for score, is_right in answers)

    assert best_temperature(loss) == pytest.approx(3, rel=0.1)
