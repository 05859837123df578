"""Training on a GPU: our LSTM beside that of torch, epochs beside S1's loop and BERT, and half precision."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from malmoi.benchmarks.gpu_crf import finished
from malmoi.benchmarks.measurement import ratio, time_alternately
from malmoi.benchmarks.peer_options import PeerOptions
from malmoi.benchmarks.peers.bert import BertFineTuning, build_bert
from malmoi.benchmarks.peers.s1_loop import S1Loop, S1Tagger, pad_sentences
from malmoi.benchmarks.training import bert_batches, s1_training
from malmoi.modeling.bilstm import BiLstm
from malmoi.reports.report import read_report

Rows = list[dict[str, object]]
LstmPath = Callable[[Tensor, Tensor], Tensor]
LSTM_SIZES = ((32, 64, 768, 256), (32, 64, 256, 400), (64, 128, 768, 256), (8, 512, 256, 400))
"""Batch, length, width of the input, width of the output."""
WARMUP = 3
PACKED, OURS = "torch, packed", "ours"
S1_LOOP, BERT = "S1's loop", "BERT-base, fine-tuning"
GOALS = {S1_LOOP: 10, BERT: 5}
RECIPE = "klue-ner-bi-lstm-crf"
PRECISIONS: dict[str, tuple[str, ...]] = {"float32": (), "fp16": ("--fp16", "true"), "bf16": ("--bf16", "true")}
GIB = 1 << 30


def compare_lstm_paths(
    device: torch.device, *, rounds: int, sizes: Sequence[tuple[int, int, int, int]] = LSTM_SIZES
) -> Rows:
    """Time our LSTM, two directions over padded sentences, the second reversed, beside torch's own over packed ones.

    Lengths are spread evenly from half the longest to the longest, as in batches of similar length.
    """
    rows: Rows = []
    for batch, length, input_size, output_size in sizes:
        torch.manual_seed(0)
        lstm = BiLstm(input_size, output_size, num_layers=1, dropout=0.0).to(device)
        stock = torch.nn.LSTM(input_size, output_size // 2, batch_first=True, bidirectional=True).to(device)
        stock.load_state_dict(lstm.state_dict())
        inputs = torch.randn(batch, length, input_size).to(device).requires_grad_()
        lengths = torch.linspace(length / 2, length, batch).ceil().long().to(device)
        paths: dict[str, LstmPath] = {PACKED: partial(_run_packed, stock), OURS: lstm}
        for what, pass_through in {"training": _forward_and_backward, "inference": _forward}.items():
            lstm.train(what == "training")
            stock.train(what == "training")
            candidates = {
                name: finished(partial(pass_through, path, inputs, lengths), device) for name, path in paths.items()
            }
            timings = time_alternately(candidates, rounds=rounds, warmup=WARMUP)
            rows.append(
                {
                    "LSTM": what,
                    **dict(zip(("batch", "length", "input", "output"), (batch, length, input_size, output_size))),
                    **timings,
                    "ratio": ratio(timings[PACKED], timings[OURS]),
                }
            )
    return rows


def _run_packed(lstm: torch.nn.LSTM, inputs: Tensor, lengths: Tensor) -> Tensor:
    packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=inputs.size(1))[0]


def _forward_and_backward(path: LstmPath, inputs: Tensor, lengths: Tensor) -> None:
    path(inputs, lengths).sum().backward()


@torch.inference_mode()
def _forward(path: LstmPath, inputs: Tensor, lengths: Tensor) -> None:
    path(inputs, lengths)


class WaitForLastStep(TrainerCallback):
    """Waits until the GPU has done all steps, so that a clock that is stopped then has seen them all."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Wait, after the last step."""
        if state.global_step == state.max_steps and args.device.type == "cuda":
            torch.cuda.synchronize(args.device)


class S1LoopOnDevice(S1Loop):
    """S1's loop with its model on a device, to which each batch is brought."""

    def step(self, input_ids: Tensor, tags: Tensor, mask: Tensor) -> float:
        """Train on one batch; return its loss."""
        device = self.model.hidden2tag.weight.device
        return super().step(input_ids.to(device), tags.to(device), mask.to(device))


def compare_epochs(options: PeerOptions, device: torch.device) -> Rows:
    """Time an epoch of S1's architecture, ours beside S1's loop and beside fine-tuning BERT, in turns.

    Everything is in float32. The batches of BERT lie on the GPU already.

    Args:
        options: Data, number of sentences and rounds, sizes of the peers.
        device: Where the peers run; ours runs where the `Trainer` puts it.
    """
    with s1_training(options) as ours:
        ours.trainer.add_callback(WaitForLastStep())
        outside = ours.labels.index("O")
        sentences = pad_sentences(ours.features, padding=ours.tokenizer.pad_token_id or 0, outside=outside)
        tagger = S1Tagger(len(ours.labels), vocab_size=options.vocab_size).to(device)
        sizes = {"vocab_size": options.vocab_size, "num_layers": options.bert_layers}
        bert = build_bert(len(ours.labels), hidden_size=options.bert_hidden, **sizes)
        bert.to(device)  # type: ignore[arg-type]
        batches = [_to(device, batch) for batch in bert_batches(options, ours)]
        epochs: Mapping[str, Callable[[], object]] = {
            "ours": ours.epoch,
            S1_LOOP: finished(S1LoopOnDevice(tagger, sentences).epoch, device),
            BERT: finished(BertFineTuning(bert, batches).epoch, device),
        }
        timings = time_alternately(epochs, rounds=options.rounds)
    counts = dict.fromkeys(epochs, options.sentences) | {BERT: sum(len(batch["input_ids"]) for batch in batches)}
    of_ours = timings["ours"]
    return [
        {
            "epoch": "S1's architecture",
            "sentences/s": of_ours.rate(counts["ours"]),
            "beside": peer,
            "its sentences/s": timings[peer].rate(counts[peer]),
            "ratio": ratio(timings[peer].per(counts[peer]), of_ours.per(counts["ours"])),
            "goal": goal,
        }
        for peer, goal in GOALS.items()
    ]


def _to(device: torch.device, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.to(device) for name, tensor in batch.items()}


def compare_precisions(
    flags: Sequence[str], *, recipe: str = RECIPE, precisions: Mapping[str, Sequence[str]] = PRECISIONS
) -> Rows:
    """Train a recipe in each precision, each in a process of its own, so that peak memory is its own.

    Args:
        flags: Flags that every training gets: data, and what overrides the recipe.
        recipe: Name of the recipe.
        precisions: Flags that set each precision; the figures of the others are given relative to the first.

    Raises:
        RuntimeError: If a training fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        reports = {name: _train(recipe, [*flags, *own], Path(folder, name)) for name, own in precisions.items()}
    first = next(iter(reports.values()))
    return [
        {
            "precision": name,
            "recipe": recipe,
            f"best {report['main_figure']}, %": 100 * report["best"],
            "points beside the first": 100 * (report["best"] - first["best"]),
            "peak memory, GiB": report["peak_memory_bytes"] / GIB,
            "its share of the first": report["peak_memory_bytes"] / first["peak_memory_bytes"],
            "seconds an epoch": report["seconds_per_epoch"],
            "speed beside the first": first["seconds_per_epoch"] / report["seconds_per_epoch"],
        }
        for name, report in reports.items()
    ]


def _train(recipe: str, flags: Sequence[str], folder: Path) -> dict[str, Any]:
    """Run the training command and return its report."""
    command = [sys.executable, "-m", "malmoi.training.train", recipe, *flags, "--output_dir", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True)
    report = read_report(folder) if result.returncode == 0 else None
    if report is None:
        raise RuntimeError(f"The training in {folder.name} failed: {result.stderr}")
    return report
