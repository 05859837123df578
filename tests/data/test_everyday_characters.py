"""Half-finished syllables, emoji, Latin and Hanja: names of them come back exactly as they stand in the text."""

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from transformers import PreTrainedTokenizerBase

from malmoi.data.alignment import (
    Span,
    spans_to_tags,
    tags_to_spans,
    tags_to_token_labels,
    token_labels_to_tags,
    trim_names,
)
from malmoi.data.inline_marks import parse_marks
from malmoi.data.space_noise import with_space_noise, without_spaces
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.tagged_dataset import TaggedSentence, tagged_dataset
from malmoi.modeling.name_edges import trim_name

LINES = [
    "<손흥민:PS>ㅋㅋㅋ 골넣음ㅠㅠ",
    "ㅋㅋ<손흥민:PS>ㅠㅠ",
    "안녕ㅎ <민지:PS>야ㅎㅎ",
    "<ㅇㅈㅇ:PS>이 누구임?",
    "<김ㅇㅇ:PS>씨, <ㄱ나니:PS>는요? <ㅎㅏ늘:PS>이",
    "<ㅋㅋㅋ:OG> 방송",
    "<LG전자:OG>는 <슈퍼주니어-D&E:OG>와 <김OO:PS>씨",
    "<李明博:PS> 대통령, <이명박(李明博):PS> 전 대통령",
    "<\u8c48:PS>씨, <\uf900:PS>씨, <𠮷野家:OG>에서",
    "👍🏽<손흥민:PS>👍🏽<BTS:OG>👨‍👩‍👧‍👦랑",
    "<손👍🏽민:PS>은 <방탄💜소년단:OG>, <안👨‍👩‍👧녕:PS>, <한🇰🇷국:LC>에",
    "<café:LC>에서 <cafe\u0301:LC>까지",
    "<㈜한화:OG>, <①번가:OG>, <3·1절:DT>, <½개:QT>, <ＡＢＣ방송:OG>, <ｱｲﾄﾞﾙ:OG>, <ﬁlm:OG>, <İstanbul:LC>",
    "<나\u200b\u200d은행:OG>에, <삼성™:OG>이, <하♡니:PS>",
]
PARTS = [
    *("손흥민", "은 ", " 춘천", "에서", "안녕ㅎ", "ㅋㅋ", "ㅠㅠ", "ㅇㅈㅇ", "LG", "e스포츠", "café", "cafe\u0301"),
    *("李明博", "\uf900", "𠮷", "ＡＢ", "①", "1992", "™", "♡", ".", " ", "\t", "\r\n"),
    *("😀", "👍🏽", "👨‍👩‍👧", "🇰🇷", "❤️", "1️⃣"),
]
# a tokenizer drops invisible characters before it joins jamo and marks; names in such texts are not asked for
TEXTS = st.one_of(
    *(
        st.lists(st.sampled_from(PARTS + others), min_size=1, max_size=8).map("".join)
        for others in (["\u110f\u110f", "\u1172", "\u11ab", "🏽"], ["\u200b", "\ufe0f", "\u00ad"])
    )
)
TOKENIZER = build_syllable_tokenizer([*(parse_marks(line)[0] for line in LINES), "손흥민은 춘천에서"] * 2)


def found_again(text: str, spans: list[Span], tokenizer: PreTrainedTokenizerBase = TOKENIZER) -> list[Span]:
    """Return the names that a tagger finds which labels every token right."""
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    labels = tags_to_token_labels(spans_to_tags(spans, len(text)), offsets)
    return trim_names(text, tags_to_spans(token_labels_to_tags(labels, offsets, len(text))))


@pytest.mark.parametrize("form", ["NFC", "NFD", "as it is"])
@pytest.mark.parametrize("line", LINES)
def test_names_come_back_exactly(line: str, form: str) -> None:
    text, spans = parse_marks(line if form == "as it is" else unicodedata.normalize(form, line))
    assert spans
    assert found_again(text, spans) == spans


@pytest.mark.parametrize("line", LINES)
def test_names_come_back_exactly_with_other_spaces(line: str) -> None:
    text, spans = parse_marks(line)
    labels = [f"{prefix}-{span.label}" for span in spans for prefix in "BI"]
    rows = tagged_dataset(
        [TaggedSentence(id="", text=text, tags=spans_to_tags(spans, len(text)))], [*dict.fromkeys(labels), "O"]
    )
    names = rows.features["tags"].feature.names
    often = {"drop_all_probability": 0.0, "drop_probability": 0.5, "add_probability": 0.5}
    for changed in (without_spaces(rows), *(with_space_noise(rows, probability=1, seed=n, **often) for n in range(5))):
        new_text, new_spans = changed[0]["text"], tags_to_spans([names[tag] for tag in changed[0]["tags"]])
        assert len(new_spans) == len(spans)
        assert found_again(new_text, new_spans) == new_spans


@given(TEXTS, st.data())
@settings(max_examples=examples(400))
def test_names_between_whole_characters_come_back_exactly(text: str, data: st.DataObject) -> None:
    places = sorted(
        {trim_name(text, start, end) for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    )
    spans: list[Span] = []
    for start, end in data.draw(st.permutations(places)):
        apart = all(end <= other.start or start >= other.end for other in spans)
        if start < end and apart and len(spans) < 3 and text[start:end].strip() == text[start:end]:
            spans.append(Span(start, end, data.draw(st.sampled_from(["PS", "LC"]))))
    assume(spans)
    assert found_again(text, sorted(spans)) == sorted(spans)
