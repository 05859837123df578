"""The functions of `malmoi.kernels`: what they compute."""

import doctest
import functools
import inspect
import math
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from support.crf_chains import Chain, chains, random_chain, score_sequences
from torch import Tensor, nn

from malmoi import kernels
from malmoi.kernels import crf_scaled_scores, operations
from malmoi.modeling import linear_chain_crf

QUESTIONS = ("marginals", "viterbi", "max_marginals", "viterbi_and_max_marginals", "expectations")


@pytest.fixture(scope="module", params=["torch", "log space", "numba"])
def implementation(request: pytest.FixtureRequest) -> Iterator[str]:
    """What computes on a CPU; in log space where weights are of no use."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "log space":
            patch.setattr(crf_scaled_scores, "LARGEST_EXPONENT", -1.0)
        yield "torch" if request.param == "log space" else request.param


def random_labels(chain: Chain) -> Tensor:
    return torch.randint(chain[0].size(2), chain[0].shape[:2], generator=torch.Generator().manual_seed(1))


@given(chain=chains(max_length=4, max_tags=3, impossible=True))
@settings(max_examples=25)
def test_everything_equals_enumeration(implementation: str, chain: tuple[Tensor, ...]) -> None:
    emissions, labels, lengths, *scores = chain
    emissions[torch.arange(emissions.size(1))[None] >= lengths[:, None]] = torch.nan  # padding is not read
    answer = kernels.expectations(emissions, lengths, *scores, implementation=implementation)
    best = kernels.viterbi_and_max_marginals(emissions, lengths, *scores, implementation=implementation)
    gradients = kernels.loss_and_gradients(emissions, labels, lengths, *scores, implementation=implementation)
    close = {"rtol": 1e-9, "atol": 1e-9}
    for row, length in enumerate(lengths.tolist()):
        assert (answer.tags[row, length:] == 0).all()
        assert (gradients.emissions[row, length:] == 0).all()
        assert (best.tags[row, length:] == -100).all()
        assert best.scores[row, length:].isneginf().all()
        if not length:
            assert (answer.log_partition[row], gradients.loss[row]) == (0, 0)
            assert not answer.steps[row].any()
            assert not any(each[row].any() for each in gradients[1:])
            continue
        paths = score_sequences(emissions[row, :length], *scores)
        sums = torch.stack(list(paths.values()))
        sequences = torch.tensor(list(paths))  # (sequences, length)
        torch.testing.assert_close(answer.log_partition[row], sums.logsumexp(0), **close)
        taken = nn.functional.one_hot(sequences, emissions.size(2)).double()  # (sequences, length, tags)
        weights = sums.softmax(0)
        torch.testing.assert_close(answer.tags[row, :length], torch.einsum("s,slt->lt", weights, taken), **close)
        steps = torch.einsum("s,slp,sln->pn", weights, taken[:, :-1], taken[:, 1:])
        torch.testing.assert_close(answer.steps[row], steps, **close)
        through = torch.where(taken.bool(), sums[:, None, None], -torch.inf).amax(0)
        torch.testing.assert_close(best.scores[row, :length], through, **close)
        torch.testing.assert_close(paths[tuple(best.tags[row, :length].tolist())], sums.amax(), **close)
        gold = tuple(labels[row, :length].tolist())
        torch.testing.assert_close(gradients.loss[row], sums.logsumexp(0) - paths[gold], **close)
        uses = nn.functional.one_hot(torch.tensor(gold), emissions.size(2)).double()
        derivatives = answer.tags[row, :length] - uses
        torch.testing.assert_close(gradients.emissions[row, :length], derivatives, **close)
        torch.testing.assert_close(gradients.start[row], derivatives[0], **close)
        torch.testing.assert_close(gradients.end[row], derivatives[-1], **close)
        torch.testing.assert_close(gradients.transitions[row], steps - uses[:-1].t() @ uses[1:], **close)


@given(chain=chains(impossible=True))
@settings(max_examples=25)
def test_answers_are_those_of_the_path_that_travels_with_a_model(
    implementation: str, chain: tuple[Tensor, ...]
) -> None:
    emissions, labels, lengths, *scores = chain
    emissions[torch.arange(emissions.size(1))[None] >= lengths[:, None]] = torch.nan
    close = {"rtol": 1e-9, "atol": 1e-9}
    gradients = []
    for compute in (
        lambda *inputs: kernels.negative_log_likelihood(*inputs, implementation=implementation),
        linear_chain_crf.negative_log_likelihood,
    ):
        given_scores = [each.clone().requires_grad_() for each in (emissions, *scores)]
        loss = compute(given_scores[0], labels, lengths, *given_scores[1:])
        weighted = loss @ torch.linspace(-1, 2, len(lengths), dtype=torch.float64)
        gradients.append((loss, *torch.autograd.grad(weighted, given_scores)))
    for ours, plain in zip(*gradients):
        torch.testing.assert_close(ours, plain, **close)
    plain_tags, plain_scores = linear_chain_crf.viterbi_and_max_marginals(emissions, lengths, *scores)
    best = kernels.viterbi_and_max_marginals(emissions, lengths, *scores, implementation=implementation)
    torch.testing.assert_close(best.scores, plain_scores, **close)
    torch.testing.assert_close(
        kernels.marginals(emissions, lengths, *scores, implementation=implementation),
        linear_chain_crf.marginals(emissions, lengths, *scores),
        **close,
    )
    for tags in (best.tags, plain_tags):  # of equally good ones it may be any
        loss = kernels.negative_log_likelihood(emissions, tags, lengths, *scores, implementation="torch")
        highest = best.scores.amax(2)[:, 0].masked_fill(lengths == 0, 0)
        log_partition = kernels.expectations(emissions, lengths, *scores, implementation="torch").log_partition
        torch.testing.assert_close(log_partition - loss, highest, **close)


def test_pytorch_crf_gives_the_same_numbers() -> None:
    chain = random_chain(5, 7, 4)
    chain[0][torch.arange(7)[None] >= chain[1][:, None]] = torch.nan
    labels = random_labels(chain)
    emissions, lengths, *scores = chain
    results = []
    for implementation in ("pytorch-crf", "torch"):
        inputs = [each.clone().requires_grad_() for each in (emissions, *scores)]
        loss = kernels.negative_log_likelihood(inputs[0], labels, lengths, *inputs[1:], implementation=implementation)
        gradients = torch.autograd.grad(loss.sum(), inputs)
        answers = [getattr(kernels, name)(*chain, implementation=implementation) for name in QUESTIONS]
        own = kernels.loss_and_gradients(emissions, labels, lengths, *scores, implementation=implementation)
        results.append([loss, *gradients, *answers, own])
    for theirs, ours in zip(*results):
        torch.testing.assert_close(theirs, ours)


class LongChain(NamedTuple):
    """Two sentences of 10,000 positions with scores up to 10,000, and what the plain path makes of them in float64."""

    chain: Chain
    labels: Tensor
    loss: Tensor
    tags: Tensor
    scores: Tensor
    marginals: Tensor


@functools.cache
def long_chain(dtype: torch.dtype) -> LongChain:
    emissions, _, *scores = random_chain(2, 10_000, 3, dtype=dtype)
    emissions, lengths = (1e4 * emissions).clamp(-1e4, 1e4), torch.tensor([10_000, 9_999])
    labels = torch.randint(3, (2, 10_000), generator=torch.Generator().manual_seed(2))
    exact = (emissions.double(), lengths, *(each.double() for each in scores))
    loss = linear_chain_crf.negative_log_likelihood(exact[0], labels, *exact[1:])
    tags, best = linear_chain_crf.viterbi_and_max_marginals(*exact)
    return LongChain((emissions, lengths, *scores), labels, loss, tags, best, linear_chain_crf.marginals(*exact))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ten_thousand_positions_of_ten_thousand_lose_nothing(implementation: str, dtype: torch.dtype) -> None:
    chain, labels, *exact = long_chain(dtype)
    loss = kernels.negative_log_likelihood(chain[0], labels, *chain[1:], implementation=implementation)
    tags, scores = kernels.viterbi_and_max_marginals(*chain, implementation=implementation)
    marginals = kernels.marginals(*chain, implementation=implementation)
    assert loss.dtype == scores.dtype == marginals.dtype == dtype
    rounding = 2 * torch.finfo(dtype).eps if dtype == torch.float32 else 1e-13
    torch.testing.assert_close(loss.double(), exact[0], rtol=rounding, atol=0)
    assert torch.equal(tags, exact[1])
    torch.testing.assert_close(scores.double(), exact[2], rtol=rounding, atol=0)
    torch.testing.assert_close(marginals.double(), exact[3], rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (0, 0), (2, 4)])
def test_batches_without_any_position(implementation: str, shape: tuple[int, int]) -> None:
    inputs = [torch.zeros(*shape, 3), torch.zeros(3), torch.zeros(3, 3), torch.zeros(3)]
    for each in inputs:
        each.requires_grad_()
    emissions, *scores = inputs
    batch, lengths, labels = shape[0], torch.zeros(shape[0], dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    loss = kernels.negative_log_likelihood(emissions, labels, lengths, *scores, implementation=implementation)
    assert loss.tolist() == [0.0] * batch
    loss.sum().backward()
    assert all(each.grad is not None and not each.grad.any() for each in inputs)
    answers = {name: getattr(kernels, name) for name in QUESTIONS}
    chain = (emissions, lengths, *scores)
    results = {name: answer(*chain, implementation=implementation) for name, answer in answers.items()}
    assert results["marginals"].shape == results["max_marginals"].shape == (*shape, 3)
    assert not results["marginals"].any()
    assert torch.equal(results["viterbi"], torch.full(shape, -100))
    assert torch.equal(results["viterbi_and_max_marginals"].tags, torch.full(shape, -100))
    assert [tuple(each.shape) for each in results["expectations"]] == [(batch,), (*shape, 3), (batch, 3, 3)]
    assert not any(each.requires_grad for each in (*results["expectations"], results["marginals"]))
    gradients = kernels.loss_and_gradients(emissions, labels, lengths, *scores, implementation=implementation)
    assert [tuple(each.shape) for each in gradients] == [(batch,), (*shape, 3), (batch, 3), (batch, 3, 3), (batch, 3)]
    assert not any(each.any() for each in gradients)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_and_autocast_are_computed_in_float32(implementation: str, dtype: torch.dtype) -> None:
    chain = random_chain(3, 50, 5, dtype=dtype)
    labels, wide = random_labels(chain), [each.float() if each.is_floating_point() else each for each in chain]
    expected = kernels.negative_log_likelihood(wide[0], labels, *wide[1:], implementation=implementation)
    inputs = [each.clone().requires_grad_(each.is_floating_point()) for each in chain]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = kernels.negative_log_likelihood(inputs[0], labels, *inputs[1:], implementation=implementation)
        assert torch.equal(loss, expected)
        for name in QUESTIONS:
            ours, theirs = (getattr(kernels, name)(*each, implementation=implementation) for each in (chain, wide))
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    loss.sum().backward()
    assert all(each.grad is not None and each.grad.dtype == dtype for each in inputs if each.requires_grad)


def test_the_widest_type_of_the_scores_is_that_of_the_answers(implementation: str) -> None:
    emissions, lengths, start, transitions, end = random_chain(3, 6, 4, dtype=torch.float32)
    for chain in (
        (emissions, lengths, start, transitions.double(), end),
        (emissions.double(), lengths.int(), start, transitions, end.half().float()),
    ):
        assert kernels.marginals(*chain, implementation=implementation).dtype == torch.float64
        assert kernels.expectations(*chain, implementation=implementation).log_partition.dtype == torch.float64
        labels = random_labels(chain).int()
        loss = kernels.negative_log_likelihood(chain[0], labels, *chain[1:], implementation=implementation)
        assert loss.dtype == torch.float64


def test_labels_that_take_a_forbidden_step_have_an_infinite_loss(implementation: str) -> None:
    emissions, transitions = torch.zeros(2, 3, 2), torch.tensor([[0.0, -math.inf], [0.0, 0.0]])
    labels = torch.tensor([[0, 1, 1], [1, 1, 0]])
    scores = (torch.zeros(2), transitions, torch.zeros(2))
    loss = kernels.negative_log_likelihood(
        emissions, labels, torch.tensor([3, 3]), *scores, implementation=implementation
    )
    assert loss.isfinite().tolist() == [False, True]
    assert loss[0] == math.inf


def test_no_gradient_flows_through_answers(implementation: str) -> None:
    emissions, *others = random_chain(2, 3, 3)
    for name in QUESTIONS:
        answer = getattr(kernels, name)(emissions.clone().requires_grad_(), *others, implementation=implementation)
        assert not any(each.requires_grad for each in (answer if isinstance(answer, tuple) else [answer]))


def test_labels_of_padding_may_be_anything(implementation: str) -> None:
    emissions, _, *scores = random_chain(3, 7, 2)
    labels, lengths = torch.zeros(3, 7, dtype=torch.long), torch.tensor([7, 2, 0])
    expected = kernels.loss_and_gradients(emissions, labels, lengths, *scores, implementation=implementation)
    labels[1, 2:], labels[2] = -100, 99
    answer = kernels.loss_and_gradients(emissions, labels, lengths, *scores, implementation=implementation)
    torch.testing.assert_close(answer, expected, rtol=0, atol=0)


class Loss(nn.Module):
    """Something to compile, a loss, and something to compile after it."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.ParameterList([torch.randn(4), torch.randn(4, 4), torch.randn(4)])
        self.linear = nn.Linear(3, 4)

    def forward(self, hidden: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        emissions = self.linear(hidden).relu()
        loss = kernels.negative_log_likelihood(emissions, labels, lengths, *self.scores, implementation="torch")
        return 2 * loss.sum()


# torch looks at the gradient of what stands between the two parts
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_a_module_with_the_loss_compiles_into_two_parts() -> None:
    torch.manual_seed(0)
    model, labels, lengths = Loss(), torch.randint(4, (2, 5)), torch.tensor([5, 2])
    hidden = torch.randn(2, 5, 3)
    torch._dynamo.reset()
    assert torch._dynamo.explain(model)(hidden, labels, lengths).graph_break_count == 1
    loss = torch.compile(model, backend="eager")(hidden, labels, lengths)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    expected = model(hidden, labels, lengths)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, list(model.parameters())))


def test_examples_in_docstrings_run() -> None:
    tested = {name: inspect.unwrap(getattr(operations, name)) for name in operations.__all__}
    runner, finder = doctest.DocTestRunner(), doctest.DocTestFinder(recurse=False)
    for name, function in (*tested.items(), ("kernels", kernels)):
        for test in finder.find(function, name, module=False, globs=dict(vars(operations))):
            runner.run(test)
    assert runner.failures == 0
    functions = [name for name, each in tested.items() if inspect.isfunction(each)]
    assert runner.tries >= 3 * (len(functions) + 1)
    assert all(">>>" in (tested[name].__doc__ or "") for name in functions)


def test_every_function_says_its_types_and_takes_its_options_by_name() -> None:
    for name in ("negative_log_likelihood", "loss_and_gradients", *QUESTIONS):
        signature = inspect.signature(getattr(kernels, name))
        option = signature.parameters["implementation"]
        assert (option.kind, option.default) == (inspect.Parameter.KEYWORD_ONLY, "auto")
        assert signature.return_annotation is not inspect.Signature.empty
