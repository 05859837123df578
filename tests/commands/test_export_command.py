"""`malmoi export`."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from support.tiny_graphs import tagger
from support.tiny_models import save, tiny_spacing_bilstm
from transformers import PreTrainedTokenizerFast
from typer.testing import CliRunner

from malmoi.commands import export as export_module
from malmoi.commands.export import export_to_folder, sample_sentences
from malmoi.commands.main import app
from malmoi.data.user_error import UserError
from malmoi.export.browser_page import RUNTIME, SCRIPTS


@pytest.fixture
def saved(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> Path:
    model = tagger(vocab_size=len(syllable_tokenizer))
    model.config.malmoi_task = "named-entities"
    return save(tmp_path / "model", model, syllable_tokenizer)


def test_what_was_written_and_checked_is_printed(saved: Path, tmp_path: Path) -> None:
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("손흥민은 춘천에서 태어났다.\n\n비가 왔다.\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["export", str(saved), str(tmp_path / "onnx"), "--check_file", str(sentences)])
    assert result.exit_code == 0, result.output
    assert "model.onnx" in result.output
    assert f"checked: on 2 sentences of {sentences}, 0 of " in result.output
    assert f"malmoi tag {tmp_path / 'onnx'}" in result.output


def test_8_bits_are_for_the_asking(saved: Path, tmp_path: Path) -> None:
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("손흥민은 춘천에서 태어났다.\n", encoding="utf-8")
    sizes = []
    for name, flags in (("whole", []), ("small", ["--int8"])):
        arguments = ["export", str(saved), str(tmp_path / name), "--check_file", str(sentences), *flags]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        sizes.append((tmp_path / name / "model.onnx").read_bytes())
    assert b"DynamicQuantizeLSTM" not in sizes[0]
    assert b"DynamicQuantizeLSTM" in sizes[1]


def test_a_missing_library_is_named(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        export_module, "find_spec", lambda name: None if name == "spox" else importlib.util.find_spec(name)
    )
    with pytest.raises(UserError, match=r"`malmoi export` needs spox: pip install 'malmoi\[export\]'"):
        export_to_folder(
            str(saved), tmp_path / "onnx", int8=False, check_file=None, page=None, trust_remote_code=False
        )


def test_without_the_page_that_is_asked_for_nothing_is_left(
    saved: Path, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("손흥민은 춘천에서 태어났다.\n", encoding="utf-8")
    runtime = tmp_path / "web"
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).touch()

    def refused(model: Path) -> str:
        options = {"int8": False, "check_file": sentences, "page": runtime, "trust_remote_code": False}
        with pytest.raises(UserError) as error:
            export_to_folder(str(model), tmp_path / "onnx", **options)
        assert not (tmp_path / "onnx").exists()
        assert not list(tmp_path.glob(".onnx*"))
        return str(error.value)

    written = saved / "tokenizer_config.json"
    settings = json.loads(written.read_text(encoding="utf-8"))
    written.write_text(json.dumps(settings | {"model_max_length": 32}), encoding="utf-8")
    assert refused(saved) == (
        f"{saved}: the page runs taggers of syllables with labels B-X, I-X and O; this one reads 32 tokens at once."
    )
    spacing = save(tmp_path / "spacing", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    assert refused(spacing) == f"--page shows names, but {spacing} is a model for word-spacing."


def test_a_page_is_there_with_its_model_or_not_at_all(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("손흥민은 춘천에서 태어났다.\n", encoding="utf-8")
    (saved / "README.md").write_text("---\nlicense: mit\n---\n# A model\n", encoding="utf-8")
    runtime, folder = tmp_path / "web", tmp_path / "onnx"
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).write_bytes(b"x" * 100)
    options = {"int8": False, "check_file": sentences, "page": runtime, "trust_remote_code": False}
    copy = shutil.copyfile

    def interrupted(source: Path, target: Path) -> object:
        if source.name == RUNTIME[-1]:
            raise KeyboardInterrupt
        return copy(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export_to_folder(str(saved), folder, **options)
    assert not folder.exists()
    folder.mkdir()
    monkeypatch.chdir(folder)  # a folder that stays while it is filled
    export_to_folder(str(saved), Path(), **options)
    printed = capsys.readouterr().out
    for path in folder.iterdir():
        assert f"{path.stat().st_size:>12,} bytes  {path.name}\n" in printed
    assert {*RUNTIME, *SCRIPTS, "model.onnx"} < {path.name for path in folder.iterdir()}


def test_a_file_without_sentences_checks_nothing(saved: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank.txt"
    blank.write_text("\n\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"blank.txt: there is no sentence"):
        export_to_folder(
            str(saved), tmp_path / "onnx", int8=False, check_file=blank, page=None, trust_remote_code=False
        )
    assert not (tmp_path / "onnx").exists()


def test_the_sample_corpus_checks_by_default() -> None:
    assert len(sample_sentences()) > 500
