"""Where progress bars belong, and where short lines do."""

import sys

from datasets import disable_progress_bars
from transformers import TrainingArguments
from transformers.utils import logging

from malmoi.recipes.recipe import Recipe


def quiet_bars(training_arguments: TrainingArguments, recipe: Recipe) -> None:
    """Leave no progress bar in a log: they are for a terminal, unless `disable_tqdm` says otherwise."""
    # of loading and writing weights, which takes no time here; they tear the bar of the training apart
    logging.disable_progress_bar()
    if recipe.given("disable_tqdm") is None and not sys.stderr.isatty():
        training_arguments.disable_tqdm = True
    if training_arguments.disable_tqdm:
        disable_progress_bars()
