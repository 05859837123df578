"""Which engine a model runs on: PyTorch, or ONNX Runtime for what `malmoi export` wrote.

Torch and transformers are imported where they are needed, and not before.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import check_revision, model_place
from malmoi.inference.engine import Engine
from malmoi.inference.exported_folder import GRAPH
from malmoi.inference.model_names import check_name
from malmoi.inference.weights_header import SHARDS, WEIGHTS

if TYPE_CHECKING:
    import torch

    from malmoi.inference.added_words import Words

TORCH, ONNX = "torch", "onnx"
ENGINES = (TORCH, ONNX)


class TorchOptions(NamedTuple):
    """How a model of transformers is loaded; see `TextModel`."""

    trust_remote_code: bool = False
    revision: str | None = None
    device: "str | torch.device | None" = None
    bf16: bool = False
    words: "Words | None" = None


def make_engine(model: str | Path, task: str, engine: str | None, options: TorchOptions) -> Engine:
    """Load a model.

    Args:
        model: A folder, the name of a repository on the Hub, or that of a model of the package.
        task: The task that it must have been trained for.
        engine: What it is to run on, one of `ENGINES`; `None` for what suits the folder.
        options: How it is loaded.

    Raises:
        UserError: If it cannot be loaded, or an option is not one of its engine.
    """
    if engine not in (None, *ENGINES):
        raise UserError(f"`engine` must be {' or '.join(ENGINES)}, got {engine!r}.")
    place = model_place(model)
    check_revision(model, options.revision)
    if (engine or suitable_engine(place)) == TORCH:
        return _torch_engine(model, task, options)
    folder, on_the_hub = Path(place), not Path(place).exists()
    if not on_the_hub and not (folder / GRAPH).exists():
        raise UserError(f"{model}: expected the folder of an exported model, with a {GRAPH} in it.")
    device = str(options.device or "cpu")
    given = [name for name, is_given in (("words", options.words is not None), ("bf16", options.bf16)) if is_given]
    given += [] if device == "cpu" else [f"device {device}"]
    if given:
        instead = f"it with engine {TORCH}" if has_weights(folder) else "the folder that it was made from"
        raise UserError(
            f"{model}: an exported model runs on the CPU as it is, without {' and '.join(given)}; load {instead}."
        )
    from malmoi.inference.onnx_engine import OnnxEngine, check_runtime

    check_runtime(model)
    if on_the_hub:
        from malmoi.inference.exported_on_hub import fetch_exported_folder

        folder = fetch_exported_folder(str(place), revision=options.revision)
    return OnnxEngine(folder, task=task, name=model if on_the_hub else None)


def suitable_engine(place: str | Path) -> str:
    """Return the engine that suits a model; of a folder with weights and a graph PyTorch, where that is installed.

    Something that has the name of a graph and is no file counts as one: what reads the folder says what is wrong.
    """
    folder = Path(place)
    if not (folder / GRAPH).exists():
        return TORCH
    return TORCH if has_weights(folder) and find_spec(TORCH) is not None else ONNX


def has_weights(folder: Path) -> bool:
    """Tell whether a folder can be loaded with transformers, whatever else is in it."""
    return any((folder / name).is_file() for name in (WEIGHTS, SHARDS))


def _torch_engine(model: str | Path, task: str, options: TorchOptions) -> Engine:
    missing = [name for name in (TORCH, "transformers") if find_spec(name) is None]
    if missing:
        check_name(model_place(model))
        raise UserError(
            f"{model}: {' and '.join(missing)} must be installed for a model that is not exported: pip install malmoi."
        )
    from malmoi.inference.added_words import add_words, read_words
    from malmoi.inference.devices import find_device, warn_of_slow_bfloat16
    from malmoi.inference.loading import load_model
    from malmoi.inference.torch_engine import TorchEngine

    place = find_device(options.device)
    if options.bf16:
        warn_of_slow_bfloat16(place)
    words = None if options.words is None else read_words(options.words)
    loaded = load_model(
        model, task, trust_remote_code=options.trust_remote_code, revision=options.revision, bf16=options.bf16
    )
    if words is not None:
        add_words(loaded.model, loaded.tokenizer, words, name=model)
    return TorchEngine(loaded._replace(model=loaded.model.to(place)))  # type: ignore[arg-type]
