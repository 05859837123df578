"""What runs on a GPU must run on a CPU as well: only the figures would be others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from malmoi.benchmarks import gpu
from malmoi.benchmarks.gpu_crf import Case, check_kernels, compare_crf
from malmoi.benchmarks.gpu_training import compare_epochs, compare_lstm_paths, compare_precisions
from malmoi.benchmarks.peer_options import PeerOptions
from malmoi.data.user_error import UserError
from malmoi.kernels.crf_torch import TORCH

CPU = torch.device("cpu")
CASES = (Case("plain", 4, 9, 5), Case("large", 3, 7, 4, spread=1e4, forbidden=0.3), Case("one", 2, 3, 1))


# right but for the best tags
WRONG = TORCH._replace(viterbi=lambda *scores: TORCH.viterbi(*scores).clamp(max=0))


@pytest.mark.long
def test_without_a_gpu_one_sentence_says_so(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    command = [sys.executable, "-m", "malmoi.benchmarks.gpu", "--output_dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert result.stderr == "malmoi: This measures what an NVIDIA GPU does, and torch finds none here.\n"
    assert not list(tmp_path.iterdir())


def test_without_triton_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "TRITON", gpu.TRITON._replace(supports=lambda *_: False))
    with pytest.raises(UserError, match="`pip install triton`"):
        gpu.find_gpu()


def test_a_right_backend_holds_and_a_wrong_one_does_not() -> None:
    rows = check_kernels(CPU, backend=TORCH, cases=CASES)
    assert [(row["case"], row["type"]) for row in rows] == [
        (case.name, dtype) for case in CASES for dtype in ("float32", "float64")
    ]
    assert {row["holds"] for row in rows} == {"yes"}
    assert [row["holds"] for row in check_kernels(CPU, backend=WRONG, cases=CASES[:1])] == ["no", "no"]


def test_the_crf_is_timed_beside_the_library() -> None:
    rows = compare_crf(CPU, rounds=1, sizes=[(2, 4, 3)], implementations=["torch"])
    assert [row["CRF"] for row in rows] == ["loss and gradient", "Viterbi"]
    assert {"torch", "pytorch-crf", "ratio"} < set(rows[0])


def test_both_ways_to_run_the_lstm_are_timed() -> None:
    rows = compare_lstm_paths(CPU, rounds=1, sizes=[(2, 4, 6, 8)])
    assert [row["LSTM"] for row in rows] == ["training", "inference"]
    assert {"torch, packed", "ours", "ratio"} < set(rows[0])


@pytest.mark.long
def test_epochs_are_timed_beside_both_peers() -> None:
    options = PeerOptions(
        sentences=6, bert_sentences=6, rounds=1, vocab_size=8000, bert_layers=1, bert_hidden=64, threads=1
    )
    rows = compare_epochs(options, CPU)
    assert [row["beside"] for row in rows] == ["S1's loop", "BERT-base, fine-tuning"]
    assert [row["goal"] for row in rows] == [10, 5]


@pytest.mark.long
def test_a_recipe_is_trained_in_each_precision(marked_corpus: Path) -> None:
    flags = ["--data_dir", str(marked_corpus), "--max_steps", "2", "--use_cpu", "true", "--disable_tqdm", "true"]
    flags += ["--embedding_size", "8", "--hidden_size", "16", "--name_replacement_copies", "0"]
    precisions = {"float32": [], "bf16": ["--bf16", "true"]}
    rows = compare_precisions(flags, recipe="demo", precisions=precisions)
    assert [row["precision"] for row in rows] == ["float32", "bf16"]
    assert rows[0]["points beside the first"] == 0
    with pytest.raises(RuntimeError, match=r"The training in nowhere failed: .*no_such_folder"):
        compare_precisions(["--data_dir", "no_such_folder"], recipe="demo", precisions={"nowhere": []})


def test_a_part_that_fails_leaves_the_others_their_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: PeerOptions, device: torch.device) -> gpu.Rows:
        raise RuntimeError("out of memory")

    monkeypatch.setitem(gpu.PARTS, "kernels", lambda options, device: [{"case": "plain", "holds": "no"}])
    monkeypatch.setitem(gpu.PARTS, "crf", fail)
    monkeypatch.setitem(gpu.PARTS, "lstm", lambda options, device: [{"LSTM": "training", "rounds": options.rounds}])
    failed = gpu.measure(["kernels", "crf", "lstm"], PeerOptions(rounds=7, output_dir=tmp_path), CPU)
    assert failed == ["kernels", "crf"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernels.json", "lstm.json"]
    results = json.loads((tmp_path / "lstm.json").read_text(encoding="utf-8"))
    assert results["rows"] == [{"LSTM": "training", "rounds": 7}]
    assert results["machine"]["torch"] == torch.__version__
    assert "RuntimeError: out of memory" in capsys.readouterr().err
