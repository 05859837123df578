"""What a card says of the training data: whose it is, its licence, and what that means for the weights."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from malmoi.data.notice import one_line
from malmoi.data.user_error import UserError
from malmoi.hub_cards.hub_name import fault_of_name
from malmoi.hub_cards.official_splits import OfficialSplit, read_splits
from malmoi.recipes.recipe_file import UniqueKeyLoader

CORPORA = Path(__file__).parent / "corpora"
LICENSE = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*(\+\+)?")
"""How the Hub writes licences in the metadata of a model; it refuses a card with anything else."""
OF_READERS = {
    "klue-ner": "klue-ner",
    "kmou-corpus": "kmou-ner",
    "kmou-lines": "kmou-ner",
    "nsmc": "nsmc",
}
"""The corpus of each reader that reads the files of one corpus."""
OF_SOURCES = {
    "the sample corpus": "sample-ner",
    "the sentences of the sample corpus": "sample-ner",
}
"""The corpus of what a reader reads without a folder, where the reader alone does not tell."""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Training data as a card describes it; the file of a corpus has these keys."""

    name: str
    license: str
    """Of the data: an identifier of the Hub, such as `cc-by-sa-4.0` or `other`."""
    domain: str
    """What kind of text it holds."""
    weights_license: str
    """Of weights that are trained on it."""
    weights_note: str
    """Why the weights have that licence."""
    weights_license_name: str | None = None
    """Needed if `weights_license` is `other`."""
    weights_license_link: str | None = None
    hub_id: str | None = None
    hub_config: str | None = None
    url: str | None = None
    citation: str | None = None
    """BibTeX."""
    types: dict[str, str] = dataclasses.field(default_factory=dict)
    """What each type or class means, in a few words."""
    rows: int | None = None
    """How many texts it has in all."""
    splits: dict[str, OfficialSplit] | None = None
    """The splits that it is published with; empty if it has none, `None` if that is not known."""
    readers: list[str] = dataclasses.field(default_factory=list)
    """The readers of its own files: what another reader reads is not known to be one of its splits."""
    said: bool = False
    """Whether the user said that a run was trained on it, and not its format alone; no key of a file."""


OPTIONAL_PARTS = ("types", "rows", "splits", "readers")
"""Keys that hold something else than text."""


def corpus_of(report: dict[str, Any], given: str | None) -> Corpus:
    """Return the corpus that a run was trained on.

    Args:
        report: The report of the run.
        given: Name of a known corpus or path of a YAML file, if the user says which it is.

    Raises:
        UserError: If it is unknown or its file is incomplete; the message says which keys are needed.
    """
    data = report["data"]
    name = given or OF_READERS.get(data["reader"]) or OF_SOURCES.get(str(data["source"]))
    if name is None:
        raise UserError(
            f"The licence of the training data ({data['source']}, reader {data['reader']}) is not known. Say what it "
            f"is by --corpus: {', '.join(known_corpora())}, or a YAML file with {', '.join(_needed())}."
        )
    path = Path(name) if name.endswith((".yaml", ".yml")) else CORPORA / f"{name}.yaml"
    if not path.is_file():
        raise UserError(
            f"There is no corpus {name!r}. Known: {', '.join(known_corpora())}; or give the path of a YAML file with "
            f"{', '.join(_needed())}."
        )
    return dataclasses.replace(_with_known_splits(read_corpus(path)), said=given is not None)


def corpus_of_reader(reader: str) -> Corpus | None:
    """Return the corpus whose files a reader reads; `None` if it reads files of any."""
    name = OF_READERS.get(reader)
    return None if name is None else read_corpus(CORPORA / f"{name}.yaml")


def known_corpora() -> list[str]:
    """Return the names of the corpora that are described here."""
    return sorted(path.stem for path in CORPORA.glob("*.yaml"))


def read_corpus(path: Path) -> Corpus:
    """Read the description of a corpus.

    Raises:
        UserError: If it is no YAML, lacks a key or has one too many.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), UniqueKeyLoader)
    except RecursionError:
        raise UserError(f"{path}: expected YAML, but its brackets are nested too deeply.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path}: expected YAML: {one_line(error)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected lines of the form `key: value`.")
    known = [field.name for field in dataclasses.fields(Corpus) if field.name != "said"]
    needed = [*_needed(), *(["weights_license_name"] if values.get("weights_license") == "other" else [])]
    if missing := [key for key in needed if not values.get(key)]:
        raise UserError(f"{path}: it lacks {', '.join(missing)}.")
    if unknown := [str(key) for key in values if key not in known]:
        raise UserError(f"{path}: unknown key {unknown[0]!r}; known are {', '.join(known)}.")
    # a key with nothing behind it, as a part that is still to be written, is no part
    parts = {key: part for key in OPTIONAL_PARTS if (part := values.pop(key, None)) is not None}
    if wrong := [key for key, value in values.items() if not (value is None or isinstance(value, str))]:
        raise UserError(f"{path}: expected text for {wrong[0]}, got {values[wrong[0]]!r}.")
    corpus = Corpus(**{**values, **_checked_parts(path, parts)})
    _check_names(path, corpus)
    return corpus


def _check_names(path: Path, corpus: Corpus) -> None:
    """Refuse now what the Hub would refuse in the metadata of a card, when all has been staged and tried."""
    if not LICENSE.fullmatch(corpus.weights_license):
        raise UserError(
            f"{path}: expected an identifier of the Hub for weights_license, such as cc-by-sa-4.0, or other with a "
            f"weights_license_name, got {corpus.weights_license!r}."
        )
    if corpus.hub_id and (fault := fault_of_name(corpus.hub_id)):
        raise UserError(f"{path}: expected the name of a dataset on the Hub for hub_id: {fault}")


def _checked_parts(path: Path, parts: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says of types, readers, rows and splits, in the form that a corpus holds."""
    if "types" in parts and not (
        isinstance(parts["types"], dict)
        and all(isinstance(text, str) for item in parts["types"].items() for text in item)
    ):
        raise UserError(
            f"{path}: expected lines `TYPE: what it means` below types, in quotes where YAML reads no text (NO, 1), "
            f"got {parts['types']!r}."
        )
    readers = parts.get("readers", [])
    if not (isinstance(readers, list) and all(isinstance(name, str) for name in readers)):
        raise UserError(f"{path}: expected a list of names for readers, got {readers!r}.")
    if "rows" in parts and (type(parts["rows"]) is not int or parts["rows"] < 1):
        raise UserError(f"{path}: expected a number of texts for rows, got {parts['rows']!r}.")
    return parts | ({"splits": read_splits(path, parts["splits"])} if "splits" in parts else {})


def _with_known_splits(corpus: Corpus) -> Corpus:
    """Return a corpus with the splits of the dataset on the Hub that it names, if these are known here."""
    for name in known_corpora():
        known = read_corpus(CORPORA / f"{name}.yaml")
        if (
            known.hub_id is not None
            and str(corpus.hub_id).casefold() == known.hub_id
            and corpus.hub_config in (None, known.hub_config)
        ):
            return dataclasses.replace(corpus, splits=known.splits, readers=known.readers, rows=known.rows)
    return corpus


def _needed() -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(Corpus)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
