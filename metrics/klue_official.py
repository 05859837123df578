"""How KLUE-baseline brings predictions for subwords back to characters, faithfully, with its faults.

Needed to compare with published figures. Known faults, all reproduced: after a word that contains the unknown token,
every later character reads the prediction of the subword before its own; in such a word a known subword of several
characters yields only one prediction; the gold standard is cut to the number of predictions, so truncation costs
nothing. See github.com/KLUE-benchmark/KLUE-baseline, models/named_entity_recognition.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

MAX_SEQUENCE_LENGTH = 510
CONTINUED_UNKNOWN = None


class Subword(NamedTuple):
    """A piece of a word: its characters, and whether the tokenizer knows it."""

    characters: str
    is_known: bool


def official_character_tags(words: Sequence[Sequence[Subword]], predictions: Sequence[str]) -> list[str]:
    """Return the tags that KLUE-baseline reads off for the characters of a sentence, spaces left out.

    Args:
        words: The subwords of each word of the sentence, words being separated by single spaces.
        predictions: The predicted tag of each subword.

    Returns:
        One tag for the first special token, one for each character as far as predictions reach, and one for the last
        special token. Special tokens are outside.
    """
    by_position = ["O", *predictions, "O"]
    tags = ["O"]
    position = 1
    last_position = MAX_SEQUENCE_LENGTH - 1
    for subwords in words:
        if all(subword.is_known for subword in subwords):
            for subword in subwords:
                if position < last_position:
                    tag = by_position[position]
                    tags += [tag] + [_continued(tag)] * (len(subword.characters) - 1)
                    position += 1
            continue
        after_unknown = False
        for piece in _expand_unknown(subwords):
            if position >= last_position:
                break
            if piece is CONTINUED_UNKNOWN:
                tags.append(_continued(by_position[position]))
            elif not piece.is_known:
                tags.append(by_position[position])
                after_unknown = True
            elif after_unknown:
                position += 1
                tags.append(by_position[position])
                after_unknown = False
            else:
                tags.append(by_position[position])
                position += 1
    return [*tags, "O"]


def _continued(tag: str) -> str:
    return tag if tag == "O" else "I-" + tag[2:]


def _expand_unknown(subwords: Sequence[Subword]) -> list[Subword | None]:
    """Spread each unknown subword over the characters it stands for, as far as KLUE-baseline can tell.

    It sees the word and the subwords but not where they begin. An unknown subword therefore reaches up to the first
    character that begins the next known one.
    """
    word = "".join(subword.characters for subword in subwords)
    expanded: list[Subword | None] = []
    character, index, continued = 0, 0, False
    last = len(subwords) - 1
    while character < len(word) or index < last:
        subword = subwords[index]
        expanded.append(CONTINUED_UNKNOWN if continued else subword)
        if index < last and not subword.is_known and subwords[index + 1].is_known:
            character += 1
            continued = word[character : character + 1] != subwords[index + 1].characters[0]
            index += not continued
            if character >= len(word):  # the next subword is not in what is left: the original runs into an error
                break
        else:
            character += len(subword.characters) if subword.is_known else 1
            index, continued = index + 1, False
        if index > last:
            index, continued = last, True
    return expanded
