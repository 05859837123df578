"""Which josa a Korean word ends in: a suspicion, by its spelling alone.

A josa is written onto the word before it, so a label that covers whole words covers it too (`홍길동은`). The rule:

1. A josa goes with the end of the syllable before it: 은, 이, 을, 과, 아, 으로 and those that begin with 이 follow a
   final consonant, 는, 가, 를, 와, 야, 로 and the like follow none; 로 follows ㄹ as well. So `고은` ends in none, as
   고 has no final consonant. Digits count as they are read in Sino-Korean (`3은`, `2는`). After a character of
   another script, whose reading is not known, either form will do.
2. Several may follow one another, in this order: one of place or company (에서, 에게, 으로), one of extent (까지,
   부터), 만 or 뿐, and one that closes (은, 도, 의; without one of place also 이, 을). The longest that fits is taken:
   에서는, 에게도, 까지만, 으로부터.
3. At least one syllable, letter or digit is left, with nothing between it and the josa but closing marks. Several that
   begin with one of a single syllable (만은, 로는) leave at least two, otherwise the first is taken for a part of the
   word: names such as 대만 and 구로 are more frequent than names of one syllable.

Names that only look like it are suspected too: 제주도 (도), 김정은 (은), 이승만 (만). So the answer is no more than a
suspicion, and something or somebody else must decide.
"""

import unicodedata
from typing import NamedTuple

VOWEL, CONSONANT, VOWEL_OR_RIEUL, CONSONANT_BUT_RIEUL, ANY = range(5)
"""What the syllable before a josa must end in."""

PLACE, EXTENT, ONLY, TOPIC, SUBJECT = range(5)
"""The places of a josa in a sequence of several."""

FOLLOWED_BY = {
    PLACE: (EXTENT, ONLY, TOPIC),
    EXTENT: (ONLY, TOPIC, SUBJECT),
    ONLY: (TOPIC, SUBJECT),
    TOPIC: (),
    SUBJECT: (),
}

JOSA_OF_PLACE = {
    PLACE: {
        ANY: "에 에서 에게 에게로 에게서 께 께서 한테 한테로 한테서 더러 하고 보다 처럼 같이 만큼 대로",
        VOWEL: "와 랑",
        CONSONANT: "과 이랑",
        VOWEL_OR_RIEUL: "로 로서 로써",
        CONSONANT_BUT_RIEUL: "으로 으로서 으로써",
    },
    EXTENT: {ANY: "까지 부터 조차 마저 마다 밖에"},
    ONLY: {ANY: "만 뿐"},
    TOPIC: {
        ANY: "도 의",
        VOWEL: "는 나 나마 라도 야 야말로 는커녕",
        CONSONANT: "은 이나 이나마 이라도 이야 이야말로 은커녕",
    },
    SUBJECT: {VOWEL: "가 를 며 든 든지 라고", CONSONANT: "이 을 아 이며 이든 이든지 이라고"},
}


class Josa(NamedTuple):
    """One josa: where it stands in a sequence, what must be before it, and its syllables."""

    place: int
    condition: int
    syllables: str


JOSA = [
    Josa(place, condition, syllables)
    for place, by_condition in JOSA_OF_PLACE.items()
    for condition, listed in by_condition.items()
    for syllables in listed.split()
]
STARTING_WITH = {
    start: [josa for josa in JOSA if josa.syllables[0] == start] for start in {j.syllables[0] for j in JOSA}
}
LAST_SYLLABLES = frozenset(josa.syllables[-1] for josa in JOSA)
LONGEST = 10
"""No sequence has more syllables (에게서까지만은커녕 has nine); what is before needs no look."""

NUMBER_OF_FINALS = 28
"""So many syllables of Unicode differ by their final consonant alone; the first of them has none."""
RIEUL = 8
FINAL_OF_DIGIT = dict(zip("0123456789", "ㅇㄹ-ㅁ--ㄱㄹㄹ-", strict=True))  # 영 일 이 삼 사 오 육 칠 팔 구
CLOSING_MARKS = "\"')]}〉》」』’”"


def josa_at_end(text: str) -> str:
    """Return the josa, or the sequence of several, that a word ends in by the rule above; an empty string if none.

    Args:
        text: A word or a name in composed syllables (NFC); only its end matters.
    """
    if text[-1:] not in LAST_SYLLABLES:
        return ""
    starts = range(max(1, len(text) - LONGEST), len(text))
    return next((text[start:] for start in starts if is_josa(text[start:], after=text[:start])), "")


def is_josa(ending: str, *, after: str) -> bool:
    """Tell whether all of an ending can be a josa, or a sequence of several, of the word before it.

    Both may be written in any form of Unicode.
    """
    ending, word = (unicodedata.normalize("NFC", part) for part in (ending, after.rstrip(CLOSING_MARKS)))
    if not ending or not word or not word[-1].isalnum():
        return False
    firsts = [
        josa.syllables
        for josa in STARTING_WITH.get(ending[0], ())
        if _agrees(word[-1], josa.condition) and _continues(ending, josa)
    ]
    return any(len(first) > 1 or len(word) > 1 or first == ending for first in firsts)


def _continues(ending: str, josa: Josa) -> bool:
    """Tell whether an ending is this josa, and possibly others that may follow it."""
    if not ending.startswith(josa.syllables):
        return False
    rest = ending[len(josa.syllables) :]
    return not rest or any(
        following.place in FOLLOWED_BY[josa.place]
        and _agrees(josa.syllables[-1], following.condition)
        and _continues(rest, following)
        for following in STARTING_WITH.get(rest[0], ())
    )


def _agrees(before: str, condition: int) -> bool:
    """Tell whether a character ends as a josa after it demands; one whose reading is not known does."""
    if "가" <= before <= "힣":
        final = (ord(before) - ord("가")) % NUMBER_OF_FINALS
        has_final, is_rieul = final > 0, final == RIEUL
    elif before in FINAL_OF_DIGIT:
        has_final, is_rieul = FINAL_OF_DIGIT[before] != "-", FINAL_OF_DIGIT[before] == "ㄹ"
    else:
        return True
    return {
        ANY: True,
        VOWEL: not has_final,
        CONSONANT: has_final,
        VOWEL_OR_RIEUL: not has_final or is_rieul,
        CONSONANT_BUT_RIEUL: has_final and not is_rieul,
    }[condition]
