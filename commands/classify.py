"""What `malmoi classify` says of a text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from malmoi.commands.answering import ModelOptions, load_classifier
from malmoi.commands.model_contents import model_contents
from malmoi.commands.streams.tasks import TextTask

if TYPE_CHECKING:
    from malmoi.inference.classifier import Classification


@dataclass(frozen=True)
class Classifying(TextTask):
    """Classify texts.

    Args:
        model: The model.
    """

    model: ModelOptions

    forms = ("text", "jsonl", "csv", "parquet")
    columns = ("label", "score", "scores", "cut")
    sheet_columns = ("label", "score")

    def load(self, texts: list[str]) -> Callable[[list[str]], Iterable["Classification"]]:
        """Load the model; return what classifies texts."""
        classifier = load_classifier(self.model, texts)
        return lambda texts: classifier.classify(texts, batch_size=self.model.batch_size)

    def line(self, text: str, answer: "Classification") -> str:
        """Return class, probability and text."""
        return f"{answer.label}\t{answer.score:.4f}\t{text}"

    def document(self, text: str, answer: "Classification", name: str) -> str:
        """Return class, probability and the name of the file, in a line."""
        return f"{self.line(name, answer)}\n"

    def fields(self, text: str, answer: "Classification") -> dict[str, Any]:
        """Return the text, and the probability of every class."""
        return {"text": text, **answer._asdict()}

    def values(self, answer: "Classification") -> list[Any]:
        """Return the class and the probability of every class."""
        return [*answer]

    def sheet_rows(self, answer: "Classification") -> list[list[str]]:
        """Return class and probability."""
        return [[answer.label, f"{answer.score:.4f}"]]

    def arrow_types(self) -> list[Any]:
        """Return the types of a class, its probability, those of all classes, and of whether the text was cut."""
        import pyarrow as pa

        return [pa.string(), pa.float64(), pa.map_(pa.string(), pa.float64()), pa.bool_()]

    def is_cut(self, answer: "Classification") -> bool:
        """Tell whether the text was longer than the model can read."""
        return answer.cut

    def settings(self) -> dict[str, Any]:
        """Return the options on which the answers depend."""
        model = self.model
        return {
            "MODEL": model.name,
            "--words": None if model.words is None else str(model.words),
            "--bf16": model.bf16,
            "--engine": model.engine,
        }

    def contents(self) -> dict[str, str | None]:
        """Return what tells whether the model and its words are the same."""
        return model_contents(self.model)
