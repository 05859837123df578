"""Texts of any length: the answer does not depend on where they are cut, and memory not on how long they are."""

from collections.abc import Sequence
from itertools import repeat
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.fresh_process import run_cold
from support.local_engine import LocalEngine
from support.property_tests import examples
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    byte_level_tokenizer,
    knowing_bert_tagger,
    label_settings,
    save,
    sentencepiece_tokenizer,
    tiny_bert_classifier,
    tiny_spacing_bilstm,
)

from malmoi.data.character_tokenizer import split_into_characters
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.text_pieces import Reading, text_pieces
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.inference import classifier, token_labels
from malmoi.inference.classifier import Classifier
from malmoi.inference.labelled_tokens import LabelledPart, TokenLabels
from malmoi.inference.seams import find_seam
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Entity, Tagger
from malmoi.inference.token_labels import labelled_parts
from malmoi.modeling import BiLstmConfig, BiLstmForSequenceClassification

WORDPIECE = build_wordpiece_tokenizer(SENTENCES, vocab_size=150)
TOKENIZERS = {
    "syllables": build_syllable_tokenizer(SENTENCES),
    "wordpiece": WORDPIECE,
    "wordpiece-characters": split_into_characters(WORDPIECE),
    "byte-level": byte_level_tokenizer(),
    "sentencepiece": sentencepiece_tokenizer(),
}
# what a cut must not fall into: decomposed Hangul, emoji of several characters, line ends
PARTS = [
    *["손흥민은 ", "춘천에서", "태어났다.", "비가", " ", "\r\n", "\n", "abc", "1,234", "漢字", "ㅋㅋ", "갔다!"],
    *["\u1112\u1161\u11ab\u1100\u116e\u11a8", "👨‍👩‍👧", "👍🏽", "🇰🇷", "e\u0301", "\u1112\u1161"],
]
TEXT = st.lists(st.sampled_from(PARTS), min_size=40, max_size=300).map("".join)
READING = st.builds(
    lambda overlap, more: Reading(length=4 * overlap + more, overlap=overlap),
    st.integers(100, 130),
    st.integers(0, 99),
)
WHOLE = Reading(length=10**9, overlap=0)


def joined(parts: list[LabelledPart]) -> TokenLabels:
    whole = TokenLabels([], [], [], [])
    for part in parts:
        whole.extend(part.tokens)
    return whole


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=TEXT, reading=READING)
@example(text="👨‍👩‍👧" * 200, reading=Reading(400, 100))
@example(text="\u1112\u1161\u11ab" * 300, reading=Reading(401, 100))
@example(text="\r\n" * 300, reading=Reading(401, 100))
@example(text="손흥민은" * 300, reading=Reading(403, 100))
@settings(max_examples=examples(60))
def test_a_text_in_pieces_has_the_tokens_and_the_answers_of_the_whole(name: str, text: str, reading: Reading) -> None:
    if name in ("wordpiece", "sentencepiece"):  # a word of more than a hundred characters is one unknown token
        text = " ".join(text[start : start + 20] for start in range(0, len(text), 20))
    engine = LocalEngine(TOKENIZERS[name])
    whole, pieces = (list(labelled_parts(engine, [text], batch_size=4, reading=way)) for way in (WHOLE, reading))
    assert len(whole) == 1
    assert [part.is_last for part in pieces] == [False] * (len(pieces) - 1) + [True]
    assert len(pieces) > 1 or len(text) <= reading.length
    found = joined(pieces)
    assert found[:3] == whole[0].tokens[:3]  # windows differ
    kept = [place for window in found.windows for place in window.offsets[slice(*window.kept)]]
    assert kept == found.offsets  # of those that read a token, one keeps it
    assert [window.first for window in found.windows] == [
        sum(end - first for first, end in (window.kept for window in found.windows[:number]))
        for number in range(len(found.windows))
    ]


@given(texts=st.lists(st.one_of(TEXT, st.just(""), st.just("비가")), max_size=5), reading=READING)
@settings(max_examples=examples(20))
def test_answers_stay_with_their_texts(texts: list[str], reading: Reading) -> None:
    engine = LocalEngine(TOKENIZERS["syllables"])
    parts = list(labelled_parts(engine, texts, batch_size=4, reading=reading))
    found = []
    for text in texts:
        own = []
        while not own or not own[-1].is_last:
            own.append(parts.pop(0))
        assert {part.text for part in own} == {text}
        found.append(joined(own))
    assert parts == []
    assert [own[:3] for own in found] == [own[:3] for own in token_labels.token_labels(engine, texts, batch_size=32)]


def test_texts_are_read_only_as_far_as_answers_are_asked_for() -> None:
    engine = LocalEngine(TOKENIZERS["syllables"])
    assert next(labelled_parts(engine, repeat("비가 왔다" * 2000), batch_size=4)).text == "비가 왔다" * 2000


def tokens(labels: list[int], first: int) -> TokenLabels:
    places = range(first, first + len(labels))
    return TokenLabels(labels, [1.0] * len(labels), [(place, place + 1) for place in places], [])


@pytest.mark.parametrize(
    ("left", "right", "seam"),
    [
        ([0] * 20, [0] * 20, 15),
        ([0] * 14 + [1, 2, 2, 0, 0, 0], [0] * 4 + [1, 2, 2, 0, 0, 0] + [0] * 10, 14),  # before the name, not within
        ([0] * 16 + [3] * 4, [0] * 10 + [0] * 10, 15),  # they differ near the end of the former
        ([0] * 20, [3] * 7 + [0] * 13, 18),  # and near the beginning of the latter
        ([1] + [2] * 19, [2] * 20, 15),  # a name that is longer than all that both have read
        ([0] * 20, [3] * 20, 15),  # they agree nowhere
    ],
)
def test_a_seam_is_where_both_agree_and_not_within_a_name(left: list[int], right: list[int], seam: int) -> None:
    assert find_seam(tokens(left, 0), tokens(right, 10), 10, 20, outside=0) == (seam, seam - 10)


def test_tokens_that_differ_are_neither_lost_nor_doubled() -> None:
    left = TokenLabels([0, 0, 0], [1.0] * 3, [(0, 8), (8, 16), (16, 20)], [])
    right = TokenLabels([0, 0, 0], [1.0] * 3, [(10, 13), (13, 18), (18, 30)], [])
    kept, skipped = find_seam(left, right, 10, 20, outside=0)
    assert left.offsets[:kept] + right.offsets[skipped:] == [(0, 8), (8, 16), (18, 30)]


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    """A tagger that knows a few names wherever they stand, and reads 32 tokens at once."""
    labels = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
    known = dict(zip("손흥민춘천", ["B-PS", "I-PS", "I-PS", "B-LC", "I-LC"], strict=True))
    tokenizer = split_into_characters(WORDPIECE)
    model = knowing_bert_tagger(tokenizer, labels, known)
    return Tagger(save(tmp_path_factory.mktemp("knowing"), model, tokenizer))


@given(before=st.integers(0, 120), between=st.sampled_from(["", " ", "비가", "👨‍👩‍👧", "\u1112\u1161\u11ab", "\r\n"]))
@settings(max_examples=examples(40))
def test_names_at_seams_are_those_of_the_text(knowing: Tagger, before: int, between: str) -> None:
    text = "가" * before + f"손흥민{between}춘천{between}" * 40
    reading = Reading(length=80, overlap=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_labels, "READING_OF_LIMITED", reading)
        names = knowing(text)
    assert "".join(name.text for name in names) == "손흥민춘천" * 40
    assert all(text[name.start : name.end] == name.text for name in names)


def test_a_name_may_be_longer_than_several_pieces(knowing: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_labels, "READING_OF_LIMITED", Reading(length=80, overlap=20))
    text = "비가 손" + "흥민" * 300 + " 비가"
    [name] = knowing(text)
    assert name[:3] == (3, len(text) - 3, "PS")


def test_a_text_in_pieces_has_best_answers_and_alternatives(knowing: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "가 손흥민은 춘천에 갔다. 비가 왔다. " * 20
    whole = knowing.n_best(text, 3)
    monkeypatch.setattr(token_labels, "READING_OF_LIMITED", Reading(length=80, overlap=20))
    found = knowing.n_best(text, 3)
    assert [entity[:3] for entity in found[0].entities] == [entity[:3] for entity in knowing(text)]
    assert without_scores(found[0].entities) == without_scores(whole[0].entities)
    assert found[0].probability >= found[1].probability >= found[2].probability > 0
    for name in knowing(text)[::9]:
        assert dict(knowing.alternatives(text, name.start, name.end))[name.label] == pytest.approx(name.score)


def sample_text(characters: int) -> str:
    """Return one line of the sample corpus, as long as that."""
    line = " ".join(str(text) for text in read_inline_marks(None)["train"]["text"])
    return (f"{line} " * (characters // len(line) + 1))[:characters]


def without_scores(names: list[Entity]) -> list[tuple[int, int, str, str]]:
    return [(name.start, name.end, name.label, name.text) for name in names]


@pytest.mark.slow
def test_the_model_of_the_package_finds_the_names_of_the_whole_wherever_pieces_fall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tagger, spacer = Tagger(), Spacer()
    text = sample_text(12_000)
    monkeypatch.setattr(token_labels, "READING", WHOLE)
    names, spaced = tagger(text), spacer(text)
    assert len(names) > 100
    random = Random(0)
    for _ in range(3):
        monkeypatch.setattr(token_labels, "READING", Reading(length=random.randrange(4096, 6000), overlap=1024))
        assert without_scores(tagger(text)) == without_scores(names)
        assert spacer(text) == spaced


def test_fifty_thousand_characters_without_a_space_are_read(tmp_path: Path) -> None:
    tokenizer = TOKENIZERS["syllables"]
    spacer = Spacer(save(tmp_path, tiny_spacing_bilstm(tokenizer), tokenizer))
    text = "비가와서집에있었다손흥민은춘천에서" * 2942
    spaced = spacer(text)
    assert spaced.text.replace(" ", "") == text
    engine = LocalEngine(tokenizer)
    [found] = token_labels.token_labels(engine, [text], batch_size=32)
    assert found.offsets == [(place, place + 1) for place in range(len(text))]
    assert engine.longest <= token_labels.PADDED_PIECES


def test_a_spacer_reads_in_pieces_what_it_reads_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = TOKENIZERS["syllables"]
    spacer = Spacer(save(tmp_path, tiny_spacing_bilstm(tokenizer), tokenizer))
    text = "비가 와서\t집에  있었다. 손흥민은 \u1112\u1161\u11ab글 Hello World 👨‍👩‍👧\u200b가 1,234원\n" * 30
    text = text + text.replace("\n", " ").replace("\t", " ")
    expected = spacer(text)
    monkeypatch.setattr(token_labels, "READING", Reading(length=400, overlap=100))
    assert spacer(text) == expected


def save_classifier(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = TOKENIZERS["syllables"]
    config = BiLstmConfig(
        vocab_size=len(tokenizer), embedding_size=6, hidden_size=8, **label_settings(["나쁨", "보통", "좋음"])
    )
    return save(folder, BiLstmForSequenceClassification(config), tokenizer)


def test_a_classifier_without_a_limit_takes_the_mean_over_the_pieces_of_a_long_text(tmp_path: Path) -> None:
    judge = Classifier(save_classifier(tmp_path))
    short = "비가 와서 집에 있었다. " * 100
    long = short * (classifier.READ_WHOLE // len(short)) + "손흥민은\u200b춘천에서 태어났다. " * 500
    expected = dict.fromkeys(judge.labels.values(), 0.0)
    counts = 0
    for piece in text_pieces(long, classifier.PIECES):
        read = piece.text[piece.start : piece.stop]
        [row], _ = judge.engine.rows([read])
        expected = {label: expected[label] + len(row) * score for label, score in judge(read).scores.items()}
        counts += len(row)
    found = judge(long)
    assert found.scores == pytest.approx({label: total / counts for label, total in expected.items()}, abs=1e-6)
    assert found.score == max(found.scores.values()) == found.scores[found.label]
    assert not found.cut
    alone = judge(short)
    together = judge([short, long, short, long])
    assert [answer.label for answer in together] == [alone.label, found.label] * 2
    assert together[1] == together[3] == found
    [as_today] = judge.engine.score_classes([judge.engine.rows([long[: classifier.READ_WHOLE]])[0]])
    assert [*judge(long[: classifier.READ_WHOLE]).scores.values()] == pytest.approx(as_today[0].tolist(), abs=1e-6)


def test_a_long_text_without_tokens_has_the_class_of_an_empty_one(tmp_path: Path) -> None:
    judge = Classifier(save_classifier(tmp_path))
    nothing = "\u200b" * (classifier.READ_WHOLE + 1)
    assert judge(nothing).scores == pytest.approx(judge("").scores, abs=1e-6)


def test_a_classifier_with_a_limit_reads_no_more_of_a_long_text_than_it_can(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    judge = Classifier(save(tmp_path, tiny_bert_classifier(tokenizer), tokenizer))
    read: list[int] = []
    rows = judge.engine.rows

    def counted(texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        read.append(sum(map(len, texts)))
        return rows(texts)

    for gap in ("", " " * (3 * classifier.READ_WHOLE)):
        text = "손흥민은 춘천에서 " + gap + "비가 와서 집에 있었다 abc. " * 20_000
        [row], _ = rows([text])
        [expected] = judge.engine.score_classes([[row]])
        read.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge.engine, "rows", counted)
            found = judge(text)
        assert [*found.scores.values()] == pytest.approx(expected[0].tolist(), abs=1e-6)
        assert found.cut
        assert max(read) <= 2 * classifier.READ_WHOLE + 2 * len(gap)


PEAK = """
import sys
from malmoi.inference.{module} import {name}
from malmoi.reports.costs import peak_memory_bytes
{name}({folder!r})("비가 와서 집에 있었다. 손흥민은 춘천에서 태어났다. " * ({characters} // 30))
print(peak_memory_bytes())
"""


@pytest.mark.long
@pytest.mark.parametrize("name", ["Tagger", "Spacer", "Classifier"])
def test_memory_is_bounded_however_long_a_text_is(tmp_path: Path, name: str) -> None:
    task = {"Tagger": "named-entities", "Spacer": "word-spacing", "Classifier": "sentence-classification"}[name]
    few, many = (
        int(
            run_cold(
                PEAK.format(module=name.lower(), name=name, folder=f"bundled:{task}", characters=characters),
                folder=tmp_path,
            )
        )
        for characters in (10_000, 300_000)
    )
    # `docs/documents.md` has less than a tenth; read whole, a gigabyte would come to it
    assert many < 1.15 * few
