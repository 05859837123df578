"""Weights that lie on the disk, or wait in memory, are brought for a call and answer as those in their place."""

from pathlib import Path

import pytest
import torch
from accelerate import cpu_offload
from support.saved_models import build
from transformers import AutoModel

IDS = torch.tensor([[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0]])


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_a_model_on_the_disk_answers_as_one_in_memory(architecture: str, tmp_path: Path) -> None:
    model = build(architecture, 40).eval()
    model.save_pretrained(tmp_path / "saved")
    options = {"device_map": {"": "disk"}, "offload_folder": tmp_path / "offloaded"}
    loaded = AutoModel.from_pretrained(tmp_path / "saved", **options)
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
