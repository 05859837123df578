"""The folder of a run or a search, into which one training alone writes: two would take each other's checkpoints."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from malmoi.data.held_files import held
from malmoi.recipes.recipe import RecipeError
from malmoi.training.processes.launcher import is_first_process

HELD = ".training.lock"
"""The file that is there as long as a training writes."""
NOT_TO_BE_WRITTEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Hold a folder; of several processes that train together, the first one does.

    Where nothing can be written nothing is held: a finished run is only looked at, and any other training says it.

    Args:
        folder: The folder, which is made if it is not there, and gone again if nothing is written into it.

    Raises:
        RecipeError: If another training holds it.
    """
    if not is_first_process():
        yield
        return
    refusal = RecipeError(
        f"{folder}: another training writes into this folder now; wait for its end, or choose another --output_dir."
    )
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    with ExitStack() as stack:
        stack.callback(_remove_empty, made)
        try:
            stack.enter_context(held(folder / HELD, refusal))
        except OSError as error:
            if error.errno not in NOT_TO_BE_WRITTEN:
                raise
        yield


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):  # the first that holds something, as all do that hold it
        for folder in folders:
            folder.rmdir()
