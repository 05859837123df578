"""When the server ends."""

import asyncio
import signal
import time

import uvicorn

from malmoi.service.api import make_api
from malmoi.service.limits import Limits
from malmoi.service.server import GracefulServer
from malmoi.service.text_service import TextService


def ends(server: GracefulServer) -> bool:
    return asyncio.run(server.on_tick(1))


def idle_server(*, timeout: float) -> GracefulServer:
    service = TextService([], Limits(timeout=timeout))
    return GracefulServer(uvicorn.Config(make_api(service)), service)


def test_a_stop_waits_for_requests_but_no_longer_than_the_timeout() -> None:
    server = idle_server(timeout=0.2)
    assert not ends(server)
    server.service.in_flight = 1  # its client does not read the answer
    server.handle_exit(signal.SIGTERM, None)
    assert not server.service.ready
    assert not ends(server)
    time.sleep(0.25)
    assert ends(server)


def test_a_stop_ends_it_as_soon_as_nothing_is_in_flight() -> None:
    server = idle_server(timeout=60)
    server.service.in_flight = 1
    server.handle_exit(signal.SIGTERM, None)
    assert not ends(server)
    server.service.in_flight = 0
    assert ends(server)


def test_further_signals_end_it_sooner() -> None:
    server = idle_server(timeout=60)
    server.service.in_flight = 1
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)
    assert ends(server)
    assert not server.force_exit  # those who wait are told
    server.handle_exit(signal.SIGTERM, None)
    assert server.force_exit


def test_a_failure_to_load_ends_it() -> None:
    server = idle_server(timeout=60)
    server.service.failure = ValueError("no model")
    assert ends(server)
