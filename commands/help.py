"""Help that is whole: descriptions are wrapped and never cut, and `train` shows its flags."""

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from malmoi.commands.given_values import FilledCommand

if TYPE_CHECKING:
    from malmoi.recipes.keys import Key

WIDEST = 120
"""How wide help is at most: longer lines are hard to read."""


def terminal_width() -> int:
    """Return how wide help may be."""
    return min(WIDEST, shutil.get_terminal_size().columns)


class WholeDescriptions(TyperGroup):
    """A group of commands whose list has the whole first sentence of each."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(10_000)) for name, command in commands if command])


class RecipeCommand(FilledCommand):
    """A command that takes a recipe, with the keys of recipes as flags."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Remember which recipe is named: help comes before arguments are understood."""
        self.named = args[0] if args and not args[0].startswith("-") else None
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the flags: all of them, or those of the recipe, with its own values."""
        # commands that answer texts need nothing of recipes
        from malmoi.recipes.keys import all_keys, by_group, keys_of
        from malmoi.recipes.recipe import load_recipe

        if self.named is None:
            groups = by_group(all_keys())
            set_here: dict[str, Any] = {}
        else:
            recipe = load_recipe(self.named, [])
            set_here = recipe.settings
            keys = [
                key._replace(group=f"set by {recipe.name}") if key.name in set_here else key for key in keys_of(recipe)
            ]
            groups = by_group(sorted(keys, key=lambda key: key.name not in set_here))
        for group, members in groups.items():
            with formatter.section(f"Flags, {group}"):
                formatter.write_dl([(f"--{key.name}", _with_value(key, set_here)) for key in members])


def _with_value(key: "Key", set_here: dict[str, Any]) -> str:
    from malmoi.recipes.declared_fields import as_written

    value = f"Here: {as_written(set_here[key.name])}. " if key.name in set_here else ""
    return value + key.described()


def described(name: str, description: str, *, indent: int = 0) -> str:
    """Return a name and what it means: wrapped for a terminal, one line for a program that reads it."""
    line = f"{' ' * indent}{name:32} {description}".rstrip()
    if not sys.stdout.isatty():
        return line
    return textwrap.fill(line, terminal_width(), subsequent_indent=" " * (indent + 33), break_on_hyphens=False)


def paragraph(text: str) -> str:
    """Return an indented paragraph, wrapped for the terminal."""
    width = terminal_width()
    return textwrap.fill(text, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
