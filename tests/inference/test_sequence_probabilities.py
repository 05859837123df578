"""How probable the labels of a text are, against going through every sequence of labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.label_enumeration import SCHEMES, Tokens

from malmoi.inference import sequence_probabilities as module
from malmoi.inference.engine import Chain
from malmoi.inference.labelled_tokens import TokenLabels, WindowScores, no_tokens
from malmoi.inference.name_probabilities import NameChain
from malmoi.inference.sequence_probabilities import log_weights, sequence_probabilities

BIO = SCHEMES["BIO"]


def random_chain(random: np.random.Generator, labels: int, size: float) -> Chain:
    """Return a chain in which a third of the steps are forbidden, but none to or from the last label."""
    start, end = random.uniform(-size, size, (2, labels))
    steps = random.uniform(-size, size, (labels, labels))
    forbidden = random.random(steps.shape) < 0.3
    forbidden[-1] = forbidden[:, -1] = False
    return Chain(start, np.where(forbidden, -np.inf, steps), end)


@st.composite
def some_texts(draw: st.DrawFn) -> tuple[list[Tokens], Chain | None]:
    """Return texts of one to four tokens, of which some have no label, and the chain of their tagger or none."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    size = draw(st.sampled_from([0.0, 1.0, 20.0, 1e3]))
    chain = random_chain(random, len(BIO), draw(st.sampled_from([0.0, 2.0, 500.0]))) if draw(st.booleans()) else None
    texts = []
    for length in draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)):
        emissions = random.uniform(-size, size, (length, len(BIO)))
        labelled = (random.random(length) < 0.8).tolist()
        labelled = labelled if any(labelled) else [True] * length
        texts.append(Tokens(BIO, emissions, chain, labelled, [(at, at + 1) for at in range(length)]))
    return texts, chain


def answer_of(text: Tokens, path: tuple[int, ...]) -> TokenLabels:
    """Return a text with these labels, as a tagger answers."""
    ids = iter(path)
    labels = [next(ids) if labelled else -1 for labelled in text.labelled]
    window = WindowScores(0, (0, len(labels)), text.offsets, np.array(labels), text.emissions)
    return TokenLabels(labels, [1.0] * len(labels), text.offsets, [window])


@given(some_texts(), st.sampled_from([1.0, 3.0]))
def test_the_best_sequence_is_as_probable_as_among_all(
    given_texts: tuple[list[Tokens], Chain | None], temperature: float
) -> None:
    texts, chain = given_texts
    tagger = NameChain(chain, texts[0].name_labels(), temperature)
    best = [max(text.sequences(temperature).items(), key=lambda each: each[1]) for text in texts]
    found = sequence_probabilities([answer_of(text, path) for text, (path, _) in zip(texts, best)], tagger)
    assert [math.exp(each.log_probability) for each in found] == pytest.approx([p for _, p in best], abs=1e-9)
    assert [each.tokens for each in found] == [sum(text.labelled) for text in texts]


def test_windows_count_together_and_a_text_without_tokens_is_certain() -> None:
    random = np.random.default_rng(3)
    chain = random_chain(random, len(BIO), 2.0)
    parts = [Tokens(BIO, random.normal(size=(3, len(BIO))), chain, [True] * 3, [(0, 1), (1, 2), (2, 3)])] * 2
    whole = no_tokens()
    for part in parts:
        whole.extend(answer_of(part, (4, 0, 4)))
    tagger = NameChain(chain, parts[0].name_labels())
    [of_part] = sequence_probabilities([answer_of(parts[0], (4, 0, 4))], tagger)
    [nothing, together] = sequence_probabilities([no_tokens(), whole], tagger)
    assert nothing == (0.0, 0)
    assert together.log_probability == pytest.approx(2 * of_part.log_probability)
    assert together.tokens == 6


def test_how_many_texts_are_computed_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    chain = random_chain(random, 4, 3.0)
    rows = [random.normal(size=(length, 4)) for length in (1, 7, 3, 3, 12, 2)]
    together = log_weights(rows, chain)
    monkeypatch.setattr(module, "STEPS_AT_ONCE", 33)  # two texts
    assert log_weights(rows, chain) == pytest.approx(together)
    assert [*log_weights(rows[3:4], chain)] == pytest.approx([together[3]])
