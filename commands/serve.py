"""`malmoi serve`."""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec

from malmoi.commands.start_up import without_progress_bars
from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.loaded_models import load_models
from malmoi.hub_cards.space.model_list import ListedModel
from malmoi.inference.bundled_models import bundled_name, model_place
from malmoi.models import NAMES

# Gradio's own variables, by which containers are configured
HOST_VARIABLE = "GRADIO_SERVER_NAME"
PORT_VARIABLE = "GRADIO_SERVER_PORT"
HOST = "127.0.0.1"  # nobody but the users of this machine


def serve_models(
    models: Sequence[str], *, host: str | None = None, port: int | None = None, trust_remote_code: bool
) -> None:
    """Serve models on a page in the browser, side by side, until interrupted.

    Args:
        models: Folders of models, also of exported ones, or their names on the Hub; if there are none, those of the
            package are served.
        host: Address to listen on; by default that of Gradio's variable, otherwise that of this machine alone.
        port: Port to listen at; by default the first free one, from that of Gradio's variable or from 7860 on.
        trust_remote_code: Whether code that comes with the models may run.

    Raises:
        UserError: If a model cannot be loaded, or the page cannot be served there.
    """
    if find_spec("gradio") is None:
        raise UserError("`malmoi serve` needs gradio: pip install 'malmoi[space]'")
    check_port_variable()
    # before the models, which take their time
    check_free(host or os.environ.get(HOST_VARIABLE) or HOST, port)
    names = models or [*map(bundled_name, NAMES)]
    for name in names:
        without_progress_bars(name, None)
    listed = [
        ListedModel(name=str(model_place(name)), title=name, trust_remote_code=trust_remote_code) for name in names
    ]
    loaded = load_models(listed)
    from malmoi.hub_cards.space.interface import launch

    launch(loaded, host=host, port=port)


def check_port_variable() -> None:
    """Check that Gradio will understand its variable, which it reads as soon as it is imported.

    Raises:
        UserError: If it is no port.
    """
    value = os.environ.get(PORT_VARIABLE, "7860")
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise UserError(f"Expected a port from 1 to 65535 in {PORT_VARIABLE}, got {value!r}.")


def check_free(host: str, port: int | None) -> None:
    """Check that something may listen on an address, and at a port of it if one is given.

    Raises:
        UserError: If the address is none of this machine, or the port is taken or needs other rights.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port or 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with closing(socket.socket(family, kind, protocol)) as listener:
            if os.name == "posix":  # a port that was left a moment ago is free; elsewhere this means something else
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except PermissionError:
        raise UserError(
            f"Port {port} of {host} may not be opened by this user; give one from 1024 on by --port."
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} of {host} is taken by another program; give another one by --port."
            ) from None
        raise UserError(
            f"Expected an address of this machine to listen on, such as {HOST} or 0.0.0.0, got {host!r}."
        ) from None
