"""Measure where the time of a training step goes, and how little it could be.

python -m malmoi.benchmarks.step --data_dir DIR

The steps are those of our recipe `klue-ner-bi-lstm-crf`, in the stock Trainer. Shares are of the time that torch's
profiler finds inside its operations; the time of Python between them is the rest.

Two limits stand beside the time of a step: its LSTM's floating-point operations at the rate at which this machine
multiplies matrices, and the bytes that parameters and activations must move at the rate at which it copies.
"""

import time
from collections.abc import Callable, Sequence

import torch
from torch.profiler import ProfilerActivity, profile

from malmoi.benchmarks.measurement import machine_line, print_table, run_as_command, set_threads, write_results
from malmoi.benchmarks.our_training import OurTraining
from malmoi.benchmarks.peer_options import parse_peer_options
from malmoi.benchmarks.training import recipe_training

PARTS = {
    "LSTM": ("mkldnn_rnn", "MkldnnRnn", "aten::lstm", "_cudnn_rnn"),
    "CRF": ("_NegativeLogLikelihood",),
    "random numbers of dropout": ("aten::random_", "aten::bernoulli_"),
    "optimizer": ("_fused_adam", "Optimizer."),
    "norm of the gradient": ("vector_norm", "_foreach_norm"),
    "embeddings": ("embedding", "index_select"),
    "batches": ("DataLoader",),
    "reversal and reordering": ("aten::gather", "aten::scatter"),
}
"""Parts of a step, and what their operations are called."""
MATRIX_SIZE = 1024
COPIED_FLOATS = 16 * 2**20
REPEATS = 20
# multiplication and addition; forward, by input, by weights
OPERATIONS = 2 * 3
# parameter and two moments are read and written, the gradient is written and read
PARAMETER_PASSES = 8
# of each position and direction: input and its gradient, four gates, cell and output, written once and read once
ACTIVATION_PASSES = 2


def shares(training: OurTraining) -> list[dict[str, object]]:
    """Return the share of each part in the operations of an epoch."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        training.epoch()
    times = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    total = sum(times.values())
    rows: list[dict[str, object]] = []
    for part, names in PARTS.items():
        found = [key for key in times if any(name in key for name in names)]
        rows.append({"part": part, "share, %": 100 * sum(times.pop(key) for key in found) / total})
    rows.sort(key=lambda row: -float(str(row["share, %"])))
    return [*rows, {"part": "everything else", "share, %": 100 * sum(times.values()) / total}]


def matrix_rate() -> float:
    """Return how many floating-point operations a second a product of large matrices reaches."""
    left, right = torch.randn(2, MATRIX_SIZE, MATRIX_SIZE)
    return 2 * MATRIX_SIZE**3 / _fastest(lambda: left @ right)


def copy_rate() -> float:
    """Return how many bytes a second are read and written by copying more than fits near the processor."""
    source = torch.randn(COPIED_FLOATS)
    target = torch.empty_like(source)
    return 2 * 4 * COPIED_FLOATS / _fastest(lambda: target.copy_(source))


def limits(training: OurTraining) -> list[dict[str, object]]:
    """Return the median time of a step, and the two times below which it cannot fall."""
    config = training.model.config
    input_size = config.embedding_size + config.ngram_embedding_size * len(config.ngram_sizes)
    per_direction = config.hidden_size // 2
    batches = training.batches()
    positions = sum(batch["input_ids"].numel() for batch in batches) / len(batches)
    weights = 2 * 4 * per_direction * (input_size + per_direction)
    operations = OPERATIONS * positions * weights
    activations = 2 * positions * (2 * input_size + 6 * per_direction) * ACTIVATION_PASSES
    moved = 4 * (PARAMETER_PASSES * training.model.num_parameters() + activations)
    training.epoch()
    took = float(training.epoch()) / len(batches)
    rate, bandwidth = matrix_rate(), copy_rate()
    return [
        {"what": "a step", "milliseconds": 1000 * took, "how": f"{positions:,.0f} positions, padding included"},
        {
            "what": "least for the LSTM's arithmetic",
            "milliseconds": 1000 * operations / rate,
            "how": f"{operations / 1e9:.2f} billion operations at {rate / 1e9:,.0f} billion a second",
        },
        {
            "what": "least for what is moved",
            "milliseconds": 1000 * moved / bandwidth,
            "how": f"{moved / 2**20:,.0f} MiB at {bandwidth / 2**30:.1f} GiB a second",
        },
    ]


def _fastest(call: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several calls."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main(argv: Sequence[str]) -> None:
    """Measure, print two tables and write them as JSON."""
    options = parse_peer_options(argv, __doc__)
    set_threads(options.threads)
    with recipe_training(options) as training:
        bounds = limits(training)
        parts = shares(training)
    print_table(bounds, title="A training step of our recipe, and its limits")
    print_table(parts, title="Where the time of its operations goes")
    print(machine_line())
    write_results("step", options.as_settings(), [*bounds, *parts], options.output_dir)


if __name__ == "__main__":
    run_as_command(main)
