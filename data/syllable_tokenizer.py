"""A tokenizer with one token per syllable, built from the training text.

Hangul is decomposed and put together again only as far as tokens go: composed (`홍`) and decomposed (`ᄒ`, `ᅩ`, `ᆼ`)
spelling give the same token, and the offsets of that token cover whatever stands in the text, one character or three.
A consonant or vowel on its own gives the same token whether it is written as conjoining or as compatibility jamo.
Invisible characters belong to no token (`token_characters`).
Everything is an ordinary `tokenizer.json`: no code of ours is needed to load it.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from malmoi.data.token_characters import CHARACTER, LEADING, VOWEL, drop_invisible
from malmoi.data.user_error import UserError

PAD, UNK = "[PAD]", "[UNK]"


def _lone_jamo() -> Iterable[normalizers.Normalizer]:
    """Yield what turns a conjoining jamo that is no part of a syllable into its compatibility letter."""
    for code in range(0x3131, 0x3164):
        letter = unicodedata.name(chr(code)).removeprefix("HANGUL LETTER ")
        for kind, part_of_syllable in (
            ("CHOSEONG", f"{{}}(?![{VOWEL}])"),
            ("JUNGSEONG", f"(?<![{LEADING}]){{}}"),
            ("JONGSEONG", f"(?<![{VOWEL}]){{}}"),
        ):
            try:
                conjoining = unicodedata.lookup(f"HANGUL {kind} {letter}")
            except KeyError:  # most letters stand in one or two of the three places
                continue
            yield normalizers.Replace(Regex(part_of_syllable.format(conjoining)), chr(code))


def build_syllable_tokenizer(texts: Iterable[str], *, min_frequency: int = 2) -> PreTrainedTokenizerFast:
    """Build a tokenizer whose vocabulary is the syllables and characters of the texts.

    Args:
        texts: The training texts.
        min_frequency: How often a character must occur to be in the vocabulary. Rarer ones are unknown, so that the
            model learns what an unknown character is like.

    Raises:
        UserError: If no character of the texts occurs often enough.
    """
    tokenizer = Tokenizer(models.WordLevel({}, unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence(
        [*drop_invisible(), normalizers.NFD(), *_lone_jamo(), normalizers.Replace(Regex(r"\r\n|\s"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(CHARACTER), "isolated")
    tokenizer.decoder = decoders.Fuse()

    counts: Counter[str] = Counter()
    for text in texts:
        normalized = tokenizer.normalizer.normalize_str(text)
        counts.update(piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalized))
    # the most frequent first; code points break ties, so that the same texts give the same file
    kept = sorted((c for c in counts if counts[c] >= min_frequency), key=lambda c: (-counts[c], c))
    if not kept:
        raise UserError(f"No character occurs {min_frequency} times in the training texts.")
    tokenizer.model = models.WordLevel({token: i for i, token in enumerate([PAD, UNK, *kept])}, unk_token=UNK)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNK,
        padding_side="right",
        split_special_tokens=True,  # "[PAD]" in a text is five characters
        model_input_names=["input_ids", "attention_mask"],
    )
