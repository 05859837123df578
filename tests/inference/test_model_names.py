"""Which names are asked of the Hub, and what happens if it is out of reach."""

import socket
from pathlib import Path

import pytest
from huggingface_hub import constants

from malmoi.data.user_error import UserError
from malmoi.embeddings.pretrained_embeddings import load_embeddings
from malmoi.inference import model_names
from malmoi.inference.loading import load_model
from malmoi.inference.model_names import check_name, hub_is_out_of_reach, means_a_path, without_waiting_for_the_hub
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.models.tokenizers import load_tokenizer

PATHS = [
    "./model",
    "../model",
    "/nowhere/model",
    "~/model",
    "a/b/c",
    "runs/",
    "runs\\model",
    "C:\\models\\ner",
    "C:/models",
    "my model",
    "내/모델",
    "내모델",
    "someone/model.safetensors",
    "vectors.VEC",
    "config.json",
    "-model",
    "someone/.hidden",
    "some--one/model",
    "a..b/model",
    "",
]
REPOSITORIES = ["klue/bert-base", "bert-base-cased", "someone/model_v1.2", "a/b", "xlm-roberta-base"]


@pytest.mark.parametrize("name", PATHS)
def test_what_means_a_path_is_never_asked_of_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert means_a_path(name)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(model_names, "hub_is_out_of_reach", lambda: pytest.fail("the Hub was asked"))
    if name:
        for use in (lambda: check_name(name), lambda: load_model(name, None)):
            with pytest.raises(UserError, match=r": there is no such folder[.;]"):
                use()
        with pytest.raises(UserError, match="there is no such file or folder"):
            load_embeddings(name, None)
        with pytest.raises(RecipeError, match=r"--tokenizer .*: there is no such folder"):
            load_tokenizer(RecipeArguments(tokenizer=name), [])


@pytest.mark.parametrize("name", REPOSITORIES)
def test_names_of_repositories_are_no_paths(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not means_a_path(name)
    check_name(name)
    if "/" in name:  # beside other folders it is one
        (tmp_path / name.split("/")[0]).mkdir()
        with pytest.raises(UserError, match="there is no such folder"):
            check_name(name)


def test_a_folder_of_nearly_the_same_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "klue").mkdir(parents=True)
    for name in ("runs/kleu", "./runs/kleu", str(tmp_path / "runs" / "kluee"), "./rnus/klue"):
        with pytest.raises(UserError, match=r": there is no such folder; did you mean .*runs.klue\?$"):
            check_name(name)
    with pytest.raises(UserError, match=r"no copy of it lies in the cache; did you mean runs.klue\?$"):
        load_model("rusn/klue", None)
    with pytest.raises(UserError, match=r"runs/entirely-different: there is no such folder\.$"):
        check_name("runs/entirely-different")


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UserError, match="expected the folder of a model, but this is a file; its folder is "):
        load_model(tmp_path / "model.safetensors", None)


@pytest.mark.parametrize("name", [None, "", 3])
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(UserError, match="Expected the folder of a model or its name on the Hub, got "):
        load_model(name, None)


def test_a_hub_out_of_reach_is_noticed_before_the_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address)
        raise OSError("no route to host")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.example")
    monkeypatch.setattr(socket, "create_connection", refuse)
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError) as caught:
        load_model("someone/nothing", None)
    assert asked == [("hub.example", 443)]
    assert str(caught.value) == (
        "someone/nothing: there is no such folder, and on the Hub: it cannot be asked (no connection, or "
        "HF_HUB_OFFLINE is set), and no copy of it lies in the cache."
    )
    assert constants.HF_HUB_OFFLINE is False
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert hub_is_out_of_reach()
    assert asked[-1] == ("proxy.example", 3128)


def test_the_hub_is_asked_if_it_can_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hub:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{hub.getsockname()[1]}")
        monkeypatch.delenv("http_proxy", raising=False)
        monkeypatch.delenv("HTTP_PROXY", raising=False)
        assert not hub_is_out_of_reach()
        with without_waiting_for_the_hub("someone/model") as out_of_reach:
            assert not out_of_reach
            assert constants.HF_HUB_OFFLINE is False
    with without_waiting_for_the_hub(tmp_path) as out_of_reach:
        assert not out_of_reach


def test_two_threads_that_leave_in_any_order_do_not_rule_the_hub_out_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(model_names, "hub_is_out_of_reach", lambda: True)
    first, second = without_waiting_for_the_hub("someone/one"), without_waiting_for_the_hub("someone/other")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert constants.HF_HUB_OFFLINE is True  # the second still looks in the cache alone
    second.__exit__(None, None, None)
    assert constants.HF_HUB_OFFLINE is False


@pytest.mark.parametrize(
    "address",
    [
        "https://huggingface.co/klue/bert-base",
        "http://hf.co/klue/bert-base/tree/main",
        "https://hf.co/klue/bert-base/",
    ],
)
def test_the_address_of_a_repository_is_told_from_its_name(address: str) -> None:
    with pytest.raises(UserError) as caught:
        check_name(address)
    assert str(caught.value) == f"{address}: expected the name of a repository without its address: klue/bert-base."
    with pytest.raises(UserError, match="there is no such folder"):
        check_name("https://huggingface.co/datasets/klue/klue")
