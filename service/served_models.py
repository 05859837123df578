"""The models of a service: how they are called, how they are loaded, what they answer."""

import json
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import BUNDLED
from malmoi.inference.classifier import Classification
from malmoi.inference.freed_memory import keep_freed_memory
from malmoi.inference.model_tasks import COMMANDS
from malmoi.inference.models_by_task import TEXT_MODELS
from malmoi.inference.spacer import SpacedText, Spacer
from malmoi.inference.tagger import Entity, Tagger
from malmoi.inference.task_finding import find_task
from malmoi.service.messages import ClassifyRequest, SpaceRequest, TagRequest, TextsRequest
from malmoi.service.utf16 import entities_in_utf16, spaced_in_utf16

PATHS = {task: f"/v1/{command}" for task, command in COMMANDS.items()}
"""Where models of each task answer."""
WARM_UP = "손흥민은 춘천에서 태어났다."
Asked = TextsRequest
Options = Hashable


class ModelSource(NamedTuple):
    """A model that is to be served."""

    name: str
    place: str
    task: str
    trust_remote_code: bool = False


class ServedModel(NamedTuple):
    """A model that is ready to answer."""

    name: str
    task: str
    text_model: Any  # a TextModel of the kind that its task names

    @property
    def labels(self) -> list[str]:
        """Return its labels."""
        return list(self.text_model.labels.values())

    def answer(self, texts: Sequence[str], options: Any) -> Iterable[Any]:
        """Return the answers to texts, for options that `batch_options` has made."""
        if self.task == Tagger.task:
            return self.text_model.tag(texts)
        if self.task == Spacer.task:
            keep_spaces, keep_words = options
            return self.text_model.space(texts, keep_spaces=keep_spaces, keep_words=keep_words)
        return self.text_model.classify(texts)


def find_models(models: Sequence[str], *, trust_remote_code: bool) -> list[ModelSource]:
    """Return the models of folders and names, each with the name by which requests call it, without loading them.

    Args:
        models: Folders, also of exported models, names on the Hub, or names of models of the package.
        trust_remote_code: Whether code that comes with the models may run.

    Raises:
        UserError: If there is no such model, or two would have the same name.
    """
    sources: dict[str, ModelSource] = {}
    for model in models:
        name = _name(model)
        if name in sources:
            raise UserError(
                f"{sources[name].place} and {model} would both be called {name}; rename one of the folders."
            )
        task = find_task(model, trust_remote_code=trust_remote_code)
        sources[name] = ModelSource(name, model, task, trust_remote_code)
    return list(sources.values())


def _name(model: str) -> str:
    """Return what requests call a model: of a folder its last part, so that no path of the machine is told."""
    if model.startswith(BUNDLED):
        return model.removeprefix(BUNDLED)
    return Path(os.path.abspath(model)).name if Path(model).is_dir() else model  # a link has the name it was given


def load_served_model(source: ModelSource) -> ServedModel:
    """Load a model and let it answer once, so that no request waits for what the first answer takes.

    Raises:
        UserError: If it cannot be loaded; the message names the file.
    """
    keep_freed_memory()
    text_model = TEXT_MODELS[source.task](source.place, trust_remote_code=source.trust_remote_code)
    text_model(WARM_UP)  # type: ignore[operator]
    return ServedModel(source.name, source.task, text_model)


def batch_options(asked: Asked) -> Options:
    """Return what a model must be told beside the texts; requests for which it is equal share batches."""
    if isinstance(asked, SpaceRequest):
        return asked.keep_spaces, tuple(asked.keep_words)
    return None


def finisher(name: str, asked: Asked) -> Callable[[list[Any]], bytes]:
    """Return what makes the body of a response of the answers to a request.

    Args:
        name: Name of the model.
        asked: The request.
    """

    def finish(answers: list[Any]) -> bytes:
        rows = [_row(asked, text, answer) for text, answer in zip(asked.texts, answers)]
        return json.dumps({"model": name, "answers": rows}, ensure_ascii=False, separators=(",", ":")).encode()

    return finish


def _row(asked: Asked, text: str, answer: Any) -> dict[str, Any]:
    """Return the answer to a text as JSON has it."""
    if isinstance(asked, TagRequest):
        return _tagged(asked, text, answer)
    if isinstance(asked, SpaceRequest):
        return _spaced(asked, text, answer)
    assert isinstance(asked, ClassifyRequest)
    return _classified(answer)


def _tagged(asked: TagRequest, text: str, entities: list[Entity]) -> dict[str, Any]:
    probable = [entity for entity in entities if entity.score >= asked.min_score]
    if asked.offsets == "utf16":
        probable = entities_in_utf16(text, probable)
    return {"entities": [entity._asdict() for entity in probable]}


def _spaced(asked: SpaceRequest, text: str, spaced: SpacedText) -> dict[str, Any]:
    if not asked.return_offsets:
        return {"text": spaced.text, "offsets": None, "removed": None}
    return (spaced_in_utf16(text, spaced) if asked.offsets == "utf16" else spaced)._asdict()


def _classified(answer: Classification) -> dict[str, Any]:
    return answer._asdict()
