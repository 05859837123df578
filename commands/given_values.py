"""Commands that refuse an empty value: it comes from a variable of the shell that is not set.

`--input "$FILES"` would mean the whole working folder where `FILES` is not set, since that is what an empty path is.
"""

from typing import Any

from typer.core import TyperCommand

from malmoi.data.user_error import UserError

MAY_BE_EMPTY = ("model", "texts", "repo_id", "token_separator")
"""A text may be empty, and what stands between tokens; what a name may be is said where it is used."""
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
            given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            for parameter in self.get_params(ctx):
                value = given.get(parameter.name)
                values = value if isinstance(value, (list, tuple)) else [value]
                if "" in values and parameter.name not in MAY_BE_EMPTY:
                    raise UserError(f"{parameter.opts[0]}: expected a value, got an empty one.")
        return super().parse_args(ctx, args)


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
