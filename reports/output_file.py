"""Files that a user asks for by a flag."""

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from malmoi.data.user_error import UserError
from malmoi.data.whole_output import is_pipe_or_device

PAGES = (".html", ".htm")
OF_MODELS = (
    *("config.json", "generation_config.json", "tokenizer*", "special_tokens_map.json", "vocab*", "merges.txt"),
    *("*.safetensors*", "*.onnx*", "*.bin", "*.pt", "*.pth", "*.py", "*.png", "recipe.yaml", "README.md"),
    *("report.json", "trainer_state.json", "adapter_config.json"),
)
"""What the files of a model and of its run are called."""


def check_output_file(
    path: Path, flag: str, *, data_dir: Path | None = None, models: Sequence[str | Path] = ()
) -> None:
    """Check, before anything is computed, that a file can be written.

    Args:
        path: The file.
        flag: The flag that names it.
        data_dir: The folder or file with the data, if they are read from one.
        models: The models that are used; beside their own files, a folder of one may hold pages and predictions.

    Raises:
        UserError: If it is standard output or a folder, its folder does not exist or may not be written to, or a file
            of the data or of a model would be lost.
    """
    if str(path) == "-":
        raise UserError(f"{flag}: expected the name of a file, got -, which is standard output.")
    if path.is_dir():
        raise UserError(f"{flag} {path}: expected a file to write, got a folder.")
    if is_pipe_or_device(path):
        return
    if not path.parent.is_dir():
        raise UserError(f"{flag} {path}: there is no folder {path.parent}.")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{flag} {path}: the folder {path.parent} may not be written to.")
    # an older page may lie beside the data
    if data_dir is not None and path.exists() and path.suffix.lower() not in PAGES:
        data = data_dir.resolve()
        if data in (path.resolve(), *path.resolve().parents):
            raise UserError(f"{flag} {path} would be written over, but it lies among the data; choose another place.")
    folders = {Path(model).resolve() for model in models if Path(model).is_dir()}
    is_of_model = any(fnmatchcase(path.resolve().name, pattern) for pattern in OF_MODELS)
    if path.exists() and is_of_model and not folders.isdisjoint(path.resolve().parents):
        raise UserError(f"{flag} {path} would be written over, but it is a file of a model; choose another place.")
