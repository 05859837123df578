"""Measure a linear-chain CRF on the CPU: loss with gradients, best tags and probabilities, ours beside pytorch-crf.

python -m malmoi.benchmarks.crf

Random scores and labels in float32, sentences of equal length; parameters are the same for all. Every path is first
compared with sums in log space in float64. pytorch-crf (https://github.com/kmkurn/pytorch-crf) computes no
probabilities of tags, so those are compared with `torch`, our path without a compiler. `plain` is what a saved model
computes with where malmoi is not installed; the last column says how many times as long that takes as with malmoi.

Times on a machine that others use too mean little; what counts are ratios of times of one round.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchcrf import CRF

from malmoi.benchmarks.measurement import (
    RESULTS,
    machine_line,
    print_table,
    ratio,
    run_as_command,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.kernels import crf_log_space
from malmoi.kernels.crf_gold import less_gold
from malmoi.kernels.crf_numba import NUMBA
from malmoi.kernels.crf_torch import TORCH
from malmoi.modeling.linear_chain_crf import PYTORCH, LinearChainCrf

SHAPES = ((32, 128, 13), (64, 64, 13), (8, 512, 13), (32, 128, 41))
"""Batch, length and tags; 13 are the tags of KLUE."""
TOLERANCE = 1e-5
PLAIN = "plain"
Row = dict[str, object]


class PlainCrf(LinearChainCrf):
    """The CRF of a saved model where malmoi is not installed."""

    def _recursions(self, device: torch.device) -> Any:
        return PYTORCH


class Chain:
    """Random sentences, and the CRFs that compute with them, all with the same parameters.

    Args:
        shape: Batch, length and tags.
        implementations: Which of ours take part; `"plain"` is that of a saved model without malmoi.
    """

    def __init__(self, shape: tuple[int, int, int], implementations: Sequence[str]):
        batch, length, tags = shape
        generator = torch.Generator().manual_seed(0)
        self.emissions = torch.randn(shape, generator=generator, requires_grad=True)
        self.labels = torch.randint(tags, (batch, length), generator=generator)
        self.mask = torch.ones(batch, length, dtype=torch.bool)
        self.peer = CRF(tags, batch_first=True)
        self.ours = {
            name: PlainCrf(tags) if name == PLAIN else LinearChainCrf(tags, implementation=name)
            for name in implementations
        }
        for crf in self.ours.values():
            crf.load_state_dict(self.peer.state_dict())

    def losses(self) -> Mapping[str, Callable[[], object]]:
        """Return, by name, what computes the loss of the batch and all gradients."""

        def of_peer() -> None:
            self._derive(-self.peer(self.emissions, self.labels, self.mask), self.peer)

        def of_ours(crf: LinearChainCrf) -> Callable[[], None]:
            return lambda: self._derive(crf.negative_log_likelihood(self.emissions, self.labels, self.mask).sum(), crf)

        return {"pytorch-crf": of_peer} | {name: of_ours(crf) for name, crf in self.ours.items()}

    def decodings(self) -> Mapping[str, Callable[[], object]]:
        """Return, by name, what finds the best tags."""
        ours = {name: self._bound(crf.decode) for name, crf in self.ours.items()}
        return {"pytorch-crf": lambda: self.peer.decode(self.emissions, self.mask)} | ours

    def marginals(self) -> Mapping[str, Callable[[], object]]:
        """Return, by name, what computes the probabilities of tags."""
        return {name: self._bound(crf.marginals) for name, crf in self.ours.items()}

    def check(self) -> None:
        """Compare every path of ours with the reference.

        Raises:
            RuntimeError: If one differs.
        """
        for name, crf in self.ours.items():
            start, transitions, end = (scores.detach() for scores in crf.scores(torch.float64))
            scores = (self.emissions.detach().double(), self.labels, self.mask.sum(1), start, transitions, end)
            loss, unary, _ = less_gold(*crf_log_space.expectations(scores[0], *scores[2:]), *scores)
            self._derive(crf.negative_log_likelihood(self.emissions, self.labels, self.mask).sum(), crf)
            assert self.emissions.grad is not None
            gradient_error = float((self.emissions.grad - unary).abs().max())
            computed = crf.negative_log_likelihood(self.emissions.detach(), self.labels, self.mask).detach()
            loss_error = float(((computed - loss) / loss).abs().max())
            if max(gradient_error, loss_error) > TOLERANCE:
                raise RuntimeError(f"{name}: loss is off by {loss_error:.1g}, its gradient by {gradient_error:.1g}.")

    def _bound(self, method: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], object]:
        return lambda: method(self.emissions, self.mask)

    def _derive(self, loss: Tensor, crf: torch.nn.Module) -> None:
        self.emissions.grad = None
        crf.zero_grad()
        loss.backward()


def compare(shape: tuple[int, int, int], implementations: Sequence[str], rounds: int) -> list[Row]:
    """Return a row for each thing that a CRF computes."""
    chain = Chain(shape, implementations)
    chain.check()
    rows: list[Row] = []
    for what, candidates in (
        ("loss and gradients", chain.losses()),
        ("best tags", chain.decodings()),
        ("probabilities", chain.marginals()),
    ):
        timings = time_alternately(candidates, rounds=rounds, warmup=3)
        peer = next(iter(candidates))
        row: Row = {"computed": what, "batch, length, tags": ", ".join(map(str, shape)), "peer": peer}
        row["peer takes"] = timings[peer]
        for name in implementations:
            if name != peer:
                row[f"{name} takes"] = timings[name]
                row[f"{name} is faster by"] = ratio(timings[peer], timings[name])
        if PLAIN in implementations:
            fastest = "numba" if "numba" in implementations else "torch"
            row["with malmoi, faster by"] = ratio(timings[PLAIN], timings[fastest])
        rows.append(row)
    return rows


def goals(rows: Sequence[Mapping[str, object]], goal: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return a line for each figure that is aimed at."""
    lines = []
    for name, (loss, decoding) in goal.items():
        for what, least in (("loss and gradients", loss), ("best tags", decoding)):
            ratios = [row[f"{name} is faster by"] for row in rows if row["computed"] == what]
            lowest = min(ratios, key=lambda sample: sample.median)  # type: ignore[attr-defined]
            lines.append(f"{name}, {what}: at least {least:g} times as fast is aimed at; the lowest is {lowest}")
    return lines


def main(argv: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m malmoi.benchmarks.crf", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=50, help="how often each is timed")
    parser.add_argument("--threads", type=int, default=2, help="threads of the processor, the same for all")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="where crf.json is written")
    options = parser.parse_args(argv)
    set_threads(options.threads)
    implementations = [backend.name for backend in (TORCH, NUMBA) if backend.supports(torch.device("cpu"), 1)] + [
        PLAIN
    ]
    rows = [row for shape in SHAPES for row in compare(shape, implementations, options.rounds)]
    print_table(rows, title="Linear-chain CRF, medians (quartiles)")
    print(machine_line())
    aims = {name: aim for name, aim in {"torch": (5, 3), "numba": (20, 20)}.items() if name in implementations}
    print("\n".join(goals(rows, aims)))
    if "numba" not in implementations:
        print("Without numba, which is not installed: pip install 'malmoi[fast]'.")
    path = write_results("crf", {"rounds": options.rounds, "threads": options.threads}, rows, options.output_dir)
    print(f"Written to {path}.")


if __name__ == "__main__":
    run_as_command(main)
