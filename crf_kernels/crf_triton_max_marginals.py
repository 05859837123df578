"""Kernel of the max-marginals of the linear-chain CRF in Triton; `crf_triton` launches it.

It is written as those of `crf_triton_kernels`, but adds up in float64: what is wanted are sums over whole sentences.
"""

import triton
import triton.language as tl


@triton.jit(do_not_specialize=["length"])
def max_marginals_kernel(
    emissions: tl.tensor,
    lengths: tl.tensor,
    start: tl.tensor,
    transitions: tl.tensor,
    reversed_transitions: tl.tensor,
    end: tl.tensor,
    messages: tl.tensor,
    scores: tl.tensor,
    length: tl.tensor,
    TAGS: tl.constexpr,
    WIDTH: tl.constexpr,
) -> None:
    """Write the score of the best tag sequence through each tag at each position."""
    sentence = tl.program_id(0).to(tl.int64)  # times length and tags it may pass 32 bits
    own_length = tl.load(lengths + sentence).to(tl.int64)
    tag = tl.arange(0, WIDTH)
    inside = tag < TAGS
    both_inside = inside[:, None] & inside[None, :]
    step = tag[:, None] * TAGS + tag[None, :]
    emissions += sentence * length * TAGS + tag
    messages += sentence * length * TAGS + tag
    scores += sentence * length * TAGS + tag
    # (previous, next)
    steps = tl.load(transitions + step, mask=both_inside, other=-float("inf")).to(tl.float64)
    message = tl.load(start + tag, mask=inside, other=-float("inf")).to(tl.float64)
    message += tl.load(emissions, mask=inside, other=-float("inf")).to(tl.float64)
    tl.store(messages, message, mask=inside)
    emitted = tl.load(emissions + TAGS, mask=inside & (own_length > 1), other=-float("inf"))
    for position in range(1, own_length):
        following = tl.load(
            emissions + (position + 1) * TAGS, mask=inside & (position + 1 < own_length), other=-float("inf")
        )
        message = tl.max(message[:, None] + steps, 0) + emitted.to(tl.float64)
        tl.store(messages + position * TAGS, message, mask=inside)
        emitted = following
    # each thread has written some messages and now reads those of others
    tl.debug_barrier()
    # (next, previous)
    steps = tl.load(reversed_transitions + step, mask=both_inside, other=-float("inf")).to(tl.float64)
    # the score of the best continuation of each tag
    onward = tl.load(end + tag, mask=inside, other=-float("inf")).to(tl.float64)
    filled = inside & (own_length > 0)
    message = tl.load(messages + (own_length - 1) * TAGS, mask=filled, other=-float("inf"))
    tl.store(scores + (own_length - 1) * TAGS, message + onward, mask=filled)
    going_on = inside & (own_length > 1)
    emitted = tl.load(emissions + (own_length - 1) * TAGS, mask=going_on, other=-float("inf"))
    message = tl.load(messages + (own_length - 2) * TAGS, mask=going_on, other=-float("inf"))
    for done in range(1, own_length):
        position = own_length - 1 - done
        going_on = inside & (position > 0)
        emitted_before = tl.load(emissions + position * TAGS, mask=going_on, other=-float("inf"))
        message_before = tl.load(messages + (position - 1) * TAGS, mask=going_on, other=-float("inf"))
        onward = tl.max((onward + emitted.to(tl.float64))[:, None] + steps, 0)
        tl.store(scores + position * TAGS, message + onward, mask=inside)
        emitted = emitted_before
        message = message_before


__all__ = ["max_marginals_kernel"]
