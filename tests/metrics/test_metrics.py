import pickle
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from sklearn.metrics import f1_score as tag_f1_score

from malmoi.data.alignment import tags_to_spans, tags_to_token_labels
from malmoi.data.readers.klue_ner import KLUE_LABELS
from malmoi.metrics.counts import EntityCounts, TagCounts
from malmoi.metrics.klue_official import Subword, official_character_tags
from malmoi.metrics.named_entities import DEFINITIONS, NO_SPACES, NamedEntityMetrics, describe_names
from malmoi.metrics.tokenized_sentence import TokenizedSentence

TAGS = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]
SEQUENCES = st.lists(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1), min_size=1)


@given(SEQUENCES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_entity_scores_equal_those_of_seqeval(pairs: list[list[tuple[str, str]]]) -> None:
    gold = [[a for a, _ in sentence] for sentence in pairs]
    predicted = [[b for _, b in sentence] for sentence in pairs]
    counts = EntityCounts()
    for expected, found in zip(gold, predicted):
        counts.update(tags_to_spans(expected), tags_to_spans(found))
    options = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    precision, recall, f1 = counts.micro()
    assert precision == pytest.approx(precision_score(gold, predicted, **options))
    assert recall == pytest.approx(recall_score(gold, predicted, **options))
    assert f1 == pytest.approx(f1_score(gold, predicted, **options))
    if counts.gold or counts.predicted:
        assert counts.macro_f1() == pytest.approx(f1_score(gold, predicted, average="macro", **options))


@given(SEQUENCES)
def test_tag_scores_equal_those_of_scikit_learn(pairs: list[list[tuple[str, str]]]) -> None:
    counts = TagCounts()
    for sentence in pairs:
        counts.update([a for a, _ in sentence], [b for _, b in sentence])
    gold, predicted = zip(*[pair for sentence in pairs for pair in sentence])
    for macro_f1, absent in ((counts.macro_f1, 0.0), (counts.klue_macro_f1, 1.0)):
        expected = tag_f1_score(gold, predicted, labels=TAGS, average="macro", zero_division=absent)
        assert macro_f1(TAGS) == pytest.approx(expected)


def official(words: list[list[tuple[str, bool]]], predictions: list[str]) -> list[str]:
    return official_character_tags([[Subword(*piece) for piece in word] for word in words], predictions)


def test_official_tags_of_known_words() -> None:
    assert official([[("한국", True), ("은행", True)], [("은", True)]], ["B-OG", "I-OG", "O"]) == [
        *("O", "B-OG", "I-OG", "I-OG", "I-OG", "O", "O")
    ]


def test_official_tags_after_an_unknown_word_lag_by_one() -> None:
    """The fault that costs a perfect tagger points: the second word reads the prediction of the first."""
    assert official([[("찝찝", False)], [("서울", True)]], ["O", "B-LC"]) == ["O", "O", "O", "O", "O", "O"]


def test_official_tags_spread_an_unknown_piece_up_to_the_next_known_one() -> None:
    """The example in KLUE-baseline's own docstring: `베쏭이,제5원소`."""
    word = [("베쏭이", False), (",", True), ("제", True), ("5", True), ("원", True), ("소", True)]
    predictions = ["B-PS", "O", "B-OG", "I-OG", "I-OG", "I-OG"]
    expected = ["B-PS", "I-PS", "I-PS", "O", "O", "B-OG", "I-OG", "I-OG"]
    # `,` moves on to its own prediction but not past it, so `제` reads that of `,` again
    assert official([word], predictions) == ["O", *expected, "O"]


def test_official_tags_of_an_unknown_word_with_a_long_known_piece_lose_characters() -> None:
    word = [("미나", True), ("藤", False), ("가", True)]
    assert official([word], ["B-PS", "I-PS", "O"]) == ["O", "B-PS", "I-PS", "O", "O"]


def test_official_tags_stop_at_the_maximum_length() -> None:
    tags = official([[("가", True)] * 600], ["B-PS"] * 600)
    assert len(tags) == 1 + 508 + 1


def sentence(text: str, tags: list[str], unknown: set[int] = frozenset()) -> TokenizedSentence:  # type: ignore[assignment]
    offsets = [(i, i + 1) for i in range(len(text))]
    return TokenizedSentence(text, tags, offsets, [i in unknown for i in range(len(text))])


def test_a_perfect_tagger_reaches_one_everywhere() -> None:
    metrics = NamedEntityMetrics(KLUE_LABELS, training_names={"민수"})
    tags = ["B-PS", "I-PS", "O", "O", "B-LC", "I-LC", "I-LC", "I-LC"]
    metrics.update(sentence("민수는 부산 역", tags), tags, tags)
    figures = metrics.compute()
    # the one that is left out is measured on other texts
    assert {name: figures[name] for name in DEFINITIONS if name in figures} == dict.fromkeys(
        [name for name in DEFINITIONS if name != NO_SPACES], 1.0
    )
    assert figures["f1/PS"] == figures["recall/LC"] == 1.0


def test_unknown_characters_lower_the_official_figures_only() -> None:
    metrics = NamedEntityMetrics(KLUE_LABELS)
    tags = ["O", "O", "B-LC", "I-LC", "O"]
    metrics.update(sentence("옭 서울은", tags, unknown={0}), tags, tags)
    figures = metrics.compute()
    assert figures["entity_f1"] == figures["klue_entity_f1_aligned"] == figures["klue_char_f1_aligned"] == 1.0
    assert figures["klue_entity_f1"] < 1
    assert figures["klue_char_f1"] < 1


def test_memory_does_not_grow_with_the_set() -> None:
    metrics = NamedEntityMetrics(KLUE_LABELS)
    tags = ["B-PS", "I-PS", "O", "O", "B-LC", "I-LC", "I-LC", "I-LC"]
    sizes = []
    for _ in range(3):
        for _ in range(100):
            metrics.update(sentence("민수는 부산 역", tags), tags, tags)
        sizes.append(len(pickle.dumps(metrics)))
    # counts take a byte more now and then; a list of 100 sentences would take thousands
    assert sizes[2] - sizes[1] < 200


def test_a_wrong_right_hand_boundary_counts_for_characters_but_not_for_tokens() -> None:
    """`<서울:LC>에서` as one token: seqeval over tokens sees nothing wrong."""
    metrics = NamedEntityMetrics(KLUE_LABELS)
    tags = ["B-LC", "I-LC", "O", "O"]
    tokens = TokenizedSentence("서울에서", tags, [(0, 4)], [False])
    labels = tags_to_token_labels(tags, tokens.offsets)
    metrics.update(tokens, labels, labels)
    figures = metrics.compute()
    assert figures["token_f1"] == 1.0
    assert figures["entity_f1"] == 0.0


def test_spaces_at_the_edge_of_a_name_matter_to_exact_characters_only() -> None:
    metrics = NamedEntityMetrics(KLUE_LABELS)
    gold = ["O", "B-LC", "I-LC", "I-LC"]
    metrics.update(sentence("역 서울", gold), ["O", "O", "B-LC", "I-LC"], gold)
    figures = metrics.compute()
    assert figures["entity_f1"] == 0.0
    assert figures["klue_entity_f1_aligned"] == 1.0


def test_token_f1_equals_seqeval_with_its_default_reading() -> None:
    generator = random.Random(0)
    metrics, all_gold, all_predicted = NamedEntityMetrics(TAGS), [], []
    for _ in range(50):
        length = generator.randint(1, 12)
        gold, predicted = ([generator.choice(TAGS) for _ in range(length)] for _ in range(2))
        metrics.update(sentence("가" * length, gold), predicted, gold)
        all_gold.append(gold)
        all_predicted.append(predicted)
    assert metrics.compute()["token_f1"] == pytest.approx(f1_score(all_gold, all_predicted))


def test_official_figures_equal_seqeval_and_scikit_learn_over_one_joined_sequence() -> None:
    """KLUE-baseline joins all sentences into one sequence; counting sentence by sentence must not differ."""
    generator = random.Random(1)
    metrics = NamedEntityMetrics(KLUE_LABELS)
    gold_joined: list[str] = []
    predicted_joined: list[str] = []
    for _ in range(60):
        text = "".join(generator.choice("가나다 ") for _ in range(20)).strip() or "가"
        gold, predicted = ([generator.choice(KLUE_LABELS) for _ in text] for _ in range(2))
        metrics.update(sentence(text, gold), predicted, gold)
        kept = [i for i, character in enumerate(text) if character != " "]
        gold_joined += ["O", *[gold[i] for i in kept], "O"]
        predicted_joined += ["O", *[predicted[i] for i in kept], "O"]
    figures = metrics.compute()
    entity = f1_score([gold_joined], [predicted_joined], average="macro", mode="strict", scheme=IOB2)
    character = tag_f1_score(gold_joined, predicted_joined, labels=KLUE_LABELS, average="macro", zero_division=1.0)
    assert figures["klue_entity_f1"] == pytest.approx(entity)
    assert figures["klue_char_f1"] == pytest.approx(character)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_metric_for_evaluate_gives_the_same_figures(tmp_path: Path) -> None:
    from malmoi.metrics.evaluate_metric import KoreanNerMetric

    text, gold, predicted = "민수는 역", ["B-PS", "I-PS", "O", "O", "B-LC"], ["B-PS", "I-PS", "O", "O", "O"]
    metric = KoreanNerMetric(cache_dir=str(tmp_path))
    metric.add_batch(texts=[text] * 2, predictions=[predicted, gold], references=[gold, gold])
    ours = NamedEntityMetrics(["B-LC", "I-LC", "B-PS", "I-PS", "O"])
    ours.update(sentence(text, gold), predicted, gold)
    ours.update(sentence(text, gold), gold, gold)
    figures = metric.compute()
    assert figures == ours.compute()
    assert not [name for name in figures if name.endswith("_unseen")]
    metric.add_batch(texts=[text] * 2, predictions=[predicted, gold], references=[gold, gold])
    figures = metric.compute(training_names=["민수"])
    assert (figures["entity_precision_unseen"], figures["entity_recall_unseen"]) == (1, 1 / 2)
    assert "entity_f1_unseen: " in metric.description
    assert NO_SPACES not in metric.description
    with pytest.raises(ValueError, match="Expected one tag per character: 5 characters, 1 predictions, 5 references"):
        metric.compute(texts=[text], predictions=[["O"]], references=[gold])


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(("predicted", "without_o"), [("O", 1.0), ("B-DT", 0.5)])
def test_the_metric_for_evaluate_counts_types_that_no_reference_has(
    tmp_path: Path, predicted: str, without_o: float
) -> None:
    from malmoi.metrics.evaluate_metric import KoreanNerMetric

    figures = KoreanNerMetric(cache_dir=str(tmp_path)).compute(
        texts=["민수"], predictions=[[predicted, "O"]], references=[["O", "O"]]
    )
    assert figures["entity_f1"] == 0
    assert figures["klue_char_f1_aligned_without_o"] == without_o  # `I-DT` does not occur and counts as 1


@pytest.mark.parametrize("end", ["\u200b", "❤️", "🇰🇷"])
def test_a_gold_name_ends_where_a_tagger_can_end_one(end: str) -> None:
    text = f"아이{end}는"
    gold = ["B-PS", *["I-PS"] * (1 + len(end)), "O"]
    metrics = NamedEntityMetrics(KLUE_LABELS)
    metrics.update(sentence(text, gold), gold, gold)
    metrics.update(sentence(text, gold), ["B-PS", "I-PS", *["O"] * (1 + len(end))], gold)
    assert metrics.compute()["entity_f1"] == 1


def test_a_gold_name_that_no_tagger_can_find_counts_as_missed() -> None:
    metrics = NamedEntityMetrics(KLUE_LABELS)
    metrics.update(sentence("민수❤", ["B-PS", "I-PS", "B-OG"]), ["B-PS", "I-PS", "B-OG"], ["B-PS", "I-PS", "B-OG"])
    figures = metrics.compute()
    assert (figures["entity_precision"], figures["entity_recall"]) == (1, 1 / 2)


def test_unseen_names_are_judged_by_themselves() -> None:
    """민수 is a name of the training set, whatever its type there; 부산 and 부산역 are none."""
    metrics = NamedEntityMetrics(KLUE_LABELS, training_names=["민수", "서울"])
    text = "민수 부산역 서울"
    gold = ["B-PS", "I-PS", "O", "B-LC", "I-LC", "I-LC", "O", "B-LC", "I-LC"]
    metrics.update(sentence(text, gold), ["B-PS", "I-PS", "O", "B-LC", "I-LC", "O", "O", "B-OG", "I-OG"], gold)
    metrics.update(sentence(text, gold), ["O", "O", "O", "B-LC", "I-LC", "I-LC", "O", "O", "O"], gold)
    metrics.update(sentence(text, gold), ["O"] * 9, gold)
    figures, details = metrics.compute(), metrics.details()
    assert figures["entity_precision_unseen"] == 1 / 2
    assert figures["entity_recall_unseen"] == 1 / 3
    assert figures["entity_f1_unseen"] == pytest.approx(2 * 1 / (2 + 3))
    assert figures["entity_recall"] == 2 / 9
    assert details["counted"] == {"names": 9, "unseen names": 3}
    assert details["training_names"] == describe_names(["서울", "민수", "민수"])
    for name in ("entity_f1_unseen", "entity_precision_unseen", "entity_recall_unseen"):
        low, high = details["intervals"][name]  # type: ignore[index]
        assert 0 < low < figures[name] < high < 1


@pytest.mark.parametrize("spelt", [lambda name: unicodedata.normalize("NFD", name), "\u200b".join])
def test_a_name_is_seen_in_whatever_spelling(spelt: Callable[[str], str]) -> None:
    text, other = spelt("민수"), spelt("부산")
    gold = ["B-PS", *["I-PS"] * (len(text) - 1), "O", "B-LC", *["I-LC"] * (len(other) - 1)]
    metrics = NamedEntityMetrics(KLUE_LABELS, training_names=["민수"])
    metrics.update(sentence(f"{text} {other}", gold), gold, gold)
    assert metrics.details()["counted"] == {"names": 2, "unseen names": 1}
    assert metrics.details()["training_names"] == describe_names(["민수"])


@given(SEQUENCES, st.sets(st.sampled_from(["가", "나", "가나", "나다", "다"])))
def test_without_training_names_every_name_is_unseen_and_with_all_of_them_none(
    pairs: list[list[tuple[str, str]]], some: set[str]
) -> None:
    nothing, everything, few = (NamedEntityMetrics(TAGS, training_names=names) for names in ((), SUBTEXTS, some))
    counts = EntityCounts()
    for pair in pairs:
        gold, predicted = [a for a, _ in pair][:9], [b for _, b in pair][:9]
        text = "가나다라마바사아자"[: len(gold)]
        for metrics in (nothing, everything, few):
            metrics.update(sentence(text, gold), predicted, gold)
        spans = [{s for s in tags_to_spans(t) if text[s.start : s.end] not in some} for t in (gold, predicted)]
        counts.update(*spans)
    figures = nothing.compute()
    assert figures["entity_f1_unseen"] == figures["entity_f1"]
    assert everything.compute()["entity_f1_unseen"] == 0
    assert everything.details()["counted"]["unseen names"] == 0  # type: ignore[index]
    assert few.compute()["entity_f1_unseen"] == counts.micro().f1


SUBTEXTS = {"가나다라마바사아자"[start:end] for start in range(9) for end in range(start + 1, 10)}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("tag", ["S-PS", "E-PS", "PS", "B", "B-", "", "PS-B"])
def test_the_metric_for_evaluate_refuses_tags_of_other_schemes(tag: str, tmp_path: Path) -> None:
    from malmoi.metrics.evaluate_metric import KoreanNerMetric

    for sides in ({"predictions": [[tag]], "references": [["B-PS"]]}, {"predictions": [["O"]], "references": [[tag]]}):
        with pytest.raises(ValueError, match=f"Expected BIO tags, such as B-PS, I-PS and O, got {tag}"):
            KoreanNerMetric(cache_dir=str(tmp_path)).compute(texts=["민"], **sides)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_metric_for_evaluate_refuses_a_missing_tag_and_a_text_in_the_place_of_names(tmp_path: Path) -> None:
    from malmoi.metrics.evaluate_metric import KoreanNerMetric

    metric, tags = KoreanNerMetric(cache_dir=str(tmp_path)), [["B-PS", "I-PS"]]
    with pytest.raises(ValueError, match="Expected BIO tags, such as B-PS, I-PS and O, got None"):
        metric.compute(texts=["민수"], predictions=[["B-PS", None]], references=tags)
    with pytest.raises(ValueError, match="Expected a list of names for `training_names`, got the text '민수'"):
        metric.compute(texts=["민수"], predictions=tags, references=tags, training_names="민수")
