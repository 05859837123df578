"""What a launcher such as torchrun says of the processes that it has started, and who of them speaks.

Nothing heavy is imported here: the command line needs it before torch has loaded.
"""

import os
import sys
import time

COUNTS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
LOCAL_COUNTS = ("LOCAL_WORLD_SIZE", "MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")
"""Where torchrun, Accelerate and the implementations of MPI say how many processes there are, which is this, and how
many are on this machine."""
SECONDS_TO_SPEAK = 30.0
"""A process that has failed takes many seconds to end on a busy machine, and only then are the others ended."""


def launched_processes() -> int:
    """Return how many processes the launcher has started together; 1 without a launcher."""
    return _first_number(COUNTS, default=1)


def processes_here() -> int:
    """Return how many processes the launcher has started on this machine, as far as it says so."""
    return _first_number(LOCAL_COUNTS, default=1)


def is_first_process() -> bool:
    """Tell whether this is the process that prints and saves."""
    return launched_processes() == 1 or _first_number(RANKS, default=0) == 0


def _first_number(names: tuple[str, ...], *, default: int) -> int:
    values = (os.environ.get(name, "") for name in names)
    return next((int(value) for value in values if value.isdigit()), default)


def leave(message: str, code: int) -> None:
    """Print what went wrong and end this process, so that of several processes that fail alike the first one speaks.

    When one process ends, the launcher ends the others: they wait, and speak only if the first one has not failed.
    """
    if not is_first_process():
        time.sleep(SECONDS_TO_SPEAK)
    print(message, file=sys.stderr, flush=True)
    sys.exit(code)


def say(line: str) -> None:
    """Print a line about the training, beside figures and results; the first process alone does."""
    if is_first_process():
        print(line, file=sys.stderr, flush=True)
