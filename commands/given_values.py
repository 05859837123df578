"""Commands that refuse an empty value: it comes from a variable of the shell that is not set.

`--input "$FILES"` would mean the whole working folder where `FILES` is not set, since that is what an empty path is.
Of `--output=~/names.jsonl` a shell leaves the tilde as it is, and a folder of that name would be made.
"""

import os
from itertools import takewhile
from pathlib import Path
from shlex import quote
from typing import Any

from typer.core import TyperCommand

from malmoi.data.user_error import UserError

MAY_BE_EMPTY = ("model", "texts", "repo_id", "token_separator")
"""A text may be empty, and what stands between tokens; what a name may be is said where it is used."""
AS_TYPED = ("texts", "token_separator")
"""What is no path, whatever it begins with."""
MAY_BE_A_TEXT = "model"
"""A path if something is there, otherwise perhaps a text."""
HOME = ("~/", "~\\")
WRITTEN_OUT = {
    (f"--trim{bar}josa", value): f"--{no}trim{bar}josa"
    for bar in "_-"
    for value, no in (("true", ""), ("false", f"no{bar}"))
}
"""A setting as training takes it, with its value, and the same as a flag of the commands that read the same data."""


class FilledCommand(TyperCommand):
    """A command that refuses options and paths that are empty, and reads settings of data as training does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look at what is given before it becomes paths, in which nothing and `.` are the same.

        Raises:
            UserError: If an option or a path is empty.
        """
        if any(parameter.name == "trim_josa" for parameter in self.get_params(ctx)):
            args = _as_flags(args)
        if not ctx.resilient_parsing:  # a shell that completes an option
            self._check_flags(ctx, args)
            given = self._given(ctx, args)
            if "--" not in args:
                _check_hyphens(ctx.info_name, args, given.get("model"), given.get("texts"))
            for parameter in self.get_params(ctx):
                value = given.get(parameter.name)
                values = value if isinstance(value, (list, tuple)) else [value]
                if "" in values and parameter.name not in MAY_BE_EMPTY:
                    raise UserError(f"{parameter.opts[0]}: expected a value, got an empty one.")
        super().parse_args(ctx, args)
        ctx.params = {
            name: value if name in AS_TYPED or (name == MAY_BE_A_TEXT and not _is_at_home(value)) else _at_home(value)
            for name, value in ctx.params.items()
        }
        ctx.args = _at_home(ctx.args)
        return ctx.args

    def _check_flags(self, ctx: Any, args: list[str]) -> None:
        """Check that nothing is given by a flag that has a place instead, such as the model by `--model`.

        Raises:
            UserError: If something is.
        """
        parameters = self.get_params(ctx)
        flags = {flag for parameter in parameters for flag in parameter.opts}
        names = [parameter.name or "" for parameter in parameters if parameter.param_type_name == "argument"]
        placed = {f"--{name}" for name in (*names, *(name.replace("_", "-") for name in names))} - flags
        for argument in takewhile(lambda argument: argument != "--", args):
            flag = argument.partition("=")[0]
            if flag in placed:
                line = " ".join(["malmoi", ctx.info_name, *self.collect_usage_pieces(ctx)[1:]])
                raise UserError(f"{flag}: {flag[2:]} is given without a flag, in its place: `{line}`.")

    def _given(self, ctx: Any, args: list[str]) -> dict[str, Any]:
        """Return what is given, as it is written; what looks like an option and is none stands among the texts."""
        known_alone, ctx.ignore_unknown_options = ctx.ignore_unknown_options, True
        try:
            given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        finally:
            ctx.ignore_unknown_options = known_alone
        return given


def _as_flags(arguments: list[str]) -> list[str]:
    """Return arguments in which settings with a value are flags; what stands behind `--` is no option."""
    flags: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return [*flags, argument, *rest]
        if flags and (flag := WRITTEN_OUT.get((flags[-1], argument.lower()))):
            flags[-1] = flag
        else:
            flags.append(argument)
    return flags


def _check_hyphens(command: str, args: list[str], model: Any, texts: Any) -> None:
    """Check that no text is taken for an option: the name of one has neither spaces nor Hangul in it.

    Raises:
        UserError: If one is.
    """
    for found in (model, *(texts if isinstance(texts, (list, tuple)) else ())):
        name = found.partition("=")[0] if isinstance(found, str) else ""
        if name.startswith("-") and (" " in name or not name.isascii()):
            # of `-h 비` the letter of an option is gone
            typed = (given for given in args if given.startswith("-") and given.endswith(name[name.find(" ") :]))
            text = found if found in args else next(typed, found)
            before = "" if found is model else f"{quote(model)} "
            raise UserError(
                f"{text!r} begins as an option does; as a text it must stand behind --, such as "
                f"`malmoi {command} {before}-- {quote(text)}`."
            )


def _at_home(value: Any) -> Any:
    """Return a value in which `~` stands for the folder of the user, as a shell does where it sees a path."""
    if isinstance(value, (list, tuple)):
        return [_at_home(part) for part in value]
    if isinstance(value, Path):
        return Path(_at_home(str(value)))
    if not isinstance(value, str):
        return value
    flag, equals, path = value.partition("=") if value.startswith("--") else ("", "", value)
    return flag + equals + os.path.expanduser(path) if path == "~" or path.startswith(HOME) else value


def _is_at_home(value: Any) -> bool:
    return isinstance(value, str) and Path(_at_home(value)).exists()
