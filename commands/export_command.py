"""The command that writes a model for use without torch: `export`."""

from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.options import TrustRemoteCode
from malmoi.commands.start_up import lasting_imports


def export(
    model: Annotated[str, typer.Argument(help="Folder of a model, or its name on the Hub.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write; it must not exist, or be empty.")],
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Give the LSTM weights of 8 bits: smaller and faster, with a few other answers."),
    ] = False,
    check_file: Annotated[
        Path | None,
        typer.Option(
            "--check_file",
            "--check-file",
            help="File with one text per line, on which the export must answer as the model; by default the sample "
            "corpus.",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            help="Put a page beside it that runs a tagger in the browser; the folder of onnxruntime-web, as "
            "`npm pack onnxruntime-web` gives it.",
        ),
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Write a model as an ONNX graph, with its tokenizer, for use without torch. Needs the extra `export`.

    The graph goes from token ids to tags and probabilities, and is compared with PyTorch before the folder is there.
    """
    with lasting_imports():
        from malmoi.commands.export import export_to_folder

    export_to_folder(model, folder, int8=int8, check_file=check_file, page=page, trust_remote_code=trust_remote_code)
