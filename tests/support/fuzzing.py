"""Many cases, drawn at random from numbers that Hypothesis chooses, and counted one by one.

One example of Hypothesis is a number, from which a batch of cases is made: models answer fifty texts in little more
time than one. Where a batch fails, its cases are tried one by one, and the one that fails is shown.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from support.property_tests import PROFILES

Case = TypeVar("Case")

CASES: dict[str, int] = {
    "names, tiny models": 6600,
    "spaces, tiny models": 4400,
    "classes, tiny models": 4400,
    "names, model of the package": 1500,
    "spaces, model of the package": 1500,
    "classes, model of the package": 1500,
    "marked text": 5200,
    "files of data": 500,
    "checkpoints to convert": 150,
}
"""How many cases there are in the quick profile; the thorough one has twenty times as many."""
AT_LEAST = {"quick": 20_000, "thorough": 500_000}
BATCH = 50

WORDS = (
    *(
        "손흥민은",
        "춘천에서",
        "태어났다.",
        "비가",
        "와서",
        "서울로",
        "3월",
        "1일에",
        "KBS가",
        '"안녕"',
        "ㅋㅋㅋ",
        "ㅠㅠ",
        "www.a.kr",
    ),
    *(
        "재미있다",
        "지루한",
        "영화",
        "<김:PS>",
        "A-B",
        "12,345원",
        "#해시",
        "@이름",
        "(주)",
        "C++",
        "e-mail@x.org",
        "…",
    ),
)
PIECES = (
    *(
        "\u1112\u1161\u11ab",
        "\u1100\u1161",
        "\u115f\u1160",
        "\ua960\ud7b0",
        "\u302e",
        "각\u11a8",
        "\u1161",
        "\u11ab",
    ),  # jamo
    *("👨‍👩‍👧‍👦", "🏳️‍🌈", "🇰🇷", "👍🏽", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f", "\u200d", "\ufe0f"),
    *("e\u0301", "a" + "\u0301" * 40, "\u0301", "က္ခ", "क्षि", "ก็็็็", "\u0600١", "สำ"),
    *("שלום", "مرحبا", "\u202e", "\u2067", "\u2069", "\u200e", "\u061c", "ﷺ"),
    *("\ufdd0", "\uffff", "\U0001ffff", "\U0010ffff", "\ufffe", "\ue000", "\U000f0000"),
    *("\0", "\x07", "\x1b[31m", "\x85", "\u2028", "\u2029", "\r\n", "\r", "\n", "\t", "\x0b", "\x1c", "\x7f"),
    *(" ", "  ", "\u3000", "\u00a0", "\u200b", "\ufeff", "\u00ad", "\u2060", "\u3164", "\uffa0", "\u180e"),
    *("ﬀ", "Ǆ", "İ", "ß", "ŉ", "㍿", "㌀", "½", "①", "ｶﾞ", "Å", "\ufb1d", "\U0001d15e"),
)


def random_character(random: Random) -> str:
    """Return any character that is no surrogate, each plane as often as another."""
    while True:
        code = random.randrange(17) << 16 | random.randrange(1 << 16)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def random_text(random: Random) -> str:
    """Return a text of words, odd pieces and characters of all planes; one of some hundred is very long."""
    parts = [_part(random) for _ in range(random.choice([0, 1, 2, 3, 5, 8, 13, 20]))]
    text = random.choice(["", "", " "]).join(parts)
    if random.random() < 0.2:
        text = unicodedata.normalize(random.choice(["NFC", "NFD", "NFKC", "NFKD"]), text)
    if random.random() < 0.004:
        text *= 1 + random.randrange(3000) // (1 + len(text))
    return text


def _part(random: Random) -> str:
    kind = random.random()
    if kind < 0.45:
        return random.choice(WORDS)
    if kind < 0.8:
        return random.choice(PIECES)
    if kind < 0.95:
        return random_character(random)
    return random.choice([*PIECES, *WORDS]) * random.randrange(2, 20)


def number_of_cases(kind: str) -> int:
    """Return how many cases of a kind there are in this profile."""
    return CASES[kind] * settings.default.max_examples // PROFILES["quick"]


def fuzz(
    check: Callable[[Sequence[Case]], None], draw: Callable[[Random], Case], *, cases: int, batch: int = BATCH
) -> None:
    """Check so many cases, and that there were so many.

    Args:
        check: Checks a batch of cases.
        draw: Makes a case.
        cases: How many.
        batch: How many at once.
    """
    counted = 0

    # each number is tried once, so that as many are drawn as are asked for
    @settings(max_examples=math.ceil(cases / batch))
    @given(seed=st.integers(0, 2**64 - 1))
    def examine(seed: int) -> None:
        nonlocal counted
        random = Random(seed)
        drawn = [draw(random) for _ in range(batch)]
        counted += len(drawn)
        try:
            check(drawn)
        except Exception:
            for case in drawn:
                try:
                    check([case])
                except Exception as error:
                    raise AssertionError(f"It fails for {case!r}.") from error
            raise

    examine()
    print(f"{counted:,} cases")
    assert counted >= cases
