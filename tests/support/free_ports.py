"""Ports for services that tests start."""

import os
import socket
from contextlib import closing
from itertools import count

HOST = "127.0.0.1"
FIRST = 20_000
WORKERS = 50  # of pytest-xdist, at most
EACH = 200  # ports of a worker
_numbers = count()


def free_port() -> int:
    """Return a port of this machine that nothing listens at, another one at each call.

    A port that the system gives for port 0 may be given to any connection of any program before the service of the
    test takes it. These lie below those that Linux and macOS give (32768 and 49152), and each pytest-xdist worker has
    its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(EACH):
        port = FIRST + worker % WORKERS * EACH + next(_numbers) % EACH
        with closing(socket.socket()) as listener:
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
        return port
    raise OSError(f"All {EACH} ports of this worker are taken.")
