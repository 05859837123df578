"""`malmoi keys`."""

import typer

from malmoi.commands.help import described, paragraph
from malmoi.recipes.keys import all_keys, by_group, find_key, recipes_with


def list_keys() -> None:
    """Print every key with what it means, by group."""
    for group, members in by_group(all_keys()).items():
        typer.echo(f"{group}:")
        for key in members:
            typer.echo(described(key.name, key.described(), indent=2))


def explain_key(name: str) -> None:
    """Print all that there is to know of a key.

    Raises:
        RecipeError: If there is no such key.
    """
    found = find_key(name)
    typer.echo(found[0].name)
    for key in found:
        if key.help:
            typer.echo(paragraph(key.help))
        typer.echo(paragraph(f"Type: {key.type}. Default: {key.default or 'none'}. Belongs to: {key.group}."))
    for value, recipes in recipes_with(found[0].name).items():
        typer.echo(paragraph(f"{value} in {', '.join(recipes)}"))
    typer.echo(paragraph(f"As a flag: malmoi train RECIPE --{found[0].name} VALUE"))
