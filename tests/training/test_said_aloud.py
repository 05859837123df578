"""What would leave a model untrained, or answer wrongly, is refused or said."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import BertConfig, PreTrainedModel, Trainer, TrainingArguments

from malmoi.inference.quantization import QuantizedBiLstm, quantize_dynamic
from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)

LABELS = dict(enumerate(["B-PS", "I-PS", "O"]))
IDS = torch.tensor([[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0]])
MASK = (IDS != 0).long()
GOLD = torch.tensor([[0, 1, 2, 2, 0, 0], [2, 0, 1, 1, -100, -100]])

Build = Callable[..., PreTrainedModel]


def build_bilstm(**settings: object) -> PreTrainedModel:
    torch.manual_seed(0)
    return BiLstmCrfForTokenClassification(
        BiLstmCrfConfig(vocab_size=40, embedding_size=8, hidden_size=8, id2label=LABELS, **settings)
    )


def build_encoder(**settings: object) -> PreTrainedModel:
    torch.manual_seed(0)
    encoder = BertConfig(vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=encoder, id2label=LABELS, **settings))


def build_classifier(**settings: object) -> PreTrainedModel:
    torch.manual_seed(0)
    return BiLstmForSequenceClassification(BiLstmConfig(vocab_size=40, embedding_size=8, hidden_size=8, **settings))


@pytest.fixture(params=[build_bilstm, build_encoder])
def build(request: pytest.FixtureRequest) -> Build:
    return request.param


def trainer_of(model: PreTrainedModel, folder: Path, **settings: object) -> Trainer:
    rows = [{"input_ids": IDS[0].tolist(), "labels": GOLD[0].tolist(), "attention_mask": [1] * 6}] * 4
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=2,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        **settings,
    )
    return Trainer(model=model, args=arguments, train_dataset=Dataset.from_list(rows), data_collator=torch_rows)


def torch_rows(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def test_label_smoothing_is_refused_before_it_trains_something_else(build: Build, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="The CRF gets no labels: `label_smoothing_factor`"):
        trainer_of(build(), tmp_path, label_smoothing_factor=0.1).train()


def test_a_loss_function_in_the_place_of_the_crf_is_refused(build: Build, tmp_path: Path) -> None:
    trainer = trainer_of(build(), tmp_path)
    trainer.compute_loss_func = lambda outputs, labels, num_items_in_batch: outputs.logits.sum()
    with pytest.raises(ValueError, match="`compute_loss_func`"):
        trainer.train()


def test_the_stock_trainer_trains_the_crf_and_hears_nothing(
    build: Build, tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    model = build()
    before = model.crf.transitions.detach().clone()
    trainer_of(model, tmp_path, learning_rate=0.1).train()
    assert not torch.equal(before, model.crf.transitions)
    assert "CRF" not in heard.text


def test_training_mode_without_labels_is_pointed_out_once(build: Build, heard: pytest.LogCaptureFixture) -> None:
    model = build().train()
    model(IDS, MASK)
    model(IDS, MASK)
    assert heard.text.count("the CRF got no `labels`") == 1


@pytest.mark.parametrize("way", ["no gradients", "evaluation", "labels"])
def test_nothing_is_said_of_what_is_meant(build: Build, heard: pytest.LogCaptureFixture, way: str) -> None:
    model = build().train(way != "evaluation")
    if way == "no gradients":  # as Monte Carlo dropout does
        with torch.no_grad():
            model(IDS, MASK)
    else:
        model(IDS, MASK, labels=GOLD if way == "labels" else None)
    assert "CRF" not in heard.text


@pytest.mark.parametrize(("place", "label"), [((0, 2), -100), ((1, 4), 2)], ids=["token without", "padding with"])
def test_labels_that_stand_elsewhere_than_tags_are_pointed_out(
    build: Build, heard: pytest.LogCaptureFixture, place: tuple[int, int], label: int
) -> None:
    """The chain is another than in prediction, or the `Trainer` divides by more labels than are learned."""
    labels = GOLD.clone()
    labels[place] = label
    build().train()(IDS, MASK, labels=labels)
    assert "Labels do not stand where tags will: -100 belongs to padding" in heard.text


def test_a_frozen_crf_under_weights_that_are_trained_is_pointed_out(
    build: Build, heard: pytest.LogCaptureFixture
) -> None:
    model = build().train()
    for parameter in model.crf.parameters():
        parameter.requires_grad = False
    model(IDS, MASK, labels=GOLD).loss.backward()
    assert "The CRF is frozen while other weights are trained" in heard.text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("implementation", ["torch", "auto", "pytorch-crf"])
def test_a_trace_of_a_crf_is_refused(build: Build, implementation: str) -> None:
    model = build(crf_implementation=implementation, return_dict=False).eval()
    with torch.no_grad(), pytest.raises(RuntimeError, match="A CRF cannot be traced or exported"):
        torch.jit.trace(model, (IDS, MASK), check_trace=False)
    with torch.no_grad(), pytest.raises(RuntimeError, match="A CRF cannot be traced or exported"):
        torch.export.export(model, (IDS, MASK), strict=False)
    with pytest.raises(RuntimeError, match="A CRF cannot be scripted"):
        torch.jit.script(model)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pooling", ["attention", "max"])
def test_a_trace_of_a_classifier_answers_other_inputs_as_the_model_does(pooling: str) -> None:
    model = build_classifier(pooling=pooling, return_dict=False, num_hidden_layers=2, ngram_sizes=[2]).eval()
    with torch.no_grad():
        traced = torch.jit.trace(model, (IDS, MASK), check_trace=False)
        for ids, mask in ((IDS, MASK), (IDS[:1, :2], MASK[:1, :2]), (IDS.repeat(3, 2), MASK.repeat(3, 2))):
            torch.testing.assert_close(traced(ids, mask)[0], model(ids, mask)[0], rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build_any", [build_bilstm, build_classifier])
@pytest.mark.parametrize("layers", [1, 2])
def test_quantization_reaches_the_lstm(build_any: Build, layers: int, heard: pytest.LogCaptureFixture) -> None:
    model = build_any(num_hidden_layers=layers).eval()
    small = quantize_dynamic(model)
    assert isinstance(small.lstm, QuantizedBiLstm)
    assert model.lstm.weight_ih_l0.dtype == torch.float32
    expected, actual = model(IDS, MASK), small(IDS, MASK)
    assert not torch.equal(expected.logits, actual.logits)  # otherwise nothing was quantized
    torch.testing.assert_close(actual.logits[:, :4], expected.logits[:, :4], rtol=0.05, atol=0.05)
    assert "does not reach the LSTM" not in heard.text
    if layers == 2:
        with pytest.raises(ValueError, match="shows the hidden states of its last layer alone"):
            small(IDS, MASK, output_hidden_states=True)
    else:
        assert len(small(IDS, MASK, output_hidden_states=True).hidden_states) == 2


def test_a_model_with_a_lexicon_is_quantized_too() -> None:
    lexicon = {"lexicon_classes": ["person"], "lexicon_vocab_size": 40, "lexicon_embedding_size": 4}
    model = build_bilstm(**lexicon).eval()
    model.lexicon.token_characters.copy_(torch.arange(40)[:, None] + 97)
    model.lexicon.add_words({(97 + 5, 97 + 6): 1})
    torch.testing.assert_close(
        quantize_dynamic(model)(IDS, MASK).logits[:, :4], model(IDS, MASK).logits[:, :4], rtol=0.05, atol=0.05
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_a_quantized_model_answers_where_there_are_no_tokens(shape: tuple[int, int]) -> None:
    nothing = torch.zeros(shape, dtype=torch.long)
    for build_any in (build_bilstm, build_classifier):
        model = build_any().eval()
        torch.testing.assert_close(quantize_dynamic(model)(nothing).logits, model(nothing).logits, rtol=0.1, atol=0.1)


@pytest.mark.filterwarnings("ignore")
def test_torchs_own_quantization_says_that_it_does_not_reach_the_lstm(heard: pytest.LogCaptureFixture) -> None:
    torch.ao.quantization.quantize_dynamic(build_bilstm().eval(), {torch.nn.LSTM, torch.nn.Linear})
    assert "does not reach the LSTM" in heard.text
    assert "use `quantize_dynamic` of the `inference.quantization` module" in heard.text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build_any", [build_bilstm, build_classifier])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_is_quantized_too(build_any: Build, dtype: torch.dtype) -> None:
    model = build_any().eval().to(dtype)
    small = quantize_dynamic(model)
    assert model.lstm.weight_ih_l0.dtype == dtype
    torch.testing.assert_close(
        small(IDS, MASK).logits[:, :4].float(), model(IDS, MASK).logits[:, :4].float(), rtol=0.05, atol=0.05
    )


@pytest.mark.filterwarnings("ignore")
def test_a_quantized_model_says_that_it_cannot_be_saved(tmp_path: Path) -> None:
    small = quantize_dynamic(build_bilstm().eval())
    for each in (small, copy.deepcopy(small)):
        with pytest.raises(ValueError, match="cannot be saved: save the one that it was made of"):
            each.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())
