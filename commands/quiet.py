"""Keep the libraries from drawing bars over what a command prints."""

import datasets
from transformers.utils import logging


def quiet_libraries() -> None:
    """Switch off the progress bars of transformers and datasets; warnings and errors stay."""
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
