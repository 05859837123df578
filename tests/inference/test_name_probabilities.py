import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.label_enumeration import SCHEMES, Tokens

from malmoi.inference.best_sequences import best_sequences, join_chains, probabilities_of_names
from malmoi.inference.chain_messages import LogMessages, ProductMessages, WrittenChain, weights_of, write_out
from malmoi.inference.engine import Chain
from malmoi.inference.name_probabilities import NameChain, NameTokens, ScoredTokens, name_probabilities


@st.composite
def some_tokens(draw: st.DrawFn) -> Tokens:
    """Return one to five tokens with scores of any size, in a chain with forbidden steps or in none."""
    labels = SCHEMES[draw(st.sampled_from(sorted(SCHEMES)))]
    length = draw(st.integers(1, 5 if len(labels) < 6 else 4))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    size = draw(st.sampled_from([0.0, 1.0, 5.0, 50.0, 60.0, 500.0, 1e4]))
    emissions = random.uniform(-size, size, (length, len(labels)))
    chain = None
    if draw(st.booleans()):
        size = draw(st.sampled_from([0.0, 2.0, 30.0, 50.0, 1e4]))
        start, end = random.uniform(-size, size, (2, len(labels)))
        steps = random.uniform(-size, size, (len(labels), len(labels)))
        share = draw(st.sampled_from([0.0, 0.3]))
        outside = labels.index("O")  # is always allowed, so that there is a sequence
        for scores in (start, end, steps):
            forbidden = random.random(scores.shape) < share
            forbidden[..., outside] = False
            if forbidden.ndim == 2:
                forbidden[outside] = False
            scores[forbidden] = -np.inf
        chain = Chain(start, steps, end)
    labelled = draw(st.lists(st.booleans(), min_size=length, max_size=length)) if draw(st.booleans()) else []
    labelled = labelled if any(labelled) else [True] * length
    empty = (
        draw(st.lists(st.booleans(), min_size=length, max_size=length)) if draw(st.booleans()) else [False] * length
    )
    offsets = [(at, at if is_empty else at + 1) for at, is_empty in enumerate(empty)]
    return Tokens(labels, emissions, chain, labelled, offsets)


def all_names(tokens: Tokens) -> list[NameTokens]:
    """Return all names that there could be."""
    spelling = np.flatnonzero(tokens.scored().spelling).tolist()
    return [
        NameTokens(first, last + 1, label)
        for first in spelling
        for last in spelling
        if first <= last
        for label in tokens.name_labels().types
    ]


@given(st.lists(some_tokens(), min_size=1, max_size=3), st.sampled_from([1.0, 0.5, 3.0]))
def test_the_probability_of_a_name_is_the_sum_over_all_sequences_that_spell_it(
    several: list[Tokens], temperature: float
) -> None:
    # those of the same tagger together: other texts have no influence
    tagger = several[0]
    texts = [tagger, *(each for each in several[1:] if each.labels == tagger.labels)]
    texts = [text._replace(chain=tagger.chain) for text in texts]
    names = [all_names(text) for text in texts]
    found = name_probabilities(
        [text.scored() for text in texts], names, NameChain(tagger.chain, tagger.name_labels(), temperature)
    )
    for text, of_text, probabilities in zip(texts, names, found, strict=True):
        expected = text.names(temperature)
        assert probabilities == pytest.approx(
            [expected.get((name.first, name.last - 1, name.label), 0.0) for name in of_text], abs=1e-9
        )


@given(some_tokens())
def test_products_and_logarithms_say_the_same(tokens: Tokens) -> None:
    emissions = np.clip(tokens.emissions, -20, 20)
    count = len(tokens.labels)
    chain = tokens.chain or Chain(np.zeros(count), np.zeros((count, count)), np.zeros(count))
    chain = Chain(*(np.where(np.isfinite(scores), np.clip(scores, -20, 20), -np.inf) for scores in chain))
    weights = weights_of(chain)
    assert weights is not None
    products, logarithms = ProductMessages([emissions], weights), LogMessages(*write_out(emissions, chain))
    assert products.exact.tolist() == [True]
    places = np.arange(len(emissions))
    np.testing.assert_allclose(products.marginals(places), logarithms.marginals(places), atol=1e-12)
    for label in range(count):
        for following in range(count):
            steps = [each.step(places[:-1], label, following) for each in (products, logarithms)]
            np.testing.assert_allclose(*steps, atol=1e-12)


@pytest.mark.parametrize("size", [3.0, 300.0, 1e4])
def test_a_text_may_have_ten_thousand_tokens(size: float) -> None:
    labels = SCHEMES["BIO"]
    emissions = np.zeros((10_000, len(labels)))
    emissions[:, labels.index("O")] = size
    emissions[5000] = emissions[5001] = -size
    emissions[5000, labels.index("B-X")] = emissions[5001, labels.index("I-X")] = size
    every = np.ones(10_000, bool)
    tagger = NameChain(None, Tokens(labels, emissions, None, [], []).name_labels())
    names = [NameTokens(5000, 5002, "X"), NameTokens(5000, 5003, "X"), NameTokens(9999, 10_000, "Y")]
    [found] = name_probabilities([ScoredTokens(emissions, every, every)], [names], tagger)
    sure, unsure = np.exp(min(size, 300.0)), np.exp(-min(size, 300.0))
    right = (sure / (sure + 4 * unsure)) ** 2
    further = 1 / (4 + sure)
    assert found == pytest.approx([right * (1 - further), right * further * (1 - further), further], abs=1e-12)


def test_labels_that_drift_apart_without_end_are_computed_in_logarithms() -> None:
    # no label can follow another, so that weights go apart by ten at every token
    steps = np.where(np.eye(2, dtype=bool), 0.0, -np.inf)
    emissions = np.tile([[10.0, 0.0]], (1000, 1))
    chain = Chain(np.zeros(2), steps, np.array([-9999.0, 0.0]))
    assert weights_of(chain) is None
    weights = weights_of(chain._replace(end=np.zeros(2)))
    assert weights is not None
    assert ProductMessages([emissions, emissions[:3]], weights).exact.tolist() == [False, True]
    tokens = Tokens(["X", "O"], emissions, chain, [], [])
    every = np.ones(1000, bool)
    [found] = name_probabilities(
        [ScoredTokens(emissions, every, every)], [[NameTokens(0, 1000, "X")]], NameChain(chain, tokens.name_labels())
    )
    assert found == pytest.approx([1 / (1 + np.exp(-1.0))], abs=1e-9)


@given(some_tokens(), st.sampled_from([1.0, 2.0]))
def test_the_best_sequences_are_the_best_of_all(tokens: Tokens, temperature: float) -> None:
    labelled = tokens._replace(offsets=[(at, at + 1) for at in range(len(tokens.offsets))])
    chain = NameChain(tokens.chain, tokens.name_labels(), temperature).write_out(labelled.scored())
    every = labelled.sequences(temperature)
    found = [*best_sequences(chain, 7)]
    assert len({tuple(sequence) for sequence in found}) == len(found)
    highest = sorted(every.values(), reverse=True)[: len(found)]
    assert [every[tuple(sequence)] for sequence in found] == pytest.approx(highest, abs=1e-9)
    assert len(found) == 7 or sum(highest) == pytest.approx(1)


@given(some_tokens(), st.integers(1, 400))
def test_all_sequences_can_be_had_in_their_order(tokens: Tokens, count: int) -> None:
    labelled = tokens._replace(offsets=[(at, at + 1) for at in range(len(tokens.offsets))])
    chain = NameChain(tokens.chain, tokens.name_labels()).write_out(labelled.scored())
    every = labelled.sequences(1.0)
    found = [tuple(sequence) for sequence in best_sequences(chain, count)]
    assert len({*found}) == len(found) >= min(count, sum(probability > 0 for probability in every.values()))
    highest = sorted(every.values(), reverse=True)[: len(found)]
    assert [every[sequence] for sequence in found] == pytest.approx(highest, abs=1e-9)


def test_the_best_sequences_of_a_long_text_take_little_memory() -> None:
    random = np.random.default_rng(0)
    tokens, labels, count = 2000, 9, 2000
    emissions = random.normal(size=(tokens, labels))
    nowhere = np.zeros(labels)
    chain = WrittenChain(emissions, nowhere, np.zeros((tokens - 1, labels, labels)), nowhere)
    tracemalloc.start()
    found = [tuple(sequence) for sequence in best_sequences(chain, count)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len({*found}) == count
    scores = [emissions[np.arange(tokens), sequence].sum() for sequence in found]
    assert scores == sorted(scores, reverse=True)
    # a table of all ways would have taken `tokens * count * labels` numbers: 288 MB
    assert peak < 100e6


@given(some_tokens())
def test_the_probability_of_an_answer_is_that_of_all_sequences_that_spell_its_names(tokens: Tokens) -> None:
    spelling = np.flatnonzero(tokens.scored().spelling).tolist()
    if not spelling:
        return
    tagger = NameChain(tokens.chain, tokens.name_labels())
    chain = tagger.write_out(tokens.scored())
    answers: dict[tuple[str, ...], float] = {}
    for sequence, probability in tokens.sequences().items():
        tags = ["O"] * len(spelling)
        for span, numbers in tokens.names_of(sequence):
            for number in numbers:
                tags[spelling.index(number)] = ("B-" if number == numbers[0] else "I-") + span.label
        answers[tuple(tags)] = answers.get(tuple(tags), 0.0) + probability
    found = probabilities_of_names(chain, [*answers], tagger.labels)
    assert found == pytest.approx([*answers.values()], abs=1e-9)


@given(some_tokens(), some_tokens())
def test_chains_one_after_the_other_have_no_influence_on_each_other(first: Tokens, second: Tokens) -> None:
    second = second if second.labels == first.labels else first
    chains = []
    for tokens in (first, second):
        labelled = tokens._replace(offsets=[(at, at + 1) for at in range(len(tokens.offsets))])
        chains.append(NameChain(tokens.chain, tokens.name_labels()).write_out(labelled.scored()))
    [best] = best_sequences(join_chains(chains), 1)
    [[before], [after]] = [best_sequences(chain, 1) for chain in chains]
    assert best == before + after


@given(st.integers(0, 10**6), st.sampled_from([3.0, 10.0, 40.0, 54.0]))
def test_what_is_said_to_be_exact_in_products_is(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    emissions = random.choice([-size, size], (30, 4))
    scores = [random.choice([-size, size, -np.inf], shape, p=[0.5, 0.3, 0.2]) for shape in (4, (4, 4), 4)]
    for each in scores:
        each[..., 0] = -size  # one label is always allowed
    chain = Chain(*scores)
    weights = weights_of(chain)
    assert weights is not None
    products, logarithms = ProductMessages([emissions], weights), LogMessages(*write_out(emissions, chain))
    places = np.arange(30)
    assume(products.exact.all())
    np.testing.assert_allclose(products.marginals(places), logarithms.marginals(places), atol=1e-9)
    assert products.marginals(places).sum(axis=0) == pytest.approx(1)
