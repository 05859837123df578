"""Twenty sentences with names, written for these tests and free to use (CC0), and as annotation tools write them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from malmoi.data.alignment import Span
from malmoi.data.inline_marks import parse_marks

MARKED = """\
<박서연:PS>은 <전주:LC>에서 비빔밥을 먹었다.
<이도현:PS>이 <한빛전자:OG>에 입사했다.
<강릉:LC> 바다는 오늘도 푸르다.
<국립중앙도서관:OG>은 월요일에 쉰다.
어제 <최민준:PS> 씨가 <대전:LC>으로 이사했다.
😀 <부산:LC>에서 만난 <정하은:PS> 덕분에 웃었다.
비가 와서 우산을 샀다.
<한국은행:OG>이 금리를 그대로 두었다.
<제주:LC>와 <여수:LC> 가운데 어디가 좋을까?
<윤지호:PS>·<임수빈:PS> 부부가 빵집을 열었다.
<서울시청:OG> 앞 광장에 사람이 많다.
버스가 늦어서 <오세린:PS>은 걸어갔다.
<춘천:LC>행 열차는 아홉 시에 떠난다.
"<조은우:PS>, 잘 지냈니?"라고 할머니가 물으셨다.
<푸른숲출판사:OG>에서 새 시집이 나왔다.
고양이가 창가에서 잔다.
<목포:LC>에는 <유달산:LC>이 있다.
<신채원:PS> 선생님은 <경주고등학교:OG>에서 가르친다.
👨‍👩‍👧 가족이 <속초:LC>로 떠났다.
<배준호:PS>의 그림이 <수원미술관:OG>에 걸렸다."""
SENTENCES: list[tuple[str, list[Span]]] = [parse_marks(line) for line in MARKED.splitlines()]


def as_json(rows: object) -> str:
    """Return a value as people's files have it, over several lines."""
    return json.dumps(rows, ensure_ascii=False, indent=2)


def write_doccano(folder: Path) -> None:
    """Write what doccano exports."""
    rows = [
        {"id": number, "text": text, "label": [list(span) for span in spans], "Comments": []}
        for number, (text, spans) in enumerate(SENTENCES, start=1)
    ]
    (folder / "admin.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_prodigy(folder: Path) -> None:
    """Write what Prodigy's `db-out` prints."""
    rows = [
        {
            "text": text,
            "_input_hash": -number,
            "spans": [{"start": start, "end": end, "label": label} for start, end, label in spans],
            "answer": "accept",
        }
        for number, (text, spans) in enumerate(SENTENCES)
    ]
    (folder / "names.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_label_studio(folder: Path) -> None:
    """Write what Label Studio exports as JSON."""

    def result(text: str, span: Span) -> dict[str, Any]:
        value = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": [span.label]}
        return {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": value}

    tasks = [
        {
            "id": number,
            "data": {"text": text},
            "annotations": [
                {
                    "id": number,
                    "completed_by": 1,
                    "was_cancelled": False,
                    "updated_at": "2026-11-02T08:00:00.000000Z",
                    "result": [result(text, span) for span in spans],
                }
            ],
            "predictions": [],
        }
        for number, (text, spans) in enumerate(SENTENCES, start=1)
    ]
    (folder / "project-1-at-2026-11-02.json").write_text(as_json(tasks), encoding="utf-8")


def write_brat_documents(folder: Path) -> None:
    """Write four documents of brat, of five sentences each."""
    for document in range(4):
        text, names = "", []
        for sentence, spans in SENTENCES[document * 5 : document * 5 + 5]:
            for start, end, label in spans:
                place = f"{label} {len(text) + start} {len(text) + end}"
                names.append(f"T{len(names) + 1}\t{place}\t{sentence[start:end]}\n")
            text += sentence + "\n"
        (folder / f"article-{document}.txt").write_text(text, encoding="utf-8", newline="")
        (folder / f"article-{document}.ann").write_text("".join(names), encoding="utf-8", newline="")


def write_nikl(folder: Path) -> None:
    """Write a file as 모두의 말뭉치 has them, with four documents."""

    def sentence(number: int, text: str, spans: list[Span]) -> dict[str, Any]:
        names = [
            {"id": index, "form": text[start:end], "label": label, "begin": start, "end": end}
            for index, (start, end, label) in enumerate(spans, start=1)
        ]
        return {"id": f"NWRW.{number // 5}.{number}", "form": text, "word": [], "NE": names}

    sentences = [sentence(number, text, spans) for number, (text, spans) in enumerate(SENTENCES)]
    documents = [
        {"id": f"NWRW.{part}", "metadata": {}, "sentence": sentences[part * 5 : part * 5 + 5]} for part in range(4)
    ]
    (folder / "NXNE.json").write_text(as_json({"id": "NXNE", "metadata": {}, "document": documents}), encoding="utf-8")


FORMS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "doccano": ("jsonl", write_doccano),
    "prodigy": ("jsonl", write_prodigy),
    "label-studio": ("label-studio", write_label_studio),
    "brat": ("brat", write_brat_documents),
    "nikl": ("nikl", write_nikl),
}
"""The reader that reads each form, and what writes it."""
