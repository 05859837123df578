"""Random chains, CRFs with random parameters, and their tag sequences one by one: what tests of the CRF share."""

import contextlib
import itertools
from collections.abc import Iterator

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from malmoi import kernels
from malmoi.kernels import CrfRecursions, crf_scaled_scores
from malmoi.kernels.crf_numba import NUMBA
from malmoi.kernels.crf_pytorch_crf import PYTORCH_CRF
from malmoi.kernels.crf_torch import TORCH
from malmoi.modeling import linear_chain_crf
from malmoi.modeling.linear_chain_crf import LinearChainCrf

BIO_STARTS = [False, True, False, True, False]
BIO_STEPS = [
    [False, False, False, True, False],  # B-PS
    [False, False, False, True, False],  # I-PS
    [False, True, False, False, False],  # B-LC
    [False, True, False, False, False],  # I-LC
    [False, True, False, True, False],  # O
]
Chain = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Emissions, lengths, start, transitions and end."""
PATHS = ("plain", "torch", "log space", "numba", "pytorch-crf")
"""Ways to compute on a CPU: what travels with a saved model, ours, ours where weights are of no use, and so on."""


@contextlib.contextmanager
def computed_by(path: str) -> Iterator[None]:
    """Let every `LinearChainCrf` compute on one path, whatever it was built with.

    Args:
        path: One of `PATHS`.
    """
    recursions: dict[str, CrfRecursions] = {"numba": NUMBA, "pytorch-crf": PYTORCH_CRF}
    with pytest.MonkeyPatch.context() as patch:
        if path == "plain":
            patch.setattr(linear_chain_crf, "installed_kernels", lambda: None)
        else:
            patch.setattr(kernels, "choose", lambda *_: recursions.get(path, TORCH))
        if path == "log space":
            patch.setattr(crf_scaled_scores, "LARGEST_EXPONENT", -1.0)
        yield


def make_crf(tags: int, *, constrained: bool = False, scale: float = 1.0, seed: int = 0) -> LinearChainCrf:
    """Return a CRF in float64 with random parameters; if constrained, of five tags of which some may not follow."""
    crf = LinearChainCrf(
        tags,
        forbidden_starts=BIO_STARTS if constrained else None,
        forbidden_transitions=BIO_STEPS if constrained else None,
    ).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return crf


def random_mask(batch: int, length: int, generator: torch.Generator) -> Tensor:
    """Return a mask with holes, `(batch, length)`."""
    return torch.rand(batch, length, generator=generator) < 0.7


def is_legal(crf: LinearChainCrf, path: tuple[int, ...]) -> bool:
    """Tell whether a tag sequence is allowed."""
    steps = itertools.pairwise(path)
    starts, between = crf.constraints()
    return not starts[path[0]] and not any(between[a][b] for a, b in steps)


@torch.no_grad()
def enumerate_paths(crf: LinearChainCrf, emissions: Tensor) -> dict[tuple[int, ...], Tensor]:
    """Score every legal tag sequence of one sentence, `(length, tags)`, by the definition."""
    start, transitions, end = crf.start_transitions, crf.transitions, crf.end_transitions
    paths = score_sequences(emissions, start, transitions, end)
    return {path: score for path, score in paths.items() if is_legal(crf, path)}


def score_sequences(
    emissions: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> dict[tuple[int, ...], Tensor]:
    """Score every tag sequence of one sentence, `(length, tags)`, by the definition."""
    length, tags = emissions.shape
    paths = torch.cartesian_prod(*[torch.arange(tags)] * length).view(-1, length)
    scores = start[paths[:, 0]] + end[paths[:, -1]] + emissions[torch.arange(length), paths].sum(1)
    scores = scores + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    return dict(zip(map(tuple, paths.tolist()), scores))


def random_chain(batch: int, length: int, tags: int, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Chain:
    """Return emissions, lengths, start, transitions and end."""
    generator = torch.Generator().manual_seed(seed)
    emissions, start, transitions, end = (
        torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        for shape in ((batch, length, tags), (tags,), (tags, tags), (tags,))
    )
    return emissions, torch.randint(0, length + 1, (batch,), generator=generator), start, transitions, end


@st.composite
def chains(
    draw: st.DrawFn, *, max_length: int = 20, max_tags: int = 20, impossible: bool = False
) -> tuple[Tensor, ...]:
    """Draw emissions, labels, lengths, start, transitions and end of a few sentences, some of them forbidden steps.

    Args:
        draw: Of hypothesis.
        max_length: Most positions.
        max_tags: Most tags.
        impossible: Whether emissions may be minus infinity too.
    """
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    batch, length, tags = draw(st.integers(1, 6)), draw(st.integers(1, max_length)), draw(st.integers(1, max_tags))
    scale = draw(st.sampled_from([0.1, 1.0, 30.0, 300.0]))

    def random(*shape: int) -> Tensor:
        return scale * torch.randn(shape, generator=generator, dtype=torch.float64)

    lengths = torch.randint(0, length + 1, (batch,), generator=generator)
    labels = torch.randint(tags, (batch, length), generator=generator)
    emissions, start, transitions, end = random(batch, length, tags), random(tags), random(tags, tags), random(tags)
    # forbid, but leave one way that is always open
    if draw(st.booleans()):
        start[torch.rand(tags, generator=generator) < 0.3] = -torch.inf
        transitions[torch.rand(tags, tags, generator=generator) < draw(st.sampled_from([0.1, 0.8]))] = -torch.inf
        start[0], transitions[0], transitions[:, 0] = 0.0, 0.0, 0.0
        labels.zero_()
        if impossible:
            possible = emissions[:, :, 0].clone()
            emissions[torch.rand(emissions.shape, generator=generator) < 0.4] = -torch.inf
            emissions[:, :, 0] = possible
    return emissions, labels, lengths, start, transitions, end
