"""The constraints of a CRF are those of the labels that its configuration names at the moment."""

import copy
import itertools
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForTokenClassification, BertConfig, PreTrainedConfig, PreTrainedModel

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)

BIO = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
OTHER_BIO = ["O", "I-LC", "B-LC", "I-PS", "B-PS"]
PLAIN = ["NN", "VV", "JJ", "XX", "YY"]
IDS = torch.tensor([[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0]])
MASK = IDS != 0

Build = Callable[..., PreTrainedModel]


def build_bilstm(**settings: object) -> PreTrainedModel:
    return BiLstmCrfForTokenClassification(
        BiLstmCrfConfig(vocab_size=12, embedding_size=4, hidden_size=6, num_labels=5, **settings)
    ).eval()


def build_encoder(**settings: object) -> PreTrainedModel:
    encoder = BertConfig(vocab_size=12, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=encoder, num_labels=5, **settings)).eval()


@pytest.fixture(params=[build_bilstm, build_encoder])
def build(request: pytest.FixtureRequest) -> Build:
    torch.manual_seed(3)
    return request.param


def set_labels(model: PreTrainedModel, labels: list[str]) -> None:
    """Set labels as transformers' `run_ner.py` does."""
    model.config.label2id = {label: number for number, label in enumerate(labels)}
    model.config.id2label = dict(enumerate(labels))


def allowed(path: list[int], labels: list[str]) -> bool:
    """Tell whether a sequence of tags is BIO, in the plainest way."""
    names = ["O", *(labels[tag] for tag in path if tag != -100)]
    return all(now[:2] != "I-" or before[2:] == now[2:] != "" for before, now in itertools.pairwise(names))


def prefer(model: PreTrainedModel, tag: int) -> None:
    """Make a tag the best everywhere, were it not for constraints."""
    with torch.no_grad():
        model.classifier.bias[tag] += 100


def labels_of(*names: list[str], labels: list[str]) -> torch.Tensor:
    return torch.tensor([[labels.index(name) for name in row] for row in names])


@pytest.mark.parametrize("implementation", ["torch", "auto", "pytorch-crf"])
def test_labels_set_after_building_bring_their_constraints(build: Build, implementation: str) -> None:
    model = build(crf_implementation=implementation)
    prefer(model, 1)
    assert model(IDS, MASK).predictions[0].tolist() == [1] * 6
    set_labels(model, BIO)
    assert not allowed([1] * 6, BIO)
    assert allowed(model(IDS, MASK).predictions[0].tolist(), BIO)
    set_labels(model, OTHER_BIO)
    output = model(IDS, MASK)
    assert all(allowed(path, OTHER_BIO) for path in output.predictions.tolist())
    set_labels(model, PLAIN)
    assert model(IDS, MASK).predictions[0].tolist() == [1] * 6


@pytest.mark.parametrize("implementation", ["torch", "pytorch-crf"])
def test_training_follows_the_labels_that_were_set_last(build: Build, implementation: str) -> None:
    model = build(crf_implementation=implementation, id2label=dict(enumerate(BIO))).train()
    name = [["B-LC", "I-LC", "O", "B-PS", "I-PS", "I-PS"]] * 2
    with pytest.raises(ValueError, match="forbidden"):
        model(IDS, labels=labels_of(*name, labels=OTHER_BIO), attention_mask=torch.ones_like(IDS))
    set_labels(model, OTHER_BIO)
    loss = model(IDS, labels=labels_of(*name, labels=OTHER_BIO), attention_mask=torch.ones_like(IDS)).loss
    assert loss.isfinite()
    loss.backward()
    forbidden = model.config.constraints()[1]
    assert (model.crf.transitions.grad[torch.tensor(forbidden)] == 0).all()


def test_a_dictionary_changed_in_place_counts(build: Build) -> None:
    model = build(id2label=dict(enumerate(PLAIN)))
    prefer(model, 1)
    for number, label in enumerate(BIO):
        model.config.id2label[number] = label
    assert allowed(model(IDS, MASK).predictions[0].tolist(), BIO)
    assert model.crf.constraints()[0] == (False, True, False, True, False)


def test_ids_as_strings_are_in_the_order_of_numbers(build: Build) -> None:
    names = ["O", *(f"B-{number}" for number in range(10)), "I-9"]
    config = BiLstmCrfConfig(id2label=dict(enumerate(PLAIN)))
    config.id2label = {str(number): name for number, name in enumerate(names)}
    assert config.label_names() == names


def test_what_was_trained_with_late_labels_is_what_is_loaded(build: Build, tmp_path: Path) -> None:
    model = build()
    prefer(model, 3)
    set_labels(model, BIO)
    before = model(IDS, MASK)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    after = loaded(IDS, MASK)
    assert torch.equal(before.predictions, after.predictions)
    torch.testing.assert_close(before.logits, after.logits)
    gold = labels_of(["B-PS", "I-PS", "O", "O", "O", "O"], ["O", "O", "O", "O", "O", "O"], labels=BIO)
    torch.testing.assert_close(loaded(IDS, MASK, labels=gold).loss, model(IDS, MASK, labels=gold).loss)
    renamed = type(model).from_pretrained(tmp_path, id2label=dict(enumerate(PLAIN)))
    assert renamed(IDS, MASK).predictions[0].tolist() == [3] * 6


def test_a_number_of_labels_alone_loads_a_fresh_head_as_stock_scripts_do(build: Build, tmp_path: Path) -> None:
    build(id2label=dict(enumerate(BIO)), bio_constraints=True).save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path, num_labels=3)
    model = AutoModelForTokenClassification.from_pretrained(tmp_path, config=config, ignore_mismatched_sizes=True)
    with pytest.raises(ValueError, match="`bio_constraints=True` needs labels of the form"):
        model(IDS, MASK)
    set_labels(model, ["I-PS", "O", "B-PS"])
    assert model.crf.transitions.abs().max() <= 0.1  # drawn, not whatever was in memory
    gold = torch.full_like(IDS, 1)
    assert model(IDS, MASK, labels=gold).loss.isfinite()
    prefer(model, 0)
    assert allowed(model(IDS, MASK).predictions[0].tolist(), ["I-PS", "O", "B-PS"])


@pytest.mark.parametrize("labels", [[*BIO, "B-OG"], BIO[:2]])
def test_another_number_of_labels_than_of_tags_is_one_sentence(build: Build, labels: list[str]) -> None:
    model = build()
    set_labels(model, labels)
    with pytest.raises(ValueError, match=f"The CRF has 5 tags, but `id2label` of the config names {len(labels)} lab"):
        model(IDS, MASK)
    with pytest.raises(ValueError, match="ignore_mismatched_sizes"):
        model(IDS, MASK, labels=torch.zeros_like(IDS))
    assert "num_tags=5" in repr(model)


def test_certain_outside_label_is_the_one_of_now(build: Build) -> None:
    model = build(untagged_token_ids=[3])
    set_labels(model, BIO)
    assert model(IDS, MASK).logits[0, 5].argmax() == BIO.index("O")
    set_labels(model, OTHER_BIO)
    assert model(IDS, MASK).logits[0, 5].argmax() == OTHER_BIO.index("O")


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_follows_its_own_labels(build: Build, clone: Callable[[PreTrainedModel], PreTrainedModel]) -> None:
    model = build()
    prefer(model, 1)
    copied = clone(model)
    set_labels(copied, BIO)
    assert model(IDS, MASK).predictions[0].tolist() == [1] * 6
    assert allowed(copied(IDS, MASK).predictions[0].tolist(), BIO)
    # as PEFT does with a module that it trains
    model.crf = copy.deepcopy(model.crf)
    set_labels(model, BIO)
    assert allowed(model(IDS, MASK).predictions[0].tolist(), BIO)
    model.config = copied.config
    assert model(IDS, MASK).predictions.tolist() == copied(IDS, MASK).predictions.tolist()


@given(labels=st.permutations(BIO), late=st.booleans())
def test_it_does_not_matter_when_labels_are_set(labels: list[str], late: bool) -> None:
    torch.manual_seed(0)
    built = build_bilstm(id2label=dict(enumerate(labels)))
    torch.manual_seed(0)
    late_model = build_bilstm(id2label=dict(enumerate(BIO))) if late else build_bilstm()
    set_labels(late_model, labels)
    gold = labels_of(
        ["B-PS", "I-PS", "B-LC", "O", "B-PS", "O"], ["O", "B-LC", "I-LC", "I-LC", "O", "O"], labels=labels
    )
    one, other = (model(IDS, MASK, labels=gold) for model in (built, late_model))
    torch.testing.assert_close(one.loss, other.loss)
    torch.testing.assert_close(one.logits, other.logits)
    assert torch.equal(one.predictions, other.predictions)


def test_one_map_of_labels_that_is_given_alone_brings_the_other(tmp_path: Path) -> None:
    """Scripts label data by `label2id` and read answers by `id2label`: old beside new would name wrong."""
    ids = {label: number for number, label in enumerate(BIO)}
    new = {label: number for number, label in enumerate(OTHER_BIO)}
    for config_class, own in (
        (BiLstmConfig, {}),
        (BiLstmCrfConfig, {}),
        (EncoderCrfConfig, {"encoder_config": BertConfig(vocab_size=12, hidden_size=8)}),
    ):
        config_class(id2label=dict(enumerate(BIO)), label2id=ids, **own).save_pretrained(tmp_path)
        for override in ({"id2label": dict(enumerate(OTHER_BIO))}, {"label2id": new}):
            config = AutoConfig.from_pretrained(tmp_path, **override)
            assert (config.id2label, config.label2id) == (dict(enumerate(OTHER_BIO)), new)
        kept = AutoConfig.from_pretrained(tmp_path)
        assert (kept.id2label, kept.label2id) == (dict(enumerate(BIO)), ids)
        for other in (new, {label: number for label, number in ids.items() if number}, {**ids, "B-DT": 5}):
            with pytest.raises(ValueError, match="`id2label` and `label2id` must say the same, got"):
                AutoConfig.from_pretrained(tmp_path, id2label=dict(enumerate(BIO)), label2id=other)


@pytest.mark.parametrize("config_class", [BiLstmConfig, BiLstmCrfConfig])
def test_a_new_configuration_completes_its_maps_and_refuses_those_that_differ(
    config_class: type[PreTrainedConfig], tmp_path: Path
) -> None:
    ids = {label: number for number, label in enumerate(BIO)}
    config = config_class(label2id=ids)
    assert (config.id2label, config.label2id, config.num_labels) == (dict(enumerate(BIO)), ids, len(BIO))
    assert config_class(id2label={str(number): label for label, number in ids.items()}).label2id == ids
    with pytest.raises((ValueError, StrictDataclassError), match="`id2label` and `label2id` must say the same, got"):
        config_class(id2label=dict(enumerate(BIO)), label2id=dict(zip(BIO[::-1], range(len(BIO)))))
    # what a script leaves that sets one of them late
    config.id2label = dict(enumerate(OTHER_BIO))
    config.save_pretrained(tmp_path)
    loaded = config_class.from_pretrained(tmp_path)
    assert loaded.id2label == dict(enumerate(OTHER_BIO))
    assert loaded.label2id == {label: number for number, label in enumerate(OTHER_BIO)}
    assert config_class.from_pretrained(tmp_path, num_labels=2).id2label == {0: "LABEL_0", 1: "LABEL_1"}


def test_two_labels_of_one_name_are_refused(build: Build) -> None:
    """`label2id` could say the id of one of them alone."""
    named = dict(enumerate([*BIO[:4], BIO[0]]))
    message = re.escape(f"`id2label` must give each id from 0 to 4 its own label, got {named}")
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        build(id2label=named)
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        BiLstmConfig(id2label=named)


@pytest.mark.parametrize("ids", [[1, 2, 3, 4, 5], [0, 1, 2, 3, 7], [-1, 0, 1, 2, 3]])
def test_ids_with_gaps_are_refused(build: Build, ids: list[int]) -> None:
    """Answers would have the name of one label and follow the rules of another."""
    named = dict(zip(ids, BIO))
    message = rf"`id2label` must give each id from 0 to 4 its own label, got {{{ids[0]}: "
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        build(id2label=named)
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        BiLstmConfig(id2label=named)
    model = build()
    model.config.id2label = named
    with pytest.raises(ValueError, match=message):
        model(IDS, MASK)


@pytest.mark.parametrize(
    "maps",
    [
        {"id2label": ["O", "B-PS"]},
        {"id2label": {"O": 0, "B-PS": 1}},
        {"label2id": {0: "O", 1: "B-PS"}},
        {"id2label": "O"},
    ],
)
@pytest.mark.parametrize("config_class", [BiLstmCrfConfig, BiLstmConfig])
def test_maps_of_another_form_are_told_that_of_theirs(config_class: type[PreTrainedConfig], maps: dict) -> None:
    with pytest.raises(
        ValueError, match=re.escape("`id2label` must be like {0: 'O'} and `label2id` like {'O': 0}, got")
    ):
        config_class(**maps)
