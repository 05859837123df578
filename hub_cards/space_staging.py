"""Stage a Space: write a folder that runs by `python app.py` and can be uploaded as it is."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from huggingface_hub import SpaceCard

from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.example_texts import read_report_of, reported_texts
from malmoi.hub_cards.space.model_list import MODEL_LIST, ListedModel, parse_model_list, write_model_list
from malmoi.inference.engine_choice import ONNX, suitable_engine
from malmoi.inference.exported_folder import GRAPH, read_exported_folder
from malmoi.inference.loading import check_place

# malmoi is not fetched from anywhere: the Space carries the parts that the app stands on
PACKAGES = ("configuration", "data", "hub_cards.space", "inference", "kernels", "modeling", "models")
SPACE = "malmoi.hub_cards.space"
REQUIREMENTS = "requirements.txt"
TOP_FILES = ("app.py", REQUIREMENTS, "README.md")
MODEL_FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)
"""What of a model's folder a Space needs. Reports and checkpoints of a training stay where they are."""
RUNTIME = "onnxruntime>=1.20,<2"
"""What a Space that carries exported models needs, too."""


def stage_space(models: Sequence[str | Mapping[str, Any]], folder: Path, *, title: str | None = None) -> None:
    """Write a Space into an empty folder.

    Args:
        models: Names of repositories on the Hub or folders of models, in the order in which they are to stand side by
            side, or mappings with the fields of `ListedModel`, among them the `revision` to which a repository is
            pinned. Folders are copied into the Space.
        folder: Where to write; it is made if it is not there.
        title: The title of the Space.

    Raises:
        UserError: If a model cannot be served or if the folder is not empty.
    """
    listed = parse_model_list(models, source="A Space")
    exported = [model.name for model in listed if _is_exported(model.name)]
    for model in listed:
        if model.name in exported:
            read_exported_folder(Path(model.name), None)
        else:
            check_place(model.name)
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: expected an empty folder for the Space.")
    folder.mkdir(parents=True, exist_ok=True)
    # without it, an installed malmoi would stand before that of the Space
    _copy("malmoi", folder / "malmoi", without=TOP_FILES)
    for package in PACKAGES:
        _copy(f"malmoi.{package}", folder.joinpath("malmoi", *package.split(".")), without=TOP_FILES)
    for name in TOP_FILES:
        with as_file(files(SPACE) / name) as path:
            shutil.copyfile(path, folder / name)
    if exported:
        with (folder / REQUIREMENTS).open("a", encoding="utf-8") as file:
            file.write(f"{RUNTIME}\n")
    _complete_card(folder / "README.md", listed, title=title)
    write_model_list([_carry(model, folder) for model in listed], folder / MODEL_LIST)


def _is_exported(model: str) -> bool:
    """Tell whether a model is an exported one in a folder: on the Hub, exported models are not looked for."""
    return Path(model).is_dir() and suitable_engine(model) == ONNX


def _copy(package: str, target: Path, *, without: Sequence[str]) -> None:
    """Copy the files of a package, without the packages inside it."""
    target.mkdir(parents=True)
    with as_file(files(package)) as source:
        for path in sorted(source.iterdir()):
            if path.is_file() and path.name not in without:
                shutil.copyfile(path, target / path.name)


def _complete_card(path: Path, models: Sequence[ListedModel], *, title: str | None) -> None:
    """Write title and models into the card; folders are not on the Hub, so a card cannot name them."""
    card = SpaceCard.load(path)
    if title is not None:
        card.data.title = title
    card.data.models = [model.name for model in models if not Path(model.name).is_dir()] or None
    card.save(path)


def _carry(model: ListedModel, folder: Path) -> ListedModel:
    """Copy a model's folder into the Space and return what the Space calls it; a model of the Hub stays there."""
    source = Path(model.name)
    if not source.is_dir():
        return model
    if model.trust_remote_code:
        raise UserError(f"{source}: code of a folder is not copied into a Space; publish the model and name it.")
    name = Path(os.path.abspath(source)).name  # a link has the name it was given
    target = folder / "models" / name
    if target.exists():
        raise UserError(f"{source}: a Space cannot hold two folders of the name {name}.")
    target.mkdir(parents=True)
    for pattern in (*MODEL_FILES, GRAPH) if _is_exported(model.name) else MODEL_FILES:
        for path in sorted(source.glob(pattern)):
            if path.is_file():
                shutil.copyfile(path, target / path.name)
    examples = model.examples or reported_texts(read_report_of(str(source))) or None
    return replace(model, name=f"models/{name}", revision=None, title=model.title or name, examples=examples)
