import re
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
import regex
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from support.tiny_models import (
    SENTENCES,
    byte_level_tokenizer,
    knowing_bert_tagger,
    save,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)

from malmoi.data.character_tokenizer import split_into_characters
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.inference.labelled_tokens import LabelledPart
from malmoi.inference.spacer import SpacedText, Spacer
from malmoi.inference.token_labels import labelled_parts

# what may not be torn apart or must stay: decomposed Hangul, joined emoji, flags, marks, all white space, controls
PIECES = [
    *[
        "비가",
        "왔다.",
        "한글".encode().decode(),
        "\u1112\u1161\u11ab",
        "\u1100",
        "\u1161",
        "ㅋ",
        "👨‍👩‍👧",
        "👍🏽",
        "🇰🇷",
        "🇰",
    ],
    *["e\u0301", "\u0301", "\u200d", "\ufe0f", "\u0600", "क्ष", "\u200b", "\ufeff", "\x00", "\x1c", "\x7f", "[SEP]"],
    *[" ", "  ", "    ", "\t", "\r\n", "\n", "\r", "\x0b", "\x85", "\xa0", "\u3000", "\u2028", "\u2029"],
]
ANY_TEXT = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
KINDS = ["bilstm", "bert", "byte-level", "all-B", "all-I"]


def build(kind: str, folder: Path) -> Spacer:
    if kind == "bilstm":
        tokenizer = build_syllable_tokenizer(SENTENCES)
        return Spacer(save(folder, tiny_spacing_bilstm(tokenizer), tokenizer))
    plain = byte_level_tokenizer() if kind == "byte-level" else build_wordpiece_tokenizer(SENTENCES, vocab_size=150)
    tokenizer = split_into_characters(plain)
    model = tiny_bert_tagger(tokenizer, SPACING_LABELS)
    if kind.startswith("all-"):
        with torch.no_grad():
            model.classifier.bias[SPACING_LABELS.index(kind[-1])] += 1000
    return Spacer(save(folder, model, tokenizer))


@pytest.fixture(scope="module")
def spacers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Spacer]:
    return {kind: build(kind, tmp_path_factory.mktemp(kind)) for kind in KINDS}


def check_only_spaces_changed(text: str, spaced: SpacedText, *, keep_spaces: bool) -> None:
    assert spaced.text.replace(" ", "") == text.replace(" ", "")
    kept = [at for at in spaced.offsets if at is not None]
    assert len(spaced.offsets) == len(spaced.text)
    assert all(spaced.text[i] == (" " if at is None else text[at]) for i, at in enumerate(spaced.offsets))
    assert kept == sorted(set(kept))
    assert spaced.removed == sorted(set(range(len(text))) - set(kept))
    assert all(text[at] == " " for at in spaced.removed)
    if keep_spaces:
        assert spaced.removed == []

    starts = {match.start() for match in regex.finditer(r"\X", text.replace(" ", ""))}
    for place, at in enumerate(spaced.offsets):
        if at is None:
            before, after = spaced.text[:place], spaced.text[place + 1 :]
            assert len(before.replace(" ", "")) in starts
            assert not before[-1:].isspace()
            assert not after[:1].isspace()
            assert before not in ("", "\ufeff")
            assert after

    lines, answers = (re.split(r"[^\S ]", whole) for whole in (text, spaced.text))
    assert len(lines) == len(answers)
    for line, answer in zip(lines, answers):
        assert len(line) - len(line.lstrip(" ")) == len(answer) - len(answer.lstrip(" "))
        assert len(line) - len(line.rstrip(" ")) == len(answer) - len(answer.rstrip(" "))
        assert keep_spaces or "\ufeff" in line or "  " not in answer.strip(" ")


@pytest.mark.parametrize("keep_spaces", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@given(text=ANY_TEXT)
@example(text="")
@example(text="   ")
@example(text=" \r\n 비가  왔다 \t e \u0301 \ufeff \n")
@example(text="비가" * 100)
@settings(max_examples=examples(60))
def test_nothing_but_spaces_changes(spacers: dict[str, Spacer], kind: str, keep_spaces: bool, text: str) -> None:
    [spaced] = spacers[kind].space([text], keep_spaces=keep_spaces)
    check_only_spaces_changed(text, spaced, keep_spaces=keep_spaces)


@given(text=ANY_TEXT, random=st.randoms())
def test_no_answer_of_a_model_can_change_anything_else(spacers: dict[str, Spacer], text: str, random: Random) -> None:
    def any_labels(*arguments: Any, **options: Any) -> Iterator[LabelledPart]:
        for part in labelled_parts(*arguments, **options):
            labels = [random.randrange(-1, 2) for _ in part.tokens.labels]
            yield part._replace(tokens=part.tokens._replace(labels=labels))

    with patch("malmoi.inference.spacer.labelled_parts", any_labels):
        for keep_spaces in (False, True):
            [spaced] = spacers["byte-level"].space([text], keep_spaces=keep_spaces)
            check_only_spaces_changed(text, spaced, keep_spaces=keep_spaces)


@pytest.mark.parametrize("kind", ["bilstm", "bert", "byte-level"])
@given(texts=st.lists(ANY_TEXT, max_size=5))
@settings(max_examples=examples(30))
def test_neither_neighbours_nor_batch_size_change_an_answer(
    spacers: dict[str, Spacer], kind: str, texts: list[str]
) -> None:
    together = list(spacers[kind].space(texts, batch_size=32))
    assert together == list(spacers[kind].space(texts, batch_size=1))
    assert together == [spaced for text in texts for spaced in spacers[kind].space([text])]
    lines = "\n".join(texts).split("\n")
    answers = [spaced.text for spaced in spacers[kind].space(lines)]
    assert [spaced.text for spaced in spacers[kind].space(["\n".join(texts)])] == ["\n".join(answers)]


@given(
    lines=st.lists(
        st.lists(st.sampled_from(["비가", "왔다.", "\u1112\u1161\u11ab글", "👨‍👩‍👧", "e\u0301"]), min_size=1)
    ),
    random=st.randoms(),
)
def test_perfect_answers_restore_the_text(spacers: dict[str, Spacer], lines: list[list[str]], random: Random) -> None:
    gold = "\r\n".join(" ".join(words) for words in lines)
    noisy = re.sub(" ", lambda _: " " * random.randrange(3), gold)

    def perfect(spacer: Spacer, bodies: Iterable[str], batch_size: int) -> Iterator[bytearray]:
        assert list(bodies) == (["".join(words) for words in lines] or [""])
        tags = [split_spaces(" ".join(words))[1] for words in lines] or [[]]
        return iter([bytearray(tag == "B" for tag in row) for row in tags])

    with patch.object(Spacer, "_word_begins", perfect):
        [spaced] = spacers["bilstm"].space([noisy])
    assert spaced.text == gold


def test_a_model_that_knows_restores_a_text_longer_than_it_can_read(tmp_path: Path) -> None:
    words = ["비가", "와서", "집에", "있었다."]
    tokenizer = split_into_characters(build_wordpiece_tokenizer(SENTENCES, vocab_size=150))
    model = knowing_bert_tagger(tokenizer, SPACING_LABELS, {word[0]: "B" for word in words})
    spacer = Spacer(save(tmp_path, model, tokenizer))
    gold = " ".join(words * 40)
    for batch_size in (1, 32):
        [spaced] = spacer.space([gold.replace(" ", "")], batch_size=batch_size)
        assert spaced.text == gold
    [spaced] = spacer.space([gold.replace(" ", "\ufeff", 1)])
    assert spaced.text == gold.replace(" ", "\ufeff", 1)


def test_spaces_that_are_there_are_used_before_others_are_inserted(spacers: dict[str, Spacer]) -> None:
    assert next(spacers["all-B"].space(["비  가왔"])) == SpacedText("비 가 왔", [0, 1, 3, None, 4], [2])
    assert next(spacers["all-B"].space(["비  가왔"], keep_spaces=True)).text == "비  가 왔"
    assert next(spacers["all-I"].space([" 비  가 왔  "])) == SpacedText(" 비가왔  ", [0, 1, 4, 6, 7, 8], [2, 3, 5])
    assert next(spacers["all-I"].space([" 비  가 왔  "], keep_spaces=True)).removed == []


def test_a_byte_order_mark_still_begins_its_line(spacers: dict[str, Spacer]) -> None:
    assert next(spacers["all-B"].space(["\ufeff비가"])).text == "\ufeff비 가"


def test_a_lone_surrogate_is_refused(spacers: dict[str, Spacer]) -> None:
    with pytest.raises(UserError, match="Character 3 of the text is a lone surrogate"):
        list(spacers["bilstm"].space(["비가", "가나\ud800"]))


def test_texts_are_read_only_as_far_as_answers_are_asked_for(spacers: dict[str, Spacer]) -> None:
    assert next(spacers["all-I"].space(repeat("비가 왔다"))).text == "비가왔다"
