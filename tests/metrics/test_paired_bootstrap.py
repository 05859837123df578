import numpy as np
import pytest

from malmoi.metrics import paired_bootstrap as module
from malmoi.metrics.paired_bootstrap import Counts, paired_bootstrap, ratio

FIGURES = {
    "accuracy": lambda sums: ratio(sums[:, 0], sums[:, 1]),
    "right": lambda sums: sums[:, 0],
}


def rights(probability: float, *, number: int, seed: int) -> Counts:
    """Whether each of so many texts is right, and 1."""
    right = np.random.default_rng(seed).random(number) < probability
    return np.stack([right, np.ones(number)], axis=1).astype(np.float64)


def test_the_interval_is_that_of_the_mean_of_paired_differences() -> None:
    one, other = rights(0.8, number=4000, seed=1), rights(0.7, number=4000, seed=2)
    value, low, high = paired_bootstrap(one, other, FIGURES)["accuracy"]
    differences = one[:, 0] - other[:, 0]
    half = 1.96 * differences.std() / np.sqrt(len(differences))
    assert value == pytest.approx(differences.mean())
    assert low == pytest.approx(value - half, abs=half / 10)
    assert high == pytest.approx(value + half, abs=half / 10)


def test_models_that_fail_on_the_same_texts_are_told_apart_more_sharply() -> None:
    one = rights(0.7, number=1000, seed=1)
    better = one.copy()
    better[:30, 0] = 1
    paired = paired_bootstrap(better, one, FIGURES)["accuracy"]
    unpaired = paired_bootstrap(better, np.random.default_rng(0).permutation(one), FIGURES)["accuracy"]
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 4
    assert paired.low > 0


def test_a_model_does_not_differ_from_itself() -> None:
    one = rights(0.7, number=50, seed=1)
    assert paired_bootstrap(one, one, FIGURES) == {name: (0, 0, 0) for name in FIGURES}


def test_the_same_seed_gives_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = rights(0.8, number=60, seed=1), rights(0.7, number=60, seed=2)
    first = paired_bootstrap(one, other, FIGURES, samples=200)
    assert paired_bootstrap(one, other, FIGURES, samples=200, seed=5) != first
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 130)  # two samples at once
    assert paired_bootstrap(one, other, FIGURES, samples=200) == first
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 7)  # less than one
    assert paired_bootstrap(one, other, FIGURES, samples=200) == first


def test_figures_without_anything_to_divide_by_are_0() -> None:
    nothing = np.zeros((3, 2))
    assert paired_bootstrap(nothing, nothing, FIGURES)["accuracy"] == (0, 0, 0)


def test_both_models_need_the_same_sentences() -> None:
    one = rights(0.8, number=3, seed=1)
    with pytest.raises(ValueError, match="Both models need the same sentences, got 3 and 2"):
        paired_bootstrap(one, one[:2], FIGURES)
    with pytest.raises(ValueError, match="got 0 and 0"):
        paired_bootstrap(one[:0], one[:0], FIGURES)
