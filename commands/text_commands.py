"""The commands that take texts and answer each of them: `tag`, `space` and `classify`."""

from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.answering import ModelOptions, check_words
from malmoi.commands.model_or_text import model_and_source
from malmoi.commands.options import BatchSize, Bf16, Engine, Model, Texts, TrustRemoteCode, Words
from malmoi.commands.streams.run import Manner, answer_texts
from malmoi.commands.text_options import (
    Document,
    Encoding,
    Errors,
    Form,
    FormOfNames,
    Input,
    Output,
    Overwrite,
    Resume,
    TextColumn,
    Workers,
    wish_of,
)


def tag(
    model: Model = None,
    texts: Texts = None,
    input_file: Input = None,
    encoding: Encoding = None,
    document: Document = False,
    text_column: TextColumn = None,
    output: Output = None,
    form: FormOfNames = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines with offsets, labels and scores.")] = False,
    min_score: Annotated[
        float,
        typer.Option("--min_score", "--min-score", min=0, max=1, help="Leave out names with a lower probability."),
    ] = 0.0,
    resume: Resume = False,
    overwrite: Overwrite = False,
    errors: Errors = None,
    words: Words = None,
    workers: Workers = 1,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    engine: Engine = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Tag names: <손흥민:PS>은 <춘천:LC>에서 태어났다."""
    name, source = model_and_source(model, texts, input_file, encoding, task="named-entities")
    wish = wish_of(form, as_json=json, output=output, resume=resume, overwrite=overwrite, errors=errors, words=words)
    check_words(words, workers=workers)
    options = ModelOptions(name, words, batch_size, bf16, trust_remote_code, engine)
    from malmoi.commands.tag import Tagging

    task = Tagging(options, min_score)
    answer_texts(task, source, wish, Manner(document, text_column, workers))


def space(
    model: Model = None,
    texts: Texts = None,
    input_file: Input = None,
    encoding: Encoding = None,
    document: Document = False,
    text_column: TextColumn = None,
    output: Output = None,
    form: Form = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines that say where each character was.")] = False,
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
    resume: Resume = False,
    overwrite: Overwrite = False,
    errors: Errors = None,
    words: Words = None,
    workers: Workers = 1,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    engine: Engine = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Restore the spaces between words; nothing but spaces changes."""
    name, source = model_and_source(model, texts, input_file, encoding, task="word-spacing")
    wish = wish_of(
        form,
        as_json=json,
        output=output,
        resume=resume,
        overwrite=overwrite,
        errors=errors,
        words=words,
        keep_words=keep_words,
    )
    check_words(words, workers=workers)
    options = ModelOptions(name, words, batch_size, bf16, trust_remote_code, engine)
    from malmoi.commands.space import Spacing, kept_words

    task = Spacing(options, keep_spaces, kept_words(keep_words))
    answer_texts(task, source, wish, Manner(document, text_column, workers))


def classify(
    model: Model = None,
    texts: Texts = None,
    input_file: Input = None,
    encoding: Encoding = None,
    document: Document = False,
    text_column: TextColumn = None,
    output: Output = None,
    form: Form = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines with the score of every class.")] = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
    errors: Errors = None,
    words: Words = None,
    workers: Workers = 1,
    batch_size: BatchSize = 32,
    bf16: Bf16 = False,
    engine: Engine = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Classify texts: class, probability, text."""
    name, source = model_and_source(model, texts, input_file, encoding, task="sentence-classification")
    wish = wish_of(form, as_json=json, output=output, resume=resume, overwrite=overwrite, errors=errors, words=words)
    check_words(words, workers=workers)
    options = ModelOptions(name, words, batch_size, bf16, trust_remote_code, engine)
    from malmoi.commands.classify import Classifying

    task = Classifying(options)
    answer_texts(task, source, wish, Manner(document, text_column, workers))
