"""The best tags of a linear-chain CRF, and the probability of every tag, within a graph.

One `Loop` runs over stretches of `STRETCH` positions, so that what it costs beside the arithmetic is paid once for
many steps. It has three recursions: the best beginnings (Viterbi), and the sums over all beginnings and over all ends
(forward and backward); the latter two are one batch, as ends are read from the back, each within its own length.

A message says what all that comes before a position weighs, by the tag there. Positions that carry no tag are taken
out first, so a chain is followed by nothing but its end, which has a number behind those of the tags. Best scores are
sums over a whole text, in float64: float32 could not tell apart those of a long one. Sums over sequences are of
weights, exp(score), brought back to a largest of 1 every `RESCALED` steps.
"""

from collections.abc import Sequence

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from malmoi.export.constants import Array, ints, number, part, positions, size
from malmoi.inference.engine import Chain

STRETCH = 16
RESCALED = 8
SMALLEST = float(np.finfo(np.float64).tiny)


def decode(chain: Chain, emissions: Var, tagged: Var) -> tuple[Var, Var]:
    """Return the best tags, `(length, batch)`, and the probability of every tag, float64, `(length, batch, tags)`.

    What they are where no tag is carried means nothing.

    Args:
        chain: The scores of the CRF.
        emissions: Score of every tag at every position, float32, `(length, batch, tags)`.
        tagged: Which positions carry a tag, anywhere, `(length, batch)`.
    """
    length, batch = size(tagged, 0), size(tagged, 1)
    carried = op.cast(tagged, to=np.int64)
    lengths = op.reduce_sum(carried, ints(0), keepdims=0)
    place = op.where(tagged, op.sub(op.cumsum(carried, number(0)), number(1)), length)
    rows = op.expand(positions(batch), op.shape(place))
    places = op.concat([op.unsqueeze(place, ints(2)), op.unsqueeze(rows, ints(2))], axis=2)
    # one more position takes what carries no tag
    room = op.concat([op.add(length, ints(1)), batch, ints(len(chain.end))], axis=0)
    nothing = op.expand(op.const(0.0), room)
    scores = op.where(op.unsqueeze(tagged, ints(2)), op.cast(emissions, to=np.float64), op.const(0.0))
    scores = op.scatter_nd(nothing, places, scores)
    weights = op.exp(op.sub(scores, op.reduce_max(scores, ints(2))))
    tags_by_next, before, after = _run(chain, scores, weights, lengths)
    tags = _follow(tags_by_next, lengths, end=len(chain.end))
    joint = op.mul(op.mul(before, weights), after)
    summed = op.max([op.reduce_sum(joint, ints(2)), op.const(SMALLEST)])
    return op.gather_nd(tags, places), op.gather_nd(op.div(joint, summed), places)


def _run(chain: Chain, scores: Var, weights: Var, lengths: Var) -> tuple[Var, Var, Var]:
    """Run over the positions.

    Args:
        chain: The scores of the CRF.
        scores: Score of every tag at every position, `(length, batch, tags)`.
        weights: Their weights, `(length, batch, tags)`.
        lengths: How many positions each chain has, `(batch,)`.

    Returns:
        The best tag at each position for each tag that may come next, and for the end, for so many positions that
        stretches are full, `(length, batch, tags + 1)`; and what all beginnings and all ends weigh that lead to a tag,
        `(length, batch, tags)` each.
    """
    tags, length, batch = len(chain.end), size(scores, 0), size(scores, 1)
    both = op.concat([op.unsqueeze(each, ints(1)) for each in (weights, _reversed(weights, lengths))], axis=1)
    missing = op.mod(op.neg(length), ints(STRETCH))
    # that of the end is minus infinity, so that nothing follows it
    scores = op.pad(scores, ints(0, 0, 0, 0, 0, 1), op.const(-np.inf))
    scores, both = _fill_up(scores, missing), _fill_up(both, missing)
    evens, odds = _alternate(_in_stretches(scores, batch, ints(tags + 1)))
    both = _in_stretches(both, ints(2), batch, ints(tags))
    stretch = _Stretch(chain, op.unsqueeze(evens, ints(4)), op.unsqueeze(odds, ints(3)), both)
    starts = np.append(chain.start, -np.inf)[None, None, :, None]
    best = op.expand(op.const(starts), op.concat([ints(1), batch, ints(1, 1)], axis=0))
    ends = np.stack([_weights(chain.start), _weights(chain.end)])[None, :, None]
    sums = op.expand(op.const(ends), op.concat([ints(1, 1), batch, ints(1)], axis=0))
    count = op.squeeze(size(both, 0), ints(0))
    *_, of_evens, of_odds, messages = op.loop(count, v_initial=[best, sums], body=stretch)
    messages = op.reshape(messages, op.concat([ints(-1, 2), batch, ints(tags)], axis=0))
    messages = op.slice(messages, ints(0), length, ints(0))
    before, after = (op.squeeze(each, ints(1)) for each in op.split(messages, num_outputs=2, axis=1))
    tags_by_next = op.concat([op.unsqueeze(each, ints(2)) for each in (of_evens, of_odds)], axis=2)
    tags_by_next = op.reshape(tags_by_next, op.concat([ints(-1), batch, ints(tags + 1)], axis=0))
    return tags_by_next, before, _reversed(after, lengths)


class _Stretch:
    """The steps over the positions of a stretch.

    At even positions, the ways from tag to tag have the tag in their rows and the next one in their columns; at odd
    ones it is the other way round: so the best scores come out where the next step wants them.
    """

    def __init__(self, chain: Chain, *inputs: Var):
        """Take what is known of all stretches.

        Args:
            chain: The scores of the CRF.
            inputs: Scores at even positions, `(stretches, STRETCH / 2, batch, tags + 1, 1)`, and at odd ones,
                `(..., 1, tags + 1)`; weights in both directions, `(stretches, STRETCH, 2, batch, tags)`.
        """
        self.inputs = inputs
        steps = np.column_stack([chain.transitions, chain.end])
        self.steps = np.vstack([steps, np.full_like(steps[:1], -np.inf)])
        weights = _weights(chain.transitions)
        self.weights = np.stack([weights, weights.T])

    def __call__(self, stretch: Var, going_on: Var, best: Var, sums: Var) -> list[Var]:
        """Return the messages behind a stretch, and what is kept of each of its positions.

        Args:
            stretch: Which stretch it is.
            going_on: That it is computed.
            best: Score of the best beginning that leads to each tag, `(1, batch, tags + 1, 1)`.
            sums: Weight of all beginnings, and of all ends, that do, `(1, 2, batch, tags)`.
        """
        which = op.reshape(stretch, op.const([], np.int64))
        evens, odds, weights = (op.gather(each, which) for each in self.inputs)
        onward, back, shares = op.const(self.steps), op.const(self.steps.T), op.const(self.weights)
        even_bests, odd_bests, all_sums = [], [], []
        for even, odd in zip(*(op.split(each, num_outputs=STRETCH // 2, axis=0) for each in (evens, odds))):
            even_bests.append(op.add(best, even))
            best = op.reduce_max(op.add(even_bests[-1], onward), ints(2))
            odd_bests.append(op.add(best, odd))
            best = op.reduce_max(op.add(odd_bests[-1], back), ints(3))
        for step, weight in enumerate(op.split(weights, num_outputs=STRETCH, axis=0), start=1):
            all_sums.append(sums)
            sums = op.matmul(op.mul(sums, weight), shares)
            if step % RESCALED == 0:
                sums = op.div(sums, op.max([op.reduce_max(sums, ints(3)), op.const(SMALLEST)]))
        of_evens = op.arg_max(op.add(op.concat(even_bests, axis=0), onward), axis=2, keepdims=0)
        of_odds = op.arg_max(op.add(op.concat(odd_bests, axis=0), back), axis=3, keepdims=0)
        return [going_on, best, sums, of_evens, of_odds, op.concat(all_sums, axis=0)]


def _follow(tags_by_next: Var, lengths: Var, *, end: int) -> Var:
    """Return the best tags, `(length, batch)`, of the best tags at each position for what comes next.

    What each tag leads to is composed over twice as many positions in every turn.

    Args:
        tags_by_next: `(length, batch, tags + 1)`.
        lengths: How many positions each chain has, `(batch,)`.
        end: What comes next behind the last position.
    """

    def turn(_: Var, __: Var, reach: Var, composed: Var) -> list[Var]:
        further = op.gather(composed, op.min([op.add(places, reach), last]), axis=0)
        reach = op.add(reach, reach)
        return [op.less(reach, count), reach, op.gather_elements(composed, further, axis=2)]

    composed = op.pad(tags_by_next, ints(0, 0, 0, 1, 0, 0), number(end))
    count = size(composed, 0)
    places, last = positions(count), op.sub(count, number(1))
    inside = op.unsqueeze(op.less(op.unsqueeze(places, ints(1)), lengths), ints(2))
    composed = op.where(inside, composed, number(end))
    _, composed = op.loop(cond=op.const([True]), v_initial=[ints(1), composed], body=turn)
    return op.gather(composed, number(end), axis=2)


def _weights(scores: Array) -> Array:
    """Return exp of scores, the largest 1."""
    weights: Array = np.exp(scores - scores.max())
    return weights


def _fill_up(values: Var, missing: Var) -> Var:
    """Return values with so many positions of 0 behind them."""
    before = ints(*[0] * len(values.unwrap_tensor().shape or ()))
    return op.pad(values, op.concat([before, missing, part(before, 1, axis=0)], axis=0))


def _in_stretches(values: Var, *inner: Var) -> Var:
    """Return values by stretches, `(stretches, STRETCH, ...)`; the sizes of further axes are given."""
    return op.reshape(values, op.concat([ints(-1, STRETCH), *inner], axis=0))


def _alternate(values: Var) -> Sequence[Var]:
    """Return the values of even and of odd positions, `(stretches, STRETCH / 2, ...)`."""
    return [part(values, first, axis=1, step=2) for first in (0, 1)]


def _reversed(values: Var, lengths: Var) -> Var:
    """Return values, `(length, batch, ...)`, with the last position of each chain first."""
    return op.reverse_sequence(values, lengths, batch_axis=1, time_axis=0)
