"""Tag names in texts with a saved model."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from malmoi.data.alignment import token_labels_to_spans
from malmoi.inference.batches import text_chunks
from malmoi.inference.text_model import TextModel
from malmoi.inference.token_labels import TokenLabels, token_labels
from malmoi.modeling.name_edges import NameEdges


class Entity(NamedTuple):
    """A name in a text: `text[start:end]`, in characters of the untouched text; `score` is a probability."""

    start: int
    end: int
    label: str
    score: float
    text: str


class Tagger(TextModel):
    """Find names, the same ones that evaluation counts. Offsets point into the user's own text, of any length."""

    task = "named-entities"

    def tag(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[list[Entity]]:
        """Yield the names of each text, in the order of the texts. Memory does not grow with their number.

        Raises:
            UserError: If a text holds a lone surrogate, which is no character.
        """
        for chunk in text_chunks(texts):
            answers = token_labels(
                self.model, self.tokenizer, chunk, max_length=self.max_length, batch_size=batch_size
            )
            yield from (self._entities(text, answer) for text, answer in zip(chunk, answers))

    def _entities(self, text: str, answer: TokenLabels) -> list[Entity]:
        """Return the names in a text; the score of a name is the mean over its tokens."""
        names = token_labels_to_spans([*map(self.labels.get, answer.labels)], answer.offsets)
        edges = NameEdges(text)
        entities = []
        for span, tokens in names:
            start, end = edges.trim(span.start, span.end)
            scores = [
                answer.scores[token]
                for token in tokens
                if answer.offsets[token][0] < end and answer.offsets[token][1] > start
            ]
            if scores:
                entities.append(Entity(start, end, span.label, sum(scores) / len(scores), text[start:end]))
        return entities
