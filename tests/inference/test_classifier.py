import json
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_models import SENTENCES, bert_tokenizer, label_settings, save, tiny_bert_classifier
from transformers import pipeline

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classifier
from malmoi.inference.engine import tempered
from malmoi.modeling import BiLstmConfig, BiLstmForSequenceClassification

LONG = "손흥민은 춘천에서 태어났다. " * 30
TEXTS = [
    "손흥민은 춘천에서",
    "",
    LONG,
    "비가",
    "   ",
    "\u1112\u1161\u11ab\r\n👨‍👩‍👧",
    "[SEP] 그는",
    "비가 와서 집에 있었다 abc.",
]


def save_bert(folder: Path, **settings: object) -> Path:
    tokenizer = bert_tokenizer()
    return save(folder, tiny_bert_classifier(tokenizer, **settings), tokenizer)


def save_bilstm(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = build_syllable_tokenizer(SENTENCES)
    config = BiLstmConfig(
        vocab_size=len(tokenizer), embedding_size=6, hidden_size=8, **label_settings(["나쁨", "보통", "좋음"])
    )
    return save(folder, BiLstmForSequenceClassification(config), tokenizer)


@pytest.fixture(params=[save_bert, save_bilstm], ids=["bert", "bilstm"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return request.param(tmp_path)


def test_answers_are_those_of_the_stock_pipeline(model: Path) -> None:
    classifier = Classifier(model)
    limit = {} if classifier.max_length is None else {"truncation": True, "max_length": classifier.max_length}
    stock = pipeline("text-classification", model=str(model), top_k=None)
    for entries, answer in zip(stock(TEXTS, **limit), classifier.classify(TEXTS), strict=True):
        expected = {entry["label"]: entry["score"] for entry in entries}
        assert answer.scores == pytest.approx(expected, abs=1e-5)
        assert answer.label == max(expected, key=expected.__getitem__)
        assert answer.score == max(answer.scores.values())
        assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-5)
        assert list(answer.scores) == ["나쁨", "보통", "좋음"]


def test_neither_order_nor_batch_size_change_an_answer(model: Path) -> None:
    classifier = Classifier(model)
    alone = [next(classifier.classify([text])) for text in TEXTS]
    assert len({answer.scores["좋음"] for answer in alone}) > 4
    for batch_size in (1, 3, 32):
        for texts, expected in ((TEXTS, alone), (TEXTS[::-1], alone[::-1])):
            for answer, single in zip(classifier.classify(texts, batch_size=batch_size), expected):
                assert answer.scores == pytest.approx(single.scores, abs=1e-5)
                assert (answer.label, answer.cut) == (single.label, single.cut)
    assert list(classifier.classify([])) == []


def test_only_a_model_with_a_limit_cuts_a_text_and_says_so(tmp_path: Path) -> None:
    bert, bilstm = Classifier(save_bert(tmp_path / "bert")), Classifier(save_bilstm(tmp_path / "bilstm"))
    assert [answer.cut for answer in bert.classify(["비가", LONG, LONG + "끝"])] == [False, True, True]
    assert next(bert.classify([LONG])).scores == pytest.approx(next(bert.classify([LONG + "abc"])).scores, abs=1e-5)
    assert not any(answer.cut for answer in bilstm.classify([LONG]))
    assert next(bilstm.classify([LONG])).scores != pytest.approx(next(bilstm.classify([LONG + "a"])).scores, abs=1e-6)


def test_a_text_that_just_fits_is_not_cut(tmp_path: Path) -> None:
    classifier = Classifier(save_bert(tmp_path))
    for count, cut in ((14, False), (15, True)):  # 16 with [CLS] and [SEP]
        assert next(classifier.classify(["! " * count])).cut is cut


def test_of_a_text_of_any_length_the_end_counts_where_the_tokenizer_truncates_on_the_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = save_bert(tmp_path) / "tokenizer_config.json"
    given = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps(given | {"truncation_side": "left"}), encoding="utf-8")
    classifier = Classifier(tmp_path)
    score = classifier.engine.score_classes
    rows: list[list[int]] = []

    def score_and_keep(batches: list[list[list[int]]]) -> list[np.ndarray]:
        rows.extend(row for batch in batches for row in batch)
        return score(batches)

    monkeypatch.setattr(classifier.engine, "score_classes", score_and_keep)
    answers = list(classifier.classify(["비가 " * count + "! " * 20 for count in (20, 20_000, 80_000)]))
    assert [answer.cut for answer in answers] == [True] * 3
    assert rows == [classifier.tokenizer("! " * 14)["input_ids"]] * 3  # 16 with [CLS] and [SEP]


def test_texts_are_read_only_as_far_as_answers_are_asked_for(model: Path) -> None:
    assert next(Classifier(model).classify(repeat("비가"))).label in ("나쁨", "보통", "좋음")


def test_a_lone_surrogate_is_refused(model: Path) -> None:
    with pytest.raises(UserError, match="Character 1 of the text is a lone surrogate"):
        list(Classifier(model).classify(["비가", "\ud800"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"problem_type": "multi_label_classification"},
            "got 3 labels and `problem_type` 'multi_label_classification'",
        ),
        ({"problem_type": "regression"}, "got 3 labels and `problem_type` 'regression'"),
        (label_settings(["점수"]), "got 1 labels and `problem_type` None"),
    ],
)
def test_models_that_do_not_choose_one_label_are_refused(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(UserError) as caught:
        Classifier(save_bert(tmp_path, **settings))
    expected = f"{tmp_path}: expected a model that gives a text one of several labels, {message}."
    assert str(caught.value) == expected


def test_bfloat16_changes_probabilities_a_little(model: Path) -> None:
    exact, fast = Classifier(model), Classifier(model, bf16=True)
    assert next(fast.model.parameters()).dtype == torch.bfloat16
    for found, expected in zip(fast.classify(TEXTS), exact.classify(TEXTS), strict=True):
        assert found.scores == pytest.approx(expected.scores, abs=0.05)


@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=5),
    st.floats(0.05, 20),
)
def test_a_temperature_divides_the_scores(scores: list[float], temperature: float) -> None:
    each = np.array([scores])
    expected = np.exp(each / temperature - (each / temperature).max())
    probabilities = np.exp(each - each.max())
    found = tempered(probabilities / probabilities.sum(), temperature)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-9)
