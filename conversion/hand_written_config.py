"""Read a `config.json` that somebody wrote by hand, and hold it against the weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from malmoi.data.json_object import read_json_object
from malmoi.data.notice import show_value
from malmoi.data.user_error import UserError

SIZES = {
    "vocab_size": ("vocab_size",),
    "embedding_size": ("embedding_size", "embedding_dim"),
    "hidden_size": ("hidden_size", "hidden_dim"),
    "num_hidden_layers": ("num_hidden_layers", "num_layers"),
}
"""The keys under which a size may stand. None has to: the tensors tell."""
MEANINGS = {
    "vocab_size": "the embeddings have {} rows",
    "embedding_size": "the embeddings are {} wide",
    "hidden_size": "both directions of the LSTM together are {} wide",
    "num_hidden_layers": "the number of LSTM layers is {}",
}
TAG_TO_ID = ("tag_to_ix", "label2id")
ID_TO_TAG = "id2label"
OWN_SETTINGS = ("bio_constraints", "ngram_sizes", "untagged_token_ids")
"""What only configurations of malmoi have; it changes predictions, so it cannot be passed over."""


def read_config(path: Path) -> dict[str, Any]:
    """Return the content of a hand-written configuration.

    Raises:
        UserError: If there is no such file, it is no JSON object, or it is a configuration of malmoi.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file.")
    content = read_json_object(path)
    for key in OWN_SETTINGS:
        if key in content:
            raise UserError(
                f"{path}: `{key}` is a setting of malmoi's own models, which need no conversion; "
                "expected the configuration of a model without it."
            )
    return content


def read_labels(content: Mapping[str, Any], path: Path) -> list[str]:
    """Return the labels that a configuration names, in the order of their ids.

    Raises:
        UserError: If it names none, two different sets, or if the ids do not count from 0.
    """
    found: dict[str, dict[int, str]] = {}
    for key in (*TAG_TO_ID, ID_TO_TAG):
        if key in content:
            found[key] = _by_id(content[key], key, path)
    if not found:
        raise UserError(f"{path}: it names no labels; expected {', '.join(TAG_TO_ID)} or {ID_TO_TAG}.")
    (first, labels), *others = found.items()
    for key, other in others:
        if other != labels:
            raise UserError(f"{path}: `{first}` and `{key}` name different labels.")
    return [labels[index] for index in range(len(labels))]


def _by_id(given: Any, key: str, path: Path) -> dict[int, str]:
    """Return a label for each id, whichever way round they stand in the file."""
    pairs = given.items() if isinstance(given, dict) else ()
    try:
        labels = {int(name): str(value) for name, value in (pairs if key == ID_TO_TAG else map(reversed, pairs))}
    except (TypeError, ValueError, OverflowError):
        labels = {}
    if not labels or sorted(labels) != list(range(len(pairs))) or len(set(labels.values())) != len(pairs):
        got = show_value(given, length=200)
        raise UserError(f"{path}: expected `{key}` to give each label an id of its own, from 0 on, got {got}.")
    return labels


def check_sizes(content: Mapping[str, Any], sizes: Mapping[str, int], path: Path) -> None:
    """Check that a configuration says of the sizes what the tensors say.

    Args:
        content: The configuration.
        sizes: The sizes of the tensors, by the names that malmoi has for them.
        path: Its file.

    Raises:
        UserError: If a size is another one; the message names both.
    """
    for size, names in SIZES.items():
        for name in names:
            if content.get(name, sizes[size]) != sizes[size]:
                meaning = MEANINGS[size].format(sizes[size])
                raise UserError(f"{path}: `{name}` is {show_value(content[name])}, but {meaning} in the checkpoint.")
