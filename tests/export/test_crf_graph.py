"""The CRF of a graph beside all sequences of tags, one by one."""

import itertools

import numpy as np
import onnxruntime
import pytest
import spox
from numpy.typing import NDArray

from malmoi.export.crf import STRETCH, decode
from malmoi.inference.engine import Chain

Array = NDArray[np.float64]


def session(chain: Chain) -> onnxruntime.InferenceSession:
    tags = len(chain.end)
    emissions = spox.argument(spox.Tensor(np.float32, ("length", "batch", tags)))
    tagged = spox.argument(spox.Tensor(np.bool_, ("length", "batch")))
    best, marginals = decode(chain, emissions, tagged)
    graph = spox.build({"emissions": emissions, "tagged": tagged}, {"tags": best, "marginals": marginals})
    graph.ir_version = 9
    return onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])


def enumerated(chain: Chain, emissions: Array) -> tuple[list[int], Array]:
    """Return the best tags of a sentence, and the probability of every tag, from all sequences."""
    length, tags = emissions.shape
    paths = np.array(list(itertools.product(range(tags), repeat=length)))
    scores = np.array([chain.score(path, emissions) for path in paths])
    weights = np.exp(scores - scores.max())
    marginals = [[weights[paths[:, place] == tag].sum() for tag in range(tags)] for place in range(length)]
    return paths[scores.argmax()].tolist(), np.array(marginals) / weights.sum()


@pytest.mark.filterwarnings("ignore:Output type for variable")
@pytest.mark.parametrize("tags", [1, 2, 3])
@pytest.mark.parametrize("constrained", [False, True])
def test_all_sequences_give_the_same(tags: int, constrained: bool) -> None:
    draw = np.random.default_rng(tags)
    start, steps, end = draw.normal(size=tags), draw.normal(size=(tags, tags)), draw.normal(size=tags)
    if constrained and tags > 1:
        start[1] = -np.inf
        steps[0, 1] = -np.inf
    chain = Chain(start, steps, end)
    graph = session(chain)
    for length in (1, 2, 6, STRETCH, STRETCH + 1):
        emissions = (3 * draw.normal(size=(length, 12, tags))).astype(np.float32)
        tagged = draw.random((length, 12)) < min(1.0, 6 / length)
        tagged &= np.cumsum(tagged, axis=0) <= 8  # more sequences would be too many
        tagged[:, 0] = False
        best, marginals = graph.run(["tags", "marginals"], {"emissions": emissions, "tagged": tagged})
        for row in range(12):
            inside = tagged[:, row]
            if inside.any():
                expected_tags, expected = enumerated(chain, emissions[inside, row].astype(np.float64))
                assert best[inside, row].tolist() == expected_tags
                assert np.abs(marginals[inside, row] - expected).max() < 1e-9
