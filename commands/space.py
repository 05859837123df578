"""What `malmoi space` says of a text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from malmoi.commands.answering import ModelOptions, load_spacer
from malmoi.commands.model_contents import model_contents
from malmoi.commands.start_up import lasting_imports
from malmoi.commands.streams.tasks import TextTask

if TYPE_CHECKING:
    from malmoi.inference.spacer import SpacedText


@dataclass(frozen=True)
class Spacing(TextTask):
    """Restore the spaces between words.

    Args:
        model: The model.
        keep_spaces: Whether the spaces of a text stay and others are only added.
        keep_words: Words that stay as they are written.
    """

    model: ModelOptions
    keep_spaces: bool = False
    keep_words: tuple[str, ...] = ()

    forms = ("text", "jsonl", "csv", "parquet")
    columns = ("spaced", "offsets", "removed")
    sheet_columns = ("spaced",)

    def load(self, texts: list[str]) -> Callable[[list[str]], Iterable["SpacedText"]]:
        """Load the model; return what spaces texts."""
        spacer = load_spacer(self.model, texts)
        return lambda texts: spacer.space(
            texts, keep_spaces=self.keep_spaces, keep_words=self.keep_words, batch_size=self.model.batch_size
        )

    def line(self, text: str, answer: "SpacedText") -> str:
        """Return the text with its spaces restored."""
        return answer.text

    def document(self, text: str, answer: "SpacedText", name: str) -> str:
        """Return the text with its spaces restored."""
        return answer.text

    def fields(self, text: str, answer: "SpacedText") -> dict[str, Any]:
        """Return the text before and after, and where each character was."""
        return {"original": text, **answer._asdict()}

    def values(self, answer: "SpacedText") -> list[Any]:
        """Return the text with its spaces restored, and where each character was."""
        return [*answer]

    def sheet_rows(self, answer: "SpacedText") -> list[list[str]]:
        """Return the text with its spaces restored."""
        return [[answer.text]]

    def arrow_types(self) -> list[Any]:
        """Return the types of a text and of two lists of places in it."""
        import pyarrow as pa

        return [pa.string(), pa.list_(pa.int64()), pa.list_(pa.int64())]

    def settings(self) -> dict[str, Any]:
        """Return the options on which the answers depend."""
        model = self.model
        return {
            "MODEL": model.name,
            "--words": None if model.words is None else str(model.words),
            "--bf16": model.bf16,
            "--engine": model.engine,
            "--keep_spaces": self.keep_spaces,
            "--keep_words": list(self.keep_words),
        }

    def contents(self) -> dict[str, str | None]:
        """Return what tells whether the model and its words are the same."""
        return model_contents(self.model)


def kept_words(path: Path | None) -> tuple[str, ...]:
    """Return the words of a file that are to stay as they are written.

    Args:
        path: The file, if there is one.

    Raises:
        UserError: If it cannot be read, or a regular expression in it is wrong.
    """
    if path is None:
        return ()
    with lasting_imports():
        from malmoi.inference.whole_words import read_keep_words

    return tuple(read_keep_words(path))
