"""What happens to every request: it is counted, timed, and written down in one line of JSON without its texts."""

import json
import logging
import sys
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from malmoi.service.service_errors import ServiceError
from malmoi.service.text_service import TextService

logger = logging.getLogger(__name__)
OTHER = "other"
"""What metrics and logs call a path that does not exist: it may hold anything, and there is no end of them."""


@dataclass
class RequestRecord:
    """What is known of a request.

    Args:
        started: When it began.
        facts: What is written down beside path, status and time.
    """

    started: float = field(default_factory=time.perf_counter)
    facts: dict[str, Any] = field(default_factory=dict)


class RequestLog:
    """Middleware that records every request, and answers those whose handling has failed.

    Args:
        app: What answers.
        service: Whose requests these are.
    """

    def __init__(self, app: ASGIApp, service: TextService):
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request be answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = RequestRecord()
        scope.setdefault("state", {})["record"] = record
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.service.stopping:  # the client shall go elsewhere with its next request
                    message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        self.service.in_flight += 1
        self.service.metrics.in_flight.inc()
        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            record.facts |= {"error": type(error).__name__, "at": _where(error)}
            if status == 0:
                failed = ServiceError("internal_error", "The service has failed to answer; its log says where.")
                await failed.response()(scope, receive, watch)
        finally:
            self.service.in_flight -= 1
            self.service.metrics.in_flight.dec()
            self._note(scope, status, record)

    def _note(self, scope: Scope, status: int, record: RequestRecord) -> None:
        """Count a request and write it down."""
        route = scope.get("route")
        path = OTHER if route is None else route.path
        seconds = time.perf_counter() - record.started
        self.service.metrics.requests.labels(path, status).inc()
        self.service.metrics.request_seconds.labels(path).observe(seconds)
        facts = {"path": path, "status": status, "milliseconds": round(1000 * seconds, 2), **record.facts}
        level = logging.ERROR if status >= 500 and "error" in facts else logging.INFO
        logger.log(level, "request", extra={"facts": {"method": scope["method"], **facts}})


def _where(error: BaseException) -> list[str]:
    """Return where an error came from. Its message is left out: it may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]


class JsonLines(logging.Formatter):
    """Write each record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"error": type(record.exc_info[1]).__name__, "at": _where(record.exc_info[1])}
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr() -> None:
    """Write what the service and its server say to the error output, as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("malmoi.service", "uvicorn"):
        own = logging.getLogger(name)
        own.handlers = [handler]
        own.setLevel(logging.INFO)
        own.propagate = False
