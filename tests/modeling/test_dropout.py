"""Our dropout against what dropout is defined to do."""

import pytest
import torch

from malmoi.kernels.dropout import Dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_elements_are_zeroed_as_often_as_asked_and_the_mean_stays(probability: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = Dropout(probability)(torch.ones(1000, 333, dtype=dtype))
    share = float((dropped == 0).double().mean())
    assert share == pytest.approx(probability, abs=5 * (probability * (1 - probability) / 333_000) ** 0.5)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - probability)], rel=1e-2)
    assert dropped.dtype == dtype


def test_neighbours_are_independent() -> None:
    torch.manual_seed(1)
    kept = (Dropout(0.5)(torch.ones(400_003)) > 0).double() - 0.5
    for distance in (1, 2, 3, 4, 5, 8):
        correlation = float((kept[:-distance] * kept[distance:]).mean() * 4)
        assert abs(correlation) < 5 / 400_000**0.5
    for place in range(4):  # of the four elements that share a number
        assert abs(float(kept[place::4].mean())) < 5 * 0.5 / 100_000**0.5


def test_a_seed_repeats_it_and_the_gradient_has_the_same_mask() -> None:
    inputs = torch.randn(7, 5, 3, requires_grad=True)
    torch.manual_seed(2)
    dropped = Dropout(0.5)(inputs)
    dropped.sum().backward()
    assert inputs.grad is not None
    assert torch.equal(inputs.grad * inputs, dropped)
    torch.manual_seed(2)
    assert torch.equal(Dropout(0.5)(inputs), dropped)


def test_nothing_happens_in_evaluation_without_probability_or_without_elements() -> None:
    inputs = torch.randn(3, 4)
    assert torch.equal(Dropout(0.5).eval()(inputs), inputs)
    assert torch.equal(Dropout(0.0)(inputs), inputs)
    assert (Dropout(1.0)(inputs) == 0).all()
    assert Dropout(0.5)(torch.empty(0, 4)).shape == (0, 4)
    assert Dropout(0.5)(inputs.t()).shape == (4, 3)
