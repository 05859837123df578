"""The splits that a corpus is published with, as far as they are known, and whether a run read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malmoi.data.user_error import UserError

KEYS = ("rows", "read", "fingerprint", "support")


@dataclass(frozen=True, kw_only=True)
class OfficialSplit:
    """What is known of a split."""

    rows: int
    """How many texts it has."""
    read: int | None = None
    """How many of them a reader hands over, if it leaves some out, such as those without a character."""
    fingerprint: str | None = None
    """That of a report, if it is known."""
    support: dict[str, int] | None = None
    """How often each type or class occurs in it, if it is known."""

    @property
    def counts(self) -> set[int]:
        """Return how many texts there may be where it was read."""
        return {self.rows, self.rows if self.read is None else self.read}


def read_splits(path: Path, splits: Any) -> dict[str, OfficialSplit]:
    """Return the splits that the file of a corpus names.

    Raises:
        UserError: If one has an unknown key, or something else than a number of rows.
    """
    if not isinstance(splits, Mapping):
        raise UserError(f"{path}: expected lines `SPLIT: {{rows: NUMBER}}` below splits, got {splits!r}.")
    for name, values in splits.items():
        if not isinstance(values, Mapping) or type(values.get("rows")) is not int:
            raise UserError(f"{path}: expected `{name}: {{rows: NUMBER}}` below splits, got {values!r}.")
        if unknown := [key for key in values if key not in KEYS]:
            raise UserError(f"{path}: unknown key {unknown[0]!r} of a split; known are {', '.join(KEYS)}.")
    return {str(name): OfficialSplit(**values) for name, values in splits.items()}


def are_official(report: Mapping[str, Any], splits: Mapping[str, OfficialSplit], *, from_hub: bool) -> bool:
    """Tell whether the data of a run are the splits of a corpus, by everything that is known of both.

    A reader may take a validation part from the training split of a corpus that has none: together they are that
    split.

    Args:
        report: The report of the run.
        splits: Those of the corpus.
        from_hub: Whether the data came from the Hub, where labels are counted by somebody else.
    """
    data = report["data"]
    texts: dict[str, int] = dict(data["texts"])
    carved = texts["validation"] if "validation" in texts and "validation" not in splits else 0
    for name, split in splits.items():
        if name not in texts:
            continue
        if texts[name] not in split.counts and not (name == "train" and texts[name] + carved in split.counts):
            return False
        if name != data["split"]:
            continue
        if split.fingerprint is not None and split.fingerprint != data["fingerprint"]:
            return False
        counted = {kind: count for kind, count in report.get("support", {}).items() if count}
        if not from_hub and counted and split.support is not None and split.support != counted:
            return False
    return "train" in splits and "train" in texts
