"""Whether the first argument of a command is the model or a text already, for the model of the package.

A misspelt name of a model must not be answered as a text: in doubt it is a name, whose error says what is wrong. There
is no doubt of a word alone, if nothing here is called so or nearly so: a model without a text would be of no use.
"""

import os
import re
from pathlib import Path
from shlex import quote

from malmoi.commands.text_input import STANDARD_INPUT, TextInput, text_input
from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import BUNDLED, bundled_name

PATH = re.compile(r"(\.{0,2}|~)[/\\]|[A-Za-z]:[/\\]")
"""How a path begins that no name of a folder begins."""
LONGEST_NAME = 80
"""Characters up to which a text may be the misspelt name of a folder."""


def model_and_source(
    first: str | None, others: list[str] | None, files: list[str] | None, encoding: str | None, *, task: str
) -> tuple[str, TextInput]:
    """Return the model that a command is to use, and where its texts come from.

    Args:
        first: The first argument, if there is one: the model, or a text for the model of the package.
        others: The other arguments, which are texts.
        files: The files of `--input`.
        encoding: The encoding of the files.
        task: The task of the command.

    Raises:
        UserError: If there are no texts, or they come from several places or from what cannot be one of texts.
    """
    if first is not None and names_a_model(first) and (others or files or not is_a_word(first)):
        if not (others or files):
            raise UserError(_without_texts(first, task))
        return first, text_input(others, files, encoding)
    texts = [*([] if first is None else [first]), *(others or [])]
    return bundled_name(task), text_input(texts, files, encoding)


def names_a_model(argument: str) -> bool:
    """Tell whether a first argument is a model: whatever lies here, and whatever could be the name of one."""
    if argument == STANDARD_INPUT:
        return False
    if os.path.exists(argument) or argument.startswith(BUNDLED):
        return True
    if not re.search(r"\s", argument) and (argument.isascii() or "/" in argument or "\\" in argument):
        return True
    return PATH.match(argument) is not None or _is_nearly_a_folder(argument)


def is_a_word(argument: str) -> bool:
    """Tell whether an argument could be the name of a model on the Hub, but hardly is: a word, `BTS`, and no file."""
    if not argument or re.search(r"[/\\:\s]", argument) or os.path.exists(argument) or _is_nearly_a_folder(argument):
        return False
    from malmoi.inference.model_names import FILE_ENDING

    return FILE_ENDING.fullmatch(argument) is None


def _is_nearly_a_folder(argument: str) -> bool:
    """Tell whether an argument lies in a folder that is there, or is nearly the name of one that holds a model."""
    if len(argument) > LONGEST_NAME or "\0" in argument:
        return False
    path = Path(argument)
    if path.parent != Path() and path.parent.is_dir():
        return True
    from malmoi.inference.model_names import near_folder

    near = near_folder(path)
    return near is not None and (near / "config.json").is_file()


def _without_texts(model: str, task: str) -> str:
    """Say that a model without a text is not enough, and what to do if it was meant as a text."""
    if os.path.isfile(model):
        return f"Give either texts or --input FILE. {model} is a file: write --input {quote(model)} for its lines."
    if os.path.isdir(model) and not (Path(model) / "config.json").is_file():
        return (
            f"Give either texts or --input FILE. {model} is a folder without a model: write --input {quote(model)} "
            "for the texts in its files."
        )
    if os.path.exists(model) or model.startswith(BUNDLED):
        return "Give either texts or --input FILE."
    return (
        f"Give either texts or --input FILE. {model!r} could be the name of a model; as a text it must stand after "
        f"one, such as {bundled_name(task)}."
    )
