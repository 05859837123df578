"""What a model suggests to label: how many, of what, in which form; and what our readers make of it again."""

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from datasets import DatasetDict
from support.property_texts import texts_and_spans
from support.tiny_models import (
    bert_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)
from transformers import PreTrainedTokenizerBase

from malmoi.data.classified_dataset import class_names
from malmoi.data.readers.jsonl import holds_jsonl, read_jsonl
from malmoi.data.readers.label_studio import read_label_studio
from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.suggestion_forms import labelling_config, written_suggestions
from malmoi.inference.suggestions import Limits, Suggestion, suggest
from malmoi.inference.tagger import Tagger
from malmoi.modeling import BiLstmCrfForTokenClassification

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
WORDS = [
    "손흥민은",
    "춘천에서",
    "태어났다",
    "비가",
    "와서",
    "집에",
    "있었다",
    "abc",
    "그는",
    "서울로",
    "갔다",
    "😀",
    "는민",
]


def some_texts(count: int) -> list[str]:
    """Return different sentences of words in any order."""
    draw = random.Random(4)
    return [f"{' '.join(draw.sample(WORDS, draw.randint(3, 9)))}." for _ in range(count)]


TEXTS = some_texts(120)


@pytest.fixture
def crf(
    tmp_path: Path,
    make_model: Callable[..., BiLstmCrfForTokenClassification],
    syllable_tokenizer: PreTrainedTokenizerBase,
) -> Tagger:
    model = make_model(vocab_size=len(syllable_tokenizer), initializer_range=1.0)
    model.classifier.weight.data *= 8  # labels that are not all equally probable
    return Tagger(save(tmp_path / "crf", model, syllable_tokenizer))


@pytest.fixture(params=["crf", "stock"])
def tagger(request: pytest.FixtureRequest, tmp_path: Path, crf: Tagger) -> Tagger:
    if request.param == "crf":
        return crf
    tokenizer = bert_tokenizer()
    return Tagger(save(tmp_path / "stock", tiny_bert_tagger(tokenizer, LABELS), tokenizer))


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    tokenizer = bert_tokenizer()
    return Classifier(save(tmp_path / "classifier", tiny_bert_classifier(tokenizer), tokenizer))


def test_so_many_different_texts_with_the_answers_of_the_tagger(tagger: Tagger) -> None:
    found = suggest(tagger, TEXTS, count=20)
    assert len({each.text for each in found}) == 20
    for each in found:
        assert each.text == TEXTS[each.number]
        assert all(name.text == each.text[name.start : name.end] for name in each.answer)
        least = min(each.answer, key=lambda name: name.score, default=None)
        assert each.kind == ("" if least is None else least.label)
    answers = tagger.tag([each.text for each in found])
    for each, answer in zip(found, answers):
        assert [name[:3] for name in each.answer] == [name[:3] for name in answer]


@pytest.mark.parametrize("measure", ["token", "sentence"])
def test_the_least_sure_are_chosen_by_either_measure(crf: Tagger, measure: str) -> None:
    texts = [text.replace(" ", "").replace("😀", "") for text in TEXTS]
    found = suggest(crf, texts, count=len(texts), measure=measure)
    for each in found:  # a sequence of labels of a strict CRF spells names that no other one does
        assert each.probability == pytest.approx(crf.n_best(each.text, 1)[0].probability, rel=1e-5)
    by_kind: dict[str, list[float]] = {}
    for each in found:  # a token is a character
        per_token = each.probability ** (1 / len(each.text))
        by_kind.setdefault(each.kind, []).append(per_token if measure == "token" else each.probability)
    for of_kind in by_kind.values():
        assert of_kind == pytest.approx(sorted(of_kind), rel=1e-6)


def test_the_same_texts_give_the_same_suggestions_however_they_are_read(tagger: Tagger) -> None:
    def content(found: list[Suggestion]) -> list[tuple[int, str]]:
        return [(each.number, each.kind) for each in found]

    first = content(suggest(tagger, TEXTS, count=15))
    assert content(suggest(tagger, iter(TEXTS), count=15)) == first
    assert content(suggest(tagger, TEXTS, count=15, batch_size=3)) == first
    assert content(suggest(tagger, TEXTS + TEXTS, count=15)) == first
    assert content(suggest(tagger, TEXTS, count=5)) == first[:5]


def test_no_kind_takes_the_room_of_another(tagger: Tagger) -> None:
    there = Counter(each.kind for each in suggest(tagger, TEXTS, count=len(TEXTS)))
    chosen = Counter(each.kind for each in suggest(tagger, TEXTS, count=9))
    assert len(there) > 1
    shares = [chosen[kind] for kind in there if there[kind] > chosen[kind]]
    assert max(chosen.values()) - min(shares) <= 1  # who has fewer has no more


def test_short_long_and_similar_texts_are_left_out(tagger: Tagger, caplog: pytest.LogCaptureFixture) -> None:
    texts = ["", "비가", "!!! ??? !!! 비", "비가 와서 집에", "비가 와서, 집에!", "그는 서울로 갔다 " * 60]
    assert [each.number for each in suggest(tagger, texts, count=3)] in ([3], [4])
    assert [record.getMessage() for record in caplog.records] == [
        "malmoi: 3 of 6 texts have fewer than 5 letters and digits and are left out.",
        "malmoi: 1 of 6 texts has more than 500 characters and is left out.",
        "malmoi: of 6 texts there are no more than 1 different one to suggest.",
    ]
    found = suggest(tagger, texts, count=9, limits=Limits(letters=0, characters=10_000))
    assert {1, 5} < {each.number for each in found}


def test_a_classifier_suggests_what_it_is_least_sure_of_in_every_class(classifier: Classifier) -> None:
    found = suggest(classifier, TEXTS, count=12)
    there = {answer.label for answer in classifier.classify(TEXTS)}
    assert {each.kind for each in found} == there
    assert len(there) > 1
    for each in found:
        assert isinstance(each.answer, Classification)
        assert (each.kind, each.probability) == (each.answer.label, each.answer.score)
    for kind in there:
        of_kind = [each.probability for each in found if each.kind == kind]
        assert of_kind == sorted(of_kind)


def test_a_model_may_be_named(tagger: Tagger, tmp_path: Path) -> None:
    [folder] = [path for path in tmp_path.iterdir() if path.name == ("crf" if tagger.name_chain.chain else "stock")]
    named = suggest(folder, TEXTS[:9], count=3)
    assert [each.number for each in named] == [each.number for each in suggest(tagger, TEXTS[:9], count=3)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 0}, "`count` must be a whole number of at least 1, got 0"),
        ({"count": True}, "`count` must be a whole number"),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least 1, got 0"),
        ({"batch_size": -1}, "`batch_size` must be a whole number of at least 1, got -1"),
        ({"measure": "entropy"}, "`measure` must be one of sentence, token, got 'entropy'"),
    ],
)
def test_what_cannot_be_asked_for_is_an_error(crf: Tagger, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        suggest(crf, TEXTS, **options)


def test_what_are_no_texts_is_an_error(crf: Tagger) -> None:
    with pytest.raises(UserError, match="takes a list of texts, got a single one"):
        suggest(crf, "비가 와서 집에 있었다.")
    with pytest.raises(UserError, match="Expected a text as number 2 of the texts, got 7"):
        suggest(crf, ["비가 와서 집에 있었다.", 7])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "texts", [None, 7, b"sentence", {"sentence": TEXTS}, pd.DataFrame({"sentence": TEXTS}), np.array([TEXTS])]
)
def test_a_table_is_no_list_of_texts_whose_columns_have_names(crf: Tagger, texts: Any) -> None:
    with pytest.raises(UserError, match="`suggest` takes a list of texts, got "):
        suggest(crf, texts)


def test_a_model_for_spacing_suggests_nothing(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerBase) -> None:
    folder = save(tmp_path / "spacing", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    with pytest.raises(UserError, match="named-entities or sentence-classification; it is for word-spacing"):
        suggest(folder, TEXTS)
    with pytest.raises(UserError, match="by a Tagger or a Classifier, got Spacer"):
        suggest(Spacer(folder), TEXTS)  # type: ignore[arg-type]


def write(folder: Path, found: list[Suggestion], form: str) -> Path:
    folder.mkdir()
    path = folder / f"train.{'json' if form == 'label-studio' else 'jsonl'}"
    path.write_text("".join(written_suggestions(found, form, model="ours")), encoding="utf-8")
    return path


def submitted(path: Path) -> None:
    """Make of tasks to import what Label Studio exports once somebody has submitted every prediction as it is."""
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for number, task in enumerate(tasks):
        [prediction] = task["predictions"]
        assert prediction["model_version"] == "ours"
        annotation = {"id": number, "completed_by": 1, "result": prediction["result"], "was_cancelled": False}
        task |= {"id": number, "annotations": [annotation], "predictions": []}
    lines = ",\n".join(json.dumps(task, ensure_ascii=False) for task in tasks)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def read(path: Path, form: str, task: str) -> DatasetDict:
    return (read_label_studio if form == "label-studio" else read_jsonl)(path.parent, task=task)


@pytest.mark.parametrize("form", ["jsonl", "doccano", "label-studio"])
def test_names_are_read_again_as_they_were_suggested(tmp_path: Path, tagger: Tagger, form: str) -> None:
    found = suggest(tagger, TEXTS, count=25)
    assert any(each.answer for each in found)
    path = write(tmp_path / "data", found, form)
    if form == "label-studio":
        submitted(path)
    else:
        assert holds_jsonl(path.parent)
    again = texts_and_spans(read(path, form, "named-entities")["train"])
    assert again == [(each.text, [tuple(name[:3]) for name in each.answer]) for each in found]


@pytest.mark.parametrize("form", ["jsonl", "doccano", "label-studio"])
def test_classes_are_read_again_as_they_were_suggested(tmp_path: Path, classifier: Classifier, form: str) -> None:
    found = suggest(classifier, TEXTS, count=25)
    path = write(tmp_path / "data", found, form)
    if form == "label-studio":
        submitted(path)
    rows = read(path, form, "sentence-classification")["train"]
    names = class_names(rows)
    assert [*zip(rows["text"], (names[label] for label in rows["label"]))] == [
        (each.text, each.kind) for each in found
    ]


def test_label_studio_is_told_what_it_needs(crf: Tagger) -> None:
    found = suggest(crf, TEXTS, count=10)
    tasks = json.loads("".join(written_suggestions(found, "label-studio", model="ours")))
    ids = [result["id"] for task in tasks for result in task["predictions"][0]["result"]]
    assert len({*ids}) == len(ids) > 0
    for task, each in zip(tasks, found, strict=True):
        assert task["data"] == {"text": each.text, "number": each.number + 1}
        for result in task["predictions"][0]["result"]:
            assert (result["from_name"], result["to_name"], result["type"]) == ("label", "text", "labels")
            value = result["value"]
            assert value["text"] == each.text[value["start"] : value["end"]]
            assert 0 <= result["score"] <= 1
    assert labelling_config(["PS", 'a"b'], of_names=True) == (
        '<View><Labels name="label" toName="text"><Label value="PS"/><Label value=\'a"b\'/></Labels>'
        '<Text name="text" value="$text"/></View>'
    )
    assert '<Choices name="sentiment" toName="text" choice="single"><Choice value="좋음"/>' in labelling_config(
        ["좋음"], of_names=False
    )


def test_nothing_suggested_is_an_empty_file_of_its_form() -> None:
    assert "".join(written_suggestions([], "label-studio", model="ours")) == "[]\n"
    assert not [*written_suggestions([], "doccano", model="ours")]
    with pytest.raises(UserError, match="--export must be one of jsonl, doccano, label-studio, got 'xml'"):
        next(written_suggestions([], "xml", model="ours"))
