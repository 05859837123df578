"""The commands that take texts and answer one line for each: `tag`, `space` and `classify`."""

from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.model_or_text import model_and_source
from malmoi.commands.options import BatchSize, Bf16, Encoding, Input, Model, Texts, TrustRemoteCode, Words
from malmoi.commands.start_up import lasting_imports


def tag(
    model: Model = None,
    texts: Texts = None,
    input_file: Input = None,
    encoding: Encoding = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines with offsets, labels and scores.")] = False,
    words: Words = None,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Tag names: <손흥민:PS>은 <춘천:LC>에서 태어났다."""
    model, source = model_and_source(model, texts, input_file, encoding, task="named-entities")
    with lasting_imports():
        from malmoi.commands.tag import tag_texts

    tag_texts(
        model,
        source,
        as_json=json,
        words=words,
        batch_size=batch_size,
        bf16=bf16,
        trust_remote_code=trust_remote_code,
    )


def space(
    model: Model = None,
    texts: Texts = None,
    input_file: Input = None,
    encoding: Encoding = None,
    keep_spaces: Annotated[
        bool, typer.Option("--keep_spaces", "--keep-spaces", help="Only add spaces; those that are there stay.")
    ] = False,
    keep_words: Annotated[
        Path | None,
        typer.Option(
            "--keep_words",
            "--keep-words",
            help="File of words that stay as they are written, one per line; /.../ is a regular expression.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines that say where each character was.")] = False,
    words: Words = None,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Restore the spaces between words; nothing but spaces changes."""
    model, source = model_and_source(model, texts, input_file, encoding, task="word-spacing")
    with lasting_imports():
        from malmoi.commands.space import space_texts

    space_texts(
        model,
        source,
        keep_spaces=keep_spaces,
        keep_words=keep_words,
        as_json=json,
        words=words,
        batch_size=batch_size,
        bf16=bf16,
        trust_remote_code=trust_remote_code,
    )


def classify(
    model: Model = None,
    texts: Texts = None,
    input_file: Input = None,
    encoding: Encoding = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines with the score of every class.")] = False,
    words: Words = None,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Classify texts: class, probability, text."""
    model, source = model_and_source(model, texts, input_file, encoding, task="sentence-classification")
    with lasting_imports():
        from malmoi.commands.classify import classify_texts

    classify_texts(
        model,
        source,
        as_json=json,
        words=words,
        batch_size=batch_size,
        bf16=bf16,
        trust_remote_code=trust_remote_code,
    )
