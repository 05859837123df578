r"""Where names may begin and end in a text: between characters as a reader sees them, and next to a visible one.

And which characters the tokens of a tokenizer stand for, of which names are made.

This file travels with every saved model, so it imports nothing that transformers does not need itself.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import regex

# Consonants and vowels on their own are characters in conjoining jamo too (UAX 29 draws `ᄏᄏ홍` together), and a skin
# tone does not cling to Hangul; everything else is as UAX 29 has it.
CHARACTER = regex.compile(
    r"(?:[\u1100-\u115f\ua960-\ua97c](?:[\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?)?"
    r"|\p{Hangul_Syllable_Type=LV}[\u11a8-\u11ff\ud7cb-\ud7fb]?|\p{Hangul_Syllable_Type=LVT}"
    r"|[\u1160-\u11ff\ud7b0-\ud7fb])[\p{M}\p{Grapheme_Extend}\u200d]*|\X"
)
"""A character as a reader sees it: a grapheme cluster."""
INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
"""What Unicode says to ignore, annotation marks, and control characters other than spaces."""
# signs that stand in texts and names as text, unless a variation selector makes them emoji
EMOJI = regex.compile(
    r"[\p{Regional_Indicator}\p{Emoji_Modifier}]|[#*0-9]\ufe0f?\u20e3|(?![#*0-9])\p{Emoji}\ufe0f"
    r"|(?![#*0-9©®™ℹⓂ㊗㊙‼⁉〰〽])(?:\p{Emoji}|(?=[\U0001f000-\U0001fffd])\p{Extended_Pictographic})"
)
"""How an emoji begins."""
PLAIN = regex.compile(r"[\t\n -\x7e가-힣ㄱ-ㅣ一-鿿]*")
"""Characters that are whole, visible and no emoji, whatever stands around them if it is among them too."""
UNLIMITED = int(1e30)
"""How a tokenizer says that a text may have any number of tokens."""


def token_spans(text: str, offsets: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """Return which characters each token stands for, so that no character belongs to two tokens.

    Byte-level and SentencePiece tokenizers count the space before a word as part of its first token, and give all
    pieces of one character the same place. The space is taken off unless it is all there is, and a character
    belongs to its first piece.

    Args:
        text: The text.
        offsets: Start and end of each token, as the tokenizer gives them.

    Returns:
        Start and end of each token; `(0, 0)` for a token without text, as `[CLS]`, and `(end, end)` for a further
        piece of the character before `end`.
    """
    spans: list[tuple[int, int]] = []
    covered = 0
    for start, end in offsets:
        start = max(start, covered)
        if start >= end:
            spans.append((end, end))
            continue
        covered = end
        characters = text[start:end]
        visible = characters.lstrip()
        spans.append((end - len(visible) if visible else start, end))
    return spans


class NameEdges:
    """The places of one text where names may begin and end.

    Args:
        text: The text.
    """

    def __init__(self, text: str):
        self.text = text
        self._starts: list[int] = []  # of its characters, and its end; found when the first name needs them

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """Return a name with whole characters only, and with neither emoji nor invisible characters at its ends.

        A character belongs to the name that has its beginning.

        Args:
            start: Where the name begins.
            end: Where it ends.

        Returns:
            Where the name begins and ends now; the same place twice if nothing is left of it.
        """
        text = self.text
        if PLAIN.fullmatch(text[max(start - 1, 0) : start + 2]) and PLAIN.fullmatch(text[max(end - 2, 0) : end + 1]):
            return start, end
        if not self._starts:
            self._starts = [*(match.start() for match in CHARACTER.finditer(text)), len(text)]
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        left, right = first, last
        while left < right and self._is_foreign(left, spaces=left > first):
            left += 1
        while left < right and self._is_foreign(right - 1, spaces=right < last):
            right -= 1
        if left >= right:
            return start, start
        start, end = self._starts[left], self._starts[right]
        while INVISIBLE.match(text[start]):
            start += 1
        while INVISIBLE.match(text[end - 1]):
            end -= 1
        return start, end

    def _is_foreign(self, index: int, *, spaces: bool) -> bool:
        """Tell whether a character is an emoji or invisible, or a space where spaces count too."""
        character = self.text[self._starts[index] : self._starts[index + 1]]
        visible = INVISIBLE.sub("", character)
        return not visible or EMOJI.match(character) is not None or (spaces and visible.isspace())
