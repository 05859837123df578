"""What the functions of `malmoi.kernels` refuse, and in which words."""

import pytest
import torch
from support.crf_chains import random_chain

from malmoi import kernels

QUESTIONS = ("marginals", "viterbi", "max_marginals", "viterbi_and_max_marginals", "expectations")


def test_a_mask_in_the_place_of_lengths_is_explained() -> None:
    emissions, _, *scores = random_chain(3, 7, 2)
    for mask in (torch.ones(3, 7, dtype=torch.bool), torch.ones(3, 7, dtype=torch.long)):
        with pytest.raises(ValueError, match=r"integers of shape \(3,\), got torch\.\w+ of shape \(3, 7\); of a mask"):
            kernels.viterbi(emissions, mask, *scores)
    assert kernels.viterbi(emissions, mask.sum(1), *scores).shape == (3, 7)


@pytest.mark.parametrize(
    ("place", "value", "error", "message"),
    [
        (0, torch.zeros(3, 7), ValueError, r"emissions of shape \(batch, length, tags\), got \(3, 7\)\.$"),
        (0, torch.zeros(3, 7, 0), ValueError, r"emissions of shape \(batch, length, tags\), got \(3, 7, 0\)\.$"),
        (0, torch.zeros(3, 7, 2).long(), TypeError, r"floating-point numbers as `emissions`, got torch\.int64\.$"),
        (0, [[[0.0]]], TypeError, r"Expected a tensor as `emissions`, got list\.$"),
        (1, torch.ones(3), ValueError, r"integers of shape \(3,\), got torch\.float32 of shape \(3,\)"),
        (1, torch.ones(3).bool(), ValueError, r"integers of shape \(3,\), got torch\.bool of shape \(3,\)"),
        (1, torch.ones(2).long(), ValueError, r"integers of shape \(3,\), got torch\.int64 of shape \(2,\)"),
        (1, torch.tensor([0, 8, 3]), ValueError, r"^Lengths must be from 0 to 7, got 8\.$"),
        (1, torch.tensor([-1, 7, 3]), ValueError, r"^Lengths must be from 0 to 7, got -1\.$"),
        (1, [7, 7, 7], TypeError, r"Expected a tensor as `lengths`, got list\.$"),
        (2, torch.zeros(3), ValueError, r"`start` of shape \(2,\), as the emissions are of 2 tags, got \(3,\)\.$"),
        (3, torch.zeros(2, 3), ValueError, r"`transitions` of shape \(2, 2\), .* got \(2, 3\)\.$"),
        (3, torch.zeros(2, 2).bool(), TypeError, r"floating-point numbers as `transitions`, got torch\.bool\.$"),
        (4, torch.zeros(1), ValueError, r"`end` of shape \(2,\), .* got \(1,\)\.$"),
        (4, torch.zeros(2, device="meta"), ValueError, r"^Expected `end` on cpu, as the emissions are, got meta\.$"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(
    place: int, value: object, error: type[Exception], message: str
) -> None:
    chain: list[object] = list(random_chain(3, 7, 2, dtype=torch.float32))
    chain[place] = value
    for name in QUESTIONS:
        with pytest.raises(error, match=message):
            getattr(kernels, name)(*chain)


@pytest.mark.parametrize("name", ["negative_log_likelihood", "loss_and_gradients"])
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (torch.zeros(3, 6).long(), ValueError, r"labels of shape \(3, 7\), got torch\.int64 of shape \(3, 6\)\.$"),
        (torch.zeros(3, 7), ValueError, r"labels of shape \(3, 7\), got torch\.float32 of shape \(3, 7\)\.$"),
        (torch.full((3, 7), 2), ValueError, r"tags from 0 to 1 up to the end of each sentence, got 2\.$"),
        (torch.full((3, 7), -100), ValueError, r"tags from 0 to 1 up to the end of each sentence, got -100\.$"),
        ([[0] * 7] * 3, TypeError, r"Expected a tensor as `labels`, got list\.$"),
        (torch.zeros(3, 7, device="meta").long(), ValueError, r"`labels` on cpu, as the emissions are, got meta\.$"),
    ],
)
def test_wrong_labels_are_refused_in_a_sentence(
    name: str, labels: object, error: type[Exception], message: str
) -> None:
    emissions, _, *scores = random_chain(3, 7, 2)
    with pytest.raises(error, match=message):
        getattr(kernels, name)(emissions, labels, torch.tensor([7, 1, 0]), *scores)


def test_an_implementation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of auto, torch, numba, triton, pytorch-crf, got 'tirton'"):
        kernels.viterbi(*random_chain(1, 2, 3), implementation="tirton")


def test_what_cannot_be_used_is_computed_in_pytorch_with_a_warning() -> None:
    chain = random_chain(2, 3, 3)
    with pytest.warns(UserWarning, match="computes with PyTorch, which is slower: triton is not installed, or is of"):
        best = kernels.viterbi(*chain, implementation="triton")
    assert torch.equal(best, kernels.viterbi(*chain, implementation="torch"))
