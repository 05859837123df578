"""Tag names in texts with a saved model."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from malmoi.data.alignment import tags_to_spans, token_labels_to_tags
from malmoi.inference.batches import CHUNK, check_text
from malmoi.inference.text_model import TextModel
from malmoi.inference.token_labels import TokenLabels, token_labels


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
        texts = iter(texts)
        while chunk := list(islice(texts, CHUNK)):
            for text in chunk:
                check_text(text)
            answers = token_labels(
                self.model, self.tokenizer, chunk, max_length=self.max_length, batch_size=batch_size
            )
            yield from (self._entities(text, answer) for text, answer in zip(chunk, answers))

    def _entities(self, text: str, answer: TokenLabels) -> list[Entity]:
        """Return the names in a text; the score of a name is the mean over its tokens."""
        labels = [self.labels.get(label) for label in answer.labels]
        entities = []
        for start, end, label in tags_to_spans(token_labels_to_tags(labels, answer.offsets, len(text))):
            scores = [
                score
                for score, name, (first, last) in zip(answer.scores, labels, answer.offsets)
                if name is not None and start <= first < last <= end
            ]
            entities.append(Entity(start, end, label, sum(scores) / len(scores), text[start:end]))
        return entities
