"""Which of many unlabelled texts to label next: those from which a model would learn most.

A model learns most from what it is least sure of (uncertainty sampling; Lewis and Gale, 1994, arXiv:cmp-lg/9407020).
For a classifier that is one minus the probability of its class. For a tagger it follows from the probability of the
best sequence of labels (least confidence; Settles and Craven, 2008,
https://aclanthology.org/D08-1112): by itself, `sentence`, it prefers long sentences, as every further token makes an
answer less probable. Its logarithm per token, `token`, does not (maximum normalised log-probability; Shen et al.,
2017, arXiv:1707.05928).

So that no type takes all the room, kinds take turns: for names, the type of the name of which the model is least sure,
or none where it finds no name; for classes, the predicted one.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from malmoi.data.counted import counted
from malmoi.data.notice import notify
from malmoi.data.numbers_given import is_whole_number
from malmoi.data.text_content import letters_and_digits
from malmoi.data.user_error import UserError
from malmoi.inference.answers import check_batch_size, check_several, only_texts
from malmoi.inference.batches import text_chunks
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.found_names import Entity
from malmoi.inference.sequence_probabilities import sequence_probabilities
from malmoi.inference.shortlist import Candidate, Shortlist
from malmoi.inference.tagger import Tagger
from malmoi.inference.task_finding import find_task
from malmoi.inference.token_labels import token_labels

MEASURES = ("sentence", "token")
"""What the doubt of a tagger is: in the sentence as a whole, or per token."""
NO_NAME = ""
"""The kind of a sentence in which no name is found."""


class Limits(NamedTuple):
    """How short and how long a text may be to be suggested.

    Args:
        letters: How many letters and digits it has at least.
        characters: How many characters it has at most.
    """

    letters: int = 5
    characters: int = 500


LIMITS = Limits()


class Suggestion(NamedTuple):
    """A text that is worth labelling.

    Args:
        number: Which of the texts it is, counted from 0.
        text: The text.
        answer: What the model says of it: names, or a class.
        probability: How probable the model takes its answer as a whole.
        kind: The type or class for which it was chosen; empty where no name is found.
    """

    number: int
    text: str
    answer: list[Entity] | Classification
    probability: float
    kind: str


class _Answered(NamedTuple):
    """What a model says of a text, and how sure it is."""

    answer: list[Entity] | Classification
    probability: float
    kind: str
    doubt: float


def suggest(
    model: Tagger | Classifier | str | Path,
    texts: Iterable[str],
    *,
    count: int = 100,
    measure: str = MEASURES[0],
    limits: Limits = LIMITS,
    batch_size: int = 32,
) -> list[Suggestion]:
    """Return the texts from which a model would learn most, the most useful first, with its answers.

    The same texts in the same order give the same suggestions. Memory does not grow with the number of texts.

    Args:
        model: A tagger or classifier, or the folder or name of one.
        texts: The texts, each a sentence or so.
        count: How many are wanted; there are fewer if there are not so many different ones.
        measure: For a tagger, whether its doubt counts in the `sentence` as a whole, which prefers long ones, or per
            `token`. Of a classifier it is that in the text.
        limits: How short and how long a text may be.
        batch_size: How many texts are answered at once, at most.

    Raises:
        UserError: If `count` or `batch_size` is no positive whole number, there is no such measure or model, the model
            is one for word spacing, or what is given are no texts.
    """
    if not is_whole_number(count) or count < 1:
        raise UserError(f"`count` must be a whole number of at least 1, got {count!r}.")
    check_measure(measure)
    check_batch_size(batch_size)
    if isinstance(texts, str):
        raise UserError("`suggest` takes a list of texts, got a single one.")
    check_several(texts, method="suggest")
    if isinstance(model, (str, Path)):
        model = load_suggester(model)
    answered = _answering(model, measure, batch_size)
    fitting = _Fitting(texts, limits)
    shortlist: Shortlist[_Answered] = Shortlist(count)
    for chunk in text_chunks(fitting):
        for text, answer in zip(chunk, answered(chunk)):
            number = fitting.numbers.popleft()
            if answer is not None:
                shortlist.add(Candidate(number, text, answer.kind, answer.doubt, answer))
    fitting.say()
    chosen = shortlist.chosen()
    if len(chosen) < count:
        ones = "one" if len(chosen) == 1 else "ones"
        notify(
            f"of {counted(fitting.read, 'text')} there are no more than {len(chosen):,} different {ones} to suggest."
        )
    return [
        Suggestion(each.number, each.text, each.answer.answer, each.answer.probability, each.kind) for each in chosen
    ]


def check_measure(measure: str) -> None:
    """Check the name of a measure of doubt.

    Raises:
        UserError: If there is no such measure.
    """
    if measure not in MEASURES:
        raise UserError(f"`measure` must be one of {', '.join(MEASURES)}, got {measure!r}.")


def load_suggester(model: str | Path) -> Tagger | Classifier:
    """Return a model that can suggest texts.

    Args:
        model: Its folder, or its name.

    Raises:
        UserError: If there is no such model, or it is one for another task.
    """
    return Tagger(model) if suggesting_task(model) == Tagger.task else Classifier(model)


def suggesting_task(model: str | Path, *, trust_remote_code: bool = False) -> str:
    """Return the task of a model that can suggest texts, without loading it.

    Args:
        model: Its folder, or its name.
        trust_remote_code: Whether code that comes with the model may run.

    Raises:
        UserError: If there is no such model, or it is one for another task.
    """
    task = find_task(model, trust_remote_code=trust_remote_code)
    if task not in (Tagger.task, Classifier.task):
        raise UserError(
            f"{model}: texts are suggested by models for {Tagger.task} or {Classifier.task}; it is for {task}."
        )
    return task


class _Fitting:
    """The texts that are neither too short nor too long, and how many were."""

    def __init__(self, texts: Iterable[str], limits: Limits):
        self._texts = texts
        self._limits = limits
        self.numbers: deque[int] = deque()
        """Which of the texts those are that were given last."""
        self.read = self._short = self._long = 0

    def __iter__(self) -> Iterator[str]:
        for number, text in enumerate(only_texts(self._texts)):
            self.read += 1
            if len(text) > self._limits.characters:
                self._long += 1
            elif len(letters_and_digits(text)) < self._limits.letters:
                self._short += 1
            else:
                self.numbers.append(number)
                yield text

    def say(self) -> None:
        """Say how many were left out, if any."""
        for count, why in (
            (self._short, f"fewer than {self._limits.letters} letters and digits"),
            (self._long, f"more than {self._limits.characters:,} characters"),
        ):
            if count:
                have, are = ("has", "is") if count == 1 else ("have", "are")
                notify(f"{count:,} of {counted(self.read, 'text')} {have} {why} and {are} left out.")


def _answering(
    model: Tagger | Classifier, measure: str, batch_size: int
) -> Callable[[Sequence[str]], Iterable[_Answered | None]]:
    """Return what answers some texts: `None` for one that has nothing to be unsure of."""
    if isinstance(model, Tagger):
        return partial(_tagged, model, measure == "token", batch_size)
    if isinstance(model, Classifier):
        return partial(_classified, model, batch_size)
    raise UserError(f"Texts are suggested by a Tagger or a Classifier, got {type(model).__name__}.")


def _tagged(tagger: Tagger, per_token: bool, batch_size: int, texts: Sequence[str]) -> Iterator[_Answered | None]:
    answers = token_labels(tagger.engine, texts, batch_size=batch_size)
    sequences = sequence_probabilities(answers, tagger.name_chain)
    for entities, (log, tokens) in zip(tagger.entities(texts, answers), sequences):
        if not tokens:
            yield None
            continue
        kind = min(entities, key=lambda entity: entity.score).label if entities else NO_NAME
        yield _Answered(entities, math.exp(log), kind, -log / tokens if per_token else -log)


def _classified(classifier: Classifier, batch_size: int, texts: Sequence[str]) -> Iterator[_Answered]:
    for answer in classifier.classify(texts, batch_size=batch_size):
        yield _Answered(answer, answer.score, answer.label, 1 - answer.score)
