"""Settings of a recipe as a command line has them."""

from collections.abc import Mapping


def as_flags(settings: Mapping[str, object]) -> list[str]:
    """Return `--key` and its value, as texts, for each setting."""
    return [part for key, value in settings.items() for part in (f"--{key}", str(value))]
