"""Max-marginals: the score of the best tag sequence through every tag, and an argmax that is the Viterbi path."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.crf_chains import chains, computed_by, enumerate_paths, make_crf, random_mask
from torch import Tensor

from malmoi.kernels.crf_torch import TORCH
from malmoi.modeling.crf_tagging import finite_scores
from malmoi.modeling.linear_chain_crf import LinearChainCrf, keep_path_ahead


@pytest.fixture(autouse=True, scope="module", params=["plain", "torch", "numba"])
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let every test of this file run on each path that a CPU has."""
    with computed_by(request.param):
        yield request.param


def enumerated(crf: LinearChainCrf, emissions: Tensor) -> Tensor:
    """Return the max-marginals of one sentence, `(length, tags)`, by the definition."""
    scores = torch.full_like(emissions, -torch.inf)
    for path, score in enumerate_paths(crf, emissions).items():
        for position, tag in enumerate(path):
            scores[position, tag] = torch.maximum(scores[position, tag], score)
    return scores


def check_leads(scores: Tensor, path: Tensor) -> None:
    """Check that at each position in the chain the tag of the path has the largest score, and no other has it."""
    inside = path >= 0
    highest = scores.amax(-1, keepdim=True)
    assert torch.equal(scores.argmax(-1)[inside], path[inside])
    assert ((scores == highest).sum(-1)[inside] == 1).all()
    assert torch.equal(scores.flip(-1).argmax(-1)[inside], scores.size(-1) - 1 - path[inside])


@pytest.mark.parametrize("whole", [False, True], ids=["random", "ties"])
@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_they_equal_enumeration(length: int, constrained: bool, whole: bool) -> None:
    crf = make_crf(5, constrained=constrained, seed=length)
    generator = torch.Generator().manual_seed(length)
    emissions = torch.randn(4, length, 5, generator=generator, dtype=torch.float64)
    if whole:  # whole numbers add up exactly, so that there are many ties
        emissions = emissions.round()
        with torch.no_grad():
            for parameter in crf.parameters():
                parameter.copy_(parameter.round())
    mask = random_mask(4, length, generator)
    mask[0], mask[1] = True, False
    scores, decoded = crf.max_marginals(emissions, mask), crf.decode(emissions, mask)
    assert scores[~mask].isneginf().all()
    check_leads(scores, decoded)
    for row in range(4):
        inside = mask[row].nonzero()[:, 0]
        if len(inside):
            expected = enumerated(crf, emissions[row, inside])
            torch.testing.assert_close(scores[row, inside], expected, rtol=1e-12, atol=1e-12)
            assert expected.isneginf().any() == constrained


def test_a_single_tag_has_the_score_of_its_only_sequence() -> None:
    crf = make_crf(1)
    emissions = torch.randn(1, 4, 1, dtype=torch.float64)
    mask = torch.ones(1, 4, dtype=torch.bool)
    expected = enumerated(crf, emissions[0])
    torch.testing.assert_close(crf.max_marginals(emissions, mask)[0], expected)


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (0, 0)])
def test_empty_batches_and_sentences(shape: tuple[int, int]) -> None:
    emissions = torch.zeros(*shape, 3, dtype=torch.float64)
    path, scores = make_crf(3).decode_with_max_marginals(emissions, torch.ones(shape, dtype=torch.bool))
    assert (path.shape, scores.shape) == (shape, (*shape, 3))


@given(chain=chains(), whole=st.booleans(), dtype=st.sampled_from([torch.float32, torch.float64]))
@settings(max_examples=80)
def test_the_argmax_is_the_path_that_decoding_finds(
    chain: tuple[Tensor, ...], whole: bool, dtype: torch.dtype
) -> None:
    emissions, _, lengths, *scores = chain
    recursions = LinearChainCrf(emissions.size(2))._recursions(emissions.device)
    emissions, *scores = (tensor.to(dtype).round() if whole else tensor.to(dtype) for tensor in (emissions, *scores))
    path, raw = recursions.viterbi_and_max_marginals(emissions, lengths, *scores)
    assert torch.equal(path, recursions.viterbi(emissions, lengths, *scores))
    assert raw.dtype == dtype
    ahead = keep_path_ahead(raw.clone(), path)
    check_leads(ahead, path)
    torch.testing.assert_close(ahead, raw, rtol=4 * torch.finfo(dtype).eps, atol=1e-9)  # nothing moves but in rounding
    outside = torch.arange(emissions.size(1))[None] >= lengths[:, None]
    assert raw[outside].isneginf().all()
    # every back end against the other one; sums of thousands are rounded to the type at the end
    expected = TORCH.viterbi_and_max_marginals(emissions.double(), lengths, *(score.double() for score in scores))[1]
    torch.testing.assert_close(raw.double(), expected, rtol=2 * torch.finfo(dtype).eps, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("magnitude", [1.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_long_sentences_keep_the_path_ahead(magnitude: float, dtype: torch.dtype) -> None:
    crf = make_crf(5, constrained=True).to(dtype)
    generator = torch.Generator().manual_seed(5)
    emissions = (magnitude * torch.randn(2, 10_000, 5, generator=generator)).to(dtype) + 10
    emissions[:, 5000:] = emissions[:, 5000:].round()  # ties in sums of 100,000 and more
    mask = torch.ones(2, 10_000, dtype=torch.bool)
    mask[1, ::7] = False
    scores, path = crf.max_marginals(emissions, mask), crf.decode(emissions, mask)
    check_leads(scores, path)
    assert scores[0].amax() > 1e5
    start, transitions, end = (score.detach().double() for score in crf.scores(dtype))
    best = start[path[0, 0]] + end[path[0, -1]] + transitions[path[0, :-1], path[0, 1:]].sum()
    best += emissions[0].double().gather(1, path[0, :, None]).sum()
    rounding = 1e-7 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(scores[0].amax(-1).double(), best.expand(10_000), rtol=rounding, atol=0)


def test_sequences_that_are_all_the_same_keep_one_ahead() -> None:
    crf = make_crf(4, scale=0.0).float()
    emissions, mask = torch.full((1, 6, 4), 1e3), torch.ones(1, 6, dtype=torch.bool)
    scores = crf.max_marginals(emissions, mask)
    check_leads(scores, crf.decode(emissions, mask))
    assert scores.amin() == np.nextafter(np.float32(6e3), np.float32(-np.inf))


@pytest.mark.parametrize("constrained", [False, True])
def test_the_reference_implementation_gives_the_same_numbers(constrained: bool) -> None:
    crf = make_crf(5, constrained=constrained)
    constraints = dict(zip(("forbidden_starts", "forbidden_transitions"), crf.constraints()))
    reference = LinearChainCrf(5, **constraints).double()
    reference.load_state_dict(crf.state_dict())
    generator = torch.Generator().manual_seed(1)
    emissions = torch.randn(6, 9, 5, generator=generator, dtype=torch.float64)
    mask = random_mask(6, 9, generator)
    mask[0] = False
    with computed_by("pytorch-crf"):
        expected, expected_tags = reference.max_marginals(emissions, mask), reference.decode(emissions, mask)
    torch.testing.assert_close(expected, crf.max_marginals(emissions, mask))
    check_leads(expected, expected_tags)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_tag_whose_emission_is_minus_infinity_is_impossible(length: int) -> None:
    crf = make_crf(4)
    generator = torch.Generator().manual_seed(length)
    emissions = torch.randn(20, length, 4, generator=generator, dtype=torch.float64)
    emissions[torch.rand(emissions.shape, generator=generator) < 0.5] = -torch.inf
    emissions[:, :, 3] = -1.0
    scores = crf.max_marginals(emissions, torch.ones(20, length, dtype=torch.bool))
    assert torch.equal(scores.isneginf(), emissions.isneginf())
    for row in range(20):
        torch.testing.assert_close(scores[row], enumerated(crf, emissions[row]))


def test_half_precision_and_autocast_are_computed_in_float32() -> None:
    crf = make_crf(5).float()
    emissions, mask = torch.randn(2, 50, 5).bfloat16(), torch.ones(2, 50, dtype=torch.bool)
    expected = crf.max_marginals(emissions.float(), mask)
    assert expected.dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(crf.max_marginals(emissions, mask), expected)


def test_what_is_impossible_gets_a_finite_score_below_all_others() -> None:
    crf = make_crf(5, constrained=True)
    emissions = torch.randn(3, 6, 5, dtype=torch.float64)
    mask = torch.tensor([[True] * 6, [True, False, True, True, False, False], [False] * 6])
    scores = crf.max_marginals(emissions, mask)
    for outside, expected in ((4, [-1e4, -1e4, -1e4, -1e4, 0.0]), (None, [-1e4] * 5)):
        logits = finite_scores(scores, mask, outside_label_id=outside)
        assert (logits[~mask] == torch.tensor(expected)).all()
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            assert logits.to(dtype).isfinite().all()
        for raw, finite in zip(scores[mask], logits[mask]):
            possible = ~raw.isneginf()
            assert torch.equal(finite[possible], raw[possible])
            assert (finite[~possible] == raw[possible].min() - 1e4).all()


def test_sequence_scores_and_probabilities_fit_together() -> None:
    """The best score less the logarithm of the sum over all sequences is the log-likelihood of the best sequence."""
    crf = make_crf(3, seed=7)
    emissions, mask = torch.randn(1, 4, 3, dtype=torch.float64), torch.ones(1, 4, dtype=torch.bool)
    sums = torch.stack(list(enumerate_paths(crf, emissions[0]).values())).logsumexp(0)
    path, scores = crf.decode_with_max_marginals(emissions, mask)
    loss = crf.negative_log_likelihood(emissions, path, mask)
    for position, tag in itertools.product(range(4), range(3)):
        if tag == path[0, position]:
            assert (sums - scores[0, position, tag]).item() == pytest.approx(loss.item())
        else:
            assert sums - scores[0, position, tag] > loss


def test_the_best_tag_stays_ahead_through_the_softmax_of_the_stock_pipeline() -> None:
    scores = torch.zeros(1, 2, 5)
    path = torch.tensor([[4, 2]])
    logits = finite_scores(keep_path_ahead(scores, path), torch.ones(1, 2, dtype=torch.bool), outside_label_id=None)
    shifted = np.exp(logits.numpy() - logits.numpy().max(-1, keepdims=True))
    assert ((shifted / shifted.sum(-1, keepdims=True)).argmax(-1) == path.numpy()).all()
    assert torch.equal(logits.softmax(-1).argmax(-1), path)
