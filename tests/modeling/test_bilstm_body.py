"""A body, that is a BiLSTM without a head: its states, and how it is loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.saved_models import LSTM, build
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    BiLstmModel,
)

IDS = torch.tensor([[5, 6, 7, 8], [9, 4, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


@pytest.fixture
def body() -> BiLstmModel:
    torch.manual_seed(0)
    return BiLstmModel(BiLstmConfig(vocab_size=20, **LSTM)).eval()


@torch.no_grad()
def test_states_are_those_of_the_lstm_and_zero_at_padding(body: BiLstmModel) -> None:
    output = body(input_ids=IDS, attention_mask=MASK)
    forward_and_backward, _ = torch.nn.LSTM.forward(body.lstm, body.embeddings(IDS[1:, :2]))
    torch.testing.assert_close(output.last_hidden_state[1, :2], forward_and_backward[0])
    assert output.last_hidden_state.shape == (2, 4, 8)
    assert not output.last_hidden_state[1, 2:].any()
    assert output.hidden_states is None
    torch.testing.assert_close(body(IDS).last_hidden_state, output.last_hidden_state)  # 0 is padding


@torch.no_grad()
def test_padding_may_stand_anywhere(body: BiLstmModel) -> None:
    left = body(input_ids=torch.tensor([[0, 9, 0, 4]]), attention_mask=torch.tensor([[0, 1, 0, 1]]))
    right = body(input_ids=IDS, attention_mask=MASK).last_hidden_state[1]
    torch.testing.assert_close(left.last_hidden_state[0, [1, 3]], right[:2])
    assert not left.last_hidden_state[0, [0, 2]].any()


@torch.no_grad()
def test_hidden_states_are_shown_on_request(body: BiLstmModel) -> None:
    output = body(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)
    assert [states.shape[2] for states in output.hidden_states] == [10, 8]
    torch.testing.assert_close(output.hidden_states[-1], output.last_hidden_state)
    assert body(torch.zeros(2, 0, dtype=torch.long)).last_hidden_state.shape == (2, 0, 8)
    assert isinstance(body(input_ids=IDS, return_dict=False), tuple)


def test_the_auto_class_takes_what_a_configuration_names(tmp_path: Path, body: BiLstmModel) -> None:
    body.save_pretrained(tmp_path / "body")
    assert type(AutoModel.from_pretrained(tmp_path / "body", trust_remote_code=True)) is BiLstmModel
    classifier = BiLstmForSequenceClassification(BiLstmConfig(vocab_size=20, **LSTM))
    classifier.save_pretrained(tmp_path / "classifier")
    assert type(AutoModel.from_pretrained(tmp_path / "classifier")) is BiLstmForSequenceClassification
    assert type(AutoModel.from_config(BiLstmConfig(vocab_size=20, **LSTM))) is BiLstmForSequenceClassification
    headed = AutoModelForSequenceClassification.from_pretrained(tmp_path / "body")
    torch.testing.assert_close(headed.lstm.state_dict(), body.lstm.state_dict())


@pytest.mark.parametrize("architecture", ["bilstm", "bilstm_crf"])
def test_a_model_with_a_head_is_loaded_without_it(tmp_path: Path, architecture: str) -> None:
    model = build(architecture, 20)
    model.save_pretrained(tmp_path)
    config = BiLstmConfig(vocab_size=20, **LSTM)
    body, notes = BiLstmModel.from_pretrained(tmp_path, config=config, output_loading_info=True)
    assert not notes["missing_keys"]
    assert not notes["unexpected_keys"]
    for name, tensor in body.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def test_a_folder_works_without_malmoi_and_is_small(
    tmp_path: Path, body: BiLstmModel, run_without_malmoi: Callable[..., str]
) -> None:
    body.save_pretrained(tmp_path)
    code = f"""
import torch
from transformers import AutoModel
model = AutoModel.from_pretrained({str(tmp_path)!r}, trust_remote_code=True)
states = model(torch.tensor({IDS.tolist()}), attention_mask=torch.tensor({MASK.tolist()})).last_hidden_state
print(type(model).__name__, round(states.double().sum().item(), 4))
"""
    total = body(IDS, attention_mask=MASK).last_hidden_state.double().sum().item()
    assert run_without_malmoi(code).split() == ["BiLstmModel", str(round(total, 4))]
    files = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.py")}
    assert len(files) <= 6
    assert sum(len(text.splitlines()) for text in files.values()) <= 1000


@pytest.mark.parametrize(
    ("first", "second"), [("bilstm", BiLstmCrfForTokenClassification), ("bilstm_crf", BiLstmModel)]
)
def test_a_folder_names_no_code_of_the_architecture_that_its_weights_are_from(
    first: str, second: type[PreTrainedModel], tmp_path: Path
) -> None:
    build(first, 40).save_pretrained(tmp_path / "first")
    options = {"num_labels": 5, "ignore_mismatched_sizes": True}
    second.from_pretrained(tmp_path / "first", **options).save_pretrained(tmp_path / "second")
    config = json.loads((tmp_path / "second" / "config.json").read_text(encoding="utf-8"))
    named = [*config["auto_map"].values()]
    named += [entry["impl"] for entry in config.get("custom_pipelines", {}).values()]
    files = {path.stem for path in (tmp_path / "second").glob("*.py")}
    assert {name.split(".")[0] for name in named} <= files
