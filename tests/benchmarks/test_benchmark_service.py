"""The load on the service is counted rightly, and the measurement runs."""

import contextlib
import io
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from support.tiny_models import bert_tokenizer, save, tiny_bert_tagger

from malmoi.benchmarks import service
from malmoi.benchmarks.service import SETTLE, Load, Options, Round, measured_load, parse_options, service_row
from malmoi.benchmarks.service_processes import Outcome, Work
from malmoi.data.user_error import UserError


def test_what_is_counted_begins_when_all_clients_are_at_work() -> None:
    first = [Outcome(100 + SETTLE, SETTLE, 200, 50, True)]  # begins at 100
    later = [Outcome(100 + SETTLE + number / 10, 0.1 * number, 200, 2, number != 7) for number in range(1, 101)]
    refused = [Outcome(105.0, 0.001, 429, 2, False)] * 30 + [Outcome(106.0, 3.0, 503, 2, False)]
    load = measured_load([*first, *later, *refused])
    assert load.texts_per_second == pytest.approx(200 / 10)
    assert load.requests_per_second == pytest.approx(100 / 10)
    assert load.p50 == pytest.approx(5.05)
    assert load.p99 == pytest.approx(9.9, abs=0.02)
    assert load.statuses == {200: 101, 429: 30, 503: 1}
    assert load.wrong == 1


@pytest.mark.parametrize("outcomes", [[], [Outcome(1.0, 0.5, 200, 1, True)], [Outcome(9.0, 1.0, 503, 1, False)] * 9])
def test_next_to_no_answers_are_an_error(outcomes: list[Outcome]) -> None:
    with pytest.raises(UserError, match="The service has answered next to nothing"):
        measured_load(outcomes)


def test_the_share_of_offline_compares_what_was_done_in_one_round() -> None:
    rounds = [
        Round(Work(1000, 10.0, 8.0), Load(80.0, 1.0, 0.1, 2.0, Counter({200: 5, 429: 1}), 0), 0.75),
        Round(Work(900, 3.0, 3.0), Load(300.0, 1.0, 0.3, 2.0, Counter({200: 5, 429: 1}), 0), 0.5),
    ]
    row = service_row("many", rounds)
    assert row["of offline"].values == (0.8, 1.0)  # type: ignore[attr-defined]
    assert row["by processor time"].values == (0.75, 0.5)  # type: ignore[attr-defined]
    assert (row["p50"], row["200"], row["other statuses"], row["wrong"]) == ("200 ms", 10, 2, 0)


def test_processor_time_is_that_of_a_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    states = [Work(100, 0, 5.0), Work(300, 0, 9.0)]  # 20 ms a text
    monkeypatch.setattr(service, "work_so_far", lambda url: states.pop(0))
    monkeypatch.setattr(
        service, "put_load", lambda *_, seconds: [Outcome(9.0 + n, 1.0, 200, 2, True) for n in range(9)]
    )
    assert service.measured_round("", {}, tmp_path, Work(50, 2.0, 0.5), seconds=4).cpu_share == pytest.approx(0.5)


def test_a_text_with_marks_of_json_is_asked_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = '그는 "서울\\부산"이라 했다.', []

    def answer(request: urllib.request.Request, timeout: float) -> contextlib.closing[io.BytesIO]:
        assert isinstance(request.data, bytes)
        asked.append(json.loads(request.data))
        return contextlib.closing(io.BytesIO())

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    service.seconds_to_recover("http://127.0.0.1", text, usual=60)
    assert asked == [{"texts": [text]}]


def test_a_service_that_stays_down_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", mock.Mock(side_effect=ConnectionRefusedError))
    monkeypatch.setattr(service, "PATIENCE", 0.1)
    with pytest.raises(UserError, match="has not recovered"):
        service.seconds_to_recover("http://127.0.0.1", "서울", usual=60)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--clients", "0"], "`--clients` must be at least 1, got 0"),
        (["--threads", "2", "0"], "`--threads` must be at least 1, got 0"),
        (["--seconds", "3"], "`--seconds` must be from 4 to 600, got 3"),
        (["--seconds", "nan"], "`--seconds` must be from 4 to 600"),
    ],
)
def test_a_number_out_of_range_is_an_error(flags: list[str], message: str) -> None:
    assert parse_options([]) == Options()
    with pytest.raises(UserError, match=message):
        parse_options(flags)


def test_the_process_that_measures_is_not_patched_by_gevent() -> None:
    assert service.put_load
    assert "locust" not in sys.modules


@pytest.mark.long
def test_it_measures_a_tiny_model(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    model = save(tmp_path / "model", tiny_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"]), tokenizer)
    command = [sys.executable, "-m", "malmoi.benchmarks.service", "--model", str(model), "--seconds", "4"]
    command += ["--rounds", "1", "--threads", "1", "--clients", "3", "--single_clients", "3", "--sentences", "40"]
    result = subprocess.run(
        [*command, "--output_dir", str(tmp_path)], capture_output=True, text=True, encoding="utf-8", timeout=400
    )
    assert result.returncode == 0, result.stderr
    assert "Tagging over HTTP" in result.stdout
    offline, many, single, pressed = json.loads((tmp_path / "service.json").read_text("utf-8"))["rows"]
    assert offline["texts/s"]["median"] > 0
    for row in (many, single):
        assert row["of offline"]["median"] > 0
        assert 0 < row["by processor time"]["median"] < 2
        assert row["200"] > 0
        assert row["other statuses"] == row["wrong"] == 0
    assert pressed["other statuses"] == pressed["wrong"] == 0
    assert pressed["200"] > 0
    assert pressed["recovery"].endswith(" s")
