"""An LSTM in half precision, on a processor with and without kernels for it, and over very long texts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from malmoi.modeling import bilstm
from malmoi.modeling.bilstm import BiLstm

HALF = [torch.bfloat16, torch.float16]
# what a processor without AVX-512 makes of the vendor's library; read once, before its first call
WITHOUT_KERNELS = {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}

SCRIPT = """
import torch
from malmoi.modeling import BiLstmConfig, BiLstmCrfConfig, BiLstmCrfForTokenClassification
from malmoi.modeling import BiLstmForSequenceClassification

assert not torch.ops.mkldnn._is_mkldnn_bf16_supported()
ids = torch.tensor([[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0]])
sizes = {"vocab_size": 12, "embedding_size": 8, "hidden_size": 8, "num_hidden_layers": 2}
for model, labels in (
    (BiLstmCrfForTokenClassification(BiLstmCrfConfig(**sizes, num_labels=3)), torch.ones_like(ids)),
    (BiLstmForSequenceClassification(BiLstmConfig(**sizes, num_labels=3)), torch.tensor([0, 2])),
):
    expected = model(ids, labels=labels).loss
    expected.backward()
    gradient = model.lstm.weight_hh_l0_reverse.grad.clone()
    for dtype in (torch.bfloat16, torch.float16):
        model.zero_grad()
        with torch.autocast("cpu", dtype=dtype):
            loss = model(ids, labels=labels).loss
        loss.backward()
        torch.testing.assert_close(loss.float(), expected, rtol=0.02, atol=0.02)
        torch.testing.assert_close(model.lstm.weight_hh_l0_reverse.grad, gradient, rtol=0.1, atol=0.01)
    model.to(torch.bfloat16)
    if hasattr(model, "crf"):
        model.crf.float()
    model.zero_grad()
    model(ids, labels=labels).loss.backward()
    torch.testing.assert_close(model.lstm.weight_hh_l0_reverse.grad.float(), gradient, rtol=0.1, atol=0.02)
print("trained")
"""


def make_lstm() -> tuple[BiLstm, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return BiLstm(5, 8, num_layers=2, dropout=0.0), torch.randn(3, 9, 5), torch.tensor([9, 1, 4])


def run(lstm: BiLstm, inputs: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the output and the gradient of a weight."""
    lstm.zero_grad()
    hidden = lstm(inputs, lengths)
    inside = torch.arange(inputs.size(1))[None] < lengths[:, None]
    hidden[inside].float().square().sum().backward()
    assert lstm.weight_hh_l0.grad is not None
    return hidden[inside], lstm.weight_hh_l0.grad.float().clone()


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("has_kernel", [True, False])
def test_half_precision_is_nearly_single_precision(
    dtype: torch.dtype, autocast: bool, has_kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_kernel:
        monkeypatch.setattr(bilstm, "_runs_on_cpu", lambda dtype: dtype == torch.float32)
    lstm, inputs, lengths = make_lstm()
    expected, expected_gradient = run(lstm, inputs, lengths)
    if autocast:
        with torch.autocast("cpu", dtype=dtype):
            hidden, gradient = run(lstm, inputs, lengths)
    else:
        hidden, gradient = run(lstm.to(dtype), inputs.to(dtype), lengths)
    assert hidden.dtype == dtype
    torch.testing.assert_close(hidden.float(), expected, rtol=0.02, atol=0.01)
    torch.testing.assert_close(gradient, expected_gradient, rtol=0.05, atol=0.05)


def test_double_precision_is_left_alone_under_autocast() -> None:
    lstm, inputs, lengths = make_lstm()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert lstm.double()(inputs.double(), lengths).dtype == torch.float64


@pytest.mark.slow
def test_a_processor_without_kernels_for_half_precision_trains_in_it() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, **WITHOUT_KERNELS}, capture_output=True, text=True
    )
    assert result.stdout == "trained\n", result.stderr


@pytest.mark.slow
def test_a_command_trains_in_bfloat16_on_a_processor_without_it(marked_corpus: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "malmoi.training.train", "demo", "--reader", "inline-marks"]
    command += ["--data_dir", str(marked_corpus), "--output_dir", str(tmp_path / "run"), "--overwrite", "true"]
    result = subprocess.run(
        [*command, "--max_steps", "2", "--bf16", "true", "--use_cpu", "true"],
        env={**os.environ, **WITHOUT_KERNELS},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_an_lstm_in_parts_equals_one_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    lstm, inputs, lengths = make_lstm()
    expected, expected_gradient = run(lstm, inputs, lengths)
    monkeypatch.setattr(bilstm, "LARGEST_KERNEL", 2 * 3 * 16)  # two of nine steps at once
    hidden, gradient = run(lstm, inputs, lengths)
    torch.testing.assert_close(hidden, expected)
    torch.testing.assert_close(gradient, expected_gradient)


@pytest.mark.slow
def test_a_text_of_two_million_tokens_is_read() -> None:
    lstm = BiLstm(4, 128, num_layers=1, dropout=0.0)
    length = 2_100_000
    with torch.no_grad():
        assert lstm(torch.zeros(1, length, 4), torch.tensor([length])).shape == (1, length, 128)
