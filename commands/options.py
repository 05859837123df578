"""Arguments and options that several commands share, and what a shell completes for them."""

from pathlib import Path
from typing import Annotated

import typer

WITH_FLAGS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command that takes the keys of recipes as flags."""


def complete_recipe(incomplete: str) -> list[str]:
    """Return the recipes of the package whose names begin so."""
    from malmoi.recipes.recipe import recipe_names

    return [name for name in recipe_names() if name.startswith(incomplete)]


def complete_key(incomplete: str) -> list[str]:
    """Return the keys of recipes that begin so, each once."""
    from malmoi.recipes.keys import all_keys

    return sorted({key.name for key in all_keys() if key.name.startswith(incomplete)})


OF_RECIPE = "Name of a recipe (see `malmoi recipes`) or path of a YAML file."
RecipeName = Annotated[str, typer.Argument(help=OF_RECIPE, autocompletion=complete_recipe)]
OptionalRecipeName = Annotated[
    str | None,
    typer.Argument(help=f"{OF_RECIPE} Without it, it follows from --data_dir.", autocompletion=complete_recipe),
]
KeyName = Annotated[
    str | None,
    typer.Argument(help="A key to explain; without it all are listed.", autocompletion=complete_key),
]
Model = Annotated[
    str | None,
    typer.Argument(
        help="Folder of a model, or its name on the Hub; without it the model of the package answers. The first "
        "argument is the model if it is a folder or could be the name of one, that is, if it has no space and is "
        "ASCII or has a slash in it; anything else is a text already."
    ),
]
MeasuredModel = Annotated[
    str | None,
    typer.Argument(help="Folder of a model, or its name on the Hub; without it the model of the package for --task."),
]
Texts = Annotated[list[str] | None, typer.Argument(help="Texts; - for standard input.")]
Words = Annotated[
    Path | None,
    typer.Option(
        "--words",
        help="File of words that the model is to know from its lexicon: word, tab, label or class of the lexicon.",
    ),
]
BatchSize = Annotated[int, typer.Option("--batch_size", "--batch-size", min=1)]
Bf16 = Annotated[
    bool, typer.Option("--bf16", help="Compute in bfloat16, which is faster on processors and GPUs that have it.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="What computes: torch, or onnx for an exported model, also one on the Hub; by default what suits the "
        "folder.",
    ),
]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust_remote_code", "--trust-remote-code", help="Run code that comes with the model.")
]
