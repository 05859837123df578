"""Read the folder of an exported model, and say in one sentence what is wrong with one that is not whole.

Beside the graph it holds what a saved model has, but for weights and code; nothing here needs torch or transformers.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from malmoi.configuration.position_limit import position_limit
from malmoi.data.json_object import read_json_object
from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.engine import NAME_TEMPERATURE, name_temperature
from malmoi.inference.model_tasks import COMMANDS, TASK_KEY, another_task
from malmoi.modeling.name_edges import UNLIMITED

GRAPH = "model.onnx"
INPUTS = ("input_ids", "attention_mask")
"""What a graph reads."""
CHAIN_KEY = "malmoi_chain"
"""Where the metadata of a graph have the scores of its CRF, as JSON; `null` is minus infinity."""
MAX_LENGTH_KEY = "malmoi_max_length"
"""Where `config.json` tells readers in other languages how many tokens the model reads at once; null is any number."""
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"


class ExportedFolder(NamedTuple):
    """What a folder says of its graph.

    Args:
        graph: The file of the graph.
        task: What the model was trained for.
        labels: The label of each id.
        tokenizer: The tokenizer, which neither pads nor cuts.
        padding: The token that fills up shorter rows.
        max_length: How many tokens the model reads at once, special ones included; `None` if there is no limit.
        cuts_beginning: Whether of a text that is too long the end is read, and not the beginning.
        name_temperature: What scores are divided by for the probabilities of names.
    """

    graph: Path
    task: str
    labels: dict[int, str]
    tokenizer: Tokenizer
    padding: int
    max_length: int | None
    cuts_beginning: bool
    name_temperature: float


def read_exported_folder(folder: Path, task: str | None) -> ExportedFolder:
    """Read a folder that `malmoi export` wrote, its graph aside.

    Args:
        folder: The folder.
        task: The task that its model must have been trained for; `None` for any.

    Raises:
        UserError: If it lacks a file, or one is damaged or does not fit the task; the message names the file.
    """
    for name in (GRAPH, CONFIG, TOKENIZER, TOKENIZER_CONFIG):
        if not (folder / name).is_file():
            raise UserError(f"{folder / name}: there is no such file, so the folder holds no exported model.")
    config = read_json_object(folder / CONFIG)
    own, labels = _task_and_labels(folder / CONFIG, config)
    if task not in (None, own):
        raise UserError(another_task(folder, own))
    settings = read_json_object(folder / TOKENIZER_CONFIG)
    tokenizer = _read_tokenizer(folder / TOKENIZER)
    tokenizer.encode_special_tokens = settings.get("split_special_tokens") is True
    padding = tokenizer.token_to_id(_written(settings.get("pad_token")))
    return ExportedFolder(
        folder / GRAPH,
        own,
        labels,
        tokenizer,
        0 if padding is None else padding,
        _longest_input(folder, config, settings),
        settings.get("truncation_side") == "left",
        name_temperature(config.get(NAME_TEMPERATURE, 1.0)),
    )


def _task_and_labels(path: Path, config: dict[str, Any]) -> tuple[str, dict[int, str]]:
    """Return the task that a configuration names, and its labels, if they are such as are read for it."""
    named = config.get("id2label")
    if not isinstance(named, dict) or sorted(named) != sorted(map(str, range(len(named)))) or not named:
        raise UserError(f"{path}: expected `id2label` to give each number from 0 on a label, got {named!r}.")
    labels = {index: str(named[str(index)]) for index in range(len(named))}
    task = config.get(TASK_KEY, _task_of_architecture(config, labels))
    if task not in COMMANDS:
        raise UserError(f"{path}: expected `{TASK_KEY}` to be one of {', '.join(COMMANDS)}, got {task!r}.")
    if task == "named-entities":
        try:
            read_label_scheme(list(labels.values()))
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
    elif task == "word-spacing" and sorted(labels.values()) != sorted(SPACING_LABELS):
        listed = ", ".join(labels.values())
        raise UserError(f"{path}: expected the labels {' and '.join(SPACING_LABELS)}, got {listed}.")
    return str(task), labels


def _task_of_architecture(config: dict[str, Any], labels: dict[int, str]) -> str | None:
    """Return the task of a model whose configuration names none, as those from elsewhere; `None` if none is known."""
    architecture = str(config.get("architectures"))
    if "ForSequenceClassification" in architecture:
        return "sentence-classification"
    if "ForTokenClassification" in architecture:
        return "word-spacing" if set(labels.values()) == set(SPACING_LABELS) else "named-entities"
    return None


def _read_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer, as it is before a training or a saved setting lets it pad or cut."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library of tokenizers raises nothing more special
        raise UserError(f"{path}: the file is damaged ({' '.join(str(error).split())}).") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _longest_input(folder: Path, config: dict[str, Any], settings: dict[str, Any]) -> int | None:
    """Return how many tokens a model reads at once, as `longest_input` does; `None` if there is no limit."""
    nested = config.get("encoder_config")
    of_model: dict[str, Any] = nested if isinstance(nested, dict) else config
    longest = settings.get("model_max_length", UNLIMITED)
    read: Any = SimpleNamespace(**{"pad_token_id": 0, "model_type": None, **of_model})
    try:
        limit = position_limit(read)
        lengths = [int(length) for length in (limit, longest) if length is not None and length < UNLIMITED]
    except (TypeError, ValueError):
        raise UserError(
            f"{folder}: expected numbers of tokens for `max_position_embeddings` in {CONFIG} and `model_max_length` "
            f"in {TOKENIZER_CONFIG}, got {of_model.get('max_position_embeddings')!r} and {longest!r}."
        ) from None
    return min(lengths, default=None)


def _written(token: Any) -> str:
    """Return how a special token is written, which may stand in an object of its settings."""
    return str(token.get("content", "") if isinstance(token, dict) else token or "")
