"""`malmoi export`."""

import shlex
from importlib.util import find_spec
from pathlib import Path

import typer
from transformers.utils import logging

from malmoi.commands.example_command import example_command
from malmoi.data.readers import read_splits
from malmoi.data.text_lines import read_lines
from malmoi.data.user_error import UserError
from malmoi.inference.loading import read_task

NEEDED = ("onnx", "onnxruntime", "onnxscript", "spox")


def export_to_folder(
    model: str, folder: Path, *, int8: bool, check_file: Path | None, page: Path | None, trust_remote_code: bool
) -> None:
    """Export a model, and print what came of it.

    Raises:
        UserError: If a library is missing, the file has no text, or the model cannot be exported or shown on the page.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UserError(f"`malmoi export` needs {' and '.join(missing)}: pip install 'malmoi[export]'")
    from malmoi.export.exported_model import export_model

    task = read_task(model, trust_remote_code=trust_remote_code)
    if page is not None and task != "named-entities":
        raise UserError(f"--page shows names, but {model} is a model for {task}.")
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # transformers warns of every hand-written `model_type`
    sentences = sample_sentences() if check_file is None else [line for _, line in read_lines(check_file) if line]
    if not sentences:
        raise UserError(f"{check_file}: there is no sentence in it on which the export could be checked.")
    exported = export_model(
        model, folder, sentences=sentences, int8=int8, page=page, trust_remote_code=trust_remote_code
    )
    for name, size in exported.sizes.items():
        typer.echo(f"{size:>12,} bytes  {folder / name}")
    parity, of = exported.parity, "the sample corpus" if check_file is None else str(check_file)
    typer.echo(
        f"checked: on {parity.sentences:,} sentences of {of}, {parity.different:,} of {parity.answers:,} answers "
        f"differ from those of PyTorch, and probabilities by up to {parity.largest:.1e}"
    )
    if page is not None:
        typer.echo(
            f"page: {folder / 'index.html'}, for any server of static files, such as\n  "
            f"{shlex.join(['python', '-m', 'http.server', '--directory', str(folder)])}"
        )
    typer.echo(f"Next:\n  {example_command(task, folder)}")


def sample_sentences() -> list[str]:
    """Return the sentences of the sample corpus of the package."""
    return [
        text for rows in read_splits("inline-marks", None, task="named-entities").values() for text in rows["text"]
    ]
