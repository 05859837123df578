"""What tells whether a model, and the words that it is given, are still what they were."""

import hashlib
from contextlib import suppress
from pathlib import Path

from malmoi.commands.answering import ModelOptions
from malmoi.data.text_lines import open_file
from malmoi.inference.bundled_models import model_place
from malmoi.inference.model_names import without_waiting_for_the_hub

PARTS = (
    *("*config.json", "tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt"),
    *("*.model", "*.safetensors", "*.safetensors.index.json", "*.onnx*", "*.py"),
)
"""The files of a folder on which answers depend; cards, reports and plots may change."""
BLOCK_BYTES = 1 << 20


def model_contents(options: ModelOptions) -> dict[str, str | None]:
    """Return what tells whether the files are the same that options name, by their flags.

    Args:
        options: The model, and its words.
    """
    words = None if options.words is None else _digest([options.words])
    return {"MODEL": contents_of(options.name), "--words": words}


def contents_of(model: str) -> str | None:
    """Return what tells whether a model is the same: a digest of its files, or its commit on the Hub.

    Weights are read from their first byte to their last. Two heads that were trained over one frozen encoder differ
    in a thousandth of a file, which samples of it would miss; and a run that is long enough to be gone on with has the
    two seconds that a GB takes.

    Args:
        model: Its folder, or its name.

    Returns:
        `None` if there is none: whoever loads it says what is wrong.
    """
    place = Path(model_place(model))
    if place.is_dir():
        return _digest(sorted({path for part in PARTS for path in place.glob(part) if path.is_file()}))
    return _commit(model) if "/" in model else None


def _digest(paths: list[Path]) -> str:
    """Return a digest of the names and contents of files."""
    told = hashlib.sha256()
    for path in paths:
        own = hashlib.sha256()
        with suppress(OSError), open_file(path) as file:  # whoever reads it says what is wrong
            while block := file.read(BLOCK_BYTES):
                own.update(block)
        told.update(f"{path.name}\0{own.hexdigest()}\0".encode(errors="replace"))
    return f"sha256 {told.hexdigest()}"


def _commit(model: str) -> str | None:
    """Return the commit of a repository that would be loaded: the newest, or the one in the cache without a Hub."""
    try:
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError:  # where exported folders alone are answered
        return None
    with without_waiting_for_the_hub(model):
        try:
            path = Path(hf_hub_download(model, "config.json"))
        except Exception:  # whatever it is, whoever loads the model says it
            return None
    return f"commit {path.parent.name}"
