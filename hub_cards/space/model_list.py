"""`models.json`: the models that a Space serves, in the order in which they stand side by side.

[{"name": "user/model", "revision": "0123abc", "title": "BiLSTM-CRF"}, {"name": "models/bert"}]
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from malmoi.data.user_error import UserError

MODEL_LIST = "models.json"
TYPES = {
    "name": (str,),
    "revision": (str, type(None)),
    "trust_remote_code": (bool,),
    "title": (str, type(None)),
    "examples": (list, type(None)),
}
"""The keys of a model and what their values can be."""


@dataclass(frozen=True, kw_only=True)
class ListedModel:
    """A model to serve.

    Args:
        name: A folder, or the name of a repository on the Hub.
        revision: Commit of the repository. A branch or a tag is possible too, but its owner can move it.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        title: What stands above its answers; its name by default.
        examples: Texts to try it on; by default those that the report beside it gives.
    """

    name: str
    revision: str | None = None
    trust_remote_code: bool = False
    title: str | None = None
    examples: list[str] | None = None


def parse_model_list(models: Sequence[str | Mapping[str, Any]], *, source: str) -> list[ListedModel]:
    """Return models that are given by their name, or by a mapping with the fields of `ListedModel`.

    Args:
        models: The models.
        source: Where they come from, for messages.

    Raises:
        UserError: If there are none, or if one has an unknown or missing key or a value of a wrong type.
    """
    if isinstance(models, str) or not isinstance(models, Sequence) or not models:
        raise UserError(f"{source}: expected a list of at least one model.")
    return [_parse(model, source=source) for model in models]


def _parse(model: str | Mapping[str, Any], *, source: str) -> ListedModel:
    values = {"name": model} if isinstance(model, str) else model
    if not isinstance(values, Mapping):
        raise UserError(f"{source}: expected a model to be an object, got {values!r}.")
    for key, value in values.items():
        if key not in TYPES:
            raise UserError(f"{source}: expected the keys of a model to be of {', '.join(TYPES)}, got {key!r}.")
        listed = value if isinstance(value, list) else []
        if not isinstance(value, TYPES[key]) or not all(isinstance(text, str) for text in listed):
            raise UserError(f"{source}: the {key} of a model cannot be {value!r}.")
    if not values.get("name"):
        raise UserError(f"{source}: a model has no name.")
    return ListedModel(**values)


def read_model_list(path: Path) -> list[ListedModel]:
    """Return the models of a `models.json`.

    Raises:
        UserError: If the file is missing or malformed.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file, so it is unknown which models to serve.")
    try:
        models = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise UserError(f"{path}: expected JSON, but its brackets are nested too deeply.") from None
    except ValueError as error:
        raise UserError(f"{path}: expected JSON ({error}).") from None
    return parse_model_list(models, source=str(path))


def write_model_list(models: Sequence[ListedModel], path: Path) -> None:
    """Write a `models.json`."""
    path.write_text(json.dumps([asdict(model) for model in models], ensure_ascii=False, indent=2) + "\n", "utf-8")
