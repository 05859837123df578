"""Say in one sentence why a model cannot be loaded, whatever a library raises."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from malmoi.data.user_error import UserError
from malmoi.inference.model_names import near_names, without_waiting_for_the_hub

MOST_SAID = 400
"""How much of what a library says is said again."""


@contextmanager
def one_sentence(model: str | Path) -> Iterator[bool]:
    """Turn what a library raises while it loads a model into one sentence, as a `UserError`.

    Args:
        model: A folder, or the name of a repository on the Hub.

    Yields:
        Whether the Hub is out of reach.
    """
    with without_waiting_for_the_hub(model) as out_of_reach:
        try:
            yield out_of_reach
        except UserError:
            raise
        except Exception as error:  # of values that no library expects, it raises whatever they happen to mean
            where = str(model) if Path(model).is_dir() else f"{model}: there is no such folder, and on the Hub"
            reason = (
                "it cannot be asked (no connection, or HF_HUB_OFFLINE is set), and no copy of it lies in the cache"
                if out_of_reach and isinstance(error, OSError)
                else _reason(error)
            )
            # "rnus/model" may be meant for the Hub or for a folder beside
            near = "" if Path(model).is_dir() else near_names(Path(model)).removesuffix(".")
            raise UserError(f"{where}: {reason.removesuffix('.')}{near or '.'}") from error


def _reason(error: Exception) -> str:
    """Return what an error says, within a line and as a sentence."""
    from huggingface_hub.errors import StrictDataclassError

    said = " ".join(str(error).partition("Exception raised from")[0].split())  # what follows is a trace of torch
    said = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}…"
    speaks = isinstance(error, (OSError, ValueError, RuntimeError, ImportError, StrictDataclassError))
    return said if speaks and said else f"it cannot be loaded ({type(error).__name__}: {said})"
