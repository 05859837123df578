"""The command that says which texts to label next: `suggest`."""

from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.answering import ModelOptions
from malmoi.commands.options import BatchSize, Bf16, TrustRemoteCode, Words
from malmoi.commands.start_up import lasting_imports
from malmoi.commands.text_input import text_input
from malmoi.commands.text_options import Encoding, Input, Overwrite, TextColumn
from malmoi.data.user_error import UserError


def suggest(
    model: Annotated[str, typer.Argument(help="Folder of a tagger of names or a classifier, or its name on the Hub.")],
    input_file: Input = None,
    encoding: Encoding = None,
    text_column: TextColumn = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many texts are wanted.")] = 100,
    export: Annotated[
        str, typer.Option("--export", help="Form in which they are written: jsonl, doccano or label-studio.")
    ] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; by default, or as -, standard output.")
    ] = None,
    overwrite: Overwrite = False,
    measure: Annotated[
        str,
        typer.Option(
            "--measure",
            help="How doubt of a tagger counts: of the sentence as a whole, which prefers long ones, or per token.",
        ),
    ] = "sentence",
    min_letters: Annotated[
        int,
        typer.Option("--min_letters", "--min-letters", min=0, help="Leave out texts with fewer letters and digits."),
    ] = 5,
    max_characters: Annotated[
        int, typer.Option("--max_characters", "--max-characters", min=1, help="Leave out longer texts.")
    ] = 500,
    words: Words = None,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Suggest texts to label next: those from which a model would learn most, with its answers.

    They are those of which it is least sure, of every type or class alike, none of them twice.
    """
    if not input_file:
        raise UserError("Say by --input where the texts are of which some are to be suggested.")
    source = text_input(None, input_file, encoding)
    with lasting_imports():
        from malmoi.commands.suggest import suggest_texts
        from malmoi.inference.suggestions import Limits

    suggest_texts(
        ModelOptions(model, words, batch_size, bf16, trust_remote_code),
        source,
        text_column=text_column,
        count=count,
        measure=measure,
        limits=Limits(min_letters, max_characters),
        form=export,
        output=output,
        overwrite=overwrite,
    )
