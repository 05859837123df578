import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
    pipeline,
)

from malmoi.modeling import BiLstmConfig, BiLstmForSequenceClassification
from malmoi.modeling.modeling_bilstm import AttentionPooling, MaxPooling

MakeModel = Callable[..., BiLstmForSequenceClassification]

POOLINGS = ["attention", "max"]


@pytest.fixture
def make_model() -> MakeModel:
    """A factory of tiny models with reproducible weights, in evaluation mode."""

    def make(**settings: object) -> BiLstmForSequenceClassification:
        torch.manual_seed(0)
        defaults = {
            "vocab_size": 40,
            "embedding_size": 6,
            "hidden_size": 8,
            "ngram_sizes": [2],
            "ngram_vocab_size": 31,
            "ngram_embedding_size": 4,
            "id2label": {0: "negative", 1: "neutral", 2: "positive"},
        }
        return BiLstmForSequenceClassification(BiLstmConfig(**{**defaults, **settings})).eval()

    return make


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    input_ids = torch.tensor([[5, 6, 7, 8, 9], [9, 5, 6, 0, 0]])
    return input_ids, (input_ids != 0).long(), torch.tensor([2, 0])


def test_attention_is_a_mean_weighted_by_the_softmax_of_the_query() -> None:
    torch.manual_seed(0)
    pooling = AttentionPooling(4)
    hidden = torch.randn(3, 4)
    scores = [sum(w * torch.tanh(h) for w, h in zip(pooling.query.weight[0], row)).item() for row in hidden]
    weights = torch.tensor(scores).exp() / torch.tensor(scores).exp().sum()
    expected = sum(weight * row for weight, row in zip(weights, hidden))
    padded = torch.cat([hidden, torch.full((2, 4), 1e6)])[None]
    pooled = pooling(padded, torch.tensor([[True, True, True, False, False]]))
    torch.testing.assert_close(pooled[0], expected)


def test_max_pooling_sees_real_tokens_only() -> None:
    hidden = torch.tensor([[[-3.0, -1.0], [-2.0, -5.0], [9.0, 9.0]]])
    assert MaxPooling()(hidden, torch.tensor([[True, True, False]])).tolist() == [[-2.0, -1.0]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_logits_are_those_of_the_parts_one_after_the_other(make_model: MakeModel, pooling: str) -> None:
    model = make_model(pooling=pooling)
    input_ids = torch.tensor([[5, 6, 7]])
    hidden = model.lstm(model.embeddings(input_ids), torch.tensor([3]))
    expected = model.classifier(model.pooling(hidden, torch.ones(1, 3, dtype=torch.bool)))
    assert expected.shape == (1, 3)
    torch.testing.assert_close(model(input_ids).logits, expected)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_does_not_change_any_number_wherever_it_stands(make_model: MakeModel, pooling: str) -> None:
    model = make_model(pooling=pooling, num_hidden_layers=2)
    input_ids, mask, _ = batch()
    expected = model(input_ids, mask).logits
    assert torch.equal(model(input_ids).logits, expected)
    alone = model(input_ids[1:, :3]).logits
    torch.testing.assert_close(alone, expected[1:], rtol=0, atol=1e-6)
    left = model(torch.tensor([[0, 0, 0, 9, 5, 6]]), torch.tensor([[0, 0, 0, 1, 1, 1]])).logits
    torch.testing.assert_close(left, expected[1:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_empty_text_gives_the_same_finite_scores_as_padding_only(make_model: MakeModel, pooling: str) -> None:
    model = make_model(pooling=pooling)
    empty = model(torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.long)).logits
    assert empty.isfinite().all()
    assert torch.equal(model(torch.tensor([[5, 6], [0, 0]])).logits[1], empty[0])
    model.train()(torch.tensor([[5, 6], [0, 0]]), labels=torch.tensor([0, 1])).loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_loss_is_the_cross_entropy_of_labelled_texts(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask, labels = batch()
    output = model(input_ids, mask, labels)
    torch.testing.assert_close(output.loss, torch.nn.functional.cross_entropy(output.logits, labels))
    half = model(input_ids, mask, torch.tensor([2, -100])).loss
    torch.testing.assert_close(half, torch.nn.functional.cross_entropy(output.logits[:1], labels[:1]))
    assert model(input_ids, mask, torch.tensor([-100, -100])).loss == 0


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradients_of_accumulated_parts_are_those_of_the_whole_batch(make_model: MakeModel, pooling: str) -> None:
    input_ids, mask, labels = batch()
    whole, parts = make_model(pooling=pooling), make_model(pooling=pooling)
    whole(input_ids, mask, labels).loss.backward()
    for row in range(2):
        part = slice(row, row + 1)
        parts(input_ids[part], mask[part], labels[part], num_items_in_batch=torch.tensor(2)).loss.backward()
    for (name, expected), actual in zip(whole.named_parameters(), parts.parameters()):
        torch.testing.assert_close(actual.grad, expected.grad, msg=name)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_loss_falls_when_one_batch_is_learned(make_model: MakeModel, pooling: str) -> None:
    dropouts = {"embedding_dropout": 0.1, "hidden_dropout": 0.1, "token_dropout": 0.05, "unk_token_id": 1}
    model = make_model(pooling=pooling, **dropouts).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    input_ids, mask, labels = batch()
    for _ in range(40):
        loss = model(input_ids, mask, labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    assert torch.equal(model.eval()(input_ids, mask).logits.argmax(-1), labels)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_save_and_load_keeps_every_number(make_model: MakeModel, tmp_path: Path, pooling: str) -> None:
    model = make_model(pooling=pooling)
    model.save_pretrained(tmp_path)
    input_ids, mask, _ = batch()
    for auto_class in (AutoModel, AutoModelForSequenceClassification):
        loaded, notes = auto_class.from_pretrained(tmp_path, output_loading_info=True)
        assert isinstance(loaded, BiLstmForSequenceClassification)
        assert not any(notes.values()), notes
        assert torch.equal(loaded(input_ids, mask).logits, model(input_ids, mask).logits)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), BiLstmConfig)


def test_loads_in_bfloat16(make_model: MakeModel, tmp_path: Path) -> None:
    make_model().save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, dtype=torch.bfloat16)
    input_ids, mask, labels = batch()
    output = model(input_ids, mask, labels)
    assert output.logits.dtype == torch.bfloat16
    assert output.loss.dtype == torch.float32


def test_embeddings_can_be_resized(make_model: MakeModel) -> None:
    model = make_model()
    model.resize_token_embeddings(43)
    assert model.get_input_embeddings().num_embeddings == model.config.vocab_size == 43


def test_the_stock_pipeline_classifies_any_text(
    make_model: MakeModel, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = make_model(vocab_size=len(syllable_tokenizer))
    classify = pipeline("text-classification", model=model, tokenizer=syllable_tokenizer, top_k=None)
    texts = ["손흥민은 춘천에서", "", "비가 와서 집에 있었다. " * 20]
    for text, answer in zip(texts, classify(texts)):
        logits = model(torch.tensor([syllable_tokenizer(text)["input_ids"]], device=model.device)).logits[0]
        scores = {entry["label"]: entry["score"] for entry in answer}
        expected = dict(zip(["negative", "neutral", "positive"], logits.softmax(-1).tolist()))
        assert scores == pytest.approx(expected, abs=1e-6)
    together = classify(texts[::2], batch_size=2)
    assert [a[0]["score"] for a in together] == pytest.approx([a[0]["score"] for a in classify(texts[::2])], abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pooling": "mean"}, "`pooling` must be one of attention, max, got 'mean'"),
        ({"problem_type": "regression"}, "A text has one label: `problem_type` cannot be 'regression'"),
        ({"hidden_size": 7}, "`hidden_size` holds two directions and must be even, got 7"),
        ({"ngram_sizes": [2], "ngram_vocab_size": 0}, "`ngram_vocab_size` and .* must be at least 1, got .0, 64."),
        ({"hidden_dropout": -0.1}, "`hidden_dropout` must be at least 0 and below 1, got -0.1"),
        ({"token_dropout": 0.1}, "needs `unk_token_id`"),
        ({"token_dropout": 0.1, "unk_token_id": 32000}, "needs `unk_token_id`, below `vocab_size`"),
        ({"pad_token_id": -1}, "`pad_token_id` must be from 0 to [0-9]+, got -1"),
        ({"pad_token_id": 32000}, "`pad_token_id` must be from 0 to [0-9]+, got 32000"),
        ({"lexicon_dropout": 1.0}, "`lexicon_dropout` must be at least 0 and below 1, got 1.0"),
        ({"lexicon_classes": ["a", "a"]}, "at most 31 different names, got .'a', 'a'."),
        ({"lexicon_classes": [*"abcdefghijklmnopqrstuvwxyzABCDEF"]}, "at most 31 different names"),
        ({"lexicon_classes": ["a"]}, "The sizes of a lexicon must be at least 1, got .1, 96, 0."),
        ({"lexicon_classes": ["a"], "lexicon_vocab_size": 9, "lexicon_sizes": [-1]}, "sizes of a lexicon .* got .*-1"),
        (
            {"lexicon_classes": ["a"], "lexicon_vocab_size": 9, "lexicon_labels": {"PS": "b"}},
            "`lexicon_labels` must name classes of .'a'., got .'PS': 'b'.",
        ),
        ({"poolling": "max"}, "BiLstmConfig has no setting `poolling`; did you mean `pooling`"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        BiLstmConfig(**settings)


def test_config_file_holds_everything(make_model: MakeModel, tmp_path: Path) -> None:
    make_model().config.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert set(saved["auto_map"]) == {"AutoConfig", "AutoModel", "AutoModelForSequenceClassification"}
    assert set(BiLstmConfig.__annotations__) - {"model_type"} <= set(saved)


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_that_is_none_is_refused_with_what_is_one(make_model: MakeModel, label: int) -> None:
    """As of ratings that begin with 1, and of test data whose labels are kept back."""
    with pytest.raises(ValueError, match=f"Labels must be from 0 to 2, or -100 for a text without one, got {label}"):
        make_model()(torch.tensor([[5], [6]]), labels=torch.tensor([0, label]))
