"""`malmoi serve`: where it listens, and texts to try that suit the models."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.command_line import MALMOI, malmoi
from support.exported_models import export_tiny
from support.free_ports import free_port
from support.fresh_process import run_cold
from support.tiny_models import SENTENCES, bert_tokenizer, label_settings, save, tiny_bert_classifier, tiny_bert_tagger

from malmoi.commands import serve
from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.example_texts import ANY_TEXT, NAMES, SENTIMENT
from malmoi.hub_cards.space.loaded_models import LoadedSpaceModel, load_models
from malmoi.hub_cards.space.model_list import ListedModel, read_model_list
from malmoi.hub_cards.space.tabs import OWN_CLASSES, OWN_NAMES, TABS, examples_of, tab_of
from malmoi.hub_cards.space_staging import stage_space
from malmoi.inference.loading import COMMANDS

TOPICS = ["경제", "사회", "스포츠"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, tokenizer = tmp_path_factory.mktemp("models"), bert_tokenizer()
    topics = tiny_bert_classifier(tokenizer, **label_settings(TOPICS))
    models = {
        "names": tiny_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"]),
        "animals": tiny_bert_tagger(tokenizer, ["B-동물", "I-동물", "O"]),
        "reviews": tiny_bert_classifier(tokenizer),
        "topics": topics,
        "reported": topics,
    }
    saved = {name: save(folder / name, model, tokenizer) for name, model in models.items()}
    report = {"examples": [{"text": "물가가 올랐다."}, {"text": "경기가 끝났다."}]}
    (saved["reported"] / "report.json").write_text(json.dumps(report), encoding="utf-8")
    (saved["topics"] / "report.json").write_text("no JSON", encoding="utf-8")
    return saved


def loaded(*folders: Path) -> list[LoadedSpaceModel]:
    [(_, models)] = load_models([ListedModel(name=str(folder)) for folder in folders]).items()
    return models


def test_a_tab_speaks_of_what_its_models_know(folders: dict[str, Path]) -> None:
    for names, tab, texts in (
        (["names"], TABS["named-entities"], NAMES),
        (["animals"], OWN_NAMES, ANY_TEXT),
        (["reviews"], TABS["sentence-classification"], SENTIMENT),
        (["topics"], OWN_CLASSES, ANY_TEXT),
        (["reported"], OWN_CLASSES, ["물가가 올랐다.", "경기가 끝났다."]),
        (["reported", "topics"], OWN_CLASSES, ["물가가 올랐다.", ANY_TEXT[0], "경기가 끝났다.", ANY_TEXT[1]]),
    ):
        models = loaded(*(folders[name] for name in names))
        assert tab_of(models[0].text_model.task, models) == tab
        assert examples_of(models) == texts


def test_a_space_carries_the_texts_to_try(folders: dict[str, Path], tmp_path: Path) -> None:
    stage_space([str(folders["reported"]), str(folders["topics"])], tmp_path / "space")
    listed = read_model_list(tmp_path / "space" / "models.json")
    assert [model.examples for model in listed] == [["물가가 올랐다.", "경기가 끝났다."], None]
    assert not list((tmp_path / "space").rglob("report.json"))
    [models] = load_models(listed, folder=tmp_path / "space").values()
    assert examples_of(models)[0] == "물가가 올랐다."
    (tmp_path / "models.json").write_text('[{"name": "a/b", "examples": [3]}]', encoding="utf-8")
    with pytest.raises(UserError, match=r"the examples of a model cannot be \[3\]"):
        read_model_list(tmp_path / "models.json")


@pytest.mark.parametrize(
    ("options", "variables", "told"),
    [
        ([], {}, ("127.0.0.1", None)),
        (["--host", "0.0.0.0"], {}, ("0.0.0.0", None)),
        ([], {"GRADIO_SERVER_NAME": "0.0.0.0"}, ("0.0.0.0", None)),
        (["--host", "127.0.0.1"], {"GRADIO_SERVER_NAME": "0.0.0.0"}, ("127.0.0.1", None)),
        (["--host", "0.0.0.0", "--port", "7999"], {"GRADIO_SERVER_PORT": "8000"}, ("0.0.0.0", 7999)),
    ],
)
def test_a_flag_comes_before_a_variable_and_that_before_the_default(
    options: list[str], variables: dict[str, str], told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from malmoi.commands.main import app

    for name in (serve.HOST_VARIABLE, serve.PORT_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    checked: list[Any] = []

    def check(*given: Any) -> None:
        checked.append(given)
        raise UserError("enough")

    monkeypatch.setattr(serve, "check_free", check)
    CliRunner().invoke(app, ["serve", "model", *options])
    assert checked == [told]


@pytest.mark.slow
def test_without_a_model_those_of_the_package_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, list[LoadedSpaceModel]] = {}
    monkeypatch.setattr(serve, "check_free", lambda *where: None)
    monkeypatch.setattr("malmoi.hub_cards.space.interface.launch", lambda loaded, **where: served.update(loaded))
    serve.serve_models([], trust_remote_code=False)
    assert {task: [model.title for model in models] for task, models in served.items()} == {
        task: [f"bundled:{task}"] for task in COMMANDS
    }
    assert all(model.examples for models in served.values() for model in models)


@pytest.mark.slow
def test_exported_models_are_served_without_torch(folders: dict[str, Path], tmp_path: Path) -> None:
    exported = [str(export_tiny(folders[name], tmp_path / name)) for name in ("names", "reported")]
    (tmp_path / "reported" / "report.json").write_bytes((folders["reported"] / "report.json").read_bytes())
    code = f"""
import sys
for name in ("torch", "transformers", "safetensors", "datasets", "accelerate"):
    sys.modules[name] = None
from malmoi.commands import serve, serve_api
from malmoi.hub_cards.space import interface
from malmoi.hub_cards.space.tabs import examples_of, tab_of
from malmoi.service import server
from malmoi.service.served_models import load_served_model

def show(models, **where):
    interface.build_interface(models)
    for task, loaded in models.items():
        text = examples_of(loaded)[0]
        print(task, text, "malmoi-card" in tab_of(task, loaded).answer(loaded, text))

def answer(service, **where):
    for source in service.sources.values():
        print(source.name, len(list(load_served_model(source).answer(["가", "나"], None))))

interface.launch, server.run_service = show, answer
serve.serve_models({exported!r}, trust_remote_code=False)
serve_api.serve_api({exported!r}, host=None, port={free_port()}, trust_remote_code=False, limits={{}})
"""
    assert run_cold(code, folder=tmp_path).splitlines() == [
        f"named-entities {NAMES[0]} True",
        "sentence-classification 물가가 올랐다. True",
        "names 2",
        "reported 2",
    ]


@pytest.mark.slow
def test_where_nothing_can_listen_is_one_sentence_before_any_model_is_loaded() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for host in ("127.0.0.1", "0.0.0.0"):
            _, error = malmoi("serve", "no-such-model", "--host", host, "--port", str(port), code=2)
            assert error == f"malmoi: Port {port} of {host} is taken by another program; give another one by --port.\n"
    with pytest.raises(UserError, match=r"Expected an address of this machine .* got '203.0.113.7'\."):
        serve.check_free("203.0.113.7", 7860)
    serve.check_free("0.0.0.0", None)


@pytest.mark.parametrize("value", ["abc", "0", "65536", "", "-1", "７８６０"])
def test_a_variable_that_is_no_port_is_one_sentence(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(serve.PORT_VARIABLE, value)
    with pytest.raises(UserError, match="Expected a port from 1 to 65535 in GRADIO_SERVER_PORT"):
        serve.serve_models(["model"], trust_remote_code=False)


@pytest.mark.slow
def test_the_variables_of_gradio_are_heeded(folders: dict[str, Path], tmp_path: Path) -> None:
    port = free_port()
    variables = {"SERVER_NAME": "0.0.0.0", "SERVER_PORT": str(port), "ROOT_PATH": "/under/here"}
    environment = {**os.environ, **{f"GRADIO_{name}": value for name, value in variables.items()}}
    with subprocess.Popen(
        [*MALMOI, "serve", str(folders["names"])], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            told = next(line for line in process.stdout if line.startswith("Open "))
            assert f":{port}/" in told
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=60) as answer:
                config = json.loads(answer.read())
            listening = Path("/proc/net/tcp")
            if listening.is_file():
                assert f"00000000:{port:04X}" in listening.read_text()
        finally:
            process.send_signal(signal.SIGINT)
    assert config["root"].endswith("/under/here")
    assert re.search(SENTENCES[0][:3], json.dumps(config, ensure_ascii=False))
