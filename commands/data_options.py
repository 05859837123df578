"""Options of the commands that read labelled data."""

from typing import Annotated

import typer

DatasetName = Annotated[
    str | None, typer.Option("--dataset", help="A dataset on the Hub, or a folder or file of one (reader dataset).")
]
TextColumn = Annotated[
    str | None, typer.Option("--text_column", "--text-column", help="Its column with the texts, or the tokens.")
]
LabelColumn = Annotated[
    str | None, typer.Option("--label_column", "--label-column", help="Its column with the labels, tags or spans.")
]
TagColumn = Annotated[
    int | None,
    typer.Option("--tag_column", "--tag-column", min=1, help="Which column is the tag (reader conll), from 1."),
]
TokenSeparator = Annotated[
    str | None,
    typer.Option(
        "--token_separator", "--token-separator", help="What stands between tokens, such as ' ' or '' (reader conll)."
    ),
]
Annotator = Annotated[str | None, typer.Option("--annotator", help="Whose labels are read (reader label-studio).")]
TrimJosa = Annotated[
    bool | None,
    typer.Option(
        "--trim_josa/--no_trim_josa",
        "--trim-josa/--no-trim-josa",
        help="Cut what looks like a josa off the end of names; by default as the training of the model did.",
    ),
]
DivisionSeed = Annotated[
    int | None,
    typer.Option(
        "--division_seed",
        "--division-seed",
        help="Cuts the splits that the data lack; by default as the training of the model did.",
    ),
]
