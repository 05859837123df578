"""What else the names of a text might be: other labels of a stretch, and the most probable answers as a whole."""

import itertools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from malmoi.data.alignment import OUTSIDE, Span
from malmoi.data.label_scheme import LabelScheme
from malmoi.data.notice import show_value
from malmoi.data.numbers_given import is_whole_number
from malmoi.data.user_error import UserError
from malmoi.inference.best_sequences import FREE, best_sequences, chain_of_names, join_chains, probabilities_of_names
from malmoi.inference.chain_messages import WrittenChain
from malmoi.inference.found_names import Entity, FoundName, in_windows, names_of_labels, scored_names, scored_tokens
from malmoi.inference.labelled_tokens import TokenLabels
from malmoi.inference.name_probabilities import NameChain, NameTokens, name_probabilities
from malmoi.modeling.name_edges import trim_name

CANDIDATES, MOST_CANDIDATES = 4, 64
"""Among how many sequences of labels, for each answer that is asked for, answers are looked for at least, and at most.
"""
AT_ONCE = 64
"""So many answers are looked at together, as the ways of all their names take memory."""
MOST_WAYS = 256
"""In how many ways tokens may be the names of an answer, at most, for all of them to be added up."""
MOST_ANSWERS = 1000
"""How many answers there may be: time and memory grow with them, and those beyond are hardly ever probable."""


class Hypothesis(NamedTuple):
    """An answer to a text: names, and the probability that the text has these and no others."""

    entities: list[Entity]
    probability: float


def alternatives(answer: TokenLabels, start: int, end: int, tagger: NameChain) -> list[tuple[str | None, float]]:
    """Return how probable each label is for exactly a stretch of a text, the most probable first; `None` for no name.

    Args:
        answer: What was read of the text.
        start: Its first character in the text.
        end: The character after its last one.
        tagger: What gave the tokens their scores.

    Raises:
        UserError: If these are no places in a text, or no tokens begin and end there.
    """
    if not (is_whole_number(start) and is_whole_number(end)):
        raise UserError(
            f"`start` and `end` must be numbers of characters, got {show_value(start)} and {show_value(end)}."
        )
    spelling = [at for at in _spelling(answer) if start <= answer.offsets[at][0] and answer.offsets[at][1] <= end]
    if not spelling or (answer.offsets[spelling[0]][0], answer.offsets[spelling[-1]][1]) != (start, end):
        touched = [answer.offsets[at] for at in _spelling(answer)]
        near = [span for span in touched if span[0] < end and span[1] > start]
        mend = f"; the tokens there reach from {near[0][0]} to {near[-1][1]}" if near else ""
        raise UserError(
            f"No name can reach from character {show_value(start)} to {show_value(end)}: no tokens begin and end "
            f"there{mend}."
        )
    labels = list(tagger.labels.types)
    if not labels:
        return [(None, 1.0)]
    names = [NameTokens(spelling[0], spelling[-1] + 1, label) for label in labels]
    placed = list(in_windows(answer, names))
    tokens = scored_tokens(answer.windows[placed[0][0]])
    [probabilities] = name_probabilities([tokens], [[name for _, name in placed]], tagger)
    found: list[tuple[str | None, float]] = [*zip(labels, probabilities), (None, max(1 - sum(probabilities), 0.0))]
    return sorted(found, key=lambda each: -each[1])


def best_hypotheses(
    text: str, answer: TokenLabels, count: int, tagger: NameChain, scheme: LabelScheme
) -> list[Hypothesis]:
    """Return the most probable answers to a text, the best first.

    They are looked for among the best sequences of labels. Where no more than one sequence spells the same names, as
    in BIO with constrained steps or without a CRF, they are exactly the best ones. Probabilities are always exact.

    Args:
        text: The text.
        answer: What was read of it.
        count: How many, at most.
        tagger: What gave the tokens their scores.
        scheme: How its labels write names.
    """
    chains = []
    for window in answer.windows:
        tokens = scored_tokens(window)
        kept = np.zeros_like(tokens.spelling)
        kept[slice(*window.kept)] = True
        if (tokens.spelling & kept).any():
            chains.append(tagger.write_out(tokens._replace(spelling=tokens.spelling & kept)))
    if not chains:
        return [Hypothesis([], 1.0)]
    chain = join_chains(chains)
    answers = _distinct_answers(text, answer, count, chain, tagger, scheme)
    probabilities = _probabilities(text, answer, answers, chain, tagger)
    found = [(probability, members[0]) for probability, members in zip(probabilities, answers)]
    best = sorted(found, key=lambda each: -each[0])[:count]
    entities = scored_names([text] * len(best), [answer] * len(best), [names for _, names in best], tagger)
    return [Hypothesis(names, probability) for names, (probability, _) in zip(entities, best)]


def _probabilities(
    text: str,
    answer: TokenLabels,
    answers: Sequence[Sequence[list[FoundName]]],
    chain: WrittenChain,
    tagger: NameChain,
) -> list[float]:
    """Return the probability of each of some answers, whatever tokens its names have."""
    nothing = _no_names(text, answer)
    ways_of_names: dict[FoundName, list[NameTokens]] = {}  # answers have most of their names in common
    found: list[float] = []
    for first in range(0, len(answers), AT_ONCE):
        tags = []
        for members in answers[first : first + AT_ONCE]:
            for name in members[0]:
                if name not in ways_of_names:
                    ways_of_names[name] = _ways_of_name(text, answer, name, nothing)
            ways = _ways(members, [ways_of_names[name] for name in members[0]])
            tags.append([_tags(names, nothing) for names in ways])
        single = iter(probabilities_of_names(chain, [*itertools.chain.from_iterable(tags)], tagger.labels))
        found += [min(sum(itertools.islice(single, len(ways))), 1.0) for ways in tags]
    return found


def _distinct_answers(
    text: str, answer: TokenLabels, count: int, chain: WrittenChain, tagger: NameChain, scheme: LabelScheme
) -> list[list[list[FoundName]]]:
    """Return the names of the best sequences of labels: for each answer, those that are the same characters."""
    spelling = _spelling(answer)
    likely = chain_of_names(chain, tagger.labels)
    found: dict[tuple[Span, ...], dict[tuple[NameTokens, ...], list[FoundName]]] = {}
    for number, sequence in enumerate(best_sequences(likely, MOST_CANDIDATES * count)):
        if number >= CANDIDATES * count and len(found) >= count:
            break
        labels: list[str | None] = [None] * len(answer.labels)
        for token, label in zip(spelling, sequence, strict=True):
            labels[token] = tagger.labels.names[label]
        names = names_of_labels(text, labels, answer.offsets, scheme)
        members = found.setdefault(tuple(span for span, _ in names), {})
        members.setdefault(tuple(tokens for _, tokens in names), names)
    return [list(members.values()) for members in found.values()]


def _spelling(answer: TokenLabels) -> list[int]:
    """Return the tokens of a text that have a label and characters of their own."""
    return [
        token
        for token, (label, (start, end)) in enumerate(zip(answer.labels, answer.offsets))
        if label >= 0 and start < end
    ]


def _no_names(text: str, answer: TokenLabels) -> dict[int, str]:
    """Return the tag of each token that spells something where it is part of no name: emoji and spaces make none."""
    tags = {}
    for token in _spelling(answer):
        start, end = trim_name(text, *answer.offsets[token])
        tags[token] = FREE if start == end else OUTSIDE
    return tags


def _ways_of_name(text: str, answer: TokenLabels, name: FoundName, nothing: Mapping[int, str]) -> list[NameTokens]:
    """Return all tokens that are a name of the same characters, as emoji at its ends may be part of it or not."""
    spelling = list(nothing)
    begin, end = bisect_left(spelling, name.tokens.first), bisect_left(spelling, name.tokens.last)
    while begin < end and nothing[spelling[begin]] == FREE:
        begin += 1
    while begin < end and nothing[spelling[end - 1]] == FREE:
        end -= 1
    if begin == end:
        return [name.tokens]
    earliest, latest = begin, end
    while earliest > 0 and nothing[spelling[earliest - 1]] == FREE:
        earliest -= 1
    while latest < len(spelling) and nothing[spelling[latest]] == FREE:
        latest += 1
    left, right = answer.offsets[spelling[begin]][0], answer.offsets[spelling[end - 1]][1]
    firsts = [
        token
        for token in spelling[earliest : begin + 1]
        if trim_name(text, answer.offsets[token][0], right)[0] == name.span.start
    ]
    lasts = [
        token
        for token in spelling[end - 1 : latest]
        if trim_name(text, left, answer.offsets[token][1])[1] == name.span.end
    ]
    return [NameTokens(first, last + 1, name.span.label) for first in firsts for last in lasts]


def _ways(
    members: Sequence[Sequence[FoundName]], ways_of_names: Sequence[Sequence[NameTokens]]
) -> list[list[NameTokens]]:
    """Return in which tokens the names of an answer may be together.

    Args:
        members: Those that are known, one by one.
        ways_of_names: The tokens that each of the names may have.
    """
    known = [[tokens for _, tokens in names] for names in members]
    every: list[list[NameTokens]] = [[]]
    for of_name in ways_of_names:
        more = ([*way, tokens] for way in every for tokens in of_name if not way or way[-1].last <= tokens.first)
        every = [*itertools.islice(more, MOST_WAYS + 1)]
        if len(every) > MOST_WAYS:
            return known
    return [*known, *(way for way in every if way not in known)]


def _tags(names: Sequence[NameTokens], nothing: Mapping[int, str]) -> list[str]:
    """Return names as BIO tags of the tokens that spell something, of which `nothing` says what they are otherwise."""
    tags, spelling = list(nothing.values()), list(nothing)
    for first, last, label in names:
        begin, end = bisect_left(spelling, first), bisect_left(spelling, last)
        tags[begin:end] = ["B-" + label] + ["I-" + label] * (end - begin - 1)
    return tags
