"""What the stock `Trainer` does not do by itself: short progress lines, epoch times, a repeatable order of batches."""

import time
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState
from transformers.trainer_pt_utils import LengthGroupedSampler

SHOWN = {"loss": "loss", "eval_loss": "validation loss", "eval_entity_f1": "entity F1"}


def short_line(state: TrainerState, logs: dict[str, Any] | None) -> str | None:
    """Return the loss and the main figure as one line, if the log has them; `report.json` has all figures."""
    shown = [f"{text} {float(logs[name]):.4f}" for name, text in SHOWN.items() if logs and name in logs]
    return f"epoch {state.epoch or 0:5.2f}   " + "   ".join(shown) if shown else None


class ShortLines(TrainerCallback):
    """Prints short lines, for output without progress bars."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Print the loss and the main figure."""
        line = short_line(state, logs)
        if state.is_local_process_zero and line:
            print(line, flush=True)


class ShortProgress(ProgressCallback):
    """The progress bar of transformers with short lines above it."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the loss and the main figure."""
        line = short_line(state, logs)
        if state.is_world_process_zero and self.training_bar is not None and line:
            self.training_bar.write(line)


class EpochTimer(TrainerCallback, ExportableState):
    """Measures how long the training of each epoch takes, without evaluation. Survives a resumed training."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._started = 0.0

    def on_epoch_begin(self, *args: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, *args: Any, **kwargs: Any) -> None:
        """Stop the clock."""
        self.seconds.append(time.perf_counter() - self._started)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"args": {}, "attributes": {"seconds": self.seconds}}


class RepeatableLengthGrouping(TrainerCallback):
    """Makes the order of length-grouped batches depend on seed and epoch alone.

    The `Trainer` draws it from the global random state, so that a training resumed in the middle of an epoch would
    see other batches than an uninterrupted one.
    """

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        train_dataloader: DataLoader | None = None,
        **kwargs: Any,
    ) -> None:
        """Seed the sampler for this epoch."""
        sampler: Any = train_dataloader
        while sampler is not None and not isinstance(sampler, LengthGroupedSampler):
            sampler = getattr(sampler, "batch_sampler", None) or getattr(sampler, "sampler", None)
        if sampler is not None:
            seed = args.seed if args.data_seed is None else args.data_seed
            sampler.generator = torch.Generator().manual_seed(seed + int(state.epoch or 0))
