"""Datasets of one's own, from reading to tagging and out again: in Python, saved, as Parquet and as CSV."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from support.command_line import malmoi as command
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS

import malmoi
from malmoi.commands.evaluate import evaluate_model
from malmoi.data.alignment import tags_to_spans
from malmoi.data.inline_marks import parse_marks
from malmoi.data.readers import read_splits
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.splits.cutting import cut_of
from malmoi.data.tagged_dataset import label_names
from malmoi.data.writers.dataset import write_dataset
from malmoi.recipes.recipe import RecipeError
from malmoi.training.known_training_set import are_cut_from_other_data, is_cut_otherwise
from malmoi.training.run_report import describe_data
from malmoi.training.tasks import TASKS

SENTENCES = [
    "<김하늘:PS>은 <강릉:LC>에서 왔다.",
    "<박바다:PS>가 <속초:LC>로 떠났다.",
    "오늘은 비가 온다.",
    "<이슬기:PS>는 <해솔초등학교:OG>에 다닌다.",
    "<강릉:LC>의 바다는 푸르다.",
    "<최가람:PS> 씨가 전화했다.",
    "<누리은행:OG>은 <속초:LC>에 있다.",
    "그는 아무 말도 하지 않았다.",
    "<김하늘:PS>과 <박바다:PS>는 친구다.",
    "<원주:LC>까지 기차를 탔다.",
    "<해솔초등학교:OG>가 문을 열었다.",
    "<이슬기:PS>의 동생은 <이보람:PS>이다.",
    "내일 다시 만나자.",
    "<태백:LC>에 눈이 내렸다.",
    "<최가람:PS>은 <누리은행:OG>에서 일한다.",
    "<이보람:PS>이 노래를 불렀다.",
    "<원주:LC>와 <태백:LC>은 멀지 않다.",
    "커피 두 잔 주세요.",
    "<정다운:PS>이 <강릉:LC>에 산다.",
    "<가온상회:OG>는 <원주:LC>의 가게다.",
]
TEXTS, SPANS = zip(*(parse_marks(line) for line in SENTENCES))
LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "B-OG", "I-OG", "O"]
REVIEWS = [f"{word} {number}번째" for number in range(10) for word in ("재미있는 영화", "지루한 영화")]


def in_python(folder: Path) -> Any:
    """Return characters and tags, in two splits."""
    rows = []
    for text, spans in zip(TEXTS, SPANS):
        tags = ["O"] * len(text)
        for start, end, kind in spans:
            tags[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
        rows.append({"tokens": list(text), "ner_tags": [LABELS.index(tag) for tag in tags]})
    features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=LABELS))})
    whole = Dataset.from_list(rows, features=features)
    return DatasetDict({"train": whole.select(range(15)), "dev": whole.select(range(15, 20))})


def saved(folder: Path) -> Any:
    in_python(folder).save_to_disk(folder / "saved")
    return folder / "saved"


def parquet(folder: Path) -> Any:
    """Return texts with spans, in one file: its validation and test sentences are cut."""
    spans = [[{"start": s, "end": e, "label": kind} for s, e, kind in each] for each in SPANS]
    Dataset.from_dict({"text": list(TEXTS), "entities": spans}).to_parquet(folder / "sentences.parquet")
    return folder / "sentences.parquet"


def answers(splits: DatasetDict) -> dict[str, Any]:
    """Return the names in each text."""
    return {
        row["text"]: tags_to_spans([label_names(rows)[tag] for tag in row["tags"]])
        for rows in splits.values()
        for row in rows
    }


@pytest.mark.slow
@pytest.mark.parametrize("made", [in_python, saved, parquet])
def test_sentences_go_in_and_come_out_as_they_were(
    made: Callable[[Path], Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    dataset, run = made(tmp_path), tmp_path / "run"
    report = malmoi.train("demo", dataset=dataset, output_dir=run, **SETTINGS)
    data = json.loads((run / "report.json").read_text(encoding="utf-8"))["data"]
    assert data == report["data"]
    assert data["reader"] == "dataset"
    if made is parquet:
        assert data["source"] == "sentences.parquet"
        assert data["cut"] == {"texts": {"validation": 2, "test": 2}, "of": 20, "seed": 42, "documents": False}
        assert data["texts"] == {"train": 16, "validation": 2, "test": 2}
    else:
        assert data["source"] == ("a DatasetDict in Python" if made is in_python else "saved")
        assert (data["texts"], "cut" in data) == ({"train": 15, "validation": 5}, False)
    assert str(tmp_path) not in (run / "report.json").read_text(encoding="utf-8")

    options = ReadingOptions(dataset=dataset)
    capsys.readouterr()
    evaluate_model(
        str(run),
        data_dir=None,
        reader=None,
        options=options,
        division_seed=None,
        split="validation",
        batch_size=8,
        as_json=True,
        every_figure=False,
        trust_remote_code=False,
    )
    measured = json.loads(capsys.readouterr().out)
    assert measured["data"]["fingerprint"] == data["fingerprint"]
    assert measured["data"]["source"] == data["source"]
    assert measured["data"].get("cut") == data.get("cut")
    assert measured["figures"]["entity_f1"] == report["figures"]["entity_f1"]
    assert "otherwise than when" not in caplog.text
    assert len(malmoi.Tagger(run)(list(TEXTS))) == 20
    if made is parquet:
        (run / "report.json").write_text(json.dumps({**report, "data": {**data, "fingerprint": "another"}}))
        malmoi.evaluate(run, dataset=dataset)
        assert "the validation texts are cut from the training set otherwise than when" in caplog.text
        caplog.clear()
        grown = tmp_path / "grown.parquet"
        rows = Dataset.from_parquet(str(dataset))
        more = [{"text": f"{number}번째로 비가 온다.", "entities": []} for number in range(5)]
        Dataset.from_list([*rows, *more], features=rows.features).to_parquet(grown)
        malmoi.evaluate(run, dataset=str(grown))
        assert f"the validation texts are cut from 25 texts, which are not those from which {run} was" in caplog.text

    splits = read_splits("dataset", None, task="named-entities", options=options)
    assert answers(splits) == dict(zip(TEXTS, SPANS))
    write_dataset(splits, tmp_path / "out")
    again = read_splits("dataset", tmp_path / "out", task="named-entities")
    assert {split: rows[:] for split, rows in again.items()} == {split: rows[:] for split, rows in splits.items()}


@pytest.mark.parametrize(
    ("of_report", "is_otherwise", "of_others"),
    [
        ({}, False, False),
        ({"fingerprint": "another"}, True, True),
        # of other data, or of other labels, a fingerprint tells nothing of how they were cut
        ({"fingerprint": "another", "labels": ["나쁨"]}, False, True),
        ({"fingerprint": "another", "labels": ["좋음", "나쁨"]}, False, False),
        ({"fingerprint": "another", "cut": None}, False, False),
        ({"fingerprint": "another", "cut": {"of": 7, "seed": 42}}, False, True),
    ],
)
def test_another_division_than_that_of_the_training_is_noticed(
    of_report: dict[str, Any], is_otherwise: bool, of_others: bool
) -> None:
    task = TASKS["sentence-classification"]
    rows = [{"text": text, "label": "좋음" if "재미" in text else "나쁨"} for text in REVIEWS]
    options = ReadingOptions(dataset=Dataset.from_list(rows))
    splits = read_splits("dataset", None, task=task.name, options=options)
    data = describe_data(task, "dataset", None, splits, split="validation", dataset="reviews", cut=cut_of(splits))
    report = {"data": {**data, **of_report}}
    assert is_cut_otherwise(report, splits, task) == is_otherwise
    assert are_cut_from_other_data(report, splits, task) == of_others
    assert not is_cut_otherwise({}, splits, task)
    assert not are_cut_from_other_data({}, splits, task)


@pytest.mark.slow
def test_reviews_in_csv_go_in_and_come_out_as_they_were(tmp_path: Path) -> None:
    with (tmp_path / "reviews.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "label"])
        writer.writerows((text, "좋음" if "재미" in text else "나쁨") for text in REVIEWS)
    not_of_it = ("ngram_embedding_size", "ngram_vocab_size", "name_replacement_copies")
    settings = {key: value for key, value in SETTINGS.items() if key not in not_of_it}
    run = tmp_path / "run"
    flags = as_flags(settings)
    command("train", "nsmc-bi-lstm", "--dataset", tmp_path / "reviews.csv", "--output_dir", run, *flags)
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert report["data"]["labels"] == ["나쁨", "좋음"]
    assert report["data"]["texts"] == {"train": 16, "validation": 2, "test": 2}
    assert report["data"]["cut"]["of"] == 20
    assert report["settings"]["dataset"] == "reviews.csv"
    measured, _ = command("evaluate", run, "--dataset", tmp_path / "reviews.csv", "--json")
    assert json.loads(measured)["data"]["fingerprint"] == report["data"]["fingerprint"]
    measured, _ = command("evaluate", run, "--data_dir", tmp_path / "reviews.csv", "--split", "test", "--json")
    figures = json.loads(measured)["figures"]
    assert {name: figures[name] for name in ("loss", "accuracy", "macro_f1")} == {
        name: report["test_figures"][name] for name in ("loss", "accuracy", "macro_f1")
    }
    assert {answer.label for answer in malmoi.Classifier(run)(REVIEWS)} <= {"나쁨", "좋음"}
    splits = read_splits("dataset", tmp_path / "reviews.csv", task="sentence-classification")
    write_dataset(splits, tmp_path / "out")
    again = read_splits("dataset", tmp_path / "out", task="sentence-classification")
    assert {split: rows[:] for split, rows in again.items()} == {split: rows[:] for split, rows in splits.items()}


@pytest.mark.slow
def test_a_training_on_a_dataset_in_python_goes_on_with_the_same_sentences_alone(tmp_path: Path) -> None:
    dataset, run = in_python(tmp_path), tmp_path / "run"
    malmoi.train("demo", dataset=dataset, output_dir=run, **SETTINGS | {"save_total_limit": 2})
    more = SETTINGS | {"max_steps": 6, "resume_from_checkpoint": "true", "save_total_limit": 2}
    others = DatasetDict({"train": dataset["train"].select(range(10)), "dev": dataset["dev"]})
    with pytest.raises(RecipeError, match="the training data are others"):
        malmoi.train("demo", dataset=others, output_dir=run, **more)
    # the same sentences from elsewhere are the same
    dataset.save_to_disk(tmp_path / "saved")
    report = malmoi.train("demo", dataset=tmp_path / "saved", output_dir=run, **more)
    assert report["training"]["steps"] == 6
    shutil.rmtree(tmp_path / "saved")


def test_a_dataset_is_for_the_reader_of_datasets_and_no_other(tmp_path: Path) -> None:
    rows = in_python(tmp_path)
    for settings, message in (
        ({"reader": "inline-marks"}, "`dataset` is for the reader dataset, but `reader` is inline-marks"),
        ({"data_dir": tmp_path}, "Two data sets are given"),
        ({"label_column": "tag"}, "--label_column: the dataset .* has no column 'tag'; did you mean 'ner_tags'?"),
    ):
        with pytest.raises(malmoi.UserError, match=message):
            malmoi.train("demo", dataset=rows, output_dir=tmp_path / "run", **settings)
    with pytest.raises(
        malmoi.UserError, match=r"`dataset` must be a Dataset or a DatasetDict of datasets, .* got int"
    ):
        malmoi.train("demo", dataset=7, output_dir=tmp_path / "run")


@pytest.mark.parametrize("of_splits", [False, True])
def test_a_frame_of_pandas_is_told_its_way(of_splits: bool, tmp_path: Path) -> None:
    frame = pd.DataFrame([{"text": "비가 왔다.", "label": "a"}])
    run = tmp_path / "runs/mine"
    for use in (malmoi.read_data, lambda data: malmoi.train("nsmc-bi-lstm", dataset=data, output_dir=run)):
        with pytest.raises(
            malmoi.UserError, match=r"a DataFrame of pandas becomes a Dataset by .*from_pandas\(\.\.\.\)"
        ):
            use({"train": frame} if of_splits else frame)
    assert not run.parent.exists()  # nothing was written


def test_texts_too_few_for_a_vocabulary_are_told_the_key(tmp_path: Path) -> None:
    rows = [{"text": "손흥민은 왔다.", "entities": [[0, 3, "PS"]]}, {"text": "비가 온다.", "entities": []}]
    with pytest.raises(
        RecipeError, match=r"No character occurs 2 times .* `tokenizer_min_frequency: 2` asks for; give"
    ):
        malmoi.train("demo", dataset={"train": rows[:1], "validation": rows}, output_dir=tmp_path / "run")
