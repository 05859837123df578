"""A staged Space is a folder that stands on its own."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from setuptools.config.pyprojecttoml import read_configuration
from support.exported_models import export_tiny
from support.tiny_models import bert_tokenizer, save, tiny_bert_tagger

from malmoi.commands import serve
from malmoi.data.user_error import UserError
from malmoi.hub_cards.push import push, push_space
from malmoi.hub_cards.space.loaded_models import load_models
from malmoi.hub_cards.space.model_list import ListedModel, read_model_list
from malmoi.hub_cards.space_staging import RUNTIME, stage_space

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "hub_cards" / "space"


@pytest.fixture
def tagger(tmp_path: Path) -> Path:
    folder = save(tmp_path / "tagger", tiny_bert_tagger(bert_tokenizer(), ["B-PS", "I-PS", "O"]), bert_tokenizer())
    (folder / "report.json").write_text('{"settings": "private"}')
    (folder / "training_args.bin").write_bytes(b"")
    (folder / "checkpoint-1").mkdir()
    return folder


def test_models_of_the_hub_stay_there_and_folders_are_carried(tagger: Path, tmp_path: Path) -> None:
    pinned = {"name": "user/model", "revision": "0" * 40, "trust_remote_code": True, "title": "우리 모델"}
    stage_space([pinned, "user/other", str(tagger)], tmp_path / "space", title="이름 찾기")
    assert read_model_list(tmp_path / "space" / "models.json") == [
        ListedModel(name="user/model", revision="0" * 40, trust_remote_code=True, title="우리 모델"),
        ListedModel(name="user/other"),
        ListedModel(name="models/tagger", title="tagger"),
    ]
    assert {path.name for path in (tmp_path / "space" / "models" / "tagger").iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    card = SpaceCard.load(tmp_path / "space" / "README.md")
    assert (card.data.title, card.data.models) == ("이름 찾기", ["user/model", "user/other"])
    assert (card.data.sdk, card.data.app_file, card.data.license) == ("gradio", "app.py", "apache-2.0")
    assert "말모이" in card.text


def test_a_space_of_folders_alone_names_no_models_of_the_hub(tagger: Path, tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    stage_space([str(tagger)], tmp_path / "space")
    card = SpaceCard.load(tmp_path / "space" / "README.md")
    assert card.data.title == "말모이"
    assert "models" not in card.data.to_dict()


def test_versions_are_those_of_the_package() -> None:
    project = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]
    ours = {*project["dependencies"], *project["optional-dependencies"]["space"]}
    lines = (SPACE / "requirements.txt").read_text("utf-8").splitlines()
    assert set(lines) <= ours
    assert project["optional-dependencies"]["onnx"] == [RUNTIME]
    [gradio] = [Requirement(line) for line in lines if line.startswith("gradio")]
    version = str(SpaceCard.load(SPACE / "README.md").data.sdk_version)
    assert version in gradio.specifier
    assert f"gradio=={version}\n" in (ROOT / "constraints.txt").read_text("utf-8")


def test_a_space_stands_before_an_installed_malmoi(tmp_path: Path) -> None:
    stage_space(["user/model"], tmp_path / "space")
    installed = tmp_path / "installed" / "malmoi"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("raise AssertionError('of another version')")
    code = "import sys; sys.path += sys.argv[1:]; import malmoi; from malmoi import UserError; print(malmoi.__file__)"
    command = [sys.executable, "-S", "-c", code, str(installed.parent)]
    shown = subprocess.run(command, cwd=tmp_path / "space", capture_output=True, text=True, check=True).stdout
    assert Path(shown.strip()) == tmp_path / "space" / "malmoi" / "__init__.py"


def test_a_space_imports_only_what_it_carries_and_requires(tmp_path: Path) -> None:
    stage_space(["user/model"], tmp_path / "space")
    required = {Requirement(line).name for line in (SPACE / "requirements.txt").read_text("utf-8").splitlines()}
    seen, waiting = set(), ["app"]
    outside = set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        file = tmp_path / "space" / Path(*module.split("."))
        path = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
        optional = {
            statement
            for part in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(part, ast.Try)
            for statement in map(ast.dump, part.body)
        }
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom) or ast.dump(node) in optional:
                continue
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]
            if isinstance(node, ast.ImportFrom) and node.level:
                names = [f"{module.rsplit('.', 1)[0]}.{node.module}"]
            for name in names:
                if name.startswith("malmoi."):
                    waiting += [name] if name not in seen else []
                else:
                    outside.add(name.split(".")[0])
    assert "malmoi.inference.loading" in seen
    assert outside - set(sys.stdlib_module_names) - {Requirement(RUNTIME).name} <= required


@pytest.mark.slow
def test_an_exported_folder_is_carried_with_what_runs_it(tagger: Path, tmp_path: Path) -> None:
    stage_space([str(tagger)], tmp_path / "without")
    assert RUNTIME not in (tmp_path / "without" / "requirements.txt").read_text("utf-8").splitlines()
    exported = export_tiny(tagger, tmp_path / "exported")
    stage_space([str(exported)], tmp_path / "space")
    assert {path.name for path in (tmp_path / "space" / "models" / "exported").iterdir()} == {
        *("config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json")
    }
    assert (tmp_path / "space" / "requirements.txt").read_text("utf-8").splitlines()[-1] == RUNTIME
    [models] = load_models(read_model_list(tmp_path / "space" / "models.json"), folder=tmp_path / "space").values()
    assert [(model.title, model.text_model.on_torch, model.parameters) for model in models] == [
        ("exported", False, None)
    ]
    (exported / "config.json").unlink()
    with pytest.raises(UserError, match="there is no such file, so the folder holds no exported model"):
        stage_space([str(exported)], tmp_path / "damaged")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "A Space: expected a list of at least one model."),
        ("user/model", "A Space: expected a list of at least one model."),
        ([3], "A Space: expected a model to be an object, got 3."),
        ([{}], "A Space: a model has no name."),
        ([{"name": "a/b", "token": "x"}], "A Space: expected the keys of a model to be of name, revision, "),
        ([{"name": "a/b", "revision": 3}], "A Space: the revision of a model cannot be 3."),
        (["no-such-folder"], "no-such-folder: there is no such folder."),
        ([{"name": "FOLDER", "trust_remote_code": True}], "code of a folder is not copied into a Space"),
        (["FOLDER", "FOLDER"], "a Space cannot hold two folders of the name tagger."),
    ],
)
def test_what_cannot_be_served_is_one_sentence(models: list, message: str, tagger: Path, tmp_path: Path) -> None:
    models = json.loads(json.dumps(models).replace("FOLDER", str(tagger)))
    with pytest.raises(UserError, match=re.escape(message)):
        stage_space(models, tmp_path / "space")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(UserError, match="expected an empty folder for the Space"):
        stage_space(["user/model"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file"), ("[", "expected JSON"), ("[]", "at least one")]
)
def test_a_broken_list_of_models_is_one_sentence(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "models.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read_model_list(tmp_path / "models.json")


def test_without_gradio_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=re.escape("needs gradio: pip install 'malmoi[space]'")):
        serve.serve_models(["model"], port=7860, trust_remote_code=False)


@pytest.mark.slow
def test_the_command_line_is_not_slowed_down_by_gradio() -> None:
    code = "import sys; import malmoi.commands.serve; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_model_of_the_package_goes_into_a_space_and_is_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    published = push_space(["bundled:word-spacing"], "user/page", dry_run=True)
    assert "models/word-spacing/model.safetensors" in [name for name, _ in published.files]
    with pytest.raises(UserError, match=r"^\./none: there is no such folder\.$"):
        push_space(["./none"], "user/page", dry_run=True)
    with pytest.raises(UserError) as caught:
        push("bundled:word-spacing", "user/model", dry_run=True)
    assert str(caught.value) == (
        "bundled:word-spacing: this model comes with the package and is no run of yours; train on from it by "
        "--model_name_or_path bundled:word-spacing, and publish that."
    )
