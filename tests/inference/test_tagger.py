import re
from pathlib import Path

import pytest
import torch
from support.tiny_models import (
    bert_tokenizer,
    byte_level_tokenizer,
    knowing_bert_tagger,
    save,
    sentencepiece_tokenizer,
    tiny_bert_tagger,
)

from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
from malmoi.inference.token_labels import token_labels

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
LONG = "그는 서울로 갔다! 비가 와서 집에 있었다 abc. " * 12 + "손흥민은 춘천에서 태어났다."


@pytest.mark.parametrize("batch_size", [1, 32])
def test_a_stock_model_reads_a_long_text_to_its_end(tmp_path: Path, batch_size: int) -> None:
    tokenizer = bert_tokenizer()
    assert "token_type_ids" in tokenizer("손")
    label_of = {"손": "B-PS", "##흥": "I-PS", "##민": "I-PS", "춘": "B-LC", "##천": "I-LC"}
    tagger = Tagger(save(tmp_path, knowing_bert_tagger(tokenizer, LABELS, label_of), tokenizer))
    texts = ["", "  ", "손흥민은", LONG, "비가", *("비가 " * count + "손흥민은 춘천에서" for count in range(40))]
    for text, entities in zip(texts, tagger.tag(texts, batch_size=batch_size), strict=True):
        expected = [
            (*match.span(), "PS" if match[0] == "손흥민" else "LC") for match in re.finditer("손흥민|춘천", text)
        ]
        assert [(entity.start, entity.end, entity.label) for entity in entities] == expected
        assert [entity.text for entity in entities] == [text[start:end] for start, end, _ in expected]
        assert all(entity.score > 0.99 for entity in entities)


@pytest.mark.parametrize(
    ("make_tokenizer", "token"), [(byte_level_tokenizer, "Ġ"), (sentencepiece_tokenizer, "▁춘천")]
)
def test_the_space_before_a_name_is_no_part_of_it(tmp_path: Path, make_tokenizer, token: str) -> None:  # type: ignore[no-untyped-def]
    tokenizer = make_tokenizer()
    text = "그는 춘천에서"
    piece = next(piece for piece in tokenizer.tokenize(text) if piece.startswith(token))
    tagger = Tagger(save(tmp_path, knowing_bert_tagger(tokenizer, LABELS, {piece: "B-LC"}), tokenizer))
    [[entity]] = tagger.tag([text])
    assert entity.start == 3
    assert entity.text == text[3 : entity.end] in ("춘", "춘천")


@pytest.fixture
def tagger(tmp_path: Path) -> Tagger:
    tokenizer = bert_tokenizer()
    return Tagger(save(tmp_path, tiny_bert_tagger(tokenizer, LABELS), tokenizer))


def test_a_lone_surrogate_is_refused(tagger: Tagger) -> None:
    with pytest.raises(UserError, match="Character 2 of the text is a lone surrogate"):
        list(tagger.tag(["가\udfff"]))


def test_tagging_keeps_the_order_and_needs_only_a_part_of_the_input(saved_model: Path) -> None:
    def texts():  # type: ignore[no-untyped-def]
        for number in range(10**9):
            yield "가" * (number % 7) + "손흥민은"

    tagger = Tagger(saved_model)
    stream = tagger.tag(texts(), batch_size=64)
    for number, entities in zip(range(5), stream):
        text = "가" * (number % 7) + "손흥민은"
        alone = next(tagger.tag([text]))
        assert [entity[:3] for entity in entities] == [entity[:3] for entity in alone]
        assert [entity.score for entity in entities] == pytest.approx([entity.score for entity in alone], abs=1e-5)


def test_bfloat16_changes_scores_a_little_and_leaves_the_crf_alone(saved_model: Path) -> None:
    text = "손흥민은 춘천에서 태어났다. 비가 온다"
    exact, fast = Tagger(saved_model), Tagger(saved_model, bf16=True)
    assert {parameter.dtype for parameter in fast.model.lstm.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in fast.model.crf.parameters()} == {torch.float32}
    [expected], [found] = (token_labels(tagger.engine, [text], batch_size=32) for tagger in (exact, fast))
    assert found.offsets == expected.offsets
    assert found.scores != expected.scores
    assert found.scores == pytest.approx(expected.scores, abs=0.02)


SCHEMES = {
    "I alone": ("I-PS", "I-PS", "I-LC", "I-LC"),
    "bare": ("PS", "PS", "LC", "LC"),
    "suffixes": ("PS-B", "PS-I", "LC-B", "LC-I"),
    "BIOES": ("B-PS", "E-PS", "B-LC", "E-LC"),
    "BILOU": ("B-PS", "L-PS", "B-LC", "L-LC"),
    "BIO": ("B-PS", "I-PS", "B-LC", "I-LC"),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_model_from_elsewhere_is_read_whatever_its_labels_are(tmp_path: Path, scheme: str) -> None:
    tokenizer = bert_tokenizer()
    labels = [*dict.fromkeys(SCHEMES[scheme]), *(["S-PS", "I-PS"] if scheme == "BIOES" else []), "O"]
    label_of = dict(zip(["손", "##흥", "춘", "##천"], SCHEMES[scheme], strict=True))
    tagger = Tagger(save(tmp_path, knowing_bert_tagger(tokenizer, labels, label_of), tokenizer))
    found = tagger("그는 손흥에서 춘천에서 손흥 갔다")
    assert [(e.start, e.end, e.label) for e in found] == [(3, 5, "PS"), (8, 10, "LC"), (13, 15, "PS")]
