"""How a command starts fast."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from malmoi.inference.text_model import TextModel

FEW_CHARACTERS = 10_000
"""Up to here compiled kernels take longer to load than they save."""

NOT_FOR_EXPORTED_MODELS = (
    *("accelerate", "datasets", "evaluate", "huggingface_hub", "jinja2", "rich", "safetensors", "seqeval", "torch"),
    *("torchcrf", "transformers", "yaml"),
)
"""What malmoi depends on, but for what runs exported models: it may be installed without, to do nothing else."""


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Import modules without looking through them for garbage.

    A command imports thousands of modules, and all of what they define lasts as long as the process. The collector
    would look through all of it again and again, while there is more and more of it, and once more at the end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def spare_kernels(model: "TextModel", texts: list[str]) -> None:
    """Let the CRF of a model on the CPU compute with PyTorch where there is little to compute, unless it is set.

    Args:
        model: The model, with or without a CRF, on any engine.
        texts: All texts that it will read.
    """
    if not model.on_torch or sum(map(len, texts)) > FEW_CHARACTERS:
        return
    from malmoi.modeling.linear_chain_crf import LinearChainCrf

    if model.model.device.type != "cpu":
        return
    for layer in model.model.modules():
        if isinstance(layer, LinearChainCrf) and layer.implementation == "auto":
            layer.implementation = "torch"


def without_progress_bars(model: str, engine: str | None) -> None:
    """Let a model be loaded without showing how far that is; what is not used for it is not imported.

    Args:
        model: The folder of the model, or its name.
        engine: What it is to run on; `None` for what suits the folder.
    """
    from malmoi.inference.bundled_models import model_place
    from malmoi.inference.engine_choice import TORCH, suitable_engine

    place = model_place(model)
    if (engine or suitable_engine(place)) == TORCH:
        if find_spec("transformers") is not None:
            from transformers.utils import logging

            logging.disable_progress_bar()
    elif not Path(place).exists() and find_spec("huggingface_hub") is not None:
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()


def is_left_out(error: ModuleNotFoundError) -> bool:
    """Tell whether a module is missing because malmoi was installed for exported models alone."""
    return (error.name or "").partition(".")[0] in NOT_FOR_EXPORTED_MODELS
