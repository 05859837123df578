"""Run Python code in a process of its own that need not import torch and transformers anew.

Importing them takes three to six seconds, most of what a test of a saved folder or of a command takes. A server
(`warm_server.py`) does it once and forks a child for every request: a real process with arguments, folder,
environment, pipes and exit status of its own, which differs from a cold one in what is imported already. One server
has malmoi, another has not. What libraries read of the environment they read at import, so there is a server for
every environment, but for what is read late.

Tests of start-up, signals, terminals, memory and time use `subprocess` and get a cold process; so does everything
where a process cannot be forked, or with `MALMOI_COLD_PROCESSES=1`.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

SERVER = Path(__file__).with_name("warm_server.py")
# read when it is needed, or of no meaning to anyone but pytest
READ_LATE = {"HF_TOKEN", "PYTEST_CURRENT_TEST", "PWD", "OLDPWD"}
# what the servers have not imported
MAY_BE_MISSING = {"stock": {"malmoi", "torchcrf"}, "malmoi": set()}
# each has some hundred megabytes
SERVERS_AT_ONCE = 3


def run_in_process(
    code: str,
    *arguments: str | Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    missing: tuple[str, ...] = (),
    stdin: bytes = b"",
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run Python code as `python -c` does, and return what came of it, its output read as UTF-8.

    Args:
        code: The code.
        arguments: What it finds in `sys.argv`.
        folder: Its working directory, by default that of this process.
        environment: Its environment, by default that of this process.
        missing: Modules that it cannot import.
        stdin: What it reads from its input.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: If it takes longer.
    """
    request = {
        "code": code,
        # bytes, as the system hands them over
        "arguments": [os.fsencode(argument).decode("latin-1") for argument in arguments],
        "folder": str(folder or Path.cwd()),
        "environment": dict(os.environ if environment is None else environment),
        "missing": list(missing),
    }
    server = _server(request)
    if server is not None and server.lock.acquire(blocking=False):
        try:
            return server.run(request, stdin=stdin, timeout=timeout)
        except _ServerHasEnded:
            pass  # the cold process says why, if it cannot import something either
        finally:
            server.lock.release()
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in missing)
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{blocked}{code}", *arguments],
        input=stdin,
        capture_output=True,
        cwd=request["folder"],
        env=request["environment"],
        timeout=timeout,
    )
    return subprocess.CompletedProcess(result.args, result.returncode, result.stdout.decode(), result.stderr.decode())


class _ServerHasEnded(Exception):
    """There is no server that could fork."""


class _Server:
    """A server and the connection to it."""

    def __init__(self, modules: str, environment: Mapping[str, str]):
        self.lock = threading.Lock()
        self.connection, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, str(SERVER), str(theirs.fileno()), modules],
                # so that the streams are what they will be in the children
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # from the root of the project its rooms could be imported as modules of other names
                cwd=tempfile.gettempdir(),
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def close(self) -> None:
        """End the server."""
        self.connection.close()
        self.process.communicate()

    def run(self, request: dict[str, object], *, stdin: bytes, timeout: float) -> subprocess.CompletedProcess[str]:
        """Let the server fork a child, feed it and wait for its end."""
        content = json.dumps(request).encode()
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        try:
            self.connection.settimeout(timeout)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(self.connection, [b"!"], theirs)
                self.connection.sendall(struct.pack("<i", len(content)) + content)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        written: dict[str, bytes] = {}
        threads = [
            threading.Thread(target=_feed, args=(pipes[0][1], stdin)),
            threading.Thread(target=_read, args=(pipes[1][0], "output", written)),
            threading.Thread(target=_read, args=(pipes[2][0], "error", written)),
        ]
        for thread in threads:
            thread.start()
        try:
            pid = self._receive()
            try:
                code = self._receive()
            except BaseException as error:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self.connection.settimeout(None)
                self._receive()
                if isinstance(error, TimeoutError):
                    raise subprocess.TimeoutExpired(["a warm process"], timeout) from None
                raise
        finally:
            for thread in threads:
                thread.join()
        output, error = written["output"].decode(), written["error"].decode()
        return subprocess.CompletedProcess(["a warm process"], code, output, error)

    def _receive(self) -> int:
        content = self.connection.recv(4, socket.MSG_WAITALL)
        if len(content) < 4:
            raise _ServerHasEnded
        return int(struct.unpack("<i", content)[0])


def _feed(descriptor: int, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as pipe:
        pipe.write(content)


def _read(descriptor: int, name: str, written: dict[str, bytes]) -> None:
    with open(descriptor, "rb") as pipe:
        written[name] = pipe.read()


_servers: OrderedDict[tuple, _Server] = OrderedDict()


def _server(request: dict) -> _Server | None:
    """Return a server for a request, which is started if need be; none where a cold process is to do it."""
    modules = "stock" if "malmoi" in request["missing"] else "malmoi"
    has_what_is_missing = bool(set(request["missing"]) - MAY_BE_MISSING[modules])
    if sys.platform != "linux" or has_what_is_missing or os.environ.get("MALMOI_COLD_PROCESSES") == "1":
        return None
    environment = {name: value for name, value in request["environment"].items() if name not in READ_LATE}
    for cache in ("HF_HOME", "HF_MODULES_CACHE"):
        # the caches of a test lie in its folder; so named, they do for every process
        path = Path(environment.get(cache, ""))
        if path.is_relative_to(request["folder"]):
            environment[cache] = str(Path("/proc/self/cwd") / path.relative_to(request["folder"]))
    key = (modules, *sorted(environment.items()))
    if key not in _servers:
        if len(_servers) == SERVERS_AT_ONCE:
            _servers.popitem(last=False)[1].close()
        _servers[key] = _Server(modules, environment)
    _servers.move_to_end(key)
    return _servers[key]


@atexit.register
def _close_all() -> None:
    while _servers:
        _servers.popitem()[1].close()
