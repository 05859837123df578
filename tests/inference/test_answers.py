"""The methods that answer texts: what they take, and how their answers can be had."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.batches import CHUNK_TEXTS
from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.inference.text_model import TextModel

TEXTS = ["손흥민은 춘천에서", "", "비가 와서", "\u1112\u1161\u11ab 서울로"]
METHODS = {Tagger: "tag", Spacer: "space", Classifier: "classify"}


@pytest.fixture(params=METHODS, ids=METHODS.values())
def user(request: pytest.FixtureRequest, tmp_path: Path) -> TextModel:
    """A model of each task."""
    bert, syllables = bert_tokenizer(), build_syllable_tokenizer(SENTENCES)
    model, tokenizer = {
        Tagger: lambda: (tiny_bert_tagger(bert, ["B-PS", "I-PS", "O"]), bert),
        Spacer: lambda: (tiny_spacing_bilstm(syllables), syllables),
        Classifier: lambda: (tiny_bert_classifier(bert), bert),
    }[request.param]()
    return request.param(save(tmp_path, model, tokenizer))


def method_of(user: TextModel) -> object:
    return getattr(user, METHODS[type(user)])


def test_the_object_answers_one_text_or_several(user: TextModel) -> None:
    several = user(TEXTS, batch_size=1)  # rounding is another in a batch
    assert type(several) is list
    assert several == [user(text) for text in TEXTS] == list(method_of(user)(TEXTS, batch_size=1))
    assert user((text for text in TEXTS), batch_size=1) == several
    assert user(tuple(TEXTS), batch_size=1) == several
    assert user([]) == []


def test_answers_to_a_list_can_be_indexed_and_gone_through(user: TextModel) -> None:
    answers, expected = method_of(user)(TEXTS), user(TEXTS)
    assert len(answers) == len(TEXTS)
    assert answers[2] == expected[2]
    assert answers[-1] == expected[-1]
    assert answers[1:3] == expected[1:3]
    assert next(answers) == expected[0]
    assert list(answers) == expected[1:]
    assert list(answers) == []
    assert answers[0] == expected[0]
    with pytest.raises(IndexError):
        answers[len(TEXTS)]


def test_a_stream_is_answered_as_it_comes(user: TextModel) -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for _ in range(10 * CHUNK_TEXTS):
            read += 1
            yield "비가"

    stream = method_of(user)(texts())
    assert read == 0
    next(stream)
    assert read <= CHUNK_TEXTS
    assert not isinstance(stream, Answers)


def test_where_the_source_of_texts_fails_those_before_it_are_answered(user: TextModel) -> None:
    def texts() -> Iterator[str]:
        yield from TEXTS
        raise ConnectionError("gone")

    sources: list[tuple[Any, type[Exception], str]] = [
        (texts(), ConnectionError, "gone"),
        (iter([*TEXTS, None]), UserError, f"number {len(TEXTS) + 1} of the texts, got None"),
        ([*TEXTS, None], UserError, f"number {len(TEXTS) + 1} of the texts, got None"),
    ]
    expected = user(TEXTS)
    for source, error, message in sources:
        answers = method_of(user)(source)
        assert [next(answers) for _ in TEXTS] == expected
        with pytest.raises(error, match=message):
            next(answers)


def test_a_single_text_in_the_place_of_several_is_refused(user: TextModel) -> None:
    name, method = type(user).__name__.lower(), METHODS[type(user)]
    with pytest.raises(UserError) as caught:
        method_of(user)("한 문장")
    assert str(caught.value) == (
        f"`{method}` takes a list of texts, got a single one: write `{method}([text])`, or give it to the object "
        f"itself, as in `{name}(text)`, which takes either."
    )


@pytest.mark.parametrize(
    ("texts", "shown"),
    [(None, "None"), (3, "3 (int)"), ("가".encode(), "b'\\xea\\xb0\\x80' (bytes)"), ({"가": 1}, "{'가': 1} (dict)")],
)
def test_what_are_no_texts_is_refused_at_once(user: TextModel, texts: object, shown: str) -> None:
    for answer in (method_of(user), user):
        with pytest.raises(UserError) as caught:
            answer(texts)
        assert str(caught.value) == f"`{METHODS[type(user)]}` takes a list of texts, got {shown}."


@pytest.mark.parametrize(
    ("text", "shown"),
    [(None, "None"), (["가"], "['가'] (list)"), (b"a", "b'a' (bytes)"), (float("nan"), "nan (float)")],
)
def test_a_text_that_is_none_is_refused_with_its_number(user: TextModel, text: object, shown: str) -> None:
    for texts in (["비가", text], iter(["비가", text])):
        with pytest.raises(UserError) as caught:
            list(method_of(user)(texts))
        assert str(caught.value) == f"Expected a text as number 2 of the texts, got {shown}."


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, None, "4"])
def test_a_batch_size_that_is_none_is_refused(user: TextModel, batch_size: object) -> None:
    for answer in (method_of(user), user):
        with pytest.raises(UserError, match="`batch_size` must be a whole number of at least 1, got "):
            answer(TEXTS, batch_size=batch_size)


def in_capitals(texts: Iterable[str]) -> Iterator[str]:
    """Answers like a model, in the place of one."""
    return (text.upper() for text in texts)


def answered(texts: Any, batch_size: Any = 1) -> Any:
    return stream_answers(in_capitals, texts, user="tagger", method="tag", batch_size=batch_size)


def test_after_an_error_no_answer_is_lost_in_silence() -> None:
    message = "Character 1 of the text is a lone surrogate, not a character; it is number 2 of the texts."
    answers = answered(["a", "\ud800", "c"])
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            list(answers)
        assert str(caught.value) == message
        with pytest.raises(UserError, match="number 2 of the texts"):
            answers[2]
    assert answers[0] == "A"
    with pytest.raises(UserError, match=r"number 2 of the texts, got 7 \(int\)"):
        answered(["a", 7])[1]


def test_after_an_interrupt_the_rest_is_answered() -> None:
    interrupts = iter([KeyboardInterrupt()])

    def interrupted(texts: Iterable[str]) -> Iterator[str]:
        for text in texts:
            if text == "b" and (interrupt := next(interrupts, None)):
                raise interrupt
            yield text.upper()

    answers = stream_answers(interrupted, ["a", "b", "c"], user="tagger", method="tag", batch_size=1)
    with pytest.raises(KeyboardInterrupt):
        list(answers)
    assert list(answers) == ["B", "C"]
    assert answers[:] == ["A", "B", "C"]  # type: ignore[index]


def test_a_list_that_becomes_shorter_is_told() -> None:
    texts = ["a", "b", "c"]
    answers = answered(texts)
    assert next(answers) == "A"
    texts.clear()
    with pytest.raises(UserError) as caught:
        list(answers)
    assert str(caught.value) == "The list had 3 texts when it was given, and has only 1 now; ask again."


def test_numbers_of_numpy_are_numbers() -> None:
    assert list(answered(["a"], np.int64(3))) == ["A"]
    for value in (np.float64(3), np.bool_(True), True, 0, np.int64(0)):
        with pytest.raises(UserError, match="`batch_size` must be a whole number of at least 1, got "):
            answered(["a"], value)


def test_what_has_not_one_dimension_is_no_list_of_texts() -> None:
    assert list(answered(np.array(["a", "b"]))) == list(answered(pd.Series(["a", "b"]))) == ["A", "B"]
    for texts, shown in [
        (np.array("a"), "array('a', dtype='<U1') (ndarray)"),
        (np.array([["a"]]), "array([['a']], dtype='<U1') (ndarray)"),
        (pd.DataFrame({"text": ["a"]}), "text 0 a (DataFrame)"),
    ]:
        with pytest.raises(UserError) as caught:
            answered(texts)
        assert str(caught.value) == f"`tag` takes a list of texts, got {shown}."


def test_several_threads_may_ask_for_the_same_answers() -> None:
    def begin(first: int) -> Iterator[int]:
        for number in range(first, 100):
            time.sleep(0.0005)
            yield number

    answers = Answers(begin, 100)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(answers.__getitem__, range(100))) == [*range(100)]
    answers = Answers(begin, 100)
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(lambda _: next(answers), range(100))) == [*range(100)]


@pytest.mark.parametrize("user_class", [Tagger, Classifier])
def test_a_model_that_computes_no_numbers_answers_nothing(user_class: type[TextModel], tmp_path: Path) -> None:
    """Any class would be the likeliest. Its weights are numbers, but what they give is too large."""
    tokenizer = bert_tokenizer()
    is_tagger = user_class is Tagger
    model: Any = tiny_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"]) if is_tagger else tiny_bert_classifier(tokenizer)
    torch.nn.init.constant_(model.bert.encoder.layer[-1].output.LayerNorm.weight, 1e37)
    for layer in (model.classifier, getattr(model.bert.pooler, "dense", model.classifier)):
        torch.nn.init.uniform_(layer.weight, -1e9, 1e9)
    user: Any = user_class(save(tmp_path, model, tokenizer))
    with pytest.raises(UserError, match=r"^The model computes no numbers \(NaN\) for a text\. Its weights are damage"):
        user("손흥민은 춘천에서")
