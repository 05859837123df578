"""Names in texts as people write them: the offsets of a tagger point into the untouched text."""

import unicodedata
from pathlib import Path

import pytest
from support.tiny_models import knowing_bert_tagger, save
from transformers import pipeline

from malmoi.data.inline_marks import parse_marks
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.inference.tagger import Tagger

LINES = [
    "아ㅋㅋ <손흥민:PS>ㅋㅋ 골ㅠㅠ",
    "안녕ㅎ <민ㅈ:PS>야ㅎㅎ",
    "<ㅇㅈ:PS>이 누구임?",
    "👍🏽<손흥민:PS>👍🏽👨‍👩‍👧‍👦",
    "나는 <방탄💜소년단:PS>이 좋다",
    "<손👨‍👩‍👧흥🇰🇷민:PS>은",
    "<LG전자:PS>는 컸다",
    "어제 <李明博:PS> 대통령",
    "<이명박(李.):PS> 전",
    "<\uf900𠮷:PS>씨",
    "<cafe\u0301서울:PS>로",
    "<나\u200b은\u00ad행:PS>에",
    "오늘 <e-스포츠:PS>를 봤다",
]


@pytest.mark.parametrize("form", ["NFC", "NFD", "as it is"])
@pytest.mark.parametrize("line", LINES)
def test_names_are_found_where_they_stand(line: str, form: str, tmp_path: Path) -> None:
    line = line if form == "as it is" else unicodedata.normalize(form, line)
    text, [gold] = parse_marks(line)
    tokenizer = build_syllable_tokenizer([text], min_frequency=1)
    encoded = tokenizer(text, return_offsets_mapping=True)
    tokens = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    inside = [
        token
        for token, (start, end) in zip(tokens, encoded["offset_mapping"])
        if gold.start <= start < end <= gold.end
    ]
    label_of = dict.fromkeys(inside, "I-PS") | {inside[0]: "B-PS"}
    assert not set(inside) & {t for t, (start, _) in zip(tokens, encoded["offset_mapping"]) if start >= gold.end}
    folder = save(tmp_path / "model", knowing_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"], label_of), tokenizer)
    [entity] = Tagger(folder)(text)
    assert entity[:3] == gold
    assert entity.text == text[gold.start : gold.end]
    # a stock pipeline has no rule for the ends of names, and needs none here
    [found] = pipeline("token-classification", model=str(folder), aggregation_strategy="simple")(text)
    assert text[found["start"] : found["end"]] == entity.text
