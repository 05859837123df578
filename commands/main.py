"""The command line; `malmoi --help` lists its commands.

Nothing heavy is imported before a command has understood its arguments.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from malmoi.commands.data_command import data
from malmoi.commands.error_sentence import TOLD, error_sentence
from malmoi.commands.evaluate_command import evaluate
from malmoi.commands.export_command import export
from malmoi.commands.given_values import FilledCommand
from malmoi.commands.help import RecipeCommand, WholeDescriptions, described, terminal_width
from malmoi.commands.options import (
    WITH_FLAGS,
    KeyName,
    RecipeName,
)
from malmoi.commands.serve_command import serve
from malmoi.commands.start_up import lasting_imports
from malmoi.commands.suggest_command import suggest
from malmoi.commands.text_commands import classify, space, tag
from malmoi.commands.training_commands import train, tune
from malmoi.data.standard_streams import write_utf8
from malmoi.training.processes.large_pages import ask_for_large_pages
from malmoi.training.processes.launcher import leave

app = typer.Typer(
    cls=WholeDescriptions,
    context_settings={"max_content_width": terminal_width(), "help_option_names": ["-h", "--help"]},
    help="Tag names in Korean text, restore its spaces, judge its sentiment; train and compare models that do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def print_version(wanted: bool) -> None:
    """Print the version, and do nothing else."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"malmoi {version('malmoi')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take what belongs to no command."""


app.command(cls=RecipeCommand, context_settings=WITH_FLAGS)(train)


for command in (evaluate, data, tag, space, classify, suggest):
    app.command(cls=FilledCommand)(command)


@app.command(cls=FilledCommand)
def push(
    model: Annotated[str, typer.Argument(help="Folder of a finished run; for a Space, any model.")],
    repo_id: Annotated[str, typer.Argument(help="Where to: user/name on the Hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch to commit to, or a pull request such as refs/pr/1.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry_run", "--dry-run", help="Leave the staged folder and upload nothing.")
    ] = False,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="What the training data are: a known name or a YAML file; needed where the reader does not tell."
        ),
    ] = None,
    other_seed: Annotated[
        list[Path] | None,
        typer.Option("--other_seed", "--other-seed", help="Run of the same recipe with another seed; repeatable."),
    ] = None,
    space: Annotated[bool, typer.Option("--space", help="Publish a Space that shows the model.")] = False,
    beside: Annotated[list[str] | None, typer.Option(help="Another model of the Space; repeatable.")] = None,
) -> None:
    """Publish a run with its card on the Hub, in one commit. Log in with `hf auth login` or HF_TOKEN.

    Everything is staged in a folder first, loaded in a process without malmoi, and the examples of the card are run.
    """
    with lasting_imports():
        from malmoi.commands.push import push_to_hub

    push_to_hub(
        model,
        repo_id,
        space=space,
        beside=beside or [],
        other_seeds=other_seed or [],
        corpus=corpus,
        private=private,
        revision=revision,
        dry_run=dry_run,
    )


app.command(cls=FilledCommand)(serve)


@app.command(cls=FilledCommand)
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    output_dir: Annotated[
        Path | None, typer.Option("--output_dir", "--output-dir", help="Write comparison.md, .json and .png here.")
    ] = None,
    separately: Annotated[
        bool, typer.Option("--separately", help="Runs that cannot be compared get tables of their own.")
    ] = False,
) -> None:
    """Put finished runs side by side: quality, time, memory, size, speed.

    Only runs on the same data, for the same task and by the same definitions belong in one table; what else they
    differ in, such as the machine, is said below it.
    """
    with lasting_imports():
        from malmoi.commands.compare import compare_runs

    compare_runs(runs, output_dir=output_dir, separately=separately)


@app.command("compare-embeddings", cls=RecipeCommand, context_settings=WITH_FLAGS)
def compare_embeddings(
    context: typer.Context,
    recipe: RecipeName,
) -> None:
    """Train with random, frozen and trained embeddings, and compare. Needs --embeddings; other flags as in `train`.

    The runs go to random, frozen and trained in --output_dir, and the comparison beside them; random has the recipe's
    own embedding_size. All three folders are looked at before the first training. After an interruption,
    --resume_from_checkpoint true leaves finished runs as they are and goes on with the others; --overwrite true
    trains all three anew.
    """
    with lasting_imports():
        from malmoi.commands.compare_embeddings import embedding_recipes

    recipes = embedding_recipes(recipe, context.args)
    with lasting_imports():
        from malmoi.commands.compare_embeddings import train_and_compare

    train_and_compare(recipes)


@app.command("self-train", cls=RecipeCommand, context_settings=WITH_FLAGS)
def self_train(context: typer.Context, recipe: RecipeName) -> None:
    """Train teachers, let them label raw text, and train a student on that, too. Needs --silver_text.

    --seeds 1 2 3 gives each teacher its seed; other flags are those of `train`. The runs of the teachers go to
    teachers/seed-1 and so on in --output_dir, that of the student. It learns the labelled texts, and those
    of whose labels the teachers are sure (`malmoi keys silver_confidence`). After an interruption,
    --resume_from_checkpoint true leaves finished runs as they are and goes on with the others; --overwrite true trains
    all anew.
    """
    with lasting_imports():
        from malmoi.commands.self_train import self_training

    runs = self_training(recipe, context.args)
    with lasting_imports():
        from malmoi.commands.self_train import train_teachers_and_student

    train_teachers_and_student(runs)


app.command(cls=RecipeCommand, context_settings=WITH_FLAGS)(tune)


@app.command(cls=FilledCommand)
def convert(
    checkpoint: Annotated[Path, typer.Argument(help="State dict (.bin, .pth, .pt) or .safetensors of the old model.")],
    output_dir: Annotated[Path, typer.Argument(help="Folder to write; it must not exist, or be empty.")],
    config: Annotated[Path, typer.Option(help="The old config.json: labels and sizes.")],
    tokenizer: Annotated[str, typer.Option(help="Folder of the tokenizer, or its name on the Hub.")],
) -> None:
    """Turn the checkpoint of a hand-made BiLSTM with pytorch-crf into a model that from_pretrained loads.

    Predictions stay the same, which is checked. No code in the checkpoint is ever run.
    """
    with lasting_imports():
        from malmoi.commands.convert import convert_to_folder

    convert_to_folder(checkpoint, output_dir, config=config, tokenizer=tokenizer)


app.command(cls=FilledCommand)(export)


@app.command()
def keys(
    key: KeyName = None,
) -> None:
    """List every key of a recipe, or explain one; each is also a flag of `malmoi train`."""
    from malmoi.commands.keys import explain_key, list_keys

    if key is None:
        list_keys()
    else:
        explain_key(key)


@app.command()
def recipes() -> None:
    """List the recipes that come with the package."""
    from malmoi.recipes.recipe import describe_recipes

    for name, description in describe_recipes().items():
        typer.echo(described(name, description))


def main() -> None:
    """Run a command; an error that the user can mend is one sentence, without a traceback."""
    ask_for_large_pages()
    write_utf8()
    try:
        app()
    except BrokenPipeError:  # the reader of our output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except TOLD as error:
        sentence = error_sentence(error)
        if sentence is None:
            raise
        leave(f"malmoi: {sentence}", 2)
    finally:
        gc.freeze()  # the process ends: what it holds need not be looked through for garbage


if __name__ == "__main__":  # as a launcher of several processes runs it: torchrun ... -m malmoi.commands.main train
    main()
