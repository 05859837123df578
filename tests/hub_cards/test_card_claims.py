"""What a card claims of its data: only what was measured on an official split stands under the name of a dataset."""

import ast
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from malmoi.data.user_error import UserError
from malmoi.hub_cards.card import card_data, render_card
from malmoi.hub_cards.card_parts import fence, python_string, shell_word
from malmoi.hub_cards.corpus import Corpus, corpus_of, read_corpus
from malmoi.hub_cards.division import division_of
from malmoi.hub_cards.evaluation_results import evaluation_results, write_evaluation_results
from malmoi.hub_cards.push import data_note
from malmoi.hub_cards.run_facts import RunFacts
from malmoi.hub_cards.space.example_texts import ANY_TEXT, NAMES, REVIEWS, SENTIMENT, example_texts
from malmoi.hub_cards.staging import recipe_of
from malmoi.metrics.calibration import TEXTS, Reliability
from malmoi.reports.comparison import Run, compare, to_markdown
from malmoi.reports.markdown_text import markdown_line, table_line
from malmoi.reports.plots import RELIABILITY_PLOT

REPORT = Path(__file__).parents[2] / "hub_cards/examples/klue-ner-bi-lstm-crf/report.json"
"""Of a run on 3,499 sentences of KLUE's development set, measured on 500 others of it."""
OWN_SPLITS = {"train": 3499, "validation": 500}
OFFICIAL = {"train": 21008, "validation": 5000}
OFFICIAL_SUPPORT = {"PS": 4418, "QT": 3151, "DT": 2312, "OG": 2182, "LC": 1649, "TI": 545}
MARKDOWN = MarkdownIt("commonmark").enable("table")


def klue_report(texts: dict[str, int] = OWN_SPLITS, **data: Any) -> dict[str, Any]:
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    report.pop("other_seeds", None)
    report["data"].update(texts=texts, **data)
    if "test" in texts:
        report["test_figures"] = report["figures"]
    return report


def class_report(classes: list[str], **keys: Any) -> dict[str, Any]:
    """Return the report of a classifier of any classes."""
    report = klue_report({"train": 48, "validation": 48}, reader="labelled-texts", source="mine")
    figures = {"accuracy": 0.5, "macro_f1": 0.4} | {
        f"{figure}/{name}": 0.25 for name in classes for figure in ("precision", "recall", "f1")
    }
    epochs = [{"epoch": 1.0, "step": 3, "train_seconds": 1.0, "loss": 0.5, "accuracy": 0.5, "macro_f1": 0.4}]
    counts = [[3 if row == column else 1 for column in range(len(classes))] for row in range(len(classes))]
    report.update(
        task="sentence-classification",
        model_type="bilstm",
        figures=figures,
        definitions={"accuracy": "share of texts", "macro_f1": "mean of the F1 of classes"},
        main_figure="accuracy",
        breakdown="class",
        epochs=epochs,
        confusion={"classes": classes, "counts": counts},
    )
    report["tokenizer"] = {"vocab_size": 99, "unknown_share": 0.0, "truncated_share": 0.0}
    return {**report, **keys}


def facts_of(report: dict[str, Any], folder: Path, labels: list[str] | None = None) -> RunFacts:
    (folder / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    names = labels or report["data"]["labels"]
    return RunFacts(folder, report, [], {"id2label": {str(number): name for number, name in enumerate(names)}})


def named_datasets(facts: RunFacts, corpus: Corpus) -> set[tuple[str, str | None]]:
    """Return the datasets and splits that results name, in the card and in the files beside it."""
    found = {(result.dataset_type, result.dataset_split) for result in card_data(facts, corpus, "u/m").eval_results}
    beside = {(entry.dataset_id, entry.notes.split("; ")[1].split()[0]) for entry in evaluation_results(facts, corpus)}
    assert beside <= found
    return found | beside


def test_a_card_says_which_splits_were_cut_from_the_training_set(own_description: Path, tmp_path: Path) -> None:
    cut = {"texts": {"validation": 437, "test": 437}, "of": 4373, "seed": 42, "documents": True}
    report = klue_report(
        {"train": 3499, "validation": 437, "test": 437}, reader="dataset", source="me/names (Hub)", cut=cut
    )
    corpus = corpus_of(report, str(own_description))
    division = division_of(report, corpus)
    assert (
        "The data have no such split of their own: 437 (validation) and 437 (test) of 4,373 texts were cut from them "
        "by the seed 42, evenly over types, documents together." in division.sentence
    )
    assert division.official == frozenset()
    assert division.sentence in render_card(facts_of(report, tmp_path), corpus, "u/m").text
    report["data"].pop("cut")
    assert "of their own" not in division_of(report, corpus).sentence
    assert division_of(report, corpus).official == {"validation", "test"}


def test_a_checkpoint_is_called_the_best_only_where_the_best_is_kept(own_description: Path, tmp_path: Path) -> None:
    def said(**settings: Any) -> str:
        report = klue_report()
        report["settings"].update(settings)
        page = render_card(facts_of(report, tmp_path), corpus_of(report, str(own_description)), "u/m").text
        return page.partition("The checkpoint is that of")[2].partition("validation split")[0]

    assert "the best by `entity_f1`" in said()
    assert "the best" not in said(load_best_model_at_end=False)
    assert "the best by `loss`" in said(metric_for_best_model=None)


def test_one_text_is_no_texts(own_description: Path, tmp_path: Path) -> None:
    report = klue_report({"train": 3499, "validation": 1})
    reliability = Reliability()
    reliability.add(0.9, True)
    report["reliability"] = reliability.report()
    page = render_card(facts_of(report, tmp_path), corpus_of(report, str(own_description)), "u/m").text
    assert "(1 text, fingerprint" in page
    assert "the model finds 1 name and calls it " in page
    assert "1 texts" not in page


@pytest.fixture
def own_description(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    lines = ("name: KLUE NER", "license: x", "domain: y", "weights_license: z", "weights_note: n")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_part_of_the_official_set_is_never_published_as_the_set(tmp_path: Path) -> None:
    report = klue_report()
    corpus = corpus_of(report, None)
    facts = facts_of(report, tmp_path)
    assert evaluation_results(facts, corpus) == []
    write_evaluation_results(facts, corpus, tmp_path)
    assert not (tmp_path / ".eval_results").exists()
    card = render_card(facts, corpus, "user/model")
    assert "klue/klue" not in card.content
    assert card.data.datasets is None
    assert {result.dataset_split for result in card.data.eval_results} == {"validation of an own division"}
    assert card.data.license == "cc-by-sa-4.0"
    for words in (
        "Trained on 3,499 texts and measured on 500 (validation).",
        "not the splits of KLUE NER, which have 21,008 (train) and 5,000 (validation)",
        "no figure here can be compared with published ones",
        "files in the format of KLUE NER",
    ):
        assert words in card.text
    assert "--corpus" in data_note(report, corpus)


def test_who_says_that_the_data_are_of_a_corpus_names_it_as_training_data_only(tmp_path: Path) -> None:
    report = klue_report()
    corpus = corpus_of(report, "klue-ner")
    facts = facts_of(report, tmp_path)
    card = render_card(facts, corpus, "user/model")
    assert card.data.datasets == ["klue/klue"]
    assert "klue/klue" not in {name for name, _ in named_datasets(facts, corpus)}
    assert "a part of KLUE NER, divided anew" in card.text
    assert "--corpus" not in data_note(report, corpus)


@pytest.mark.parametrize("source", ["klue-ner", "klue/klue (Hub)"])
def test_official_splits_are_published_as_such(source: str, tmp_path: Path) -> None:
    report = klue_report(OFFICIAL, source=source)
    corpus = corpus_of(report, None)
    facts = facts_of(report, tmp_path)
    assert named_datasets(facts, corpus) == {("klue/klue", "validation")}
    assert card_data(facts, corpus, "u/m").datasets == ["klue/klue"]
    assert "official splits" in division_of(report, corpus).sentence


@pytest.mark.parametrize(
    ("texts", "official"),
    [
        ({"train": 142_495, "validation": 7_500, "test": 49_997}, {"test"}),
        ({"train": 149_995, "validation": 100, "test": 49_997}, {"test"}),
        # rebuilt from the raw reviews: as many to train, but other ones to measure
        ({"train": 142_500, "validation": 7_500, "test": 45_000}, set()),
        ({"train": 142_500, "validation": 7_500}, set()),
        ({"train": 90, "validation": 5, "test": 50_000}, set()),
    ],
)
def test_the_validation_part_of_nsmc_is_none_of_its_splits(
    texts: dict[str, int], official: set[str], tmp_path: Path
) -> None:
    report = klue_report(texts, reader="nsmc", source="nsmc")
    corpus = corpus_of(report, None)
    assert division_of(report, corpus).official == official
    named = named_datasets(facts_of(report, tmp_path), corpus)
    assert {split for name, split in named if name == "e9t/nsmc"} == official
    assert len(named) == len(set(texts) - {"train"})


def test_as_many_texts_are_not_the_same_texts(tmp_path: Path, own_description: Path) -> None:
    corpus = corpus_of(klue_report(), None)
    assert division_of({**klue_report(OFFICIAL), "support": OFFICIAL_SUPPORT | {"XX": 0}}, corpus).official
    for support in ({**OFFICIAL_SUPPORT, "PS": 4417}, {"PER": 5}):
        division = division_of({**klue_report(OFFICIAL), "support": support}, corpus)
        assert not division.official
        assert "as many as in the splits of KLUE NER, but not the same" in division.sentence
    with own_description.open("a", encoding="utf-8") as file:
        file.write("readers: [klue-ner]\nsplits: {train: {rows: 9}, validation: {rows: 3, fingerprint: abc}}\n")
    own = read_corpus(own_description)
    texts = {"train": 9, "validation": 3}
    assert division_of(klue_report(texts, fingerprint="abc"), own).official == {"validation"}
    assert not division_of(klue_report(texts, fingerprint="abd"), own).official


def test_what_another_reader_read_is_not_known_to_be_official() -> None:
    report = klue_report(OFFICIAL, reader="inline-marks", source="mine")
    division = division_of(report, corpus_of(report, "klue-ner"))
    assert not division.official
    assert "read by `inline-marks`" in division.sentence


def test_a_corpus_without_official_division_has_no_official_figures(tmp_path: Path) -> None:
    report = klue_report({"train": 19_099, "validation": 2_221}, reader="kmou-lines", source="kmou")
    corpus = corpus_of(report, None)
    facts = facts_of(report, tmp_path)
    assert division_of(report, corpus).official == frozenset()
    assert evaluation_results(facts, corpus) == []
    assert "KMOU NER has 23,964 texts and no official division" in render_card(facts, corpus, "u/m").text


def test_a_corpus_that_was_put_together_says_that_nothing_can_be_compared(tmp_path: Path) -> None:
    report = klue_report({"train": 9, "validation": 5}, reader="plain-text", source="texts")
    division = division_of(report, corpus_of(report, "open-korean-texts"))
    assert "open Korean text has no official division, so no figure here can be compared" in division.sentence
    assert not division.official


def test_a_run_that_began_from_its_own_repository_is_no_model_of_itself(tmp_path: Path) -> None:
    report = klue_report()
    report["trained_on_from"] = {"model": "user/names", "new_labels": []}
    card = render_card(facts_of(report, tmp_path), corpus_of(report, None), "user/Names")
    assert card.data.base_model is None
    assert "They continue what lay in this repository before, whose licence holds as well.\n" in card.text
    card = render_card(facts_of(report, tmp_path), corpus_of(report, None), "user/more-names")
    assert card.data.base_model == "user/names"


def test_the_card_of_a_branch_shows_no_command_that_would_read_main(tmp_path: Path) -> None:
    report = klue_report()
    facts, corpus = facts_of(report, tmp_path), corpus_of(report, None)
    assert "malmoi tag user/names" in render_card(facts, corpus, "user/names").text
    text = render_card(facts, corpus, "user/names", revision="v2").text
    assert "malmoi tag user/names" not in text
    assert "This is the branch `v2`" in text
    assert text.count('revision="v2"') == 3


LANGUAGE_MODEL = {"task": "language-model", "new_labels": []}


@pytest.mark.parametrize(
    ("name", "described", "on_the_hub", "told"),
    [
        ("klue/bert-base", None, True, "[klue/bert-base](https://huggingface.co/klue/bert-base)"),
        ("user/body", LANGUAGE_MODEL, True, "[user/body](https://huggingface.co/user/body)"),
        ("bundled:language-model", LANGUAGE_MODEL, False, "the language model of malmoi, `bundled:language-model`"),
        ("bundled:named-entities", {}, False, "the model of malmoi for named-entities, `bundled:named-entities`"),
        ("my-body", LANGUAGE_MODEL, False, "the language model `my-body`"),
        ("my-tagger", {}, False, "the model `my-tagger`"),
        ("bert-here", None, False, "the model `bert-here`"),
        ("./gone/my-body", LANGUAGE_MODEL, False, "the language model `my-body`"),
        ("/gone/runs/my-body", LANGUAGE_MODEL, False, "the language model `my-body`"),
    ],
)
def test_what_a_run_began_from_is_named_and_linked_only_where_it_is_on_the_hub(
    name: str, described: dict[str, Any] | None, on_the_hub: bool, told: str, tmp_path: Path
) -> None:
    report = klue_report()
    report["settings"]["model_name_or_path"] = name
    if described is not None:
        report["trained_on_from"] = {"model": name, **described}
    card = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m")
    assert f"They continue {told}, whose licence holds as well.\n" in card.text
    assert card.data.base_model == (name if on_the_hub else None)
    assert ("https://huggingface.co/" in card.text) == on_the_hub


def test_what_began_from_nothing_continues_nothing(tmp_path: Path) -> None:
    report = klue_report()
    assert "They continue" not in render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text


def test_a_description_of_the_user_does_not_make_official_what_is_not(tmp_path: Path, own_description: Path) -> None:
    with own_description.open("a", encoding="utf-8") as file:
        file.write("hub_id: KLUE/klue\nsplits: {train: {rows: 3499}, validation: {rows: 500}}\nreaders: [klue-ner]\n")
    report = klue_report()
    corpus = corpus_of(report, str(own_description))
    assert named_datasets(facts_of(report, tmp_path), corpus).isdisjoint({("KLUE/klue", "validation")})
    assert not division_of(report, corpus).official


def test_own_data_of_an_own_dataset_stand_under_its_name(tmp_path: Path, own_description: Path) -> None:
    with own_description.open("a", encoding="utf-8") as file:
        file.write("hub_id: user/mine\ntypes: {PS: 사람}\n")
    report = klue_report()
    corpus = corpus_of(report, str(own_description))
    facts = facts_of(report, tmp_path)
    assert named_datasets(facts, corpus) == {("user/mine", "validation")}
    text = render_card(facts, corpus, "u/m").text
    assert "Trained on 3,499 texts and measured on 500 (validation). These are not the splits of KLUE NER" in text
    assert "- **PS** (인물): 사람\n" in text


def test_how_true_probabilities_are_is_told(tmp_path: Path) -> None:
    reliability = Reliability()
    for probability, is_right in ((0.01, False), (0.9, True), (0.88, True), (0.92, False), (0.99, True)):
        reliability.add(probability, is_right)
    report = klue_report(OFFICIAL) | {"reliability": reliability.report()}
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text
    assert "On validation, the model finds 5 names and calls them 74.0 %\nprobable on average; 60.0 % are rig" in text
    assert f"The expected calibration error is **{100 * reliability.error():.1f} %**:" in text
    assert table_rows(text.partition("## Probabilities")[2].partition("\n## ")[0])[1:] == [
        ["0-7", "1", "1.0", "0.0"],
        ["87-93", "3", "90.0", "66.7"],
        ["93-100", "1", "99.0", "100.0"],
    ]
    (tmp_path / RELIABILITY_PLOT).touch()
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text
    assert f"![How many of the names of each probability are right]({RELIABILITY_PLOT})" in text
    report["reliability"] = Reliability().report() | {"measured_on": "nothing"}
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text
    assert "On validation (nothing), the model finds 0 names" in text


def test_how_true_probabilities_of_classes_are_is_told(own_description: Path, tmp_path: Path) -> None:
    reliability = Reliability(TEXTS)
    for probability, is_right in ((0.9, True), (0.88, True), (0.92, False), (0.98, True)):
        reliability.add(probability, is_right)
    report = class_report(["bad", "good"], reliability=reliability.report())
    facts = facts_of(report, tmp_path, ["bad", "good"])
    text = render_card(facts, corpus_of(report, str(own_description)), "u/m").text
    assert (
        "On validation, the model gives 4 texts a class and calls it 92.0 %\nprobable on average; 75.0 % are r" in text
    )
    assert table_rows(text.partition("## Probabilities")[2].partition("\n## ")[0]) == [
        ["probability, %", "texts", "mean probability, %", "right, %"],
        ["87-93", "3", "90.0", "66.7"],
        ["93-100", "1", "98.0", "100.0"],
    ]
    facts.config["class_temperature"] = 0.5  # fitted since
    text = render_card(facts, corpus_of(report, str(own_description)), "u/m").text
    assert "The run was measured before `config.json` had its temperature, 0.5, by which malmoi divides" in text


def test_a_share_of_the_training_data_is_told(tmp_path: Path) -> None:
    report = klue_report(OFFICIAL)
    report["settings"]["train_fraction"] = 0.4
    corpus = corpus_of(report, None)
    text = render_card(facts_of(report, tmp_path), corpus, "u/m").text
    assert "Trained on 8,403 texts, drawn from 21,008, and measured on 5,000 (validation)." in text
    assert "| trained on | KLUE NER (8,403 texts) |" in text
    assert "malmoi train recipe.yaml --data_dir DIR" in text


def test_a_dataset_is_given_as_the_run_was_given_it(tmp_path: Path) -> None:
    report = klue_report(OFFICIAL)
    report["data"] |= {"reader": "dataset", "source": "a list in Python"}
    facts = facts_of(report, tmp_path)
    text = render_card(facts, corpus_of(report, "klue-ner"), "u/m").text
    assert "malmoi train recipe.yaml --dataset NAME " in text
    assert yaml.safe_load(recipe_of(facts))["reader"] == "dataset"


def test_sentences_that_models_have_labelled_are_told(tmp_path: Path) -> None:
    report = klue_report(OFFICIAL)
    report["silver"] = {"kept": 14026, "text": "raw.tsv", "teachers": ["seed-1", "seed-2"]}
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text
    told = "| trained on | KLUE NER (21,008 texts), and 14,026 sentences of raw.tsv with the labels of 2 models |"
    assert told in text
    assert "malmoi self-train recipe.yaml --data_dir DIR" in text
    report["silver"] |= {"teachers": ["seed-1"], "own_spaces": True}
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text
    assert "14,026 sentences of raw.tsv with their own spaces, as 1 model found them likely |" in text
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "bundled:named-entities").text
    assert "make models DATA=DIR" in text  # its teacher is no run of the same recipe with another seed
    assert "self-train" not in text


def test_texts_that_models_have_classified_are_told(tmp_path: Path, own_description: Path) -> None:
    classes = ["negative", "positive"]
    silver = {"kept": 480123, "text": "reviews.txt", "teachers": ["seed-1", "seed-2"]}
    report = class_report(classes, silver=silver)
    text = render_card(facts_of(report, tmp_path, classes), corpus_of(report, str(own_description)), "u/m").text
    assert "(48 texts), and 480,123 texts of reviews.txt with the class probabilities of 2 models |" in text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("types: {NO: number}", "in quotes where YAML reads no text"),
        ("types: [a]", "expected lines `TYPE: what it means`"),
        ("readers: nsmc", "expected a list of names for readers"),
        ("rows: many", "expected a number of texts for rows"),
        ("splits: [a]", "expected lines `SPLIT: {rows: NUMBER}`"),
        ("splits: {train: {rows: x}}", "expected `train: {rows: NUMBER}`"),
        ("splits: {train: {rows: 3, hash: x}}", "unknown key 'hash' of a split"),
        ("said: true", "unknown key 'said'"),
    ],
)
def test_a_wrong_part_of_a_description_is_one_sentence(lines: str, message: str, own_description: Path) -> None:
    with own_description.open("a", encoding="utf-8") as file:
        file.write(lines + "\n")
    with pytest.raises(UserError) as error:
        read_corpus(own_description)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["types", "rows", "splits", "readers"])
def test_a_part_of_a_description_that_is_still_to_be_written_is_none(
    key: str, tmp_path: Path, own_description: Path
) -> None:
    without = read_corpus(own_description)
    with own_description.open("a", encoding="utf-8") as file:
        file.write(f"{key}:\n")
    assert read_corpus(own_description) == without
    report = class_report(["정치", "경제"])
    facts = facts_of(report, tmp_path, ["정치", "경제"])
    assert "- **정치**: " in render_card(facts, corpus_of(report, str(own_description)), "u/m").text


def test_a_card_of_own_classes_speaks_of_them(tmp_path: Path, own_description: Path) -> None:
    classes = ["정치|사회", "B-급 영화", "a<b>&lt;`{{ x }}`[l](u)\n* _z_", "스포츠"]
    report = class_report(classes)
    corpus = corpus_of(report, str(own_description))
    card = render_card(facts_of(report, tmp_path, classes), corpus, "user/topics")
    assert card.data.tags[-1] == "sentence-classification"
    assert "sentiment-analysis" not in card.content
    assert [entry["text"] for entry in card.data.widget] == ANY_TEXT
    rows = [tokens for tokens in table_rows(card.text) if len(tokens) == 4]
    assert {row[0] for row in rows} >= {" ".join(name.split()) for name in classes}
    assert "- **정치\\|사회**: 6 in validation\n" in card.text
    # the texts of its own validation data, where the report has them
    report["examples"] = [{"text": '그가 "안녕"이라고 했다.'}, {"text": "-1점 \\ 차"}, {"text": "셋"}, {"text": "넷"}]
    card = render_card(facts_of(report, tmp_path, classes), corpus, "user/topics")
    assert [entry["text"] for entry in card.data.widget] == ['그가 "안녕"이라고 했다.', "-1점 \\ 차", "셋"]
    assert 'classifier("그가 \\"안녕\\"이라고 했다.")' in card.text


def test_classes_of_sentiment_are_found_as_such(tmp_path: Path, own_description: Path) -> None:
    classes = ["negative", "positive"]
    report = class_report(classes)
    card = render_card(facts_of(report, tmp_path, classes), corpus_of(report, str(own_description)), "u/m")
    assert "sentiment-analysis" in card.data.tags


def test_the_types_of_klue_are_explained(tmp_path: Path) -> None:
    report = {**klue_report(), "support": {"PS": 453}, "intervals": {"entity_f1": [0.7, 0.75]}}
    report["environment"]["cpu"] = "Some Processor"
    text = render_card(facts_of(report, tmp_path), corpus_of(report, None), "u/m").text
    assert "- **PS** (인물): person; 453 in validation\n" in text
    assert "- **QT** (수량): number with its unit, amount, rank\n" in text
    assert "| `entity_f1` | 74.88 | 70.00 to 75.00 | 100.00 |" in text
    assert "Some Processor with 2 cores" in text


@pytest.mark.parametrize("ceiling", [1.0, 0.93])
def test_boundaries_are_called_exact_only_where_the_tokenizer_allows_it(ceiling: float, tmp_path: Path) -> None:
    report = klue_report()
    report["tokenizer"]["ceiling"]["entity_f1"] = ceiling
    page = " ".join(render_card(facts_of(report, tmp_path), corpus_of(report, None), "user/names").text.split())
    for claim in (
        "조사가 개체명에 붙지 않고, 위치는",
        "exact to the character, so particles stay outside a name, and",
    ):
        assert (claim in page) == (ceiling == 1.0)
    for limit in (
        "같은 토큰에 든 조사는 개체명에 붙고, 위치는",
        "a particle in the same token belongs to it. Offsets",
    ):
        assert (limit in page) == (ceiling < 1.0)


def test_limits_say_what_new_names_and_missing_spaces_cost(tmp_path: Path) -> None:
    report = klue_report(OWN_SPLITS | {"test": 500})
    corpus = corpus_of(report, None)
    old = render_card(facts_of(report, tmp_path), corpus, "u/m").text
    assert "Names that do not occur in the training data are found less often." in old
    added = {"entity_f1_unseen": 0.625, "entity_f1_no_spaces": 0.7}
    for figures in (report["figures"], report["tokenizer"]["ceiling"]):
        figures.update(added)
    report["test_figures"] = {**report["figures"], "entity_f1": 0.75, "entity_f1_unseen": 0.5}
    report["definitions"].update(dict.fromkeys(added, "what it means"))
    text = render_card(facts_of(report, tmp_path), corpus, "u/m").text
    assert "found less often" not in text
    told = "- New names: an F1 of 50.00 % on test for those that are none in the training data (75.00 % for all)."
    assert f"{told}\n- Missing spaces: an F1 of 70.00 % on test where texts have none at all.\n" in text
    assert "| `entity_f1_unseen` | 62.50 | 50.00 | 62.50 |" in text
    assert "- `entity_f1_no_spaces`: what it means" in text


def test_a_card_claims_nothing_of_new_names_where_there_are_none(tmp_path: Path) -> None:
    report = klue_report(OWN_SPLITS)
    corpus = corpus_of(report, None)
    for figures in (report["figures"], report["tokenizer"]["ceiling"]):
        figures["entity_f1_unseen"] = 0.0
    report["definitions"]["entity_f1_unseen"] = "F1 of new names"
    report["counted"] = {"names": 453, "unseen names": 1}
    assert "- New names: an F1 of 0.00 %" in render_card(facts_of(report, tmp_path), corpus, "u/m").text
    report["counted"]["unseen names"] = 0
    card = render_card(facts_of(report, tmp_path), corpus, "u/m")
    assert "_unseen" not in card.text
    assert "Names that do not occur in the training data are found less often." in card.text
    assert all("_unseen" not in str(result.metric_name) for result in card.data.eval_results)


@pytest.mark.parametrize(
    ("task", "labels", "report", "texts"),
    [
        ("named-entities", ["B-PS", "I-PS", "B-PER", "O"], {}, NAMES),
        ("named-entities", ["B-동물", "I-동물", "O"], {}, ANY_TEXT),
        ("sentence-classification", ["negative", "positive"], {"data": {"reader": "nsmc"}}, REVIEWS),
        ("sentence-classification", ["긍정", "부정"], {"data": {"reader": "labelled-texts"}}, SENTIMENT),
        ("sentence-classification", ["정치", "긍정"], {}, ANY_TEXT),
        ("word-spacing", ["B", "I"], {"samples": [{"gt": "집에 갔다.", "pred": "집 에갔다."}]}, ["집에갔다."]),
        ("named-entities", ["O"], {"examples": [{"text": "가" * 200}, {"text": " "}, {"text": " 나 "}]}, ["나"]),
        ("named-entities", ["O"], {"examples": [{"text": "가" * 200}]}, ["가" * 200]),
        ("language-model", [], {"examples": [], "data": {"reader": "plain-text"}}, ANY_TEXT),
        ("named-entities", ["B-동물"], {"examples": [3, {"text": 4}, {}], "samples": {"gt": 1}}, ANY_TEXT),
    ],
)
def test_examples_suit_what_the_model_knows(task: str, labels: list[str], report: Any, texts: list[str]) -> None:
    assert example_texts(task, labels, report) == texts


def table_rows(markdown: str) -> list[list[str]]:
    """Return the cells of all tables as a reader of Markdown sees them."""
    rows: list[list[str]] = []
    inside = False
    for token in MARKDOWN.parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open"):
            inside = True
        elif token.type == "inline" and inside:
            assert {child.type for child in token.children or []} <= {
                "text",
                "code_inline",
                "strong_open",
                "strong_close",
            }
            rows[-1].append("".join(child.content for child in token.children or []))
            inside = False
    return rows


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("|\\`*_<>[]&;#~$!\n")))
def test_any_name_fills_one_cell_and_shows_as_it_is(name: str) -> None:
    table = "\n".join(
        (table_line(["a", "b", "c"]), table_line(["---"] * 3), table_line([markdown_line(name), "x", "y"]))
    )
    assert table_rows(table)[1] == [" ".join(name.split()), "x", "y"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_stands_whole_in_the_examples(text: str) -> None:
    assert ast.literal_eval(python_string(text)) == text
    assert shlex.split(shell_word(text))[-1] == text
    assert shell_word(text).startswith("-- ") == text.startswith("-")


@given(st.lists(st.sampled_from(["```", "````", "가", "`", " "])).map("".join))
def test_what_an_example_printed_stays_in_its_block(output: str) -> None:
    [block] = [token for token in MARKDOWN.parse(fence(output)) if token.type == "fence"]
    assert block.content == output.rstrip() + "\n"


def test_a_comparison_holds_whatever_a_run_is_called() -> None:
    comparison = compare([Run("a|b\nc<i>", klue_report(source="x|y"))])
    heading, cells = table_rows(to_markdown(comparison))
    assert cells[:2] == ["a|b c<i>", "bilstm_crf"]
    assert len(cells) == len(heading)
