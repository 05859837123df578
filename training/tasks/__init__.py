"""The tasks that malmoi can learn. A further one is a file here, its arguments, its metrics and a reader."""

from malmoi.training.tasks.language_model import LanguageModel
from malmoi.training.tasks.named_entities import NamedEntities
from malmoi.training.tasks.sentence_classification import SentenceClassification
from malmoi.training.tasks.task import Task
from malmoi.training.tasks.word_spacing import WordSpacing

TASKS: dict[str, Task] = {
    task.name: task for task in (NamedEntities(), WordSpacing(), SentenceClassification(), LanguageModel())
}
"""The tasks by the name that recipes give them."""

__all__ = ["TASKS", "Task"]
