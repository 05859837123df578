import json
from pathlib import Path

import pytest
import torch
import torchcrf
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForTokenClassification,
    BertConfig,
    BertModel,
    DistilBertConfig,
    ElectraConfig,
    PreTrainedConfig,
    RobertaConfig,
)

from malmoi.modeling import EncoderCrfConfig, EncoderCrfForTokenClassification

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
LABEL_SETTINGS = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
OUTSIDE = 4
ENCODERS = ["bert", "roberta", "electra", "distilbert"]


def encoder_config(name: str = "bert") -> PreTrainedConfig:
    common = {"vocab_size": 40, "max_position_embeddings": 32}
    if name == "distilbert":
        return DistilBertConfig(dim=8, n_layers=2, n_heads=2, hidden_dim=12, sinusoidal_pos_embds=True, **common)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12, **common}
    if name == "electra":
        return ElectraConfig(embedding_size=6, **sizes)
    return (RobertaConfig if name == "roberta" else BertConfig)(**sizes)


def make_model(name: str = "bert", **settings: object) -> EncoderCrfForTokenClassification:
    """Build a tiny model with reproducible weights, in evaluation mode."""
    torch.manual_seed(0)
    settings = {"encoder_config": encoder_config(name), "initializer_range": 0.5, **LABEL_SETTINGS, **settings}
    return EncoderCrfForTokenClassification(EncoderCrfConfig(**settings)).eval()


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    input_ids = torch.tensor([[5, 6, 7, 8, 9], [9, 5, 6, 1, 1]])
    labels = torch.tensor([[0, 1, 4, 2, 3], [4, 0, 4, -100, -100]])
    return input_ids, (input_ids != 1).long(), labels


def emissions_of(model: EncoderCrfForTokenClassification, input_ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return model.classifier(model.encoder(input_ids, attention_mask=mask).last_hidden_state)


@pytest.mark.parametrize("name", ENCODERS)
def test_loss_is_that_of_pytorch_crf_on_the_scores_of_the_encoder(name: str) -> None:
    model = make_model(name, bio_constraints=False)
    input_ids, mask, labels = batch()
    library = torchcrf.CRF(len(LABELS), batch_first=True)
    library.load_state_dict(model.crf.state_dict())
    emissions = emissions_of(model, input_ids, mask)
    expected = -library(emissions, labels.clamp(min=0), mask=mask.bool(), reduction="sum") / 8
    output = model(input_ids, mask, labels=labels)
    torch.testing.assert_close(output.loss, expected)
    padded = [tags + [-100] * (5 - len(tags)) for tags in library.decode(emissions, mask=mask.bool())]
    assert output.predictions.tolist() == padded


def test_in_evaluation_logits_are_max_marginals_under_the_constraints() -> None:
    model = make_model()
    input_ids, mask, labels = batch()
    output = model(input_ids, mask)
    inside, emissions = mask.bool(), emissions_of(model, input_ids, mask)
    scores = model.crf.max_marginals(emissions, mask)
    possible = scores.isfinite()
    torch.testing.assert_close(output.logits[possible], scores[possible])
    assert torch.equal(output.logits.argmax(-1)[inside], output.predictions[inside])
    assert (output.logits.softmax(-1)[:, 0, [1, 3]] < 1e-30).all()  # I-PS and I-LC
    assert output.logits.isfinite().all()
    torch.testing.assert_close(output.marginals[inside], model.crf.marginals(emissions, mask)[inside])
    assert (output.marginals[~inside][:, OUTSIDE] == 1).all()
    labels[0, 2] = -100  # a missing label changes no prediction
    assert torch.equal(model(input_ids, mask, labels=labels).predictions, output.predictions)


def test_special_tokens_are_read_by_the_encoder_and_left_out_of_the_chain() -> None:
    model = make_model(untagged_token_ids=[2, 3])
    input_ids = torch.tensor([[2, 5, 6, 3, 7, 3]])
    labels = torch.tensor([[-100, 0, 1, -100, 4, -100]])
    without, with_labels = model(input_ids), model(input_ids, labels=labels)
    assert torch.equal(without.predictions, with_labels.predictions)
    assert without.predictions[0, [0, 3, 5]].tolist() == [-100, -100, -100]
    assert without.logits[0, [0, 3, 5]].argmax(-1).tolist() == [OUTSIDE] * 3
    emissions = emissions_of(model, input_ids, torch.ones_like(input_ids))[:, [1, 2, 4]]
    inside = torch.ones(1, 3, dtype=torch.bool)
    expected = model.crf.negative_log_likelihood(emissions, torch.tensor([[0, 1, 4]]), inside).sum() / 3
    torch.testing.assert_close(with_labels.loss, expected)


@pytest.mark.parametrize("name", ENCODERS)
def test_what_goes_into_the_crf_is_one_method(name: str) -> None:
    model = make_model(name)
    input_ids, mask, _ = batch()
    assert torch.equal(model._emissions(input_ids, mask.bool(), None), emissions_of(model, input_ids, mask))
    scores = torch.randn(2, 5, 5)
    model._emissions = lambda input_ids, attention_mask, token_type_ids: scores
    output = model(input_ids, mask)
    assert torch.equal(output.predictions, model.crf.decode(scores, mask.bool()))


@pytest.mark.parametrize("name", ENCODERS)
def test_padding_does_not_change_any_number(name: str) -> None:
    model = make_model(name)
    input_ids, mask, _ = batch()
    expected = model(input_ids, mask)
    padded = model(torch.nn.functional.pad(input_ids, (0, 7), value=1), torch.nn.functional.pad(mask, (0, 7)))
    torch.testing.assert_close(padded.logits[:, :5][mask.bool()], expected.logits[mask.bool()], rtol=0, atol=1e-5)
    assert torch.equal(padded.predictions[:, :5], expected.predictions)
    alone = model(input_ids[1:, :3], mask[1:, :3])
    torch.testing.assert_close(alone.logits[0], expected.logits[1, :3], rtol=0, atol=1e-5)


def test_without_attention_mask_the_padding_token_of_the_encoder_is_padding() -> None:
    model = make_model("roberta")
    input_ids, mask, _ = batch()
    assert model.config.pad_token_id == 1
    assert torch.equal(model(input_ids).logits, model(input_ids, mask).logits)


def test_segments_reach_an_encoder_that_knows_them_and_no_other() -> None:
    input_ids, mask, _ = batch()
    segments = torch.ones_like(input_ids)
    bert = make_model("bert")
    assert not torch.equal(bert(input_ids, mask, segments).logits, bert(input_ids, mask).logits)
    distilbert = make_model("distilbert")
    assert torch.equal(distilbert(input_ids, mask, segments).logits, distilbert(input_ids, mask).logits)


def test_gradients_of_accumulated_parts_are_those_of_the_whole_batch() -> None:
    input_ids, mask, labels = batch()
    whole, parts = make_model(), make_model()
    whole(input_ids, mask, labels=labels).loss.backward()
    for row in range(2):
        part = slice(row, row + 1)
        parts(input_ids[part], mask[part], labels=labels[part], num_items_in_batch=torch.tensor(8)).loss.backward()
    for (name, expected), actual in zip(whole.named_parameters(), parts.parameters()):
        torch.testing.assert_close(actual.grad, expected.grad, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_weight_gets_a_gradient(name: str) -> None:
    """Distributed training stops at a weight that gets none."""
    model = make_model(name)
    input_ids, mask, labels = batch()
    model(input_ids, mask, labels=labels).loss.backward()
    assert [key for key, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ENCODERS)
def test_gradient_checkpointing_runs_layers_twice_and_changes_no_gradient(name: str) -> None:
    input_ids, mask, labels = batch()
    plain, saving = make_model(name), make_model(name)
    saving.gradient_checkpointing_enable()
    calls = {}
    for model in (plain, saving):
        calls[model] = 0

        def count(*_: object, model: EncoderCrfForTokenClassification = model) -> None:
            calls[model] += 1

        for module in model.encoder.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.register_forward_hook(count)
        torch.manual_seed(0)
        model.train()(input_ids, mask, labels=labels).loss.backward()
    assert calls[saving] > calls[plain] > 0
    for (key, expected), actual in zip(plain.named_parameters(), saving.parameters()):
        if expected.requires_grad:
            torch.testing.assert_close(actual.grad, expected.grad, msg=key)


def test_loss_falls_when_one_batch_is_learned() -> None:
    model = make_model().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    input_ids, mask, labels = batch()
    for _ in range(60):
        loss = model(input_ids, mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2
    assert torch.equal(model.eval()(input_ids, mask).predictions, labels)


@pytest.mark.parametrize("length", [0, 1])
def test_shortest_inputs(length: int) -> None:
    output = make_model()(torch.full((2, length), 5))
    assert (output.logits.shape, output.predictions.shape) == ((2, length, 5), (2, length))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_row_of_padding_only(name: str) -> None:
    model = make_model(name).train()
    labels = torch.tensor([[0, 4], [-100, -100]])
    mask = torch.tensor([[1, 1], [0, 0]])
    output = model(torch.tensor([[5, 6], [1, 1]]), mask, labels=labels)
    output.loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)
    assert model.eval()(torch.tensor([[5, 6], [1, 1]]), mask).predictions[1].tolist() == [-100, -100]


@pytest.mark.parametrize("name", ENCODERS)
def test_save_and_load_keeps_every_number(tmp_path: Path, name: str) -> None:
    model = make_model(name)
    model.save_pretrained(tmp_path)
    input_ids, mask, _ = batch()
    for auto_class in (AutoModel, AutoModelForTokenClassification):
        loaded, notes = auto_class.from_pretrained(tmp_path, output_loading_info=True)
        assert isinstance(loaded, EncoderCrfForTokenClassification)
        assert not any(notes.values()), notes
        for key, tensor in model.state_dict().items():
            assert torch.equal(loaded.state_dict()[key], tensor), key
        assert torch.equal(loaded(input_ids, mask).logits, model(input_ids, mask).logits)
    config = AutoConfig.from_pretrained(tmp_path)
    assert isinstance(config, EncoderCrfConfig)
    assert type(config.encoder_config) is type(encoder_config(name))


def test_missing_head_weights_are_drawn_and_loaded_ones_kept(tmp_path: Path) -> None:
    make_model(initializer_range=0.02).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if name not in ("crf.transitions", "classifier.weight")}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded = AutoModel.from_pretrained(tmp_path)
    assert 0 < loaded.crf.transitions.abs().max() <= 0.1
    assert 0 < loaded.classifier.weight.abs().max() <= 0.2
    for name, tensor in kept.items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


@pytest.mark.parametrize("name", ENCODERS)
def test_a_fresh_head_stands_on_pretrained_weights(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    pretrained = AutoModelForMaskedLM.from_config(encoder_config(name))
    pretrained.save_pretrained(tmp_path)
    model = EncoderCrfForTokenClassification.from_encoder(tmp_path, **LABEL_SETTINGS, classifier_dropout=0.3)
    expected = {key: tensor for key, tensor in pretrained.base_model.state_dict().items() if "pooler" not in key}
    assert set(model.encoder.state_dict()) == set(expected)
    for key, tensor in expected.items():
        assert torch.equal(model.encoder.state_dict()[key], tensor), key
    assert model.dropout.p == 0.3
    assert not any(module.training for module in model.modules())
    assert model.config.label_names() == LABELS
    assert model.encoder.config is model.config.encoder_config
    assert model.get_input_embeddings() is model.encoder.get_input_embeddings()
    model.save_pretrained(tmp_path / "saved")
    again = AutoModel.from_pretrained(tmp_path / "saved")
    input_ids, mask, _ = batch()
    assert torch.equal(again(input_ids, mask).logits, model(input_ids, mask).logits)


def test_how_an_encoder_is_loaded_is_no_setting_of_the_model(tmp_path: Path) -> None:
    BertModel(encoder_config()).save_pretrained(tmp_path / "v1")
    loading = {"subfolder": "v1", "token": "no-secret", "revision": "main", "local_files_only": True}
    model = EncoderCrfForTokenClassification.from_encoder(tmp_path, **LABEL_SETTINGS, **loading)
    model.save_pretrained(tmp_path / "saved")
    written = json.loads((tmp_path / "saved" / "config.json").read_text(encoding="utf-8"))
    assert not {*written} & {*loading}
    assert "no-secret" not in json.dumps(written)
    message = "EncoderCrfConfig has no setting `hidden_dropout_prob`; those of the encoder go into `encoder_config`"
    with pytest.raises(ValueError, match=message):
        EncoderCrfForTokenClassification.from_encoder(tmp_path / "v1", **LABEL_SETTINGS, hidden_dropout_prob=0.7)


def test_a_checkpoint_in_bfloat16_is_trained_in_float32(tmp_path: Path) -> None:
    BertModel(encoder_config()).to(torch.bfloat16).save_pretrained(tmp_path)
    from_weights = EncoderCrfForTokenClassification.from_encoder(tmp_path, **LABEL_SETTINGS)
    from_config = EncoderCrfForTokenClassification(
        EncoderCrfConfig(encoder_config=AutoConfig.from_pretrained(tmp_path), **LABEL_SETTINGS)
    )
    assert {p.dtype for model in (from_weights, from_config) for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_loads_in_other_types_with_the_crf_in_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    make_model().save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, dtype=dtype, device_map="auto")
    assert {parameter.dtype for parameter in model.encoder.parameters()} == {dtype}
    assert model.classifier.weight.dtype == dtype
    assert model.crf.transitions.dtype == torch.float32
    input_ids, mask, labels = (tensor.to(model.device) for tensor in batch())
    assert model(input_ids, mask, labels=labels).loss.dtype == torch.float32
    assert model(input_ids, mask).logits.isfinite().all()


def test_attention_can_be_chosen_and_is_that_of_the_encoder_by_default(tmp_path: Path) -> None:
    make_model().save_pretrained(tmp_path)
    default = AutoModel.from_pretrained(tmp_path)
    eager = AutoModel.from_pretrained(tmp_path, attn_implementation="eager")
    assert default.encoder.config._attn_implementation == "sdpa"
    assert eager.encoder.config._attn_implementation == "eager"
    input_ids, mask, _ = batch()
    torch.testing.assert_close(eager(input_ids, mask).logits, default(input_ids, mask).logits, rtol=0, atol=1e-5)


def test_can_be_built_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = make_model()
    assert all(parameter.is_meta for parameter in model.parameters())


def test_an_enlarged_vocabulary_is_saved(tmp_path: Path) -> None:
    model = make_model()
    model.resize_token_embeddings(43)
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert loaded.get_input_embeddings().num_embeddings == 43
    assert loaded.config.encoder_config.vocab_size == 43


@pytest.mark.parametrize("name", ENCODERS)
def test_the_limit_is_what_the_encoder_can_read(name: str) -> None:
    model = make_model(name)
    limit = model.config.max_tokens()
    assert (model.config.max_position_embeddings, limit) == (32, 30 if name == "roberta" else 32)
    model(torch.full((1, limit), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(torch.full((1, limit + 1), 5))


@pytest.mark.parametrize("training", [False, True])
def test_a_batch_without_rows(training: bool) -> None:
    """As the last share of several processes may be; the attention of BERT does not take it."""
    model, nothing = make_model("bert").train(training), torch.zeros(0, 4, dtype=torch.long)
    output = model(nothing, labels=nothing)
    assert output.logits.shape == (0, 4, model.num_labels)
    assert output.loss.item() == 0
    output.loss.backward()
