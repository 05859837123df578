"""What a chain of labels says of names, by going through every sequence of labels of a few tokens."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.data.alignment import Span, token_labels_to_spans
from malmoi.data.label_scheme import read_label_scheme
from malmoi.inference.engine import Chain
from malmoi.inference.name_labels import NameLabels, name_labels
from malmoi.inference.name_probabilities import ScoredTokens

SCHEMES = {
    "BIO": ["B-X", "I-X", "B-Y", "I-Y", "O"],
    "IOB1": ["I-X", "B-X", "I-Y", "O"],
    "bare": ["O", "X", "Y"],
    "BIOES": ["O", "B-X", "I-X", "E-X", "S-X"],
    "BILOU": ["U-X", "L-X", "I-X", "B-X", "O"],
    "a special label": ["[PAD]", "S-X", "B-X", "I-X", "E-X", "O"],
}


class Tokens(NamedTuple):
    """A few tokens, as a tagger has scored them.

    Args:
        labels: The labels of the tagger.
        emissions: The score of every label of every token.
        chain: The scores of its CRF, if it has one.
        labelled: Whether each token has a label.
        offsets: The characters of each.
    """

    labels: list[str]
    emissions: NDArray[np.float64]
    chain: Chain | None
    labelled: list[bool]
    offsets: list[tuple[int, int]]

    def scored(self) -> ScoredTokens:
        """Return the tokens as `name_probabilities` takes them."""
        labelled = np.array(self.labelled)
        return ScoredTokens(
            self.emissions, labelled, labelled & np.array([start < end for start, end in self.offsets])
        )

    def name_labels(self) -> NameLabels:
        """Return how the labels write names."""
        return name_labels(dict(enumerate(self.labels)), read_label_scheme(self.labels))

    def names_of(self, label_ids: Sequence[int]) -> list[tuple[Span, list[int]]]:
        """Return the names that labels of those tokens that have one spell."""
        ids = iter(label_ids)
        labels = [self.labels[next(ids)] if labelled else None for labelled in self.labelled]
        return token_labels_to_spans(read_label_scheme(self.labels).to_bio(labels, self.offsets), self.offsets)

    def sequences(self, temperature: float = 1.0) -> dict[tuple[int, ...], float]:
        """Return the probability of every sequence of labels of those tokens that have one."""
        emissions = self.emissions[self.labelled] / temperature
        count = len(self.labels)
        zero = Chain(np.zeros(count), np.zeros((count, count)), np.zeros(count))
        start, steps, end = (scores / temperature for scores in self.chain or zero)
        paths = list(itertools.product(range(count), repeat=len(emissions)))
        scores = np.array(
            [
                start[path[0]]
                + end[path[-1]]
                + sum(emissions[at, label] for at, label in enumerate(path))
                + sum(steps[pair] for pair in itertools.pairwise(path))
                for path in paths
            ]
        )
        weights = np.exp(scores - scores.max())
        return dict(zip(paths, (weights / weights.sum()).tolist()))

    def names(self, temperature: float = 1.0) -> dict[tuple[int, int, str], float]:
        """Return the probability of every name, by its first token, its last token, and its label."""
        found: dict[tuple[int, int, str], float] = {}
        for path, probability in self.sequences(temperature).items():
            for span, tokens in self.names_of(path):
                name = (tokens[0], tokens[-1], span.label)
                found[name] = found.get(name, 0.0) + probability
        return found
