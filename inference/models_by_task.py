"""What uses a model of each task."""

from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.inference.text_model import TextModel

TEXT_MODELS: dict[str, type[TextModel]] = {kind.task: kind for kind in (Tagger, Spacer, Classifier)}
"""The class that answers with models of a task, by the name of the task."""
