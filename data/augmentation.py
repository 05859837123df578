"""More training sentences from those at hand: names are replaced by other names of the same type.

Entity replacement for named entity recognition is described by Dai and Adel, 2020
(https://aclanthology.org/2020.coling-main.343, "mention replacement"). What is added here is Korean: a josa whose form
depends on the final consonant of the name before it follows the new name (`춘천은` becomes `제주는`).
"""

import random
import unicodedata

from datasets import Dataset, concatenate_datasets

from malmoi.data.alignment import Span, spans_to_tags, tags_to_spans
from malmoi.data.tagged_dataset import TaggedSentence, label_names, tagged_dataset, tagged_sentences
from malmoi.modeling.name_edges import CHARACTER

# the form after a final consonant, and the form after a vowel
JOSA_FORMS = (("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"))


def with_replaced_names(dataset: Dataset, *, copies: int, probability: float, seed: int) -> Dataset:
    """Return the sentences, followed by copies of them in which names are replaced.

    Args:
        dataset: Tagged sentences.
        copies: How many times all sentences are repeated with other names.
        probability: With what probability a name is replaced.
        seed: The same seed gives the same sentences.
    """
    names = label_names(dataset)
    sentences = tagged_sentences(dataset)
    pool: dict[str, list[str]] = {}
    for sentence in sentences:
        for start, end, label in tags_to_spans(sentence["tags"]):
            pool.setdefault(label, []).append(sentence["text"][start:end])
    generator = random.Random(seed)
    replaced = [
        _replace_names(sentence, pool, probability, generator) for _ in range(copies) for sentence in sentences
    ]
    return concatenate_datasets([dataset, tagged_dataset(replaced, names)]) if replaced else dataset


def _replace_names(
    sentence: TaggedSentence, pool: dict[str, list[str]], probability: float, generator: random.Random
) -> TaggedSentence:
    text, spans, position = "", [], 0
    rest = sentence["text"]
    for start, end, label in tags_to_spans(sentence["tags"]):
        text += rest[position:start]
        name = rest[start:end]
        if generator.random() < probability:
            new_name = generator.choice(pool[label])
            rest = rest[:end] + agreeing_josa(rest[end:], before=name, after=new_name)
            name = new_name
        spans.append(Span(len(text), len(text) + len(name), label))
        text += name
        position = end
    text += rest[position:]
    return TaggedSentence(id=sentence["id"], text=text, tags=spans_to_tags(spans, len(text)))


def agreeing_josa(rest: str, *, before: str, after: str) -> str:
    """Return what follows a name, with a josa at its start in the form that the new name asks for.

    All may be written in any form of Unicode; the josa stays in that of the old one.

    Args:
        rest: The text after the name.
        before: The old name.
        after: The new name.
    """
    old, new = has_final_consonant(before), has_final_consonant(after)
    written = _first_character(rest)
    rest_of_text = rest[len(written) :]
    if old is None or new is None or old == new or _is_syllable(_composed(_first_character(rest_of_text))):
        return rest
    for with_consonant, with_vowel in JOSA_FORMS:
        if _composed(written) == (with_consonant if old else with_vowel):
            return _spelt(with_consonant if new else with_vowel, length=len(written)) + rest_of_text
    return rest


def _spelt(josa: str, *, length: int) -> str:
    """Return a josa of one syllable in as many letters as the old one had: what is behind it stays in place."""
    letters = unicodedata.normalize("NFD", josa)
    forms = (josa, _composed(letters[:2]) + letters[2:], letters)
    return next(form for form in forms if len(form) == length)


def _first_character(text: str) -> str:
    """Return the first character as a reader sees it, however many letters it is; nothing of an empty text."""
    match = CHARACTER.match(text)
    return "" if match is None else match[0]


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _is_syllable(character: str) -> bool:
    return "가" <= character <= "힣"


def has_final_consonant(name: str) -> bool | None:
    """Tell whether a name ends in a consonant; `None` if its last character is no Hangul syllable."""
    last = _composed(name)[-1]
    return (ord(last) - ord("가")) % 28 > 0 if _is_syllable(last) else None
