"""The processes of the measurement of the service: the service, a process that tags offline, and the load."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.data.user_error import UserError

HOST = "127.0.0.1"
LOADER = Path(__file__).with_name("service_load.py")
# clients may wait for their last answers
LOCUST = ["--headless", "--only-summary", "--skip-log-setup", "--stop-timeout", "60", "--exit-code-on-error", "0"]
OFFLINE = """
import json, sys, time
import torch
from malmoi.inference.tagger import Tagger

model, threads = sys.argv[1] or None, int(sys.argv[2])
torch.set_num_threads(threads)
texts = json.loads(sys.stdin.readline())
tagger = Tagger(model, device="cpu")
print(json.dumps([[list(entity) for entity in entities] for entities in tagger(texts)]), flush=True)
for line in sys.stdin:
    seconds, started, cpu, count = float(line), time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        part = texts[count % len(texts):][:512]
        tagger(part)
        count += len(part)
    print(json.dumps([count, time.perf_counter() - started, time.process_time() - cpu]), flush=True)
"""


class Outcome(NamedTuple):
    """What came of a request: when it ended, its seconds, its status, its texts, and whether the answer was right."""

    ended: float
    seconds: float
    status: int
    texts: int
    right: bool


class Work(NamedTuple):
    """What a process has done: how many texts, in how many seconds, of which so many were its own on a processor."""

    texts: float
    seconds: float
    cpu_seconds: float


class Offline:
    """A process that tags the texts without a service.

    Args:
        model: The model; `None` for that of the package.
        texts: The texts.
        threads: How many threads torch uses.
    """

    def __init__(self, model: str | None, texts: Sequence[str], *, threads: int):
        self._process = subprocess.Popen(
            [sys.executable, "-c", OFFLINE, model or "", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(threads),
            text=True,
            encoding="utf-8",
        )
        self.answers: list[list[list[Any]]] = json.loads(self._ask(json.dumps(texts)))
        """The names of each text: start, end, label, score, text."""

    def work(self, seconds: float) -> Work:
        """Tag all texts again and again for some seconds."""
        return Work(*json.loads(self._ask(str(seconds))))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise UserError("The process that tags offline has ended.")
        return answer


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process in which torch uses so many threads."""
    # the service sets the policy itself; offline shall have it, too
    threading = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    return {**os.environ, **threading, "PYTHONIOENCODING": "utf-8", "HF_HUB_OFFLINE": "1"}


@contextmanager
def service(model: str | None, folder: Path, *, threads: int) -> Iterator[str]:
    """Start the service, wait until it is ready, and yield its address.

    Args:
        model: The model; `None` for that of the package.
        folder: Where its log goes.
        threads: How many threads torch uses.

    Raises:
        UserError: If it does not start; the log says why.
    """
    with closing(socket.socket()) as listener:
        listener.bind((HOST, 0))
        port = listener.getsockname()[1]
    url, log = f"http://{HOST}:{port}", folder / "service.log"
    place = model or "bundled:named-entities"
    command = [sys.executable, "-m", "malmoi.commands.main", "serve", "--api", place, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment(threads))
    try:
        end = time.monotonic() + 180
        while not is_ready(url):
            if process.poll() is not None or time.monotonic() > end:
                raise UserError(f"The service does not start: {log.read_text('utf-8').splitlines()[-1:]}")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


def is_ready(url: str) -> bool:
    """Return whether the service answers."""
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=10) as response:
            return int(response.status) == 200
    except OSError:
        return False


def work_so_far(url: str) -> Work:
    """Return what the service has done until now, as its metrics tell."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    texts = sum(float(value) for name, value in values.items() if name.startswith("malmoi_texts_total{"))
    return Work(texts, time.monotonic(), float(values["process_cpu_seconds_total"]))


def put_load(url: str, plan: dict[str, Any], folder: Path, *, seconds: float) -> list[Outcome]:
    """Let clients ask the service for some seconds and return what came of their requests.

    Args:
        url: Address of the service.
        plan: `texts`, `expected`, `texts_per_request`, `clients`, and `rate`: requests a second of all of them; 0 if
            each asks again as soon as it has an answer.
        folder: Where plan and outcomes are written.
        seconds: How long.

    Raises:
        UserError: If locust fails.
    """
    written, output = folder / "plan.json", folder / "outcomes.json"
    written.write_text(json.dumps({**plan, "output": str(output)}), "utf-8")
    output.unlink(missing_ok=True)
    clients = str(plan["clients"])
    command = [sys.executable, "-m", "locust", "--locustfile", str(LOADER), "--host", url, *LOCUST]
    command += ["--users", clients, "--spawn-rate", clients, "--run-time", f"{round(seconds)}s"]
    result = subprocess.run(
        command,
        env={**os.environ, "MALMOI_LOAD": str(written)},
        capture_output=True,
        text=True,
        timeout=seconds + 180,
        check=False,
    )
    if not output.is_file():
        raise UserError(f"locust has failed: {' '.join(result.stderr.split())[-300:]}")
    return [Outcome(*row) for row in json.loads(output.read_text("utf-8"))]
