"""Random sentences of what stands in Korean text, and of what hardly ever does."""

import random

ALPHABETS = (
    [chr(code) for code in range(0xAC00, 0xD7A4)],
    list("은는이가을를에서의로도와과한다요 " * 3),
    list("서울부산김이박철수영희삼성전자대학교시장 "),
    list("abcXYZ0123456789.,!?()-%·“”"),
    list("😀👍🏽🇰🇷❤\ufe0f\u200d\u3164\u1100\u1161\u11a8ㅋㅠ漢字ñ\u0301\U00020000"),
)


def random_sentences(count: int, *, seed: int = 0, longest: int = 60) -> list[str]:
    """Return so many sentences; some are empty, some are one character long."""
    draw = random.Random(seed)
    sentences = []
    for _ in range(count):
        length = draw.choice([0, 1, 2, draw.randint(1, longest), draw.randint(1, longest)])
        alphabets = draw.choices(ALPHABETS, weights=[2, 5, 4, 1, 1], k=length)
        sentences.append("".join(draw.choice(alphabet) for alphabet in alphabets))
    return sentences
