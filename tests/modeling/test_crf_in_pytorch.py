"""The recursions that travel with a saved model, in plain PyTorch, differentiated by autograd."""

import pytest
import torch
from hypothesis import given, settings
from support.crf_chains import chains, score_sequences
from torch import Tensor

from malmoi import kernels
from malmoi.modeling import linear_chain_crf
from malmoi.modeling.linear_chain_crf import PYTORCH


@pytest.mark.parametrize("forbidden", [False, True])
def test_gradients_equal_finite_differences(forbidden: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    emissions, start, transitions, end = (
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((4, 4, 3), (3,), (3, 3), (3,))
    )
    labels = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    never = torch.tensor([[False, False, True], [False, False, False], [True, False, False]]) & forbidden
    labels = labels.masked_fill(labels == 2, 1) if forbidden else labels

    def loss(emissions: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        steps = transitions.masked_fill(never, -torch.inf)
        lengths = torch.tensor([4, 3, 1, 0])
        return PYTORCH.negative_log_likelihood(emissions, labels, lengths, start, steps, end)

    assert torch.autograd.gradcheck(loss, (emissions, start, transitions, end))


@given(chain=chains(max_length=4, max_tags=3, impossible=True))
@settings(max_examples=50)
def test_everything_equals_enumeration(chain: tuple[Tensor, ...]) -> None:
    emissions, labels, lengths, *scores = chain
    emissions[torch.arange(emissions.size(1))[None] >= lengths[:, None]] = torch.nan  # padding is not read
    loss = PYTORCH.negative_log_likelihood(emissions, labels, lengths, *scores)
    marginals = PYTORCH.marginals(emissions, lengths, *scores)
    tags, best = PYTORCH.viterbi_and_max_marginals(emissions, lengths, *scores)
    assert torch.equal(tags, PYTORCH.viterbi(emissions, lengths, *scores))
    close = {"rtol": 1e-9, "atol": 1e-9}
    for row, length in enumerate(lengths.tolist()):
        assert (marginals[row, length:] == 0).all()
        assert (tags[row, length:] == -100).all()
        assert best[row, length:].isneginf().all()
        if not length:
            assert loss[row] == 0
            continue
        paths = score_sequences(emissions[row, :length], *scores)
        sums = torch.stack(list(paths.values()))
        taken = torch.nn.functional.one_hot(torch.tensor(list(paths)), emissions.size(2))  # (sequences, length, tags)
        gold = paths[tuple(labels[row, :length].tolist())]
        torch.testing.assert_close(loss[row], sums.logsumexp(0) - gold, **close)
        probabilities = torch.einsum("s,slt->lt", sums.softmax(0), taken.double())
        torch.testing.assert_close(marginals[row, :length], probabilities, **close)
        through = torch.where(taken.bool(), sums[:, None, None], -torch.inf).amax(0)
        torch.testing.assert_close(best[row, :length], through, **close)
        torch.testing.assert_close(paths[tuple(tags[row, :length].tolist())], sums.amax(), **close)


def test_float32_is_enough_for_a_long_text_and_a_tag_that_nothing_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device of Apple has no float64."""
    generator = torch.Generator().manual_seed(0)
    emissions, start, transitions, end = (
        5 * torch.randn(shape, generator=generator) + 5 for shape in ((1, 2000, 4), (4,), (4, 4), (4,))
    )
    start[3], transitions[:, 3] = -torch.inf, -torch.inf
    lengths, labels = torch.tensor([2000]), emissions[:, :, :3].argmax(2)
    exact = PYTORCH.marginals(emissions, lengths, start, transitions, end)
    exact_loss = PYTORCH.negative_log_likelihood(emissions, labels, lengths, start, transitions, end)
    precise = linear_chain_crf._precise

    def in_float32(lengths: Tensor, *scores: Tensor) -> list[Tensor]:
        return [each if each.dtype == torch.bool else each.float() for each in precise(lengths, *scores)]

    monkeypatch.setattr(linear_chain_crf, "_precise", in_float32)
    torch.testing.assert_close(
        PYTORCH.marginals(emissions, lengths, start, transitions, end), exact, rtol=1e-4, atol=1e-5
    )
    emissions.requires_grad_()
    transitions.requires_grad_()
    loss = PYTORCH.negative_log_likelihood(emissions, labels, lengths, start, transitions, end)
    torch.testing.assert_close(loss, exact_loss, rtol=1e-3, atol=0)
    loss.sum().backward()
    assert emissions.grad is not None
    assert transitions.grad is not None
    assert emissions.grad.isfinite().all()
    assert transitions.grad.isfinite().all()


def test_a_sentence_that_has_no_allowed_sequence_has_no_probabilities() -> None:
    """Any number would be made up; what is compiled answers the same."""
    emissions, scores = torch.zeros(2, 3, 2), torch.zeros(2)
    transitions = torch.tensor([[-torch.inf, 0.0], [-torch.inf, -torch.inf]])
    lengths = torch.tensor([3, 2])
    for recursions in (PYTORCH, kernels.choose("torch", emissions.device, 2)):
        found = recursions.marginals(emissions, lengths, scores, transitions, scores)
        assert found[0].isnan().all()
        assert found[1].tolist() == [[1, 0], [0, 1], [0, 0]]
