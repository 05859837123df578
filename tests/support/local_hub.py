"""A small Hub on this machine that speaks HTTP, for stock clients in other processes.

`HF_ENDPOINT` leads them here; what they send is answered as the real Hub does, or as it does on a bad day.
"""

import os
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from support.local_hub_answers import Answer, Request, answer, json_answer
from support.local_hub_repository import HubStorage, Repository

USER, TOKEN = "user", "hf_user"
STRANGER_TOKEN = "hf_stranger"


@dataclass(frozen=True)
class LoggedRequest:
    """A request that has arrived; `status` is None if the connection was cut."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    user: str | None
    status: int | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Fault:
    """What goes wrong with the next requests that match: an error, or an end after some bytes of the body."""

    pattern: re.Pattern[str]
    times: int
    status: int = 0
    headers: Mapping[str, str] | None = None
    cut_after: int | None = None
    loses_answer: bool = False


class LocalHub:
    """A Hub with a user (`USER`, `TOKEN`) and a stranger; use it as a context manager.

    Faults take patterns that are searched in "METHOD /path", like `POST .*/commit/` or `PUT /large-files/`, and are
    used up in the order in which they were announced.
    """

    def __init__(self, tokens: Mapping[str, str] | None = None) -> None:
        self.storage = HubStorage(tokens or {TOKEN: USER, STRANGER_TOKEN: "stranger"})
        self.requests: list[LoggedRequest] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        port = self._server.server_port
        self.storage.endpoint = f"http://127.0.0.1:{port}"
        # another name of the same machine: to a client it is another host, which must not see a token
        self.storage.large_file_endpoint = f"http://localhost:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "LocalHub":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """The URL for `HF_ENDPOINT`."""
        return self.storage.endpoint

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """Return the variables for a client process, which keeps its cache in `home`.

        Nothing of the caller's own set-up is passed on: no token, no cache, no proxy, no offline mode.
        """
        foreign = re.compile(r"(?i)HF_|HUGGING|TRANSFORMERS_|\w*_proxy$")
        own = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        return {
            **own,
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            # with hf-xet installed the client would not speak LFS
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **({"HF_TOKEN": token} if token else {}),
        }

    def create_repository(self, name: str, kind: str = "models", *, private: bool = False) -> Repository:
        """Add a repository."""
        return self.storage.create(name, kind, private=private)

    def repository(self, name: str, kind: str = "models") -> Repository:
        """Return a repository.

        Raises:
            KeyError: If there is none.
        """
        return self.storage.repositories[kind, name]

    def fail_next(
        self, pattern: str, status: int, *, times: int = 1, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer the next requests that match with an error."""
        self._announce(Fault(re.compile(pattern), times, status=status, headers=headers))

    def cut_next(self, pattern: str, after_bytes: int, *, times: int = 1) -> None:
        """Close the connection in the middle: of the body of the request if it has one, otherwise of the answer."""
        self._announce(Fault(re.compile(pattern), times, cut_after=after_bytes))

    def lose_answer_next(self, pattern: str, *, times: int = 1) -> None:
        """Do what the next requests ask for, but close the connection in place of an answer."""
        self._announce(Fault(re.compile(pattern), times, loses_answer=True))

    def forget_faults(self) -> None:
        """From now on nothing goes wrong."""
        with self._lock:
            self._faults.clear()

    def requested(self, pattern: str) -> list[LoggedRequest]:
        """Return the requests so far in whose "METHOD /path" the pattern is found."""
        return [request for request in list(self.requests) if re.search(pattern, str(request))]

    def _announce(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def take_fault(self, line: str) -> Fault | None:
        """Return the fault for a request, if there is one, and use it up."""
        with self._lock:
            for fault in self._faults:
                if fault.times and fault.pattern.search(line):
                    fault.times -= 1
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    port = 0

    def __init__(self, hub: LocalHub) -> None:
        # the hubs of this process follow each other at one address: clients read `HF_ENDPOINT` once, at their import
        try:
            super().__init__(("127.0.0.1", _Server.port), _Handler)
        except OSError:
            super().__init__(("127.0.0.1", 0), _Handler)
        _Server.port = self.server_port
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # headers and body are written apart; without this the second part waits for the client
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        hub, url = self.server.hub, urlsplit(self.path)
        # clients spell the names of headers as they like
        headers = {name.lower(): value for name, value in self.headers.items()}
        token = headers.get("authorization", "").removeprefix("Bearer ")
        user, query = hub.storage.tokens.get(token), parse_qs(url.query)
        fault = hub.take_fault(f"{self.command} {url.path}") or Fault(re.compile(""), 0)

        def log(status: int | None) -> None:
            hub.requests.append(LoggedRequest(self.command, url.path, query, headers, user, status))

        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if fault.cut_after is not None and has_body:
            self.rfile.read(fault.cut_after)
            log(None)
            return self._cut()
        body = self._read_body()
        if fault.status:
            reply = json_answer({"error": "Announced by a test."}, status=fault.status, headers=fault.headers)
        else:
            reply = answer(hub.storage, Request(self.command, url.path, query, headers, body, user))
        breaks_off = fault.loses_answer or fault.cut_after is not None
        # before the client can go on: a test that waits for the client sees every request
        log(None if breaks_off else reply.status)
        if fault.loses_answer:
            return self._cut()
        self._send(reply, cut_after=fault.cut_after)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, reply: Answer, *, cut_after: int | None) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content[:cut_after])
        if cut_after is not None:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *values: object) -> None:
        """Keep the output of the tests clean; `LocalHub.requests` has it all."""
