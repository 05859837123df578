"""The Triton kernels of the CRF on a GPU: whether they are right, and how fast they are beside pytorch-crf."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchcrf import CRF as LibraryCrf

from malmoi.benchmarks.measurement import ratio, time_alternately
from malmoi.kernels import crf_log_space
from malmoi.kernels.crf_backend import CrfBackend
from malmoi.kernels.crf_gold import less_gold
from malmoi.kernels.crf_torch import TORCH
from malmoi.kernels.crf_triton import TRITON
from malmoi.modeling.linear_chain_crf import LinearChainCrf

Rows = list[dict[str, object]]
SEED = 0
SIZES = ((64, 128, 13), (32, 128, 13), (64, 64, 13), (8, 512, 13), (32, 128, 41))
"""Batch, length, tags."""
GOALS = {(64, 128, 13): 40}
IMPLEMENTATIONS = ("triton", "torch")
WARMUP = 3
# what rounding may cost: of a log-partition function and what is compared with it, of a probability, of a position
LIMITS = {torch.float32: 1e-4, torch.float64: 1e-9}
LIBRARY = "pytorch-crf"


class Case(NamedTuple):
    """Compacted sentences with random scores.

    Args:
        name: What is special about them.
        batch: Number of sentences; their lengths are random, the first is empty and the last as long as can be.
        length: Length of the longest.
        tags: Number of tags.
        spread: Standard deviation of the scores of positions.
        forbidden: Share of the steps that are forbidden.
    """

    name: str
    batch: int
    length: int
    tags: int
    spread: float = 1.0
    forbidden: float = 0.0

    def scores(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return emissions, lengths, start, transitions and end as a backend takes them, in float32."""
        generator = torch.Generator().manual_seed(SEED)
        emissions = self.spread * torch.randn(self.batch, self.length, self.tags, generator=generator)
        lengths = torch.randint(self.length + 1, (self.batch,), generator=generator)
        lengths[0], lengths[-1] = 0, self.length
        start, end = torch.randn(2, self.tags, generator=generator)
        transitions = torch.randn(self.tags, self.tags, generator=generator)
        forbidden = torch.rand(self.tags, self.tags, generator=generator) < self.forbidden
        # who stays at a tag is always allowed, so that every sentence has a tag sequence
        transitions = transitions.masked_fill(forbidden.fill_diagonal_(False), -torch.inf)
        return emissions, lengths, start, transitions, end


CASES = (
    Case("plain", 64, 128, 13),
    Case("one tag", 4, 16, 1),
    Case("41 tags, a third of the steps forbidden", 32, 128, 41, forbidden=1 / 3),
    Case("128 tags", 8, 64, 128),
    Case("scores of 10,000", 16, 128, 13, spread=1e4, forbidden=0.2),
    Case("4,096 positions", 4, 4096, 13),
    Case("4,096 positions, scores of 10,000", 4, 4096, 13, spread=1e4),
)


def check_kernels(device: torch.device, *, backend: CrfBackend = TRITON, cases: Sequence[Case] = CASES) -> Rows:
    """Compare a backend with the recursions in log space, in float64 and on the CPU.

    Args:
        device: Where the backend runs.
        backend: What is checked.
        cases: What it is checked on.

    Returns:
        A row per case and type, with the largest errors and with `holds`: `yes` if they are what rounding explains.
    """
    return [_check(case, dtype, device, backend) for case in cases for dtype in LIMITS]


def _check(case: Case, dtype: torch.dtype, device: torch.device, backend: CrfBackend) -> dict[str, object]:
    emissions, lengths, *others = case.scores()
    reference = [emissions.double(), lengths, *(scores.double() for scores in others)]
    inputs = [emissions.to(device, dtype), lengths.to(device), *(scores.to(device, dtype) for scores in others)]
    # the best tags are labels that no forbidden step is in
    labels = TORCH.viterbi(*reference)
    best = path_scores(labels, *reference)
    found = path_scores(backend.viterbi(*inputs).cpu(), *reference)
    log_partition, unary, pairs = crf_log_space.expectations(*reference)
    expected = less_gold(log_partition.clone(), unary, pairs, reference[0], labels, *reference[1:])
    results = backend.loss_and_gradients(inputs[0], labels.to(device), *inputs[1:])
    size = log_partition.abs().clamp(min=1)
    errors = {
        "log partition": _largest((backend.expectations(*inputs)[0].cpu() - log_partition) / size),
        "loss": _largest((results[0].cpu() - expected[0]) / size),
        "by emissions": _largest(results[1].cpu() - expected[1]),
        "by transitions": _largest(results[2].cpu() - expected[2]) / case.length,
        "Viterbi score": _largest((found - best) / size),
    }
    holds = all(error <= LIMITS[dtype] for error in errors.values())
    return {
        "case": case.name,
        "batch": case.batch,
        "length": case.length,
        "tags": case.tags,
        "type": str(dtype).removeprefix("torch."),
        **errors,
        "allowed": LIMITS[dtype],
        "holds": "yes" if holds else "no",
    }


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max())  # not a number if any is not


def path_scores(
    tags: Tensor, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Return the score of the tags of each sentence, `(batch,)`; `tags`, `(batch, length)`, as Viterbi gives them."""
    inside = tags >= 0
    tags = tags.clamp(min=0)
    emitted = emissions.gather(2, tags[:, :, None])[:, :, 0].masked_fill(~inside, 0).sum(1)
    steps = transitions[tags[:, :-1], tags[:, 1:]].masked_fill(~inside[:, 1:], 0).sum(1)
    last = tags.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
    return (emitted + steps + start[tags[:, 0]] + end[last]).masked_fill(lengths == 0, 0)


def compare_crf(
    device: torch.device,
    *,
    rounds: int,
    sizes: Sequence[tuple[int, int, int]] = SIZES,
    implementations: Sequence[str] = IMPLEMENTATIONS,
) -> Rows:
    """Time loss with gradient, and Viterbi, beside pytorch-crf; all sentences of a batch are equally long.

    Args:
        device: Where it runs.
        rounds: How often each is timed.
        sizes: Batch, length, tags.
        implementations: Ours; the first is the one whose ratio is given.
    """
    rows: Rows = []
    for size in sizes:
        calls = _calls(size, device, implementations)
        for what, candidates in calls.items():
            timings = time_alternately(candidates, rounds=rounds, warmup=WARMUP)
            rows.append(
                {
                    "CRF": what,
                    **dict(zip(("batch", "length", "tags"), size)),
                    **timings,
                    "ratio": ratio(timings[LIBRARY], timings[implementations[0]]),
                    "goal": GOALS.get(size),
                }
            )
    return rows


def _calls(
    size: tuple[int, int, int], device: torch.device, implementations: Sequence[str]
) -> dict[str, dict[str, Callable[[], object]]]:
    """Return what is timed, by task and implementation. All have the same weights, scores and labels."""
    batch, length, tags = size
    torch.manual_seed(SEED)
    emissions = torch.randn(batch, length, tags).to(device).requires_grad_()
    labels = torch.randint(tags, (batch, length)).to(device)
    mask = torch.ones(batch, length, dtype=torch.bool, device=device)
    library = LibraryCrf(tags, batch_first=True).to(device)
    calls: dict[str, dict[str, Callable[[], object]]] = {
        "loss and gradient": {LIBRARY: partial(_library_gradient, library, emissions, labels, mask)},
        "Viterbi": {LIBRARY: partial(library.decode, emissions, mask=mask)},
    }
    for name in implementations:
        crf = LinearChainCrf(tags, implementation=name).to(device)
        crf.load_state_dict(library.state_dict())
        calls["loss and gradient"][name] = partial(_our_gradient, crf, emissions, labels, mask)
        calls["Viterbi"][name] = partial(crf.decode, emissions, mask)
    return {
        what: {name: finished(call, device) for name, call in candidates.items()} for what, candidates in calls.items()
    }


def _our_gradient(crf: LinearChainCrf, emissions: Tensor, labels: Tensor, mask: Tensor) -> None:
    loss = crf.negative_log_likelihood(emissions, labels, mask).sum()
    torch.autograd.grad(loss, [emissions, *crf.parameters()])


def _library_gradient(library: nn.Module, emissions: Tensor, labels: Tensor, mask: Tensor) -> None:
    torch.autograd.grad(-library(emissions, labels, mask=mask), [emissions, *library.parameters()])


def finished(call: Callable[[], object], device: torch.device) -> Callable[[], None]:
    """Return a call that also waits for the device: what is launched on a GPU is not done when a call returns."""

    def call_and_wait() -> None:
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return call_and_wait
