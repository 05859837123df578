"""Tag names in texts with a saved model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.notice import show_value
from malmoi.data.numbers_given import is_number, is_whole_number
from malmoi.data.user_error import UserError
from malmoi.inference.answers import Answers, stream_answers
from malmoi.inference.batches import check_text
from malmoi.inference.found_names import Entity, FoundName, names_of_labels, scored_names
from malmoi.inference.labelled_tokens import TokenLabels
from malmoi.inference.name_alternatives import MOST_ANSWERS, Hypothesis, alternatives, best_hypotheses
from malmoi.inference.name_labels import name_labels
from malmoi.inference.name_probabilities import NameChain
from malmoi.inference.seams import whole_names
from malmoi.inference.text_model import TextModel
from malmoi.inference.token_labels import labelled_chunks, token_labels

__all__ = ["Entity", "Hypothesis", "Tagger"]


class Tagger(TextModel):
    """Find names, the same ones that evaluation counts. Offsets point into the user's own text, of any length."""

    task = "named-entities"

    def _understand_labels(self) -> None:
        self.scheme = read_label_scheme(list(self.labels.values()))
        """How the model writes names; `labels` are as it has them."""
        self.name_chain = NameChain(
            self.engine.chain(), name_labels(self.labels, self.scheme), self.engine.name_temperature
        )
        """What probabilities of names depend on, beside the scores of tokens."""

    @overload  # a string is an iterable of strings, too
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, *, batch_size: int = 32, min_score: float = 0.0
    ) -> list[Entity]: ...

    @overload
    def __call__(
        self, texts: Iterable[str], *, batch_size: int = 32, min_score: float = 0.0
    ) -> list[list[Entity]]: ...

    def __call__(
        self, texts: str | Iterable[str], *, batch_size: int = 32, min_score: float = 0.0
    ) -> list[Entity] | list[list[Entity]]:
        """Return the names of one text, or a list of the names of each of several texts.

        Raises:
            UserError: If what is given are no texts, or a text holds a lone surrogate, which is no character, or
                `min_score` is no probability.
        """
        if isinstance(texts, str):
            return next(self.tag([texts], batch_size=batch_size, min_score=min_score))
        return list(self.tag(texts, batch_size=batch_size, min_score=min_score))

    @overload
    def tag(self, texts: Sequence[str], *, batch_size: int = 32, min_score: float = 0.0) -> Answers[list[Entity]]: ...

    @overload
    def tag(self, texts: Iterable[str], *, batch_size: int = 32, min_score: float = 0.0) -> Iterator[list[Entity]]: ...

    def tag(self, texts: Iterable[str], *, batch_size: int = 32, min_score: float = 0.0) -> Iterator[list[Entity]]:
        """Return the names of each of several texts, in the order of the texts, one after the other.

        Args:
            texts: The texts, of any length. The answers to a list can also be indexed, and stay in memory; whatever
                else yields texts is answered as a stream, whose memory does not grow with their number.
            batch_size: How many windows of texts are answered at once, at most.
            min_score: How probable a name has to be: those below are left out.

        Raises:
            UserError: If what is given are no texts, a single string among them, or a text holds a lone surrogate,
                which is no character, or `min_score` is no probability.
        """
        if not is_number(min_score) or not 0 <= min_score <= 1:
            raise UserError(f"`min_score` must be a probability, from 0 to 1, got {min_score!r}.")
        return stream_answers(
            lambda checked: self._tag(checked, batch_size, min_score),
            texts,
            user="tagger",
            method="tag",
            batch_size=batch_size,
        )

    def _tag(self, texts: Iterable[str], batch_size: int, min_score: float) -> Iterator[list[Entity]]:
        """Yield the names of each text."""
        names: list[Entity] = []
        chunks = labelled_chunks(self.engine, texts, batch_size=batch_size)
        for parts in whole_names(chunks, self.scheme, self.labels):
            found = self.entities([part.text for part in parts], [part.tokens for part in parts])
            for part, entities in zip(parts, found):
                names += [entity for entity in entities if entity.score >= min_score]
                if part.is_last:
                    yield names
                    names = []

    def n_best(self, text: str, n: int = 5) -> list[Hypothesis]:
        """Return the most probable answers to a text, the best first: names, and how probable it is that they are all.

        Args:
            text: The text.
            n: How many answers, from 1 to 1,000, at most; a short text may have fewer.

        Raises:
            UserError: If it is no text, or holds a lone surrogate, which is no character, or `n` is no such whole
                number.
        """
        if not is_whole_number(n) or n < 1:
            raise UserError(f"`n` must be a whole number of at least 1, got {show_value(n)}.")
        if n > MOST_ANSWERS:
            raise UserError(
                f"`n` must be {MOST_ANSWERS:,} at most, as time and memory grow with it, got {show_value(n)}."
            )
        return best_hypotheses(text, self._answer(text), int(n), self.name_chain, self.scheme)

    def alternatives(self, text: str, start: int, end: int) -> list[tuple[str | None, float]]:
        """Return how probable each label is for exactly `text[start:end]`, the most probable first.

        `None` stands for no name with these ends. All probabilities together are 1.

        Raises:
            UserError: If it is no text, or holds a lone surrogate, which is no character, or no tokens begin and end
                there, so that no name can.
        """
        return alternatives(self._answer(text), start, end, self.name_chain)

    def entities(self, texts: Sequence[str], answers: Sequence[TokenLabels]) -> list[list[Entity]]:
        """Return the names that the labels of the tokens of each text spell, each with its probability.

        Args:
            texts: The texts.
            answers: The labels of their tokens.
        """
        found = [self.names(text, answer) for text, answer in zip(texts, answers, strict=True)]
        return scored_names(texts, answers, found, self.name_chain)

    def names(self, text: str, answer: TokenLabels) -> list[FoundName]:
        """Return the names that the labels of the tokens of a text spell, with their tokens."""
        return names_of_labels(text, [*map(self.labels.get, answer.labels)], answer.offsets, self.scheme)

    def _answer(self, text: str) -> TokenLabels:
        """Return the labels of the tokens of a text."""
        if not isinstance(text, str):
            raise UserError(f"Expected a text, got {type(text).__name__}.")
        check_text(text)
        return token_labels(self.engine, [text], batch_size=1)[0]
