"""Tag names in texts with a saved model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from malmoi.data.alignment import token_labels_to_spans
from malmoi.data.label_scheme import read_label_scheme
from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.seams import whole_names
from malmoi.inference.text_model import TextModel
from malmoi.inference.token_labels import TokenLabels, labelled_parts
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

    def _understand_labels(self) -> None:
        self.scheme = read_label_scheme(list(self.labels.values()))
        """How the model writes names; `labels` are as it has them."""

    @overload  # a string is an iterable of strings, too
    def __call__(self, texts: str, *, batch_size: int = 32) -> list[Entity]: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, texts: Iterable[str], *, batch_size: int = 32) -> list[list[Entity]]: ...

    def __call__(self, texts: str | Iterable[str], *, batch_size: int = 32) -> list[Entity] | list[list[Entity]]:
        """Return the names of one text, or a list of the names of each of several texts.

        Raises:
            UserError: If what is given are no texts, or a text holds a lone surrogate, which is no character.
        """
        if isinstance(texts, str):
            return next(self.tag([texts], batch_size=batch_size))
        return list(self.tag(texts, batch_size=batch_size))

    @overload
    def tag(self, texts: Sequence[str], *, batch_size: int = 32) -> Answers[list[Entity]]: ...

    @overload
    def tag(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[list[Entity]]: ...

    def tag(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[list[Entity]]:
        """Return the names of each of several texts, in the order of the texts, one after the other.

        Args:
            texts: The texts, of any length. The answers to a list can also be indexed, and stay in memory; whatever
                else yields texts is answered as a stream, whose memory does not grow with their number.
            batch_size: How many windows of texts are answered at once, at most.

        Raises:
            UserError: If what is given are no texts, a single string among them, or a text holds a lone surrogate,
                which is no character.
        """
        return stream_answers(
            lambda checked: self._tag(checked, batch_size), texts, user="tagger", method="tag", batch_size=batch_size
        )

    def _tag(self, texts: Iterable[str], batch_size: int) -> Iterator[list[Entity]]:
        """Yield the names of each text."""
        names: list[Entity] = []
        parts = labelled_parts(self.engine, texts, batch_size=batch_size)
        for part in whole_names(parts, self.scheme, self.labels):
            names += self.entities(part.text, part.tokens)
            if part.is_last:
                yield names
                names = []

    def entities(self, text: str, answer: TokenLabels) -> list[Entity]:
        """Return the names that the labels of its tokens spell; the score of a name is the mean over its tokens."""
        labels = self.scheme.to_bio([*map(self.labels.get, answer.labels)], answer.offsets)
        names = token_labels_to_spans(labels, answer.offsets)
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
