"""Read the folder of an exported model, and say in one sentence what is wrong with one that is not whole.

Beside the graph it holds what a saved model has, but for weights and code; nothing here needs torch or transformers.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from malmoi.configuration.position_limit import position_limit
from malmoi.data.json_object import read_json_object
from malmoi.data.notice import show_value
from malmoi.data.user_error import UserError
from malmoi.inference.engine import CLASS_TEMPERATURE, NAME_TEMPERATURE, read_temperature
from malmoi.inference.model_folder import (
    CONFIG,
    MOST_BYTES,
    TOKENIZER,
    TOKENIZER_CONFIG,
    check_config,
    check_tokenizer_files,
)
from malmoi.inference.model_tasks import COMMANDS, TASK_KEY, another_task, check_task_labels, task_of_architecture
from malmoi.inference.tokenizer_file import hash_of_tokenizer, read_tokenizer_file
from malmoi.modeling.name_edges import UNLIMITED

GRAPH = "model.onnx"
INPUTS = ("input_ids", "attention_mask")
"""What a graph reads."""
CHAIN_KEY = "malmoi_chain"
"""Where the metadata of a graph have the scores of its CRF, as JSON; `null` is minus infinity."""
TOKEN_IDS_KEY = "malmoi_token_ids"
"""Where the metadata of a graph say from 0 to below which number it knows tokens."""
TOKENIZER_KEY = "malmoi_tokenizer_sha256"
"""Where they have the hash of the tokenizer that it was written with: one with as many tokens in another order would
give answers, too, that mean nothing."""
MAX_LENGTH_KEY = "malmoi_max_length"
"""Where `config.json` tells readers in other languages how many tokens the model reads at once; null is any number."""


class ExportedFolder(NamedTuple):
    """What a folder says of its graph.

    Args:
        graph: The file of the graph.
        task: What the model was trained for.
        labels: The label of each id.
        tokenizer: The tokenizer, which neither pads nor cuts.
        hash_of_tokenizer: That of its file, see there.
        padding: The token that fills up shorter rows.
        max_length: How many tokens the model reads at once, special ones included; `None` if there is no limit.
        cuts_beginning: Whether of a text that is too long the end is read, and not the beginning.
        name_temperature: What scores are divided by for the probabilities of names.
        class_temperature: The same for those of classes; the graph itself does not know it.
    """

    graph: Path
    task: str
    labels: dict[int, str]
    tokenizer: Tokenizer
    hash_of_tokenizer: str
    padding: int
    max_length: int | None
    cuts_beginning: bool
    name_temperature: float
    class_temperature: float


def read_exported_folder(folder: Path, task: str | None, *, name: str | Path | None = None) -> ExportedFolder:
    """Read a folder that `malmoi export` wrote, its graph aside.

    Args:
        folder: The folder.
        task: The task that its model must have been trained for; `None` for any.
        name: What the model is called where that is not its folder.

    Raises:
        UserError: If it lacks a file, or one is damaged or does not fit the task; the message names the file.
    """
    for file in (GRAPH, CONFIG, TOKENIZER, TOKENIZER_CONFIG):
        path = folder / file
        if not path.is_file():
            wrong = "it is no regular file" if path.exists() else "there is no such file"
            raise UserError(f"{path}: {wrong}, so the folder holds no exported model.")
    config = check_config(folder / CONFIG)
    own, labels = _task_and_labels(folder / CONFIG, config)
    if task not in (None, own):
        raise UserError(another_task(folder if name is None else name, own))
    check_tokenizer_files(folder)
    settings = read_json_object(folder / TOKENIZER_CONFIG, most_bytes=MOST_BYTES)
    tokenizer, content = read_tokenizer_file(folder / TOKENIZER)
    tokenizer.encode_special_tokens = settings.get("split_special_tokens") is True
    padding = tokenizer.token_to_id(_written(settings.get("pad_token")))
    return ExportedFolder(
        folder / GRAPH,
        own,
        labels,
        tokenizer,
        hash_of_tokenizer(content),
        0 if padding is None else padding,
        _longest_input(folder, config, settings, tokenizer.num_special_tokens_to_add(False)),
        settings.get("truncation_side") == "left",
        *(_temperature(folder / CONFIG, config, key) for key in (NAME_TEMPERATURE, CLASS_TEMPERATURE)),
    )


def _task_and_labels(path: Path, config: dict[str, Any]) -> tuple[str, dict[int, str]]:
    """Return the task that a configuration names, and its labels, if they are such as are read for it."""
    named = config.get("id2label")
    if (
        not isinstance(named, dict)
        or not named
        or sorted(named) != sorted(map(str, range(len(named))))
        or len({*map(str, named.values())}) < len(named)
    ):
        raise UserError(
            f"{path}: expected `id2label` to give each number from 0 on a label of its own, got {show_value(named)}."
        )
    labels = {index: str(named[str(index)]) for index in range(len(named))}
    architecture = str((config.get("architectures") or [""])[0])
    task = config.get(TASK_KEY, task_of_architecture(architecture, labels.values()))
    if not isinstance(task, str) or task not in COMMANDS:
        raise UserError(f"{path}: expected `{TASK_KEY}` to be one of {', '.join(COMMANDS)}, got {show_value(task)}.")
    check_task_labels(path, task, labels.values())
    return task, labels


def _temperature(path: Path, config: dict[str, Any], key: str) -> float:
    """Return a temperature that a configuration says; 1 if it says nothing."""
    try:
        return read_temperature(config.get(key, 1.0), key)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _longest_input(folder: Path, config: dict[str, Any], settings: dict[str, Any], special_tokens: int) -> int | None:
    """Return how many tokens a model reads at once, as `longest_input` does; `None` if there is no limit."""
    told = config.get(MAX_LENGTH_KEY)
    if told is not None and (not isinstance(told, int) or isinstance(told, bool) or told < 1):
        raise UserError(
            f"{folder / CONFIG}: expected a whole number of tokens for `{MAX_LENGTH_KEY}`, got {show_value(told)}."
        )
    nested = config.get("encoder_config")
    of_model: dict[str, Any] = nested if isinstance(nested, dict) else config
    longest = settings.get("model_max_length")
    read: Any = SimpleNamespace(**{"pad_token_id": 0, "model_type": None, **of_model})
    try:
        limit = position_limit(read)
    except (TypeError, ValueError, OverflowError):
        positions = show_value(of_model.get("max_position_embeddings"))
        raise UserError(
            f"{folder / CONFIG}: expected a number of tokens for `max_position_embeddings`, got {positions}."
        ) from None
    lengths = [int(length) for length in (told, limit, longest) if length is not None and length < UNLIMITED]
    most = min(lengths, default=None)
    if most is not None and most <= special_tokens:
        raise UserError(
            f"{folder}: the model is said to read {most} tokens at once, which leaves no room beside the "
            f"{special_tokens} that stand around every text."
        )
    return most


def _written(token: Any) -> str:
    """Return how a special token is written, which may stand in an object of its settings."""
    return str(token.get("content", "") if isinstance(token, dict) else token or "")
