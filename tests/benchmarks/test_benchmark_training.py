"""The measurements beside peers must run, and give a row for each of them."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from support.recipe_flags import as_flags
from test_benchmark_peers import FAKE_WORKER

from malmoi.benchmarks import inference, training
from malmoi.benchmarks.crf_share import our_calls, s1_calls, share
from malmoi.benchmarks.measurement import Ratio, Timing
from malmoi.benchmarks.our_training import OUR_WAY, OurTraining
from malmoi.benchmarks.peer_options import PeerOptions, notes, parse_peer_options
from malmoi.benchmarks.peers.flair_tagger import HOW_TO_GET_IT, FlairTagger
from malmoi.benchmarks.peers.s1_loop import S1Loop, S1Tagger, pad_sentences
from malmoi.benchmarks.ratio_plot import plot_ratios
from malmoi.benchmarks.s1_quality import main as measure_quality
from malmoi.data.user_error import UserError

TINY_CLASSIC = ("--reader", "inline-marks", "--tokenizer", "syllables", "--embedding_size", "8", "--hidden_size", "8")


def tiny_flags(output_dir: Path, *more: str) -> list[str]:
    numbers = {"sentences": 8, "bert_sentences": 2, "rounds": 2, "threads": 1}
    sizes = {"vocab_size": 8500, "bert_layers": 1, "bert_hidden": 16}
    flags = as_flags({**numbers, **sizes})
    return [*flags, "--output_dir", str(output_dir), *more]


@pytest.fixture
def ours() -> Iterator[OurTraining]:
    with OurTraining("klue-ner-bi-lstm-crf-classic", [*TINY_CLASSIC, *OUR_WAY], count=40) as training_of_ours:
        yield training_of_ours


def test_our_training_takes_an_epoch_at_a_time(ours: OurTraining) -> None:
    before = ours.model.crf.transitions.clone()  # type: ignore[union-attr,operator]
    assert ours.epoch() > 0
    assert ours.trainer.state.global_step == 2  # 40 sentences in batches of 32
    assert not torch.equal(before, ours.model.crf.transitions)  # type: ignore[arg-type]
    assert ours.epoch() > 0
    assert ours.trainer.state.global_step == 2
    assert sum(len(batch["input_ids"]) for batch in ours.batches()) == 40
    assert type(ours.trainer.optimizer.optimizer) is torch.optim.AdamW  # type: ignore[union-attr]
    assert ours.trainer.optimizer.param_groups[0]["fused"]  # type: ignore[union-attr]


def test_what_belongs_to_a_training_goes_with_it(ours: OurTraining) -> None:
    with ours:
        folder = ours.save("tagger")
        assert (folder / "model.safetensors").is_file()
    assert not folder.exists()


def test_the_crf_alone_has_the_gradient_that_it_has_in_the_step(ours: OurTraining) -> None:
    batch = ours.batches()[0]
    (call,) = our_calls(ours.model, [batch])
    call.run()
    ours.model.zero_grad()
    output = ours.model(**batch)
    output.logits.retain_grad()
    output.loss.backward()
    tokens = (batch["labels"] != -100).sum()
    assert call.emissions.grad is not None
    torch.testing.assert_close(call.emissions.grad, output.logits.grad * tokens)


def test_the_crf_of_s1_is_taken_batch_by_batch(ours: OurTraining) -> None:
    model = S1Tagger(len(ours.labels), vocab_size=len(ours.tokenizer), embedding_size=4, hidden_size=4)
    loop = S1Loop(model, pad_sentences(ours.features, padding=0, outside=ours.labels.index("O")))
    calls = s1_calls(loop)
    assert [call.emissions.shape[0] for call in calls] == [32, 8]
    calls[0].run()
    calls[0].run()
    assert calls[0].emissions.grad is not None
    assert calls[0].emissions.grad.abs().sum() > 0


def test_a_share_is_one_of_the_same_round() -> None:
    assert share(Timing((1.0, 2.0)), Timing((4.0, 8.0))).values == (25.0, 25.0)


def test_options_are_checked_and_flair_is_left_out_where_it_is_not(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`--rounds` must be at least 1, got 0"):
        parse_peer_options(["--rounds", "0"], None)
    options = parse_peer_options(["--flair_python", str(tmp_path / "none")], None)
    assert options.measured_peers == ("s1", "bert", "body")
    assert HOW_TO_GET_IT in notes(options)
    assert HOW_TO_GET_IT not in notes(parse_peer_options(["--peers", "s1"], None))
    assert PeerOptions().bert_name == "BERT-base"
    assert PeerOptions(bert_layers=1).bert_name == "BERT, 1 layers of 768"


def test_ratios_are_drawn_whatever_their_size(tmp_path: Path) -> None:
    rows = [
        {"training": "a", "beside": "b", "ratio": Ratio((0.4, 0.5)), "goal": 4},
        {"training": "c", "beside": "d", "ratio": Ratio((120.0,)), "goal": None},
    ]
    assert plot_ratios(rows, tmp_path / "new" / "ratios.png", what="training").read_bytes()[1:4] == b"PNG"


@pytest.mark.long
def test_training_is_measured_beside_every_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "FlairTagger", partial(FlairTagger, worker=FAKE_WORKER))
    training.main(tiny_flags(tmp_path, "--flair_python", sys.executable))
    results = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    rows, shares = results["rows"][:4], results["rows"][4:]
    assert [row["beside"] for row in rows] == [
        "S1's loop",
        *["BERT, 1 layers of 16, fine-tuning"] * 2,
        "flair of the test",
    ]
    assert [row["goal"] for row in rows] == [4, 80, 80, 3]
    assert rows[3]["its sentences/s"]["median"] == 4.0  # 8 in 2 seconds by the worker's clock
    assert all(row["ratio"]["low"] <= row["ratio"]["median"] <= row["ratio"]["high"] for row in rows)
    assert len(shares) == 5
    assert all(0 < row["share of the CRF, %"]["median"] < 100 for row in shares)
    assert (tmp_path / "training.png").is_file()
    printed = capsys.readouterr().out
    assert "Share of the CRF in a step" in printed
    assert "8 sentences a round from the sample corpus of the package" in printed
    assert HOW_TO_GET_IT not in printed


@pytest.mark.long
def test_tagging_is_measured_beside_every_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inference, "FlairTagger", partial(FlairTagger, worker=FAKE_WORKER))
    inference.main(tiny_flags(tmp_path, "--flair_python", sys.executable))
    rows = json.loads((tmp_path / "inference.json").read_text(encoding="utf-8"))["rows"]
    assert [row["beside"] for row in rows] == ["S1", *["BERT, 1 layers of 16"] * 4, "flair of the test"] * 2
    assert rows[5]["its texts/s"]["median"] == 1.0  # 8 in 0.25 x 32 seconds by the worker's clock
    assert rows[11]["its text"]["median"] == 0.25
    assert (tmp_path / "inference.png").is_file()
    assert "Tagging one text at a time" in capsys.readouterr().out


def test_without_flair_and_matplotlib_the_rest_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inference, "can_plot", lambda: False)
    monkeypatch.setattr(inference, "s1_training", lambda options: small_training(options.sentences))
    inference.main(tiny_flags(tmp_path, "--peers", "s1", "flair", "--flair_python", str(tmp_path / "none")))
    rows = json.loads((tmp_path / "inference.json").read_text(encoding="utf-8"))["rows"]
    assert [row["beside"] for row in rows] == ["S1", "S1"]
    assert not (tmp_path / "inference.png").exists()
    printed = capsys.readouterr().out
    assert HOW_TO_GET_IT in printed
    assert "malmoi[plots]" in printed


def small_training(count: int) -> OurTraining:
    """Return a training of a small model with the WordPiece tokens that S1 needs."""
    flags = ("--reader", "inline-marks", "--tokenizer", "wordpiece", "--embedding_size", "8", "--hidden_size", "8")
    return OurTraining("klue-ner-bi-lstm-crf-classic", flags, count=count)


@pytest.mark.long
def test_both_ways_to_train_are_judged_by_the_same_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure_quality(["--epochs", "1", "--vocab_size", "8500", "--threads", "1", "--output_dir", str(tmp_path)])
    rows = json.loads((tmp_path / "s1_quality.json").read_text(encoding="utf-8"))["rows"]
    assert [row["training"] for row in rows] == ["ours", "S1's loop"]
    assert all(0 <= row["entity_f1, %"] <= 100 and row["best epoch"] == 1 for row in rows)
    assert "trained to the end" in capsys.readouterr().out
    with pytest.raises(UserError, match="`--epochs` must be at least 1, got 0"):
        measure_quality(["--epochs", "0"])
