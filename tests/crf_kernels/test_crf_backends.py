"""Which path is chosen, and that all paths on a CPU give the same numbers."""

import importlib.util
import sys
import warnings

import hypothesis
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.crf_chains import chains
from torch import Tensor

from malmoi.kernels import crf_log_space, crf_numba, crf_torch, crf_triton
from malmoi.kernels.crf_backend import CrfBackend
from malmoi.kernels.crf_choice import choose_backend
from malmoi.kernels.crf_gold import less_gold, weigh_gradients
from malmoi.kernels.crf_numba import NUMBA
from malmoi.kernels.crf_scaled_scores import largest_emission_spread, steps_between_rescaling
from malmoi.kernels.crf_torch import TORCH
from malmoi.kernels.crf_triton import TRITON
from malmoi.modeling.linear_chain_crf import LinearChainCrf

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))


@pytest.mark.parametrize(
    ("implementation", "device", "installed", "chosen", "warned"),
    [
        ("auto", CPU, {"numba", "triton"}, NUMBA, False),
        ("auto", CUDA, {"numba", "triton"}, TRITON, False),
        ("auto", MPS, {"numba", "triton"}, TORCH, False),
        ("auto", CPU, set(), TORCH, False),
        ("auto", CUDA, {"numba"}, TORCH, False),
        ("torch", CPU, {"numba", "triton"}, TORCH, False),
        ("torch", CUDA, {"numba", "triton"}, TORCH, False),
        ("numba", CPU, {"numba"}, NUMBA, False),
        ("numba", CPU, {"triton"}, TORCH, True),
        ("numba", CUDA, {"numba", "triton"}, TORCH, True),
        ("triton", CPU, {"numba", "triton"}, TORCH, True),
    ],
)
def test_the_fastest_that_is_at_hand_is_chosen(
    implementation: str,
    device: torch.device,
    installed: set[str],
    chosen: CrfBackend,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crf_triton, "_compiles", lambda: True)
    for name, module in (("numba", crf_numba), ("triton", crf_triton)):
        monkeypatch.setattr(module, "_kernels", lambda name=name: name if name in installed else None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert choose_backend(implementation, device, 13) is chosen
    assert [str(warning.message).split(", or")[0] for warning in caught] == [
        f"The CRF computes with PyTorch, which is slower: {implementation} is not installed"
    ] * warned


def test_too_many_tags_for_the_kernels_are_computed_with_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crf_triton, "_kernels", lambda: "installed")
    monkeypatch.setattr(crf_triton, "_compiles", lambda: True)
    assert choose_backend("auto", CUDA, crf_triton.MAX_TAGS) is TRITON
    assert choose_backend("auto", CUDA, crf_triton.MAX_TAGS + 1) is TORCH


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is for Linux only")
def test_where_triton_cannot_compile_torch_computes_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crf_triton, "_compiles", crf_triton._compiles.__wrapped__)
    with pytest.warns(UserWarning, match="without Triton, which cannot compile here: 0 active drivers"):
        assert choose_backend("auto", CUDA, 13) is TORCH


def test_a_missing_library_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, library in ((crf_numba, "numba"), (crf_triton, "triton")):
        for name in [name for name in sys.modules if name.startswith(f"{module.__name__}_")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.setattr(module, "_kernels", module._kernels.__wrapped__)
    assert choose_backend("auto", CPU, 13) is TORCH
    assert choose_backend("auto", CUDA, 13) is TORCH


@pytest.mark.parametrize("backend", [TORCH, NUMBA], ids=["torch", "numba"])
@given(chain=chains())
@settings(max_examples=80, deadline=None)
def test_paths_agree_with_sums_in_log_space(backend: CrfBackend, chain: tuple[Tensor, ...]) -> None:
    emissions, labels, lengths, *scores = chain
    tolerance = {"rtol": 1e-9, "atol": 1e-9}
    expected = crf_log_space.expectations(emissions, lengths, *scores)
    for ours, theirs in zip(backend.expectations(emissions, lengths, *scores), expected):
        torch.testing.assert_close(ours, theirs, **tolerance)
    expected = less_gold(*expected, emissions, labels, lengths, *scores)
    for ours, theirs in zip(backend.loss_and_gradients(emissions, labels, lengths, *scores), expected):
        torch.testing.assert_close(ours, theirs, **tolerance)
    weights = torch.linspace(-1, 2, len(lengths), dtype=torch.float64)
    gradients = (*expected[1:], lengths, weights)
    for ours, theirs in zip(backend.weigh_gradients(*gradients), weigh_gradients(*gradients)):
        torch.testing.assert_close(ours, theirs, **tolerance)


@given(chain=chains())
@settings(max_examples=80, deadline=None)
def test_paths_find_equally_good_tags(chain: tuple[Tensor, ...]) -> None:
    emissions, _, lengths, start, transitions, end = chain
    compiled, plain = (b.viterbi(emissions, lengths, start, transitions, end) for b in (NUMBA, TORCH))
    for row, length in enumerate(lengths.tolist()):
        for best in (compiled[row], plain[row]):
            assert (best[length:] == -100).all()
        if length:
            ours, theirs = (
                float(
                    start[best[0]]
                    + end[best[length - 1]]
                    + emissions[row, range(length), best[:length]].sum()
                    + transitions[best[: length - 1], best[1:length]].sum()
                )
                for best in (compiled[row], plain[row])
            )
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-9)
            assert ours > -torch.inf


def test_sentences_side_by_side_give_what_each_gives_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    emissions = torch.randn(37, 50, 13, generator=generator)
    emissions[20] *= 1e4  # this one is computed in log space
    emissions[21, 3] = -torch.inf  # and so is this one
    emissions[22, 3] = torch.nan
    lengths = torch.randint(0, 51, (37,), generator=generator)
    lengths[20:23] = 50
    scores = (torch.randn(13, generator=generator), torch.randn(13, 13, generator=generator), torch.zeros(13))
    together = NUMBA.expectations(emissions, lengths, *scores)
    best = NUMBA.viterbi(emissions, lengths, *scores)
    for row in range(37):
        alone = NUMBA.expectations(emissions[row : row + 1], lengths[row : row + 1], *scores)
        for one, many in zip(alone, together):
            torch.testing.assert_close(one[0], many[row], rtol=0, atol=0, equal_nan=True)
        assert torch.equal(NUMBA.viterbi(emissions[row : row + 1], lengths[row : row + 1], *scores)[0], best[row])


def test_weights_are_used_only_where_no_product_can_underflow() -> None:
    free, bio = torch.zeros(3, 3), torch.zeros(3, 3)
    bio[2, 1] = -torch.inf
    chain = torch.full((3, 3), -torch.inf)
    chain[0, 0] = chain[0, 1] = chain[1, 1] = chain[1, 2] = chain[2, 2] = 0  # tag 0 cannot be reached again
    zeros = torch.zeros(3)
    assert steps_between_rescaling(10.0, zeros, free, zeros) == int(345 / (10 + 1.0986123) - 1)
    assert steps_between_rescaling(10.0, zeros, bio, zeros) == int(345 / (10 + 1.0986123) - 2)
    for spread, start in ((1e4, zeros), (10.0, torch.tensor([0.0, 400.0, 0.0])), (float("nan"), zeros)):
        assert steps_between_rescaling(spread, start, free, zeros) == 0
    assert steps_between_rescaling(0.0, zeros, chain, zeros) == 0
    assert largest_emission_spread(zeros, free, zeros) == pytest.approx(345 / 2 - 1.0986123)
    assert largest_emission_spread(zeros, chain, zeros) < 0
    assert largest_emission_spread(zeros, free * torch.nan, zeros) < 0


@given(
    seed=st.integers(0, 10_000), tags=st.integers(2, 6), span=st.floats(0, 150), kind=st.sampled_from(["any", "stay"])
)
@settings(max_examples=100, deadline=None)
def test_weights_are_exact_as_far_as_they_are_used(seed: int, tags: int, span: float, kind: str) -> None:
    generator = torch.Generator().manual_seed(seed)
    start, end = span / 4 * torch.randn(2, tags, generator=generator, dtype=torch.float64)
    transitions = span * torch.rand(tags, tags, generator=generator, dtype=torch.float64)
    if kind == "stay":
        transitions = span * torch.eye(tags, dtype=torch.float64)
    largest = largest_emission_spread(start, transitions, end)
    hypothesis.assume(largest > 0)
    # scores that lie as far apart as they may, and tell one tag from the others anew at every position
    emissions = 0.999 * largest * torch.rand(9, 30, tags, generator=generator, dtype=torch.float64).round()
    lengths = torch.randint(1, 31, (9,), generator=generator)
    scores = (start, transitions, end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crf_numba, "log_space_expectations", None)
        ours = NUMBA.expectations(emissions, lengths, *scores)
    for mine, exact in zip(ours, crf_log_space.expectations(emissions, lengths, *scores)):
        torch.testing.assert_close(mine, exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("implementation", ["torch", "numba"])
def test_what_is_not_a_number_stays_visible(implementation: str) -> None:
    crf = LinearChainCrf(3, implementation=implementation)
    emissions = torch.zeros(3, 4, 3)
    emissions[1, 2, 0] = torch.nan  # with a sentence before and one after it
    mask = torch.ones(3, 4, dtype=torch.bool)
    loss = crf.negative_log_likelihood(emissions, torch.zeros(3, 4, dtype=torch.long), mask)
    assert loss.isfinite().tolist() == [True, False, True]
    assert crf.marginals(emissions, mask)[[0, 2]].isfinite().all()


@pytest.mark.parametrize("implementation", ["torch", "numba"])
@pytest.mark.parametrize(
    "labels",
    [
        torch.zeros(1, 5, dtype=torch.long),
        torch.zeros(2, 1, dtype=torch.long),
        torch.zeros(2, 5),
        torch.zeros(2, 5) > 0,
    ],
)
def test_labels_of_another_shape_or_type_are_refused(implementation: str, labels: Tensor) -> None:
    crf = LinearChainCrf(3, implementation=implementation)
    with pytest.raises(ValueError, match=r"Expected integer labels of shape \(2, 5\), got torch"):
        crf.negative_log_likelihood(torch.zeros(2, 5, 3), labels, torch.ones(2, 5, dtype=torch.bool))


def test_a_numba_that_cannot_compile_lanes_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rows: object) -> None:
        raise AttributeError("no vectors\nand more")

    monkeypatch.setattr("malmoi.kernels.crf_numba_steps.try_lanes", fail)
    monkeypatch.setattr(crf_numba, "_kernels", crf_numba._kernels.__wrapped__)
    with pytest.warns(UserWarning, match="without numba, which cannot compile here: AttributeError: no vectors$"):
        assert choose_backend("auto", CPU, 13) is TORCH


def test_a_name_that_no_path_has_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of auto, torch, numba, triton, pytorch-crf, got 'tirton'"):
        LinearChainCrf(3, implementation="tirton")


@pytest.mark.parametrize("implementation", ["torch", "numba"])
def test_training_follows_prediction(implementation: str) -> None:
    tags = 3  # nobody else asks for these constraints first
    steps = [[False, True, False], [False, False, True], [False, False, False]]
    crf = LinearChainCrf(tags, forbidden_transitions=steps, implementation=implementation)
    emissions, mask = torch.randn(2, 4, tags), torch.ones(2, 4, dtype=torch.bool)
    with torch.inference_mode():
        labels = crf.decode(emissions, mask)
    crf.negative_log_likelihood(emissions.requires_grad_(), labels.clone(), mask).sum().backward()
    assert emissions.grad is not None


@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_a_tag_whose_score_is_minus_infinity_is_not_chosen(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    emissions = torch.randn(40, length, 4, generator=generator)
    emissions[torch.rand(emissions.shape, generator=generator) < 0.5] = -torch.inf
    emissions[:, :, 3] = emissions[:, :, 3].nan_to_num(neginf=-1.0)
    scores = (torch.full((40,), length), torch.randn(4), torch.randn(4, 4), torch.randn(4))
    found = TORCH.viterbi(emissions, *scores)
    assert torch.equal(found, NUMBA.viterbi(emissions, *scores))
    assert emissions.gather(2, found[:, :, None]).isfinite().all()


def test_padding_does_not_decide_how_sentences_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crf_torch, "log_space_expectations", None)
    monkeypatch.setattr(crf_numba, "log_space_expectations", None)
    emissions = torch.randn(2, 5, 3)
    emissions[1, 3:] = torch.tensor([1e30, -1e30, torch.nan])
    scores = (torch.tensor([5, 3]), torch.randn(3), torch.randn(3, 3), torch.randn(3))
    for backend in (TORCH, NUMBA):
        assert all(result.isfinite().all() for result in backend.expectations(emissions, *scores))


@pytest.mark.parametrize("implementation", ["auto", "torch", "numba"])
def test_derivatives_of_gradients_are_refused(implementation: str) -> None:
    crf = LinearChainCrf(3, implementation=implementation)
    emissions = torch.randn(2, 5, 3, requires_grad=True)
    labels, mask = torch.randint(3, (2, 5)), torch.ones(2, 5, dtype=torch.bool)
    loss = crf.negative_log_likelihood(emissions, labels, mask).sum()
    expected = torch.autograd.grad(loss, emissions, retain_graph=True)[0]
    gradient = torch.autograd.grad(loss, emissions, create_graph=True)[0]
    assert torch.equal(gradient, expected)
    with pytest.raises(RuntimeError, match=r"first derivatives alone.*`crf_implementation`"):
        (loss + gradient.square().sum()).backward()


@pytest.mark.parametrize("implementation", ["auto", "torch", "numba"])
def test_derivatives_of_gradients_are_refused_by_whatever_they_are_asked(implementation: str) -> None:
    """`torch.autograd.grad` walks only to what it is asked for, past gradients that do not hang together with it."""
    crf = LinearChainCrf(3, implementation=implementation)
    emissions, weights = torch.randn(2, 5, 3, requires_grad=True), torch.ones(2, requires_grad=True)
    labels, mask = torch.randint(3, (2, 5)), torch.ones(2, 5, dtype=torch.bool)
    loss = (weights * crf.negative_log_likelihood(emissions, labels, mask)).sum()
    gradient = torch.autograd.grad(loss, emissions, create_graph=True)[0]
    for asked in (emissions, weights, crf.transitions):
        with pytest.raises(RuntimeError, match="first derivatives alone"):
            torch.autograd.grad(loss + gradient.square().sum(), asked, retain_graph=True)
    with pytest.raises(RuntimeError, match="first derivatives alone"):
        torch.autograd.functional.hessian(
            lambda scores: crf.negative_log_likelihood(scores, labels, mask).sum(), emissions.detach()
        )


@pytest.mark.parametrize("implementation", ["torch", "numba"])
def test_losses_may_be_changed_in_place_before_their_gradients(implementation: str) -> None:
    crf = LinearChainCrf(3, implementation=implementation)
    emissions = torch.randn(2, 5, 3, requires_grad=True)
    labels, mask = torch.randint(3, (2, 5)), torch.ones(2, 5, dtype=torch.bool)
    expected = torch.autograd.grad(crf.negative_log_likelihood(emissions, labels, mask).sum(), emissions)[0]
    halves = torch.autograd.grad(crf.negative_log_likelihood(emissions, labels, mask).div_(2).sum(), emissions)[0]
    torch.testing.assert_close(2 * halves, expected)


def test_pytorch_crf_computes_derivatives_of_gradients() -> None:
    crf = LinearChainCrf(3, implementation="pytorch-crf").double()
    labels, mask = torch.randint(3, (2, 4)), torch.ones(2, 4, dtype=torch.bool)
    emissions = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda scores: crf.negative_log_likelihood(scores, labels, mask), emissions)
