"""Kernels of the linear-chain CRF in Triton; `crf_triton` launches them.

Vectors have an entry for each tag, filled up to a power of two with minus infinity, which changes no maximum and no
sum. Matrices have on axis 0 the tags over which the maximum or the sum is taken. What is read in the next step is
asked for in this one, so that no step waits for memory.
"""

import triton
import triton.language as tl


def find_compiler() -> None:
    """Let Triton build what it needs to launch kernels; it raises where there is no compiler or no driver."""
    triton.runtime.driver.active.get_current_target()


@triton.jit
def _or_zero(highest: tl.tensor) -> tl.tensor:
    """Return a maximum that can be subtracted: 0 if all is forbidden."""
    return tl.where(highest == -float("inf"), 0.0, highest)


@triton.jit
def _softmax(scores: tl.tensor) -> tl.tensor:
    """Return the probability of each tag; 0 if all are forbidden."""
    weights = tl.exp(scores - _or_zero(tl.max(scores, 0)))
    return weights / tl.maximum(tl.sum(weights, 0), 1.0)


@triton.jit
def _normalize(before: tl.tensor, emitted: tl.tensor) -> tuple[tl.tensor, tl.tensor]:
    """Return the sum of two vectors less its maximum, and the maximum."""
    highest = _or_zero(tl.max(before + emitted, 0))
    # large emissions cancel each other before something small is added
    return before + (emitted - highest), highest


@triton.jit
def _score_labels(
    emissions: tl.tensor,
    labels: tl.tensor,
    own_length: tl.tensor,
    start: tl.tensor,
    transitions: tl.tensor,
    end: tl.tensor,
    TAGS: tl.constexpr,
    AT_ONCE: tl.constexpr = 128,
) -> tl.tensor:
    """Return the score of the labels of a sentence in float64; what is no tag counts nothing."""
    score = tl.zeros((AT_ONCE,), tl.float64)
    for first in range(0, own_length, AT_ONCE):
        position = first + tl.arange(0, AT_ONCE)
        inside = position < own_length
        label = tl.load(labels + position, mask=inside, other=-1)
        previous = tl.load(labels + position - 1, mask=inside & (position > 0), other=-1)
        is_tag = label >= 0
        score += tl.load(emissions + position * TAGS + label, mask=is_tag, other=0.0)
        score += tl.load(transitions + previous * TAGS + label, mask=is_tag & (previous >= 0), other=0.0)
        score += tl.load(start + label, mask=is_tag & (position == 0), other=0.0)
        score += tl.load(end + label, mask=is_tag & (position == own_length - 1), other=0.0)
    return tl.sum(score, 0)


@triton.jit(do_not_specialize=["length"])
def forward_kernel(
    emissions: tl.tensor,
    labels: tl.tensor,
    lengths: tl.tensor,
    start: tl.tensor,
    transitions: tl.tensor,
    end: tl.tensor,
    messages: tl.tensor,
    loss: tl.tensor,
    length: tl.tensor,
    TAGS: tl.constexpr,
    WIDTH: tl.constexpr,
) -> None:
    """Write the log-weight of all beginnings that end in each tag at each position, and the loss of the labels."""
    sentence = tl.program_id(0).to(tl.int64)  # times length and tags it may pass 32 bits
    own_length = tl.load(lengths + sentence).to(tl.int64)
    tag = tl.arange(0, WIDTH)
    inside = tag < TAGS
    emissions += sentence * length * TAGS
    labels += sentence * length
    gold = _score_labels(emissions, labels, own_length, start, transitions, end, TAGS)
    emissions += tag
    messages += sentence * length * TAGS + tag
    # (previous, next)
    steps = tl.load(
        transitions + tag[:, None] * TAGS + tag[None, :],
        mask=inside[:, None] & inside[None, :],
        other=-float("inf"),
    )
    first = tl.load(start + tag, mask=inside, other=-float("inf"))
    message, highest = _normalize(first, tl.load(emissions, mask=inside, other=-float("inf")))
    scale = highest.to(tl.float64)
    tl.store(messages, message, mask=inside)
    emitted = tl.load(emissions + TAGS, mask=inside & (own_length > 1), other=-float("inf"))
    for position in range(1, own_length):
        following = tl.load(
            emissions + (position + 1) * TAGS, mask=inside & (position + 1 < own_length), other=-float("inf")
        )
        extended = message[:, None] + steps
        highest = _or_zero(tl.max(extended, 0))
        reached = highest + tl.log(tl.sum(tl.exp(extended - highest[None, :]), 0))
        message, highest = _normalize(reached, emitted)
        scale += highest.to(tl.float64)
        tl.store(messages + position * TAGS, message, mask=inside)
        emitted = following
    last = message + tl.load(end + tag, mask=inside, other=-float("inf"))
    highest = _or_zero(tl.max(last, 0))
    rest = highest + tl.log(tl.sum(tl.exp(last - highest), 0))
    tl.store(loss + sentence, tl.where(own_length > 0, scale + rest - gold, 0.0))


@triton.jit(do_not_specialize=["length"])
def backward_kernel(
    emissions: tl.tensor,
    labels: tl.tensor,
    lengths: tl.tensor,
    reversed_transitions: tl.tensor,
    end: tl.tensor,
    messages: tl.tensor,
    unary: tl.tensor,
    pairs: tl.tensor,
    length: tl.tensor,
    TAGS: tl.constexpr,
    WIDTH: tl.constexpr,
) -> None:
    """Write the probability of each tag at each position, and how often each tag is expected after each other.

    From both is taken off what the labels use.
    """
    sentence = tl.program_id(0).to(tl.int64)
    own_length = tl.load(lengths + sentence).to(tl.int64)
    tag = tl.arange(0, WIDTH)
    inside = tag < TAGS
    emissions += sentence * length * TAGS + tag
    labels += sentence * length
    messages += sentence * length * TAGS + tag
    unary += sentence * length * TAGS + tag
    # (next, previous), in memory too: what threads read together they keep together, and a sum over axis 0 then
    # needs little exchange between them
    both_inside = inside[:, None] & inside[None, :]
    steps = tl.load(reversed_transitions + tag[:, None] * TAGS + tag[None, :], mask=both_inside, other=-float("inf"))
    expected = tl.zeros_like(steps)
    # the log-weight of all continuations of each tag
    continuation = tl.load(end + tag, mask=inside, other=-float("inf"))
    filled = inside & (own_length > 0)
    message = tl.load(messages + (own_length - 1) * TAGS, mask=filled, other=-float("inf"))
    following = tl.load(labels + own_length - 1, mask=own_length > 0, other=-1)
    used = tl.where(tag == following, 1.0, 0.0)
    tl.store(unary + (own_length - 1) * TAGS, _softmax(message + continuation) - used, mask=filled)
    going_on = inside & (own_length > 1)
    emitted = tl.load(emissions + (own_length - 1) * TAGS, mask=going_on, other=-float("inf"))
    message = tl.load(messages + (own_length - 2) * TAGS, mask=going_on, other=-float("inf"))
    label = tl.load(labels + own_length - 2, mask=own_length > 1, other=-1)
    for done in range(1, own_length):
        position = own_length - 1 - done
        going_on = inside & (position > 0)
        emitted_before = tl.load(emissions + position * TAGS, mask=going_on, other=-float("inf"))
        message_before = tl.load(messages + (position - 1) * TAGS, mask=going_on, other=-float("inf"))
        label_before = tl.load(labels + position - 1, mask=position > 0, other=-1)
        onward, _ = _normalize(continuation, emitted)
        extended = onward[:, None] + steps
        highest = _or_zero(tl.max(extended, 0))
        weights = tl.exp(extended - highest[None, :])
        total = tl.sum(weights, 0)
        continuation = highest + tl.log(total)
        probability = _softmax(message + continuation)
        used = tl.where(tag == label, 1.0, 0.0)
        tl.store(unary + position * TAGS, probability - used, mask=inside)
        # the probability of the next tag given the previous one, times that of the previous one
        expected += weights * (probability / tl.maximum(total, 1.0))[None, :]
        expected -= tl.where(tag[:, None] == following, used[None, :], 0.0)
        emitted = emitted_before
        message = message_before
        following = label
        label = label_before
    tl.store(pairs + sentence * TAGS * TAGS + tag[None, :] * TAGS + tag[:, None], expected, mask=both_inside)


@triton.jit(do_not_specialize=["length"])
def viterbi_kernel(
    emissions: tl.tensor,
    lengths: tl.tensor,
    start: tl.tensor,
    transitions: tl.tensor,
    end: tl.tensor,
    came_from: tl.tensor,
    best: tl.tensor,
    length: tl.tensor,
    TAGS: tl.constexpr,
    WIDTH: tl.constexpr,
) -> None:
    """Write the best tag of each position, by way of the best previous tag of each tag at each position."""
    sentence = tl.program_id(0).to(tl.int64)
    own_length = tl.load(lengths + sentence).to(tl.int64)
    tag = tl.arange(0, WIDTH)
    inside = tag < TAGS
    emissions += sentence * length * TAGS + tag
    came_from += sentence * length * TAGS
    best += sentence * length
    # (previous, next)
    steps = tl.load(
        transitions + tag[:, None] * TAGS + tag[None, :],
        mask=inside[:, None] & inside[None, :],
        other=-float("inf"),
    )
    first = tl.load(start + tag, mask=inside, other=-float("inf"))
    score, _ = _normalize(first, tl.load(emissions, mask=inside, other=-float("inf")))
    emitted = tl.load(emissions + TAGS, mask=inside & (own_length > 1), other=-float("inf"))
    for position in range(1, own_length):
        following = tl.load(
            emissions + (position + 1) * TAGS, mask=inside & (position + 1 < own_length), other=-float("inf")
        )
        reached, previous = tl.max(score[:, None] + steps, 0, return_indices=True, return_indices_tie_break_left=True)
        tl.store(came_from + position * TAGS + tag, previous.to(tl.uint8), mask=inside)
        score, _ = _normalize(reached, emitted)
        emitted = following
    score += tl.load(end + tag, mask=inside, other=-float("inf"))
    chosen = tl.argmax(score, 0, tie_break_left=True)
    # each thread has written some entries and now reads those of others
    tl.debug_barrier()
    tl.store(best + own_length - 1, chosen.to(tl.int64), mask=own_length > 0)
    for done in range(1, own_length):
        position = own_length - done
        chosen = tl.load(came_from + position * TAGS + chosen).to(tl.int32)
        tl.store(best + position - 1, chosen.to(tl.int64))


__all__ = ["backward_kernel", "find_compiler", "forward_kernel", "viterbi_kernel"]
