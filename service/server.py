"""Run a service until a signal ends it, and then answer what it has taken."""

import threading
import time
from types import FrameType

import uvicorn

from malmoi.service.api import make_api
from malmoi.service.request_log import log_to_stderr
from malmoi.service.text_service import TextService

# behind a proxy that keeps connections, those must not be closed under its hands; most keep them for a minute
KEEP_ALIVE = 75
# for the last answers to leave
FLUSH = 5


class GracefulServer(uvicorn.Server):
    """A server that at the first signal takes no more requests and ends once the others are answered.

    Meanwhile it listens on, so that whoever balances load sees that it is not ready. At a second signal it tells those
    who wait that they get no answer, and ends.

    Args:
        config: The settings of the server.
        service: What it serves.
    """

    def __init__(self, config: uvicorn.Config, service: TextService):
        super().__init__(config)
        self.service = service
        self._stop_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, or at the second signal stop at once."""
        if self.service.stopping:
            self.force_exit = self.should_exit
            self.should_exit = True
            return
        self.service.stop()
        self._stop_at = time.monotonic() + self.service.limits.timeout

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; called ten times a second."""
        ends = await super().on_tick(counter) or self.service.failure is not None
        if self.service.stopping:
            ends = ends or self.service.in_flight == 0 or time.monotonic() >= self._stop_at
        if ends:
            self.service.give_up()
        return ends


def run_service(service: TextService, *, host: str, port: int) -> None:
    """Listen at once, load the models meanwhile, and serve until a signal comes.

    Args:
        service: The service.
        host: Address to listen on.
        port: Port to listen at.

    Raises:
        UserError: If a model cannot be loaded; the message names the file.
    """
    log_to_stderr()
    config = uvicorn.Config(
        make_api(service),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FLUSH,
    )
    threading.Thread(target=service.load, name="loading", daemon=True).start()
    GracefulServer(config, service).run()
    service.close()
    if service.failure is not None:
        raise service.failure
