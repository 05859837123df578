"""Tell folders from names on the Hub: it is not asked for a mistyped path, nor where no connection can be had."""

import difflib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from malmoi.data.user_error import UserError

PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
REPOSITORY = re.compile(rf"{PART}(?:/{PART})?")
FILE_ENDING = re.compile(
    r".+\.(bin|ckpt|csv|gguf|gz|h5|jsonl?|model|msgpack|onnx|pth?|safetensors|tar|tsv|txt|vec|ya?ml|zip)",
    re.IGNORECASE,
)
"""A name with one of these means a file."""
ADDRESS = re.compile(rf"https?://(?:huggingface\.co|hf\.co)/(?!datasets/|spaces/)({PART}/{PART})")
"""Where a browser shows a repository of models."""
SECONDS = 3.0
"""How long the Hub may take to accept a connection."""


class _OfflineForNow:
    """Rules the Hub out for as long as anybody wants it; several threads may at once, and leave in any order."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._before = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Set `HF_HUB_OFFLINE`, until the last one leaves."""
        from huggingface_hub import constants

        with self._lock:
            if not self._count:
                self._before = constants.HF_HUB_OFFLINE
            self._count += 1
            constants.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                if not self._count:
                    constants.HF_HUB_OFFLINE = self._before


_offline_for_now = _OfflineForNow()


def check_name(name: str | Path, *, expected: str = "folder") -> None:
    """Check that a name means a folder that is there, or one that a repository on the Hub can have.

    Args:
        name: The folder, or the name of a repository.
        expected: What it may be here, for the error.

    Raises:
        UserError: If it means a place here in which there is nothing, or a file.
    """
    path = Path(name)
    if path.is_dir():
        return
    if path.is_file():
        raise UserError(f"{name}: expected the folder of a model, but this is a file; its folder is {path.parent}.")
    if address := ADDRESS.match(str(name)):
        raise UserError(f"{name}: expected the name of a repository without its address: {address[1]}.")
    if means_a_path(str(name)):
        raise UserError(f"{name}: there is no such {expected}{near_names(path)}")


def check_model_name(model: str | Path) -> None:
    """Check that what names a model means a folder that is there, or a repository on the Hub that may have one.

    Raises:
        UserError: If not.
    """
    if not isinstance(model, (str, Path)) or not str(model):
        raise UserError(f"Expected the folder of a model or its name on the Hub, got {model!r}.")
    check_name(model)
    # only models of long ago have no user in their name, none of them a tagger
    if "/" not in str(model) and not Path(model).is_dir():
        raise UserError(f"{model}: there is no such folder{near_names(Path(model))}")


def means_a_path(name: str) -> bool:
    """Tell whether a name means a place here, and cannot be meant for the Hub: `user/model`, or `model` alone."""
    return (
        REPOSITORY.fullmatch(name) is None
        or ".." in name
        or "--" in name
        or FILE_ENDING.fullmatch(name) is not None
        # beside which other folders lie
        or ("/" in name and Path(name).parent.is_dir())
    )


def near_names(path: Path) -> str:
    """Return the end of a sentence that asks whether a folder of nearly the same name was meant."""
    meant = near_folder(path)
    return "." if meant is None else f"; did you mean {meant}?"


def near_folder(path: Path) -> Path | None:
    """Return the folder of nearly the same name that is there, if there is one."""
    meant = Path(path.anchor)
    for part in path.parts[1 if path.anchor else 0 :]:
        if part == ".." or (meant / part).is_dir():
            meant /= part
            continue
        try:
            there = [entry.name for entry in meant.iterdir() if entry.is_dir()]
        except OSError:
            return None
        near = difflib.get_close_matches(part, there, n=1)
        if not near:
            return None
        meant /= near[0]
    return meant


def hub_is_out_of_reach() -> bool:
    """Tell whether the Hub cannot be asked: it was ruled out, or no connection to it can be had within seconds."""
    from huggingface_hub import constants  # what has the model in a folder needs none of it

    if constants.HF_HUB_OFFLINE:
        return True
    hub = urlsplit(constants.ENDPOINT)
    proxy = _proxy(hub.scheme)
    address = urlsplit(proxy if "//" in proxy else f"//{proxy}") if proxy else hub
    default = 443 if address.scheme == "https" else 80
    try:
        socket.create_connection((address.hostname or "", address.port or default), timeout=SECONDS).close()
    except (OSError, ValueError):
        return True
    return False


def _proxy(scheme: str) -> str | None:
    """Return the proxy through which addresses of this scheme are reached, if there is one."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


@contextmanager
def without_waiting_for_the_hub(name: str | Path) -> Iterator[bool]:
    """Look for a model nowhere but in the cache if the Hub is out of reach, which otherwise takes many retries.

    Args:
        name: A folder, for which the Hub is not asked, or the name of a repository.

    Yields:
        Whether the Hub is out of reach.
    """
    out_of_reach = not Path(name).exists() and hub_is_out_of_reach()
    with _offline_for_now() if out_of_reach else nullcontext():
        yield out_of_reach
