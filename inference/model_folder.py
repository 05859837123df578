"""Look at the folder of a model before any library loads it: whether it is whole and its parts fit together.

What lies in a folder may be cut off, mixed up or made to do harm. So nothing is built from what a file says before it
was held against the weights, whose size is that of a file: no width, no number of layers or labels reserves memory for
what is not there. Names of files stay within the folder.
"""

import re
from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from malmoi.data.json_object import read_bounded, read_json_object
from malmoi.data.notice import show_value
from malmoi.data.user_error import UserError
from malmoi.inference.weights_header import WEIGHTS, Shapes, read_shapes

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
MOST_BYTES = 8 << 20
"""How large a configuration may be: it has room for the names of a hundred thousand labels."""
MOST_BYTES_OF_TOKENIZER = 64 << 20
"""How large a tokenizer may be: twice the largest that is in use."""
MOST_LABELS = 100_000
MOST_LAYERS = 10_000
MOST_COUNTED = 1 << 24
"""Of whatever else a configuration counts, as heads and experts."""
LONGEST_NGRAM = 64
"""In tokens: each is hashed at every place of a text."""
LONGEST_NAME = 200
"""Of a label and an architecture, in characters."""
LARGEST = 2**63 - 1
LAYERS = re.compile(r"(num|n)_(\w+_)?layers?|\w+_layers|layers")
COUNTS = re.compile(r"(num|n)_\w+")
CODE = re.compile(r"([\w.-]+(/[\w.-]+)?--)?[A-Za-z_]\w*\.[A-Za-z_]\w*")
"""A class in a file beside the weights, or, before `--`, of a repository on the Hub."""
FILE_NAME = re.compile(r"[\w-][\w. -]*")
DTYPES = ("float32", "float16", "bfloat16", "float64")


def check_model_folder(folder: Path) -> Shapes:
    """Check that a folder holds a whole model whose parts fit together, and return the shapes of its weights.

    Raises:
        UserError: If not; the message names the file.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise UserError(f"{path}: there is no such file, so the folder holds no model{_model_inside(folder)}")
    config = check_config(path)
    shapes = read_shapes(folder)
    _check_layers(path, config, shapes)
    chain, labels = shapes.get("crf.transitions"), config.get("id2label")
    if chain and labels is not None and chain[0] != len(labels):
        raise UserError(f"{path}: it names {len(labels)} labels, but the CRF in {WEIGHTS} has {chain[0]}.")
    return shapes


def check_tokenizer_files(folder: Path) -> None:
    """Check what a tokenizer in a folder is read from, as far as that needs no library.

    Raises:
        UserError: If a file is no JSON object, too large, or names a file outside the folder; the message names it.
    """
    if (folder / TOKENIZER_CONFIG).is_file():
        path = folder / TOKENIZER_CONFIG
        config = read_json_object(path, most_bytes=MOST_BYTES)
        _check_code(path, config)
        for key, value in config.items():
            if key.endswith(("_file", "_files")):
                _check_file_names(path, key, value)
        longest = config.get("model_max_length")
        number = isinstance(longest, (int, float)) and not isinstance(longest, bool)
        if longest is not None and not (number and longest >= 1 and longest % 1 == 0):  # NaN is not
            raise UserError(
                f"{path}: expected a whole number of tokens for `model_max_length`, got {show_value(longest)}."
            )
    if (folder / TOKENIZER).is_file():
        read_bounded(folder / TOKENIZER, most_bytes=MOST_BYTES_OF_TOKENIZER)


def check_config(path: Path) -> dict[str, Any]:
    """Return what a configuration holds, if it names no place outside its folder and counts nothing beyond all use.

    Raises:
        UserError: If not; the message names the file.
    """
    config = read_json_object(path, most_bytes=MOST_BYTES)
    for place, value in _values(config):
        if isinstance(value, int) and not -LARGEST <= value <= _most(place.rpartition(".")[2]):
            raise UserError(f"{path}: expected a number that is in use for `{place}`, got {show_value(value)}.")
        if isinstance(value, float) and isnan(value):
            raise UserError(f"{path}: expected a number for `{place}`, got NaN.")
    for key in ("dtype", "torch_dtype"):
        if config.get(key) is not None and config[key] not in DTYPES:
            raise UserError(f"{path}: expected one of {', '.join(DTYPES)} for `{key}`, got {show_value(config[key])}.")
    if config.get("transformers_weights") is not None:
        raise UserError(f"{path}: the weights lie in {WEIGHTS}; `transformers_weights` cannot name another file.")
    architectures = config.get("architectures")
    if architectures is not None and not (isinstance(architectures, list) and all(map(_is_name, architectures))):
        raise UserError(f"{path}: expected a list of names for `architectures`, got {show_value(architectures)}.")
    _check_code(path, config)
    labels = config.get("id2label")
    if labels is None:
        return config
    if not isinstance(labels, dict):
        raise UserError(f"{path}: expected `id2label` to map numbers to labels, got {show_value(labels)}.")
    try:
        ids = sorted(int(index) for index in labels)
    except ValueError:
        ids = []
    named = all(isinstance(name, int) or _is_name(name) for name in labels.values())
    if not named or ids != list(range(len(labels))) or len({*map(str, labels.values())}) < len(labels):
        raise UserError(
            f"{path}: expected `id2label` to give each number from 0 on a label of its own, got {show_value(labels)}."
        )
    return config


def _most(name: str) -> int:
    """Return the largest whole number that a key of a configuration may have; of most it is no size."""
    if LAYERS.fullmatch(name):
        return MOST_LAYERS
    if name == "num_labels":
        return MOST_LABELS
    if name in ("ngram_sizes", "chunk_size_feed_forward"):  # chunks of two refuse texts of three tokens
        return LONGEST_NGRAM if name == "ngram_sizes" else 1
    return MOST_COUNTED if COUNTS.fullmatch(name) else LARGEST


def _check_layers(path: Path, config: dict[str, Any], shapes: Shapes) -> None:
    """Check that a configuration has no more layers than there are tensors: each has one at least."""
    for place, value in _values(config):
        if LAYERS.fullmatch(place.rpartition(".")[2]) and isinstance(value, int) and value > len(shapes):
            raise UserError(f"{path}: `{place}` is {value:,}, but the weights are only {len(shapes):,} tensors.")


def _check_code(path: Path, config: Mapping[str, Any]) -> None:
    """Check that code, which only runs where that is asked for, is named by its module in the folder."""
    named = config.get("auto_map") or {}
    pipelines = config.get("custom_pipelines") or {}
    if not isinstance(named, (dict, list)) or not isinstance(pipelines, dict):
        raise UserError(f"{path}: expected `auto_map` and `custom_pipelines` to name classes.")
    references = [("auto_map", value) for _, value in _values(named)]
    references += [
        ("custom_pipelines", entry.get("impl") if isinstance(entry, dict) else entry) for entry in pipelines.values()
    ]
    for key, value in references:
        if value is not None and not (isinstance(value, str) and CODE.fullmatch(value)):
            raise UserError(f"{path}: expected `{key}` to name a class as module.Class, got {show_value(value)}.")


def _check_file_names(path: Path, key: str, value: Any) -> None:
    for _, name in _values(value):
        if name is not None and not (isinstance(name, str) and FILE_NAME.fullmatch(name)):
            raise UserError(f"{path}: expected `{key}` to name a file of this folder, got {show_value(name)}.")


def _values(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what stands in a value of JSON at any depth, each with the keys that lead there."""
    stack = [(place, value)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{place}.{key}" if place else key, inner) for key, inner in value.items()]
        elif isinstance(value, list):
            stack += [(place, inner) for inner in value]
        else:
            yield place, value


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME


def _model_inside(folder: Path) -> str:
    """Return the end of a sentence that says where the model may be, if a folder itself holds none."""
    if (folder / "adapter_config.json").is_file():
        return "; it holds an adapter, which must be merged into its model first."
    inside = sorted((path.parent for path in folder.glob(f"*/{CONFIG}")), key=_step_of)
    if inside and (len(inside) == 1 or _step_of(inside[-1]) >= 0):
        return f"; did you mean {inside[-1]}?"
    return f"; {len(inside)} folders in it do, such as {inside[-1]}." if inside else "."


def _step_of(folder: Path) -> int:
    """Return the step of a checkpoint; -1 if a folder is none."""
    number = folder.name.rpartition("checkpoint-")[2]
    return int(number) if folder.name == f"checkpoint-{number}" and number.isdecimal() else -1
