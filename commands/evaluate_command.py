"""The command that measures a saved model: `evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.data_options import (
    Annotator,
    DatasetName,
    DivisionSeed,
    LabelColumn,
    TagColumn,
    TextColumn,
    TokenSeparator,
    TrimJosa,
)
from malmoi.commands.options import BatchSize, MeasuredModel, TrustRemoteCode
from malmoi.commands.start_up import lasting_imports


def evaluate(
    model: MeasuredModel = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Without a model: which of those of the package, named-entities, word-spacing or "
            "sentence-classification; by default that of --reader."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data_dir", "--data-dir", help="Folder with the data, or one file.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(help="Format of the data; by default that of the training, if the files are in it.")
    ] = None,
    dataset: DatasetName = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    tag_column: TagColumn = None,
    token_separator: TokenSeparator = None,
    annotator: Annotator = None,
    division_seed: DivisionSeed = None,
    trim_josa: TrimJosa = None,
    split: Annotated[
        str | None,
        typer.Option(help="Which part of the data; by default validation, or the only one that there is."),
    ] = None,
    batch_size: BatchSize = 64,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, with all figures.")] = False,
    every_figure: Annotated[
        bool, typer.Option("--all", help="Show every figure, also those that are there for other data.")
    ] = False,
    errors: Annotated[
        Path | None,
        typer.Option(help="Write a page with every text that has a mistake: an HTML file that needs no network."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Write each text with its labels and the answer of the model, as JSON lines."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Another model on the same data: its figures, and whether the difference may be luck."),
    ] = None,
    fit_temperature: Annotated[
        bool,
        typer.Option(
            "--fit_temperature",
            "--fit-temperature",
            help="Make probabilities of names or classes truer: fit a temperature on half of the texts, and write it "
            "into the config.json of the model if it helps on the other half.",
        ),
    ] = False,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Compute the figures of a saved model, each with its definition and its 95 % interval."""
    with lasting_imports():
        from malmoi.commands.evaluate import evaluate_model
        from malmoi.data.readers.reading_options import ReadingOptions
        from malmoi.training.evaluate import model_to_measure

    options = ReadingOptions(
        dataset=dataset,
        text_column=text_column,
        label_column=label_column,
        tag_column=tag_column,
        token_separator=token_separator,
        annotator=annotator,
    )
    evaluate_model(
        model_to_measure(model, task=task, reader=reader, data_dir=data_dir, options=options),
        data_dir=data_dir,
        reader=reader,
        options=options,
        division_seed=division_seed,
        trim_josa=trim_josa,
        split=split,
        batch_size=batch_size,
        as_json=json,
        every_figure=every_figure,
        trust_remote_code=trust_remote_code,
        errors=errors,
        predictions=predictions,
        against=against,
        fit_temperature=fit_temperature,
    )
