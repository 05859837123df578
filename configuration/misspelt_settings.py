"""Refusal of misspelt keywords.

This file travels with every saved model, so it imports nothing of malmoi.
"""

import difflib
from collections.abc import Iterable
from dataclasses import fields

from transformers import PreTrainedConfig


def refuse_misspelt_settings(config_class: type[PreTrainedConfig], unknown: Iterable[str]) -> None:
    """Raise for an unknown keyword that looks like a setting; transformers would keep it without a word.

    Args:
        config_class: The configuration that got the keywords.
        unknown: Keywords that are no fields of it.

    Raises:
        ValueError: If one is nearly the name of a setting; the message names both.
    """
    inherited = {field.name for field in fields(PreTrainedConfig)}
    known = [field.name for field in fields(config_class) if field.name not in inherited]
    for name in unknown:
        match = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if match:
            raise ValueError(f"{config_class.__name__} has no setting `{name}`; did you mean `{match[0]}`?")


__all__ = ["refuse_misspelt_settings"]
