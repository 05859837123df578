"""The command `serve`: a page in the browser, or a service for programs."""

import os
from typing import Annotated

import typer

from malmoi.commands.options import TrustRemoteCode
from malmoi.commands.start_up import lasting_imports
from malmoi.data.user_error import UserError


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Folders of models, also of exported ones, or their names on the Hub; without any the three of the "
            "package."
        ),
    ] = None,
    api: Annotated[
        bool,
        typer.Option("--api", help="Answer programs over HTTP instead, with JSON. Needs the extra `api`."),
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on: 0.0.0.0 for other machines too, as in a container; otherwise that of "
            "GRADIO_SERVER_NAME, for the page, or this machine alone."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port; otherwise the first free one from that of GRADIO_SERVER_PORT, or 7860, on. With --api 8000.",
        ),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option("--max_length", "--max-length", help="With --api: characters of a text; 10000.")
    ] = None,
    max_texts: Annotated[
        int | None, typer.Option("--max_texts", "--max-texts", help="With --api: texts of a request; 1000.")
    ] = None,
    max_body: Annotated[
        int | None, typer.Option("--max_body", "--max-body", help="With --api: bytes of a request; 1048576.")
    ] = None,
    max_queue: Annotated[
        int | None,
        typer.Option(
            "--max_queue",
            "--max-queue",
            help="With --api: characters that wait for a model; 200000. More are refused.",
        ),
    ] = None,
    max_wait: Annotated[
        float | None,
        typer.Option(
            "--max_wait", "--max-wait", help="With --api: seconds that these will take; 5. More are refused, too."
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="With --api: seconds after which a request is given up; 30.")
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Show what models answer, side by side, on a page in the browser. Needs the extra `space`.

    Behind a proxy, GRADIO_ROOT_PATH names the path of the page. With --api programs are answered instead of people.
    """
    limits = {
        "max_length": max_length,
        "max_texts": max_texts,
        "max_body": max_body,
        "max_queue": max_queue,
        "max_wait": max_wait,
        "timeout": timeout,
    }
    if api:
        # read when torch is imported: threads that wait for work sleep, instead of keeping the processor from those
        # that read and write requests
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        with lasting_imports():
            from malmoi.commands.serve_api import serve_api

        serve_api(models or [], host=host, port=port, trust_remote_code=trust_remote_code, limits=limits)
        return
    given = next((name for name, value in limits.items() if value is not None), None)
    if given is not None:
        raise UserError(f"`--{given}` is for programs: use it with `--api`.")
    with lasting_imports():
        from malmoi.commands.serve import serve_models

    serve_models(models or [], host=host, port=port, trust_remote_code=trust_remote_code)
