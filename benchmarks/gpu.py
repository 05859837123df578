"""Measure everything that needs an NVIDIA GPU, in one call.

python -m malmoi.benchmarks.gpu --data_dir DIR

- kernels: the Triton kernels of the CRF against the recursions in float64
- crf: loss with gradient, and Viterbi, of the CRF: the Triton kernels, our PyTorch path and pytorch-crf
- lstm: ours, two directions over padded sentences, the second reversed, beside torch's own over packed ones
- epochs: S1's architecture, ours beside S1's loop and beside fine-tuning a BERT of base size
- precisions: our recipe in float32, fp16 and bf16: figure, peak memory, time of an epoch

Candidates take turns in one process after a warm-up, and every call waits for the GPU. Results are printed and
written, one JSON file each with the versions, as soon as they are there.
"""

import argparse
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from malmoi.benchmarks.benchmark_data import data_flags, describe_source
from malmoi.benchmarks.gpu_crf import check_kernels, compare_crf
from malmoi.benchmarks.gpu_training import compare_epochs, compare_lstm_paths, compare_precisions
from malmoi.benchmarks.measurement import RESULTS, machine_line, print_table, run_as_command, write_results
from malmoi.benchmarks.peer_options import PeerOptions
from malmoi.data.user_error import UserError
from malmoi.kernels.crf_triton import TRITON

Rows = list[dict[str, object]]
Part = Callable[[PeerOptions, torch.device], Rows]
PARTS: dict[str, Part] = {
    "kernels": lambda options, device: check_kernels(device),
    "crf": lambda options, device: compare_crf(device, rounds=options.rounds),
    "lstm": lambda options, device: compare_lstm_paths(device, rounds=options.rounds),
    "epochs": lambda options, device: compare_epochs(replace(options, rounds=ROUNDS_OF_EPOCHS), device),
    "precisions": lambda options, device: compare_precisions(data_flags(options.data_dir)),
}
SENTENCES = 4096
ROUNDS = 20
ROUNDS_OF_EPOCHS = 3  # an epoch of a peer takes as long as many rounds of the others


def find_gpu() -> torch.device:
    """Return the GPU.

    Raises:
        UserError: If there is none, or Triton cannot be used.
    """
    if not torch.cuda.is_available():
        raise UserError("This measures what an NVIDIA GPU does, and torch finds none here.")
    device = torch.device("cuda")
    if not TRITON.supports(device, 1):
        raise UserError("This measures Triton kernels; `pip install triton`, which also needs a C compiler.")
    return torch.device("cuda", torch.cuda.current_device())


def measure(parts: Sequence[str], options: PeerOptions, device: torch.device) -> list[str]:
    """Measure, print and write one part after the other.

    Returns:
        The parts that failed, and `kernels` if an error is larger than rounding explains.
    """
    settings = {**options.as_settings(), "data": describe_source(options.data_dir), "CUDA": torch.version.cuda}
    failed = []
    for part in parts:
        try:
            rows = PARTS[part](options, device)
        except Exception:  # what the other parts measure is not lost with it
            traceback.print_exc()
            failed.append(part)
            continue
        print_table(rows, title=part)
        write_results(part, settings, rows, options.output_dir)
        if any(row.get("holds") == "no" for row in rows):
            failed.append(part)
    return failed


def main(argv: list[str]) -> None:
    """Measure what was asked for.

    Raises:
        UserError: If there is no GPU, or a part failed.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument("--output_dir", type=Path, default=RESULTS / "gpu", help="folder for the JSON files")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what is measured; all by default"
    )
    parser.add_argument(
        "--sentences", type=int, default=SENTENCES, help="sentences of an epoch; by default %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often a short call is timed")
    given = parser.parse_args(argv)
    device = find_gpu()
    options = PeerOptions(
        data_dir=given.data_dir,
        peers=("s1", "bert"),
        sentences=given.sentences,
        bert_sentences=given.sentences,
        rounds=given.rounds,
        output_dir=given.output_dir,
    )
    failed = measure(given.parts, options, device)
    print(machine_line())
    if failed:
        raise UserError(f"Not all is well: {', '.join(failed)}. What was measured is in {given.output_dir}.")


if __name__ == "__main__":
    run_as_command(main)
