"""The local Hub refuses what the real one refuses, or it would prove nothing."""

import base64
import hashlib
import json
import urllib.error
import urllib.request
from email.message import Message
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any

import pytest
from support.local_hub import STRANGER_TOKEN, TOKEN, LocalHub
from support.local_hub_metadata import check_metadata

MODEL = "/api/models/user/model"
WEIGHTS = b"weights" * 100
WEIGHTS_OID = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def hub(hub: LocalHub) -> LocalHub:
    """A Hub with an empty model repository."""
    hub.create_repository("user/model")
    return hub


def send(
    hub: LocalHub, method: str, path: str, body: object = None, token: str | None = TOKEN, **headers: str
) -> tuple[int, Message, bytes]:
    """Send a request; a body that is not bytes goes as JSON. No redirect is followed."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    url = path if path.startswith("http") else hub.endpoint + path
    if token:
        headers["Authorization"] = f"Bearer {token}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), KeepRedirects)
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with opener.open(request, timeout=30) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


class KeepRedirects(urllib.request.HTTPRedirectHandler):
    """Hand redirects to the caller."""

    def redirect_request(self, *request: Any) -> None:
        return None


def commit(hub: LocalHub, *operations: dict[str, Any], branch: str = "main", **header: str) -> int:
    lines = [{"key": "header", "value": {"summary": "a commit", **header}}, *operations]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return send(hub, "POST", f"{MODEL}/commit/{branch}", body)[0]


def regular(path: str, content: bytes) -> dict[str, Any]:
    return {
        "key": "file",
        "value": {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"},
    }


def large(path: str, content: bytes) -> dict[str, Any]:
    oid = hashlib.sha256(content).hexdigest()
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}}


def announce(hub: LocalHub) -> dict[str, Any]:
    """Announce the weights and return what the Hub says about their upload."""
    body = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": WEIGHTS_OID, "size": len(WEIGHTS)}]}
    status, _, content = send(hub, "POST", "/user/model.git/info/lfs/objects/batch", body)
    assert status == 200
    described: dict[str, Any] = json.loads(content)["objects"][0]
    return described


def test_a_commit_needs_its_large_files(hub: LocalHub) -> None:
    before = hub.repository("user/model").commit_at("main")
    assert commit(hub, regular("config.json", b"{}"), large("model.safetensors", WEIGHTS)) == 400
    # nothing of it was kept, not even the part that was right
    assert hub.repository("user/model").commit_at("main") is before

    url = announce(hub)["actions"]["upload"]["href"]
    assert send(hub, "PUT", url, WEIGHTS, token=None)[0] == 200
    assert commit(hub, regular("config.json", b"{}"), large("model.safetensors", WEIGHTS)) == 200
    assert hub.repository("user/model").files()["model.safetensors"] == WEIGHTS
    assert "actions" not in announce(hub)


@pytest.mark.parametrize("content", [WEIGHTS[:-1] + b"S", WEIGHTS[:-1], b""], ids=["wrong", "short", "empty"])
def test_a_large_file_must_be_what_was_announced(hub: LocalHub, content: bytes) -> None:
    actions = announce(hub)["actions"]
    assert send(hub, "PUT", actions["upload"]["href"], content, token=None)[0] == 400
    assert send(hub, "POST", actions["verify"]["href"], {"oid": WEIGHTS_OID, "size": len(WEIGHTS)})[0] == 400
    assert commit(hub, large("model.safetensors", WEIGHTS)) == 400
    assert hub.repository("user/model").titles() == ["initial commit"]


def test_an_upload_needs_the_url_that_was_handed_out(hub: LocalHub) -> None:
    url = announce(hub)["actions"]["upload"]["href"]
    assert send(hub, "PUT", url[:-4] + "0000", WEIGHTS, token=None)[0] == 403
    # who may upload may not yet read
    assert send(hub, "GET", url, token=None)[0] == 403


def test_a_commit_on_a_parent_that_is_no_longer_the_newest_is_refused(hub: LocalHub) -> None:
    old = hub.repository("user/model").commit_at("main").sha
    assert commit(hub, regular("a.txt", b"a"), parentCommit=old) == 200
    assert commit(hub, regular("b.txt", b"b"), parentCommit=old) == 412
    assert "b.txt" not in hub.repository("user/model").files()
    new = hub.repository("user/model").commit_at("main").sha
    assert commit(hub, regular("b.txt", b"b"), parentCommit=new) == 200


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ({"key": "deletedFile", "value": {"path": "missing.txt"}}, 404),
        ({"key": "deletedFolder", "value": {"path": "missing/"}}, 404),
        ({"key": "file", "value": {"path": "../a.txt", "content": ""}}, 400),
        ({"key": "file", "value": {"path": "a.txt", "content": "?"}}, 400),
        ({"key": "file", "value": {"path": "a.txt"}}, 400),
        ({"key": "moved", "value": {"path": "a.txt"}}, 400),
        (regular("README.md", b"---\nlicense: mine\n---\n"), 400),
    ],
)
def test_a_commit_happens_in_full_or_not_at_all(hub: LocalHub, operation: dict[str, Any], status: int) -> None:
    assert commit(hub, regular("first.txt", b"first"), operation) == status
    assert list(hub.repository("user/model").files()) == [".gitattributes"]


def test_branches_and_tags_name_commits(hub: LocalHub) -> None:
    assert commit(hub, regular("a.txt", b"a"), branch="v1") == 404
    assert send(hub, "POST", f"{MODEL}/branch/v1", {})[0] == 200
    assert send(hub, "POST", f"{MODEL}/branch/v1", {})[0] == 409
    assert commit(hub, regular("a.txt", b"a"), branch="v1") == 200
    assert send(hub, "POST", f"{MODEL}/tag/v1", {"tag": "first/release"})[0] == 200
    assert send(hub, "POST", f"{MODEL}/tag/v1", {"tag": "first/release"})[0] == 409
    assert json.loads(send(hub, "GET", f"{MODEL}/tree/first%2Frelease")[2])[1]["path"] == "a.txt"
    assert "a.txt" not in hub.repository("user/model").files("main")


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        ("/api/models/user/private", TOKEN, 200, None),
        ("/api/models/user/private", None, 401, "RepoNotFound"),
        ("/api/models/user/private", STRANGER_TOKEN, 404, "RepoNotFound"),
        ("/user/private/resolve/main/.gitattributes", None, 401, "RepoNotFound"),
        ("/api/models/user/missing", None, 401, "RepoNotFound"),
        ("/api/models/user/missing", TOKEN, 404, "RepoNotFound"),
        ("/api/spaces/user/model", TOKEN, 404, "RepoNotFound"),
        ("/user/model/resolve/main/missing.txt", None, 404, "EntryNotFound"),
        ("/user/model/resolve/missing/.gitattributes", None, 404, "RevisionNotFound"),
        (f"{MODEL}/tree/main/missing", None, 404, "EntryNotFound"),
        (f"{MODEL}/revision/missing", None, 404, "RevisionNotFound"),
        (MODEL, "hf_expired", 401, None),
    ],
)
def test_what_is_not_there_or_not_for_the_user_has_its_code(
    hub: LocalHub, path: str, token: str | None, status: int, code: str | None
) -> None:
    hub.create_repository("user/private", private=True)
    answered, headers, _ = send(hub, "GET", path, token=token)
    assert (answered, headers["X-Error-Code"]) == (status, code)


def test_only_the_owner_writes(hub: LocalHub) -> None:
    for token, status in ((None, 401), (STRANGER_TOKEN, 403)):
        assert send(hub, "POST", f"{MODEL}/branch/v1", {}, token=token)[0] == status
        assert send(hub, "POST", f"{MODEL}/commit/main", b"", token=token)[0] == status
        body = {"name": "other", "organization": "user"}
        assert send(hub, "POST", "/api/repos/create", body, token=token)[0] == status
    assert send(hub, "POST", "/api/repos/create", {"name": "model"})[0] == 409


def test_a_part_of_a_file_can_be_asked_for(hub: LocalHub) -> None:
    commit(hub, regular("digits.txt", b"0123456789"))
    path = "/user/model/resolve/main/digits.txt"
    for part, content in (("0-3", b"0123"), ("7-", b"789"), ("-2", b"89"), ("8-99", b"89")):
        status, headers, body = send(hub, "GET", path, Range=f"bytes={part}")
        assert (status, body) == (206, content)
        assert headers["Content-Range"].endswith("/10")
    assert send(hub, "GET", path, Range="bytes=10-")[0] == 416


def test_a_large_file_lies_on_another_host(hub: LocalHub) -> None:
    send(hub, "PUT", announce(hub)["actions"]["upload"]["href"], WEIGHTS, token=None)
    commit(hub, large("model.safetensors", WEIGHTS))
    status, headers, _ = send(hub, "HEAD", "/user/model/resolve/main/model.safetensors")
    assert status == 302
    assert headers["X-Linked-Etag"] == f'"{WEIGHTS_OID}"'
    assert headers["X-Linked-Size"] == str(len(WEIGHTS))
    assert not headers["Location"].startswith(hub.endpoint)
    assert send(hub, "GET", headers["Location"], token=None)[2] == WEIGHTS


def test_faults_happen_as_announced(hub: LocalHub) -> None:
    hub.fail_next("GET /api/models/", 429, times=2, headers={"Retry-After": "7"})
    hub.cut_next("GET .*/resolve/", after_bytes=5)
    hub.lose_answer_next("POST .*/commit/")
    answers = [send(hub, "GET", MODEL) for _ in range(3)]
    assert [status for status, _, _ in answers] == [429, 429, 200]
    assert answers[0][1]["Retry-After"] == "7"
    with pytest.raises(IncompleteRead) as cut:
        send(hub, "GET", "/user/model/resolve/main/.gitattributes")
    assert cut.value.partial == b"*.bin"
    with pytest.raises(RemoteDisconnected):
        commit(hub, regular("a.txt", b"a"))
    assert "a.txt" in hub.repository("user/model").files()
    hub.cut_next("POST .*/commit/", after_bytes=5)
    with pytest.raises((RemoteDisconnected, ConnectionError, urllib.error.URLError)):
        commit(hub, regular("b.txt", b"b"))
    assert "b.txt" not in hub.repository("user/model").files()
    assert [request.status for request in hub.requested("/commit/")] == [None, None]


@pytest.mark.parametrize(
    ("metadata", "kind", "message"),
    [
        ("license: [", "models", "not valid"),
        ("- license", "models", "must be a mapping"),
        ("license: mine", "models", "'mine'"),
        ("license: mit\nlanguage: Korean", "models", '"language" with value "Korean"'),
        ("license: mit\ndatasets: [KLUE data]", "models", '"datasets" with value "KLUE data"'),
        ("license: mit\ntags: ner", "models", '"tags" must be an array'),
        ("license: mit\npipeline_tag: 3", "models", '"pipeline_tag" must be a string'),
        ("license: mit\nmodel-index: [{name: m}]", "models", '"results"'),
        ("license: mit\nmodel-index: [{name: m, results: [{task: {}}]}]", "models", '"task.type"'),
        ("title: Demo", "spaces", '"sdk" must be one of'),
        ("sdk: gradio\ncolorFrom: black", "spaces", "'black'"),
        ("sdk: gradio\nsdk_version: 5.0", "spaces", '"sdk_version" must be a string'),
    ],
)
def test_wrong_metadata_is_refused(hub: LocalHub, metadata: str, kind: str, message: str) -> None:
    body = {"content": f"---\n{metadata}\n---\n# Card\n", "repoType": kind.removesuffix("s")}
    status, _, content = send(hub, "POST", "/api/validate-yaml", body)
    assert status == 400
    assert message in " ".join(error["message"] for error in json.loads(content)["errors"])


def test_sound_metadata_is_accepted() -> None:
    model = "language: ko\nlicense: apache-2.0\ntags: [ner]\nbase_model: klue/bert-base\ndatasets: [klue]"
    assert check_metadata(f"---\n{model}\n---\n", "models") == ([], [])
    assert check_metadata("---\nsdk: gradio\nsdk_version: '6.1'\ncolorFrom: red\n---\n", "spaces") == ([], [])
    assert check_metadata("---\ntags: []\n---\n", "models") == ([], ['"license" is missing.'])
    assert check_metadata("# Card\n", "models") == ([], ["empty or missing yaml metadata in repo card"])
