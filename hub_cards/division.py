"""What a model was really trained and measured on, beside the splits that its corpus is published with.

Figures on something else than an official split must not stand beside those on it. Whatever is not known to be one is
published under a name of its own, with its counts.
"""

import re
from dataclasses import dataclass
from typing import Any

from malmoi.data.counted import counted
from malmoi.data.readers import READERS
from malmoi.hub_cards.corpus import Corpus, corpus_of_reader
from malmoi.hub_cards.official_splits import are_official


@dataclass(frozen=True, kw_only=True)
class Division:
    """The data of a run."""

    name: str
    """What a card calls them."""
    official: frozenset[str]
    """The measured splits that may be published under the name of the dataset."""
    hub_id: str | None
    """The dataset on the Hub that they come from, if that is known or was said by the user."""
    assumed: bool
    """Whether nobody said what they are: only their format tells."""
    sentence: str
    """In words, with the counts."""

    @property
    def slug(self) -> str:
        """Return the name as an identifier that no dataset of the Hub has."""
        return "-".join(re.findall(r"\w+", self.name.lower()))


def division_of(report: dict[str, Any], corpus: Corpus) -> Division:
    """Return what the data of a run are.

    Args:
        report: The report of the run.
        corpus: The corpus that they are of, as the user or the reader says.
    """
    measured = measured_splits(report)
    trained_on = counted(training_texts(report), "text")
    counts = f"Trained on {trained_on}{_drawn(report)} and measured on {_listed(report, measured)}."
    if corpus.splits is None:
        # data of the user, under the name that the user gives them
        return Division(
            name=corpus.name,
            official=frozenset(measured) - frozenset(_cut_splits(report)),
            hub_id=corpus.hub_id,
            assumed=False,
            sentence=" ".join((counts, *_how_cut(report), *_beside_known(report))),
        )
    reader, source = report["data"]["reader"], report["data"]["source"]
    from_hub = corpus.hub_id is not None and source == READERS[reader].default_source
    own_format = reader in corpus.readers
    if own_format and are_official(report, corpus.splits, from_hub=from_hub):
        return Division(
            name=corpus.name,
            official=frozenset(measured) & frozenset(corpus.splits),
            hub_id=corpus.hub_id,
            assumed=False,
            sentence=f"{counts} {_official(report, corpus, from_hub=from_hub)}",
        )
    known = corpus.said or from_hub
    return Division(
        name=f"a part of {corpus.name}, divided anew" if known else f"files in the format of {corpus.name}",
        official=frozenset(),
        hub_id=corpus.hub_id if known else None,
        assumed=not known,
        sentence=" ".join((counts, *_how_cut(report), _unofficial(report, corpus, own_format=own_format))),
    )


def measured_splits(report: dict[str, Any]) -> list[str]:
    """Return the splits whose figures a report holds."""
    parts = {report["data"]["split"]: "figures", "test": "test_figures"}
    return [split for split, part in parts.items() if part in report]


def training_texts(report: dict[str, Any]) -> int:
    """Return how many texts of the training split were used: a recipe may draw a share of them."""
    return max(1, round(_fraction(report) * report["data"]["texts"]["train"]))


def _fraction(report: dict[str, Any]) -> float:
    return float(report.get("settings", {}).get("train_fraction", 1))


def _drawn(report: dict[str, Any]) -> str:
    total = report["data"]["texts"]["train"]
    return "" if training_texts(report) == total else f", drawn from {total:,},"


def _listed(report: dict[str, Any], splits: list[str]) -> str:
    texts = report["data"]["texts"]
    return " and ".join(f"{texts[split]:,} ({split})" for split in splits)


def _cut_splits(report: dict[str, Any]) -> dict[str, int]:
    """Return how many texts each split has that was cut from the training set, for the data have none."""
    return dict(report["data"].get("cut", {}).get("texts", {}))


def _how_cut(report: dict[str, Any]) -> list[str]:
    """Say which splits were cut from the training set, and how."""
    parts = _cut_splits(report)
    if not parts:
        return []
    cut = report["data"]["cut"]
    counts = " and ".join(f"{count:,} ({split})" for split, count in parts.items())
    kinds = "classes" if report["task"] == "sentence-classification" else "types"
    together = ", documents together" if cut["documents"] else ""
    return [
        f"The data have no such split of their own: {counts} of {cut['of']:,} texts were cut from them by the seed "
        f"{cut['seed']}, evenly over {kinds}{together}."
    ]


def _official(report: dict[str, Any], corpus: Corpus, *, from_hub: bool) -> str:
    """Say which splits were read, and what tells it."""
    assert corpus.splits is not None
    texts = report["data"]["texts"]
    sizes = " and ".join(f"{split.rows:,} ({name})" for name, split in corpus.splits.items() if name in texts)
    where = f"{corpus.hub_id} on the Hub" if from_hub else corpus.name
    told = "" if from_hub else ", as far as numbers tell"
    sentence = f"These are the official splits of {where}, {sizes}{told}."
    carved = [split for split in measured_splits(report) if split not in corpus.splits]
    if carved:
        sentence += f" It has no {carved[0]} split of its own: that one was taken from train."
    return sentence


def _beside_known(report: dict[str, Any]) -> list[str]:
    """Say that data in the format of a known corpus are none of its splits, whatever they are called."""
    known = corpus_of_reader(report["data"]["reader"])
    if known is None or not known.splits or are_official(report, known.splits, from_hub=False):
        return []
    return [_unofficial(report, known, own_format=True)]


def _unofficial(report: dict[str, Any], corpus: Corpus, *, own_format: bool) -> str:
    """Say what tells that these are not the official splits, or that it cannot be told."""
    assert corpus.splits is not None
    if not corpus.splits:
        total = f"{corpus.rows:,} texts and " if corpus.rows else ""
        return (
            f"{corpus.name} has {total}no official division, so no figure here can be compared with figures on "
            "another one."
        )
    sizes = " and ".join(f"{split.rows:,} ({name})" for name, split in corpus.splits.items())
    texts = report["data"]["texts"]
    if not own_format:
        why = f"They were read by `{report['data']['reader']}` and are not known to be the splits of {corpus.name}"
    elif all(texts.get(name) in split.counts for name, split in corpus.splits.items()):
        why = f"They are as many as in the splits of {corpus.name}, but not the same"
    else:
        why = f"These are not the splits of {corpus.name}"
    return f"{why}, which have {sizes}: no figure here can be compared with published ones."
