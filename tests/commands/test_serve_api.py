"""`malmoi serve --api`: what it is told, and what it says if that cannot be."""

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.free_ports import free_port
from support.fresh_process import run_cold
from support.tiny_models import bert_tokenizer, save, tiny_bert_tagger
from typer.testing import CliRunner

from malmoi.commands import serve_api
from malmoi.commands.main import app
from malmoi.data.user_error import UserError
from malmoi.service import server
from malmoi.service.limits import Limits
from malmoi.service.served_models import ModelSource, find_models
from malmoi.service.text_service import TextService


@pytest.fixture(autouse=True)
def unchanged_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets it for its process, which here is that of the tests."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be served, and where."""
    served: list[Any] = []

    def serve(service: TextService, *, host: str, port: int) -> None:
        served.append((list(service.sources.values()), service.limits, host, port))

    monkeypatch.setattr(server, "run_service", serve)
    monkeypatch.setattr(serve_api, "check_free", lambda *where: None)
    return served


def invoke(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(app, ["serve", "--api", *arguments]).exception


def test_without_a_model_those_of_the_package_answer_this_machine_alone(run: list[Any]) -> None:
    assert invoke() is None
    [(sources, limits, host, port)] = run
    assert [source.name for source in sources] == ["named-entities", "word-spacing", "sentence-classification"]
    assert [source.task for source in sources] == ["named-entities", "word-spacing", "sentence-classification"]
    assert (limits, host, port) == (Limits(), "127.0.0.1", 8000)


def test_flags_are_handed_on(run: list[Any]) -> None:
    flags = "--max_length 1 --max-texts 2 --max_body 3 --max-queue 4 --max_wait 0.25 --timeout 0.5"
    flags += " --host 0.0.0.0 --port 7999"
    assert invoke("bundled:word-spacing", "--trust_remote_code", *flags.split()) is None
    [(sources, limits, host, port)] = run
    assert sources == [ModelSource("word-spacing", "bundled:word-spacing", "word-spacing", trust_remote_code=True)]
    assert limits == Limits(max_length=1, max_texts=2, max_body=3, max_queue=4, max_wait=0.25, timeout=0.5)
    assert (host, port) == ("0.0.0.0", 7999)


@pytest.mark.slow
def test_threads_of_torch_that_wait_do_not_keep_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY")
    code = "from malmoi.commands import main; import os, sys; assert 'torch' not in sys.modules; "
    code += (
        "from malmoi.commands.serve_command import serve\ntry:\n    serve(['no/such/model'], api=True, port=PORT)\n"
    )
    code += "except Exception as error:\n    print(os.environ['OMP_WAIT_POLICY'])"
    shown = run_cold(code.replace("PORT", str(free_port())), folder=tmp_path)
    assert shown == "PASSIVE\n"


@pytest.mark.parametrize(
    "flag", ["--max_length", "--max_texts", "--max_body", "--max_queue", "--max_wait", "--timeout"]
)
def test_limits_are_more_than_nothing_and_for_programs(flag: str, run: list[Any]) -> None:
    for value in ("0", "-1", *(["nan", "inf"] if flag in ("--max_wait", "--timeout") else [])):
        error = invoke(flag, value)
        assert isinstance(error, UserError)
        assert str(error).startswith(f"`{flag}` must be more than 0, got ")
    error = CliRunner().invoke(app, ["serve", flag, "3"]).exception
    assert str(error) == f"`{flag}` is for programs: use it with `--api`."
    assert run == []


def test_what_is_missing_is_named(run: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_api, "find_spec", lambda name: None if name == "uvicorn" else name)
    assert str(invoke()) == "`malmoi serve --api` needs uvicorn: pip install 'malmoi[api]'"


def test_a_taken_port_and_a_missing_model_are_one_sentence() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        error = invoke("no-such-model", "--port", str(other.getsockname()[1]))
    assert "is taken by another program" in str(error)
    assert "no-such-model: there is no such folder" in str(invoke("no-such-model", "--port", str(free_port())))


def test_models_are_called_by_the_last_part_of_their_folder(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    model = tiny_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"])
    folders = [save(tmp_path / name, model, tokenizer) for name in ("a/names", "b/names", "b/others")]
    sources = find_models([f"{folders[0]}/", f"{folders[2]}/../others"], trust_remote_code=False)
    assert [source.name for source in sources] == ["names", "others"]
    (tmp_path / "current").symlink_to(folders[0])
    assert [source.name for source in find_models([str(tmp_path / "current")], trust_remote_code=False)] == ["current"]
    with pytest.raises(UserError, match="would both be called names; rename one of the folders"):
        find_models([*map(str, folders)], trust_remote_code=False)
