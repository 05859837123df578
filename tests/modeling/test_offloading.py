"""Weights on the disk, in waiting or on several devices are brought together and answer as those in one place."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from accelerate import cpu_offload, infer_auto_device_map
from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from support.saved_models import LSTM, TAGS, build
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import AutoModel, PreTrainedModel

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    linear_chain_crf,
)

IDS = torch.tensor([[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0]])


def on_the_disk(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Return the same model, saved and loaded without its weights in memory."""
    model.save_pretrained(folder / "saved")
    options = {"device_map": {"": "disk"}, "offload_folder": folder / "offloaded"}
    return AutoModel.from_pretrained(folder / "saved", **options)


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_a_model_on_the_disk_answers_as_one_in_memory(architecture: str, tmp_path: Path) -> None:
    model = build(architecture, 40).eval()
    loaded = on_the_disk(model, tmp_path)
    assert {parameter.device.type for parameter in loaded.parameters()} == {"meta"}
    for expected, actual in zip(model(IDS).to_tuple(), loaded(IDS).to_tuple(), strict=True):
        torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf"])
def test_the_loss_is_that_of_a_model_in_memory(architecture: str) -> None:
    model = build(architecture, 40).eval()
    labels = torch.full_like(IDS, 4)
    expected = model(IDS, labels=labels).loss
    with torch.no_grad():
        torch.testing.assert_close(cpu_offload(model, execution_device="cpu")(IDS, labels=labels).loss, expected)


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_hidden_states_of_a_model_on_the_disk_are_those_of_one_in_memory(architecture: str, tmp_path: Path) -> None:
    model = build(architecture, 40).eval()
    loaded = on_the_disk(model, tmp_path)
    expected, actual = (each(IDS, output_hidden_states=True) for each in (model, loaded))
    torch.testing.assert_close(actual.hidden_states, expected.hidden_states)
    torch.testing.assert_close(actual.logits, expected.logits)


@pytest.fixture
def devices_without_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two devices whose tensors have no numbers, and of which torch still says when they meet."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    monkeypatch.setattr(linear_chain_crf, "installed_kernels", lambda: None)
    monkeypatch.setattr(linear_chain_crf, "_require", lambda *_: None)
    linear_chain_crf._forbidden.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield
    linear_chain_crf._forbidden.cache_clear()


def move(module: nn.Module, device: torch.device) -> None:
    """Put a module on a device, and let its inputs be brought there, as `accelerate` does."""
    for part in module.modules():
        for name, parameter in part.named_parameters(recurse=False):
            setattr(part, name, nn.Parameter(torch.empty_like(parameter, device=device)))
        for name, buffer in part.named_buffers(recurse=False):
            setattr(part, name, torch.zeros_like(buffer, device=device))
    add_hook_to_module(module, AlignDevicesHook(execution_device=device))


@pytest.mark.usefixtures("devices_without_memory")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_layers_may_lie_on_two_devices(architecture: str, training: bool) -> None:
    """As with `device_map="auto"` on a machine with two GPUs; answers are where the input is."""
    for count in range(len(list(build(architecture, 40).children())) + 1):
        model = build(architecture, 40).train(training)
        first = torch.device("meta", 0)
        for number, module in enumerate(model.children()):
            move(module, first if number < count else torch.device("meta", 1))
        add_hook_to_module(model, AlignDevicesHook(execution_device=first, io_same_device=True))
        ids = torch.empty_like(IDS, device=first)
        labels = ids[:, 0] if architecture == "bilstm" else ids
        counted = {"num_items_in_batch": 8} if training else {}  # a number, or a step would wait until it was copied
        output = model(ids, labels=labels, output_hidden_states=True, **counted)
        answers = [each for name, each in output.items() if name != "hidden_states"]
        assert {each.device for each in (*output.hidden_states, *answers)} == {first}


@pytest.mark.parametrize("size", range(500, 6000, 500))
def test_weights_that_work_together_lie_on_one_device(size: int) -> None:
    model = build("bilstm_crf", 40)
    sizes = {0: size, 1: 10**9}
    places = infer_auto_device_map(model, max_memory=sizes, no_split_module_classes=model._no_split_modules)
    assert not [name for name in places if name.startswith(("embeddings.", "lstm."))]


@pytest.mark.parametrize(
    "model",
    [
        BiLstmForSequenceClassification(BiLstmConfig(vocab_size=40, pooling="attention", **LSTM)),
        BiLstmCrfForTokenClassification(BiLstmCrfConfig(vocab_size=40, classifier_hidden_size=8, **LSTM, **TAGS)),
    ],
    ids=["attention", "window"],
)
def test_no_head_of_a_bilstm_is_cut(model: PreTrainedModel) -> None:
    """It computes with a mask, too, which is brought to it only as a whole."""
    parts = {"", *(name for name, _ in model.named_children())}
    for size in range(0, model.get_memory_footprint() + 12, 12):
        sizes = {0: 1, 1: size, 2: 10**9}  # the first is kept free for layers that are brought from elsewhere
        places = infer_auto_device_map(model, max_memory=sizes, no_split_module_classes=model._no_split_modules)
        assert set(places) <= parts
