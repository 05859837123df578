"""The tasks whose models answer texts, and how a configuration names them. Nothing here needs transformers."""

COMMANDS = {"named-entities": "tag", "word-spacing": "space", "sentence-classification": "classify"}
"""The command that uses a model of each task."""
CLASSES = {"named-entities": "Tagger", "word-spacing": "Spacer", "sentence-classification": "Classifier"}
"""The class that does."""
TASK_KEY = "malmoi_task"
"""Where the configuration of a saved model names its task."""


def another_task(model: object, task: str) -> str:
    """Return what to say of a model for another task than the one that is asked for.

    Args:
        model: How the model is named.
        task: Its own task.
    """
    return f"{model}: this is a model for {task}; use `malmoi {COMMANDS[task]}`, or `{CLASSES[task]}` in Python."
