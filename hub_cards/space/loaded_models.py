"""The models of a Space, loaded, and their answers with the time that each took."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from malmoi.hub_cards.space.example_texts import example_texts, read_report_of
from malmoi.hub_cards.space.model_list import ListedModel
from malmoi.inference.models_by_task import TEXT_MODELS
from malmoi.inference.task_finding import find_task
from malmoi.inference.text_model import TextModel

Answer = TypeVar("Answer")


class LoadedSpaceModel(NamedTuple):
    """A model that is ready to answer, and what stands above its answers."""

    title: str
    text_model: Any  # a TextModel of the kind that its task names
    parameters: int | None
    """How many it has; `None` for an exported model, whose graph does not tell."""
    examples: Sequence[str] = ()
    """Texts to try it on."""

    @property
    def labels(self) -> list[str]:
        """Return its labels."""
        return list(self.text_model.labels.values())


class TimedAnswer(NamedTuple, Generic[Answer]):
    """The answer of one model, and how many milliseconds it took."""

    title: str
    parameters: int | None
    answer: Answer
    milliseconds: float


def load_models(models: Sequence[ListedModel], *, folder: Path | None = None) -> dict[str, list[LoadedSpaceModel]]:
    """Load models and return them by their task, in their order.

    Args:
        models: The models.
        folder: What names of folders are relative to; by default the working directory.

    Raises:
        UserError: If a model cannot be loaded; the message names the file.
    """
    loaded: dict[str, list[LoadedSpaceModel]] = {}
    for model in models:
        beside = (folder or Path()) / model.name
        place = str(beside) if beside.is_dir() else model.name
        task = find_task(place, trust_remote_code=model.trust_remote_code, revision=model.revision)
        text_model = TEXT_MODELS[task](place, trust_remote_code=model.trust_remote_code, revision=model.revision)
        ready = LoadedSpaceModel(model.title or model.name, text_model, _parameters(text_model))
        examples = model.examples or example_texts(task, ready.labels, read_report_of(place, revision=model.revision))
        loaded.setdefault(task, []).append(ready._replace(examples=examples))
    return loaded


def ask(models: Sequence[LoadedSpaceModel], question: Callable[[Any], Answer]) -> list[TimedAnswer[Answer]]:
    """Ask models the same, one after the other so that they do not slow each other down."""
    answers = []
    for model in models:
        start = time.perf_counter()
        answer = question(model.text_model)
        milliseconds = (time.perf_counter() - start) * 1000
        answers.append(TimedAnswer(model.title, model.parameters, answer, milliseconds))
    return answers


def _parameters(model: TextModel) -> int | None:
    """Return how many parameters a model has; `None` if it is an exported one."""
    return sum(parameter.numel() for parameter in model.model.parameters()) if model.on_torch else None
