"""What the service answers over HTTP: the answers of its models, or an error of one form."""

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.exported_models import export_tiny
from support.tiny_models import SENTENCES
from support.tiny_service import ask, get, loaded_service, post, save_tiny_models

from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.service.api import make_api
from malmoi.service.messages import ErrorResponse
from malmoi.service.service_errors import STATUSES
from malmoi.service.text_service import TextService

TEXTS = [*SENTENCES[:3], "", "😀 손흥민은 춘천에서", "e\u0301\u200b 서울로\n갔다\r\n!", "가" * 90, "\x00"]
PATHS = ["/v1/tag", "/v1/space", "/v1/classify"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def service(folders: dict[str, Path]) -> TextService:
    return loaded_service([*folders.values()])


@pytest.fixture(scope="module")
def narrow(folders: dict[str, Path]) -> TextService:
    """A service with small limits."""
    return loaded_service([folders["names"]], max_length=10, max_texts=3, max_body=200)


def near(value: Any) -> Any:
    return pytest.approx(value, abs=1e-6)


def with_scores_apart(response: httpx.Response) -> tuple[Any, list[float]]:
    """Return answers without their scores, and the scores, whose last digits depend on what else is in a batch."""
    answers = response.json()
    entities = [entity for answer in answers["answers"] for entity in answer["entities"]]
    return answers, [entity.pop("score") for entity in entities]


def error_of(response: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, code and field of an error, which has the form of all errors."""
    error = ErrorResponse.model_validate(response.json(), strict=True, extra="forbid").error
    assert response.status_code == STATUSES[error.code]
    assert error.message.endswith(".")
    return response.status_code, error.code, error.field


def test_a_fault_of_a_body_is_told_in_words(service: TextService) -> None:
    said = [post(service, "/v1/tag", **body).json()["error"]["message"] for body in ({"text": "a"}, {"texts": "a"})]
    assert said == [
        "There is no such field; known are texts, model, min_score, offsets.",
        'Expected a list, such as ["..."].',
    ]


def test_names_are_those_of_the_tagger(service: TextService, folders: dict[str, Path]) -> None:
    for name in ("names", "persons"):
        expected = [[entity._asdict() for entity in entities] for entities in Tagger(folders[name])(TEXTS)]
        answered = post(service, "/v1/tag", texts=TEXTS, model=name).json()
        assert answered == {"model": name, "answers": [{"entities": entities} for entities in expected]}
        assert sum(map(len, expected)) > 5
    assert post(service, "/v1/tag", texts=TEXTS).json()["model"] == "names"


def test_spaces_are_those_of_the_spacer(service: TextService, folders: dict[str, Path]) -> None:
    spacer = Spacer(folders["spaces"])
    for options in ({}, {"keep_spaces": True}, {"keep_words": ["춘천에서 태어", "a.c"]}):
        expected = spacer(TEXTS, **options)
        answered = post(service, "/v1/space", texts=TEXTS, return_offsets=True, **options).json()
        assert answered["answers"] == [answer._asdict() for answer in expected]
        short = post(service, "/v1/space", texts=TEXTS, **options).json()
        assert short["answers"] == [{"text": each.text, "offsets": None, "removed": None} for each in expected]


def test_an_exported_model_is_served_as_the_one_it_was_made_from(folders: dict[str, Path], tmp_path: Path) -> None:
    exported = loaded_service([export_tiny(folders["spaces"], tmp_path / "exported")])
    [response] = ask(exported, lambda client: client.post("/v1/space", json={"texts": SENTENCES}))
    found = [answer["text"] for answer in response.json()["answers"]]
    assert found == [spaced.text for spaced in Spacer(folders["spaces"])(SENTENCES)]


def test_classes_are_those_of_the_classifier(service: TextService, folders: dict[str, Path]) -> None:
    answered = post(service, "/v1/classify", texts=TEXTS).json()
    assert answered["answers"] == [answer._asdict() for answer in Classifier(folders["reviews"])(TEXTS)]
    assert {answer["cut"] for answer in answered["answers"]} == {True, False}


def test_improbable_names_can_be_left_out(service: TextService) -> None:
    scores = {
        least: [
            e["score"]
            for a in post(service, "/v1/tag", texts=TEXTS, min_score=least).json()["answers"]
            for e in a["entities"]
        ]
        for least in (0, 0.6, 1.0)
    }
    assert scores[0.6] == [score for score in scores[0] if score >= 0.6]
    assert len(scores[0]) > len(scores[0.6]) > len(scores[1.0])


def test_places_can_be_units_of_utf_16(service: TextService) -> None:
    for text in ("😀 손흥민은 춘천에서", "비가😀와서 \U00020000집에", "서울로"):
        units = text.encode("utf-16-le")
        [tagged] = post(service, "/v1/tag", texts=[text], offsets="utf16").json()["answers"]
        [plain] = post(service, "/v1/tag", texts=[text]).json()["answers"]
        assert [e["text"] for e in tagged["entities"]] == [e["text"] for e in plain["entities"]] != []
        for entity in tagged["entities"]:
            assert units[2 * entity["start"] : 2 * entity["end"]].decode("utf-16-le") == entity["text"]
        asked = {"texts": [text], "offsets": "utf16", "return_offsets": True}
        [spaced] = post(service, "/v1/space", **asked).json()["answers"]
        answer = spaced["text"].encode("utf-16-le")
        assert len(spaced["offsets"]) == len(answer) // 2
        for index, place in enumerate(spaced["offsets"]):
            unit = b" \x00" if place is None else units[2 * place : 2 * place + 2]
            assert answer[2 * index : 2 * index + 2] == unit
        assert all(units[2 * place : 2 * place + 2] == b" \x00" for place in spaced["removed"])


def test_fifty_clients_at_once_get_their_own_answers(service: TextService, folders: dict[str, Path]) -> None:
    tagger, spacer, classifier = Tagger(folders["names"]), Spacer(folders["spaces"]), Classifier(folders["reviews"])
    source = random.Random(1)
    own = [["".join(source.choices(SENTENCES[0] + SENTENCES[1], k=9)) for _ in range(1 + n % 4)] for n in range(150)]

    async def client_asks(client: httpx.AsyncClient, number: int) -> None:
        for texts in own[number::50]:
            kind = len(texts[0] + texts[-1]) % 3 if number % 2 else number % 3
            response = await client.post(PATHS[kind], json={"texts": texts})
            answers = response.json()["answers"]
            if kind == 0:
                # neighbours in a batch may change the last digit of a score
                expected = [[{**e._asdict(), "score": near(e.score)} for e in each] for each in tagger(texts)]
                assert [a["entities"] for a in answers] == expected
            elif kind == 1:
                assert [a["text"] for a in answers] == [each.text for each in spacer(texts)]
            else:
                assert [a["scores"] for a in answers] == [near(each.scores) for each in classifier(texts)]

    ask(service, *(lambda client, number=number: client_asks(client, number) for number in range(50)))


def test_models_and_limits_are_listed(service: TextService) -> None:
    listed = get(service, "/v1/models").json()
    assert [(m["name"], m["task"], m["path"], m["default"]) for m in listed["models"]] == [
        ("names", "named-entities", "/v1/tag", True),
        ("persons", "named-entities", "/v1/tag", False),
        ("spaces", "word-spacing", "/v1/space", True),
        ("reviews", "sentence-classification", "/v1/classify", True),
    ]
    assert listed["models"][0]["labels"] == ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
    assert listed["limits"] == vars(service.limits)


def test_what_is_no_such_model_is_told(service: TextService, narrow: TextService) -> None:
    assert error_of(post(service, "/v1/tag", texts=["a"], model="nobody")) == (404, "unknown_model", "model")
    assert error_of(post(service, "/v1/tag", texts=["a"], model="spaces")) == (422, "wrong_task", "model")
    assert error_of(post(narrow, "/v1/space", texts=["a"])) == (404, "unknown_model", "model")


BAD_BODIES: list[tuple[bytes | str, tuple[int, str, str | None]]] = [
    ("", (400, "invalid_json", None)),
    ('{"texts": ["a"]', (400, "invalid_json", None)),
    (b'{"texts": ["\xff"]}', (400, "invalid_json", None)),
    (b'\xef\xbb\xbf{"texts": ["a"]}', (400, "invalid_json", None)),
    (b'{"texts": ["\xed\xa0\x80"]}', (400, "invalid_json", None)),
    (r'{"texts": ["\ud800"]}', (400, "invalid_json", None)),
    (r'{"texts": ["\udc00\ud800"]}', (400, "invalid_json", None)),
    ('{"texts": [NaN]}', (400, "invalid_json", None)),
    ('{"texts": ["a"], "texts": ["b"]}', (400, "invalid_json", None)),
    ('{"texts": ["a"], "model": null, "model": null}', (400, "invalid_json", None)),
    ('{"texts": ["a"], "te\\u0078ts": ["b"]}', (400, "invalid_json", None)),
    ('{"texts": [{"a": 1, "a": 2}]}', (400, "invalid_json", None)),
    ('{"texts": ["a"], "min_score": NaN}', (400, "invalid_json", None)),
    ('{"texts": ["a"], "min_score": Infinity}', (400, "invalid_json", None)),
    ('{"texts": ["a"], "min_score": 1e999}', (422, "invalid_request", "min_score")),
    ('{"texts": ["a"], "min_score": -0.1}', (422, "invalid_request", "min_score")),
    ('{"texts": ["a"], "min_score": true}', (422, "invalid_request", "min_score")),
    ('{"texts": ["a"], "min_score": "0.5"}', (422, "invalid_request", "min_score")),
    ('{"texts": ["a"], "min_score": ' + "9" * 400 + "}", (422, "invalid_request", "min_score")),
    ('{"texts": [' + "9" * 100_000 + "]}", (400, "invalid_json", None)),
    ("[" * 100_000, (400, "invalid_json", None)),
    ('{"texts": ' + "[" * 150 + "]" * 150 + "}", (422, "invalid_request", "texts[0]")),
    ("[]", (422, "invalid_request", None)),
    ("null", (422, "invalid_request", None)),
    ("{}", (422, "invalid_request", "texts")),
    ('{"texts": "a"}', (422, "invalid_request", "texts")),
    ('{"texts": ["a", null]}', (422, "invalid_request", "texts[1]")),
    ('{"texts": ["a"], "model": 3}', (422, "invalid_request", "model")),
    ('{"texts": ["a"], "offsets": "bytes"}', (422, "invalid_request", "offsets")),
    ('{"texts": ["a"], "text": "a"}', (422, "invalid_request", "text")),
    ('{"texts": [], ' + ", ".join(f'"{n}": 1' for n in range(50_000)) + "}", (422, "invalid_request", "0")),
    ('{"texts": [' + "1, " * 200_000 + "1]}", (422, "invalid_request", "texts[0]")),
]


@pytest.mark.parametrize(("body", "expected"), BAD_BODIES, ids=[str(body[:40]) for body, _ in BAD_BODIES])
def test_a_body_that_cannot_be_read_is_an_error_of_one_form(
    body: bytes | str, expected: tuple[int, str, str | None], service: TextService
) -> None:
    headers = {"Content-Type": "application/json"}
    [response] = ask(service, lambda client: client.post("/v1/tag", content=body, headers=headers))
    assert error_of(response) == expected
    assert len(response.content) < 500


@pytest.mark.parametrize(
    ("word", "fault"), [("/(a+)+$/", "A regular expression"), (" ", "Expected a word"), ("가" * 101, "100 characters")]
)
def test_words_that_stay_are_words(word: str, fault: str, service: TextService) -> None:
    response = post(service, "/v1/space", texts=["a"], keep_words=["가 나", word])
    assert error_of(response) == (422, "invalid_request", "keep_words[1]")
    message = response.json()["error"]["message"]
    assert fault in message
    assert "Value error" not in message
    assert post(service, "/v1/space", texts=["//"], keep_words=["//", "/"]).status_code == 200
    assert error_of(post(service, "/v1/space", texts=["a"], keep_words=["a"] * 101))[2] == "keep_words"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=euc-kr"},
        {"Content-Type": "application/json; version=1; charset=euc-kr"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_only_json_in_utf_8_is_read(headers: dict[str, str], service: TextService) -> None:
    [response] = ask(service, lambda client: client.post("/v1/tag", content=b'{"texts": []}', headers=headers))
    assert error_of(response) == (415, "unsupported_media_type", None)
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize(
    "kind",
    [
        *("application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"', "application/json;charset=utf8"),
        "application/json; charset=utf-8; version=1",
    ],
)
def test_the_encoding_may_be_named(kind: str, service: TextService) -> None:
    body = '{"texts": ["서울로"]}'.encode()
    [response] = ask(service, lambda client: client.post("/v1/tag", content=body, headers={"Content-Type": kind}))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"


def test_other_paths_and_methods_are_errors_of_the_same_form(service: TextService) -> None:
    calls = ask(
        service,
        lambda client: client.get("/nowhere/손흥민"),
        lambda client: client.get("/docs"),
        lambda client: client.get("/v1/tag"),
        lambda client: client.delete("/health"),
    )
    assert [error_of(call)[1] for call in calls] == [*["not_found"] * 2, *["method_not_allowed"] * 2]
    assert [call.headers.get("allow") for call in calls[2:]] == ["POST", "GET"]


def test_too_much_is_refused(narrow: TextService) -> None:
    assert post(narrow, "/v1/tag", texts=["가" * 10] * 3).status_code == 200
    assert error_of(post(narrow, "/v1/tag", texts=["a"] * 4)) == (422, "too_many_texts", "texts")
    assert error_of(post(narrow, "/v1/tag", texts=["a", "가" * 11])) == (422, "text_too_long", "texts[1]")
    assert error_of(post(narrow, "/v1/tag", texts=["a" * 200])) == (413, "body_too_large", None)


class Endless(httpx.AsyncByteStream):
    """A body without an end, and without a length that would tell."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent < 100_000_000:
            self.sent += 100
            yield b'{"texts": ' + b" " * 90


def test_a_body_is_not_read_further_than_allowed(narrow: TextService) -> None:
    body, headers = Endless(), {"Content-Type": "application/json"}

    async def send(client: httpx.AsyncClient) -> httpx.Response:
        request = client.build_request("POST", "/v1/tag", headers=headers)
        request.stream = body
        return await client.send(request)

    [response] = ask(narrow, send)
    assert error_of(response) == (413, "body_too_large", None)
    assert response.headers["connection"] == "close"
    assert body.sent <= 400


def test_a_length_that_is_too_large_is_enough(narrow: TextService) -> None:
    for length in ("201", "9" * 5000):
        body, headers = Endless(), {"Content-Type": "application/json", "Content-Length": length}

        async def send(client: httpx.AsyncClient, body: Endless = body, headers: dict = headers) -> httpx.Response:
            request = client.build_request("POST", "/v1/tag", headers=headers)
            request.stream = body
            return await client.send(request)

        assert error_of(ask(narrow, send)[0]) == (413, "body_too_large", None)
        assert body.sent == 0


def hold(service: TextService, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the first model of a service take its time."""
    tagger = service.models["names"].text_model
    fast = tagger.tag
    monkeypatch.setattr(tagger, "tag", lambda texts: (time.sleep(seconds), fast(texts))[1])


def test_what_takes_too_long_is_given_up(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    service = loaded_service([folders["names"]], timeout=0.1)
    hold(service, monkeypatch, 0.3)
    body = {"texts": ["서울로"]}
    responses = ask(service, *[lambda client: client.post("/v1/tag", json=body)] * 3)
    assert [error_of(response) for response in responses] == [(503, "timeout", None)] * 3
    assert {response.headers["retry-after"] for response in responses} == {"1"}
    assert service._batches["names"].characters == 0
    assert not service._jobs


def test_a_full_queue_refuses_and_is_empty_afterwards(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = loaded_service([folders["names"]], max_queue=12)
    hold(service, monkeypatch, 0.2)
    expected = with_scores_apart(post(service, "/v1/tag", texts=["서울로"]))
    responses = ask(service, *[lambda client: client.post("/v1/tag", json={"texts": ["서울로"]})] * 20)
    refused = [response for response in responses if response.status_code != 200]
    assert {error_of(response) for response in refused} == {(429, "queue_full", None)}
    assert all(int(response.headers["retry-after"]) >= 1 for response in refused)
    assert 3 <= len(responses) - len(refused) <= 6
    for response in [
        *(each for each in responses if each.status_code == 200),
        post(service, "/v1/tag", texts=["서울로"]),
    ]:
        names, scores = with_scores_apart(response)
        assert names == expected[0]
        assert scores == near(expected[1])


def test_a_client_that_has_gone_leaves_the_queue(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    service = loaded_service([folders["names"]])
    hold(service, monkeypatch, 0.3)
    batches, asked = service._batches["names"], []
    tagger = service.models["names"].text_model
    slow = tagger.tag
    monkeypatch.setattr(tagger, "tag", lambda texts: (asked.extend(texts), slow(texts))[1])
    sent: list[dict[str, Any]] = []

    async def run() -> None:
        api = make_api(service)
        first = asyncio.ensure_future(call(api, ["first"]))
        await asyncio.sleep(0.1)
        gone = asyncio.ensure_future(call(api, ["gone"], leaves=True))
        await asyncio.sleep(0.1)
        assert batches.characters == 0
        await gone
        await first

    async def call(api: Any, texts: Sequence[str], *, leaves: bool = False) -> None:
        body = json.dumps({"texts": texts}).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            if not leaves:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/v1/tag", "headers": headers, "query_string": b""}
        await api(scope, receive, send)

    asyncio.run(run())
    assert "first" in asked
    assert "gone" not in asked
    assert [message["status"] for message in sent if "status" in message] == [499, 200]


def test_a_body_that_does_not_come_is_not_waited_for(folders: dict[str, Path]) -> None:
    service = loaded_service([folders["names"]], timeout=0.1)

    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(60)

    async def send(client: httpx.AsyncClient) -> httpx.Response:
        request = client.build_request("POST", "/v1/tag", headers={"Content-Type": "application/json"})
        request.stream = Slow()
        return await client.send(request)

    assert error_of(ask(service, send)[0]) == (408, "slow_body", None)


def test_a_service_that_is_loading_or_stopping_is_alive_but_not_ready(folders: dict[str, Path]) -> None:
    service = loaded_service([folders["names"]])
    loaded, service.models = service.models, {}
    for path in ("/ready", "/v1/models"):
        assert error_of(get(service, path)) == (503, "loading", None)
    assert error_of(post(service, "/v1/tag", texts=["a"])) == (503, "loading", None)
    service.models = loaded
    assert get(service, "/ready").json() == {"status": "ready"}
    service.stop()
    response = get(service, "/ready")
    assert error_of(response) == (503, "stopping", None)
    assert response.headers["connection"] == "close"
    assert error_of(post(service, "/v1/tag", texts=["a"])) == (503, "stopping", None)
    assert get(service, "/health").json() == {"status": "alive"}
    for path, status in (("/health", 200), ("/ready", 503)):
        [response] = ask(service, lambda client, path=path: client.head(path))
        assert (response.status_code, response.content) == (status, b"")


def samples(service: TextService) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the metrics by their name and labels."""
    response = get(service, "/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(response.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def test_metrics_count_what_happens(folders: dict[str, Path]) -> None:
    service = loaded_service([folders["names"], folders["spaces"]], max_texts=3)

    def value(name: str, **labels: str) -> float:
        return samples(service).get((f"malmoi_{name}", frozenset(labels.items())), 0)

    ask(
        service,
        lambda client: client.post("/v1/tag", json={"texts": ["가나", "다"]}),
        lambda client: client.post("/v1/tag", json={"texts": ["라"]}),
        lambda client: client.post("/v1/tag", json={"texts": ["a"] * 4}),
        lambda client: client.post("/v1/space", json={"texts": [""]}),
        lambda client: client.get("/secret-손흥민"),
    )
    assert value("requests_total", path="/v1/tag", status="200") == 2
    assert value("requests_total", path="/v1/tag", status="422") == 1
    assert value("requests_total", path="/v1/space", status="200") == 1
    assert value("requests_total", path="other", status="404") == 1
    assert value("request_seconds_count", path="/v1/tag") == 3
    assert value("texts_total", model="names") == 3
    assert value("characters_total", model="names") == 4
    assert value("batch_texts_sum", model="names") == 3
    assert 1 <= value("batch_texts_count", model="names") <= 2
    assert value("batch_seconds_count", model="spaces") == value("texts_total", model="spaces") == 1
    assert value("queue_characters", model="names") == value("queue_requests", model="spaces") == 0
    assert value("requests_in_flight") == 1  # this one
    assert value("requests_total", path="/metrics", status="200") > 5
    assert "secret" not in get(service, "/metrics").text


def resolved(schema: Any, document: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


def test_openapi_describes_what_is_asked_and_answered(service: TextService) -> None:
    document = get(service, "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    jsonschema.Draft202012Validator.check_schema(document["components"]["schemas"]["TagResponse"])
    assert set(document["paths"]) == {*PATHS, "/v1/models", "/health", "/ready", "/metrics"}
    for path in PATHS:
        operation = document["paths"][path]["post"]
        assert set(operation["responses"]) == {"200", *map(str, (400, 404, 408, 413, 415, 422, 429, 500, 503))}
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
        failed = operation["responses"]["429"]["content"]["application/json"]["schema"]
        assert all("description" in field for field in schema["properties"].values())
        [example] = schema["examples"]
        jsonschema.validate(example, schema)
        response = post(service, path, **example)
        assert response.status_code == 200
        jsonschema.validate(response.json(), resolved(answered, document))
        name = answered["$ref"].rpartition("/")[2]
        [shown] = document["components"]["schemas"][name]["examples"]
        jsonschema.validate(shown, resolved(answered, document))
        wrong = post(service, path, texts=3)
        jsonschema.validate(wrong.json(), resolved(failed, document))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"texts": 3}, schema)
    for path in ("/v1/models", "/health", "/ready"):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(get(service, path).json(), resolved(schema, document))
    assert all(operation.get("description") for path in document["paths"].values() for operation in path.values())


def test_no_page_of_the_service_fetches_anything_from_another_host(service: TextService) -> None:
    assert not re.findall(r"https?://(?!service)", get(service, "/openapi.json").text)
    assert [get(service, path).status_code for path in ("/docs", "/redoc")] == [404, 404]
