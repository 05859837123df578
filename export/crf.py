"""The best tags of a linear-chain CRF, and the probability of every tag, within a graph.

One `Loop` runs over stretches of `STRETCH` positions, so that what it costs beside the arithmetic is paid once for
many steps. It has three recursions: the best beginnings (Viterbi), and the sums over all beginnings and over all ends
(forward and backward); the latter two are one batch, as ends are read from the back.

A message says what all that comes before a position weighs, by the tag there; a step takes it over the position, by a
matrix for each position and row of the batch, which are made for a stretch at once. That of a position that carries no
tag changes nothing, so there may be holes anywhere, and what fills up the last stretch is one. All is in float64:
float32 could not tell apart the best scores of a long text, which are sums over it. Sums over sequences are of weights,
exp(score), and are brought back to a largest of 1 every `RESCALED` steps.
"""

from typing import NamedTuple

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from malmoi.export.constants import Array, ints, number, part, positions, size
from malmoi.modeling.linear_chain_crf import LinearChainCrf

STRETCH = 16
RESCALED = 8
HOLE, STEP, LAST = range(3)
"""What a position is to the chain: none of it, a tag that another follows, the last tag."""
SMALLEST = float(np.finfo(np.float64).tiny)


class ChainScores(NamedTuple):
    """The scores of a CRF, float64; minus infinity where something is forbidden."""

    start: Array
    """Score of beginning with a tag, `(tags,)`."""
    transitions: Array
    """Score of a step, `(previous tag, next tag)`."""
    end: Array
    """Score of ending with a tag, `(tags,)`."""

    @classmethod
    def of(cls, crf: LinearChainCrf) -> "ChainScores":
        """Return the scores of a CRF, its constraints among them."""
        starts, steps = map(np.array, crf.constraints())
        start, transitions, end = (
            each.detach().double().cpu().numpy()
            for each in (crf.start_transitions, crf.transitions, crf.end_transitions)
        )
        return cls(np.where(starts, -np.inf, start), np.where(steps, -np.inf, transitions), end)

    def score(self, tags: Array, emissions: Array) -> float:
        """Return the score of tags, `(length,)`, with emissions, `(length, tags)`."""
        own = self.start[tags[0]] + self.end[tags[-1]] + emissions[np.arange(len(tags)), tags].sum(dtype=np.float64)
        return float(own + self.transitions[tags[:-1], tags[1:]].sum())


def decode(chain: ChainScores, emissions: Var, tagged: Var) -> tuple[Var, Var]:
    """Return the best tags, `(length, batch)`, and the probability of every tag, float64, `(length, batch, tags)`.

    What they are where no tag is carried means nothing.

    Args:
        chain: The scores of the CRF.
        emissions: Score of every tag at every position, float32, `(length, batch, tags)`.
        tagged: Which positions carry a tag, `(length, batch)`.
    """
    length = size(emissions, 0)
    missing = op.mod(op.neg(length), ints(STRETCH))
    carried = op.cast(tagged, to=np.int64)
    left = op.cumsum(carried, number(0), reverse=1)
    kinds = op.add(carried, op.cast(op.and_(tagged, op.equal(left, number(1))), to=np.int64))
    scores = op.where(op.unsqueeze(tagged, ints(2)), op.cast(emissions, to=np.float64), op.const(0.0))
    scores, kinds = _fill_up(scores, missing), _fill_up(kinds, missing)
    weights = op.exp(op.sub(scores, op.reduce_max(scores, ints(2))))
    tags_by_next, before, after = _scan(chain, scores, weights, kinds)
    tags = _follow(tags_by_next)
    joint = op.mul(op.mul(before, weights), after)
    summed = op.max([op.reduce_sum(joint, ints(2)), op.const(SMALLEST)])
    return _cut(tags, length), _cut(op.div(joint, summed), length)


def _scan(chain: ChainScores, scores: Var, weights: Var, kinds: Var) -> tuple[Var, Var, Var]:
    """Run over the positions.

    Args:
        chain: The scores of the CRF.
        scores: Score of every tag at every position, 0 at holes, `(length, batch, tags)`.
        weights: Their weights, `(length, batch, tags)`.
        kinds: What each position is to the chain, `(length, batch)`.

    Returns:
        The best tag at each position for each tag that may come next, `(length, batch, tags)`, and what all beginnings
        and all ends weigh that lead to a tag, `(length, batch, tags)` each.
    """
    tags, batch = len(chain.start), size(scores, 1)
    both_kinds = op.concat([kinds, op.add(_reversed(kinds), number(LAST + 1))], axis=1)
    both_weights = op.concat([weights, _reversed(weights)], axis=1)
    best = op.expand(op.const(chain.start[None, None, :, None]), op.concat([ints(1), batch, ints(tags, 1)], axis=0))
    ends = np.stack([_weights(chain.start), _weights(chain.end)])[:, None]
    sums = op.expand(op.const(ends), op.concat([ints(2), batch, ints(tags)], axis=0))
    sums = op.reshape(sums, ints(1, -1, 1, tags))
    stretches = [
        _in_stretches(op.unsqueeze(scores, ints(3)), tags, 1),
        _in_stretches(kinds),
        _in_stretches(op.unsqueeze(both_weights, ints(3)), tags, 1),
        _in_stretches(both_kinds),
    ]
    count = op.squeeze(size(stretches[0], 0), ints(0))
    *_, tags_by_next, messages = op.loop(count, v_initial=[best, sums], body=_Stretch(chain, *stretches))
    messages = op.reshape(messages, op.concat([ints(-1), batch, ints(tags)], axis=0))
    # (stretches, positions, directions and batch, 1, tags) -> (positions, directions, batch, tags)
    messages = op.reshape(messages, op.concat([ints(-1, 2), batch, ints(tags)], axis=0))
    before, after = (op.squeeze(each, ints(1)) for each in op.split(messages, num_outputs=2, axis=1))
    tags_by_next = op.reshape(tags_by_next, op.concat([ints(-1), batch, ints(tags)], axis=0))
    return tags_by_next, before, _reversed(after)


class _Stretch:
    """The steps over the positions of a stretch."""

    def __init__(self, chain: ChainScores, *inputs: Var):
        """Take what is known of all stretches, the first axis of each: scores, kinds, and both of both directions.

        Args:
            chain: The scores of the CRF.
            inputs: Scores, `(..., STRETCH, batch, tags, 1)`, and kinds, `(..., STRETCH, batch)`, of positions;
                weights of both directions, `(..., STRETCH, 2 * batch, tags, 1)`, and their rows in the table of
                weights, `(..., STRETCH, 2 * batch)`.
        """
        self.inputs = inputs
        tags = len(chain.start)
        nothing = np.where(np.eye(tags, dtype=bool), 0.0, -np.inf)
        ended = np.broadcast_to(chain.end[:, None], (tags, tags))
        self.scores = np.stack([nothing, chain.transitions, ended])
        steps = _weights(chain.transitions)
        self.weights = np.stack([np.eye(tags), steps, steps, np.eye(tags), steps.T, steps.T])

    def __call__(self, stretch: Var, going_on: Var, best: Var, sums: Var) -> list[Var]:
        """Return the messages behind a stretch, and what is kept of each of its positions.

        Args:
            stretch: Which stretch it is.
            going_on: That it is computed.
            best: Score of the best beginning that leads to each tag, `(1, batch, tags, 1)`.
            sums: Weight of all beginnings, and of all ends, that do, `(1, 2 * batch, 1, tags)`.
        """
        which = op.reshape(stretch, op.const([], np.int64))
        scores, kinds, weights, both_kinds = (op.gather(each, which) for each in self.inputs)
        # (STRETCH, batch, tag, next tag)
        ways = op.add(op.gather(op.const(self.scores), kinds), scores)
        shares = op.mul(op.gather(op.const(self.weights), both_kinds), weights)
        bests, all_sums = [], []
        one_by_one = zip(*(op.split(each, num_outputs=STRETCH, axis=0) for each in (ways, shares)))
        for step, (way, share) in enumerate(one_by_one, start=1):
            bests.append(best)
            all_sums.append(sums)
            best = op.unsqueeze(op.reduce_max(op.add(best, way), ints(2), keepdims=0), ints(3))
            sums = op.matmul(sums, share)
            if step % RESCALED == 0:
                sums = op.div(sums, op.max([op.reduce_max(sums, ints(3)), op.const(SMALLEST)]))
        tags_by_next = op.arg_max(op.add(op.concat(bests, axis=0), ways), axis=2, keepdims=0)
        return [going_on, best, sums, tags_by_next, op.concat(all_sums, axis=0)]


def _follow(tags_by_next: Var) -> Var:
    """Return the best tags, `(length, batch)`, for the best tag at each position by the next one.

    What each tag leads to is composed over twice as many positions in every turn.
    """

    def turn(_: Var, __: Var, reach: Var, composed: Var) -> list[Var]:
        further = op.gather(composed, op.min([op.add(places, reach), last]), axis=0)
        reach = op.add(reach, reach)
        return [op.less(reach, end), reach, op.gather_elements(composed, further, axis=2)]

    rows = op.shape(tags_by_next)
    itself = op.expand(positions(size(tags_by_next, 2)), op.concat([ints(1), part(rows, 1, axis=0)], axis=0))
    composed = op.concat([tags_by_next, itself], axis=0)
    end = size(composed, 0)
    places, last = positions(end), op.sub(end, number(1))
    _, composed = op.loop(cond=op.const([True]), v_initial=[ints(1), composed], body=turn)
    return op.gather(composed, number(0), axis=2)


def _weights(scores: Array) -> Array:
    """Return exp of scores, the largest 1."""
    weights: Array = np.exp(scores - scores.max())
    return weights


def _fill_up(values: Var, missing: Var) -> Var:
    """Return values with so many positions of 0 behind them."""
    before = ints(*[0] * len(values.unwrap_tensor().shape or ()))
    return op.pad(values, op.concat([before, missing, part(before, 1, axis=0)], axis=0))


def _in_stretches(values: Var, *inner: int) -> Var:
    """Return values by stretches, `(stretches, STRETCH, batch, ...)`."""
    return op.reshape(values, op.concat([ints(-1, STRETCH), size(values, 1), ints(*inner)], axis=0))


def _reversed(values: Var) -> Var:
    """Return values with the last position first."""
    return part(values, -1, axis=0, step=-1)


def _cut(values: Var, length: Var) -> Var:
    """Return so many of the first positions."""
    return op.slice(values, ints(0), length, ints(0))
