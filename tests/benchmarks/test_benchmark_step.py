"""The limits of a training step, and where its time goes."""

import json
from pathlib import Path

import pytest
import torch

from malmoi.benchmarks import crf, step
from malmoi.modeling.linear_chain_crf import PYTORCH


@pytest.mark.long
def test_shares_add_up_and_limits_stay_below_the_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step.main(["--sentences", "16", "--threads", "1", "--output_dir", str(tmp_path)])
    rows = json.loads((tmp_path / "step.json").read_text(encoding="utf-8"))["rows"]
    times = {row["what"]: row["milliseconds"] for row in rows if "what" in row}
    shares = {row["part"]: row["share, %"] for row in rows if "part" in row}
    assert sum(shares.values()) == pytest.approx(100, abs=0.5)
    assert shares["LSTM"] > 0
    assert shares["CRF"] > 0
    assert 0 < times["least for the LSTM's arithmetic"] < times["a step"]
    assert times["least for what is moved"] > 0
    printed = capsys.readouterr().out
    assert "Where the time of its operations goes" in printed


def test_the_crf_is_checked_and_timed_beside_the_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crf, "SHAPES", ((2, 5, 3),))
    crf.main(["--rounds", "2", "--threads", "1", "--output_dir", str(tmp_path)])
    results = json.loads((tmp_path / "crf.json").read_text(encoding="utf-8"))
    assert [row["computed"] for row in results["rows"]] == ["loss and gradients", "best tags", "probabilities"]
    assert results["rows"][0]["torch is faster by"]["median"] > 0
    # a saved model without malmoi
    assert all(row["plain takes"]["median"] > 0 for row in results["rows"])
    assert all(row["with malmoi, faster by"]["median"] > 0 for row in results["rows"])
    printed = capsys.readouterr().out
    assert "torch, best tags: at least 3 times as fast is aimed at; the lowest is" in printed


@pytest.mark.parametrize("name", ["torch", "plain"])
def test_a_crf_that_is_off_is_not_timed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = crf.Chain((2, 5, 3), ["torch", "plain"])
    wrong = chain.ours[name].negative_log_likelihood
    monkeypatch.setattr(chain.ours[name], "negative_log_likelihood", lambda *scores: 1.01 * wrong(*scores))
    with pytest.raises(RuntimeError, match=f"{name}: loss is off by"):
        chain.check()


def test_plain_is_what_a_saved_model_computes_with_where_malmoi_is_not_installed() -> None:
    assert crf.Chain((2, 5, 3), ["plain"]).ours["plain"]._recursions(torch.device("cpu")) is PYTORCH
