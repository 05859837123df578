"""How probable it is that some tokens are a name: exactly these, with this label.

A tagger with a CRF gives every sequence of labels of a text a probability. That of a name is the sum over all of them
in which these tokens spell one name of this label that begins with the first token and ends with the last one. Given
the text, labels are a Markov chain, so it is a product: that the first token begins such a name, that each further one
goes on with it, and that the next one does not.

A tagger without a CRF labels every token by itself: the same product with probabilities that do not depend on the
label before.

Tokens without a label, as `[CLS]`, are no part of the chain. Those that have one, but no characters of their own, are,
and may have any. A text that is read in windows has a chain in each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.inference.chain_messages import (
    Array,
    LogMessages,
    Messages,
    Places,
    ProductMessages,
    Weights,
    WrittenChain,
    weights_of,
    write_out,
)
from malmoi.inference.engine import Chain
from malmoi.inference.name_labels import NameLabels, TypeLabels

TOKENS_AT_ONCE = 32_768


class ScoredTokens(NamedTuple):
    """The tokens that a tagger reads at once.

    Args:
        emissions: The score of every label of every token, `(length, labels)`.
        labelled: Whether each token has a label, `(length,)`.
        spelling: Whether it has characters of its own, too, so that its label says something of names, `(length,)`.
    """

    emissions: NDArray[np.floating]
    labelled: NDArray[np.bool_]
    spelling: NDArray[np.bool_]


class NameTokens(NamedTuple):
    """A name in some tokens: from the first one to the last (exclusive); both ends spell something."""

    first: int
    last: int
    label: str


@dataclass(frozen=True)
class NameChain:
    """What the probabilities of a tagger of names depend on, beside the scores of the tokens.

    Args:
        chain: The scores of its CRF; `None` if it has none.
        labels: How its labels write names.
        temperature: What all scores are divided by: more than 1 makes probabilities less extreme.
    """

    chain: Chain | None
    labels: NameLabels
    temperature: float = 1.0

    @cached_property
    def cooled(self) -> Chain:
        """The scores of the chain, divided by the temperature; without a CRF all are 0."""
        count = len(self.labels.names)
        if self.chain is None:
            return Chain(np.zeros(count), np.zeros((count, count)), np.zeros(count))
        return Chain(*(scores / self.temperature for scores in self.chain))

    @cached_property
    def weights(self) -> Weights | None:
        """The weights of this chain; `None` if its scores are too far apart for products."""
        return weights_of(self.cooled)

    def emissions(self, text: ScoredTokens) -> tuple[Array, NDArray[np.bool_]]:
        """Return the scores of the tokens of a chain, divided by the temperature, and which of them spell something.

        Without a CRF, those that spell nothing have no influence, and are left out.
        """
        kept = text.spelling if self.chain is None else text.labelled
        return np.asarray(text.emissions[kept], np.float64) / self.temperature, text.spelling[kept]

    def write_out(self, text: ScoredTokens) -> WrittenChain:
        """Return the chain of the tokens of a text that spell something, of which there must be any."""
        emissions, spelling = self.emissions(text)
        written = write_out(emissions, self.cooled)
        return written if spelling.all() else written.only(spelling)


def name_probabilities(
    texts: Sequence[ScoredTokens], names: Sequence[Sequence[NameTokens]], tagger: NameChain
) -> list[list[float]]:
    """Return the probability of each of the names of each text.

    Args:
        texts: The tokens of texts.
        names: The names in each; they may also overlap, as alternatives do.
        tagger: What gave the tokens their scores.
    """
    answers: list[list[float]] = [[] for _ in texts]
    for group in _groups(texts, names):
        chains = [tagger.emissions(texts[number]) for number in group]
        simple = [at for at, (_, spelling) in enumerate(chains) if spelling.all()]
        exact: list[int] = []
        if simple and tagger.weights is not None:
            messages = ProductMessages([chains[at][0] for at in simple], tagger.weights)
            exact = [group[at] for at, is_exact in zip(simple, messages.exact.tolist()) if is_exact]
            found = _of_texts(messages, *_placed([group[at] for at in simple], texts, names), tagger.labels)
            for number, probabilities in zip([group[at] for at in simple], found):
                answers[number] = probabilities
        for number in set(group) - set(exact):
            alone = LogMessages(*tagger.write_out(texts[number]))
            [answers[number]] = _of_texts(alone, *_placed([number], texts, names), tagger.labels)
    return answers


def _groups(texts: Sequence[ScoredTokens], names: Sequence[Sequence[NameTokens]]) -> Iterator[list[int]]:
    """Yield the numbers of the texts that have names, some at once."""
    group: list[int] = []
    tokens = 0
    for number, (text, of_text) in enumerate(zip(texts, names, strict=True)):
        if of_text:
            group.append(number)
            tokens += len(text.labelled)
        if tokens >= TOKENS_AT_ONCE:
            yield group
            group, tokens = [], 0
    if group:
        yield group


class _Places(NamedTuple):
    """The names of some texts, in tokens that spell something, counted through all texts.

    Args:
        first: The first token of each.
        length: How many it has.
        has_before: Whether there is a token before it in its text.
        has_after: Whether there is one after it.
    """

    first: Places
    length: Places
    has_before: NDArray[np.bool_]
    has_after: NDArray[np.bool_]

    def of(self, chosen: NDArray[np.int64]) -> "_Places":
        """Return those of some names."""
        return _Places(self.first[chosen], self.length[chosen], self.has_before[chosen], self.has_after[chosen])


def _placed(
    numbers: Sequence[int], texts: Sequence[ScoredTokens], names: Sequence[Sequence[NameTokens]]
) -> tuple[_Places, list[list[NameTokens]]]:
    """Return where the names of some texts are, and the names."""
    rows: list[tuple[int, int, bool, bool]] = []
    begin = 0
    for number in numbers:
        spelling = texts[number].spelling
        if spelling.all():
            count = len(spelling)
            spans = [(name.first, name.last) for name in names[number]]
        else:
            before = [0, *np.cumsum(spelling).tolist()]
            count = before[-1]
            spans = [(before[name.first], before[name.last]) for name in names[number]]
        rows += [(begin + first, last - first, first > 0, last < count) for first, last in spans]
        begin += count
    first, length, has_before, has_after = zip(*rows)
    placed = _Places(np.array(first), np.array(length), np.array(has_before), np.array(has_after))
    return placed, [list(names[number]) for number in numbers]


def _of_texts(
    messages: Messages, places: _Places, names: Sequence[Sequence[NameTokens]], labels: NameLabels
) -> list[list[float]]:
    """Return the probability of each name of each text."""
    types = [name.label for of_text in names for name in of_text]
    numbers: dict[str, list[int]] = {}
    for number, label in enumerate(types):
        numbers.setdefault(label, []).append(number)
    found = np.empty(len(types))
    for label, of_type in numbers.items():
        # longest first, so that those with further tokens are always the first ones
        chosen = np.array(of_type)[np.argsort(-places.length[of_type], kind="stable")]
        found[chosen] = _of_type(messages, places.of(chosen), labels.types[label], labels.inside_begins)
    probabilities = iter(found.tolist())
    return [[next(probabilities) for _ in of_text] for of_text in names]


def _of_type(messages: Messages, places: _Places, labels: TypeLabels, inside_begins: bool) -> Array:
    """Return the probability of each of several names of one type, the longest first."""
    first, length, has_before, has_after = places
    marginals = messages.marginals(first)
    # what sequences weigh in which the name so far ends with a label after which it may go on, and in which it is over
    opened = {label: marginals[label] for label in labels.begin}
    over = np.zeros(len(first))
    for label in labels.single:
        over += np.where(length == 1, marginals[label], 0)
    if inside_begins:
        before = first[has_before] - 1
        of_before = messages.marginals(before)
        for label in labels.inside:
            opened[label] = marginals[label]
            for other in labels.leave_open:
                opened[label][has_before] -= of_before[other] * messages.step(before, other, label)
            np.maximum(opened[label], 0, out=opened[label])
    for place in range(1, int(length[0])):
        longer = int(np.count_nonzero(length > place))
        here = first[:longer] + place - 1
        onward = {
            label: sum((of[:longer] * messages.step(here, at, label) for at, of in opened.items()), np.zeros(longer))
            for label in labels.go_on
        }
        for label in labels.end:
            over[:longer] += np.where(length[:longer] == place + 1, onward[label], 0)
        for label in {*opened, *labels.inside}:
            of = opened.setdefault(label, np.zeros(len(first)))
            of[:longer] = onward[label] if label in labels.inside else 0
    last = (first + length - 1)[has_after]
    for label, of in opened.items():
        goes_on = np.zeros(len(first))
        for following in labels.go_on:
            goes_on[has_after] += messages.step(last, label, following)
        over += of * np.maximum(1 - goes_on, 0)
    return np.minimum(over, 1)
