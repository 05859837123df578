"""What `malmoi train` says when it is interrupted, and which data `malmoi evaluate` takes without `--data_dir`."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi

from malmoi.commands import evaluate, train
from malmoi.recipes.recipe import load_recipe


def test_a_model_of_other_data_is_not_measured_on_the_sample_corpus_by_accident(saved_model: Path) -> None:
    report = {"data": {"reader": "inline-marks", "source": "my-corpus"}}
    (saved_model / "report.json").write_text(json.dumps(report), encoding="utf-8")
    _, error = malmoi("evaluate", saved_model, code=2)
    assert (
        error
        == f"malmoi: {saved_model} was trained on my-corpus; say by --data_dir where those data, or others, are.\n"
    )
    report["data"]["source"] = "the sample corpus"
    (saved_model / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert "The data has the labels" in malmoi("evaluate", saved_model, code=2)[1]  # those of the sample corpus


@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_an_interrupted_training_says_whether_it_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], has_checkpoint: bool
) -> None:
    def interrupt(recipe: object) -> None:
        if has_checkpoint:
            (tmp_path / "checkpoint-7").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "run", interrupt)
    with pytest.raises(SystemExit) as left:
        train.train_recipe(load_recipe("demo", ["--output_dir", str(tmp_path)]))
    assert left.value.code == 130
    said = capsys.readouterr().err
    assert ("No checkpoint was saved yet." in said) is not has_checkpoint
    assert ("--resume_from_checkpoint true" in said) is has_checkpoint


def test_what_to_do_next_after_a_training_shows_its_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "run", lambda recipe: {"examples": [{"text": "비가 온다"}]})
    monkeypatch.setattr(train, "print_report", lambda *parts: None)
    monkeypatch.setattr(train, "nothing_learned", lambda report: None)
    train.train_recipe(load_recipe("demo", ["--output_dir", str(tmp_path), "--data_dir", "my-corpus"]))
    said = capsys.readouterr().out
    assert f'  malmoi tag {tmp_path} "비가 온다"\n' in said
    assert f"  malmoi evaluate {tmp_path} --data_dir my-corpus --all --errors errors.html\n" in said


def test_figures_that_are_no_numbers_are_null_in_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"loss": float("nan"), "backward_loss": float("inf"), "accuracy": 0.5}
    monkeypatch.setattr(evaluate, "evaluate_saved_model", lambda model, **options: {"figures": figures})
    evaluate.evaluate_model("runs/failed", as_json=True, every_figure=False)
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert report == {"figures": {"loss": None, "backward_loss": None, "accuracy": 0.5}}
