"""The hidden layer of a tagger over each token and its neighbours."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from transformers import AutoModel

from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification, BiLstmModel

MakeModel = Callable[..., BiLstmCrfForTokenClassification]
MakeConfig = Callable[..., BiLstmCrfConfig]


@pytest.mark.parametrize("window", [1, 3, 5])
def test_it_is_a_convolution_over_the_states(make_model: MakeModel, window: int) -> None:
    model = make_model(classifier_hidden_size=7, classifier_window=window)
    layers = model.window_classifier
    # one that reads nothing where there is no neighbour, its bias neither
    convolution = nn.Conv1d(9, 7, window, padding=window // 2, bias=False)
    weight = torch.cat([layers.hidden.weight, layers.hidden.bias[:, None]], dim=1).view(window, 7, 9).permute(1, 2, 0)
    convolution.load_state_dict({"weight": weight})
    states = torch.randn(2, 6, 8)
    with_bias = torch.cat([states, torch.ones(2, 6, 1)], dim=2)
    expected = layers.output(convolution(with_bias.transpose(1, 2)).transpose(1, 2).relu())
    torch.testing.assert_close(layers(states, torch.ones(2, 6, dtype=torch.bool)), expected)


def test_scores_of_both_ways_are_added(make_model: MakeModel) -> None:
    model = make_model(classifier_hidden_size=7)
    input_ids = torch.tensor([[5, 6, 7]])
    mask = torch.ones_like(input_ids).bool()
    states = model._hidden_states(input_ids, mask)
    expected = model.classifier(states) + model.window_classifier(states, mask)
    torch.testing.assert_close(model._emissions(input_ids, mask), expected)


@pytest.mark.parametrize(
    "padded",
    [[[5, 6, 7, 0, 0]], [[0, 0, 5, 6, 7]], [[5, 0, 6, 0, 7]]],
    ids=["behind", "before", "in between"],
)
def test_padding_is_no_neighbour_wherever_it_stands(make_model: MakeModel, padded: list[list[int]]) -> None:
    model = make_model(classifier_hidden_size=7)
    input_ids = torch.tensor(padded)
    mask = input_ids != 0
    expected = model._emissions(torch.tensor([[5, 6, 7]]), torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(model._emissions(input_ids, mask)[mask], expected[0], rtol=0, atol=1e-6)


def test_a_text_without_tokens_has_no_scores(make_model: MakeModel) -> None:
    model = make_model(classifier_hidden_size=7)
    assert model(torch.zeros(2, 0, dtype=torch.long)).predictions.shape == (2, 0)


def test_all_its_weights_learn_and_are_saved(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_model(classifier_hidden_size=7, classifier_dropout=0.5).train()
    input_ids = torch.tensor([[5, 6, 7, 8]])
    labels = torch.tensor([[4, 0, 1, 4]])
    model(input_ids, labels=labels).loss.backward()
    names = [name for name, _ in model.named_parameters() if name.startswith("window_classifier.")]
    assert len(names) == 4
    assert all(model.get_parameter(name).grad.abs().sum() > 0 for name in names)
    model.eval().save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path, trust_remote_code=True)
    assert torch.equal(loaded(input_ids)["logits"], model(input_ids).logits)


def test_a_body_leaves_it_out(make_model: MakeModel, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_model(classifier_hidden_size=7).save_pretrained(tmp_path)
    BiLstmModel.from_pretrained(tmp_path)
    assert "window_classifier" not in caplog.text


def test_without_it_a_tagger_has_the_weights_that_it_always_had(make_model: MakeModel) -> None:
    assert not [name for name in make_model().state_dict() if "window" in name]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classifier_hidden_size": -1}, r"`classifier_hidden_size` must be 0 or more.*got \(-1, 3\)"),
        ({"classifier_window": 2}, r"`classifier_window` odd, got \(0, 2\)"),
        ({"classifier_window": -1}, r"`classifier_window` odd, got \(0, -1\)"),
        ({"classifier_dropout": 1.0}, "`classifier_dropout` must be at least 0 and below 1, got 1.0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(make_config: MakeConfig, settings: dict, message: str) -> None:
    with pytest.raises(StrictDataclassError, match=message):
        make_config(**settings)
