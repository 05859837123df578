"""What `malmoi tag` says of a text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from malmoi.commands.answering import ModelOptions, load_tagger
from malmoi.commands.model_contents import model_contents
from malmoi.commands.streams.tasks import TextTask

if TYPE_CHECKING:
    from malmoi.inference.tagger import Entity


@dataclass(frozen=True)
class Tagging(TextTask):
    """Tag names.

    Args:
        model: The model.
        min_score: The least score of a name that is kept.
    """

    model: ModelOptions
    min_score: float = 0.0

    forms = ("inline", "jsonl", "conll", "brat", "csv", "parquet")
    columns = ("entities",)
    sheet_columns = ("start", "end", "label", "score", "name")

    def load(self, texts: list[str]) -> Callable[[list[str]], Iterator[list["Entity"]]]:
        """Load the model; return what finds the names of texts."""
        tagger = load_tagger(self.model, texts)
        return lambda texts: tagger.tag(texts, batch_size=self.model.batch_size, min_score=self.min_score)

    def line(self, text: str, answer: list["Entity"]) -> str:
        """Return the text with its names marked."""
        from malmoi.data.alignment import Span
        from malmoi.data.inline_marks import write_marks

        return write_marks(text, (Span(entity.start, entity.end, entity.label) for entity in answer))

    def document(self, text: str, answer: list["Entity"], name: str) -> str:
        """Return the text with its names marked."""
        return self.line(text, answer)

    def fields(self, text: str, answer: list["Entity"]) -> dict[str, Any]:
        """Return the text and its names."""
        return {"text": text, "entities": [entity._asdict() for entity in answer]}

    def values(self, answer: list["Entity"]) -> list[Any]:
        """Return the names."""
        return [[entity._asdict() for entity in answer]]

    def sheet_rows(self, answer: list["Entity"]) -> list[list[str]]:
        """Return a row for each name, and an empty one if there is none."""
        rows = [[str(e.start), str(e.end), e.label, f"{e.score:.4f}", e.text] for e in answer]
        return rows or [[""] * len(self.sheet_columns)]

    def arrow_types(self) -> list[Any]:
        """Return the type of a list of names."""
        import pyarrow as pa

        types = {"start": pa.int64(), "end": pa.int64(), "label": pa.string(), "score": pa.float64()}
        return [pa.list_(pa.struct({**types, "text": pa.string()}))]

    def names(self, answer: list["Entity"]) -> list[tuple[int, int, str]]:
        """Return start, end and label of the names."""
        return [(entity.start, entity.end, entity.label) for entity in answer]

    def settings(self) -> dict[str, Any]:
        """Return the options on which the answers depend."""
        model = self.model
        return {
            "MODEL": model.name,
            "--words": None if model.words is None else str(model.words),
            "--bf16": model.bf16,
            "--engine": model.engine,
            "--min_score": self.min_score,
        }

    def contents(self) -> dict[str, str | None]:
        """Return what tells whether the model and its words are the same."""
        return model_contents(self.model)
