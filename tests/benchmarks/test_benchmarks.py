"""The measurements must run, and what they compare must differ in nothing but the setting."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from malmoi.benchmarks import memory, spacing_peers
from malmoi.benchmarks.memory import (
    MAX_LENGTH,
    SETTINGS,
    Measurement,
    collate,
    make_texts,
    measure_apart,
    table_row,
)
from malmoi.benchmarks.spacing_peers import Sentence, f1_interval, judge, load_kiwi, main, read_sentences
from malmoi.data.user_error import UserError
from malmoi.modeling import BiLstmCrfForTokenClassification

SENTENCES = ["아버지가 방에 들어가신다.", "비가 왔다.", "오늘은 날씨가 참 좋네요.", "그는 서울에서 부산까지 걸었다."]


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "malmoi.benchmarks.memory", "--hidden", "64", "--steps", "2", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_settings_see_as_many_texts_in_a_step_as_they_say() -> None:
    assert {number: setting.texts_per_step for number, setting in SETTINGS.items()} == {
        **dict.fromkeys((1, 3), 2),
        **dict.fromkeys((2, 4, 5, 6, 7), 32),
    }


def test_texts_are_the_same_every_time_and_as_long_as_announced() -> None:
    texts = make_texts(2000)
    lengths = [len(ids) for ids in texts["input_ids"]]
    assert texts["input_ids"][:] == make_texts(2000)["input_ids"][:]
    assert lengths[0] == max(lengths) == MAX_LENGTH
    assert min(lengths) == 3
    assert 19 < sum(lengths) / len(lengths) < 22


def test_texts_are_padded_to_the_longest_or_as_asked() -> None:
    rows = [{"input_ids": [5, 6], "labels": 0}, {"input_ids": [7], "labels": 1}]
    batch = collate(rows, padded_length=None)
    assert batch["input_ids"].tolist() == [[5, 6], [7, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["labels"].tolist() == [0, 1]
    assert collate(rows, padded_length=4)["input_ids"].shape == torch.Size([2, 4])


def test_times_are_given_relative_to_the_reference_by_step_and_by_text() -> None:
    row = table_row(1, Measurement(2.0, 3.0), Measurement(9.0, 4.0))
    assert row == "| 1 | padded to 512, batch 2 | 2 | 2.00 | 3.00 | 0.75 | 12.00 |"


@pytest.mark.long
def test_a_table_is_printed_and_what_does_not_fit_is_skipped() -> None:
    result = run("--settings", "2", "7", "--max_memory", "2.5")
    assert result.returncode == 0, result.stderr
    machine, _, header, _, *rows = result.stdout.splitlines()
    assert f"torch {torch.__version__}" in machine
    assert header.startswith("| | setting | texts per step | peak GiB | seconds per step | relative to 4 |")
    assert rows[0] == "| 2 | padded to 512, batch 32 | 32 | skipped: over 2.5 GiB | | | |"
    assert rows[1].endswith("| 1.00 | 1.00 |")
    assert [row[:4] for row in rows] == ["| 2 ", "| 4 ", "| 7 "]
    assert all(float(row.split("|")[4]) > 0.1 for row in rows[1:])


@pytest.mark.long
def test_a_reference_that_does_not_fit_ends_the_measurement() -> None:
    result = run("--settings", "4", "--max_memory", "1.2")
    assert result.returncode == 1
    assert "Setting 4, to which the others are compared, needs more than 1.2 GiB." in result.stderr


def test_another_failure_is_not_taken_for_missing_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="ValueError: no such optimizer")
    monkeypatch.setattr(memory.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(RuntimeError, match="Setting 3 failed: ValueError: no such optimizer"):
        measure_apart(3, steps=1, hidden_size=64, max_memory=1.0)


def tagged(*sentences: str) -> list[Sentence]:
    tags = [["B" if i == 0 else "I" for word in sentence.split() for i in range(len(word))] for sentence in sentences]
    return [Sentence(sentence.replace(" ", ""), own) for sentence, own in zip(sentences, tags)]


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    """A folder with sentences for word spacing."""
    (tmp_path / "test.txt").write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def spacer(
    tmp_path: Path,
    make_model: Callable[..., BiLstmCrfForTokenClassification],
    syllable_tokenizer: PreTrainedTokenizerFast,
) -> Path:
    """A folder with a model for word spacing."""
    make_model(vocab_size=len(syllable_tokenizer), labels=["B", "I"]).save_pretrained(tmp_path / "spacer")
    syllable_tokenizer.save_pretrained(tmp_path / "spacer")
    return tmp_path / "spacer"


def test_spaces_are_judged_by_their_positions() -> None:
    gold = ["가 나 다", "라 마", "바사"]
    found = ["가 나다", "라 마", "바 사"]  # two of three spaces, and one too many
    measurement = judge(tagged(*gold), found)
    names = ("space_precision", "space_recall", "space_f1", "sentence_accuracy")
    assert [measurement.figures[name] for name in names] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1 / 3])
    assert measurement.changed == 0
    low, high = measurement.interval
    assert 0 <= low < 2 / 3 < high <= 1


def test_an_answer_with_other_characters_counts_as_one_without_spaces() -> None:
    measurement = judge(tagged("가 나", "다 라"), ["가 너", "다 라"])
    assert measurement.changed == 1
    assert measurement.figures["space_precision"] == 1
    assert measurement.figures["space_recall"] == measurement.figures["sentence_accuracy"] == 0.5


def test_the_interval_is_repeatable_and_has_no_width_where_all_sentences_are_alike() -> None:
    generator = np.random.default_rng(1)
    counts = np.column_stack([generator.integers(0, 5, 200), np.full(200, 6), np.full(200, 8)])
    low, high = f1_interval(counts)
    assert (low, high) == f1_interval(counts)
    assert low < 2 * counts[:, 0].sum() / counts[:, 1:].sum() < high
    # the standard error of a mean of 200, by the textbook
    error = 2 * counts[:, 0].std() / 200**0.5 / 14
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert f1_interval(np.tile([1, 2, 2], (9, 1))) == (0.5, 0.5)


def test_sentences_are_read_without_their_spaces(sentences: Path) -> None:
    assert read_sentences(sentences, "test", 2) == tagged(*SENTENCES[:2])
    assert len(read_sentences(sentences, "test", None)) == 4
    with pytest.raises(UserError, match="there is no split 'validation', only test"):
        read_sentences(sentences, "validation", None)


@pytest.mark.long
def test_kiwi_puts_spaces_and_changes_nothing_else_here() -> None:
    texts = [sentence.replace(" ", "") for sentence in SENTENCES]
    spaced = load_kiwi()(texts)
    assert [answer.replace(" ", "") for answer in spaced] == texts
    assert spaced[0] == SENTENCES[0]


def test_without_kiwi_the_way_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacing_peers, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Kiwi is not installed: `pip install -e '\.\[benchmarks\]'` in"):
        load_kiwi()


def test_at_least_one_sentence_must_be_asked_for(sentences: Path) -> None:
    with pytest.raises(UserError, match="`--limit` must be at least 1, got 0"):
        main(["--model", "nowhere", "--data_dir", str(sentences), "--limit", "0"])


@pytest.mark.long
def test_a_model_is_measured_beside_kiwi_and_the_baseline(
    sentences: Path, spacer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--model", str(spacer), "--data_dir", str(sentences), "--limit", "3"])
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert rows[0] == ["", "precision", "recall", "F1", "95 % interval of F1", "whole sentences", "sentences/s"]
    assert [row[0] for row in rows[2:]] == ["spacer", "kiwi", "no spaces"]
    assert rows[4] == ["no spaces", "0.00", "0.00", "0.00", "0.00 to 0.00", "0.00", ""]
    assert float(rows[3][3]) > 50
    assert all(float(row[6]) > 0 for row in rows[2:4])
    text = "\n".join(lines)
    assert f"3 sentences, test of {sentences.name}; all figures but speed in %." in text
    assert "on one thread of the CPU, after a warm-up" in text
    assert f"torch {torch.__version__}" in text
    assert "kiwipiepy 0.24" in text


def test_sentences_that_were_changed_are_said_in_a_note(
    sentences: Path, spacer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spacing_peers, "load_kiwi", lambda: lambda texts: ["다른 글"] * len(texts))
    main(["--model", str(spacer), "--data_dir", str(sentences)])
    note = "- kiwi changed other characters of 4 sentences: counted as without spaces"
    assert note in capsys.readouterr().out.splitlines()


@pytest.mark.long
def test_a_user_error_of_the_measurement_is_one_sentence(sentences: Path) -> None:
    command = [sys.executable, "-m", "malmoi.benchmarks.spacing_peers", "--model", str(sentences / "nowhere")]
    result = subprocess.run([*command, "--data_dir", str(sentences)], capture_output=True, text=True, timeout=100)
    assert result.returncode == 1
    assert result.stderr == f"malmoi: {sentences / 'nowhere'}: there is no such folder.\n"


def test_memory_cannot_be_limited_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="Memory cannot be limited on Windows"):
        memory.limit_memory(1.0)
