"""The CRF against enumeration, finite differences and pytorch-crf, on every path that a CPU has."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.crf_chains import PATHS, computed_by, enumerate_paths, is_legal, make_crf, random_mask
from torch import Tensor
from torchcrf import CRF as LibraryCrf

from malmoi.modeling.linear_chain_crf import LinearChainCrf


@pytest.fixture(autouse=True, scope="module", params=PATHS)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let every test of this file run on each path that a CPU has."""
    with computed_by(request.param):
        yield request.param


# pytorch-crf adds up in the type of the scores
on_exact_paths = pytest.mark.parametrize("path", PATHS[:-1], indirect=True, scope="module")


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("length", [1, 2, 4])
def test_everything_equals_enumeration(length: int, constrained: bool) -> None:
    crf = make_crf(5, constrained=constrained, seed=length)
    generator = torch.Generator().manual_seed(length)
    emissions = torch.randn(3, length, 5, generator=generator, dtype=torch.float64)
    mask = random_mask(3, length, generator)
    mask[0] = True
    decoded, marginals = crf.decode(emissions, mask), crf.marginals(emissions, mask)
    for row in range(3):
        inside = mask[row].nonzero()[:, 0]
        if not len(inside):
            assert (decoded[row] == -100).all()
            assert (marginals[row] == 0).all()
            continue
        paths = enumerate_paths(crf, emissions[row, inside])
        scores = torch.stack(list(paths.values()))
        best = max(paths, key=lambda path: float(paths[path]))
        assert decoded[row, inside].tolist() == list(best)
        weights = scores.softmax(0)
        for position, tag in itertools.product(range(len(inside)), range(5)):
            probability = sum(w for w, path in zip(weights, paths) if path[position] == tag)
            assert float(marginals[row, inside[position], tag]) == pytest.approx(float(probability), abs=1e-12)
        labels = torch.zeros(length, dtype=torch.long)
        labels[inside] = torch.tensor(best)
        likelihood = crf.negative_log_likelihood(emissions[row][None], labels[None], mask[row][None])
        assert likelihood.item() == pytest.approx(float(scores.logsumexp(0) - paths[best]), abs=1e-12)


@given(
    seed=st.integers(0, 10_000),
    batch=st.integers(1, 5),
    length=st.integers(1, 12),
    tags=st.integers(1, 7),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=60)
def test_loss_gradients_and_decoding_equal_pytorch_crf(
    seed: int, batch: int, length: int, tags: int, dtype: torch.dtype
) -> None:
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-10}
    generator = torch.Generator().manual_seed(seed)
    ours, library = make_crf(tags, seed=seed).to(dtype), LibraryCrf(tags, batch_first=True).to(dtype)
    library.load_state_dict(ours.state_dict())
    emissions = torch.randn(batch, length, tags, generator=generator, dtype=dtype)
    labels = torch.randint(tags, (batch, length), generator=generator)
    lengths = torch.randint(1, length + 1, (batch,), generator=generator)
    mask = torch.arange(length)[None] < lengths[:, None]
    ours_in, library_in = emissions.clone().requires_grad_(), emissions.clone().requires_grad_()

    loss = ours.negative_log_likelihood(ours_in, labels, mask)
    expected = -library(library_in, labels, mask=mask, reduction="none")
    torch.testing.assert_close(loss, expected, **tolerance)
    loss.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(ours_in.grad, library_in.grad, **tolerance)
    for name, parameter in ours.named_parameters():
        expected_gradient = library.get_parameter(name).grad  # `None` where no step was taken
        torch.testing.assert_close(
            parameter.grad,
            torch.zeros_like(parameter) if expected_gradient is None else expected_gradient,
            **tolerance,
        )
    decoded = ours.decode(emissions, mask)
    assert [row[row >= 0].tolist() for row in decoded] == library.decode(emissions, mask=mask)


@pytest.mark.parametrize("constrained", [False, True])
def test_reference_implementation_gives_the_same_numbers(constrained: bool) -> None:
    crf = make_crf(5, constrained=constrained)
    constraints = dict(zip(("forbidden_starts", "forbidden_transitions"), crf.constraints()))
    reference = LinearChainCrf(5, **constraints).double()
    assert reference.state_dict().keys() == crf.state_dict().keys()
    reference.load_state_dict(crf.state_dict())
    generator = torch.Generator().manual_seed(1)
    emissions = torch.randn(6, 9, 5, generator=generator, dtype=torch.float64)
    mask = random_mask(6, 9, generator)
    mask[0] = False
    labels = crf.decode(torch.randn(6, 9, 5, generator=generator, dtype=torch.float64), mask)
    ours_in, reference_in = emissions.clone().requires_grad_(), emissions.clone().requires_grad_()
    loss = crf.negative_log_likelihood(ours_in, labels, mask)
    loss.sum().backward()
    with computed_by("pytorch-crf"):
        expected = reference.negative_log_likelihood(reference_in, labels, mask)
        expected.sum().backward()
        expected_tags = reference.decode(emissions, mask)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(ours_in.grad, reference_in.grad, rtol=1e-10, atol=1e-10)
    for name, parameter in crf.named_parameters():
        torch.testing.assert_close(parameter.grad, reference.get_parameter(name).grad, rtol=1e-10, atol=1e-10)
    assert torch.equal(crf.decode(emissions, mask), expected_tags)


def test_gradients_equal_finite_differences() -> None:
    crf = make_crf(5, constrained=True)
    mask = torch.tensor([[True, False, True, True], [True, True, False, False], [False, False, False, False]])
    labels = crf.decode(torch.randn(3, 4, 5, dtype=torch.float64), mask)
    emissions = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)

    def loss(emissions: Tensor, *parameters: Tensor) -> Tensor:
        values = dict(zip(("start_transitions", "end_transitions", "transitions"), parameters))

        class Call(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.crf = crf

            def forward(self, emissions: Tensor) -> Tensor:
                return self.crf.negative_log_likelihood(emissions, labels, mask)

        return torch.func.functional_call(Call(), {f"crf.{k}": v for k, v in values.items()}, (emissions,))

    parameters = [p.detach().clone().requires_grad_() for p in crf.parameters()]
    assert torch.autograd.gradcheck(loss, (emissions, *parameters))


def test_positions_outside_the_mask_change_nothing() -> None:
    crf = make_crf(5, constrained=True)
    short = torch.randn(1, 4, 5, dtype=torch.float64)
    everything = torch.ones(1, 4, dtype=torch.bool)
    labels = crf.decode(torch.randn(1, 4, 5, dtype=torch.float64), everything)
    places = torch.tensor([1, 2, 5, 7])
    long = torch.full((1, 9, 5), 1e6, dtype=torch.float64)
    long[:, places] = short
    mask = torch.zeros(1, 9, dtype=torch.bool)
    mask[:, places] = True
    spread = torch.full((1, 9), -100)
    spread[:, places] = labels
    torch.testing.assert_close(
        crf.negative_log_likelihood(long, spread, mask), crf.negative_log_likelihood(short, labels, everything)
    )
    assert torch.equal(crf.decode(long, mask)[:, places], crf.decode(short, everything))
    assert (crf.decode(long, mask)[~mask] == -100).all()
    torch.testing.assert_close(crf.marginals(long, mask)[:, places], crf.marginals(short, everything))


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (0, 0)])
def test_empty_batches_and_sentences(shape: tuple[int, int]) -> None:
    crf = make_crf(3)
    emissions = torch.zeros(*shape, 3, dtype=torch.float64, requires_grad=True)
    mask, labels = torch.ones(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.long)
    loss = crf.negative_log_likelihood(emissions, labels, mask)
    assert loss.tolist() == [0.0] * shape[0]
    loss.sum().backward()
    assert crf.decode(emissions, mask).shape == shape
    assert crf.marginals(emissions, mask).shape == (*shape, 3)


def test_a_sentence_without_tags_adds_nothing_to_loss_and_gradient() -> None:
    crf = make_crf(3)
    emissions = torch.randn(1, 4, 3, dtype=torch.float64, requires_grad=True)
    loss = crf.negative_log_likelihood(emissions, torch.full((1, 4), -100), torch.zeros(1, 4, dtype=torch.bool))
    loss.sum().backward()
    assert loss.item() == 0
    assert all((p.grad == 0).all() for p in crf.parameters())
    assert (emissions.grad == 0).all()


def test_forbidden_tags_have_probability_zero_and_are_never_decoded() -> None:
    crf = make_crf(5, constrained=True)
    emissions = torch.randn(20, 15, 5, dtype=torch.float64)
    emissions[:, :, 1] += 20  # everything speaks for I-PS
    mask = torch.ones(20, 15, dtype=torch.bool)
    assert all(is_legal(crf, tuple(path)) for path in crf.decode(emissions, mask).tolist())
    assert (crf.marginals(emissions, mask)[:, 0, 1] == 0).all()


def test_constraints_leave_no_constant_in_the_loss() -> None:
    crf = make_crf(5, constrained=True)
    emissions = torch.zeros(1, 1, 5, dtype=torch.float64)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.zero_()
    loss = crf.negative_log_likelihood(emissions, torch.tensor([[4]]), torch.ones(1, 1, dtype=torch.bool))
    assert loss.item() == pytest.approx(torch.tensor(3.0).log().item())  # B-PS, B-LC and O may start


def test_gold_labels_that_are_forbidden_are_refused() -> None:
    crf = make_crf(5, constrained=True)
    emissions, mask = torch.zeros(2, 3, 5), torch.ones(2, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match="Sentence 1 of the batch has tag 3 directly after tag 4"):
        crf.negative_log_likelihood(emissions, torch.tensor([[4, 4, 4], [4, 3, 4]]), mask)
    with pytest.raises(ValueError, match="Sentence 0 of the batch starts with tag 1"):
        crf.negative_log_likelihood(emissions, torch.tensor([[1, 4, 4], [4, 4, 4]]), mask)
    with pytest.raises(ValueError, match="Labels must be from 0 to 4"):
        crf.negative_log_likelihood(emissions, torch.tensor([[4, -100, 4], [4, 4, 4]]), mask)


def test_wrong_shapes_are_refused() -> None:
    crf = LinearChainCrf(5)
    with pytest.raises(ValueError, match=r"shape \(batch, length, 5\), got \(2, 3, 4\)"):
        crf.decode(torch.zeros(2, 3, 4), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"mask of shape \(2, 3\), got \(2, 4\)"):
        crf.decode(torch.zeros(2, 3, 5), torch.ones(2, 4))
    with pytest.raises(ValueError, match="`num_tags` must be at least 1, got 0"):
        LinearChainCrf(0)


@on_exact_paths
def test_long_sentences_lose_no_precision() -> None:
    crf = make_crf(5, scale=2.0)
    emissions = 3 * torch.randn(1, 3000, 5, dtype=torch.float64)
    mask = torch.ones(1, 3000, dtype=torch.bool)
    exact, exact_path = crf.marginals(emissions, mask), crf.decode(emissions, mask)
    crf.float()
    assert (crf.marginals(emissions.float(), mask).double() - exact).abs().max() < 1e-4
    assert torch.equal(crf.decode(emissions.float(), mask), exact_path)


class LongChain(NamedTuple):
    """A sentence of 4,096 positions, and what comes of adding up its scores one after the other in log space."""

    crf: LinearChainCrf
    emissions: Tensor
    labels: Tensor
    best: float
    loss: Tensor
    gradient: Tensor


@functools.cache
def long_chain(magnitude: float) -> LongChain:
    crf = make_crf(5, constrained=True)
    # values that float32 holds too
    crf = crf.float().double()
    emissions = (magnitude * torch.randn(4096, 5, generator=torch.Generator().manual_seed(3))).double()
    labels = torch.randint(2, (4096,), generator=torch.Generator().manual_seed(4)) * 4  # B-PS and O
    start, transitions, end = (scores.detach() for scores in crf.scores(torch.float64))
    scores = emissions.clone().requires_grad_()
    message, best = start + scores[0], start + emissions[0]
    for step in range(1, 4096):
        message = (message[:, None] + transitions).logsumexp(0) + scores[step]
        best = (best[:, None] + transitions).amax(0) + emissions[step]
    gold = start[labels[0]] + scores.gather(1, labels[:, None]).sum() + end[labels[-1]]
    loss = (message + end).logsumexp(0) - gold - transitions[labels[:-1], labels[1:]].sum()
    loss.backward()
    assert scores.grad is not None
    return LongChain(crf, emissions, labels, float((best + end).amax()), loss.detach(), scores.grad)


@pytest.mark.slow
@on_exact_paths
@pytest.mark.parametrize("magnitude", [1.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_long_sentences_of_extreme_scores_equal_exact_sums(magnitude: float, dtype: torch.dtype) -> None:
    chain = long_chain(magnitude)
    crf = make_crf(5, constrained=True).to(dtype)
    crf.load_state_dict(chain.crf.state_dict())
    emissions = chain.emissions[None].to(dtype).requires_grad_()
    mask = torch.ones(1, 4096, dtype=torch.bool)
    loss = crf.negative_log_likelihood(emissions, chain.labels[None], mask)
    loss.backward()
    torch.testing.assert_close(loss[0].double(), chain.loss, rtol=1e-6 if dtype == torch.float32 else 1e-12, atol=0)
    assert emissions.grad is not None
    gradient_error = (emissions.grad[0].double() - chain.gradient).abs().max()
    assert gradient_error < (1e-6 if dtype == torch.float32 else 1e-7)  # the oracle's own sums reach 4e7
    path = crf.decode(emissions, mask)[0]
    start, transitions, end = (scores.detach().double() for scores in crf.scores(dtype))
    score = start[path[0]] + end[path[-1]] + transitions[path[:-1], path[1:]].sum()
    score = score + chain.emissions.gather(1, path[:, None]).sum()
    assert float(score) == pytest.approx(chain.best, rel=1e-12)


@pytest.mark.parametrize("magnitude", [1e3, 1e6])
def test_extreme_scores_give_finite_numbers(magnitude: float) -> None:
    crf = make_crf(5, constrained=True).float()
    emissions = (magnitude * torch.randn(4, 30, 5)).requires_grad_()
    mask = torch.ones(4, 30, dtype=torch.bool)
    loss = crf.negative_log_likelihood(emissions, crf.decode(emissions, mask), mask)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert emissions.grad is not None
    assert emissions.grad.isfinite().all()
    assert (crf.marginals(emissions, mask).sum(-1) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_and_half_precision_emissions_are_computed_in_float32(dtype: torch.dtype) -> None:
    crf = make_crf(5).float()
    emissions = torch.randn(2, 200, 5).to(dtype)
    mask, labels = torch.ones(2, 200, dtype=torch.bool), torch.randint(5, (2, 200))
    expected = crf.negative_log_likelihood(emissions.float(), labels, mask)
    with torch.autocast("cpu", dtype=dtype):
        assert torch.equal(crf.negative_log_likelihood(emissions, labels, mask), expected)
    assert crf.marginals(emissions, mask).dtype == torch.float32


def test_transitions_are_drawn_anew_as_those_of_pytorch_crf_are() -> None:
    ours, library = LinearChainCrf(4), LibraryCrf(4)
    torch.manual_seed(0)
    library.reset_parameters()
    torch.manual_seed(0)
    ours.reset_parameters()
    for name, values in library.named_parameters():
        assert torch.equal(ours.get_parameter(name), values)


@pytest.mark.parametrize("as_given", [torch.tensor, np.array, list], ids=["tensors", "arrays", "numbers"])
def test_constraints_may_be_tensors_arrays_and_numbers(as_given: Callable[[list], Any]) -> None:
    starts, steps = [0, 0, 1], [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    crf = LinearChainCrf(3, forbidden_starts=as_given(starts), forbidden_transitions=as_given(steps))
    assert crf.constraints() == (tuple(map(bool, starts)), tuple(tuple(map(bool, row)) for row in steps))
    emissions, mask = torch.tensor([[[1.0, 0, 9], [0, 0, 9]]]), torch.ones(1, 2, dtype=torch.bool)
    assert crf.decode(emissions, mask).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "constraints",
    [
        {"forbidden_starts": [False] * 2},
        {"forbidden_transitions": torch.zeros(2, 3)},
        {"forbidden_transitions": torch.zeros(3, 2)},
    ],
)
def test_constraints_for_another_number_of_tags_are_refused(constraints: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`forbidden_starts` and `forbidden_transitions` must be for 3 tags"):
        LinearChainCrf(3, **constraints)
