r"""Where tokens stand and names may end in a text, without torch. Written by malmoi 0.1.0 into every saved tagger."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import regex  # transformers needs it itself

UNLIMITED = int(1e30)  # how a tokenizer says that a text may have any number of tokens
# Characters as a reader sees them. Consonants and vowels on their own are characters in conjoining jamo too (UAX 29
# draws `ᄏᄏ홍` together), and a skin tone does not cling to Hangul; everything else is as UAX 29 has it.
CHARACTER = regex.compile(
    r"(?:[\u1100-\u115f\ua960-\ua97c](?:[\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?)?"
    r"|\p{Hangul_Syllable_Type=LV}[\u11a8-\u11ff\ud7cb-\ud7fb]?|\p{Hangul_Syllable_Type=LVT}"
    r"|[\u1160-\u11ff\ud7b0-\ud7fb])[\p{M}\p{Grapheme_Extend}\u200d]*|\X"
)
# what Unicode says to ignore, annotation marks, and control characters other than spaces
INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
# how an emoji begins; some signs stand in texts and names as text, unless a variation selector makes them emoji
EMOJI = regex.compile(
    r"[\p{Regional_Indicator}\p{Emoji_Modifier}]|[#*0-9]\ufe0f?\u20e3|(?![#*0-9])\p{Emoji}\ufe0f"
    r"|(?![#*0-9©®™ℹⓂ㊗㊙‼⁉〰〽])(?:\p{Emoji}|(?=[\U0001f000-\U0001fffd])\p{Extended_Pictographic})"
)
SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # cling to letters, too
PLAIN = regex.compile(r"[\t\n -\x7e가-힣ㄱ-ㅣ一-鿿]*")  # whole, visible and no emoji, whatever of them stands around
# before which a character ends, whatever it is; searched for from the right
AFTER_CHARACTER = regex.compile(
    r"(?r)(?<![\p{Grapheme_Cluster_Break=Prepend}\r\u1100-\u115f\ua960-\ua97c])[\t\n -\x7e가-힣ㄱ-ㅣ一-鿿]"
)


def token_spans(text: str, offsets: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """Return which characters each token stands for, so that no character belongs to two tokens.

    Byte-level and SentencePiece tokenizers count the space before a word as part of its first token, and give all
    pieces of one character the same place. The space is taken off unless it is all there is; a further piece of a
    character gets `(end, end)`, and a token without text, as `[CLS]`, `(0, 0)`.
    """
    spans: list[tuple[int, int]] = []
    covered = 0
    for start, end in offsets:
        start = min(max(start, covered), end)
        visible = text[start:end].lstrip()
        spans.append((end - len(visible) if visible else start, end))
        covered = end if start < end else covered
    return spans


def character_starts(text: str, start: int) -> Iterator[int]:
    """Yield where characters begin from `start` on, and where the text ends; a long text takes no longer for it."""
    before = AFTER_CHARACTER.search(text, 0, start + 1)
    for match in CHARACTER.finditer(text, before.start() if before else 0):
        if match.start() >= start:
            yield match.start()
    yield len(text)


def trim_name(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a name with whole characters only, and with neither emoji nor invisible characters at its ends.

    A character belongs to the name that has its beginning. If nothing is left, it is the same place twice.
    """
    if not text[start:end].strip():
        return start, start
    if PLAIN.fullmatch(text[max(start - 1, 0) : start + 2]) and PLAIN.fullmatch(text[max(end - 2, 0) : end + 1]):
        return start, end
    starts: list[int] = []  # of the characters of the name, and of what comes after it
    for place in character_starts(text, start):
        starts.append(place)
        if place >= end:
            break
    characters = [text[place:stop] for place, stop in pairwise(starts)]
    left, right = 0, len(characters)
    while left < right and _is_foreign(characters[left], spaces=left > 0):
        left += 1
    while left < right and _is_foreign(characters[right - 1], spaces=right < len(characters)):
        right -= 1
    if all(_is_foreign(character, spaces=True) for character in characters[left:right]):
        return start, start
    start, end = starts[left], starts[right]
    while INVISIBLE.match(text[start]):
        start += 1
    while INVISIBLE.match(text[end - 1]) or text[end - 1] in SKIN_TONES:
        end -= 1
    return start, end


def _is_foreign(character: str, *, spaces: bool) -> bool:
    """Tell whether a character is an emoji or invisible, or a space where spaces count too."""
    character = character.rstrip(SKIN_TONES)
    visible = INVISIBLE.sub("", character)
    return not visible or EMOJI.search(character) is not None or (spaces and visible.isspace())
