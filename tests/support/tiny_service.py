"""A service of tiny models: in this process, asked without a network, or in one of its own that listens."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.service.api import make_api
from malmoi.service.limits import Limits
from malmoi.service.served_models import find_models
from malmoi.service.text_service import TextService
from support.free_ports import free_port
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)

TAGS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
# `느` makes a model sleep for a tenth of a second each; the rest is the command line
SLOW_MODELS = """
import time
from malmoi.inference.tagger import Tagger

fast = Tagger.tag

def tag(self, texts, **options):
    time.sleep(0.1 * sum(text.count("느") for text in texts))
    return fast(self, texts, **options)

Tagger.tag = tag
from malmoi.commands.main import main
main()
"""


def save_tiny_models(folder: Path) -> dict[str, Path]:
    """Save a model for each task, and a second tagger."""
    tokenizer, syllables = bert_tokenizer(), build_syllable_tokenizer(SENTENCES)
    models = {
        "names": (tiny_bert_tagger(tokenizer, TAGS), tokenizer),
        "persons": (tiny_bert_tagger(tokenizer, ["O", "B-PS", "I-PS"]), tokenizer),
        "spaces": (tiny_spacing_bilstm(syllables), syllables),
        "reviews": (tiny_bert_classifier(tokenizer), tokenizer),
    }
    return {name: save(folder / name, model, its) for name, (model, its) in models.items()}


def loaded_service(folders: Sequence[Path], **limits: Any) -> TextService:
    """Return a service of this process that is ready."""
    service = TextService(find_models([*map(str, folders)], trust_remote_code=False), Limits(**limits))
    service.load()
    assert service.failure is None
    return service


def ask(service: TextService, *calls: Callable[[httpx.AsyncClient], Any]) -> list[Any]:
    """Make requests at the same time and return what comes back."""

    async def run() -> list[Any]:
        transport = httpx.ASGITransport(make_api(service), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await asyncio.gather(*(call(client) for call in calls))

    return asyncio.run(run())


def post(service: TextService, path: str, **body: Any) -> httpx.Response:
    """Return the response to one request."""
    [response] = ask(service, lambda client: client.post(path, json=body))
    return response


def get(service: TextService, path: str) -> httpx.Response:
    """Return the response to one request without a body."""
    [response] = ask(service, lambda client: client.get(path))
    return response


class ServiceProcess(NamedTuple):
    """A service that listens in a process of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return what it has written down so far."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@contextmanager
def listening(folders: Sequence[Path], log: Path, *flags: str, port: int | None = None) -> Iterator[ServiceProcess]:
    """Start a service, wait until it is ready, and end it afterwards."""
    port = port or free_port()
    command = [sys.executable, "-c", SLOW_MODELS, "serve", *map(str, folders), "--api", "--port", str(port), *flags]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, "OMP_NUM_THREADS": "1"})
    service = ServiceProcess(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until_ready(service)
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)


def wait_until_ready(service: ServiceProcess, *, seconds: float = 120) -> None:
    """Wait until a service answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert service.process.poll() is None, service.log.read_text("utf-8")
        try:
            if httpx.get(f"{service.url}/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"The service was not ready after {seconds} seconds.")
