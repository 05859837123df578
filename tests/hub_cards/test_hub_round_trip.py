"""Saved models survive the way over a Hub: stock clients, real HTTP, and nothing of malmoi where they are loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.local_hub import STRANGER_TOKEN, LocalHub
from support.local_hub_client import HubClient
from support.saved_models import build, expected_lines, load
from transformers import PreTrainedTokenizerFast

NAME = "user/klue-ner-bi-lstm-crf"

pytestmark = pytest.mark.long


@pytest.fixture
def client(hub: LocalHub, tmp_path: Path) -> HubClient:
    """The owner of the models at a machine without malmoi and with an empty cache."""
    return HubClient(hub, tmp_path / "client")


@pytest.fixture
def save(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> Callable[..., Path]:
    """Save a tiny model of an architecture, with its tokenizer; the weights differ from seed to seed."""

    def save_as(name: str, architecture: str = "bilstm_crf", *, shift: float = 0.0) -> Path:
        model = build(architecture, len(syllable_tokenizer))
        for parameter in model.parameters():
            parameter.data += shift
        model.save_pretrained(tmp_path / name)
        syllable_tokenizer.save_pretrained(tmp_path / name)
        return tmp_path / name

    return save_as


# what a user of malmoi, or of transformers alone, does with models from folders or from the Hub
PUSH = """
import json
from transformers import AutoModel, AutoTokenizer
for source, name, options in json.loads(sys.argv[1]):
    AutoModel.from_pretrained(source, trust_remote_code=True).push_to_hub(name, **options)
    AutoTokenizer.from_pretrained(source, trust_remote_code=True).push_to_hub(name, **options)
"""

# without transformers, which takes seconds to import
UPLOAD = """
from huggingface_hub import HfApi
folder, name, private = sys.argv[1], sys.argv[2], "private" in sys.argv[3:]
HfApi().create_repo(name, private=private, exist_ok=True)
HfApi().upload_folder(repo_id=name, folder_path=folder, commit_message="Upload folder")
"""

LIST = """
from huggingface_hub import HfApi
for info in HfApi().list_models(author=sys.argv[1]):
    print(info.id, HfApi().model_info(info.id).sha, *sorted(HfApi().list_repo_files(info.id)))
"""


def test_pushed_models_work_elsewhere(
    hub: LocalHub, client: HubClient, save: Callable[..., Path], tmp_path: Path
) -> None:
    names = {"bilstm_crf": NAME, "encoder_crf": "user/encoder-crf", "bilstm": "user/bilstm"}
    folders = {architecture: save(architecture, architecture) for architecture in names}
    pushes = [[str(folders[architecture]), name, {}] for architecture, name in names.items()]
    # where malmoi is installed, its own classes push
    author = HubClient(hub, tmp_path / "author", missing=())
    author.run(f"import malmoi.modeling{PUSH}", json.dumps(pushes))

    listed = set()
    for architecture, name in names.items():
        repository, folder = hub.repository(name), folders[architecture]
        assert len(repository.titles()) == 3
        files = repository.files()
        assert set(files) == {".gitattributes", "README.md", *(path.name for path in folder.iterdir())}
        assert files["model.safetensors"] == (folder / "model.safetensors").read_bytes()
        auto_map = json.loads(files["config.json"])["auto_map"]
        assert auto_map == json.loads((folder / "config.json").read_text())["auto_map"]
        assert {f"{reference.split('.')[0]}.py" for reference in auto_map.values()} <= set(files)
        listed.add(" ".join([name, repository.commit_at("main").sha, *sorted(files)]))
    assert set(client.run(LIST, "user")) == listed

    loads, expected = "", []
    for architecture, name in names.items():
        loads += load(name, architecture)
        expected += expected_lines(folders[architecture], architecture)
    assert client.run(loads) == expected
    # a token is for the Hub, not for the host of its large files
    assert hub.requested("GET /large-files/")
    assert not [request for request in hub.requested("/large-files/") if "authorization" in request.headers]


def test_a_model_that_came_from_the_hub_is_pushed_again(
    hub: LocalHub, client: HubClient, save: Callable[..., Path], tmp_path: Path
) -> None:
    card = "---\nlicense: apache-2.0\nlanguage: ko\npipeline_tag: token-classification\n---\n\n# 한국어 개체명 인식\n"
    folder = save("saved")
    (folder / "README.md").write_text(card, encoding="utf-8")
    client.run(UPLOAD, folder, "user/first")
    pushes = [["user/first", "user/first", {}], ["user/first", NAME, {}], ["user/first", NAME, {"revision": "next"}]]
    client.run(PUSH, json.dumps(pushes))

    first, again = hub.repository("user/first"), hub.repository(NAME)
    assert first.files()["README.md"].decode() == card
    assert first.files()["model.safetensors"] == again.files()["model.safetensors"]
    assert {path.name for path in folder.iterdir()} <= set(again.files())
    assert "next" in again.branches
    # nothing of what was pushed leans on the repository from which it came
    del hub.storage.repositories["models", "user/first"]
    elsewhere = HubClient(hub, tmp_path / "elsewhere")
    assert elsewhere.run(load(NAME, "bilstm_crf")) == expected_lines(folder, "bilstm_crf")


REVISIONS = """
from transformers import AutoModel, pipeline
name, *revisions = sys.argv[1:]
for revision in revisions:
    try:
        model = AutoModel.from_pretrained(name, trust_remote_code=True, revision=revision)
    except OSError as error:
        print(error)
        continue
    tagger = pipeline("token-classification", model=name, trust_remote_code=True, revision=revision)
    print(*(round(sum(p.double().sum().item() for p in m.parameters()), 2) for m in (model, tagger.model)))
"""

RELEASE = """
from huggingface_hub import HfApi
name, folder = sys.argv[1:]
HfApi().create_branch(name, branch="release/1")
HfApi().create_tag(name, tag="v1.0")
HfApi().upload_folder(repo_id=name, folder_path=folder)
refs = HfApi().list_repo_refs(name)
print(*sorted(ref.name for ref in [*refs.branches, *refs.tags]))
"""


def test_a_revision_stays_what_it_was(hub: LocalHub, client: HubClient, save: Callable[..., Path]) -> None:
    client.run(UPLOAD, save("first"), NAME)
    pinned = hub.repository(NAME).commit_at("main").sha
    assert client.run(RELEASE, NAME, save("second", shift=1.0)) == ["main release/1 v1.0"]

    branch, tag, commit, newest, missing, *_ = client.run(REVISIONS, NAME, "release/1", "v1.0", pinned, "main", "v2.0")
    assert branch == tag == commit
    assert newest != commit
    # the model by itself and that of the pipeline
    assert len(set(newest.split())) == len(set(commit.split())) == 1
    assert missing.startswith("v2.0 is not a valid git identifier")

    hub.requests.clear()
    offline = HubClient(hub, client.home, offline=True)
    assert offline.run(REVISIONS, NAME, pinned, "main") == [commit, newest]
    assert hub.requests == []


ACCESS = """
from transformers import AutoModel
name, owner, stranger = sys.argv[1:]
trusted, outcomes = {"trust_remote_code": True}, []
for options in (trusted, {**trusted, "token": stranger}, {"token": owner}, {**trusted, "token": owner}):
    try:
        outcomes.append(type(AutoModel.from_pretrained(name, **options)).__name__)
    except (OSError, ValueError) as error:
        outcomes.append(f"{type(error).__name__} {error}".splitlines()[0])
# the client has asked, in vain, whether the code is trusted: the outcomes begin on a line of their own
print("", *outcomes, sep="\\n")
"""


def test_a_private_model_needs_a_token_and_its_code_needs_trust(
    hub: LocalHub, client: HubClient, save: Callable[..., Path], tmp_path: Path
) -> None:
    client.run(UPLOAD, save("saved"), NAME, "private")
    assert hub.repository(NAME).private
    nobody = HubClient(hub, tmp_path / "nobody", token=None)
    anonymous, stranger, untrusted, loaded = nobody.run(ACCESS, NAME, client.token, STRANGER_TOKEN)[-4:]
    for refused in (anonymous, stranger):
        assert refused.startswith(f"OSError {NAME} is not a local folder and is not a valid model identifier")
    assert untrusted.startswith("ValueError")
    assert "custom code" in untrusted
    assert loaded == "BiLstmCrfForTokenClassification"
    assert len(client.run(LIST, "user")) == 1
    assert nobody.run(LIST, "user") == []


TRAIN = """
from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments
source, output, name = sys.argv[1:]
model = AutoModel.from_pretrained(source, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=True)
arguments = TrainingArguments(
    output, max_steps=2, save_steps=1, learning_rate=0.0, use_cpu=True, disable_tqdm=True,
    dataloader_pin_memory=False, push_to_hub=True, hub_model_id=name, hub_private_repo=True,
)
rows = [{"input_ids": [5, 6, 7], "labels": [0, 1, 4]}] * 4
trainer = Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer)
trainer.train()
trainer.push_to_hub(language="ko", license="apache-2.0")
"""


def test_the_stock_trainer_pushes_a_model_that_works_elsewhere(
    hub: LocalHub, client: HubClient, save: Callable[..., Path], tmp_path: Path
) -> None:
    folder = save("saved")
    client.run(UPLOAD, folder, "user/first")
    client.run(TRAIN, "user/first", tmp_path / "run", NAME)
    repository = hub.repository(NAME)
    assert repository.private
    assert repository.titles()[0] == "End of training"
    added = {"README.md", "training_args.bin", ".gitattributes"}
    assert set(repository.files()) == {path.name for path in folder.iterdir()} | added
    del hub.storage.repositories["models", "user/first"]
    elsewhere = HubClient(hub, tmp_path / "elsewhere")
    assert elsewhere.run(load(NAME, "bilstm_crf")) == expected_lines(folder, "bilstm_crf")


Announce = Callable[[LocalHub], None]


def cut_and_expire(hub: LocalHub) -> None:
    """Cut an upload; when the client tries once more, the URL is no longer valid."""
    hub.cut_next("PUT /large-files/", after_bytes=100)
    hub.fail_next("PUT /large-files/", 403)


@pytest.mark.parametrize(
    ("announce", "message"),
    [
        pytest.param(cut_and_expire, "Error while uploading 'model.safetensors'", id="weights cut off"),
        pytest.param(lambda hub: hub.cut_next("POST .*/commit/", 100), "", id="commit cut off"),
        pytest.param(lambda hub: hub.fail_next("POST .*/commit/", 500), "500 Internal Server", id="commit 500"),
        pytest.param(lambda hub: hub.fail_next("POST .*/commit/", 429), "429 Too Many", id="commit 429"),
        pytest.param(lambda hub: hub.fail_next("POST .*/preupload/", 403), "403 Forbidden", id="preupload 403"),
    ],
)
def test_a_push_that_fails_changes_nothing_and_can_be_repeated(
    announce: Announce, message: str, hub: LocalHub, client: HubClient, save: Callable[..., Path]
) -> None:
    good, better = save("good"), save("better", shift=1.0)
    client.run(UPLOAD, good, NAME)
    repository = hub.repository(NAME)
    before = repository.commit_at("main")
    announce(hub)
    failed = client.attempt(UPLOAD, better, NAME)
    assert failed.returncode != 0
    assert message in failed.stderr
    assert repository.commit_at("main") is before

    client.run(UPLOAD, better, NAME)
    assert repository.titles() == ["Upload folder", "Upload folder", "initial commit"]
    assert repository.files()["model.safetensors"] == (better / "model.safetensors").read_bytes()


def test_a_commit_whose_answer_was_lost_is_not_made_twice(
    hub: LocalHub, client: HubClient, save: Callable[..., Path]
) -> None:
    folder = save("saved")
    hub.lose_answer_next("POST .*/commit/")
    assert client.attempt(UPLOAD, folder, NAME).returncode != 0
    client.run(UPLOAD, folder, NAME)
    assert hub.repository(NAME).titles() == ["Upload folder", "initial commit"]


def test_a_push_outlasts_a_bad_day_of_the_hub(hub: LocalHub, client: HubClient, save: Callable[..., Path]) -> None:
    hub.fail_next("POST .*/preupload/", 429, headers={"Retry-After": "1"})
    hub.fail_next("POST .*/objects/batch", 503)
    hub.fail_next("PUT /large-files/", 500)
    hub.cut_next("PUT /large-files/", after_bytes=100)
    client.run(UPLOAD, save("saved"), NAME)
    assert [request.status for request in hub.requested("POST .*/preupload/")] == [429, 200]
    assert [request.status for request in hub.requested("POST .*/objects/batch")] == [503, 200]
    assert [request.status for request in hub.requested("PUT /large-files/")] == [500, None, 200]
    assert len(hub.requested("POST .*/commit/")) == 1


def test_a_model_loads_on_a_bad_day_of_the_hub(hub: LocalHub, client: HubClient, save: Callable[..., Path]) -> None:
    folder = save("saved")
    client.run(UPLOAD, folder, NAME)
    hub.fail_next("HEAD .*/config.json", 500, times=2)
    hub.fail_next("GET .*/modeling_bilstm_crf.py", 429, headers={"Retry-After": "0"})
    hub.cut_next("GET .*/tokenizer.json", after_bytes=100)
    hub.cut_next("GET /large-files/", after_bytes=100)
    assert client.run(load(NAME, "bilstm_crf")) == expected_lines(folder, "bilstm_crf")
    assert [request.status for request in hub.requested("HEAD .*/config.json")][:3] == [500, 500, 200]
    assert [request.status for request in hub.requested("GET .*/modeling_bilstm_crf.py")] == [429, 200]
    for cut in ("GET .*/tokenizer.json", "GET /large-files/"):
        assert [request.status for request in hub.requested(cut)] == [None, 200]


def test_a_download_that_was_cut_off_goes_on_where_it_ended(hub: LocalHub, client: HubClient, tmp_path: Path) -> None:
    # the client keeps what it has in pieces of ten megabytes
    piece = 10 * 1024 * 1024
    weights = bytes(range(256)) * (piece // 256) + b"the rest"
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(weights)
    client.run(UPLOAD, folder, NAME)
    hub.cut_next("GET /large-files/", after_bytes=piece + 3)
    download = "from huggingface_hub import snapshot_download; print(snapshot_download(sys.argv[1]))"
    snapshot = Path(client.run(download, NAME)[0])
    assert (snapshot / "model.safetensors").read_bytes() == weights
    assert [request.headers.get("range") for request in hub.requested("GET /large-files/")] == [
        None,
        f"bytes={piece}-",
    ]
