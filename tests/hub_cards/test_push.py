"""`malmoi push` over real HTTP: the command in a process of its own, a Hub that answers, and one that does not."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import huggingface_hub
import pytest
from huggingface_hub import ModelCard
from huggingface_hub.errors import HfHubHTTPError
from support.command_line import CODE
from support.local_hub import STRANGER_TOKEN, TOKEN, LocalHub
from support.local_hub_client import HubClient
from support.tiny_runs import train_demo
from support.warm_process import run_in_process
from typer.main import get_command

from malmoi.commands.main import app
from malmoi.data.user_error import UserError
from malmoi.hub_cards import upload
from malmoi.hub_cards.push import argument_parser

NAME = "user/demo-bi-lstm-crf"
COMMIT = "POST /api/models/user/demo-bi-lstm-crf/commit/"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> Path:
    """A finished run, in a folder that also holds what must never be published."""
    folder = train_demo(tmp_path_factory.mktemp("runs") / "demo", data_dir=marked_corpus)
    (folder / "training_args.bin").write_bytes(b"a pickle")
    (folder / "optimizer.pt").write_bytes(b"a pickle")
    return folder


# what the examples of a card print is the subject of other tests, and each of them costs a process
WITHOUT_EXAMPLES = """
from malmoi.hub_cards import staging
assert staging.run_example
staging.run_example = lambda example, folder: "not run here"
"""


def push(
    hub: LocalHub,
    home: Path,
    *arguments: str | Path,
    token: str | None = TOKEN,
    code: int = 0,
    with_examples: bool = False,
) -> tuple[str, str]:
    """Run `malmoi push` and return what it writes to its output and its error output."""
    home.mkdir(exist_ok=True)
    command = CODE if with_examples else WITHOUT_EXAMPLES + CODE
    environment = hub.environment(home, token)
    result = run_in_process(command, "push", *arguments, folder=home, environment=environment, timeout=600)
    assert result.returncode == code, result.stderr
    assert TOKEN not in result.stdout + result.stderr
    return result.stdout, result.stderr


def test_a_pushed_run_is_loaded_by_stock_clients(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    given = (finished, NAME, "--corpus", "sample-ner")
    output, _ = push(hub, tmp_path / "home", *given, with_examples=True)
    repository = hub.repository(NAME)
    assert len(hub.requested(COMMIT)) == 1
    assert "in one commit: http://127.0.0.1" in output
    files = set(repository.files("main"))
    assert {"README.md", "model.safetensors", "report.json", "recipe.yaml", "modeling_bilstm_crf.py"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt"))]
    # what stands in the card is what a stranger gets
    example = """
import re
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1])
card.validate()
code, shown = re.search(r"```python\\n(.*?)```\\n\\n```text\\n(.*?)```", card.text, re.DOTALL).groups()
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as printed:
    exec(code)
print(printed.getvalue().strip() == shown.strip(), card.data.license)
"""
    assert HubClient(hub, tmp_path / "reader", token=None).run(example, NAME)[-1] == "True apache-2.0"
    # and a second push, of the same run, on a branch, changes nothing on main
    before = repository.commit_at("main")
    push(hub, tmp_path / "home", *given, "--revision", "v2", with_examples=True)
    assert repository.commit_at("main") == before
    assert set(repository.files("v2")) == files
    # whose card loads the branch and not what lies on main
    card = repository.files("v2")["README.md"].decode()
    assert card.count('trust_remote_code=True, revision="v2"') == 3
    assert "revision=" not in repository.files("main")["README.md"].decode().split("```text")[0]


UPLOAD = """
from huggingface_hub import HfApi
name, folder, message, kind = sys.argv[1:]
HfApi().upload_folder(repo_id=name, folder_path=folder, commit_message=message, repo_type=kind)
"""


def put(hub: LocalHub, home: Path, name: str, files: dict[str, str], *, message: str, kind: str = "model") -> None:
    """Upload files into a repository as anybody does, with a message."""
    folder = home / message.replace(" ", "-")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    HubClient(hub, home).run(UPLOAD, name, folder, message, kind)


def test_what_an_earlier_push_left_goes_and_the_files_of_the_user_stay(
    hub: LocalHub, finished: Path, tmp_path: Path
) -> None:
    repository = hub.create_repository(NAME)
    of_user = (
        *("NOTES.md", "handler.py", "requirements.txt", "modeling_of_mine.py", "scripts/ask.py", "model.onnx"),
        *("tokenizers/tokenizer.json", "adapters/model-00001-of-00002.safetensors", ".eval_results/their-set.yaml"),
    )
    put(hub, tmp_path / "home", NAME, dict.fromkeys(of_user, "mine"), message="My files")
    # what has these names belongs to the model that was there, whoever has put it there
    of_model = (
        *("model-00001-of-00002.safetensors", "model.safetensors.index.json", ".eval_results/klue-ner.yaml"),
        *("adapter_config.json", "adapter_model.safetensors", "added_tokens.json"),  # loaded in its place, or into it
    )
    put(hub, tmp_path / "home", NAME, dict.fromkeys(of_model, "old"), message="End of training")
    of_push = ("modeling_of_yesterday.py", "crf_of_yesterday.py", "plot_of_yesterday.png")
    put(hub, tmp_path / "home", NAME, dict.fromkeys(of_push, "old"), message="Publish with malmoi")
    before = repository.commit_at("main").sha
    _, notes = push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner")
    files = set(repository.files("main"))
    assert files & {*of_user, *of_model, *of_push} == {*of_user}
    deleted = ", ".join(sorted([*of_model, *of_push]))
    assert (
        f"Deleted, as this push has no such file: {deleted}. As before: {hub.endpoint}/{NAME}/tree/{before}" in notes
    )
    assert "Still there, from weights of before this push: model.onnx.\n" in notes
    assert "Written over" not in notes
    # a second push has nothing more to do
    output, notes = push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner")
    assert "are there already. Nothing was to be uploaded; the newest commit: http" in output
    assert "Deleted" not in notes


def test_a_card_that_was_edited_by_hand_is_not_lost_without_a_word(
    hub: LocalHub, finished: Path, tmp_path: Path
) -> None:
    given = (finished, NAME, "--corpus", "sample-ner")
    _, notes = push(hub, tmp_path / "home", *given)
    assert "Written over" not in notes
    repository = hub.repository(NAME)
    mine = "---\nlicense: mit\ndatasets: [klue/klue]\nextra_gated_prompt: 약속해 주세요.\nnew_version: a/b\n---\nmine"
    put(hub, tmp_path / "home", NAME, {"README.md": mine}, message="Update README.md")
    before = repository.commit_at("main").sha
    _, notes = push(hub, tmp_path / "home", *given)
    assert (
        f"Written over, though malmoi had not written it: README.md. As before: {hub.endpoint}/{NAME}/tree/" in notes
    )
    assert repository.files(before)["README.md"].endswith(b"mine")
    assert b"mine" not in repository.files("main")["README.md"]
    # what we never write, such as the form of a gated repository, outlives this push and the next
    metadata = ModelCard(repository.files("main")["README.md"].decode()).data.to_dict()
    assert (metadata["extra_gated_prompt"], metadata["new_version"]) == ("약속해 주세요.", "a/b")
    assert (metadata["license"], "datasets" in metadata) == ("apache-2.0", False)
    after = repository.commit_at("main")
    output, notes = push(hub, tmp_path / "home", *given)
    assert "are there already" in output
    assert "Written over" not in notes
    assert repository.commit_at("main") == after


def test_a_pull_request_is_pushed_to_as_what_it_is_to_become(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    repository = hub.create_repository(NAME)
    repository.branches["refs/pr/1"] = repository.branches["main"]
    given = (finished, NAME, "--corpus", "sample-ner", "--revision")
    push(hub, tmp_path / "home", *given, "refs/pr/1")
    assert len(repository.titles("refs/pr/1")) == 2
    assert repository.titles() == ["initial commit"]
    assert "refs/pr" not in repository.files("refs/pr/1")["README.md"].decode()
    _, error = push(hub, tmp_path / "home", *given, "refs/pr/2", code=2)
    assert "Invalid rev id: refs/pr/2" in error
    assert "Traceback" not in error
    mistyped = "user/mistyped"
    _, error = push(hub, tmp_path / "home", finished, mistyped, *given[2:], "refs/pr/1", code=2)
    assert mistyped in error
    assert ("models", mistyped) not in hub.storage.repositories


UPLOAD_WITH_NOTES = """
from pathlib import Path
from malmoi.hub_cards.upload import upload
done = upload(Path(sys.argv[1]), sys.argv[2])
print(done.changed, *done.notes)
"""


def test_a_card_whose_metadata_alone_were_edited_by_hand_is_not_written_over(hub: LocalHub, tmp_path: Path) -> None:
    client = HubClient(hub, tmp_path / "home", missing=())
    folder = tmp_path / "staged"
    folder.mkdir()
    card = "---\nlicense: mit\n---\n\ncard\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    assert client.run(UPLOAD_WITH_NOTES, folder, NAME) == ["True"]
    edited = card.replace("mit\n", "mit\nextra_gated_prompt: 약속해 주세요.\n")
    put(hub, tmp_path / "home", NAME, {"README.md": edited}, message="Update README.md")
    assert client.run(UPLOAD_WITH_NOTES, folder, NAME) == ["False"]
    assert hub.repository(NAME).files("main")["README.md"].decode() == edited


def test_only_the_first_commit_of_the_hub_itself_is_of_nobody(hub: LocalHub, tmp_path: Path) -> None:
    hub.create_repository(NAME)
    mine = "---\nextra_gated_prompt: 약속해 주세요.\n---\nmine"
    put(hub, tmp_path / "home", NAME, {"README.md": mine}, message="initial commit of my own")
    folder = tmp_path / "staged"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\ncard\n", encoding="utf-8")
    client = HubClient(hub, tmp_path / "home", missing=())
    [said] = client.run(UPLOAD_WITH_NOTES, folder, NAME)
    assert said.startswith("True Written over, though malmoi had not written it: README.md.")
    assert "약속해" in hub.repository(NAME).files("main")["README.md"].decode()


def test_a_space_keeps_what_its_owner_put_there(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    name = "user/demo-space"
    push(hub, tmp_path / "home", finished, name, "--space")
    repository = hub.repository(name, "spaces")
    mine = {"limits.py": "mine", "models/own/notes.txt": "mine", "app.py": "mine"}
    put(hub, tmp_path / "home", name, mine, message="Ask for a password", kind="space")
    other = shutil.copytree(finished, tmp_path / "other")
    _, notes = push(hub, tmp_path / "home", other, name, "--space")
    files = set(repository.files("main"))
    assert {"limits.py", "models/own/notes.txt", "models/other/config.json"} <= files
    assert "models/demo/config.json" not in files
    assert "Written over, though malmoi had not written it: app.py." in notes


def test_who_makes_a_space_of_a_model_that_is_not_open_is_told_what_it_needs(
    hub: LocalHub, finished: Path, tmp_path: Path
) -> None:
    push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner")
    _, notes = push(hub, tmp_path / "home", NAME, "user/demo-space", "--space")
    assert not notes
    hub.repository(NAME).private = True
    _, notes = push(hub, tmp_path / "home", NAME, "user/demo-space", "--space")
    assert f"{NAME} is not open to everybody: in the settings of the Space, give it a secret HF_TOKEN" in notes


def test_many_files_are_one_commit_also_with_xet(hub: LocalHub, tmp_path: Path) -> None:
    """With hf-xet installed, as it is by default, `upload_folder` commits a folder in parts."""
    pytest.importorskip("hf_xet")
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text(str(number), encoding="utf-8")
    script = """
from pathlib import Path
import huggingface_hub
from huggingface_hub.utils._runtime import is_xet_available
huggingface_hub.constants.HF_HUB_DISABLE_XET = False
assert is_xet_available()
from malmoi.data.user_error import UserError
from malmoi.hub_cards.upload import upload
try:
    print(upload(Path(sys.argv[1]), sys.argv[2]).changed)
except UserError as error:
    print(error)
"""
    client = HubClient(hub, tmp_path / "home", missing=())
    hub.fail_next("POST .*/commit/", 403)
    [refused] = client.run(script, folder, NAME)
    assert "the Hub refuses (403)" in refused
    assert set(hub.repository(NAME).files("main")) == {".gitattributes"}
    assert client.run(script, folder, NAME) == ["True"]
    assert hub.repository(NAME).titles() == ["Publish with malmoi", "initial commit"]


def test_a_commit_whose_answer_was_lost_is_told_like_any_other(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    hub.create_repository(NAME)
    put(hub, tmp_path / "home", NAME, {".eval_results/klue-ner.yaml": "old"}, message="End of training")
    hub.lose_answer_next("POST .*/commit/")
    output, notes = push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner")
    assert "in one commit: http" in output
    assert "Deleted, as this push has no such file: .eval_results/klue-ner.yaml." in notes
    assert len(hub.repository(NAME).titles()) == 3


def test_a_private_repository_is_not_for_strangers(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner", "--private")
    assert hub.repository(NAME).private
    config = "from huggingface_hub import hf_hub_download; print(hf_hub_download(sys.argv[1], 'config.json'))"
    assert HubClient(hub, tmp_path / "mine").run(config, NAME)
    assert HubClient(hub, tmp_path / "none", token=None).attempt(config, NAME).returncode != 0
    assert HubClient(hub, tmp_path / "other", token=STRANGER_TOKEN).attempt(config, NAME).returncode != 0


@pytest.mark.parametrize("kind", ["models", "spaces"])
def test_what_is_to_be_private_is_not_added_to_what_all_see(
    kind: str, hub: LocalHub, finished: Path, tmp_path: Path
) -> None:
    repository = hub.create_repository(NAME, kind)
    given = ("--corpus", "sample-ner") if kind == "models" else ("--space",)
    _, error = push(hub, tmp_path / "home", finished, NAME, *given, "--private", code=2)
    assert error.startswith(f"malmoi: {NAME}: it is to be private, but it is there already and public.")
    assert not hub.requested(f"POST /api/{kind}/{NAME}/commit/")
    repository.private = True
    push(hub, tmp_path / "home", finished, NAME, *given, "--private")
    assert "README.md" in repository.files("main")


def test_a_card_that_the_hub_refuses_is_one_sentence(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "mine.yaml"
    said = {"name": "Mine", "license": "kogl-1", "domain": "notes", "weights_license": "kogl-1", "weights_note": "-"}
    corpus.write_text(json.dumps(said), encoding="utf-8")
    _, error = push(hub, tmp_path / "home", finished, NAME, "--corpus", corpus, code=2)
    assert error.startswith(f"malmoi: {NAME}: the Hub refuses the card. Invalid metadata in README.md.")
    assert '"license" must be one of the known ids' in error
    assert error.endswith("Nothing was uploaded.\n")
    assert "Traceback" not in error
    assert not hub.requested(COMMIT)


def test_a_page_of_an_overloaded_hub_in_the_place_of_json_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    left = [3]

    def check_card() -> str:
        left[0] -= 1
        return "whole" if left[0] <= 0 else str(json.loads("<html>"))

    assert upload._repeated(check_card, NAME) == "whole"
    left = [1000]
    with pytest.raises(UserError, match=r"^user/demo-bi-lstm-crf: the Hub's answer was no JSON\. The same command"):
        upload._repeated(check_card, NAME)


def test_who_is_offline_by_a_variable_does_not_wait_for_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waits"))
    with pytest.raises(UserError, match=r"^user/demo-bi-lstm-crf: HF_HUB_OFFLINE is set, .*; unset it.$"):
        upload.newest_commit(NAME)


def test_what_is_no_name_on_the_hub_is_told() -> None:
    with pytest.raises(UserError, match=r"^user/bad\.\.name is no name on the Hub: "):
        upload.newest_commit("user/bad..name")


@pytest.mark.parametrize(
    ("token", "message"), [(None, "the Hub refuses (401)"), (STRANGER_TOKEN, "the Hub refuses (403)")]
)
def test_without_the_right_to_write_nothing_happens(
    token: str | None, message: str, hub: LocalHub, finished: Path, tmp_path: Path
) -> None:
    _, error = push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner", token=token, code=2)
    assert message in error
    assert "`hf auth login`" in error
    assert not hub.requested(COMMIT)


def test_why_the_hub_refuses_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_full_storage() -> str:
        response = httpx.Response(403, request=httpx.Request("POST", "https://hub/api"))
        raise HfHubHTTPError("403", response=response, server_message="Private storage limit reached.")

    with pytest.raises(UserError, match=r"the Hub refuses \(403\): Private storage limit reached\. If the right is"):
        upload._repeated(of_full_storage, NAME)

    def of_large_file() -> str:
        raise ValueError("LFS batch API returned errors: too large")

    with pytest.raises(UserError, match=r"the Hub refuses the files\. LFS batch API returned errors: too large\."):
        upload._repeated(of_large_file, NAME)


def test_what_passes_is_waited_for(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    hub.fail_next("POST .*/commit/", 429, headers={"Retry-After": "1"})
    hub.fail_next("POST .*/commit/", 500)
    hub.cut_next("PUT ", 100)
    push(hub, tmp_path / "home", finished, NAME, "--corpus", "sample-ner")
    assert [request.status for request in hub.requested(COMMIT)][-1] == 200
    assert "model.safetensors" in hub.repository(NAME).files("main")


def test_a_push_that_breaks_off_leaves_no_half_repository(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    given = (finished, NAME, "--corpus", "sample-ner")
    push(hub, tmp_path / "home", *given)
    repository = hub.repository(NAME)
    before = repository.commit_at("main")
    changed = tmp_path / "changed"
    shutil.copytree(finished, changed)
    report = json.loads((changed / "report.json").read_text(encoding="utf-8"))
    (changed / "report.json").write_text(json.dumps({**report, "seed": 7}), encoding="utf-8")
    hub.fail_next("POST .*/commit/", 403)
    _, error = push(hub, tmp_path / "home", changed, NAME, "--corpus", "sample-ner", code=2)
    assert "the Hub refuses (403)" in error
    assert repository.commit_at("main") == before
    push(hub, tmp_path / "home", changed, NAME, "--corpus", "sample-ner")
    assert repository.commit_at("main") != before


def test_a_space_is_pushed_by_the_same_command(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    push(hub, tmp_path / "home", finished, "user/demo-space", "--space")
    files = set(hub.repository("user/demo-space", "spaces").files("main"))
    assert {"app.py", "requirements.txt", "README.md"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt"))]


@pytest.mark.long
def test_the_plain_script_is_the_same_command(hub: LocalHub, finished: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    result = subprocess.run(
        [sys.executable, "-m", "malmoi.hub_cards.push", str(finished), NAME, "--corpus", "sample-ner", "--dry-run"],
        capture_output=True,
        text=True,
        cwd=home,
        env=hub.environment(home),
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    assert "Nothing was uploaded" in result.stdout
    assert not hub.requests
    assert (finished.with_name("demo-hub") / "README.md").is_file()


def test_the_plain_script_takes_the_options_of_the_command() -> None:
    command = get_command(app).commands["push"]  # type: ignore[attr-defined]
    of_command = {option for parameter in command.params for option in parameter.opts}
    of_script = {name for action in argument_parser()._actions for name in action.option_strings or [action.dest]}
    assert of_script - {"-h", "--help"} == of_command


@pytest.mark.long
def test_the_plain_script_tells_what_is_wrong_in_one_sentence(tmp_path: Path) -> None:
    for arguments, message in (
        (["nowhere", NAME], "malmoi: nowhere"),
        (["nowhere", NAME, "--beside", "other"], "malmoi: --beside is for a Space; a repository holds one model.\n"),
    ):
        command = [sys.executable, "-m", "malmoi.hub_cards.push", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith(message)
        assert result.stderr.count("\n") == 1
