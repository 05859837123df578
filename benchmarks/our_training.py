"""Training as `malmoi train RECIPE` does it, over a few sentences, again and again, with a clock around its steps."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import disable_progress_bars
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer
from transformers.utils import logging

from malmoi.benchmarks.benchmark_data import take
from malmoi.benchmarks.measurement import Elapsed
from malmoi.data.model_labels import labels_of
from malmoi.recipes.recipe import load_recipe
from malmoi.training.callbacks import EpochTimer, RepeatableLengthGrouping
from malmoi.training.optimizer import recipe_optimizer
from malmoi.training.preparation import prepare
from malmoi.training.recipe_arguments import parse_recipe
from malmoi.training.request import TrainingRequest
from malmoi.training.tasks import TASKS
from malmoi.training.trainer import build_trainer

# one epoch in each round, nothing but training
ONLY_STEPS = {
    "num_train_epochs": "1",
    "eval_strategy": "no",
    "save_strategy": "no",
    "logging_strategy": "no",
    "load_best_model_at_end": "false",
    "report_to": "none",
    "disable_tqdm": "true",
}
# copies with other names make an epoch longer and leave its steps as they are
ONLY_ORIGINALS = ("--name_replacement_copies", "0")
# what our recipes do and a classic one leaves out
OUR_WAY = ("--train_sampling_strategy", "group_by_length", "--optim", "adamw_torch_fused")


class OurTraining:
    """A training that can be run for one epoch at a time.

    Args:
        recipe: Name of a recipe.
        flags: Flags that override it.
        count: How many sentences an epoch has, drawn from the training set.
    """

    def __init__(self, recipe: str, flags: Sequence[str], *, count: int):
        disable_progress_bars()
        logging.disable_progress_bar()
        self.folder = tempfile.TemporaryDirectory()
        only_steps = [part for key, value in ONLY_STEPS.items() for part in (f"--{key}", value)]
        loaded = load_recipe(recipe, [*flags, *only_steps, "--output_dir", self.folder.name])
        request = TrainingRequest(loaded, TASKS[loaded.task], *parse_recipe(loaded))
        self.prepared = prepare(request)
        self.features = take(self.prepared.train, count)
        self.trainer: Trainer = build_trainer(
            request.task,
            self.prepared.model,
            self.prepared.tokenizer,
            request.training_arguments,
            train=self.features,
            evaluation=self.prepared.evaluations["validation"],
            optimizer=recipe_optimizer(self.prepared.model, request.arguments, request.training_arguments),
        )
        self.trainer.add_callback(RepeatableLengthGrouping())

    def __enter__(self) -> "OurTraining":
        return self

    def __exit__(self, *exception: object) -> None:
        self.folder.cleanup()

    @property
    def model(self) -> PreTrainedModel:
        """The model."""
        return self.prepared.model

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer."""
        return self.prepared.tokenizer

    @property
    def labels(self) -> list[str]:
        """The tag of each id."""
        return labels_of(self.model.config)

    def epoch(self) -> Elapsed:
        """Train on every sentence once; return the seconds from the first batch on, batches included."""
        timer = EpochTimer()
        self.trainer.add_callback(timer)
        self.trainer.train()
        self.trainer.remove_callback(timer)
        return Elapsed(timer.total())

    def batches(self) -> list[dict[str, Any]]:
        """Return the batches of an epoch as the model gets them."""
        return [dict(batch) for batch in self.trainer.get_train_dataloader()]

    def save(self, name: str) -> Path:
        """Save model and tokenizer into a folder that goes with the training."""
        folder = Path(self.folder.name) / name
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        return folder
