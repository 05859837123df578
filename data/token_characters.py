r"""What one character is where characters become tokens, as normalizers and patterns of a `tokenizer.json`.

Invisible characters (zero-width spaces and joiners, byte order marks, soft hyphens, direction marks, variation
selectors and whatever else Unicode calls ignorable by default; annotation marks, and control characters other than
spaces) are no tokens and no part of one, so a text with them has the tokens of the text without them. The joiner
within an emoji is the exception: it makes several emoji one.

A character is what a reader takes for one (Unicode, UAX 29, grapheme clusters), be it a syllable in three letters, a
letter with its marks, a flag or a family. Two things differ from UAX 29: consonants and vowels on their own, as in
`ㅋㅋ` or `ㅠㅠ`, are characters even if they are written in conjoining jamo, and a skin tone does not cling to Hangul.

Patterns are those of Oniguruma, which `tokenizers` compiles.
"""

from tokenizers import Regex, normalizers

# Unicode, chapter 18.6 and UAX 29: leading consonants, vowels and trailing consonants of the conjoining jamo.
LEADING = "\u1100-\u115f\ua960-\ua97c"
VOWEL = "\u1160-\u11a7\ud7b0-\ud7c6"
TRAILING = "\u11a8-\u11ff\ud7cb-\ud7fb"
MARKS = r"[\p{M}\p{Grapheme_Extend}]*"
CHARACTER = rf"[{LEADING}][{VOWEL}][{TRAILING}]?{MARKS}|\X"
"""The pattern of one token: a Hangul syllable, or another character, each with its combining marks."""
# signs that are text unless a variation selector makes them emoji are none here
PICTURE = r"(?:[\p{Emoji}&&[^#*0-9©®™ℹⓂ㊗㊙‼⁉〰〽]]|[\x{1F000}-\x{1FFFD}&&\p{Extended_Pictographic}])"
EMOJI = rf"\p{{Regional_Indicator}}{{1,2}}|{PICTURE}{MARKS}\p{{Emoji_Modifier}}?"
"""The pattern of one emoji in a text without variation selectors and joiners."""

JOINER = "\u200d"
CONTROL = r"\x{00}-\x{08}\x{0E}-\x{1B}\x{7F}-\x{84}\x{86}-\x{9F}"
INVISIBLE = rf"[\p{{Default_Ignorable_Code_Point}}\x{{FFF9}}-\x{{FFFB}}{CONTROL}&&[^{JOINER}]]"
IDLE_JOINER = (
    rf"(?<![\p{{Extended_Pictographic}}\p{{Emoji_Modifier}}]){JOINER}|{JOINER}(?!\p{{Extended_Pictographic}})"
)


def drop_invisible() -> list[normalizers.Normalizer]:
    """Return what takes invisible characters out of a text; the offsets of tokens still point into the original."""
    # in this order: between an emoji and its joiner there may be a variation selector
    return [normalizers.Replace(Regex(INVISIBLE), ""), normalizers.Replace(Regex(IDLE_JOINER), "")]
