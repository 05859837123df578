"""Linear-chain conditional random field (Lafferty, McCallum and Pereira, 2001).

Scores of every tag at every position -> log-likelihood of a tag sequence, best tag sequence, probability of every tag,
best score through every tag. First come parameters, masks and constraints; then, where `malmoi.kernels` is not
installed, what runs over the positions (Rabiner, 1989). Written by malmoi 0.1.0 into every saved model with a CRF.
"""

import functools
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

IGNORED_LABEL = -100
IMPLEMENTATIONS = ("auto", "torch", "numba", "triton", "pytorch-crf")
KERNELS_INTERFACE = 1  # what is called here of `malmoi.kernels`; another version is left alone
Constraints = tuple[tuple[bool, ...], tuple[tuple[bool, ...], ...]]  # forbidden starts, forbidden steps


class LinearChainCrf(nn.Module):
    """Score, decode and weigh tag sequences.

    Parameters are those of pytorch-crf: `start_transitions` and `end_transitions` `(tags,)`, and `transitions`
    `(previous tag, next tag)`. Every method takes emissions, the score of every tag at every position,
    `(batch, length, tags)`, and a mask, `(batch, length)`, that may have holes anywhere: positions outside it are no
    part of the chain, and their neighbours follow each other. All is computed in float32 or better, whatever the type,
    and by `implementation` where malmoi is installed; `"auto"` is the fastest that fits the device.
    """

    def __init__(
        self,
        num_tags: int,
        *,
        forbidden_starts: Sequence[bool] | None = None,
        forbidden_transitions: Sequence[Sequence[bool]] | None = None,
        implementation: str = "auto",
    ):
        super().__init__()
        if num_tags < 1:
            raise ValueError(f"`num_tags` must be at least 1, got {num_tags}.")
        if implementation not in IMPLEMENTATIONS:
            raise ValueError(f"`implementation` must be one of {', '.join(IMPLEMENTATIONS)}, got {implementation!r}.")
        self.num_tags, self.implementation, self.weight = num_tags, implementation, None  # PEFT asks for one to merge
        # Plain Python, not buffers: a non-persistent buffer comes back from `from_pretrained` as uninitialised memory.
        starts = [False] * num_tags if forbidden_starts is None else forbidden_starts
        steps = [[False] * num_tags] * num_tags if forbidden_transitions is None else forbidden_transitions
        own: Any = tuple(map(bool, starts)), tuple(tuple(map(bool, row)) for row in steps)
        if {len(row) for row in (*own, *own[1])} != {num_tags}:
            raise ValueError(f"`forbidden_starts` and `forbidden_transitions` must be for {num_tags} tags.")
        self.ask_for_constraints: Callable[[], Constraints] = partial(tuple, own)  # a lambda is not pickled
        # also where transformers builds everything in half precision; what a checkpoint lacks would stay in it
        dtype = torch.promote_types(torch.get_default_dtype(), torch.float32)
        self.start_transitions = nn.Parameter(torch.empty(num_tags, dtype=dtype))
        self.end_transitions = nn.Parameter(torch.empty(num_tags, dtype=dtype))
        self.transitions = nn.Parameter(torch.empty(num_tags, num_tags, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all transitions uniformly from -0.1 to 0.1, as pytorch-crf does."""
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)

    def extra_repr(self) -> str:
        return f"num_tags={self.num_tags}"

    def __prepare_scriptable__(self) -> None:  # `torch.jit.script` calls this first
        raise RuntimeError("A CRF cannot be scripted. Run the model as it is; `torch.compile` takes it.")

    @torch.compiler.disable
    def follow(self, constraints: Callable[[], Constraints]) -> None:
        """Ask for the constraints whenever they are needed, in the place of those that it was built with."""
        self.ask_for_constraints = constraints

    def forward(self, question: str, *given: Tensor) -> Any:
        """Answer by the method of that name: weights that are offloaded are there for calls of a module alone."""
        return getattr(self, question)(*given)

    def constraints(self) -> Constraints:
        """Return which tags may not start a sentence, and which tag may not follow which, at this moment."""
        constraints = self.ask_for_constraints()
        if len(constraints[0]) != self.num_tags:
            other = f"but `id2label` of the config names {len(constraints[0])} labels"
            mend = "give as many, or load the model with `num_labels=...` and `ignore_mismatched_sizes=True`"
            raise ValueError(f"The CRF has {self.num_tags} tags, {other}: {mend}.")
        return constraints

    @torch.compiler.disable
    def negative_log_likelihood(self, emissions: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the negative log-likelihood of each sentence, `(batch,)`; 0 for one with no position in the chain.

        The labels are tag ids, `(batch, length)`, read only where `mask` is `True`. If they are no integers of that
        shape, no tags, or take a forbidden step (on CUDA: later), it is a `ValueError`.
        """
        if labels.shape != mask.shape or labels.is_floating_point() or labels.dtype == torch.bool:
            got = f"got {labels.dtype} of {tuple(labels.shape)}"
            raise ValueError(f"Expected integer labels of shape {tuple(mask.shape)}, {got}.")
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            labels, scores = labels if order is None else labels.gather(1, order), self.scores(emissions.dtype)
            labels = labels.long()  # those of 8 bits would be a mask
            self._check_labels(labels, positions_inside(lengths, mask.size(1)), *scores[:2])
            if emissions.numel() == 0:
                return emissions.sum((1, 2))
            return self._recursions(emissions.device).negative_log_likelihood(emissions, labels, lengths, *scores)

    def decode(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the best tag sequence of each sentence (Viterbi), `(batch, length)`; -100 outside the mask."""
        return self._answer("viterbi", emissions, mask)[0]

    def max_marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the best score through every tag, `(batch, length, tags)`: the largest alone is that of `decode`."""
        return self.decode_with_max_marginals(emissions, mask)[1]

    def decode_with_max_marginals(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `decode` and `max_marginals` do, for little more than one of them takes."""
        best, scores = self._answer("viterbi_and_max_marginals", emissions, mask)
        return best, keep_path_ahead(scores, best)

    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the probability of every tag given the sentence, `(batch, length, tags)`; 0 outside the mask."""
        return self._answer("marginals", emissions, mask)[0]

    @torch.compiler.disable
    @torch.no_grad()
    def _answer(self, question: str, emissions: Tensor, mask: Tensor) -> list[Tensor]:
        """Return what the recursion of that name gives, each value at the place of its position."""
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            if emissions.numel() == 0:
                nothing = torch.zeros_like(mask, dtype=torch.long)
                return {"viterbi": [nothing], "marginals": [emissions]}.get(question, [nothing, emissions])
            recursion = getattr(self._recursions(emissions.device), question)
            answers = recursion(emissions, lengths, *self.scores(emissions.dtype))
            return [_spread_out(each, order) for each in (answers if isinstance(answers, tuple) else (answers,))]

    def _recursions(self, device: torch.device) -> Any:
        """Return what computes: `malmoi.kernels` where it is installed, otherwise PyTorch."""
        if (kernels := installed_kernels()) is not None:
            return kernels.choose(self.implementation, device, self.num_tags)
        if self.implementation not in ("auto", "torch"):
            warnings.warn(f"The CRF computes with PyTorch: {self.implementation} needs malmoi.", stacklevel=2)
        return PYTORCH

    def scores(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """Return start, transition and end scores; minus infinity where a step is forbidden."""
        start, transitions = self.start_transitions.to(dtype), self.transitions.to(dtype)
        if forbidden := _forbidden(self.constraints(), start.device):
            start = start.masked_fill(forbidden[0], -torch.inf)
            transitions = transitions.masked_fill(forbidden[1], -torch.inf)
        return start, transitions, self.end_transitions.to(dtype)

    def _compact(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return emissions, at least float32, the chain in front; where it stood, `None` if there; and lengths."""
        if torch.jit.is_tracing() or torch.compiler.is_compiling():  # type: ignore[attr-defined]  # never but to export
            why = "the tags of this input would be recorded as the answer to every other. Run the model as it is"
            raise RuntimeError(f"A CRF cannot be traced or exported: {why}; `torch.compile` takes it.")
        if emissions.dim() != 3 or emissions.size(2) != self.num_tags:
            got = tuple(emissions.shape)
            raise ValueError(f"Expected emissions of shape (batch, length, {self.num_tags}), got {got}.")
        if mask.shape != emissions.shape[:2]:
            raise ValueError(f"Expected a mask of shape {tuple(emissions.shape[:2])}, got {tuple(mask.shape)}.")
        mask = mask.bool()
        emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
        lengths = mask.sum(dim=1)
        # an accelerator would have to be waited for to know this
        if mask.device.type == "cpu" and torch.equal(mask, positions_inside(lengths, mask.size(1))):
            return emissions, None, lengths
        order = torch.argsort((~mask).byte(), dim=1, stable=True)
        return emissions.gather(1, order[:, :, None].expand_as(emissions)), order, lengths

    def _check_labels(self, labels: Tensor, inside: Tensor, start: Tensor, transitions: Tensor) -> None:
        """Refuse labels of positions inside sentences that are no tags or that take a forbidden step."""
        tags = labels.clamp(0, self.num_tags - 1)
        allowed = f"Labels must be from 0 to {self.num_tags - 1}, or {IGNORED_LABEL} outside the mask."
        _require((tags != labels) & inside, tags, allowed)
        if _forbidden(self.constraints(), start.device):
            forbidden = start[tags[:, :1]].isneginf() & inside[:, :1]
            _require(forbidden, tags, "Sentence {0} of the batch starts with tag {1}, which is forbidden.")
            forbidden = transitions[tags[:, :-1], tags[:, 1:]].isneginf() & inside[:, 1:]
            after = "Sentence {0} of the batch has tag {2} directly after tag {1}, which is forbidden. "
            _require(forbidden, tags, after + "Correct the labels, or switch the constraints off.")


@functools.cache
def installed_kernels() -> Any:
    """Return `malmoi.kernels`; `None` where malmoi is not installed, or speaks another version of the interface."""
    try:
        from malmoi import kernels
    except ImportError:
        return None
    except Exception as error:  # it is broken, as an old one may be beside a new torch
        warnings.warn(f"The CRF computes with PyTorch: malmoi cannot be imported: {error!r}", stacklevel=2)
        return None
    return kernels if getattr(kernels, "INTERFACE", None) == KERNELS_INTERFACE else None


def keep_path_ahead(scores: Tensor, path: Tensor) -> Tensor:
    """Return max-marginals, `(batch, length, tags)`, of which the tag on the path alone has the largest.

    Tags of sequences that are as good, or nearly, have the same in rounded sums: theirs goes down to the next number.
    """
    highest = scores.amax(-1, keepdim=True)
    behind = torch.nextafter(highest, torch.full_like(highest, -torch.inf))
    return torch.minimum(scores, behind).scatter_(-1, path.clamp(min=0)[..., None], highest)


def _spread_out(values: Tensor, order: Tensor | None) -> Tensor:
    """Move what stands at the places of compacted rows back to where it belongs."""
    if order is None:
        return values
    places = order if values.dim() == 2 else order[:, :, None].expand_as(values)
    return torch.empty_like(values).scatter_(1, places, values)


@functools.lru_cache(maxsize=16)  # or they would be copied to the device in every step
@torch.inference_mode(False)  # or training could not use them
def _forbidden(constraints: Constraints, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Return which starts, `(tags,)`, and steps, `(previous tag, next tag)`, are forbidden; `None` if none is."""
    starts, steps = constraints
    if not any(starts) and not any(map(any, steps)):
        return None
    return torch.tensor(starts, device=device), torch.tensor(steps, device=device)


def _require(wrong: Tensor, tags: Tensor, message: str) -> None:
    """Raise, with the first row in which something is wrong and the tags there, if something is wrong anywhere."""
    if wrong.device.type == "cuda":
        torch._assert_async(~wrong.any(), "The labels of the CRF are no tags, or take a step that is forbidden.")
    elif wrong.any():
        row, position = wrong.nonzero()[0].tolist()
        raise ValueError(message.format(row, *tags[row, position : position + 2].tolist()))


# The recursions in PyTorch, in float64 (float32 on MPS). Row `b` holds `lengths[b]` positions and then padding, which
# is not read. `transitions` are `(previous tag, next tag)`; minus infinity where a step is forbidden.


def negative_log_likelihood(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Return the negative log-likelihood of labels, `(batch, length)`, of each sentence, `(batch,)`; 0 if empty."""
    dtype = emissions.dtype
    inside, emissions, start, transitions, end = _precise(lengths, emissions, start, transitions, end)
    rows, last = torch.arange(lengths.size(0), device=lengths.device), (lengths - 1).clamp(min=0)
    log_partition = (_run(emissions, start, transitions, _log_sum)[rows, last] + end).logsumexp(1)
    labels = labels.masked_fill(~inside, 0)
    steps = transitions[labels[:, :-1], labels[:, 1:]].masked_fill(~inside[:, 1:], 0)
    score = start[labels[:, 0]] + emissions.gather(2, labels[:, :, None]).sum((1, 2)) + steps.sum(1)
    return (log_partition - score - end[labels[rows, last]]).masked_fill(lengths == 0, 0).to(dtype)


def marginals(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the probability of every tag at every position, `(batch, length, tags)`; 0 past the end."""
    together, inside = _through_every_tag(emissions, lengths, start, transitions, end, _log_shares)
    return together.softmax(2).masked_fill(~inside[:, :, None], 0).to(emissions.dtype)


def viterbi(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the best tag sequence, `(batch, length)`; -100 past the end."""
    inside, emissions, start, transitions, end = _precise(lengths, emissions, start, transitions, end)
    messages = _run(emissions, start, transitions, _highest).unbind(1)
    tag, path = torch.zeros_like(lengths), []
    for step in reversed(range(len(messages))):
        # at the end of a sentence the last step is to `end`, before it to the tag that was chosen
        onward = torch.where((lengths - 1 == step)[:, None], end, transitions.t()[tag])
        tag = torch.where(step < lengths, (messages[step] + onward).argmax(1), tag)
        path.append(tag)
    return torch.stack(path[::-1], 1).masked_fill(~inside, IGNORED_LABEL)


def viterbi_and_max_marginals(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """Return these tags, and the score of the best sequence through every tag; minus infinity where there is none."""
    together, inside = _through_every_tag(emissions, lengths, start, transitions, end, _highest)
    scores = together.masked_fill(~inside[:, :, None], -torch.inf).to(emissions.dtype)
    return viterbi(emissions, lengths, start, transitions, end), scores


def positions_inside(lengths: Tensor, length: int) -> Tensor:
    """Return which positions are in a sentence, `(batch, length)`."""
    return torch.arange(length, device=lengths.device)[None] < lengths[:, None]


def _precise(lengths: Tensor, emissions: Tensor, *scores: Tensor) -> list[Tensor]:
    """Return which positions are in a sentence, and all scores in the widest type of the device, 0 for padding."""
    inside = positions_inside(lengths, emissions.size(1))
    dtype = torch.float32 if emissions.device.type == "mps" else torch.float64
    return [inside, *(each.to(dtype) for each in (emissions.masked_fill(~inside[:, :, None], 0), *scores))]


def _run(emissions: Tensor, first: Tensor, transitions: Tensor, combine: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what all beginnings weigh together by their last position and tag, `(..., length, tags)`.

    `first` are the scores of the first tag; `combine` makes one number of those of all previous tags.
    """
    scores = emissions.unbind(-2)
    messages = [first + scores[0]]
    for score in scores[1:]:
        messages.append(combine(messages[-1][..., None] + transitions) + score)
    return torch.stack(messages, -2)


def _through_every_tag(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor, combine: Callable
) -> tuple[Tensor, Tensor]:
    """Return what all sequences through a tag weigh, `(batch, length, tags)`, and what is inside of sentences."""
    inside, emissions, start, transitions, end = _precise(lengths, emissions, start, transitions, end)
    positions = torch.arange(emissions.size(1), device=lengths.device)[None]
    reverse = torch.where(inside, lengths[:, None] - 1 - positions, positions)[:, :, None].expand_as(emissions)
    # both directions at once, the second over sentences reversed within their own length
    both = torch.stack([emissions, emissions.gather(1, reverse)])
    ends, steps = torch.stack([start, end])[:, None], torch.stack([transitions, transitions.t()])[:, None]
    forward, backward = _run(both, ends, steps, combine)
    # both hold the position's own score; one that is minus infinity stays so, whatever infinities cancel out
    together = forward + backward.gather(1, reverse) - emissions
    return together.masked_fill(emissions.isneginf(), -torch.inf), inside


def _log_sum(ways: Tensor) -> Tensor:
    # minus infinity would become not-a-number in the gradient
    return ways.clamp(min=torch.finfo(ways.dtype).min).logsumexp(-2)


def _log_shares(ways: Tensor) -> Tensor:
    # what all tags have in common is left out: in float32 sums over a long text would be too large to tell tags apart
    return ways.logsumexp(-2).log_softmax(-1)


_highest = partial(torch.amax, dim=-2)
_recursions = (negative_log_likelihood, marginals, viterbi, viterbi_and_max_marginals)
PYTORCH = SimpleNamespace(**{each.__name__: each for each in _recursions})  # `malmoi.kernels` has others of this form
