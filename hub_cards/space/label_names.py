"""What the labels of KLUE, the KMOU corpus and NSMC are called in Korean."""

from collections.abc import Iterable

LABEL_NAMES = {
    "PS": "인물",
    "PER": "인물",
    "LC": "장소",
    "LOC": "장소",
    "OG": "기관",
    "ORG": "기관",
    "POH": "그 밖의 이름",
    "DT": "날짜",
    "DAT": "날짜",
    "TI": "시각",
    "TIM": "시각",
    "DUR": "기간",
    "QT": "수량",
    "NOH": "수량",
    "MNY": "금액",
    "PNT": "비율",
    "positive": "긍정",
    "neutral": "중립",
    "negative": "부정",
}
SENTIMENTS = frozenset(
    {
        "positive",
        "neutral",
        "negative",
        "긍정",
        "중립",
        "부정",
        "긍정적",
        "부정적",
        "좋음",
        "보통",
        "나쁨",
        "pos",
        "neg",
    }
)
"""What classes of sentiment are called."""
HUES = {
    "인물": 345,
    "장소": 150,
    "기관": 215,
    "날짜": 35,
    "시각": 55,
    "기간": 75,
    "수량": 275,
    "금액": 300,
    "비율": 320,
    "그 밖의 이름": 190,
}
"""The colour of each kind of name, in degrees, so that the label sets of two corpora look alike."""


def are_sentiments(classes: Iterable[str]) -> bool:
    """Tell whether classes are those of sentiment, and not topics, intents or anything else."""
    return {name.casefold() for name in classes} <= SENTIMENTS


def types_of(labels: Iterable[str]) -> list[str]:
    """Return the types of tags such as `B-PS`, or the labels themselves if they are no tags."""
    labels = list(labels)
    return sorted({label.partition("-")[2] for label in labels if label[:2] in ("B-", "I-")}) or labels


def name_of(label: str) -> str:
    """Return the Korean name of a label, or the label itself."""
    return LABEL_NAMES.get(label, label)


def hue_of(label: str) -> int:
    """Return the colour of a label in degrees; the same in every process, whatever the label."""
    # the golden angle keeps the colours of similar labels apart
    return HUES.get(name_of(label), round(sum(label.encode()) * 137.508) % 360)
