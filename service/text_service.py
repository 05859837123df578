"""The service itself, apart from HTTP: loading, answering, stopping."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from fastapi import Request

from malmoi.service.limits import Limits
from malmoi.service.messages import TextsRequest
from malmoi.service.request_batches import Job, RequestBatches
from malmoi.service.served_models import (
    PATHS,
    ModelSource,
    ServedModel,
    batch_options,
    finisher,
    load_served_model,
)
from malmoi.service.service_errors import ServiceError
from malmoi.service.service_metrics import ServiceMetrics

logger = logging.getLogger(__name__)


class TextService:
    """Models that answer texts of many clients.

    Args:
        sources: The models, in their order: the first one for a task answers requests that name none.
        limits: What it takes at most.
    """

    def __init__(self, sources: Sequence[ModelSource], limits: Limits):
        self.sources = {source.name: source for source in sources}
        self.limits = limits
        self.metrics = ServiceMetrics()
        self.models: dict[str, ServedModel] = {}
        self.stopping = False
        self.failure: Exception | None = None
        """Why the models could not be loaded."""
        self.in_flight = 0
        """How many requests have not ended."""
        self._batches: dict[str, RequestBatches] = {}
        self._jobs: set[Job] = set()

    @property
    def ready(self) -> bool:
        """Return whether requests are answered now."""
        return len(self.models) == len(self.sources) and not self.stopping

    def load(self) -> None:
        """Load all models; what goes wrong is kept in `failure`, as this runs in a thread of its own."""
        started = time.perf_counter()
        try:
            loaded = {name: load_served_model(source) for name, source in self.sources.items()}
        except Exception as error:
            self.failure = error
            return
        for name, model in loaded.items():
            batches = RequestBatches(
                name,
                model.answer,
                max_queue=self.limits.max_queue,
                max_wait=self.limits.max_wait,
                observe=self.metrics.observer(name),
            )
            self.metrics.watch_queue(name, lambda own=batches: own.characters, lambda own=batches: own.requests)  # type: ignore[misc]
            self._batches[name] = batches
        self.models = loaded
        seconds = round(time.perf_counter() - started, 3)
        logger.info("ready", extra={"facts": {"models": list(loaded), "seconds": seconds}})

    async def answer(self, request: Request, asked: TextsRequest, task: str) -> bytes:
        """Return the body of the response to a request.

        Args:
            request: The request, to see whether its client is still there.
            asked: What it asks.
            task: The task that its path names.

        Raises:
            ServiceError: If it cannot be answered.
        """
        record = request.state.record
        self.check_taking()
        name = self._model_name(asked.model, task)
        self._check_texts(asked.texts)
        record.facts |= {"model": name, "texts": len(asked.texts), "characters": sum(map(len, asked.texts))}
        batches = self._batches[name]
        job = batches.submit(asked.texts, batch_options(asked), finisher(name, asked))
        self._jobs.add(job)
        gone = asyncio.ensure_future(_client_has_gone(request))
        left = record.started + self.limits.timeout - time.perf_counter()
        waited_for: set[asyncio.Future[Any]] = {job.future, gone}
        try:
            await asyncio.wait(waited_for, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if job.future.done():
                return job.future.result()
            if gone.done():
                raise ServiceError("client_gone", "The client has hung up.")
            message = f"There was no answer within {self.limits.timeout:g} seconds."
            raise ServiceError("timeout", message, retry_after=1)
        finally:
            gone.cancel()
            self._jobs.discard(job)
            if not job.future.done():
                job.future.cancel()
                batches.withdraw(job)

    def check_taking(self) -> None:
        """Check that requests are taken now.

        Raises:
            ServiceError: If the models are not loaded yet, or the service is about to end.
        """
        if self.stopping:
            raise ServiceError("stopping", "The service is stopping.", retry_after=1)
        if not self.ready:
            raise ServiceError("loading", "The models are still being loaded.", retry_after=5)

    def default_model(self, task: str) -> str | None:
        """Return the name of the model that answers requests for a task that name none."""
        return next((model.name for model in self.models.values() if model.task == task), None)

    def stop(self) -> None:
        """Take no further requests."""
        self.stopping = True

    def give_up(self) -> None:
        """Tell all requests that still wait that they get no answer; called in the event loop."""
        for job in self._jobs:
            if not job.future.done():
                job.future.set_exception(ServiceError("stopping", "The service is stopping.", retry_after=1))

    def close(self) -> None:
        """Let the threads of the models end."""
        for batches in self._batches.values():
            batches.close()

    def _model_name(self, name: str | None, task: str) -> str:
        """Return the name of the model that is asked for."""
        if name is None:
            name = self.default_model(task)
            if name is None:
                raise ServiceError("unknown_model", f"There is no model for {task}; see /v1/models.", field="model")
            return name
        if name not in self.models:
            raise ServiceError("unknown_model", "There is no model of this name; see /v1/models.", field="model")
        own = self.models[name].task
        if own != task:
            raise ServiceError("wrong_task", f"This is a model for {own}; ask {PATHS[own]}.", field="model")
        return name

    def _check_texts(self, texts: Sequence[str]) -> None:
        """Check that the texts are not too many, and none is too long."""
        limits = self.limits
        if len(texts) > limits.max_texts:
            raise ServiceError(
                "too_many_texts", f"A request may have {limits.max_texts} texts at most.", field="texts"
            )
        for number, text in enumerate(texts):
            if len(text) > limits.max_length:
                message = f"A text may have {limits.max_length} characters at most."
                raise ServiceError("text_too_long", message, field=f"texts[{number}]")


async def _client_has_gone(request: Request) -> None:
    """Return once the client has hung up; its request has been read whole before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
