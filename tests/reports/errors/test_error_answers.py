"""What is found wrong in the answers of a model: by tiny models that know what they were told."""

import json
import unicodedata
from pathlib import Path
from typing import Any, Literal

import pytest
from support.command_line import malmoi
from support.marked_lines import write_splits
from support.tiny_models import bert_tokenizer, knowing_bert_tagger, save, tiny_bert_classifier

from malmoi.commands.evaluate import evaluate_model
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.tagger import Tagger
from malmoi.metrics.named_entities import describe_names
from malmoi.reports.errors.breakdown import Breakdown, bucket, bucket_names, sources
from malmoi.reports.errors.names import ScoredToken, sureness
from malmoi.reports.output_file import check_output_file

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
PERSON = {"손": "B-PS", "##흥": "I-PS", "##민": "I-PS"}
PLACE = {"춘": "B-LC", "##천": "I-LC"}
TRAIN = ["<손흥민:PS>은 <춘천:LC>에서 태어났다."]
VALIDATION = [
    "<손흥민:PS>은 <춘천:LC>에서 태어났다.",
    "<춘천에서:LC> 비가 왔다",
    "<서울:LC>로 갔다!",
    "비가 와서 춘천에 갔다",
    "<손흥민:LC>은 갔다",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, tokenizer = tmp_path_factory.mktemp("models"), bert_tokenizer()
    spaces = dict.fromkeys(["손", "춘", "태", "##춘", "##태"], "B")
    return {
        "both": save(folder / "both", knowing_bert_tagger(tokenizer, LABELS, {**PERSON, **PLACE}), tokenizer),
        "person": save(folder / "person", knowing_bert_tagger(tokenizer, LABELS, PERSON), tokenizer),
        "spacing": save(folder / "spacing", knowing_bert_tagger(tokenizer, SPACING_LABELS, spaces), tokenizer),
        "reviews": save(folder / "reviews", tiny_bert_classifier(tokenizer), tokenizer),
        "organizations": save(
            folder / "organizations",
            knowing_bert_tagger(tokenizer, ["B-PS", "I-PS", "B-OG", "I-OG", "O"], {}),
            tokenizer,
        ),
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_splits(tmp_path / "corpus", train=TRAIN, validation=VALIDATION)


def evaluate(
    model: Path, data_dir: Path, capsys: pytest.CaptureFixture[str], *, reader: str = "inline-marks", **more: Any
) -> dict[str, Any]:
    """Return the report that `malmoi evaluate --json` prints."""
    settings = {"split": "validation", "batch_size": 2, "as_json": True, "every_figure": True, **more}
    evaluate_model(str(model), data_dir=data_dir, reader=reader, trust_remote_code=False, **settings)
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def read_page(path: Path) -> dict[str, Any]:
    """Return what a page shows."""
    source = path.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0]
    data: dict[str, Any] = json.loads(source)
    return data


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_page_has_each_wrong_sentence_and_what_is_wrong(
    models: dict[str, Path], corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "errors.html"
    report = evaluate(models["both"], corpus, capsys, errors=page)
    shown = read_page(page)
    wrong = {row["number"]: [(e[0], e[1], e[2], e[3]) for e in row["errors"]] for row in shown["rows"]}
    assert wrong == {
        2: [("josa", "LC", "LC", "춘천에서")],
        3: [("missed", "LC", "", "서울")],
        4: [("invented", "", "LC", "춘천")],
        5: [("type", "LC", "PS", "손흥민")],
    }
    assert report["errors"] == {"texts": 4, "kinds": {"josa": 1, "missed": 1, "invented": 1, "type": 1}}
    assert shown["labels"] == ["LC", "PS", ""]
    assert shown["confusion"] == [[2, 1, 1], [0, 1, 0], [1, 0, 0]]
    lines = next(row["lines"] for row in shown["rows"] if row["number"] == 2)
    assert [line["marks"][0][:4] for line in lines] == [[0, 4, "LC", "josa"], [0, 2, "LC", "josa"]]
    # the figures of the tables are those of the report
    by_type = next(table for table in shown["tables"] if table["title"] == "by_type")
    for name, (number, *figures) in by_type["rows"]:
        assert number == report["support"][name]
        assert figures == [report["figures"][f"{figure}/{name}"] for figure in ("precision", "recall", "f1")]
    assert not any(table["title"] in ("by_seen", "by_source") for table in shown["tables"])
    assert {figure["name"] for figure in shown["figures"]} == {"entity_f1", "entity_precision", "entity_recall"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_that_the_training_set_has_are_told_from_others(
    form: Literal["NFC", "NFD"], models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = [unicodedata.normalize(form, line) for line in TRAIN]
    corpus = write_splits(tmp_path / "corpus", train=train, validation=VALIDATION)
    model, page = tmp_path / "model", tmp_path / "errors.html"
    tokenizer = bert_tokenizer()
    save(model, knowing_bert_tagger(tokenizer, LABELS, {**PERSON, **PLACE}), tokenizer)
    names = [unicodedata.normalize(form, name) for name in ("손흥민", "춘천")]
    run = {"training_names": describe_names(names), "settings": {}, "seed": 1}
    (model / "report.json").write_text(json.dumps(run), encoding="utf-8")
    report = evaluate(model, corpus, capsys, errors=page)
    shown = read_page(page)
    assert {row["number"]: row["errors"][0][5] for row in shown["rows"]} == {2: False, 3: False, 4: True, 5: True}
    [by_seen] = [table["rows"] for table in shown["tables"] if table["title"] == "by_seen"]
    # seen: both names of the first sentence, and 손흥민 as a place; predicted seen: those, 춘천 twice more
    assert by_seen == [
        ["seen", [3, 2 / 5, 2 / 3, 1 / 2]],
        ["unseen", [2, 0, 0, 0]],
    ]
    assert report["figures"]["entity_recall_unseen"] == 0
    assert "entity_f1_unseen" in {figure["name"] for figure in shown["figures"]}


def test_predictions_are_those_of_the_tagger(
    models: dict[str, Path], corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "predictions.jsonl"
    report = evaluate(models["both"], corpus, capsys, predictions=path)
    rows = read_lines(path)
    assert [row["right"] for row in rows] == [True, False, False, False, False]
    tagger = Tagger(models["both"])
    for row in rows:
        entities = [entity._asdict() for entity in tagger(row["text"])]
        assert [{**entity, "score": pytest.approx(entity["score"])} for entity in entities] == row["predicted"]
    assert rows[0]["gold"][1] == {"start": 5, "end": 7, "label": "LC", "text": "춘천"}
    assert len(rows) == report["data"]["texts"]["validation"]
    assert not list(tmp_path.glob("*.part"))


def test_surest_disagreements_come_first(
    models: dict[str, Path], corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "errors.html"
    evaluate(models["both"], corpus, capsys, errors=page)
    sure = [row["sure"] for row in read_page(page)["rows"]]
    assert sure == sorted(sure, reverse=True)
    assert all(0 < each <= 1 for each in sure)
    for row in read_page(page)["rows"]:
        assert row["sure"] == pytest.approx(max(error[4] for error in row["errors"]), abs=1e-6)


def test_sureness_is_the_mean_over_the_tokens_that_differ() -> None:
    tokens = [ScoredToken(0, 2, 0.9), ScoredToken(2, 3, 0.5), ScoredToken(4, 5, 0.7)]
    assert sureness((0, 3), [False, True, True, False, False], tokens) == pytest.approx(0.7)
    assert sureness((2, 5), [True, True, False, False, True], tokens) == pytest.approx(0.7)
    # only the space between two tokens differs: all that are within reach
    assert sureness((2, 5), [False, False, False, True, False], tokens) == pytest.approx(0.6)
    assert sureness((3, 4), [True] * 5, tokens) == 0


def test_two_models_are_compared_on_the_same_sentences(
    models: dict[str, Path], corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, predictions = tmp_path / "errors.html", tmp_path / "predictions.jsonl"
    report = evaluate(
        models["both"], corpus, capsys, errors=page, predictions=predictions, against=str(models["person"])
    )
    alone = evaluate(models["person"], corpus, capsys)
    against = report["against"]
    assert {name: against["figures"][name] for name in alone["definitions"]} == {
        name: alone["figures"][name] for name in alone["definitions"]
    }
    assert against["right"] == {"both": 0, "only this model": 1, "only the other": 1, "neither": 3}
    for name, difference in against["differences"].items():
        assert difference["difference"] == pytest.approx(report["figures"][name] - alone["figures"][name])
        assert difference["interval"][0] <= difference["difference"] <= difference["interval"][1]
    shown = read_page(page)
    assert {row["number"] for row in shown["rows"]} == {1, 2, 3, 4, 5}
    last = shown["rows"][-1]  # after those that the model itself gets wrong
    assert [(error[0], error[3], error[6]) for error in last["errors"]] == [("missed", "춘천", 1)]
    assert last["lines"][0]["marks"][1][3] == "missed"
    first = read_lines(predictions)[0]
    assert first["right"]
    assert not first["against"]["right"]
    assert [entity["text"] for entity in first["against"]["predicted"]] == ["손흥민"]


def test_the_command_line_prints_both_models_and_where_the_page_is(
    models: dict[str, Path], corpus: Path, tmp_path: Path
) -> None:
    page = tmp_path / "errors.html"
    flags = ["--data_dir", corpus, "--reader", "inline-marks", "--against", models["person"], "--errors", page]
    out, _ = malmoi("evaluate", models["both"], *flags)
    lines = out.splitlines()
    assert lines[-1] == f"{page} shows the 4 of 5 texts that have a mistake."
    said = f"only {models['both']} 1, only {models['person']} 1, and neither 3."
    assert f"Of 5 texts both models get 0 right, {said}" in lines
    # 2 of 5 predicted and 5 gold names are right, and 1 of 2
    [cells] = [line.split("│") for line in lines if "entity_f1 " in line and "+" in line]
    assert [cell.strip() for cell in cells[1:5]] == ["entity_f1", "40.00", "28.57", "+11.43"]
    assert read_page(page)["against"] == str(models["person"])
    _, error = malmoi("evaluate", models["both"], *flags[:-1], tmp_path, code=2)
    assert error == f"malmoi: --errors {tmp_path}: expected a file to write, got a folder.\n"


def test_wrong_spaces_are_marked_where_they_are(
    models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = write_splits(
        tmp_path / "corpus", validation=["손흥민은 춘천에서 태어났다.", "비가 와서 집에 있었다", "서울로태어났다"]
    )
    page, predictions = tmp_path / "errors.html", tmp_path / "predictions.jsonl"
    report = evaluate(
        models["spacing"], corpus, capsys, reader="plain-sentences", errors=page, predictions=predictions
    )
    assert [(row["gold"], row["predicted"]) for row in read_lines(predictions)] == [
        ("손흥민은 춘천에서 태어났다.", "손흥민은 춘천에서 태어났다."),
        ("비가 와서 집에 있었다", "비가와서집에있었다"),
        ("서울로태어났다", "서울로 태어났다"),
    ]
    shown = read_page(page)
    assert shown["confusion"] == [[2, 3], [1, 20]]
    missing, extra = sorted(shown["rows"], key=lambda row: row["number"])
    assert [mark[:4] for mark in missing["lines"][0]["marks"]] == [
        [2, 3, "", "missing_space"],
        [5, 6, "", "missing_space"],
        [8, 9, "", "missing_space"],
    ]
    assert [mark[:2] for mark in missing["lines"][1]["marks"]] == [[2, 2], [4, 4], [6, 6]]
    assert [line["marks"][0][:4] for line in extra["lines"]] == [[3, 3, "", "extra_space"], [3, 4, "", "extra_space"]]
    assert extra["errors"][0][3] == "서울로|태어났다"
    assert report["errors"] == {"texts": 2, "kinds": {"missing_space": 3, "extra_space": 1}}
    assert report["figures"]["sentence_accuracy"] == pytest.approx(1 / 3)
    [words] = [table["rows"] for table in shown["tables"] if table["title"] == "by_word_length"]
    assert sum(row[1][0] for row in words) == 8


def test_wrong_classes_come_with_their_probabilities(
    models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["좋음\t비가 와서", "나쁨\t그는", "보통\t서울로 갔다!"]
    write_splits(tmp_path, train=rows, validation=rows)
    page, predictions = tmp_path / "errors.html", tmp_path / "predictions.jsonl"
    report = evaluate(
        models["reviews"], tmp_path, capsys, reader="labelled-texts", errors=page, predictions=predictions
    )
    answers, shown = read_lines(predictions), read_page(page)
    assert [row["gold"] for row in answers] == ["좋음", "나쁨", "보통"]
    for row in answers:
        assert row["scores"][row["predicted"]] == row["score"] == max(row["scores"].values())
        assert sum(row["scores"].values()) == pytest.approx(1)
    wrong = [row for row in answers if row["predicted"] != row["gold"]]
    assert wrong
    assert report["errors"]["texts"] == len(wrong) == len(shown["rows"])
    assert [row["lines"][1]["label"] for row in shown["rows"]] == [
        row["predicted"] for row in sorted(wrong, key=lambda row: -row["score"])
    ]
    assert shown["confusion"] == report["confusion"]["counts"]
    other = evaluate(models["reviews"], tmp_path, capsys, reader="labelled-texts", against=str(models["reviews"]))
    assert other["against"]["differences"]["macro_f1"] == {"difference": 0, "interval": [0, 0]}
    assert other["against"]["figures"]["macro_f1"] == other["figures"]["macro_f1"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"errors": "missing/errors.html"}, r"--errors .*errors.html: there is no folder .*missing\."),
        ({"errors": "."}, r"--errors .*: expected a file to write, got a folder\."),
        ({"predictions": "missing/p.jsonl"}, r"--predictions .*p.jsonl: there is no folder .*missing\."),
        ({"errors": "one", "predictions": "one"}, r"--errors and --predictions both name .*one; give each a file"),
    ],
)
def test_a_file_that_cannot_be_written_is_named_before_anything_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, str], message: str
) -> None:
    paths = {name: tmp_path / path for name, path in more.items()}
    with pytest.raises(UserError, match=message):
        evaluate(tmp_path / "no model at all", tmp_path, capsys, **paths)


def test_data_are_not_written_over(tmp_path: Path) -> None:
    for name in ("train.txt", "page.html"):
        (tmp_path / name).touch()
    for data in (tmp_path, tmp_path / "train.txt"):
        with pytest.raises(UserError) as caught:
            check_output_file(tmp_path / "train.txt", "--errors", data_dir=data)
        assert str(caught.value) == (
            f"--errors {tmp_path / 'train.txt'} would be written over, but it lies among the data; "
            "choose another place."
        )
    for name in ("page.html", "new.jsonl"):
        check_output_file(tmp_path / name, "--errors", data_dir=tmp_path)
    check_output_file(tmp_path / "train.txt", "--errors", data_dir=tmp_path / "other")
    with pytest.raises(UserError, match="--errors: expected the name of a file, got -, which is standard output"):
        check_output_file(Path("-"), "--errors")


def test_files_of_a_model_are_not_written_over(tmp_path: Path) -> None:
    model, other = tmp_path / "model", tmp_path / "other"
    for folder in (model, other):
        (folder / "checkpoint-1").mkdir(parents=True)
        for name in ("config.json", "errors.html", "answers.jsonl", "checkpoint-1/trainer_state.json"):
            (folder / name).touch()
    for path in (model / "config.json", other / "checkpoint-1" / "trainer_state.json"):
        for flag in ("--errors", "--predictions"):
            with pytest.raises(UserError, match=f"{flag} .*{path.name} would be written over, but it is a file of"):
                check_output_file(path, flag, models=[str(model), other, "user/model"])
        check_output_file(path, "--errors", models=["user/model"])
    (model / "answers.json").touch()
    for name in ("errors.html", "answers.jsonl", "answers.json", "new.json"):  # as before, or beside it
        check_output_file(model / name, "--errors", models=[model])


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)  # root may write anywhere
    with pytest.raises(UserError, match=r"--errors .*errors.html: the folder .* may not be written to\."):
        check_output_file(tmp_path / "errors.html", "--errors")


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ("spacing", r"--against .*: this is a model for word-spacing, but .*both is one for named-entities\."),
        ("organizations", r"--against .*: The data has the labels B-LC, I-LC, first in .*, which the model lacks"),
    ],
)
def test_another_model_must_be_one_for_the_same_data(
    models: dict[str, Path],
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    against: str,
    message: str,
) -> None:
    monkeypatch.setattr("malmoi.training.evaluate.measure", lambda *_, **__: pytest.fail("It was computed."))
    with pytest.raises(UserError, match=message):
        evaluate(models["both"], corpus, capsys, against=str(models[against]))


def test_what_stood_there_before_stays_when_writing_fails(
    models: dict[str, Path],
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text("before", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("malmoi.reports.errors.names.NameAnswer.predicted_record", fail)
    with pytest.raises(OSError, match="No space left"):
        evaluate(models["both"], corpus, capsys, predictions=path)
    assert path.read_text(encoding="utf-8") == "before"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["klue-ner-v1_dev_00016-wikitree", "klue-ner-v1_dev_00018-nsmc"], ["wikitree", "nsmc"]),
        (["validation-1", "validation-2"], None),
        (["a-news", "b-news"], None),  # one source is none
        (["a-news", "b-web", "c"], None),
        ([f"1-{chr(97 + number)}" for number in range(21)], None),  # as many as that are no sources
    ],
)
def test_ids_tell_sources_only_if_all_do(ids: list[str], expected: list[str] | None) -> None:
    assert sources(ids) == expected


def test_a_type_that_is_only_invented_has_a_row() -> None:
    breakdown = Breakdown("by_type", "names")
    breakdown.add(["PS", "LC", "PS"], ["PS", "DT", "DT", "LC"], ["PS"])
    assert breakdown.table().rows == [
        ("PS", [2, 1.0, 0.5, 2 / 3]),
        ("LC", [1, 0.0, 0.0, 0.0]),
        ("DT", [0, 0.0, 0.0, 0.0]),
    ]


def test_ranges_of_lengths() -> None:
    assert bucket_names((1, 2, 5, 9)) == ["1", "2", "3–5", "6–9", "10+"]
    assert [bucket(length, (1, 2, 5, 9)) for length in (1, 2, 3, 5, 6, 9, 10, 99)] == [
        *("1", "2", "3–5", "3–5", "6–9", "6–9", "10+", "10+")
    ]
