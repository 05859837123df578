"""Figures of finished taggers: for names that no training sentence has, and for texts without their spaces."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.marked_lines import TRAIN_LINES, VALIDATION_LINES, write_splits
from support.recipe_flags import as_flags
from support.tiny_models import bert_tokenizer, knowing_bert_tagger, save
from transformers import PreTrainedTokenizerFast

from malmoi.commands.evaluate import evaluate_model
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import parse_marks
from malmoi.inference.tagger import Tagger
from malmoi.metrics.counts import EntityCounts, scores
from malmoi.metrics.named_entities import NO_SPACES, describe_names
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.evaluation import TaggingEvaluation
from malmoi.training.preparation import prepare
from malmoi.training.request import read_request
from malmoi.training.tasks import TASKS
from malmoi.training.train import run

UNSEEN = ("entity_f1_unseen", "entity_precision_unseen", "entity_recall_unseen")
TINY = {
    "embedding_size": 16,
    "ngram_sizes": "[2]",
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 32,
    "name_replacement_copies": 2,
    "num_train_epochs": 6,
    "per_device_train_batch_size": 8,
    "learning_rate": 0.02,
    "use_cpu": "true",
    "disable_tqdm": "true",
}


def flags(**settings: Any) -> list[str]:
    return as_flags({**TINY, **settings})


def bare_line(line: str) -> str:
    """Return a marked sentence without the spaces of its text and of its names."""
    text, spans = parse_marks(line)
    names = [(text[span.start : span.end].replace(" ", ""), span.label) for span in spans]
    parts, position = [], 0
    for (name, label), span in zip(names, spans):
        parts += [text[position : span.start].replace(" ", ""), f"<{name}:{label}>"]
        position = span.end
    return "".join([*parts, text[position:].replace(" ", "")])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus whose validation and test sentences have names that its training sentences have, and others."""
    unseen = ["<김희찬:PS>과 <인천:LC>에서 만났어요.", "<강민:PS>이 <서 부산:LC>에 있었다.", "<황인:PS>은 친구다."]
    return write_splits(
        tmp_path_factory.mktemp("corpora") / "corpus",
        train=TRAIN_LINES * 3,
        validation=[*VALIDATION_LINES, *unseen],
        test=[*unseen[1:], VALIDATION_LINES[0]],
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    run(load_recipe("demo", flags(output_dir=folder, data_dir=corpus)))
    return folder


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def evaluated(capsys: pytest.CaptureFixture[str], model: Path, data: Path, **options: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"reader": "inline-marks", "split": "validation", "batch_size": 2, "as_json": True}
    settings |= {"every_figure": True, "trust_remote_code": False}
    capsys.readouterr()  # what a training before has said
    evaluate_model(str(model), data_dir=data, **{**settings, **options})
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def counts(model: Path, lines: list[str], *, but_names: set[str] = frozenset()) -> EntityCounts:  # type: ignore[assignment]
    """Count what a saved tagger finds in marked sentences, without these names."""
    counted = EntityCounts()
    texts, gold = zip(*map(parse_marks, lines))
    for text, expected, found in zip(texts, gold, Tagger(model).tag(texts), strict=True):
        spans = [Span(*entity[:3]) for entity in found]
        counted.update(*([s for s in each if text[s.start : s.end] not in but_names] for each in (expected, spans)))
    return counted


def lines_of(corpus: Path, split: str) -> list[str]:
    return (corpus / f"{split}.txt").read_text(encoding="utf-8").splitlines()


def names_of(lines: list[str]) -> set[str]:
    return {text[span.start : span.end] for text, spans in map(parse_marks, lines) for span in spans}


def test_a_report_judges_unseen_names_and_texts_without_spaces(trained: Path, corpus: Path) -> None:
    report, seen = report_of(trained), names_of(TRAIN_LINES)
    assert report["training_names"] == describe_names(seen)
    for split, figures in (("validation", "figures"), ("test", "test_figures")):
        lines = lines_of(corpus, split)
        unseen = counts(trained, lines, but_names=seen)
        expected = scores(unseen.correct.total(), unseen.predicted.total(), unseen.gold.total())
        assert [report[figures][name] for name in UNSEEN] == [expected.f1, expected.precision, expected.recall]
        assert report[figures][NO_SPACES] == counts(trained, [*map(bare_line, lines)]).micro().f1
    assert report["counted"] == {"names": 9, "unseen names": 4}
    assert {*UNSEEN, NO_SPACES} <= report["definitions"].keys() & report["tokenizer"]["ceiling"].keys()
    assert report["tokenizer"]["ceiling"][NO_SPACES] == 1
    assert {*UNSEEN, NO_SPACES} & report["intervals"].keys() >= {"entity_f1_unseen", NO_SPACES}
    low, high = report["test_intervals"][NO_SPACES]
    assert low <= report["test_figures"][NO_SPACES] <= high


def test_epochs_are_judged_by_unseen_names_but_not_without_spaces(trained: Path) -> None:
    for entry in report_of(trained)["epochs"]:
        assert entry.keys() >= {*UNSEEN}
        assert NO_SPACES not in entry


def test_evaluate_knows_the_training_set_again(
    trained: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = report_of(trained)
    for split, figures in (("validation", "figures"), ("test", "test_figures")):
        again = evaluated(capsys, trained, corpus, split=split)
        assert {name: again["figures"][name] for name in again["definitions"]} == {
            name: report[figures][name] for name in report["definitions"]
        }
    assert again["training_names"] == report["training_names"]


@pytest.mark.parametrize("train", [None, [*TRAIN_LINES, "<새이름:PS>"], TRAIN_LINES[:1]])
def test_without_the_training_set_no_name_is_called_unseen(
    trained: Path,
    corpus: Path,
    tmp_path: Path,
    train: list[str] | None,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    splits = {"validation": lines_of(corpus, "validation")} | ({} if train is None else {"train": train})
    report = evaluated(capsys, trained, write_splits(tmp_path / "other", **splits))
    assert not {*UNSEEN} & {*report["figures"], *report["definitions"], *report["intervals"]}
    assert "unseen names" not in report["counted"]
    assert report["figures"][NO_SPACES] == report_of(trained)["figures"][NO_SPACES]
    assert f"the data hold no training set that is that of {trained}" in caplog.text


def test_a_model_without_report_and_its_own_training_set(
    trained: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert not {*UNSEEN} & evaluated(capsys, trained, corpus, split="train")["figures"].keys()
    assert "unseen" not in caplog.text  # of course there are none
    shutil.copytree(trained, tmp_path / "bare", ignore=shutil.ignore_patterns("report.json", "checkpoint-*"))
    assert not {*UNSEEN} & evaluated(capsys, tmp_path / "bare", corpus)["figures"].keys()
    assert "which names are unseen is not known" in caplog.text


@pytest.mark.parametrize("same", [True, False])
def test_runs_of_older_versions_have_their_training_set_beside_their_validation_set(
    same: bool, trained: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = report_of(trained)
    older = {key: value for key, value in report.items() if key != "training_names"}
    if not same:
        older["data"] = report["data"] | {"fingerprint": "0"}
    shutil.copytree(trained, tmp_path / "older", ignore=shutil.ignore_patterns("checkpoint-*"))
    (tmp_path / "older" / "report.json").write_text(json.dumps(older), encoding="utf-8")
    figures = evaluated(capsys, tmp_path / "older", corpus)["figures"]
    assert [figures[name] for name in UNSEEN if name in figures] == [
        report["figures"][name] for name in UNSEEN if same
    ]


def test_a_share_of_the_training_set_is_known_again(
    tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"train_fraction": 0.1, "num_train_epochs": 1, "name_replacement_copies": 0, "seed": 5}
    report = run(load_recipe("demo", flags(output_dir=tmp_path / "run", data_dir=corpus, **options)))
    assert report["training_names"]["distinct"] < len(names_of(TRAIN_LINES))
    again = evaluated(capsys, tmp_path / "run", corpus)
    assert [again["figures"][name] for name in UNSEEN] == [report["figures"][name] for name in UNSEEN]


def test_the_terminal_shows_the_figures_with_their_definitions(
    trained: Path, corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    evaluate_model(
        str(trained),
        data_dir=corpus,
        reader=None,
        split="validation",
        batch_size=8,
        as_json=False,
        every_figure=False,
        trust_remote_code=False,
    )
    printed, report = capsys.readouterr().out, report_of(trained)
    assert f"{report['counted']['unseen names']} unseen names" in printed
    for name in (*UNSEEN, NO_SPACES):
        assert f"{name}: {report['definitions'][name]}" in printed
        assert f"{100 * report['figures'][name]:.2f}" in printed


def test_taggers_with_other_labels_are_judged_without_spaces_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """This one knows 춘천 and 서울 only where a word begins, which is nowhere without spaces."""
    tokenizer = bert_tokenizer()
    label_of = {"손": "PS", "##흥": "PS", "##민": "PS", "춘": "LC", "##천": "LC", "서": "LC", "##울": "LC"}
    model = knowing_bert_tagger(tokenizer, ["PS", "LC", "O"], label_of)
    folder = save(tmp_path / "model", model, tokenizer)
    data = write_splits(tmp_path / "data", validation=["<손흥민:PS>은 <춘천:LC>에 있었다.", "비가 <서울:LC>로"])
    report = evaluated(capsys, folder, data)
    assert report["figures"]["entity_f1"] == 1
    # 손흥민 is found; of the others the second syllable alone
    assert report["figures"][NO_SPACES] == pytest.approx(2 * 1 / (3 + 3))
    assert report["tokenizer"]["ceiling"][NO_SPACES] == 1


def test_windows_of_texts_without_spaces_are_put_together(
    syllable_tokenizer: PreTrainedTokenizerFast, corpus: Path
) -> None:
    request = read_request(load_recipe("demo", flags(data_dir=corpus, output_dir=corpus / "run")))
    task = TASKS["named-entities"]
    evaluation = prepare(request).evaluations["validation"]
    for max_length in (None, 8):
        [altered] = task.altered_evaluations(evaluation, syllable_tokenizer, max_length=max_length).values()
        assert isinstance(altered, TaggingEvaluation)
        assert altered.sentences["text"] == [
            parse_marks(bare_line(line))[0] for line in lines_of(corpus, "validation")
        ]
        for row, labels in enumerate(altered.features["labels"]):
            altered.add(row, labels)
        assert altered.figures()["entity_f1"] == 1
    assert altered.features.num_rows > altered.sentences.num_rows


def test_the_spaces_of_training_sentences_change_only_if_a_recipe_says_so(corpus: Path, tmp_path: Path) -> None:
    def features(**settings: Any) -> dict[str, Any]:
        request = read_request(load_recipe("demo", flags(data_dir=corpus, output_dir=tmp_path / "run", **settings)))
        return prepare(request).train.to_dict()

    plain = features()
    assert features(space_noise_probability=0.0, space_noise_drop_all_probability=1.0) == plain
    noisy = features(space_noise_probability=0.5)
    assert noisy != plain
    assert noisy == features(space_noise_probability=0.5)
    assert noisy != features(space_noise_probability=0.5, space_noise_add_probability=0.9)
    assert len(noisy["length"]) == len(plain["length"]) == 3 * len(lines_of(corpus, "train"))
    bare = features(space_noise_probability=1.0, space_noise_drop_all_probability=1.0)
    sentences = [bare_line(line) for line in lines_of(corpus, "train")]
    assert bare["length"][: len(sentences)] == [len(parse_marks(line)[0]) for line in sentences]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric_for_best_model": NO_SPACES}, f"one of entity_f1, .*token_f1, got '{NO_SPACES}'"),
        ({"space_noise_probability": 1.5}, "`space_noise_probability` must be from 0 to 1, got 1.5"),
        ({"space_noise_drop_all_probability": -1}, "`space_noise_drop_all_probability` must be from 0 to 1"),
        ({"space_noise_drop_probability": 2}, "`space_noise_drop_probability` must be from 0 to 1"),
        ({"space_noise_add_probability": 2}, "`space_noise_add_probability` must be from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], message: str, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        read_request(load_recipe("demo", flags(data_dir=corpus, output_dir=tmp_path / "run", **settings)))


def test_the_best_epoch_may_be_that_for_unseen_names(corpus: Path, tmp_path: Path) -> None:
    settings = {"metric_for_best_model": "entity_f1_unseen", "num_train_epochs": 2}
    report = run(load_recipe("demo", flags(output_dir=tmp_path / "run", data_dir=corpus, **settings)))
    best = max(entry["entity_f1_unseen"] for entry in report["epochs"])
    assert report["figures"]["entity_f1_unseen"] == best
