"""The names that the labels of the tokens of a text spell, and where they are in the windows that were read."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from malmoi.data.alignment import Span, token_labels_to_spans
from malmoi.data.label_scheme import LabelScheme
from malmoi.data.token_windows import Offsets
from malmoi.inference.labelled_tokens import TokenLabels, WindowScores
from malmoi.inference.name_probabilities import NameChain, NameTokens, ScoredTokens, name_probabilities
from malmoi.modeling.name_edges import trim_name


class Entity(NamedTuple):
    """A name in a text: `text[start:end]`, in characters of the untouched text.

    `score` is the probability that exactly this is a name of this label.
    """

    start: int
    end: int
    label: str
    score: float
    text: str


class FoundName(NamedTuple):
    """A name without its probability: its characters, and its tokens in the text."""

    span: Span
    tokens: NameTokens


def names_of_labels(text: str, labels: Sequence[str | None], offsets: Offsets, scheme: LabelScheme) -> list[FoundName]:
    """Return the names that labels of tokens spell, without emoji and invisible characters at their ends.

    Args:
        text: The text.
        labels: The label of each token; `None` for a token without one.
        offsets: The characters of each token.
        scheme: How the labels write names.
    """
    names = []
    for span, tokens in token_labels_to_spans(scheme.to_bio(labels, offsets), offsets):
        start, end = trim_name(text, span.start, span.end)
        if any(offsets[token][0] < end and offsets[token][1] > start for token in tokens):
            tokens_of_name = NameTokens(tokens[0], tokens[-1] + 1, span.label)
            names.append(FoundName(Span(start, end, span.label), tokens_of_name))
    return names


def scored_names(
    texts: Sequence[str], answers: Sequence[TokenLabels], names: Sequence[Sequence[FoundName]], tagger: NameChain
) -> list[list[Entity]]:
    """Return names with their probabilities, which are those of their tokens.

    Args:
        texts: The texts.
        answers: What was read of each.
        names: The names in each, in their order.
        tagger: What gave the tokens their scores.
    """
    tokens: list[ScoredTokens] = []
    names_there: list[list[NameTokens]] = []
    for answer, of_text in zip(answers, names, strict=True):
        in_window: dict[int, list[NameTokens]] = {}
        for window, name in in_windows(answer, (name.tokens for name in of_text)):
            in_window.setdefault(window, []).append(name)
        tokens += [scored_tokens(answer.windows[window]) for window in in_window]
        names_there += in_window.values()
    scores = chain.from_iterable(name_probabilities(tokens, names_there, tagger))
    return [
        [Entity(*span, next(scores), text[span.start : span.end]) for span, _ in of_text]
        for text, of_text in zip(texts, names)
    ]


def scored_tokens(scores: WindowScores) -> ScoredTokens:
    """Return what probabilities of names need to know of the tokens of a window."""
    labelled = scores.predictions >= 0
    offsets = scores.offsets
    spelling = np.fromiter((start < end for start, end in offsets), bool, len(offsets))
    return ScoredTokens(scores.emissions, labelled, spelling & labelled)


def in_windows(answer: TokenLabels, names: Iterable[NameTokens]) -> Iterator[tuple[int, NameTokens]]:
    """Yield the window of each of several names of a text, and the tokens of the name there.

    It is the first one that keeps a token of the name and sees all of it. Of a name that is too long for that, what
    the first window sees of it has to do.

    Args:
        answer: What was read of the text.
        names: The names, in tokens of the text.
    """
    begins = [scores.first for scores in answer.windows]
    for name in names:
        length = name.last - name.first
        keeping = range(bisect_right(begins, name.first) - 1, max(bisect_left(begins, name.last), 1))
        for number in keeping:
            scores = answer.windows[number]
            first = name.first - scores.first + scores.kept[0]
            if len(begins) == 1 or (
                first >= 0 and scores.offsets[first : first + length] == answer.offsets[name.first : name.last]
            ):
                yield number, NameTokens(first, first + length, name.label)
                break
        else:
            scores = answer.windows[keeping[0]]
            first = name.first - scores.first + scores.kept[0]
            spelling = np.flatnonzero(scored_tokens(scores).spelling)
            yield keeping[0], NameTokens(first, min(first + length, int(spelling[-1]) + 1), name.label)
