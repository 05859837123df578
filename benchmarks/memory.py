"""Measure the peak memory of fine-tuning a BERT in seven settings, each in a process of its own.

python -m malmoi.benchmarks.memory --steps 3

The model is BERT-base with random weights, the vocabulary size of multilingual BERT and two labels. The texts are
random token ids whose lengths are like those of short movie reviews: exponential around 20 tokens, from 3 to 140. The
first has 140, so that few steps have the peak of many. Peak memory is the largest resident set of the process,
libraries included; on a GPU, what torch allocates.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from typing import Any, NamedTuple

import psutil
import torch
import transformers
from datasets import Dataset
from torch import Tensor
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from malmoi.reports.costs import peak_memory_bytes

GIB = 1 << 30
SEED = 0
VOCAB_SIZE = 119547  # that of bert-base-multilingual-cased
MEAN_LENGTH, MIN_LENGTH, MAX_LENGTH = 20, 3, 140
PADDED_LENGTH = 512
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "MemoryError")


class Setting(NamedTuple):
    """A way to train on the same texts."""

    name: str
    arguments: dict[str, Any]
    padded_length: int | None = None

    @property
    def texts_per_step(self) -> int:
        """Return how many texts an optimisation step sees."""
        return int(self.arguments["per_device_train_batch_size"]) * int(
            self.arguments.get("gradient_accumulation_steps", 1)
        )


ACCUMULATED = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4}
SETTINGS = {
    1: Setting("padded to 512, batch 2", {"per_device_train_batch_size": 2}, PADDED_LENGTH),
    2: Setting("padded to 512, batch 32", {"per_device_train_batch_size": 32}, PADDED_LENGTH),
    3: Setting("padded to the longest, batch 2", {"per_device_train_batch_size": 2}),
    4: Setting("padded to the longest, batch 32", {"per_device_train_batch_size": 32}),
    5: Setting("padded to the longest, batch 8, 4 accumulated", ACCUMULATED),
    6: Setting("5 and gradient checkpointing", {**ACCUMULATED, "gradient_checkpointing": True}),
    7: Setting("6 and Adafactor", {**ACCUMULATED, "gradient_checkpointing": True, "optim": "adafactor"}),
}
REFERENCE = 4


class Measurement(NamedTuple):
    """What a setting took."""

    peak_gib: float
    seconds_per_step: float


class StepTimer(TrainerCallback):
    """Take the time of each optimisation step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Stop the clock."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self.started)


def make_texts(count: int) -> Dataset:
    """Return texts of random token ids with random labels."""
    generator = torch.Generator().manual_seed(SEED)
    lengths = torch.empty(count).exponential_(1 / MEAN_LENGTH, generator=generator).ceil()
    lengths = lengths.clamp(MIN_LENGTH, MAX_LENGTH).long()
    lengths[0] = MAX_LENGTH
    ids = [torch.randint(1, VOCAB_SIZE, (length,), generator=generator).tolist() for length in lengths.tolist()]
    return Dataset.from_dict({"input_ids": ids, "labels": [index % 2 for index in range(count)]})


def collate(rows: list[dict[str, Any]], *, padded_length: int | None) -> dict[str, Tensor]:
    """Pad texts to the longest of them, or to a given length."""
    length = padded_length or max(len(row["input_ids"]) for row in rows)
    ids = torch.tensor([row["input_ids"] + [0] * (length - len(row["input_ids"])) for row in rows])
    labels = torch.tensor([row["labels"] for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": labels}


def measure(setting: Setting, *, steps: int, hidden_size: int) -> Measurement:
    """Train for a few steps in this process and return what it took."""
    set_seed(SEED)
    config = BertConfig(  # for two labels unless told otherwise
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden_size,
        num_attention_heads=max(hidden_size // 64, 1),
        intermediate_size=4 * hidden_size,
    )
    timer = StepTimer()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            seed=SEED,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=torch.cuda.is_available(),
            **setting.arguments,
        )
        Trainer(
            model=BertForSequenceClassification(config),
            args=arguments,
            train_dataset=make_texts(steps * setting.texts_per_step),
            data_collator=partial(collate, padded_length=setting.padded_length),
            callbacks=[timer],
        ).train()
    return Measurement(peak_memory_bytes() / GIB, statistics.median(timer.seconds))


def measure_apart(number: int, *, steps: int, hidden_size: int, max_memory: float) -> Measurement | None:
    """Measure a setting in a fresh process; `None` if it needs more than `max_memory` GiB.

    Raises:
        RuntimeError: If training fails for another reason.
    """
    command = [sys.executable, __file__, "--child", str(number), "--steps", str(steps), "--hidden", str(hidden_size)]
    result = subprocess.run([*command, "--max_memory", str(max_memory)], capture_output=True, text=True)
    if result.returncode == 0:
        return Measurement(*json.loads(result.stdout.splitlines()[-1]))
    if any(message in result.stderr for message in OUT_OF_MEMORY):
        return None
    raise RuntimeError(f"Setting {number} failed: {result.stderr}")


def limit_memory(gib: float) -> None:
    """Let this process fail, rather than the machine suffer, when it wants more memory than this."""
    if sys.platform == "win32":
        sys.exit("Memory cannot be limited on Windows, so that this measurement might freeze the machine.")
    import resource  # Unix only

    resource.setrlimit(resource.RLIMIT_DATA, (int(gib * GIB), int(gib * GIB)))


def machine() -> str:
    """Return the machine and the versions that the figures depend on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    return (
        f"{device}; {platform.platform()}; Python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}"
    )


def table_row(number: int, measurement: Measurement, reference: Measurement) -> str:
    """Return a row of the table."""
    texts = SETTINGS[number].texts_per_step
    by_step = measurement.seconds_per_step / reference.seconds_per_step
    by_text = by_step * SETTINGS[REFERENCE].texts_per_step / texts
    return (
        f"| {number} | {SETTINGS[number].name} | {texts} | {measurement.peak_gib:.2f} | "
        f"{measurement.seconds_per_step:.2f} | {by_step:.2f} | {by_text:.2f} |"
    )


def main(argv: list[str]) -> None:
    """Measure the settings and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3, help="optimisation steps of each setting; the median counts")
    parser.add_argument("--hidden", type=int, default=768, help="width of the model; 768 is BERT-base")
    parser.add_argument("--settings", type=int, nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument(
        "--max_memory",
        type=float,
        default=0.75 * psutil.virtual_memory().available / GIB,
        help="GiB that a setting may reserve, somewhat more than it uses; by default three quarters of what is free",
    )
    parser.add_argument("--child", type=int, choices=SETTINGS, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        limit_memory(options.max_memory)
        print(json.dumps(measure(SETTINGS[options.child], steps=options.steps, hidden_size=options.hidden)))
        return
    measured = {
        number: measure_apart(number, steps=options.steps, hidden_size=options.hidden, max_memory=options.max_memory)
        for number in sorted({REFERENCE, *options.settings})
    }
    reference = measured[REFERENCE]
    if reference is None:
        sys.exit(
            f"Setting {REFERENCE}, to which the others are compared, needs more than {options.max_memory:.1f} GiB."
        )
    print(f"{machine()}\n")
    relative = f"relative to {REFERENCE}"
    print(f"| | setting | texts per step | peak GiB | seconds per step | {relative} | per text, {relative} |")
    print("|---|---|---|---|---|---|---|")
    for number, measurement in measured.items():
        if measurement is None:
            texts = SETTINGS[number].texts_per_step
            print(
                f"| {number} | {SETTINGS[number].name} | {texts} | skipped: over {options.max_memory:.1f} GiB | | | |"
            )
        else:
            print(table_row(number, measurement, reference))


if __name__ == "__main__":
    main(sys.argv[1:])
