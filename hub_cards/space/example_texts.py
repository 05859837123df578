"""Texts to try a model on: those that its training reports, otherwise some that suit what it knows."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from malmoi.hub_cards.space.label_names import LABEL_NAMES, are_sentiments, types_of

REPORT_FILE = "report.json"
NAMES = [
    "손흥민은 1992년 7월 8일 춘천에서 태어났다.",
    "SK하이닉스는 경기도 이천에 본사를 두고 있다.",
    "내일 오전 10시에 대전에서 김민재와 이강인을 만나요.",
]
SPACING = ["오늘은날씨가좋아서공원에갔다.", "어제친구를만나서함께저녁을먹었다.", "내일아침에일찍일어나야한다."]
REVIEWS = [
    "다시 보고 싶은 영화였어요.",
    "돈과 시간이 아까웠다. 배우들만 고생했네.",
    "연기는 좋았지만 이야기가 조금 지루했다.",
]
SENTIMENT = ["정말 마음에 들어요.", "기대했는데 실망했습니다.", "그럭저럭 쓸 만해요."]
ANY_TEXT = ["오늘은 날씨가 좋아서 공원에 갔다.", "내일 오전 10시에 다시 연락해 주세요.", "새로 나온 책을 한 권 샀다."]
MOST = 3
LONGEST = 150
"""How many characters an example has at most, if there are shorter ones."""


def example_texts(task: str, labels: Iterable[str], report: Mapping[str, Any] | None = None) -> list[str]:
    """Return a few texts for a model.

    Args:
        task: What the model does.
        labels: Its labels.
        report: The report of its training, if there is one.
    """
    texts = reported_texts(report or {}) or _suitable(task, labels, report or {})
    # spaces that are there already leave nothing to see
    return ["".join(text.split()) for text in texts] if task == "word-spacing" else texts


def reported_texts(report: Mapping[str, Any]) -> list[str]:
    """Return the texts of the validation data that a report gives as examples; the longest ones only if need be."""
    texts = _texts(report.get("examples"), "text") or _texts(report.get("samples"), "gt")
    return ([text for text in texts if len(text) <= LONGEST] or texts)[:MOST]


def _texts(entries: Any, key: str) -> list[str]:
    """Return the texts of a list in a report, which may come from anywhere."""
    values = [entry.get(key) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return list(dict.fromkeys(text.strip() for text in values if isinstance(text, str) and text.strip()))


def _suitable(task: str, labels: Iterable[str], report: Mapping[str, Any]) -> list[str]:
    """Return texts that do not speak of what the model was never taught."""
    labels = list(labels)
    if task == "word-spacing":
        return SPACING
    if task == "named-entities":
        return NAMES if set(types_of(labels)) <= set(LABEL_NAMES) else ANY_TEXT
    if not labels or not are_sentiments(labels):
        return ANY_TEXT
    return REVIEWS if report.get("data", {}).get("reader") == "nsmc" else SENTIMENT


def read_report_of(place: str, *, revision: str | None = None) -> dict[str, Any]:
    """Return the report that lies beside a model in a folder or on the Hub; an empty one if there is none."""
    try:
        path = Path(place) / REPORT_FILE if Path(place).is_dir() else _report_on_the_hub(place, revision)
        report = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    except (OSError, ValueError, RecursionError):  # not there, or not ours: a page does without
        return {}
    return report if isinstance(report, dict) else {}


def _report_on_the_hub(name: str, revision: str | None) -> Path | None:
    """Return the file of the report of a repository; `None` if it has none."""
    from transformers.utils.hub import cached_file  # a page of exported models does without

    found = cached_file(name, REPORT_FILE, revision=revision, _raise_exceptions_for_missing_entries=False)
    return None if found is None else Path(str(found))
