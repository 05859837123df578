"""Add words to the lexicon of a loaded model: it knows them at once, without training, and its folder stays."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.lexicon import read_lexicon
from malmoi.data.token_spelling import word_spelling
from malmoi.data.user_error import UserError
from malmoi.modeling.lexicon import Lexicon


def add_words(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    words: Mapping[str, Iterable[str]],
    *,
    name: str | Path,
) -> None:
    """Add words to the lexicon of a model in memory.

    Args:
        model: The model.
        tokenizer: Its tokenizer, which says how it reads the characters of a word.
        words: Words by a label of the model that its lexicon has a class for, or by a class of the lexicon.
        name: How errors call the model.

    Raises:
        UserError: If the model has no lexicon, or its lexicon no such class, or a word has a character that the
            tokenizer does not know.
    """
    lexicon = next((layer for layer in model.modules() if isinstance(layer, Lexicon)), None)
    if lexicon is None:
        raise UserError(f"{name}: words can be added to models with a lexicon, and this one was trained without.")
    if not isinstance(words, Mapping):
        raise UserError(f"`words` must give words for labels, as in {{'PS': ['가나다']}}, got {words!r}.")
    classes, labels = list(lexicon.config.lexicon_classes), dict(lexicon.config.lexicon_labels)
    added: dict[tuple[int, ...], int] = {}
    for kind, of_kind in words.items():
        if labels.get(kind, kind) not in classes:
            known = f"the classes {', '.join(classes)}"
            known = f"the labels {', '.join(labels)} and {known}" if labels else known
            raise UserError(f"{name}: its lexicon has words for {known}, got {kind!r}.")
        if isinstance(of_kind, (str, bytes)) or not isinstance(of_kind, Iterable):
            raise UserError(f"`words` must give a list of words for {kind}, got {of_kind!r}.")
        bit = 1 << classes.index(labels.get(kind, kind))
        for word in of_kind:
            if not isinstance(word, str) or not word.strip():
                raise UserError(f"`words` must give words for {kind}, got {word!r}.")
            spelling = word_spelling(word, tokenizer)
            added[spelling] = added.get(spelling, 0) | bit
    lexicon.add_words(added)


def read_words(path: Path) -> dict[str, list[str]]:
    """Return the words of a file by their label or class; a line holds a word, a tab, and the label or class.

    Raises:
        DataFormatError: If the file cannot be read, or a line has another form; it names the line.
    """
    lexicon = read_lexicon(str(path))
    return {
        kind: [word for word, bits in lexicon.words.items() if bits >> number & 1]
        for number, kind in enumerate(lexicon.classes)
    }
