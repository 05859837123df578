"""What the service writes down: one line of JSON for each request, and never a text."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from support.tiny_service import ask, loaded_service, save_tiny_models

from malmoi.service.request_log import JsonLines
from malmoi.service.text_service import TextService

SECRET = "김비밀"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> TextService:
    return loaded_service([save_tiny_models(tmp_path_factory.mktemp("models"))["names"]], max_length=20)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    written = [JsonLines().format(record) for record in caplog.records if record.name.startswith("malmoi.service")]
    assert not any("\n" in line for line in written)
    return [json.loads(line) for line in written]


def test_a_request_is_one_line_without_its_texts(service: TextService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "malmoi.service")
    headers = {"Content-Type": "application/json"}
    ask(
        service,
        lambda client: client.post("/v1/tag", json={"texts": [SECRET, "a"]}),
        lambda client: client.post("/v1/tag", json={"texts": [SECRET * 10]}),
        lambda client: client.post("/v1/tag", json={"texts": [SECRET], "model": SECRET}),
        lambda client: client.post("/v1/tag", json={"texts": [], SECRET: 1}),
        lambda client: client.post("/v1/tag", content=SECRET, headers=headers),
        lambda client: client.get(f"/{SECRET}?q={SECRET}"),
    )
    written = sorted(lines(caplog), key=lambda line: (line["status"], line["path"]))
    assert [(line["status"], line["path"]) for line in written] == [
        (200, "/v1/tag"),
        (400, "/v1/tag"),
        (404, "/v1/tag"),
        (404, "other"),
        (422, "/v1/tag"),
        (422, "/v1/tag"),
    ]
    assert {line["event"] for line in written} == {"request"}
    assert (written[0]["model"], written[0]["texts"], written[0]["characters"]) == ("names", 2, 4)
    assert all(line["milliseconds"] > 0 and line["level"] == "info" for line in written)
    for piece in (SECRET, SECRET.encode("unicode_escape").decode(), "%EA%B9%80"):
        assert piece not in json.dumps(written, ensure_ascii=False)


def test_a_failure_tells_where_it_happened_but_not_its_message(
    service: TextService, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(texts: Sequence[str]) -> list[Any]:
        raise RuntimeError(f"cannot answer {texts}")

    monkeypatch.setattr(service.models["names"].text_model, "tag", fail)
    caplog.set_level(logging.INFO, "malmoi.service")
    [response] = ask(service, lambda client: client.post("/v1/tag", json={"texts": [SECRET]}))
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    [line] = lines(caplog)
    assert (line["level"], line["status"], line["error"]) == ("error", 500, "RuntimeError")
    assert line["at"][-1].startswith("test_request_log.py:")
    assert SECRET not in caplog.text + json.dumps(line, ensure_ascii=False) + response.text
    monkeypatch.undo()
    [response] = ask(service, lambda client: client.post("/v1/tag", json={"texts": [SECRET]}))
    assert response.status_code == 200


def test_what_the_server_says_is_a_line_too() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.getLogger().makeRecord("uvicorn", logging.ERROR, "", 0, "Two\nlines", (), True)
        record.exc_info = sys.exc_info()
    line = JsonLines().format(record)
    assert SECRET not in line
    assert "\n" not in line
    assert json.loads(line)["error"] == "ValueError"
