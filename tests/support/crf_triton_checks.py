"""What the Triton kernels must do. Collected by name only: Triton decides when it is imported where kernels run.

TRITON_INTERPRET=1 python -m pytest tests/support/crf_triton_checks.py   # without a GPU, as test_crf_triton.py does it
python -m pytest tests/support/crf_triton_checks.py                      # on a GPU
"""

import itertools
import os
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from malmoi.kernels import crf_triton

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-11}

# the logarithm of 0 is the minus infinity that is meant; a difference of two infinities would still be an error
pytestmark = pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")


class Problem(NamedTuple):
    """Compacted sentences and the scores of a CRF."""

    emissions: Tensor
    lengths: Tensor
    start: Tensor
    transitions: Tensor
    end: Tensor

    def to(self, dtype: torch.dtype) -> "Problem":
        """Return the problem as the kernels get it."""
        scores = [tensor.to(DEVICE, tensor.dtype if tensor is self.lengths else dtype) for tensor in self]
        return Problem(*scores)

    def sentence(self, row: int) -> "Sentence":
        """Return one sentence without its padding, in float64."""
        scores = [tensor.double().numpy() for tensor in (self.start, self.transitions, self.end)]
        return Sentence(self.emissions[row, : int(self.lengths[row])].double().numpy(), *scores)


def make_problem(
    lengths: list[int],
    *,
    length: int,
    tags: int,
    seed: int = 0,
    forbidden: float = 0.0,
    spread: float = 1.0,
    whole: bool = False,
) -> Problem:
    """Draw scores that float32 can hold, a share of the steps forbidden; huge numbers stand in the padding."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        scores = torch.randn(*shape, generator=generator)
        return scores.round() if whole else scores

    def forbid(scores: Tensor) -> Tensor:
        return scores.masked_fill(torch.rand(scores.shape, generator=generator) < forbidden, -torch.inf)

    emissions = spread * draw(len(lengths), length, tags)
    counts = torch.tensor(lengths, dtype=torch.long)
    emissions[torch.arange(length)[None] >= counts[:, None]] = 1e30
    return Problem(emissions, counts, forbid(draw(tags)), forbid(draw(tags, tags)), draw(tags))


class Sentence(NamedTuple):
    """A sentence and the scores, for the textbook recursions in float64."""

    emissions: np.ndarray
    start: np.ndarray
    transitions: np.ndarray
    end: np.ndarray

    def score(self, path: tuple[int, ...]) -> float:
        """Return the score of a tag sequence, by the definition."""
        steps = sum(self.transitions[step] for step in itertools.pairwise(path))
        emitted = sum(self.emissions[place, tag] for place, tag in enumerate(path))
        return float(self.start[path[0]] + emitted + steps + self.end[path[-1]])

    def expectations(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Return log partition, `(length, tags)` probabilities and `(previous, next)` counts."""
        length, tags = self.emissions.shape
        if not length:
            return 0.0, np.zeros((0, tags)), np.zeros((tags, tags))
        forward, backward = np.empty((length, tags)), np.empty((length, tags))
        forward[0], backward[-1] = self.start + self.emissions[0], self.end
        for place in range(1, length):
            ways = forward[place - 1][:, None] + self.transitions
            forward[place] = np.logaddexp.reduce(ways, axis=0) + self.emissions[place]
        for place in range(length - 1, 0, -1):
            ways = self.transitions + self.emissions[place] + backward[place]
            backward[place - 1] = np.logaddexp.reduce(ways, axis=1)
        log_partition = np.logaddexp.reduce(forward[-1] + self.end)
        if np.isneginf(log_partition):
            return -np.inf, np.zeros((length, tags)), np.zeros((tags, tags))
        pairs = np.zeros((tags, tags))
        for place in range(1, length):
            onward = self.emissions[place] + backward[place]
            pairs += np.exp(forward[place - 1][:, None] + self.transitions + onward - log_partition)
        return float(log_partition), np.exp(forward + backward - log_partition), pairs

    def viterbi(self) -> list[int]:
        """Return the best tags; of several the one with the lowest index, from the end to the start."""
        if not len(self.emissions):
            return []
        score, came_from = self.start + self.emissions[0], []
        for emitted in self.emissions[1:]:
            ways = score[:, None] + self.transitions
            came_from.append(ways.argmax(axis=0))
            score = ways.max(axis=0) + emitted
        path = [int((score + self.end).argmax())]
        for previous in reversed(came_from):
            path.append(int(previous[path[-1]]))
        return path[::-1]

    def max_marginals(self) -> np.ndarray:
        """Return the score of the best tags through each tag at each position, `(length, tags)`."""
        forward, backward = self.start + self.emissions, self.end + np.zeros_like(self.emissions)
        for place in range(1, len(forward)):
            forward[place] = (forward[place - 1][:, None] + self.transitions).max(axis=0) + self.emissions[place]
        for place in range(len(forward) - 1, 0, -1):
            backward[place - 1] = (self.transitions + self.emissions[place] + backward[place]).max(axis=1)
        return forward + backward


def check_expectations(problem: Problem, dtype: torch.dtype) -> None:
    """Compare with the textbook."""
    results = [tensor.double().cpu().numpy() for tensor in crf_triton.expectations(*problem.to(dtype))]
    assert not any(np.isnan(result).any() for result in results)
    log_partition, unary, pairs = results
    assert unary.shape == problem.emissions.shape
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    for row, length in enumerate(problem.lengths.tolist()):
        expected = problem.sentence(row).expectations()
        np.testing.assert_allclose(log_partition[row], expected[0], **close)
        np.testing.assert_allclose(unary[row, :length], expected[1], **close)
        np.testing.assert_allclose(pairs[row], expected[2], **close)
        assert (unary[row, length:] == 0).all()


def check_loss(problem: Problem, dtype: torch.dtype) -> None:
    """Compare loss and gradients of the best tags with the textbook."""
    inputs = problem.to(dtype)
    labels = torch.full(problem.emissions.shape[:2], -100)
    sentences = [problem.sentence(row) for row in range(len(labels))]
    for row, sentence in enumerate(sentences):
        labels[row, : len(sentence.emissions)] = torch.tensor(sentence.viterbi(), dtype=torch.long)
    results = crf_triton.loss_and_gradients(inputs.emissions, labels.to(DEVICE), *inputs[1:])
    loss, unary, pairs = (tensor.double().cpu().numpy() for tensor in results)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    for row, sentence in enumerate(sentences):
        path = labels[row, : len(sentence.emissions)].tolist()
        log_partition, probabilities, counts = sentence.expectations()
        score = sentence.score(tuple(path)) if path else 0.0
        # where constraints force a tag far below the best, the difference is rounded like any number of its size
        largest = float(np.abs(sentence.emissions).max(initial=0))
        rounding = max(TOLERANCE[dtype], 4 * torch.finfo(dtype).eps * largest)
        assert loss[row] == pytest.approx(log_partition - score, rel=TOLERANCE[dtype], abs=rounding)
        probabilities[range(len(path)), path] -= 1
        for step in itertools.pairwise(path):
            counts[step] -= 1
        np.testing.assert_allclose(unary[row, : len(path)], probabilities, **close)
        np.testing.assert_allclose(pairs[row], counts, **close)
        assert (unary[row, len(path) :] == 0).all()


def check_viterbi(problem: Problem, dtype: torch.dtype) -> None:
    """Compare with the textbook; sentences without any tag sequence may get any."""
    best = crf_triton.viterbi(*problem.to(dtype)).cpu()
    assert best.shape == problem.emissions.shape[:2]
    assert best.dtype == torch.long
    for row, length in enumerate(problem.lengths.tolist()):
        sentence = problem.sentence(row)
        expected = sentence.viterbi()
        if expected and np.isneginf(sentence.score(tuple(expected))):
            expected = best[row, :length].tolist()
            assert all(0 <= tag < problem.end.numel() for tag in expected)
        assert best[row].tolist() == expected + [-100] * (best.size(1) - length)


def check_max_marginals(problem: Problem, dtype: torch.dtype) -> None:
    """Compare with the textbook; the tags are those of decoding."""
    inputs = problem.to(dtype)
    best, scores = crf_triton.viterbi_and_max_marginals(*inputs)
    assert torch.equal(best, crf_triton.viterbi(*inputs))
    assert (scores.dtype, scores.shape) == (dtype, problem.emissions.shape)
    for row, length in enumerate(problem.lengths.tolist()):
        expected = problem.sentence(row).max_marginals()
        # the sums are exact until they are rounded to the type
        rounding = {"rtol": 2 * torch.finfo(dtype).eps, "atol": 1e-9}
        np.testing.assert_allclose(scores[row, :length].double().cpu().numpy(), expected, **rounding)
        assert scores[row, length:].isneginf().all()


@pytest.mark.parametrize("forbidden", [0.0, 0.2])
def test_the_textbook_equals_enumeration(forbidden: float) -> None:
    sentence = make_problem([4], length=4, tags=3, seed=4, forbidden=forbidden).sentence(0)
    scores = {path: sentence.score(path) for path in itertools.product(range(3), repeat=4)}
    log_partition, unary, pairs = sentence.expectations()
    assert np.logaddexp.reduce(list(scores.values())) == pytest.approx(log_partition)
    weights = {path: np.exp(score - log_partition) for path, score in scores.items()}
    for place, tag in itertools.product(range(4), range(3)):
        assert unary[place, tag] == pytest.approx(sum(w for path, w in weights.items() if path[place] == tag))
        highest = max(score for path, score in scores.items() if path[place] == tag)
        assert sentence.max_marginals()[place, tag] == pytest.approx(highest)
    for step in itertools.product(range(3), repeat=2):
        uses = sum(w * list(itertools.pairwise(path)).count(step) for path, w in weights.items())
        assert pairs[step] == pytest.approx(uses)
    assert tuple(sentence.viterbi()) == max(scores, key=lambda path: scores[path])


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    tags=st.integers(1, 9),
    seed=st.integers(0, 10_000),
    forbidden=st.sampled_from([0.0, 0.3, 0.9]),
    spread=st.sampled_from([0.0, 1.0, 100.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=8)
def test_kernels_equal_the_textbook(
    lengths: list[int], tags: int, seed: int, forbidden: float, spread: float, dtype: torch.dtype
) -> None:
    problem = make_problem(lengths, length=6, tags=tags, seed=seed, forbidden=forbidden, spread=spread)
    check_expectations(problem, dtype)
    check_viterbi(problem, dtype)
    check_max_marginals(problem, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_loss_and_gradients_equal_the_textbook(dtype: torch.dtype) -> None:
    check_loss(make_problem([6, 0, 1, 4], length=6, tags=5), dtype)


def test_labels_are_scored_however_many_there_are() -> None:
    check_loss(make_problem([129], length=129, tags=2), torch.float64)


@pytest.mark.parametrize("tags", [16, 17, 33, 64, 65, 128])
def test_any_number_of_tags_up_to_the_limit(tags: int) -> None:
    problem = make_problem([3, 2], length=3, tags=tags, forbidden=0.2)
    check_expectations(problem, torch.float32)
    check_loss(problem, torch.float32)
    check_viterbi(problem, torch.float32)
    check_max_marginals(problem, torch.float32)


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (0, 0)])
def test_an_empty_batch_and_empty_sentences_launch_nothing(shape: tuple[int, int]) -> None:
    problem = make_problem([0] * shape[0], length=shape[1], tags=3).to(torch.float32)
    log_partition, unary, pairs = crf_triton.expectations(*problem)
    assert log_partition.tolist() == [0.0] * shape[0]
    assert unary.shape == (*shape, 3)
    assert pairs.tolist() == torch.zeros(shape[0], 3, 3).tolist()
    assert crf_triton.viterbi(*problem).shape == shape
    assert crf_triton.viterbi_and_max_marginals(*problem)[1].shape == (*shape, 3)


def test_emissions_may_lie_in_memory_in_any_order() -> None:
    problem = make_problem([5, 3], length=5, tags=4).to(torch.float64)
    turned = problem._replace(
        emissions=problem.emissions.permute(2, 0, 1).contiguous().permute(1, 2, 0),
        transitions=problem.transitions.t().contiguous().t(),
    )
    assert not turned.emissions.is_contiguous()
    for result, expected in zip(crf_triton.expectations(*turned), crf_triton.expectations(*problem)):
        assert torch.equal(result, expected)
        assert result.is_contiguous()
    assert torch.equal(crf_triton.viterbi(*turned), crf_triton.viterbi(*problem))
    for result, expected in zip(*(crf_triton.viterbi_and_max_marginals(*each) for each in (turned, problem))):
        assert torch.equal(result, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_equally_good_tags_the_lowest_is_taken(dtype: torch.dtype) -> None:
    # whole numbers add up exactly, so that there are many ties
    for seed in range(5):
        check_viterbi(make_problem([7, 5], length=7, tags=5, seed=seed, whole=True, forbidden=0.2), dtype)
    flat = make_problem([7, 5], length=7, tags=5, spread=0.0)
    flat = flat._replace(**{name: torch.zeros_like(getattr(flat, name)) for name in ("start", "transitions", "end")})
    best = crf_triton.viterbi(*flat.to(dtype))
    assert set(best.unique().tolist()) == {-100, 0}


def test_where_everything_is_forbidden_nothing_is_expected() -> None:
    problem = make_problem([4, 1], length=4, tags=3, forbidden=1.0).to(torch.float32)
    log_partition, unary, pairs = crf_triton.expectations(*problem)
    assert torch.isneginf(log_partition).all()
    assert (unary == 0).all()
    assert (pairs == 0).all()
    assert crf_triton.viterbi(*problem)[0].tolist() == [0] * 4
    assert crf_triton.viterbi_and_max_marginals(*problem)[1].isneginf().all()


def test_large_scores_lose_nothing() -> None:
    problem = make_problem([30, 21], length=30, tags=5, spread=1e4, forbidden=0.2)
    check_expectations(problem, torch.float32)
    check_loss(problem, torch.float32)
    check_viterbi(problem, torch.float32)
    check_max_marginals(problem, torch.float32)


@pytest.mark.slow
def test_a_long_sentence_of_large_scores_loses_nothing() -> None:
    # the same large number at all tags of a position: what decides is as small as ever
    problem = make_problem([2048], length=2048, tags=2)
    shift = 1e4 * torch.randn(1, 2048, 1, generator=torch.Generator().manual_seed(1))
    problem = problem._replace(emissions=problem.emissions + shift)
    results = [tensor.double().cpu().numpy()[0] for tensor in crf_triton.expectations(*problem.to(torch.float32))]
    expected = problem.sentence(0).expectations()
    assert float(results[0]) == pytest.approx(expected[0], rel=1e-7)
    np.testing.assert_allclose(results[1], expected[1], atol=2e-5)
    np.testing.assert_allclose(results[2], expected[2], rtol=2e-5)
