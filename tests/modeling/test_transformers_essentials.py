"""What transformers asks of every model of its own, asked of the three architectures here."""

import copy
import inspect
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    BertForTokenClassification,
    DistilBertConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    pipeline,
)

from malmoi.inference.classifier import Classifier
from malmoi.inference.tagger import Tagger
from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)

LABELS = dict(enumerate(["B-PS", "I-PS", "O"]))
NUM_LABELS, VOCAB_SIZE, WIDTH, LAYERS, BATCH, LENGTH = 3, 40, 16, 2, 3, 7


class Architecture(NamedTuple):
    """An architecture under test.

    Args:
        model_class: The class of the model.
        make_config: Makes a small configuration.
        auto_class: The class of transformers that loads it for its task.
        labels: Labels of the batch of `inputs`.
    """

    model_class: type[PreTrainedModel]
    make_config: Callable[..., PreTrainedConfig]
    auto_class: Any
    labels: torch.Tensor


def lstm_settings() -> dict[str, Any]:
    return {
        "vocab_size": VOCAB_SIZE,
        "embedding_size": WIDTH,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "initializer_range": 0.5,
        "id2label": LABELS,
    }


def encoder_config(**settings: Any) -> PreTrainedConfig:
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 12}
    return BertConfig(**{"vocab_size": VOCAB_SIZE, "max_position_embeddings": 32, **sizes, **settings})


ENCODERS = ["bert", "roberta", "electra", "distilbert"]


def small_encoder(name: str) -> PreTrainedConfig:
    if name == "distilbert":
        return DistilBertConfig(vocab_size=VOCAB_SIZE, dim=WIDTH, n_layers=LAYERS, n_heads=2, hidden_dim=12)
    settings = {**encoder_config().to_dict(), "model_type": name}
    return AutoConfig.for_model(**settings)


BI_LSTM_CRF = Architecture(
    BiLstmCrfForTokenClassification,
    lambda **settings: BiLstmCrfConfig(**{**lstm_settings(), **settings}),
    AutoModelForTokenClassification,
    torch.tensor([[0, 1, 2, 2, 0, 1, 1], [2, 0, 1, 1, 2, -100, -100], [0, 2, 2, -100, -100, -100, -100]]),
)
BI_LSTM = Architecture(
    BiLstmForSequenceClassification,
    lambda **settings: BiLstmConfig(**{**lstm_settings(), **settings}),
    AutoModelForSequenceClassification,
    torch.tensor([0, 2, 1]),
)
ENCODER_CRF = Architecture(
    EncoderCrfForTokenClassification,
    lambda **settings: EncoderCrfConfig(
        **{"encoder_config": encoder_config(), "initializer_range": 0.5, "id2label": LABELS, **settings}
    ),
    AutoModelForTokenClassification,
    BI_LSTM_CRF.labels,
)
ALL = pytest.mark.parametrize("case", [BI_LSTM_CRF, BI_LSTM, ENCODER_CRF], ids=["bilstm-crf", "bilstm", "encoder-crf"])


def build(case: Architecture, **settings: Any) -> PreTrainedModel:
    """Build a model with reproducible weights, in evaluation mode."""
    torch.manual_seed(0)
    return case.model_class(case.make_config(**settings)).eval()


def inputs() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    input_ids = torch.randint(5, VOCAB_SIZE - 5, (BATCH, LENGTH), generator=generator)
    attention_mask = (torch.arange(LENGTH)[None] < torch.tensor([7, 5, 3])[:, None]).long()
    return {"input_ids": input_ids * attention_mask, "attention_mask": attention_mask}


def assert_same(first: Any, second: Any) -> None:
    """Compare outputs, field by field."""
    assert type(first) is type(second)
    if isinstance(first, torch.Tensor):
        torch.testing.assert_close(first, second, rtol=0, atol=1e-5)
    else:
        assert len(first) == len(second) > 0
        for one, other in zip(first, second):
            assert_same(one, other)


@ALL
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("extras", [{}, {"output_hidden_states": True}, {"output_attentions": True}])
def test_tuples_hold_the_fields_of_the_output_without_the_empty_ones(
    case: Architecture, training: bool, extras: dict[str, bool]
) -> None:
    model = build(case, attn_implementation="eager").train(training)
    given = {**inputs(), **extras, "labels": case.labels}
    torch.manual_seed(0)
    output = model(**given)
    torch.manual_seed(0)
    as_tuple = model(**given, return_dict=False)
    assert isinstance(as_tuple, tuple)
    assert all(value is not None for value in as_tuple)
    assert_same(as_tuple, output.to_tuple())
    assert list(output)[:2] == ["loss", "logits"]
    model.config.return_dict = False
    torch.manual_seed(0)
    assert_same(model(**given), as_tuple)
    assert model(**given, return_dict=True).loss is not None


@ALL
@pytest.mark.parametrize("count", [None, 0, torch.tensor(0)])
def test_a_step_without_a_label_changes_nothing(case: Architecture, count: torch.Tensor | int | None) -> None:
    """The `Trainer` counts no label in the whole step, and divides by that."""
    model = build(case).train()
    loss = model(**inputs(), labels=torch.full_like(case.labels, -100), num_items_in_batch=count).loss
    loss.backward()
    assert loss.item() == 0
    assert all(not parameter.grad.any() for parameter in model.parameters() if parameter.grad is not None)


@ALL
def test_hidden_states_are_the_embeddings_and_the_output_of_each_layer(case: Architecture) -> None:
    model = build(case)
    plain = model(**inputs())
    assert plain.hidden_states is None
    output = model(**inputs(), output_hidden_states=True)
    assert [tuple(states.shape) for states in output.hidden_states] == [(BATCH, LENGTH, WIDTH)] * (LAYERS + 1)
    torch.testing.assert_close(output.logits, plain.logits)
    model.config.output_hidden_states = True
    assert_same(model(**inputs()).hidden_states, output.hidden_states)
    assert model(**inputs(), output_hidden_states=False).hidden_states is None


@pytest.mark.parametrize("case", [BI_LSTM_CRF, BI_LSTM])
@pytest.mark.parametrize("side", ["right", "left"])
def test_hidden_states_of_an_lstm_stand_where_the_tokens_stand(case: Architecture, side: str) -> None:
    model = build(case, ngram_sizes=[2], ngram_embedding_size=4)
    given = inputs()
    if side == "left":
        given = {name: value.flip(1) for name, value in given.items()}
    mask = given["attention_mask"].bool()
    output = model(**given, output_hidden_states=True)
    assert output.hidden_states[0].shape == (BATCH, LENGTH, WIDTH + 4)
    for row in range(BATCH):
        alone = model(given["input_ids"][row][mask[row]][None], output_hidden_states=True)
        for states, alone_states in zip(output.hidden_states, alone.hidden_states):
            torch.testing.assert_close(states[row][mask[row]], alone_states[0], rtol=0, atol=1e-6)
            assert (states[row][~mask[row]] == 0).all()
    embedded = model.embeddings(given["input_ids"][:1]) if side == "right" else None
    if embedded is not None:
        torch.testing.assert_close(output.hidden_states[0][:1], embedded)


@ALL
def test_gradients_reach_hidden_states_and_attentions(case: Architecture) -> None:
    model = build(case, attn_implementation="eager").train()
    output = model(**inputs(), labels=case.labels, output_hidden_states=True, output_attentions=True)
    kept = [output.hidden_states[0], *(output.attentions or ())[:1]]
    for values in kept:
        values.retain_grad()
    output.logits.flatten()[0].backward(retain_graph=True)
    assert all(values.grad is not None and values.grad.abs().sum() > 0 for values in kept)


def test_attentions_are_those_of_the_encoder() -> None:
    model = build(ENCODER_CRF, attn_implementation="eager")
    output = model(**inputs(), output_attentions=True)
    assert [tuple(attentions.shape) for attentions in output.attentions] == [(BATCH, 2, LENGTH, LENGTH)] * LAYERS
    assert_same(output.attentions, model.encoder(**inputs(), output_attentions=True).attentions)
    model.config.output_attentions = True
    assert_same(model(**inputs()).attentions, output.attentions)
    config = ENCODER_CRF.make_config()
    config.output_attentions = True
    assert len(EncoderCrfForTokenClassification(config)(**inputs()).attentions) == LAYERS
    later = build(ENCODER_CRF)
    later.set_attn_implementation("eager")
    assert len(later(**inputs(), output_attentions=True).attentions) == LAYERS


@pytest.mark.parametrize("case", [BI_LSTM_CRF, BI_LSTM])
def test_an_lstm_has_no_attentions_to_show(case: Architecture) -> None:
    assert build(case)(**inputs(), output_attentions=True).attentions is None


@ALL
def test_embeddings_in_the_place_of_ids_give_the_same(case: Architecture) -> None:
    model = build(case)
    given = inputs()
    embedded = model.get_input_embeddings()(given.pop("input_ids"))
    expected = model(**inputs(), labels=case.labels)
    output = model(inputs_embeds=embedded, **given, labels=case.labels)
    assert_same(output.to_tuple(), expected.to_tuple())
    assert model(inputs_embeds=embedded).logits.shape == expected.logits.shape
    for wrong in ({}, {"inputs_embeds": embedded, "input_ids": inputs()["input_ids"]}):
        with pytest.raises(ValueError, match="exactly one of `input_ids` and `inputs_embeds`"):
            model(**wrong)


def test_embeddings_that_are_not_enough_are_refused() -> None:
    embedded = torch.zeros(1, 3, WIDTH)
    for case in (BI_LSTM_CRF, BI_LSTM):
        with pytest.raises(ValueError, match="n-gram"):
            build(case, ngram_sizes=[2])(inputs_embeds=embedded)
    for case in (BI_LSTM_CRF, ENCODER_CRF):
        with pytest.raises(ValueError, match="`untagged_token_ids`"):
            build(case, untagged_token_ids=[2])(inputs_embeds=embedded)


@ALL
@pytest.mark.parametrize("change", [10, -10])
@pytest.mark.parametrize("reloaded", [False, True])
def test_embeddings_are_resized_and_nothing_else_changes(
    case: Architecture, change: int, reloaded: bool, tmp_path: Path
) -> None:
    model = build(case)
    expected = model(**{name: value.clamp(max=29) for name, value in inputs().items()}).logits
    if reloaded:
        model.save_pretrained(tmp_path / "before")
        model = case.model_class.from_pretrained(tmp_path / "before")
    before = model.get_input_embeddings().weight.clone()
    size = VOCAB_SIZE + change
    assert model.resize_token_embeddings(size).weight.shape[0] == size
    kept = min(size, VOCAB_SIZE)
    assert torch.equal(model.get_input_embeddings().weight[:kept], before[:kept])
    assert model.config.vocab_size == model.config.get_text_config().vocab_size == size
    given = {name: value.clamp(max=29) for name, value in inputs().items()}
    torch.testing.assert_close(model(**given).logits, expected)
    assert model(torch.tensor([[size - 1, 5]])).logits.isfinite().all()
    model.save_pretrained(tmp_path / "after")
    written = json.loads((tmp_path / "after" / "config.json").read_text(encoding="utf-8"))
    assert ("vocab_size" in written) == (case is not ENCODER_CRF)
    assert (written if case is not ENCODER_CRF else written["encoder_config"])["vocab_size"] == size
    loaded = case.model_class.from_pretrained(tmp_path / "after")
    assert loaded.config.vocab_size == loaded.get_input_embeddings().num_embeddings == size
    torch.testing.assert_close(loaded(**given).logits, expected)
    loaded.train()(**given, labels=case.labels).loss.backward()
    assert loaded.get_input_embeddings().weight.grad.shape[0] == size
    assert model.resize_token_embeddings(size - 1, pad_to_multiple_of=8).num_embeddings % 8 == 0


@ALL
def test_embeddings_can_be_replaced_and_are_tied_to_nothing(case: Architecture) -> None:
    model = build(case)
    model.set_input_embeddings(nn.Embedding(10, WIDTH))
    assert model.get_input_embeddings().num_embeddings == 10
    assert model.get_output_embeddings() is None
    assert not model.all_tied_weights_keys
    pointers = [parameter.data_ptr() for parameter in model.parameters()]
    assert len(pointers) == len(set(pointers))


@ALL
def test_missing_weights_are_drawn_and_said(case: Architecture, tmp_path: Path) -> None:
    model = build(case)
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    drawn = build(case)
    for lost in weights:
        kept = {name: value for name, value in weights.items() if name != lost}
        save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
        loaded, info = case.model_class.from_pretrained(tmp_path, output_loading_info=True)
        assert set(info["missing_keys"]) == {lost}
        value = loaded.state_dict()[lost]
        assert value.isfinite().all()
        assert value.abs().max() <= 10 * drawn.state_dict()[lost].abs().max() + 1e-6
        for name, other in kept.items():
            assert torch.equal(loaded.state_dict()[name], other)
    save_file({}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    nothing, info = case.model_class.from_pretrained(tmp_path, output_loading_info=True)
    assert set(info["missing_keys"]) == set(weights)
    assert nothing(**inputs()).logits.isfinite().all()


@ALL
@pytest.mark.parametrize("saved", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, "auto", "float16", None])
def test_every_type_is_saved_and_loaded(
    case: Architecture, saved: torch.dtype, dtype: torch.dtype | str | None, tmp_path: Path
) -> None:
    model = build(case)
    expected = model(**inputs()).logits
    model.to(saved).save_pretrained(tmp_path)
    loaded = case.model_class.from_pretrained(tmp_path, **({} if dtype is None else {"dtype": dtype}))
    wanted = {"auto": saved, "float16": torch.float16, None: saved}.get(dtype, dtype)  # type: ignore[arg-type]
    types = {name: parameter.dtype for name, parameter in loaded.named_parameters()}
    assert {kind for name, kind in types.items() if not name.startswith("crf.")} == {wanted}
    assert {kind for name, kind in types.items() if name.startswith("crf.")} <= {torch.float32}
    logits = loaded(**inputs()).logits.float()
    inside = inputs()["attention_mask"].bool() if logits.dim() == 3 else torch.ones(BATCH, dtype=torch.bool)
    torch.testing.assert_close(logits[inside].exp(), expected[inside].exp(), rtol=0.2, atol=0.05)
    loaded.train()(**inputs(), labels=case.labels).loss.backward()


@ALL
def test_weights_of_another_shape_are_refused_or_drawn_anew(case: Architecture, tmp_path: Path) -> None:
    build(case).save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        case.auto_class.from_pretrained(tmp_path, num_labels=7)
    model = case.auto_class.from_pretrained(tmp_path, num_labels=7, ignore_mismatched_sizes=True)
    assert model.num_labels == model.config.num_labels == 7
    assert model(**inputs()).logits.shape[-1] == 7
    assert all(parameter.isfinite().all() and parameter.abs().max() < 5 for parameter in model.parameters())
    resized = case.model_class.from_pretrained(tmp_path, vocab_size=11, ignore_mismatched_sizes=True)
    assert resized.get_input_embeddings().num_embeddings == resized.config.vocab_size == 11


@ALL
def test_training_reaches_every_weight(case: Architecture) -> None:
    model = build(case).train()
    model(**inputs(), labels=case.labels).loss.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    # a constant added to all keys changes no attention
    assert [name for name in without if not name.endswith("self.key.bias")] == []


@ALL
def test_answers_do_not_change_from_call_to_call_nor_with_the_batch(case: Architecture) -> None:
    model = build(case)
    output = model(**inputs())
    assert_same(model(**inputs()).to_tuple(), output.to_tuple())
    for row in range(BATCH):
        alone = model(**{name: value[row : row + 1] for name, value in inputs().items()})
        for batched, single in zip(output.to_tuple(), alone.to_tuple()):
            torch.testing.assert_close(batched[row], single[0], rtol=0, atol=1e-5)


@ALL
def test_padding_on_either_side_changes_nothing(case: Architecture) -> None:
    model = build(case)
    given = inputs()
    positions = torch.arange(LENGTH).expand(BATCH, -1)
    left = {name: torch.nn.functional.pad(value.clone(), (2, 0)) for name, value in given.items()}
    if case is ENCODER_CRF:  # BERT counts positions from the first, padding or not
        left["position_ids"] = torch.nn.functional.pad(positions, (2, 0))
    right = {name: torch.nn.functional.pad(value, (0, 2)) for name, value in given.items()}
    expected = model(**given).logits
    if expected.dim() == 3:
        inside = given["attention_mask"].bool()
        for padded, start in ((left, 2), (right, 0)):
            actual = model(**padded).logits[:, start : start + LENGTH]
            torch.testing.assert_close(actual[inside], expected[inside], rtol=0, atol=1e-5)
    else:
        for padded in (left, right):
            torch.testing.assert_close(model(**padded).logits, expected, rtol=0, atol=1e-5)


@ALL
@pytest.mark.parametrize("options", [{}, {"max_shard_size": "3KB"}])
@pytest.mark.parametrize("device_map", [None, "cpu", "auto"])
def test_what_is_saved_is_what_is_loaded(
    case: Architecture, options: dict[str, str], device_map: str | None, tmp_path: Path
) -> None:
    model = build(case)
    model.save_pretrained(tmp_path, **options)
    assert (tmp_path / "model.safetensors.index.json").exists() == bool(options)
    loaded = case.auto_class.from_pretrained(tmp_path, device_map=device_map)
    assert type(loaded) is case.model_class
    assert_same(loaded.cpu()(**inputs()).to_tuple(), model(**inputs()).to_tuple())
    assert type(AutoModel.from_pretrained(tmp_path)) is case.model_class
    assert loaded.state_dict().keys() == model.state_dict().keys()


@ALL
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_answer_alike(case: Architecture, clone: Callable[[PreTrainedModel], PreTrainedModel]) -> None:
    model = build(case)
    assert_same(clone(model)(**inputs()).to_tuple(), model(**inputs()).to_tuple())


@ALL
def test_building_on_a_device_without_memory_and_filling_it_later(case: Architecture, tmp_path: Path) -> None:
    model = build(case)
    with torch.device("meta"):
        empty = case.model_class(case.make_config())
    assert {parameter.device.type for parameter in empty.parameters()} == {"meta"}
    empty.load_state_dict(model.state_dict(), assign=True)
    model.save_pretrained(tmp_path)
    with torch.device("cpu"):
        loaded = case.model_class.from_pretrained(tmp_path)
    assert_same(loaded(**inputs()).to_tuple(), model(**inputs()).to_tuple())


@ALL
def test_weights_start_at_moderate_values_and_from_the_seed_alone(case: Architecture) -> None:
    first, second = build(case), build(case)
    for (name, one), (_, other) in zip(first.named_parameters(), second.named_parameters()):
        assert torch.equal(one, other), name
        assert one.isfinite().all()
        assert one.abs().max() < 5, name


def test_gradient_checkpointing_changes_no_number() -> None:
    gradients = []
    for checkpointing in (False, True):
        model = build(ENCODER_CRF).train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        if checkpointing:
            model.activation_checkpointing_enable()
            assert model.is_activation_checkpointing
        loss = model(**inputs(), labels=ENCODER_CRF.labels).loss
        loss.backward()
        gradients.append([loss.detach(), *(parameter.grad for parameter in model.parameters())])
        if checkpointing:
            model.activation_checkpointing_disable()
            assert not model.is_activation_checkpointing
    assert_same(*gradients)


@pytest.mark.parametrize("case", [BI_LSTM_CRF, BI_LSTM])
def test_gradient_checkpointing_of_an_lstm_is_refused(case: Architecture) -> None:
    with pytest.raises(ValueError, match="does not support"):
        build(case).activation_checkpointing_enable()


@ALL
def test_configurations_survive_every_way_of_saving(case: Architecture, tmp_path: Path) -> None:
    config = case.make_config(output_hidden_states=True, return_dict=False)
    config.save_pretrained(tmp_path)
    config_class = type(config)
    for again in (
        config_class.from_pretrained(tmp_path),
        AutoConfig.from_pretrained(tmp_path),
        config_class.from_dict(config.to_dict()),
        config_class(**config.to_diff_dict()),
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),
    ):
        assert {**again.to_dict(), "_name_or_path": ""} == {**config.to_dict(), "_name_or_path": ""}
    assert json.loads(config.to_json_string())["model_type"] == config.model_type
    assert AutoConfig.from_pretrained(tmp_path, num_labels=5).num_labels == 5
    assert config_class.from_pretrained(tmp_path, num_labels=5).id2label[4] == "LABEL_4"


@ALL
def test_configurations_answer_what_common_tools_ask(case: Architecture) -> None:
    config = case.make_config()
    for asked in (config, config.get_text_config()):
        assert (asked.vocab_size, asked.hidden_size, asked.num_hidden_layers) == (VOCAB_SIZE, WIDTH, LAYERS)
    config.vocab_size = 50
    assert config.get_text_config().vocab_size == config.vocab_size == 50
    assert build(case).num_labels == build(case).config.num_labels == NUM_LABELS
    if case is ENCODER_CRF:
        assert config.num_attention_heads == 2
        with pytest.raises(ValueError, match="`encoder_config` must be the configuration of an encoder"):
            EncoderCrfConfig()


def test_settings_of_an_encoder_with_other_names_are_found() -> None:
    encoder = DistilBertConfig(vocab_size=VOCAB_SIZE, dim=WIDTH, n_layers=LAYERS, n_heads=2, hidden_dim=12)
    config = EncoderCrfConfig(encoder_config=encoder)
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (WIDTH, LAYERS, 2)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_folder_of_an_encoder_gets_a_fresh_head(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = AutoModel.from_config(small_encoder(name)).eval()
    encoder.save_pretrained(tmp_path)
    model, info = EncoderCrfForTokenClassification.from_pretrained(
        tmp_path, id2label=LABELS, dtype=torch.bfloat16, output_loading_info=True
    )
    assert {key.split(".")[0] for key in info["missing_keys"]} == {"classifier", "crf"}
    assert {parameter.dtype for parameter in model.crf.parameters()} == {torch.float32}
    assert model.crf.constraints()[0] == (False, True, False)
    model = EncoderCrfForTokenClassification.from_pretrained(tmp_path, num_labels=4).eval()
    assert (model.config.num_labels, model.config.model_type) == (4, "encoder_crf")
    hidden = model(**inputs(), output_hidden_states=True).hidden_states
    assert_same(hidden, encoder(**inputs(), output_hidden_states=True).hidden_states)
    model.base_model.save_pretrained(tmp_path / "base")
    again = EncoderCrfForTokenClassification.from_pretrained(tmp_path / "base", num_labels=4)
    assert_same(again(**inputs(), output_hidden_states=True).hidden_states, hidden)


def test_a_folder_with_another_head_names_the_way_to_put_a_crf_on_its_encoder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stock = BertForTokenClassification(encoder_config(id2label=LABELS)).eval()
    stock.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"BertForTokenClassification, which has another head: .*from_encoder"):
        EncoderCrfForTokenClassification.from_pretrained(tmp_path)
    model = EncoderCrfForTokenClassification.from_encoder(tmp_path, id2label=LABELS).eval()
    hidden = model(**inputs(), output_hidden_states=True).hidden_states
    assert_same(hidden, stock(**inputs(), output_hidden_states=True).hidden_states)


def test_a_model_is_built_from_weights_alone() -> None:
    model = build(ENCODER_CRF)
    again = EncoderCrfForTokenClassification.from_pretrained(None, config=model.config, state_dict=model.state_dict())
    assert_same(again(**inputs()).to_tuple(), model(**inputs()).to_tuple())


@ALL
def test_arguments_are_named_as_in_stock_models(case: Architecture) -> None:
    names = list(inspect.signature(case.model_class.forward).parameters)
    assert names[1:3] == ["input_ids", "attention_mask"]
    assert {"labels", "inputs_embeds", "output_hidden_states"} <= set(names)
    assert case.model_class.main_input_name == "input_ids"


@ALL
def test_a_few_steps_of_training_lower_the_loss(case: Architecture) -> None:
    model = build(case).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = model(**inputs(), labels=case.labels).loss
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_other_problems_than_one_label_for_a_text_are_refused(problem: str) -> None:
    with pytest.raises(StrictDataclassError, match=f"A text has one label: `problem_type` cannot be '{problem}'"):
        BI_LSTM.make_config(problem_type=problem)
    model = build(BI_LSTM)
    model.config.problem_type = problem
    with pytest.raises(ValueError, match=f"cannot be '{problem}'"):
        model(**inputs(), labels=BI_LSTM.labels)


def test_labels_of_another_problem_are_refused() -> None:
    model = build(BI_LSTM)
    for labels in (torch.rand(BATCH), torch.rand(BATCH, NUM_LABELS), torch.zeros(BATCH, 1, dtype=torch.long)):
        with pytest.raises(ValueError, match=r"A text has one label: expected integers of shape \(batch,\), got"):
            model(**inputs(), labels=labels)
    with pytest.raises(ValueError, match="`num_labels` must be at least 2, got 1"):
        build(BI_LSTM, id2label={0: "score"})(**inputs(), labels=torch.zeros(BATCH, dtype=torch.long))


@pytest.mark.parametrize("case", [BI_LSTM_CRF, ENCODER_CRF])
def test_a_model_that_returns_tuples_tags_through_everything_of_ours(
    case: Architecture, syllable_tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    size = {"vocab_size": len(syllable_tokenizer)}
    sizes = size if case is BI_LSTM_CRF else {"encoder_config": encoder_config(**size)}
    found = []
    for return_dict in (True, False):
        folder = tmp_path / str(return_dict)
        build(case, return_dict=return_dict, output_hidden_states=True, **sizes).save_pretrained(folder)
        syllable_tokenizer.save_pretrained(folder)
        text = "손흥민은 춘천에서 태어났다."
        piped = pipeline("token-classification", model=str(folder), trust_remote_code=True)(text)
        stock = pipeline(
            "token-classification",
            model=case.model_class.from_pretrained(folder),
            tokenizer=syllable_tokenizer,
            device="cpu",
        )(text)
        found.append([list(Tagger(folder).tag([text])), [entity["index"] for entity in piped], len(stock)])
    assert found[0] == found[1]
    assert found[0][1]


def test_a_classifier_that_returns_tuples_classifies_through_everything_of_ours(
    syllable_tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    model = build(BI_LSTM, return_dict=False, vocab_size=len(syllable_tokenizer))
    model.save_pretrained(tmp_path)
    syllable_tokenizer.save_pretrained(tmp_path)
    [[answer]] = [list(Classifier(tmp_path).classify(["비가 온다"]))]
    encoded = syllable_tokenizer("비가 온다", return_tensors="pt")
    assert answer.label == LABELS[int(model(**encoded, return_dict=True).logits.argmax())]
