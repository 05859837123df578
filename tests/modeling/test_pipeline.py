import copy
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from support.saved_models import build
from support.tiny_models import bert_tokenizer, knowing_bert_tagger
from transformers import (
    AutoModelForTokenClassification,
    BertConfig,
    ByT5Tokenizer,
    PreTrainedTokenizerFast,
    RobertaConfig,
    TokenClassificationPipeline,
    pipeline,
    pipelines,
)
from transformers.pipelines import PIPELINE_REGISTRY
from transformers.pipelines.pt_utils import KeyDataset

from malmoi.configuration.model_settings import offer_own_pipelines
from malmoi.modeling import BiLstmCrfForTokenClassification, EncoderCrfConfig, EncoderCrfForTokenClassification
from malmoi.modeling.name_edges import INVISIBLE
from malmoi.modeling.pipeline_crf_token_classification import UNLIMITED, CrfTokenClassificationPipeline, _join, _merge

MakeModel = Callable[..., BiLstmCrfForTokenClassification]

ODD_TEXTS = [
    "",
    " ",
    "   \n\t ",
    "손흥민은 춘천에서 태어났다.",
    unicodedata.normalize("NFD", "손흥민은 춘천에서 태어났다."),
    "👨‍👩‍👧 손흥민 🇰🇷👍🏽",
    "가\x00나",
    "龜龜龜龜",
    "<손흥민:PS> [PAD] [UNK]",
    "손\u200b흥\ufeff민",
]


@pytest.fixture
def tagger(make_model: MakeModel, syllable_tokenizer: PreTrainedTokenizerFast) -> CrfTokenClassificationPipeline:
    model = make_model(vocab_size=len(syllable_tokenizer))
    return CrfTokenClassificationPipeline(model=model, tokenizer=syllable_tokenizer)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_offsets_point_into_the_untouched_text_and_nothing_is_lost(
    tagger: CrfTokenClassificationPipeline, text: str
) -> None:
    for strategy in ("none", "simple"):
        entities = tagger(text, aggregation_strategy=strategy, ignore_labels=[])
        seen = "".join(entity["word"] for entity in entities)
        # what cannot be seen may lie within a name, but is no token
        assert INVISIBLE.sub("", seen) == INVISIBLE.sub("", text)
        assert all(text[entity["start"] : entity["end"]] == entity["word"] for entity in entities)
        assert all(type(entity["score"]) is float and 0 <= entity["score"] <= 1 for entity in entities)


def test_tags_are_viterbi_and_scores_posteriors(
    tagger: CrfTokenClassificationPipeline, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    text = "손흥민은 춘천에서 태어났다."
    output = tagger.model(**syllable_tokenizer(text, return_tensors="pt").to(tagger.device))
    entities = tagger(text, ignore_labels=[])
    labels = tagger.model.config.id2label
    assert [entity["entity"] for entity in entities] == [labels[int(tag)] for tag in output.predictions[0]]
    probabilities = output.marginals[0].gather(1, output.predictions[0][:, None])[:, 0]
    assert [entity["score"] for entity in entities] == pytest.approx(probabilities.tolist(), abs=1e-6)


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf"])
def test_the_stock_pipeline_given_a_model_finds_the_best_sequence(
    architecture: str, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    """Whoever takes the argmax of `logits` gets the very names of the Viterbi path, and never an I- without a B-."""
    model = build(architecture, len(wordpiece_tokenizer)).eval()
    model.config.untagged_token_ids = [0, 2, 3, 4]
    tokenizer = copy.deepcopy(wordpiece_tokenizer)
    tokenizer.model_max_length = UNLIMITED
    stock = TokenClassificationPipeline(model=model, tokenizer=tokenizer)
    ours = CrfTokenClassificationPipeline(model=model, tokenizer=tokenizer)
    names = set()
    for seed in range(20):
        torch.manual_seed(seed)
        for parameter in (*model.crf.parameters(), model.classifier.weight):
            torch.nn.init.normal_(parameter)
        for text in ("손흥민은 춘천에서 태어났다.", "비가 왔다.", "<서울:LC>에서 김민재를"):
            expected = ours(text, ignore_labels=[])
            found = stock(text, ignore_labels=[])
            assert [(e["entity"], e["start"], e["end"]) for e in found] == [
                (e["entity"], e["start"], e["end"]) for e in expected
            ]
            assert all(0 <= entity["score"] <= 1 for entity in found)
            tags = [entity["entity"] for entity in found]
            assert all(tag[:2] != "I-" or before[2:] == tag[2:] for before, tag in pairwise(["O", *tags]))
            names.update(tags)
            joined = [
                [(e["entity_group"], e["start"], e["end"]) for e in pipe(text, aggregation_strategy="simple")]
                for pipe in (stock, ours)
            ]
            assert joined[0] == joined[1]
    assert names == {"B-PS", "I-PS", "B-LC", "I-LC", "O"}


def test_batches_give_the_same_answers_as_single_texts(tagger: CrfTokenClassificationPipeline) -> None:
    texts = [*ODD_TEXTS, "손흥민은 " * 40]
    together = tagger(texts, aggregation_strategy="simple", batch_size=4)
    for text, entities in zip(texts, together):
        alone = tagger(text, aggregation_strategy="simple")
        assert [(e["start"], e["end"], e["entity_group"]) for e in entities] == [
            (e["start"], e["end"], e["entity_group"]) for e in alone
        ]


WORDS = st.lists(
    st.text(st.sampled_from("손흥민은춘천에서 .a\u200b\ud55c\u1112\u1161"), max_size=4), min_size=1, max_size=6
)


@given(words=WORDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(30))
def test_words_have_the_names_of_the_text_that_they_make(
    tagger: CrfTokenClassificationPipeline, words: list[str]
) -> None:
    for options in ({"ignore_labels": []}, {"aggregation_strategy": "simple"}):
        assert tagger(words, is_split_into_words=True, **options) == [tagger(" ".join(words), **options)]
        assert tagger(words, is_split_into_words=True, delimiter="", **options) == [tagger("".join(words), **options)]


def test_several_texts_of_words_come_as_lists_of_lists_or_as_a_stream(tagger: CrfTokenClassificationPipeline) -> None:
    texts = ["손흥민은 춘천에서", "비가 왔다", ""]
    split, expected = [text.split(" ") for text in texts], [tagger(text) for text in texts]
    assert tagger(split, is_split_into_words=True, batch_size=2) == expected
    assert list(tagger((words for words in split), is_split_into_words=True)) == expected


@pytest.mark.parametrize("words", [["손흥민", None], [["손흥민"], [3]], "손흥민", [["손흥민"], "춘천"]])
def test_what_is_no_list_of_words_is_refused(tagger: CrfTokenClassificationPipeline, words: object) -> None:
    with pytest.raises(ValueError, match="With `is_split_into_words=True` a text must be a list of its words, got"):
        tagger(words, is_split_into_words=True)


@pytest.mark.parametrize("strategy", ["first", "average", "max"])
def test_strategies_that_swallow_josa_are_refused(tagger: CrfTokenClassificationPipeline, strategy: str) -> None:
    with pytest.raises(ValueError, match=f'"{strategy}"` widens names to whole words and takes in the josa'):
        tagger("손흥민은", aggregation_strategy=strategy)


def test_a_text_longer_than_the_tokenizer_s_limit_is_not_cut(
    make_model: MakeModel, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = make_model(vocab_size=len(wordpiece_tokenizer), untagged_token_ids=[0, 2, 3, 4])
    tagger = CrfTokenClassificationPipeline(model=model, tokenizer=wordpiece_tokenizer)
    text = "손흥민은 춘천에서 태어났다. " * 30
    entities = tagger(text, ignore_labels=[])
    assert len(entities) > wordpiece_tokenizer.model_max_length
    assert entities[-1]["end"] == len(text.rstrip())
    assert wordpiece_tokenizer.model_max_length == 16  # the user's own tokenizer is left as it was


def test_special_tokens_are_no_entities(make_model: MakeModel, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    model = make_model(vocab_size=len(wordpiece_tokenizer), untagged_token_ids=[0, 2, 3, 4])
    with torch.no_grad():
        model.classifier.bias[0] += 50  # everything is B-PS
    tagger = CrfTokenClassificationPipeline(model=model, tokenizer=wordpiece_tokenizer)
    assert tagger("") == []
    assert [entity["word"] for entity in tagger("손")] == ["손"]


LONG_TEXT = "손흥민은 춘천에서 태어났다. 어제 이강인을 부산에서 만났어요. " * 6


@pytest.fixture
def limited(wordpiece_tokenizer: PreTrainedTokenizerFast) -> CrfTokenClassificationPipeline:
    """A tagger whose encoder reads 32 tokens, with a tokenizer that knows of no limit."""
    return make_limited(wordpiece_tokenizer, BertConfig, max_position_embeddings=32)


def make_limited(
    tokenizer: PreTrainedTokenizerFast, config_class: type, *, model_max_length: int = UNLIMITED, **settings: object
) -> CrfTokenClassificationPipeline:
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12}
    labels = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
    config = EncoderCrfConfig(
        encoder_config=config_class(vocab_size=len(tokenizer), initializer_range=1.0, **sizes, **settings),
        initializer_range=1.0,
        id2label=dict(enumerate(labels)),
        untagged_token_ids=[0, 2, 3],
    )
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.model_max_length = model_max_length
    return CrfTokenClassificationPipeline(model=EncoderCrfForTokenClassification(config).eval(), tokenizer=tokenizer)


def places(entities: list[dict]) -> list[tuple[int, int, str]]:
    return [(e["start"], e["end"], e.get("entity", e.get("entity_group"))) for e in entities]


def all_pieces(tokenizer: PreTrainedTokenizerFast, text: str) -> list[tuple[int, int]]:
    return [span for span in tokenizer(text, return_offsets_mapping=True)["offset_mapping"] if span != (0, 0)]


@pytest.mark.parametrize("stride", [None, 0, 1, 8, 29])
def test_a_text_longer_than_the_encoder_reads_loses_and_repeats_nothing(
    limited: CrfTokenClassificationPipeline, wordpiece_tokenizer: PreTrainedTokenizerFast, stride: int | None
) -> None:
    options = {"ignore_labels": [], **({} if stride is None else {"stride": stride})}
    tokens = limited(LONG_TEXT, **options)
    assert len(tokens) > 3 * 32
    assert [(e["start"], e["end"]) for e in tokens] == all_pieces(wordpiece_tokenizer, LONG_TEXT)
    names = limited(LONG_TEXT, aggregation_strategy="simple", **options)
    assert all(LONG_TEXT[e["start"] : e["end"]] == e["word"] for e in names)
    assert "".join("".join(e["word"].split()) for e in names) == "".join(LONG_TEXT.split())


def test_windows_are_those_of_the_tokenizer_and_the_middle_of_each_counts(
    limited: CrfTokenClassificationPipeline,
) -> None:
    windows = limited.tokenizer(
        LONG_TEXT,
        return_overflowing_tokens=True,
        stride=8,
        truncation=True,
        max_length=32,
        padding=True,
        return_tensors="pt",
        return_offsets_mapping=True,
    )
    windows = windows.to(limited.device)
    output = limited.model(windows["input_ids"], windows["attention_mask"])
    labels = limited.model.config.id2label
    expected: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for tags, offsets in zip(output.predictions.tolist(), windows["offset_mapping"].tolist()):
        tagged = [(tuple(span), labels[tag]) for span, tag in zip(offsets, tags) if tag >= 0]
        for place, (span, label) in enumerate(tagged):
            expected.setdefault(span, []).append((min(place, len(tagged) - 1 - place), label))
    assert max(len(found) for found in expected.values()) == 2
    given = limited(LONG_TEXT, ignore_labels=[], stride=8)
    for entity in given:
        found = expected[entity["start"], entity["end"]]
        assert entity["entity"] in {label for distance, label in found if distance == max(found)[0]}
    # 32 / 4
    assert places(limited(LONG_TEXT, ignore_labels=[])) == places(given)


def test_a_token_is_taken_from_the_window_in_which_it_is_farthest_from_an_edge() -> None:
    windows = [[{"start": i, "window": w} for i in span] for w, span in enumerate([range(0, 6), range(2, 8)])]
    assert [(token["start"], token["window"]) for token in _merge(windows)] == [
        *[(0, 0), (1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1), (7, 1)]
    ]


def test_a_short_text_and_a_text_of_words_come_after_a_long_one_unharmed(
    limited: CrfTokenClassificationPipeline,
) -> None:
    words = LONG_TEXT.split()
    long, short = limited(LONG_TEXT), limited("손흥민은 춘천에서")
    split = limited(words, is_split_into_words=True, ignore_labels=[])[0]
    assert split == limited(" ".join(words), ignore_labels=[])
    assert limited(LONG_TEXT) == long
    together = limited([LONG_TEXT, "손흥민은 춘천에서", ""], batch_size=3)
    assert [places(found) for found in together] == [places(long), places(short), []]


def test_a_stride_given_to_the_pipeline_holds_for_every_call(limited: CrfTokenClassificationPipeline) -> None:
    strided = CrfTokenClassificationPipeline(model=limited.model, tokenizer=limited.tokenizer, stride=20)
    expected = limited(LONG_TEXT, stride=20, ignore_labels=[])
    assert places(strided(LONG_TEXT, ignore_labels=[])) == places(expected)
    assert places(expected) != places(limited(LONG_TEXT, ignore_labels=[]))


@pytest.mark.parametrize("stride", [-1, 30])
def test_a_stride_that_leaves_no_window_is_refused(limited: CrfTokenClassificationPipeline, stride: int) -> None:
    with pytest.raises(ValueError, match=f"`stride` must be from 0 to 29 for windows of 32 tokens, got {stride}"):
        limited("손흥민은", stride=stride)


@pytest.mark.parametrize("kept", [1, 2])  # where words are several tokens, a second window is begun
def test_tokenizers_that_lose_the_end_of_a_text_are_refused(
    wordpiece_tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    whole = PreTrainedTokenizerFast.__call__

    def first_windows(*args: Any, **kwargs: Any) -> dict[str, Any]:
        encoded = whole(*args, **kwargs)
        return {name: windows[:kept] if kwargs["truncation"] else windows for name, windows in encoded.items()}

    monkeypatch.setattr(PreTrainedTokenizerFast, "__call__", first_windows)
    with pytest.raises(ValueError, match=r"loses the end of long texts; `pip install -U tokenizers`\."):
        make_limited(wordpiece_tokenizer, BertConfig, max_position_embeddings=32)


def test_windows_are_as_long_as_both_encoder_and_tokenizer_allow(wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    offset = make_limited(wordpiece_tokenizer, RobertaConfig, max_position_embeddings=32, pad_token_id=0)
    assert offset.tokenizer.model_max_length == 31
    assert offset(LONG_TEXT, ignore_labels=[])[-1]["end"] == len(LONG_TEXT.rstrip())
    shorter = make_limited(wordpiece_tokenizer, BertConfig, max_position_embeddings=32, model_max_length=20)
    assert shorter.tokenizer.model_max_length == 20
    assert shorter(LONG_TEXT, ignore_labels=[])[-1]["end"] == len(LONG_TEXT.rstrip())


def test_a_model_without_a_limit_reads_everything_at_once_whatever_the_stride(
    tagger: CrfTokenClassificationPipeline,
) -> None:
    assert tagger(LONG_TEXT, stride=4) == tagger(LONG_TEXT)


@pytest.mark.slow
def test_a_hundred_thousand_characters_in_one_line(tagger: CrfTokenClassificationPipeline) -> None:
    text = "손흥민은 춘천에서 태어났다. " * 6250
    entities = tagger(text, aggregation_strategy="simple", ignore_labels=[])
    assert len(text) == 100_000
    assert "".join(entity["word"] for entity in entities) == text
    period = len("손흥민은 춘천에서 태어났다. ")
    in_middle = {(e["start"] % period, e["entity_group"]) for e in entities if 40_000 < e["start"] < 60_000}
    assert in_middle <= {(e["start"] % period, e["entity_group"]) for e in entities if 20_000 < e["start"] < 40_000}


def test_loading_by_name_gives_this_pipeline(saved_model: Path) -> None:
    tagger = pipeline("token-classification", model=str(saved_model), trust_remote_code=True)
    assert type(tagger).__name__ == "CrfTokenClassificationPipeline"
    assert isinstance(AutoModelForTokenClassification.from_pretrained(saved_model), BiLstmCrfForTokenClassification)


@pytest.mark.parametrize("task", ["token-classification", "ner"])
def test_a_loaded_model_and_a_folder_give_this_pipeline_and_one_answer(
    limited: CrfTokenClassificationPipeline, tmp_path: Path, task: str
) -> None:
    limited.model.save_pretrained(tmp_path)
    limited.tokenizer.save_pretrained(tmp_path)
    model, tokenizer = AutoModelForTokenClassification.from_pretrained(tmp_path), limited.tokenizer
    by_object = pipeline(task, model=model, tokenizer=tokenizer, aggregation_strategy="simple")
    by_folder = pipeline(task, model=str(tmp_path), trust_remote_code=True, aggregation_strategy="simple")
    assert type(by_object) is CrfTokenClassificationPipeline
    assert type(by_folder).__name__ == "CrfTokenClassificationPipeline"  # its code comes from the folder
    assert by_object(LONG_TEXT) == by_folder(LONG_TEXT) == limited(LONG_TEXT, aggregation_strategy="simple")


def test_a_model_that_comes_from_training_answers_as_in_evaluation(
    tagger: CrfTokenClassificationPipeline, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    text, options = "손흥민은 춘천에서 태어났다.", {"ignore_labels": []}
    expected = tagger(text, **options)
    tagger.model.train()
    assert tagger(text, **options) == expected
    tagger.model.train()
    assert pipeline("ner", model=tagger.model, tokenizer=syllable_tokenizer)(text, **options) == expected


def test_other_models_keep_the_stock_pipeline_and_its_answers() -> None:
    tokenizer = bert_tokenizer()
    labels = ["B-PS", "I-PS", "O"]
    model = knowing_bert_tagger(tokenizer, labels, {"손": "B-PS", "##흥": "I-PS", "##민": "I-PS"})
    for task in ("token-classification", "ner"):
        found = pipeline(task, model=model, tokenizer=tokenizer, aggregation_strategy="first")
        assert type(found) is TokenClassificationPipeline
        stock = TokenClassificationPipeline(model=model, tokenizer=tokenizer, aggregation_strategy="first")
        assert found("손흥민은 춘천에서") == stock("손흥민은 춘천에서") != []
    own = pipeline("ner", model=model, tokenizer=tokenizer, pipeline_class=TokenClassificationPipeline)
    assert type(own) is TokenClassificationPipeline


def test_a_pipeline_that_somebody_else_registers_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = PIPELINE_REGISTRY.supported_tasks["token-classification"]

    class Theirs(TokenClassificationPipeline):
        pass

    tokenizer = bert_tokenizer()
    model = knowing_bert_tagger(tokenizer, ["B-PS", "O"], {})
    monkeypatch.setitem(entry, "impl", Theirs)
    offer_own_pipelines(pipelines)
    asking = entry["impl"]
    offer_own_pipelines(pipelines)
    assert entry["impl"] is asking
    assert type(pipeline("ner", model=model, tokenizer=tokenizer)) is Theirs


LOADED_WITHOUT_MALMOI = """
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline
folder, text = {folder!r}, {text!r}
names = {{"aggregation_strategy": "simple"}}
first = pipeline("ner", model=folder, trust_remote_code=True, **names)
model = AutoModelForTokenClassification.from_pretrained(folder, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
second = pipeline("token-classification", model=model, tokenizer=tokenizer, **names)
for answerer in (first, second):
    print(type(answerer).__name__, [(e["start"], e["end"], e["entity_group"]) for e in answerer(text)])
"""


@pytest.mark.slow
def test_a_loaded_model_gives_this_pipeline_without_malmoi(
    limited: CrfTokenClassificationPipeline, tmp_path: Path, run_without_malmoi: Callable[..., str]
) -> None:
    limited.model.save_pretrained(tmp_path / "saved")
    limited.tokenizer.save_pretrained(tmp_path / "saved")
    output = run_without_malmoi(LOADED_WITHOUT_MALMOI.format(folder=str(tmp_path / "saved"), text=LONG_TEXT))
    expected = places(limited(LONG_TEXT, aggregation_strategy="simple"))
    assert output.splitlines() == 2 * [f"CrfTokenClassificationPipeline {expected}"]


def labelled_tokens(labels: list[str]) -> list[dict]:
    return [
        {"entity": label, "score": 0.5, "word": "가", "start": index, "end": index + 1, "index": index}
        for index, label in enumerate(labels)
    ]


LABELS = st.sampled_from(["O", "B-PS", "I-PS", "B-LC", "I-LC", "PS", "LC", "MISC"])


@given(labels=st.lists(LABELS, max_size=8))
def test_names_are_joined_as_the_stock_pipeline_joins_them(labels: list[str]) -> None:
    tokenizer = bert_tokenizer()
    stock = TokenClassificationPipeline(model=STOCK_MODEL, tokenizer=tokenizer)
    tokens, text = labelled_tokens(labels), "가" * len(labels)
    assert places(_join(tokens, text)) == places(stock.group_entities(tokens))


STOCK_MODEL = knowing_bert_tagger(bert_tokenizer(), ["B-PS", "O"], {})


def test_offsets_that_are_given_are_taken_as_they_are(tagger: CrfTokenClassificationPipeline) -> None:
    given_offsets = [(0, 1), (0, 2), (0, 2), (0, 0)]
    found = tagger("손흥민은", offset_mapping=given_offsets, ignore_labels=[])
    assert [(e["start"], e["end"]) for e in found] == given_offsets[:3]
    for texts in (["손흥민은", "춘천에서"], (text for text in ["손흥민은"])):
        with pytest.raises(ValueError, match="`offset_mapping` says where the tokens of one text are"):
            tagger(texts, offset_mapping=[given_offsets, given_offsets])


def test_offsets_for_a_text_of_several_windows_are_refused(limited: CrfTokenClassificationPipeline) -> None:
    with pytest.raises(ValueError, match="`offset_mapping` is for texts that the model reads at once"):
        limited(LONG_TEXT, offset_mapping=[(0, 1)] * 500)


def test_a_strategy_that_is_none_is_refused(tagger: CrfTokenClassificationPipeline) -> None:
    with pytest.raises(ValueError, match='`aggregation_strategy` must be "simple" or "none", got \'longest\''):
        tagger("손흥민은", aggregation_strategy="longest")


def test_a_tokenizer_without_offsets_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="`tokenizer` must be a fast one, which gives character offsets, got ByT5"):
        CrfTokenClassificationPipeline(model=make_model(vocab_size=300), tokenizer=ByT5Tokenizer())


def test_a_dataset_and_a_generator_are_answered_as_a_stream(tagger: CrfTokenClassificationPipeline) -> None:
    texts = ["손흥민은 춘천에서", "비가 왔다", "서울"]
    expected = [tagger(text) for text in texts]
    assert list(tagger(KeyDataset([{"text": text} for text in texts], "text"), batch_size=2)) == expected
    assert list(tagger(text for text in texts)) == expected
    assert tagger(tuple(texts)) == expected


def test_a_column_of_a_table_is_a_list_of_texts(tagger: CrfTokenClassificationPipeline) -> None:
    texts = ["손흥민은 춘천에서", "", "서울"]
    expected = [tagger(text) for text in texts]
    columns = [Dataset.from_dict({"text": texts})["text"], np.array(texts), pd.Series(texts, index=[3, 1, 2])]
    for column in columns:
        assert tagger(column) == expected
    assert tagger(np.array(texts), is_split_into_words=True) == tagger(texts, is_split_into_words=True)


def test_whatever_yields_texts_is_answered_as_a_stream(tagger: CrfTokenClassificationPipeline) -> None:
    texts = ["손흥민은 춘천에서", "비가 왔다", "서울"]
    expected = [tagger(text) for text in texts]
    column = Dataset.from_dict({"text": texts}).to_iterable_dataset()["text"]
    for stream in (iter(texts), map(str, texts), column):
        assert list(tagger(stream, batch_size=2)) == expected
    words = [text.split() for text in texts]
    assert list(tagger(iter(words), is_split_into_words=True)) == expected


def test_a_table_is_refused_whose_columns_have_names(tagger: CrfTokenClassificationPipeline) -> None:
    for table in (
        pd.DataFrame({"text": ["서울"]}),
        np.array([["서울"]]),
        np.array("서울"),
        Dataset.from_dict({"text": ["서울"]}),
    ):
        with pytest.raises(ValueError, match=f"or a column of a table, not {type(table).__name__}"):
            tagger(table)
