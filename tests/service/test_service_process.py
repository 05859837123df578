"""The service as a process that listens: many clients, clients that leave, signals, a sudden end."""

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from support.command_line import malmoi
from support.free_ports import free_port
from support.tiny_models import SENTENCES
from support.tiny_service import ServiceProcess, listening, save_tiny_models

from malmoi.inference.tagger import Tagger

pytestmark = pytest.mark.long
SLOW = "느" * 10  # a second


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def shared(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that no test ends."""
    log = tmp_path_factory.mktemp("log") / "log"
    limits = ("--max_queue", "400", "--timeout", "3", "--max_body", "100000")
    with listening([*folders.values()], log, *limits) as service:
        yield service


def tag(service: ServiceProcess, *texts: str, timeout: float = 30) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/tag", json={"texts": texts}, timeout=timeout)


def connect(service: ServiceProcess) -> socket.socket:
    place = urlsplit(service.url)
    return socket.create_connection((place.hostname, place.port or 0), timeout=20)


def head(length: int) -> bytes:
    return (
        f"POST /v1/tag HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def metric(service: ServiceProcess, name: str) -> float:
    """Return a value that the service shows, of the model for names if it is one for each model."""
    [line] = [
        line
        for line in httpx.get(f"{service.url}/metrics").text.splitlines()
        if line.startswith((f"malmoi_{name} ", f'malmoi_{name}{{model="names"}} '))
    ]
    return float(line.split()[1])


def queued(service: ServiceProcess) -> float:
    return metric(service, "queue_characters")


def others_in_flight(service: ServiceProcess) -> float:
    return metric(service, "requests_in_flight") - 1


def wait_for(condition: Any, *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(service: ServiceProcess) -> bool:
    try:
        return httpx.get(f"{service.url}/health").status_code == 200
    except httpx.ConnectError:
        return False


def test_fifty_clients_get_their_own_answers(shared: ServiceProcess, folders: dict[str, Path]) -> None:
    tagger = Tagger(folders["names"])

    def client(number: int) -> int:
        source = random.Random(number)
        found = 0
        with httpx.Client(timeout=30) as connection:
            for _ in range(4):
                texts = ["".join(source.choices(SENTENCES[0], k=6)) for _ in range(source.randint(1, 3))]
                response = connection.post(f"{shared.url}/v1/tag", json={"texts": texts})
                while response.status_code == 429:
                    time.sleep(0.1)
                    response = connection.post(f"{shared.url}/v1/tag", json={"texts": texts})
                answers = response.json()["answers"]
                with lock:
                    expected = tagger(texts)
                assert [[(e["start"], e["end"], e["label"], e["text"]) for e in a["entities"]] for a in answers] == [
                    [(e.start, e.end, e.label, e.text) for e in entities] for entities in expected
                ]
                found += sum(map(len, expected))
        return found

    lock = threading.Lock()
    with ThreadPoolExecutor(50) as clients:
        assert sum(clients.map(client, range(50))) > 50


def test_a_full_queue_is_429_and_what_waits_too_long_is_503(shared: ServiceProcess) -> None:
    with ThreadPoolExecutor(40) as clients:
        responses = [*clients.map(lambda _: tag(shared, SLOW + "가" * 20), range(40))]
    statuses = [response.status_code for response in responses]
    assert {200, 429, 503} >= set(statuses) >= {429, 503}
    assert all(response.headers["retry-after"] for response in responses if response.status_code != 200)
    wait_for(lambda: tag(shared, "서울로").status_code == 200)
    assert queued(shared) == 0


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(shared: ServiceProcess) -> None:
    with closing(connect(shared)) as connection:
        connection.sendall(head(10**12))
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ")
        while piece := connection.recv(4096):  # and the connection is closed
            answer += piece
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"


def test_a_slow_client_is_answered_with_408_and_holds_nobody_up(shared: ServiceProcess) -> None:
    with closing(connect(shared)) as connection:
        connection.sendall(head(100) + b"{")
        assert tag(shared, "서울로").status_code == 200
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_texts_whose_client_has_hung_up_are_not_answered(shared: ServiceProcess) -> None:
    before = metric(shared, "texts_total")
    with ThreadPoolExecutor(1) as other:
        busy = other.submit(tag, shared, SLOW * 2)
        time.sleep(0.3)
        body = json.dumps({"texts": ["서울로"] * 20}).encode()
        for _ in range(3):
            with closing(connect(shared)) as connection:
                connection.sendall(head(len(body)) + body)
                wait_for(lambda: queued(shared) > 0, seconds=2)
            wait_for(lambda: queued(shared) == 0, seconds=2)
        assert busy.result().status_code == 200
    assert tag(shared, "서울로").status_code == 200
    assert metric(shared, "texts_total") == before + 2
    assert [line["status"] for line in shared.lines() if "status" in line].count(499) >= 3


def test_what_is_no_http_does_no_harm(shared: ServiceProcess) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\xff" * 1000, b"A" * 200_000):
        with closing(connect(shared)) as connection:
            try:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(4096)[:12] in (b"", b"HTTP/1.1 400")
            except OSError:  # it has hung up while we were still sending
                pass
    assert tag(shared, "서울로").status_code == 200


def test_a_signal_ends_it_once_everything_is_answered(folders: dict[str, Path], tmp_path: Path) -> None:
    with listening([folders["names"]], tmp_path / "log") as service, ThreadPoolExecutor(8) as clients:
        expected = tag(service, SENTENCES[0]).json()["answers"][0]
        with httpx.Client(base_url=service.url, timeout=30) as kept:
            assert kept.get("/ready").status_code == 200
            waiting = [clients.submit(tag, service, SLOW, SENTENCES[0]) for _ in range(3)]
            wait_for(lambda: others_in_flight(service) == 3)
            time.sleep(0.5)  # what was asked is read by now, and the first request is not answered yet
            service.process.send_signal(signal.SIGTERM)
            wait_for(lambda: kept.get("/ready").status_code == 503, seconds=2)
            assert tag(service, "서울로").json()["error"]["code"] == "stopping"
            assert kept.get("/health").status_code == 200
        answers = [future.result() for future in waiting]
        # in another batch the last digits may be others
        for entities in (answer.json()["answers"][1]["entities"] for answer in answers):
            scores = [entity.pop("score") for entity in entities]
            assert scores == pytest.approx([entity["score"] for entity in expected["entities"]], abs=1e-6)
            assert entities == [{k: v for k, v in entity.items() if k != "score"} for entity in expected["entities"]]
        assert service.process.wait(timeout=10) == 0
        with pytest.raises(httpx.ConnectError):
            tag(service, "서울로")
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


def test_a_second_signal_ends_it_at_once(folders: dict[str, Path], tmp_path: Path) -> None:
    with listening([folders["names"]], tmp_path / "log") as service, ThreadPoolExecutor(8) as clients:
        waiting = [clients.submit(tag, service, SLOW * 6) for _ in range(3)]
        wait_for(lambda: others_in_flight(service) == 3)
        service.process.send_signal(signal.SIGINT)
        wait_for(lambda: httpx.get(f"{service.url}/ready").status_code == 503, seconds=2)
        service.process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert [future.result().json()["error"]["code"] for future in waiting] == ["stopping"] * 3
        assert service.process.wait(timeout=10) == 0
        assert time.monotonic() - started < 4


def test_after_a_sudden_end_clients_get_an_error_and_a_new_start_works(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    port = free_port()
    with (
        listening([folders["names"]], tmp_path / "first", port=port) as service,
        ThreadPoolExecutor(8) as clients,
    ):
        expected = tag(service, SENTENCES[0]).json()
        waiting = [clients.submit(tag, service, SLOW * 20) for _ in range(4)]
        time.sleep(0.5)
        service.process.kill()
        started = time.monotonic()
        for future in waiting:
            with pytest.raises(httpx.TransportError):
                future.result(timeout=10)
        assert time.monotonic() - started < 5
    with listening([folders["names"]], tmp_path / "second", port=port) as service:
        assert tag(service, SENTENCES[0]).json() == expected


def test_it_is_alive_before_it_is_ready_and_a_signal_ends_it_then_too(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    port = free_port()
    slow_loading = (
        "import time\nfrom malmoi.service import text_service as s\nload = s.load_served_model\n"
        "s.load_served_model = lambda source: (time.sleep(5), load(source))[1]\n"
        "from malmoi.commands.main import main\nmain()"
    )
    command = [sys.executable, "-c", slow_loading, "serve", str(folders["names"]), "--api", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        service = ServiceProcess(process, f"http://127.0.0.1:{port}", tmp_path / "log")
        try:
            wait_for(lambda: is_alive(service), seconds=60)
            loading = tag(service, "서울로")
            assert (loading.status_code, loading.json()["error"]["code"]) == (503, "loading")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_a_model_that_cannot_be_loaded_is_one_sentence(folders: dict[str, Path], tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folders["names"], tmp_path / "broken"))
    (broken / "tokenizer.json").write_text("{", "utf-8")
    _, error = malmoi("serve", "--api", broken, "--port", str(free_port()), code=2)
    assert error.splitlines()[-1].startswith(f"malmoi: {broken}/tokenizer.json: the file is damaged")
    assert "Traceback" not in error
