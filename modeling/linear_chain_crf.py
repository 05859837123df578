"""Linear-chain conditional random field (Lafferty, McCallum and Pereira, 2001).

Scores of every tag at every position -> log-likelihood of a tag sequence, best tag sequence, probability of every tag,
best score through every tag.

Here are the parameters, the masks and the gradient; the recursions over positions are in `crf_torch`, `crf_numba` and
`crf_triton`. The gradient of the log-likelihood is the number of uses of each score by the labels, less the number
that is expected (Sutton and McCallum, 2012, section 4.1), and is computed as such: no graph of operations is kept.

This file travels with every saved model, so it imports nothing but torch and its neighbours.
"""

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .crf_backend import IGNORED_LABEL, CrfBackend
from .crf_choice import IMPLEMENTATIONS, choose_backend
from .crf_max_marginals import keep_path_ahead

# which tags may not start a sentence, and which tag may not follow which
Constraints = tuple[tuple[bool, ...], tuple[tuple[bool, ...], ...]]


class LinearChainCrf(nn.Module):
    """Score, decode and weigh tag sequences.

    Parameters have the names and the meaning of pytorch-crf's: `start_transitions` `(tags,)`, `end_transitions`
    `(tags,)` and `transitions` `(previous tag, next tag)`.

    Every method takes a mask that may have holes anywhere. Positions outside the mask are no part of the chain: their
    neighbours inside follow each other directly. Everything is computed in float32 or better, also under autocast.

    Args:
        num_tags: Number of tags.
        forbidden_starts: Tags that may not start a sentence, `(tags,)`.
        forbidden_transitions: Which tag may not follow which, `(previous tag, next tag)`.
        implementation: What runs the recursions: `"torch"`, `"numba"`, `"triton"`, or `"auto"` for the fastest that
            is at hand for the device of the emissions.
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
        self.num_tags = num_tags
        self.implementation = implementation
        # Plain Python, not buffers: a non-persistent buffer comes back from `from_pretrained` as uninitialised memory.
        self.own_constraints: Constraints = (
            tuple(forbidden_starts or [False] * num_tags),
            tuple(map(tuple, forbidden_transitions or [[False] * num_tags] * num_tags)),
        )
        self.current_constraints: Callable[[], Constraints] | None = None
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
        """Show the number of tags."""
        return f"num_tags={self.num_tags}"

    def __prepare_scriptable__(self) -> None:
        """Refuse `torch.jit.script`, which calls this first."""
        raise RuntimeError("A CRF cannot be scripted. Run the model as it is; `torch.compile` takes it.")

    def follow(self, constraints: Callable[[], Constraints]) -> None:
        """Ask for the constraints whenever they are needed, in the place of those that it was built with."""
        self.current_constraints = constraints

    def constraints(self) -> Constraints:
        """Return which tags may not start a sentence, and which tag may not follow which, at this moment.

        Raises:
            ValueError: If they are not for the number of tags.
        """
        constraints = self.own_constraints if self.current_constraints is None else self.current_constraints()
        if len(constraints[0]) != self.num_tags:
            raise ValueError(
                f"The CRF has {self.num_tags} tags, but `id2label` of the config names {len(constraints[0])} labels: "
                "give as many, or load the model with `num_labels=...` and `ignore_mismatched_sizes=True`."
            )
        return constraints

    @property
    def forbidden_starts(self) -> list[bool]:
        """Which tags may not start a sentence, `(tags,)`."""
        return list(self.constraints()[0])

    @property
    def forbidden_transitions(self) -> list[list[bool]]:
        """Which tag may not follow which, `(previous tag, next tag)`."""
        return [list(row) for row in self.constraints()[1]]

    @torch.compiler.disable
    def negative_log_likelihood(self, emissions: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the negative log-likelihood of the labels of each sentence.

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            labels: Tag ids, `(batch, length)`. Read only where `mask` is `True`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            One value per sentence, `(batch,)`; 0 for a sentence without any position in the chain.

        Raises:
            ValueError: If the labels are not integers of the shape of the mask, are no tags, or take a step that is
                forbidden (their likelihood would be 0). A CUDA device, which is not waited for, reports the last two
                itself and later.
        """
        if labels.shape != mask.shape or labels.is_floating_point() or labels.dtype == torch.bool:
            raise ValueError(
                f"Expected integer labels of shape {tuple(mask.shape)}, got {labels.dtype} of {tuple(labels.shape)}."
            )
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            labels = labels if order is None else labels.gather(1, order)
            start, transitions, end = self._scores(emissions.dtype)
            inside = mask.bool() if order is None else _inside(mask, lengths)
            self._check_labels(labels, inside, start, transitions)
            if emissions.numel() == 0:
                return emissions.sum((1, 2))
            backend = choose_backend(self.implementation, emissions.device, self.num_tags)
            return _NegativeLogLikelihood.apply(emissions, labels, lengths, start, transitions, end, backend)

    @torch.compiler.disable
    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the best tag sequence of each sentence (Viterbi).

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            Tag ids, `(batch, length)`; -100 where `mask` is `False`.
        """
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            if emissions.numel() == 0:
                return torch.full_like(mask, IGNORED_LABEL, dtype=torch.long)
            best = self._viterbi(emissions, lengths, *self._scores(emissions.dtype))
            return _spread_out(best, order)

    def max_marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the score of the best tag sequence through every tag at every position.

        The largest of each position, of which there is only one, is that of the tag that `decode` returns: see
        `keep_path_ahead` for sequences that are equally good. The score of a sequence is the sum of its emissions,
        transitions, start and end, taken in float64; `logsumexp` over all sequences less this is what
        `negative_log_likelihood` returns for it.

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            Scores, `(batch, length, tags)`; minus infinity where `mask` is `False` and for a tag that no allowed
            sequence has there.
        """
        return self.decode_with_max_marginals(emissions, mask)[1]

    @torch.compiler.disable
    @torch.no_grad()
    def decode_with_max_marginals(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `decode` and `max_marginals` do, for little more than one of them takes."""
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            if emissions.numel() == 0:
                nothing = torch.full_like(mask, IGNORED_LABEL, dtype=torch.long)
                return nothing, torch.full_like(emissions, -torch.inf)
            best, scores = self._viterbi_and_max_marginals(emissions, lengths, *self._scores(emissions.dtype))
            scores = keep_path_ahead(scores, best)
            return _spread_out(best, order), _spread_out(scores, order)

    @torch.compiler.disable
    @torch.no_grad()
    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the probability of every tag at every position, given the whole sentence.

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            Probabilities, `(batch, length, tags)`; 0 where `mask` is `False`.
        """
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            if emissions.numel() == 0:
                return torch.zeros_like(emissions)
            backend = choose_backend(self.implementation, emissions.device, self.num_tags)
            _, probabilities, _ = backend.expectations(emissions, lengths, *self._scores(emissions.dtype))
            return _spread_out(probabilities, order)

    def _viterbi(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the best tags of compacted sentences, `(batch, length)`; -100 past the end of a sentence."""
        backend = choose_backend(self.implementation, emissions.device, self.num_tags)
        return backend.viterbi(emissions, lengths, start, transitions, end)

    def _viterbi_and_max_marginals(
        self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the same tags, and max-marginals, `(batch, length, tags)`."""
        backend = choose_backend(self.implementation, emissions.device, self.num_tags)
        return backend.viterbi_and_max_marginals(emissions, lengths, start, transitions, end)

    def _scores(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """Return start, transition and end scores; minus infinity where a step is forbidden."""
        start, transitions = self.start_transitions.to(dtype), self.transitions.to(dtype)
        forbidden = _forbidden(*self.constraints(), start.device)
        if forbidden is not None:
            starts, between = forbidden
            start, transitions = start.masked_fill(starts, -torch.inf), transitions.masked_fill(between, -torch.inf)
        return start, transitions, self.end_transitions.to(dtype)

    def _compact(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Move the positions in the chain to the front of each row.

        Returns:
            Emissions in at least float32, `(batch, length, tags)`; the old position of each new one,
            `(batch, length)`, or `None` if every row already starts with its chain; the number of positions in the
            chain of each row, `(batch,)`.
        """
        # this code is never compiled: the second is `torch.export`
        if torch.jit.is_tracing() or torch.compiler.is_compiling():  # type: ignore[attr-defined]
            raise RuntimeError(
                "A CRF cannot be traced or exported: the tags of this input would be recorded as the answer to every "
                "other. Run the model as it is; `torch.compile` takes it."
            )
        if emissions.dim() != 3 or emissions.size(2) != self.num_tags:
            raise ValueError(
                f"Expected emissions of shape (batch, length, {self.num_tags}), got {tuple(emissions.shape)}."
            )
        if mask.shape != emissions.shape[:2]:
            raise ValueError(f"Expected a mask of shape {tuple(emissions.shape[:2])}, got {tuple(mask.shape)}.")
        mask = mask.bool()
        emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
        lengths = mask.sum(dim=1)
        # an accelerator would have to be waited for to know this
        if mask.device.type == "cpu" and torch.equal(mask, _inside(mask, lengths)):
            return emissions, None, lengths
        order = torch.argsort((~mask).byte(), dim=1, stable=True)
        return emissions.gather(1, order[:, :, None].expand_as(emissions)), order, lengths

    def _check_labels(self, labels: Tensor, inside: Tensor, start: Tensor, transitions: Tensor) -> None:
        """Refuse labels of positions inside sentences that are no tags or that take a forbidden step."""
        tags = labels.clamp(0, self.num_tags - 1)
        _require(
            (tags != labels) & inside,
            lambda _: f"Labels must be from 0 to {self.num_tags - 1}, or {IGNORED_LABEL} outside the mask.",
        )
        if _forbidden(*self.constraints(), start.device) is not None:
            _require(
                start[tags[:, :1]].isneginf() & inside[:, :1],
                lambda at: f"Sentence {at[0]} of the batch starts with tag {int(labels[at])}, which is forbidden.",
            )
            _require(
                transitions[tags[:, :-1], tags[:, 1:]].isneginf() & inside[:, 1:],
                lambda at: (
                    f"Sentence {at[0]} of the batch has tag {int(labels[at[0], at[1] + 1])} directly after tag "
                    f"{int(labels[at])}, which is forbidden. Correct the labels, or switch the constraints off."
                ),
            )


def _inside(mask: Tensor, lengths: Tensor) -> Tensor:
    """Return which positions are in a sentence if sentences start at the first position, `(batch, length)`."""
    return torch.arange(mask.size(1), device=mask.device)[None] < lengths[:, None]


def _spread_out(values: Tensor, order: Tensor | None) -> Tensor:
    """Move what stands at the places of compacted rows back to where it belongs.

    Args:
        values: `(batch, length)` or `(batch, length, tags)`.
        order: The old position of each, `(batch, length)`; `None` if it is the same.
    """
    if order is None:
        return values
    places = order if values.dim() == 2 else order[:, :, None].expand_as(values)
    return torch.empty_like(values).scatter_(1, places, values)


@functools.lru_cache(maxsize=16)  # or they would be copied to the device in every step
@torch.inference_mode(False)  # or training could not use them
def _forbidden(
    starts: tuple[bool, ...], transitions: tuple[tuple[bool, ...], ...], device: torch.device
) -> tuple[Tensor, Tensor] | None:
    """Return which starts, `(tags,)`, and steps, `(previous tag, next tag)`, are forbidden; `None` if none is."""
    if not any(starts) and not any(map(any, transitions)):
        return None
    return torch.tensor(starts, device=device), torch.tensor(transitions, device=device)


def _require(wrong: Tensor, message: Callable[[tuple[int, ...]], str]) -> None:
    """Raise, with a message about the first place, if something is wrong anywhere.

    Args:
        wrong: Where something is wrong, `(batch, any)`.
        message: What to say of a row and a column.
    """
    if wrong.device.type == "cuda":
        torch._assert_async(~wrong.any(), "The labels of the CRF are no tags, or take a step that is forbidden.")
    elif wrong.any():
        raise ValueError(message(tuple(wrong.nonzero()[0].tolist())))


class _NegativeLogLikelihood(torch.autograd.Function):
    """Negative log-likelihood of the labels of compacted sentences, `(batch,)`."""

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        emissions: Tensor,
        labels: Tensor,
        lengths: Tensor,
        start: Tensor,
        transitions: Tensor,
        end: Tensor,
        backend: CrfBackend,
    ) -> Tensor:
        loss, unary, pairs = backend.loss_and_gradients(emissions, labels, lengths, start, transitions, end)
        ctx.save_for_backward(unary, pairs, lengths)
        ctx.backend = backend
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        unary, pairs, lengths = ctx.saved_tensors
        emissions, start, transitions, end = ctx.backend.weigh_gradients(unary, pairs, lengths, gradient)
        return emissions, None, None, start, transitions, end, None


__all__ = ["IGNORED_LABEL", "LinearChainCrf"]
