"""A linear-chain CRF over padded tensors: loss, gradients, best tags, probabilities, best scores.

The score of a tag sequence is the sum of its emissions, of a transition for each step, and of what it starts and ends
with; its probability is the exponential of that, divided by the sum over all sequences (Lafferty, McCallum and
Pereira, 2001). All functions take

- `emissions`, the score of every tag at every position, `(batch, length, tags)`; padding is not read,
- `lengths`, how many positions of each sentence are no padding, `(batch,)`; 0 is allowed,
- `start`, `(tags,)`, `transitions`, `(previous tag, next tag)`, and `end`, `(tags,)`; minus infinity where a start or
  a step is forbidden, as long as some sequence is left,

all on one device. Scores may have any floating-point type: answers have the widest of those given, at least float32,
and sums are taken in float64 wherever that type would lose something. A wrong argument raises a `ValueError` or
`TypeError` of one sentence. Whatever `implementation` is named, the numbers are the same up to rounding.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from .crf_answers import BestTags, Expectations, LossAndGradients
from .crf_backend import IGNORED_LABEL
from .crf_choice import choose
from .crf_inputs import check_chain, check_labels

Function = TypeVar("Function", bound=Callable[..., Any])


def _never_compiled(function: Function) -> Function:
    """Let `torch.compile` leave a function as it is, which costs a graph break; it keeps its type."""
    return cast(Function, torch.compiler.disable(function))


@_never_compiled
def negative_log_likelihood(
    emissions: Tensor,
    labels: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> Tensor:
    """Return the negative log-likelihood of the labels of each sentence, `(batch,)`; 0 for an empty one.

    It can be differentiated, once, by emissions, start, transitions and end. It is infinite for labels that take a
    forbidden step. `torch.compile` leaves it as it is, at the cost of a graph break.

    Args:
        emissions: Score of every tag at every position, `(batch, length, tags)`.
        labels: Tag ids, `(batch, length)`; padding may hold anything.
        lengths: Number of positions of each sentence, `(batch,)`.
        start: Score of starting with a tag, `(tags,)`.
        transitions: Score of a step, `(previous tag, next tag)`.
        end: Score of ending with a tag, `(tags,)`.
        implementation: One of `IMPLEMENTATIONS`.

    Example:
        >>> import torch
        >>> emissions = torch.zeros(2, 3, 4, requires_grad=True)  # all 4 ** 3 sequences are as good
        >>> labels, lengths = torch.zeros(2, 3, dtype=torch.long), torch.tensor([3, 1])
        >>> loss = negative_log_likelihood(
        ...     emissions, labels, lengths, torch.zeros(4), torch.zeros(4, 4), torch.zeros(4)
        ... )
        >>> [round(each, 4) for each in loss.exp().tolist()]
        [64.0, 4.0]
        >>> loss.sum().backward()
        >>> emissions.grad[1]
        tensor([[-0.7500,  0.2500,  0.2500,  0.2500],
                [ 0.0000,  0.0000,  0.0000,  0.0000],
                [ 0.0000,  0.0000,  0.0000,  0.0000]])
    """
    chain = (emissions, lengths, start, transitions, end)
    return _answer("negative_log_likelihood", implementation, chain, labels)


@_never_compiled
def loss_and_gradients(
    emissions: Tensor,
    labels: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> LossAndGradients:
    """Return the negative log-likelihood of each sentence and its derivatives, for those who do without autograd.

    The derivative by a score is how often it is expected to be used, less how often the labels use it (Sutton and
    McCallum, 2012, section 4.1). For the arguments see `negative_log_likelihood`.

    Example:
        >>> import torch
        >>> answer = loss_and_gradients(
        ...     torch.zeros(1, 3, 2), torch.tensor([[0, 0, 1]]), torch.tensor([3]),
        ...     torch.zeros(2), torch.zeros(2, 2), torch.zeros(2),
        ... )
        >>> answer.transitions[0]  # two steps, each expected one time in four; taken were 0 -> 0 and 0 -> 1
        tensor([[-0.5000, -0.5000],
                [ 0.5000,  0.5000]])
    """
    chain = (emissions, lengths, start, transitions, end)
    loss, unary, pairs = _answer("loss_and_gradients", implementation, chain, labels)
    if not unary.numel():
        nothing = unary.new_zeros(unary.size(0), unary.size(2))
        return LossAndGradients(loss, unary, nothing, pairs, nothing)
    last = (lengths.long() - 1).clamp(min=0)[:, None, None].expand(-1, 1, unary.size(2))
    return LossAndGradients(loss, unary, unary[:, 0], pairs, unary.gather(1, last)[:, 0])


@_never_compiled
def expectations(
    emissions: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> Expectations:
    """Return log-partition function, probabilities of tags and expected numbers of steps; no gradient flows through.

    The last two are the derivatives of the first. For the arguments see `negative_log_likelihood`.

    Example:
        >>> import torch
        >>> forbidden = torch.tensor([[0.0, -torch.inf], [0.0, 0.0]])  # tag 1 may not follow tag 0
        >>> answer = expectations(
        ...     torch.zeros(1, 2, 2), torch.tensor([2]), torch.zeros(2), forbidden, torch.zeros(2)
        ... )
        >>> round(answer.log_partition.exp().item(), 4)  # 00, 10 and 11
        3.0
        >>> answer.tags[0]
        tensor([[0.3333, 0.6667],
                [0.6667, 0.3333]])
    """
    return Expectations(*_answer("expectations", implementation, (emissions, lengths, start, transitions, end)))


@_never_compiled
def marginals(
    emissions: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> Tensor:
    """Return the probability of every tag at every position, `(batch, length, tags)`; 0 past the end.

    No gradient flows through. For the arguments see `negative_log_likelihood`.

    Example:
        >>> import torch
        >>> marginals(
        ...     torch.tensor([[[0.0, 1.0], [5.0, 5.0]]]), torch.tensor([1]),
        ...     torch.zeros(2), torch.zeros(2, 2), torch.zeros(2),
        ... )
        tensor([[[0.2689, 0.7311],
                 [0.0000, 0.0000]]])
    """
    return _answer("marginals", implementation, (emissions, lengths, start, transitions, end))


@_never_compiled
def viterbi(
    emissions: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> Tensor:
    """Return the best tag sequence of each sentence, `(batch, length)`; -100 past the end.

    Of several that are equally good it is any. For the arguments see `negative_log_likelihood`.

    Example:
        >>> import torch
        >>> viterbi(
        ...     torch.tensor([[[0.0, 2.0], [1.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]]]),
        ...     torch.tensor([3, 1]), torch.zeros(2), 5 * torch.eye(2), torch.zeros(2),
        ... )
        tensor([[   1,    1,    1],
                [   0, -100, -100]])
    """
    return _answer("viterbi", implementation, (emissions, lengths, start, transitions, end))


@_never_compiled
def max_marginals(
    emissions: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> Tensor:
    """Return the score of the best tag sequence through every tag, `(batch, length, tags)`.

    Scores are summed in float64; minus infinity past the end, and where all such sequences are forbidden. At each
    position the largest is the score of the best sequence, which another tag may share where sequences are equally
    good. For the arguments see `negative_log_likelihood`.

    Example:
        >>> import torch
        >>> max_marginals(
        ...     torch.tensor([[[0.0, 2.0], [1.0, 0.0]]]), torch.tensor([2]),
        ...     torch.zeros(2), torch.zeros(2, 2), torch.zeros(2),
        ... )
        tensor([[[1., 3.],
                 [3., 2.]]])
    """
    return viterbi_and_max_marginals(emissions, lengths, start, transitions, end, implementation=implementation).scores


@_never_compiled
def viterbi_and_max_marginals(
    emissions: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *,
    implementation: str = "auto",
) -> BestTags:
    """Return what `viterbi` and `max_marginals` do, for little more than one of them takes.

    Example:
        >>> import torch
        >>> best = viterbi_and_max_marginals(
        ...     torch.tensor([[[0.0, 2.0], [1.0, 0.0]]]), torch.tensor([2]),
        ...     torch.zeros(2), torch.zeros(2, 2), torch.zeros(2),
        ... )
        >>> best.tags.tolist(), best.scores.amax(2).tolist()
        ([[1, 0]], [[3.0, 3.0]])
    """
    chain = (emissions, lengths, start, transitions, end)
    return BestTags(*_answer("viterbi_and_max_marginals", implementation, chain))


def _answer(question: str, implementation: str, chain: tuple[Tensor, ...], labels: Tensor | None = None) -> Any:
    """Return what the recursion of that name gives, see `CrfRecursions`."""
    emissions, lengths, *scores = check_chain(*chain)
    _, length, tags = emissions.shape
    given = () if labels is None else (check_labels(labels, lengths, length=length, tags=tags),)
    recursion = getattr(choose(implementation, emissions.device, tags), question)
    if emissions.numel() == 0:
        return _nothing(question, emissions, *scores)
    differentiable = torch.is_grad_enabled() and question == "negative_log_likelihood"
    with torch.autocast(emissions.device.type, enabled=False), torch.set_grad_enabled(differentiable):
        return recursion(emissions, *given, lengths, *scores)


def _nothing(question: str, emissions: Tensor, *scores: Tensor) -> Any:
    """Return the answer where there is no position at all; a loss is still a function of all scores."""
    batch, length, tags = emissions.shape
    best = emissions.new_full((batch, length), IGNORED_LABEL, dtype=torch.long)
    sums, steps = emissions.new_zeros(batch), emissions.new_zeros(batch, tags, tags)
    if question == "negative_log_likelihood":
        return emissions.sum((1, 2)) + sum(score[..., :0].sum() for score in scores)
    return {
        "loss_and_gradients": (sums, emissions.detach(), steps),
        "expectations": (sums, emissions.detach(), steps),
        "marginals": emissions.detach(),
        "viterbi": best,
        "viterbi_and_max_marginals": (best, emissions.detach()),
    }[question]


__all__ = [
    "BestTags",
    "Expectations",
    "LossAndGradients",
    "expectations",
    "loss_and_gradients",
    "marginals",
    "max_marginals",
    "negative_log_likelihood",
    "viterbi",
    "viterbi_and_max_marginals",
]
