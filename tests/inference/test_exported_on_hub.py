"""Exported models come from the Hub as saved ones do, without torch, and what is wrong with one is one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.exported_models import export_tiny
from support.local_hub import STRANGER_TOKEN, LocalHub
from support.local_hub_client import HubClient
from support.tiny_models import SENTENCES

from malmoi import Tagger

NAME = "user/names"
MISSING = ("torch", "transformers", "safetensors", "datasets")
UPLOAD = """
from huggingface_hub import HfApi
folder, name, private = sys.argv[1], sys.argv[2], "private" in sys.argv[3:]
HfApi().create_repo(name, private=private, exist_ok=True)
print(HfApi().upload_folder(repo_id=name, folder_path=folder).oid)
"""
ANSWER = """
import json
from malmoi import Tagger, UserError
try:
    print(json.dumps(Tagger(sys.argv[1], engine="onnx", **json.loads(sys.argv[2]))(json.loads(sys.argv[3]))))
except UserError as error:
    print(error)
"""


@pytest.fixture
def client(hub: LocalHub, tmp_path: Path) -> HubClient:
    """A user without torch."""
    return HubClient(hub, tmp_path / "client", missing=MISSING)


@pytest.fixture
def exported(saved_model: Path, tmp_path: Path) -> Path:
    folder = export_tiny(saved_model, tmp_path / "exported")
    for name in ("model.safetensors", "modeling_bilstm_crf.py"):  # what a repository may hold beside a graph
        (folder / name).write_bytes(b"not for ONNX Runtime")
    return folder


def answer(client: HubClient, name: str = NAME, **options: str) -> str:
    [line] = client.run(ANSWER, name, json.dumps(options), json.dumps(SENTENCES))
    return line


@pytest.mark.slow
def test_a_name_on_the_hub_is_answered_as_its_folder(hub: LocalHub, client: HubClient, exported: Path) -> None:
    [first] = client.run(UPLOAD, exported, NAME)
    expected = json.loads(json.dumps(Tagger(exported, engine="onnx")(SENTENCES)))
    assert any(expected)
    assert json.loads(answer(client)) == expected
    fetched = {request.path.rpartition("/")[2] for request in hub.requested("GET .*/resolve/")}
    assert "tokenizer.json" in fetched
    assert not {"model.safetensors", "modeling_bilstm_crf.py"} & fetched
    assert len(hub.requested("GET /large-files/")) == 1  # the graph
    # another one takes its place, which a pinned name does not notice
    config = json.loads((exported / "config.json").read_text(encoding="utf-8"))
    labels = {number: label.replace("PS", "XX") for number, label in config["id2label"].items()}
    (exported / "config.json").write_text(json.dumps({**config, "id2label": labels}), encoding="utf-8")
    client.run(UPLOAD, exported, NAME)
    assert "XX" in answer(client)
    assert json.loads(answer(client, revision=first)) == expected
    offline = replace(client, offline=True)
    assert "XX" in answer(offline)
    assert json.loads(answer(offline, revision=first)) == expected


@pytest.mark.slow
def test_the_command_line_takes_such_a_name(client: HubClient, exported: Path) -> None:
    client.run(UPLOAD, exported, NAME)
    command = "from malmoi.commands.main import main; sys.argv[0] = 'malmoi'; main()"
    for _ in range(2):
        shown = client.attempt(command, "tag", NAME, SENTENCES[0], "--engine", "onnx", "--json")
        assert (shown.returncode, shown.stderr) == (0, "")
        found = json.loads(shown.stdout)["entities"]
        assert found == json.loads(
            json.dumps([name._asdict() for name in Tagger(exported, engine="onnx")(SENTENCES[0])])
        )
    refused = client.attempt(command, "tag", NAME, SENTENCES[0], "--engine", "onnx", "--bf16")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"malmoi: {NAME}: an exported model runs on the CPU as it is, without bf16")


@pytest.mark.slow
def test_what_is_wrong_is_one_sentence(hub: LocalHub, client: HubClient, exported: Path, tmp_path: Path) -> None:
    nothing = f"{NAME}: there is no such folder, and on the Hub: "
    absent = "there is no repository of this name, or it is a private one and HF_TOKEN gives no access to it."
    out_of_reach = "it cannot be asked (no connection, or HF_HUB_OFFLINE is set), and no copy of it lies in the cache."
    assert answer(client) == nothing + absent
    assert answer(replace(client, offline=True)) == nothing + out_of_reach
    assert answer(client, "./nothing") == "./nothing: there is no such folder."
    assert answer(client, "nothing") == "nothing: there is no such folder."
    client.run(UPLOAD, exported, NAME, "private")
    assert answer(replace(client, token=STRANGER_TOKEN)) == nothing + absent
    assert answer(client, revision="v9") == f"{nothing}it has no branch, tag or commit v9."
    needs = f"{NAME}: there is no such folder, and to fetch it from the Hub, huggingface_hub must be installed: "
    without = replace(client, missing=(*MISSING, "huggingface_hub"))
    assert answer(without) == f"{needs}pip install huggingface_hub."
    (tmp_path / "without").mkdir()
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / "without" / name).write_bytes((exported / name).read_bytes())
    client.run(UPLOAD, tmp_path / "without", "user/saved")
    told = "user/saved: expected the repository of an exported model, but it has no model.onnx"
    assert answer(client, "user/saved").startswith(told)
    # what transformers has fetched of it is no copy of the graph
    assert answer(replace(client, offline=True), "user/saved").endswith(out_of_reach)
    spacer = ANSWER.replace("Tagger", "Spacer")
    assert client.run(spacer, NAME, "{}", "[]") == [
        f"{NAME}: this is a model for named-entities; use `malmoi tag`, or `Tagger` in Python."
    ]
    hub.fail_next("GET /api/models/", 500, times=50)
    assert json.loads(answer(client)) == json.loads(json.dumps(Tagger(exported, engine="onnx")(SENTENCES)))
