"""What the stock `Trainer` does not do by itself.

Short progress lines, epoch times, a repeatable order of batches, a learning rate that shrinks with every epoch.
"""

import sys
import time
from typing import Any

import torch
from accelerate.scheduler import AcceleratedScheduler
from torch.utils.data import DataLoader
from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState
from transformers.trainer_pt_utils import LengthGroupedSampler

SECONDS_OF_SILENCE = 60
"""How long a training without progress bars says nothing, at most."""


def short_line(state: TrainerState, logs: dict[str, Any] | None, main_figure: str) -> str | None:
    """Return the loss and the main figure as one line, if the log has them; `report.json` has all figures."""
    texts = {"loss": "loss", "eval_loss": "validation loss", f"eval_{main_figure}": main_figure}
    shown = [f"{text} {float(logs[name]):.4f}" for name, text in texts.items() if logs and name in logs]
    return f"epoch {state.epoch or 0:5.2f}   " + "   ".join(shown) if shown else None


class ShortLines(TrainerCallback):
    """Prints short lines, for output without progress bars."""

    def __init__(self, main_figure: str):
        self.main_figure = main_figure
        self._last = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Print how far the training is, if nothing was printed for long."""
        if state.is_world_process_zero and time.monotonic() - self._last >= SECONDS_OF_SILENCE:
            self._last = time.monotonic()
            print(f"step {state.global_step:,} of {state.max_steps:,}", file=sys.stderr, flush=True)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Print the loss and the main figure."""
        line = short_line(state, logs, self.main_figure)
        if state.is_local_process_zero and line:
            self._last = time.monotonic()
            print(line, flush=True)


class ShortProgress(ProgressCallback):
    """The progress bar of transformers with short lines above it."""

    def __init__(self, main_figure: str):
        super().__init__()
        self.main_figure = main_figure

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the loss and the main figure."""
        line = short_line(state, logs, self.main_figure)
        if state.is_world_process_zero and self.training_bar is not None and line:
            self.training_bar.write(line)


class EpochTimer(TrainerCallback, ExportableState):
    """Measures how long the training of each epoch takes, without evaluation and saving. Survives resuming."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.spent = 0.0  # in the epoch that has not ended
        self._since = 0.0

    def total(self) -> float:
        """Return the seconds of the whole training."""
        return sum(self.seconds) + self.spent

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """End the epoch of a checkpoint that was saved after its last step, and before it had ended."""
        if self.spent and len(self.seconds) < int(state.epoch or 0):
            self._end_epoch()

    def on_epoch_begin(self, *args: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self._since = time.perf_counter()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Count what has passed; what comes before the next step may be an evaluation."""
        now = time.perf_counter()
        self.spent += now - self._since
        self._since = now

    def on_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Leave out what has passed since the last step."""
        self._since = time.perf_counter()

    def on_save(self, *args: Any, **kwargs: Any) -> None:
        """Leave out what has passed since the last step."""
        self._since = time.perf_counter()

    def on_epoch_end(self, *args: Any, **kwargs: Any) -> None:
        """Stop the clock when the last step is done: a GPU may be behind."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
            self.on_step_end()
        self._end_epoch()

    def _end_epoch(self) -> None:
        self.seconds.append(self.spent)
        self.spent = 0.0

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"args": {}, "attributes": {"seconds": self.seconds, "spent": self.spent}}


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


class LearningRateDecay(TrainerCallback):
    """Multiplies the learning rate by a factor after every epoch, on top of the schedule of the `Trainer`.

    Args:
        factor: The factor; the schedule is exponential if that of the `Trainer` is constant.
    """

    def __init__(self, factor: float):
        self.factor = factor

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        optimizer: Any = None,
        lr_scheduler: Any = None,
        **kwargs: Any,
    ) -> None:
        """Set the learning rates of this epoch; they follow from its number, so a resumed training has them too."""
        if isinstance(lr_scheduler, AcceleratedScheduler):
            lr_scheduler = lr_scheduler.scheduler
        factor = self.factor ** int(state.epoch or 0)
        for index, group in enumerate(optimizer.param_groups):
            base = group["initial_lr"] * factor
            group["lr"] *= base / lr_scheduler.base_lrs[index]
            lr_scheduler.base_lrs[index] = base
