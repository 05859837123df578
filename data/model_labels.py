"""The labels of a model of transformers."""

from transformers import PreTrainedConfig


def labels_of(config: PreTrainedConfig) -> list[str]:
    """Return the labels that a configuration names, in the order of their ids; none if it names none."""
    return [str(label) for _, label in sorted((config.id2label or {}).items())]
