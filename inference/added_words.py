"""Add words to the lexicon of a loaded model: it knows them at once, without training, and its folder stays."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.lexicon import numbered_words
from malmoi.data.model_labels import labels_of
from malmoi.data.notice import notify, shorten
from malmoi.data.text_lines import DataFormatError, is_file_or_pipe
from malmoi.data.token_spelling import word_spelling
from malmoi.data.user_error import UserError
from malmoi.inference.batches import LONE_SURROGATE
from malmoi.modeling.lexicon import Lexicon

FORM = "a word, a tab and its label or class"
"""What a line of a file of words holds."""
MOST_NAMED = 8
ADVICE = "; `lexicon_labels` tells a training of what class the names of a label are"


class AddedWord(NamedTuple):
    """A word that a model is to know, and where it stands if it comes from a file."""

    word: str
    kind: str
    """A label of the model, or a class of its lexicon."""
    file: Path | None = None
    line: int | None = None


Words = Mapping[str, Iterable[str]] | str | os.PathLike[str]
"""Words by label or class, or a file of them."""


def read_words(words: Words) -> list[AddedWord]:
    """Return the words that a user gives.

    Args:
        words: Words by a label of the model that its lexicon has a class for, or by a class of the lexicon; or a file
            with a word, a tab and such a label or class in each line.

    Raises:
        DataFormatError: If the file is missing or malformed; it names the file, the line and what was expected.
        UserError: If what is given are no words.
    """
    if isinstance(words, (str, os.PathLike)):
        path = Path(words)
        if isinstance(words, str) and not is_file_or_pipe(path):
            raise UserError(f"{_rule()}, and there is no file {words!r}.")
        found = [AddedWord(word, kind, path, line) for line, kind, word in numbered_words(path, expected=FORM)]
        if not found:
            raise DataFormatError(path, None, f"expected {FORM} in each line, found no such line.")
        return found
    if not isinstance(words, Mapping):
        raise UserError(f"{_rule()}, got {words!r}.")
    found = []
    for kind, of_kind in words.items():
        if isinstance(of_kind, (str, bytes)) or not isinstance(of_kind, Iterable):
            raise UserError(f"`words` must give a list of words for {kind}, got {of_kind!r}.")
        for word in of_kind:
            if not isinstance(word, str) or not word.strip() or LONE_SURROGATE.search(word):
                raise UserError(f"`words` must give words for {kind}, got {word!r}.")
            found.append(AddedWord(word, kind))
    return found


def add_words(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, words: Sequence[AddedWord], *, name: str | Path
) -> None:
    """Add words to the lexicon of a model in memory, and say which of them it can never find.

    Args:
        model: The model.
        tokenizer: Its tokenizer, which says how it reads the characters of a word.
        words: The words.
        name: How messages call the model.

    Raises:
        UserError: If the model has no lexicon, its lexicon has no such class, or no word can be found; what comes from
            a file is told by file and line.
    """
    lexicon = next((layer for layer in model.modules() if isinstance(layer, Lexicon)), None)
    if lexicon is None:
        raise UserError(f"{name}: words can be added to models with a lexicon, and this one was trained without.")
    classes = list(lexicon.config.lexicon_classes)
    # a recipe may tell the classes of more labels than the data have
    types = {label.removeprefix("B-").removeprefix("I-") for label in labels_of(model.config)}
    labels = {label: kind for label, kind in lexicon.config.lexicon_labels.items() if label in types}
    added: dict[tuple[int, ...], int] = {}
    lost: list[AddedWord] = []
    for each in words:
        kind = labels.get(each.kind, each.kind)
        if kind not in classes:
            raise _unknown_kind(each, classes, labels, name)
        try:
            spelling = word_spelling(each.word, tokenizer)
        except UserError:
            lost.append(each)
            continue
        added[spelling] = added.get(spelling, 0) | 1 << classes.index(kind)
    if lost:
        said = _what_is_lost(lost, len(words), tokenizer, name)
        if not added:
            raise UserError(said)
        notify(said)
    lexicon.add_words(added)


def _rule() -> str:
    return f"`words` must give words for labels, as in {{'PS': ['가나다']}}, or a file with {FORM} in each line"


def _unknown_kind(each: AddedWord, classes: Sequence[str], labels: Mapping[str, str], name: str | Path) -> UserError:
    if each.file is None:
        known = f"the classes {', '.join(classes)}"
        known = f"the labels {', '.join(labels)} and {known}" if labels else known
        return UserError(f"{name}: its lexicon has words for {known}, got {each.kind!r}{ADVICE}.")
    known = f"a class ({', '.join(classes)})"
    known = f"a label ({', '.join(labels)}) or {known}" if labels else known
    return DataFormatError(
        each.file,
        each.line,
        f"expected {known} of the lexicon of {name} after the tab, got {shorten(each.kind)}{ADVICE}.",
    )


def _what_is_lost(lost: Sequence[AddedWord], words: int, tokenizer: PreTrainedTokenizerBase, name: str | Path) -> str:
    """Say how many of the words a model can never find, which those are, and for which characters."""
    named = [
        f"{each.word} ({', '.join([*_unknown_characters(each.word, tokenizer), *_place(each)])})"
        for each in lost[:MOST_NAMED]
    ]
    more = [f"{len(lost) - MOST_NAMED:,} more"] if len(lost) > MOST_NAMED else []
    source = lost[0].file or "`words`"
    return (
        f"{source}: {len(lost):,} of {words:,} words cannot be found by {name}, whose tokenizer does not know all "
        f"their characters: {', '.join(named + more)}."
    )


def _unknown_characters(word: str, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the characters of a word that a tokenizer does not know, each once, in one string."""
    unknown = []
    for character in dict.fromkeys(word):
        try:
            word_spelling(character, tokenizer)
        except UserError:
            unknown.append(character)
    return ["".join(unknown).strip()] if unknown else []


def _place(each: AddedWord) -> list[str]:
    return [] if each.line is None else [f"line {each.line}"]
