"""Readers: each turns one format into a `DatasetDict` in the form of a task."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.josa_trimming import say_josa, with_trimmed_josa
from malmoi.data.notice import list_names
from malmoi.data.readers.brat import holds_brat, read_brat
from malmoi.data.readers.conll import holds_conll, read_conll
from malmoi.data.readers.dataset import holds_dataset, read_dataset, task_of_dataset
from malmoi.data.readers.inline_marks import holds_inline_marks, read_inline_marks
from malmoi.data.readers.jsonl import holds_jsonl, read_jsonl, task_of_json_lines
from malmoi.data.readers.klue_ner import holds_klue_ner, read_klue_ner
from malmoi.data.readers.kmou_corpus import holds_kmou_corpus, read_kmou_corpus
from malmoi.data.readers.kmou_lines import holds_kmou_lines, read_kmou_lines
from malmoi.data.readers.label_studio import holds_label_studio, read_label_studio
from malmoi.data.readers.labelled_texts import holds_labelled_texts, read_labelled_texts
from malmoi.data.readers.nikl import holds_nikl, read_nikl
from malmoi.data.readers.nsmc import holds_nsmc, read_nsmc
from malmoi.data.readers.plain_sentences import holds_plain_sentences, read_plain_sentences
from malmoi.data.readers.plain_text import holds_plain_text, read_plain_text
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.splits.cutting import with_missing_splits
from malmoi.data.user_error import UserError

DIVISION_SEED = 42
"""Cuts the splits that a folder lacks, whatever the seed of a training: no model is judged on what it has seen."""


class Reader(NamedTuple):
    """A format."""

    read: Callable[..., DatasetDict]
    """Takes the folder of `--data_dir`, or `None` without it, and by keyword what `options` names."""
    tasks: tuple[str, ...]
    """The tasks that its data can be for. If they are several, `read` takes a keyword `task`."""
    holds: Callable[[Path], bool]
    """Tells by a look into its files whether a folder is in this format."""
    default_source: str | None = None
    """What it reads without a folder."""
    options: tuple[str, ...] = ()
    """What it can be told, of `ReadingOptions`."""
    task_of: Callable[..., str | None] | None = None
    """Tells by a look for which of several tasks data clearly are; takes what `read` takes, but no task."""
    is_divided: bool = False
    """Whether its corpus is published in parts, so that a missing part is not cut from another."""


READERS = {
    "brat": Reader(read_brat, ("named-entities",), holds_brat),
    "conll": Reader(read_conll, ("named-entities",), holds_conll, options=("tag_column", "token_separator")),
    "dataset": Reader(
        read_dataset,
        ("named-entities", "sentence-classification", "word-spacing"),
        holds_dataset,
        options=("dataset", "text_column", "label_column", "token_separator"),
        task_of=task_of_dataset,
    ),
    "inline-marks": Reader(read_inline_marks, ("named-entities",), holds_inline_marks, "the sample corpus"),
    "jsonl": Reader(
        read_jsonl, ("named-entities", "sentence-classification"), holds_jsonl, task_of=task_of_json_lines
    ),
    "klue-ner": Reader(read_klue_ner, ("named-entities",), holds_klue_ner, "klue/klue (Hub)", is_divided=True),
    "kmou-corpus": Reader(read_kmou_corpus, ("named-entities",), holds_kmou_corpus, is_divided=True),
    "kmou-lines": Reader(read_kmou_lines, ("named-entities",), holds_kmou_lines, is_divided=True),
    "label-studio": Reader(
        read_label_studio,
        ("named-entities", "sentence-classification"),
        holds_label_studio,
        options=("annotator",),
    ),
    "labelled-texts": Reader(read_labelled_texts, ("sentence-classification",), holds_labelled_texts),
    "nikl": Reader(read_nikl, ("named-entities",), holds_nikl),
    "nsmc": Reader(read_nsmc, ("sentence-classification",), holds_nsmc, "e9t/nsmc (Hub)", is_divided=True),
    "plain-sentences": Reader(
        read_plain_sentences, ("word-spacing",), holds_plain_sentences, "the sentences of the sample corpus"
    ),
    "plain-text": Reader(read_plain_text, ("language-model",), holds_plain_text, is_divided=True),
}
"""The readers by the name that recipes give them."""
NAMES = "named-entities"
"""The task whose data are texts with names."""
NO_OPTIONS = ReadingOptions()


def read_splits(
    name: str,
    data_dir: Path | None,
    *,
    task: str,
    options: ReadingOptions = NO_OPTIONS,
    division_seed: int | None = DIVISION_SEED,
    trim_josa: bool = False,
) -> DatasetDict:
    """Return the splits of a data set; those that are missing are cut from the training set.

    It is said if a conspicuous share of names ends in what looks like a josa.

    Args:
        name: Name of a reader.
        data_dir: Folder with the data; without it what the reader reads by itself.
        task: The task that they are for.
        options: What else the user says of the data.
        division_seed: Seed by which missing splits are cut; `None` leaves them missing.
        trim_josa: Whether names lose what looks like a josa at their end, by the rule of `malmoi.data.josa_trimming`.

    Raises:
        UserError: If the data cannot be read, or an option is said that the reader does not have, or
            `trim_josa` for texts without names.
    """
    if trim_josa and task != NAMES:
        raise UserError(f"`trim_josa` is for {NAMES}, but the task is {task}.")
    reader = READERS[name]
    given = options.given()
    for option in given:
        if option not in reader.options:
            known = [other for other, each in READERS.items() if option in each.options]
            raise UserError(f"`{option}` is for the reader {list_names(known)}, but `reader` is {name}.")
    splits = reader.read(data_dir, **given, **({"task": task} if len(reader.tasks) > 1 else {}))
    if trim_josa:
        splits = with_trimmed_josa(splits)
    elif task == NAMES:
        say_josa(splits)
    if reader.is_divided or division_seed is None:
        return splits
    return with_missing_splits(splits, seed=division_seed)


def readers_of(task: str) -> list[str]:
    """Return the names of the readers whose data can be for a task."""
    return [name for name, reader in READERS.items() if task in reader.tasks]


def readers_that_fit(data_dir: Path, tasks: tuple[str, ...]) -> list[str]:
    """Return the names of the readers of these tasks in whose format a folder is, by a look into its files."""
    return [name for name, reader in READERS.items() if {*tasks} & {*reader.tasks} and reader.holds(data_dir)]


def likely_tasks(name: str, data_dir: Path | None, *, options: ReadingOptions = NO_OPTIONS) -> tuple[str, ...]:
    """Return the tasks of a reader, or of several the one that the data are clearly for.

    Args:
        name: Name of the reader.
        data_dir: Folder with the data.
        options: What else the user says of them.

    Raises:
        UserError: If the data cannot be looked into.
    """
    reader = READERS[name]
    if reader.task_of is None or (data_dir is None and options.dataset is None):
        return reader.tasks
    task = reader.task_of(data_dir, **{key: value for key, value in options.given().items() if key in reader.options})
    return reader.tasks if task is None else (task,)
