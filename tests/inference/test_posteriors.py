"""Posteriors of characters, whatever the tokens are."""

from collections.abc import Sequence

import pytest
import torch
from support.tiny_models import SENTENCES, bert_tokenizer, byte_level_tokenizer, tiny_bert_tagger
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from malmoi.data.alignment import token_labels_to_tags
from malmoi.data.token_windows import token_windows
from malmoi.inference.posteriors import character_posteriors
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
TEXTS = [
    "손흥민은  춘천에서 태어났다. ",
    "비",
    "그는 서울로\u200b 갔다!",
    "",
    " ",
    "비가 와서 집에 있었다 abc. 그는 서울로 갔다!",
]


def posteriors(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, max_length: int | None = None
) -> list[Tensor]:
    return character_posteriors(model, tokenizer, texts, max_length=max_length, batch_size=4)


def bilstm_crf(tokenizer: PreTrainedTokenizerBase, labels: Sequence[str] = LABELS) -> PreTrainedModel:
    torch.manual_seed(0)
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    config = BiLstmCrfConfig(
        vocab_size=len(tokenizer), embedding_size=6, hidden_size=8, initializer_range=1.0, **named
    )
    return BiLstmCrfForTokenClassification(config).eval()


def test_a_token_a_character_has_the_marginals_of_the_crf(syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    model = bilstm_crf(syllable_tokenizer)
    texts = ["춘천에서 태어났다.", "비가 와서", "가"]
    for text, found in zip(texts, posteriors(model, syllable_tokenizer, texts)):
        encoded = syllable_tokenizer(text, return_tensors="pt")
        assert encoded["input_ids"].size(1) == len(text)
        torch.testing.assert_close(found, model(**encoded)["marginals"][0])


@pytest.mark.parametrize("make_tokenizer", [bert_tokenizer, byte_level_tokenizer])
def test_where_one_label_is_certain_it_is_the_tag_of_evaluation(make_tokenizer) -> None:  # type: ignore[no-untyped-def]
    """For labels that are sure, posteriors become tags as labels of tokens do."""
    tokenizer = make_tokenizer()
    model = tiny_bert_tagger(tokenizer, LABELS)
    generator = torch.Generator().manual_seed(1)
    for text in [*TEXTS, *SENTENCES]:
        [window] = token_windows([text], tokenizer, max_length=None)[0]
        ids = torch.randint(len(LABELS), (len(window.input_ids),), generator=generator).tolist()
        ids = _legal(ids, window.offsets)
        sure = torch.nn.functional.one_hot(torch.tensor(ids), len(LABELS)).float()
        model.forward = lambda sure=sure, **inputs: {"predictions": sure.argmax(-1)[None], "marginals": sure[None]}  # type: ignore[method-assign]
        [found] = posteriors(model, tokenizer, [text])
        expected = token_labels_to_tags([LABELS[index] for index in ids], window.offsets, len(text))
        assert [LABELS[index] for index in found.argmax(1).tolist()] == expected, text
        assert torch.equal(found.sum(1), torch.ones(len(text)))


def _legal(ids: list[int], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Return labels in which each `I-X` continues a name of the tokens that have text."""
    legal, before = [], 4
    for index, (start, end) in zip(ids, offsets):
        if start < end:
            index = index if LABELS[index][0] != "I" or before in (index, index - 1) else 4
            before = index
        legal.append(index)
    return legal


@pytest.mark.parametrize("make_tokenizer", [bert_tokenizer, byte_level_tokenizer])
def test_posteriors_of_a_character_sum_to_one_in_windows_too(make_tokenizer) -> None:  # type: ignore[no-untyped-def]
    tokenizer = make_tokenizer()
    model = tiny_bert_tagger(tokenizer, LABELS)
    found = posteriors(model, tokenizer, TEXTS, max_length=12)
    assert [tuple(each.shape) for each in found] == [(len(text), len(LABELS)) for text in TEXTS]
    for each in found:
        torch.testing.assert_close(each.sum(1), torch.ones(len(each)))


def test_texts_do_not_change_each_other(syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    model = bilstm_crf(syllable_tokenizer)
    together = posteriors(model, syllable_tokenizer, TEXTS)
    for text, found in zip(TEXTS, together):
        torch.testing.assert_close(posteriors(model, syllable_tokenizer, [text])[0], found)


def test_word_spacing_continues_a_word_where_no_token_is(syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    model = bilstm_crf(syllable_tokenizer, ["B", "I"])
    [found] = posteriors(model, syllable_tokenizer, ["서울\u200b로\u200b"])
    torch.testing.assert_close(found[[2, 4]], torch.tensor([[0.0, 1.0]] * 2))
    assert 0 < found[3, 0] < 1
