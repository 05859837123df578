"""What a tagger makes of probabilities of names: scores, `min_score`, n-best answers, alternatives, temperature."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.label_enumeration import Tokens
from support.tiny_models import bert_tokenizer, save, tiny_bert_tagger
from transformers import PreTrainedTokenizerBase

from malmoi.data.user_error import UserError
from malmoi.inference.found_names import in_windows
from malmoi.inference.labelled_tokens import TokenLabels, WindowScores
from malmoi.inference.name_alternatives import Hypothesis
from malmoi.inference.name_probabilities import NameTokens
from malmoi.inference.tagger import Tagger
from malmoi.inference.token_labels import token_labels
from malmoi.modeling import BiLstmCrfForTokenClassification

TEXTS = ["손흥민은", "가나다라", "abc", "비가 와"]
LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
LONG = "그는 서울로 갔다! 비가 와서 집에 있었다 abc. 손흥민은 춘천에서 태어났다. " * 6


@pytest.fixture(params=["strict", "free", "stock"])
def tagger(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    make_model: Callable[..., BiLstmCrfForTokenClassification],
    syllable_tokenizer: PreTrainedTokenizerBase,
) -> Tagger:
    """A tagger with a CRF, with one that allows every step, and one without a CRF."""
    if request.param == "stock":
        tokenizer: PreTrainedTokenizerBase = bert_tokenizer()
        return Tagger(save(tmp_path / "stock", tiny_bert_tagger(tokenizer, LABELS), tokenizer))
    strict = {} if request.param == "strict" else {"bio_constraints": False}
    model = make_model(vocab_size=len(syllable_tokenizer), initializer_range=1.0, **strict)
    model.classifier.weight.data *= 8  # labels that are not all equally probable
    return Tagger(save(tmp_path / "crf", model, syllable_tokenizer))


def scored(tagger: Tagger, text: str) -> Tokens:
    """Return the tokens of a text of a few characters, to be enumerated."""
    [answer] = token_labels(tagger.engine, [text], batch_size=1)
    [window] = answer.windows
    labels = [tagger.labels[index] for index in range(len(tagger.labels))]
    labelled = [label >= 0 for label in answer.labels]
    if tagger.engine.chain() is None:  # tokens without text have no influence, and would be many
        labelled = [start < end for start, end in answer.offsets]
    return Tokens(labels, window.emissions.astype(np.float64), tagger.engine.chain(), labelled, answer.offsets)


@pytest.mark.parametrize("text", TEXTS)
def test_the_score_of_a_name_is_its_exact_probability(tagger: Tagger, text: str) -> None:
    tokens = scored(tagger, text)
    every = tokens.names()
    names = {
        (tokens.offsets[first][0], tokens.offsets[last][1], label): p for (first, last, label), p in every.items()
    }
    for entity in tagger(text):
        assert entity.score == pytest.approx(names[entity[:3]], abs=1e-9)
    for (start, end, label), probability in names.items():
        found = dict(tagger.alternatives(text, start, end))
        assert found[label] == pytest.approx(probability, abs=1e-9)
        assert sum(found.values()) == pytest.approx(1)
        assert list(found.values()) == sorted(found.values(), reverse=True)
        assert set(found) == {"PS", "LC", None}


@pytest.mark.parametrize("text", TEXTS)
def test_the_best_answers_are_those_with_the_most_probable_names(tagger: Tagger, text: str) -> None:
    tokens = scored(tagger, text)
    expected: dict[tuple[tuple[int, int, str], ...], float] = {}
    for sequence, probability in tokens.sequences().items():
        # a name of spaces alone is none
        names = tuple(span for span, _ in tokens.names_of(sequence) if text[span[0] : span[1]].strip())
        expected[names] = expected.get(names, 0.0) + probability
    found = tagger.n_best(text, 400)
    answers = {tuple(entity[:3] for entity in each.entities): each.probability for each in found}
    assert len(answers) == len(found)
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)
    for names, probability in answers.items():
        assert probability == pytest.approx(expected[names], abs=1e-9)
    if len(found) < 400:
        assert sum(answers.values()) == pytest.approx(sum(expected.values()), abs=1e-6)
    chain = tagger.engine.chain()
    if chain is None or np.isinf(chain.transitions).any():  # no other sequence is read as the same names
        for count in (1, 2, 5):
            best = [each.probability for each in tagger.n_best(text, count)]
            assert best == pytest.approx(sorted(expected.values(), reverse=True)[:count], abs=1e-9)
    if chain is not None and np.isinf(chain.transitions).any():
        assert tagger.n_best(text, 1)[0].entities == tagger(text)


@pytest.mark.parametrize("text", ["👍👍", "가👍", "👍 가", "가 👍👍나"])
def test_emoji_and_spaces_make_no_names_and_take_nothing_from_the_answers(tagger: Tagger, text: str) -> None:
    found = tagger.n_best(text, 1000)
    assert sum(each.probability for each in found) == pytest.approx(1, abs=1e-6)
    visible = [entity.text.strip("👍") for each in found for entity in each.entities]
    assert all(name.strip() for name in visible)
    if not text.strip("👍"):
        assert [each.entities for each in found] == [[]]


@pytest.mark.parametrize("text", ["가👍👍", "👍👍가", "가👍👍나"])
def test_few_answers_are_as_probable_as_among_all(tagger: Tagger, text: str) -> None:
    """The best sequences need not spell all tokens of which emoji leave the same characters."""
    every = {tuple(entity[:3] for entity in each.entities): each.probability for each in tagger.n_best(text, 1000)}
    for count in (1, 2, 4):
        for each in tagger.n_best(text, count):
            assert each.probability == pytest.approx(every[tuple(entity[:3] for entity in each.entities)], abs=1e-9)


def test_names_below_the_least_score_are_left_out(tagger: Tagger) -> None:
    text = LONG[:60]
    entities = tagger(text)
    middle = sorted(entity.score for entity in entities)[len(entities) // 2]
    assert len(entities) > 0
    assert tagger(text, min_score=middle) == [entity for entity in entities if entity.score >= middle]
    assert [*tagger.tag([text, ""], min_score=1.0)] == [[entity for entity in entities if entity.score == 1], []]


def test_numbers_of_numpy_are_numbers(tagger: Tagger) -> None:
    text = "비가"
    assert tagger(text, min_score=np.float32(0.5)) == tagger(text, min_score=0.5)
    assert tagger(text, min_score=np.int64(1)) == tagger(text, min_score=1)
    assert tagger.n_best(text, np.int8(2)) == tagger.n_best(text, 2)
    start, end = np.array([0, 2])
    assert tagger.alternatives(text, start, end) == tagger.alternatives(text, 0, 2)


@pytest.mark.parametrize("min_score", [-0.1, 1.1, True, "0.5", float("nan")])
def test_a_least_score_that_is_no_probability_is_refused(tagger: Tagger, min_score: float) -> None:
    with pytest.raises(UserError, match="`min_score` must be a probability, from 0 to 1"):
        tagger("비가", min_score=min_score)


def test_what_no_answer_is_possible_to_is_said(tagger: Tagger) -> None:
    with pytest.raises(UserError, match="`n` must be a whole number of at least 1, got 0"):
        tagger.n_best("비가", 0)
    with pytest.raises(UserError, match="`n` must be 1,000 at most, as time and memory grow with it, got 1000000"):
        tagger.n_best("비가", 10**6)
    assert tagger.n_best("비가", 1000)
    with pytest.raises(UserError, match="Expected a text, got list"):
        tagger.n_best(["비가"])  # type: ignore[arg-type]
    with pytest.raises(UserError, match="lone surrogate"):
        tagger.alternatives("가\udfff", 0, 1)
    for start, end in [(1, 1), (0, 99), (-1, 1), (2, 1)]:
        with pytest.raises(UserError, match=f"No name can reach from character {start} to {end}: no tokens begin"):
            tagger.alternatives("비가", start, end)
    for start, end in [("a", 1), (True, 1), (0.0, 1), (0, 1.0), (0, None), ([], 10**5000)]:
        with pytest.raises(UserError, match="`start` and `end` must be numbers of characters, got "):
            tagger.alternatives("비가", start, end)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="No name can reach from character 0 to a number of thousands of digits"):
        tagger.alternatives("비가", 0, 10**5000)
    assert tagger.n_best("") == [Hypothesis([], 1.0)]


def test_scores_do_not_depend_on_the_other_texts(tagger: Tagger) -> None:
    texts = [LONG[first : first + length] for first, length in itertools.product(range(0, 40, 9), (1, 7, 30, 90))]
    together = tagger(texts)
    for text, entities in zip(texts, together, strict=True):
        alone = tagger(text)
        assert [entity[:3] for entity in entities] == [entity[:3] for entity in alone]
        assert [entity.score for entity in entities] == pytest.approx([entity.score for entity in alone], abs=1e-4)


def test_a_long_text_has_scores_and_alternatives_in_all_of_its_windows(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    tagger = Tagger(save(tmp_path, tiny_bert_tagger(tokenizer, LABELS), tokenizer))
    [answer] = token_labels(tagger.engine, [LONG], batch_size=8)
    assert len(answer.windows) > 5
    entities = tagger(LONG)
    assert len(entities) > 5
    assert all(0 < entity.score <= 1 for entity in entities)
    for entity in entities[:: len(entities) // 5]:
        found = dict(tagger.alternatives(LONG, entity.start, entity.end))
        assert found[entity.label] == pytest.approx(entity.score, abs=1e-5)
    first, second = tagger.n_best(LONG, 2)
    assert first.probability >= second.probability > 0
    assert first.entities != second.entities


def test_a_tagger_without_types_has_no_names(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    tagger = Tagger(save(tmp_path, tiny_bert_tagger(tokenizer, ["O"]), tokenizer))
    assert tagger("비가") == []
    assert tagger.n_best("비가") == [Hypothesis([], 1.0)]
    assert tagger.alternatives("비가", 0, 2) == [(None, 1.0)]


def test_a_text_that_is_read_in_pieces_has_best_answers(tagger: Tagger) -> None:
    text = LONG * 20
    [answer] = token_labels(tagger.engine, [text], batch_size=8)
    assert len(text) > 3072
    assert len(answer.windows) > 1
    first, second = tagger.n_best(text, 2)
    assert first.probability >= second.probability >= 0
    assert first.entities != second.entities
    assert all(text[name.start : name.end] == name.text for name in first.entities)


def test_a_temperature_in_the_config_makes_scores_less_extreme(saved_model: Path) -> None:
    text = "손흥민은 춘천에서"
    config = json.loads((saved_model / "config.json").read_text(encoding="utf-8"))
    exact = Tagger(saved_model)
    warm = {}
    for temperature in (1.0, 100.0):
        (saved_model / "config.json").write_text(json.dumps({**config, "name_temperature": temperature}))
        tagger = Tagger(saved_model)
        assert [entity[:3] for entity in tagger(text)] == [entity[:3] for entity in exact(text)]
        warm[temperature] = [probability for _, probability in tagger.alternatives(text, 0, 3)]
    assert warm[1.0] == [probability for _, probability in exact.alternatives(text, 0, 3)]
    tokens = scored(exact, text[:5])
    names = tokens.names(100.0)
    (saved_model / "config.json").write_text(json.dumps({**config, "name_temperature": 100.0}))
    found = dict(Tagger(saved_model).alternatives(text[:5], 0, 3))
    assert found["PS"] == pytest.approx(names[0, 2, "PS"], abs=1e-9)


@pytest.mark.parametrize("temperature", [0, -1, "warm", True, None])
def test_a_temperature_that_is_none_is_refused(saved_model: Path, temperature: object) -> None:
    config = json.loads((saved_model / "config.json").read_text(encoding="utf-8"))
    (saved_model / "config.json").write_text(json.dumps({**config, "name_temperature": temperature}))
    with pytest.raises(UserError, match=r"`name_temperature` in config.json must be a number from 0.001 to 1000, got"):
        Tagger(saved_model)


def windows_of(length: int, size: int, overlap: int) -> TokenLabels:
    """Return a text of so many tokens, of one character each, in windows between `[CLS]` and `[SEP]`."""
    answer = TokenLabels([], [], [], [])
    for start in range(0, length - overlap, size - overlap):
        stop = min(start + size, length)
        first = 0 if start == 0 else 1 + overlap // 2
        last = stop - start + 2 if stop == length else 1 + size - (overlap - overlap // 2)
        offsets = [(0, 0), *((at, at + 1) for at in range(start, stop)), (0, 0)]
        predictions = np.array([-100, *[0] * (stop - start), -100])
        answer.windows.append(
            WindowScores(len(answer.labels), (first, last), offsets, predictions, np.zeros((len(offsets), 2)))
        )
        answer.labels.extend(predictions[first:last].tolist())
        answer.offsets.extend(offsets[first:last])
    assert [start for start, end in answer.offsets if start < end] == list(range(length))
    return answer


def test_a_name_is_judged_where_all_of_it_is_seen() -> None:
    answer = windows_of(100, 20, 8)
    for first in range(100):
        for last in range(first + 1, min(first + 30, 101)):
            # the first token of the text is `[CLS]`, which is kept
            [(number, name)] = in_windows(answer, [NameTokens(first + 1, last + 1, "PS")])
            window = answer.windows[number]
            spans = window.offsets[name.first : name.last]
            assert window.kept[0] <= name.last - 1
            assert name.first < window.kept[1]
            if (
                any(set(answer.offsets[first + 1 : last + 1]) <= set(other.offsets) for other in answer.windows)
                and last - first <= 5
            ):
                assert spans == answer.offsets[first + 1 : last + 1]
            else:
                assert spans == answer.offsets[first + 1 : first + 1 + len(spans)]
                assert spans
