"""The temperature of the probabilities of names: fitted on half of the texts, measured on the others, and kept."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.command_line import malmoi
from support.marked_lines import TRAIN_LINES

from malmoi.commands.evaluate import evaluate_model
from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
from malmoi.metrics.calibration import ERROR, Reliability
from malmoi.training import evaluate as evaluation
from malmoi.training.fitted_temperature import FittedTemperature

OPTIONS: dict[str, Any] = {"reader": "inline-marks", "split": "validation", "batch_size": 32, "every_figure": False}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sentences with many names."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.txt").write_text("<손흥민:PS>은 <춘천:LC>에서 태어났다.\n", encoding="utf-8")
    lines = [line for line in TRAIN_LINES if "DT" not in line and "OG" not in line]
    (folder / "validation.txt").write_text("\n".join(lines * 60) + "\n", encoding="utf-8")
    return folder


def evaluated(model: Path | str, data: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    settings = {**OPTIONS, "as_json": True, "trust_remote_code": False, **options}
    evaluate_model(str(model), data_dir=data, **settings)
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_a_temperature_is_fitted_measured_and_written(
    saved_model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((saved_model / "config.json").read_text(encoding="utf-8"))
    files = sorted(path.name for path in saved_model.iterdir())
    plain = evaluated(saved_model, data, capsys)
    report = evaluated(saved_model, data, capsys, fit_temperature=True)
    fitted = report["temperature"]
    assert fitted["kept"] is True
    assert fitted[f"{ERROR}_after"] < fitted[f"{ERROR}_before"]
    assert fitted["fitted_on_names"] + fitted["measured_on_names"] == report["reliability"]["names"]
    after = json.loads((saved_model / "config.json").read_text(encoding="utf-8"))
    assert after == {**before, "name_temperature": fitted["name_temperature"]}
    assert sorted(path.name for path in saved_model.iterdir()) == files
    assert Tagger(saved_model).engine.name_temperature == fitted["name_temperature"]
    # the figures are those of the model as it is now
    assert report["reliability"] == evaluated(saved_model, data, capsys)["reliability"] != plain["reliability"]
    assert report["figures"]["entity_f1"] == plain["figures"]["entity_f1"]
    again = evaluated(saved_model, data, capsys, fit_temperature=True)["temperature"]
    assert again["name_temperature"] == pytest.approx(fitted["name_temperature"], rel=0.01)


def test_a_temperature_that_does_not_help_is_not_kept(
    saved_model: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = Reliability(), Reliability()
    right.add(1.0, True)
    wrong.add(0.4, True)
    fitted = FittedTemperature(2.5, 60, right, wrong)
    monkeypatch.setitem(evaluation.FITTERS, "named-entities", lambda *_, **__: fitted)
    before = (saved_model / "config.json").read_bytes()
    report = evaluated(saved_model, data, capsys, fit_temperature=True)
    assert report["temperature"]["kept"] is False
    assert (saved_model / "config.json").read_bytes() == before
    evaluate_model(
        str(saved_model), data_dir=data, **OPTIONS, as_json=False, trust_remote_code=False, fit_temperature=True
    )
    said = capsys.readouterr().out
    assert (
        f"Temperature 2.5 was fitted on 60 names; for the 1 names of the other half, {ERROR} goes from 0.0 to 60.0 %. "
        f"It does not help there, so {saved_model / 'config.json'} stays as it is." in said
    )


def test_the_command_says_what_it_did(saved_model: Path, data: Path) -> None:
    said, _ = malmoi("evaluate", saved_model, "--data_dir", data, "--reader", "inline-marks", "--fit_temperature")
    temperature = json.loads((saved_model / "config.json").read_text(encoding="utf-8"))["name_temperature"]
    assert f"Temperature {temperature:g} was fitted on" in said
    assert f"It is written into {saved_model / 'config.json'} as `name_temperature`." in said
    assert "Probabilities of names, in % (expected_calibration_error" in said


def test_what_cannot_be_fitted_is_said(
    saved_model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="writes into the folder of a finished model; bundled:named-entities is no"):
        evaluated("bundled:named-entities", data, capsys, fit_temperature=True)
    few = shutil.copytree(data, tmp_path / "few")
    (few / "validation.txt").write_text("<손흥민:PS>은 <춘천:LC>에서 태어났다.\n비가 온다.\n", encoding="utf-8")
    before = (saved_model / "config.json").read_bytes()
    with pytest.raises(UserError, match="needs at least 50 names in each half of the texts, but the model finds"):
        evaluated(saved_model, few, capsys, fit_temperature=True)
    assert (saved_model / "config.json").read_bytes() == before
    spacer = shutil.copytree(Path(evaluation.__file__).parent.parent / "models" / "word-spacing", tmp_path / "spacer")
    with pytest.raises(UserError, match=r"is for taggers of names and classifiers; .* is a model for word-spacing"):
        evaluated(spacer, data, capsys, fit_temperature=True)
