"""What a local Hub answers: one function per endpoint that `huggingface_hub` calls."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import yaml

from support.local_hub_metadata import check_metadata, read_metadata
from support.local_hub_repository import Commit, HubStorage, Refused, Repository, StoredFile

# by the name, as .gitattributes of a new repository says; by size or content otherwise
LARGE_FILES = re.compile(r"\.(safetensors|bin|pt|pth|ckpt|onnx|npz|npy|pkl|zip|gz|7z|parquet|arrow|h5)$|tfevents")
LARGEST_REGULAR_FILE = 10 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """A request in full."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    user: str | None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refused(400, f"The body is not JSON: {error}") from error

    def has(self, flag: str) -> bool:
        """Whether the query asks for something."""
        return self.query.get(flag, ["false"])[0].lower() in ("true", "1")


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    content: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Endpoint = Callable[..., Answer]
ENDPOINTS: list[tuple[str, re.Pattern[str], Endpoint]] = []

API = r"/api/(?P<kind>models|spaces|datasets)/(?P<name>[^/]+/[^/]+)"
WEB = r"/(?:(?P<kind>spaces|datasets)/)?(?P<name>[^/]+/[^/]+)"


def endpoint(methods: str, pattern: str) -> Callable[[Endpoint], Endpoint]:
    """Register a function that takes the storage, the request and the named groups of the path."""

    def register(function: Endpoint) -> Endpoint:
        ENDPOINTS.extend((method, re.compile(pattern), function) for method in methods.split())
        return function

    return register


def answer(storage: HubStorage, request: Request) -> Answer:
    """Answer a request, with an error if need be."""
    try:
        return _find_answer(storage, request)
    except Refused as refused:
        error = refused
    except KeyError as missing:
        error = Refused(400, f"The request lacks {missing}.")
    headers = {"X-Error-Message": error.message.replace("\n", " "), **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    return json_answer({"error": error.message, **error.details}, status=error.status, headers=headers)


def _find_answer(storage: HubStorage, request: Request) -> Answer:
    if request.headers.get("authorization") and request.user is None:
        raise Refused(401, "Invalid credentials in Authorization header")
    for method, pattern, function in ENDPOINTS:
        match = pattern.fullmatch(request.path)
        if match and method == request.method:
            # unquoted only now: a branch may hold a slash, which is quoted once more in the path
            groups = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
            if "kind" in match.groupdict():
                groups.setdefault("kind", "models")
            return function(storage, request, **groups)
    raise Refused(404, f"No such endpoint: {request.method} {request.path}")


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a value as JSON."""
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})


@endpoint("GET", "/api/whoami-v2")
def who_am_i(storage: HubStorage, request: Request) -> Answer:
    if request.user is None:
        raise Refused(401, "Invalid username or password.")
    access = {"displayName": "token", "role": "write"}
    return json_answer(
        {"type": "user", "id": request.user, "name": request.user, "orgs": [], "auth": {"accessToken": access}}
    )


@endpoint("POST", "/api/validate-yaml")
def validate_yaml(storage: HubStorage, request: Request) -> Answer:
    errors, warnings = check_metadata(request.json["content"], f"{request.json['repoType']}s")
    answers = {"errors": [{"message": text} for text in errors], "warnings": [{"message": text} for text in warnings]}
    return json_answer(answers, status=400 if errors else 200)


@endpoint("POST", "/api/repos/create")
def create_repository(storage: HubStorage, request: Request) -> Answer:
    owner = request.json.get("organization") or request.user or ""
    storage.check_owner(owner, request.user)
    name, kind = f"{owner}/{request.json['name']}", f"{request.json.get('type') or 'model'}s"
    if kind not in ("models", "spaces", "datasets"):
        raise Refused(400, f"Not a kind of repository that is kept here: {kind}")
    private = request.json.get("visibility") == "private" or bool(request.json.get("private"))
    files = {}
    if kind == "spaces":
        settings = {"title": request.json["name"], "sdk": request.json["sdk"]}
        files["README.md"] = f"---\n{yaml.safe_dump(settings)}---\n".encode()
    storage.create(name, kind, private=private, files=files)
    return json_answer({"url": storage.page(kind, name), "name": name, "id": name})


@endpoint("DELETE", "/api/repos/delete")
def delete_repository(storage: HubStorage, request: Request) -> Answer:
    name = f"{request.json.get('organization') or request.user}/{request.json['name']}"
    repository = storage.find_for_writing(f"{request.json.get('type') or 'model'}s", name, request.user)
    del storage.repositories[repository.kind, repository.name]
    return Answer()


@endpoint("PUT", f"{API}/settings")
def change_settings(storage: HubStorage, request: Request, kind: str, name: str) -> Answer:
    repository = storage.find_for_writing(kind, name, request.user)
    repository.private = request.json.get("visibility") == "private"
    return json_answer({"private": repository.private})


@endpoint("GET", "/api/(?P<kind>models|spaces|datasets)")
def list_repositories(storage: HubStorage, request: Request, kind: str) -> Answer:
    author, search = request.query.get("author", [None])[0], request.query.get("search", [""])[0]
    tags = set(request.query.get("filter", []))
    infos = []
    for repository in storage.visible(kind, request.user):
        info = _info(repository, repository.commit_at("main"), blobs=False)
        if author in (None, repository.owner) and search in repository.name and tags <= set(info["tags"]):
            infos.append(info)
    return json_answer(infos)


@endpoint("GET", API)
@endpoint("GET", f"{API}/revision/(?P<revision>[^/]+)")
def repository_info(storage: HubStorage, request: Request, kind: str, name: str, revision: str = "main") -> Answer:
    repository = storage.find(kind, name, request.user)
    info = _info(repository, repository.commit_at(revision), blobs=request.has("blobs"))
    expand = {"id", *request.query.get("expand", [])}
    return json_answer({key: value for key, value in info.items() if expand == {"id"} or key in expand})


@endpoint("GET", f"{API}/refs")
def references(storage: HubStorage, request: Request, kind: str, name: str) -> Answer:
    repository = storage.find(kind, name, request.user)
    found = {
        group: [{"name": n, "ref": f"refs/{folder}/{n}", "targetCommit": c.sha} for n, c in commits.items()]
        for group, folder, commits in (("branches", "heads", repository.branches), ("tags", "tags", repository.tags))
    }
    return json_answer({**found, "converts": [], "pullRequests": []})


@endpoint("GET", f"{API}/commits/(?P<revision>[^/]+)")
def commits(storage: HubStorage, request: Request, kind: str, name: str, revision: str) -> Answer:
    history = storage.find(kind, name, request.user).commit_at(revision).history()
    return json_answer([{**_commit(c), "message": c.description, "authors": [{"user": c.author}]} for c in history])


@endpoint("GET", rf"{API}/tree/(?P<revision>[^/]+)(?:/(?P<folder>.+))?")
def tree(storage: HubStorage, request: Request, kind: str, name: str, revision: str, folder: str = "") -> Answer:
    commit = storage.find(kind, name, request.user).commit_at(revision)
    if folder and folder not in commit.folders():
        raise Refused(404, f"{folder} does not exist on {revision}", "EntryNotFound", {"X-Repo-Commit": commit.sha})
    prefix = f"{folder}/" if folder else ""
    paths = sorted(path for path in {*commit.files, *commit.folders()} if path.startswith(prefix))
    if not request.has("recursive"):
        paths = [path for path in paths if "/" not in path[len(prefix) :]]
    return json_answer([_entry(commit, path, expand=request.has("expand")) for path in paths])


@endpoint("POST", f"{API}/paths-info/(?P<revision>[^/]+)")
def paths_info(storage: HubStorage, request: Request, kind: str, name: str, revision: str) -> Answer:
    commit = storage.find(kind, name, request.user).commit_at(revision)
    # a form, not JSON
    form = parse_qs(request.body.decode())
    expand = form.get("expand", ["false"])[0].lower() == "true"
    known = {*commit.files, *commit.folders()}
    return json_answer([_entry(commit, path, expand=expand) for path in form.get("paths", []) if path in known])


@endpoint("POST", f"{API}/branch/(?P<branch>[^/]+)")
def create_branch(storage: HubStorage, request: Request, kind: str, name: str, branch: str) -> Answer:
    repository = storage.find_for_writing(kind, name, request.user)
    if branch.startswith("refs/"):
        raise Refused(400, f"Invalid reference for a branch: {branch}")
    repository.create_reference(repository.branches, branch, request.json.get("startingPoint", "main"))
    return Answer()


@endpoint("POST", f"{API}/tag/(?P<revision>[^/]+)")
def create_tag(storage: HubStorage, request: Request, kind: str, name: str, revision: str) -> Answer:
    repository = storage.find_for_writing(kind, name, request.user)
    repository.create_reference(repository.tags, request.json["tag"], revision)
    return Answer()


@endpoint("POST", f"{API}/preupload/(?P<revision>[^/]+)")
def preupload(storage: HubStorage, request: Request, kind: str, name: str, revision: str) -> Answer:
    present = storage.find_for_writing(kind, name, request.user).commit_at(revision).files
    answers = []
    for announced in request.json["files"]:
        path, sample = announced["path"], base64.b64decode(announced["sample"])
        large = bool(LARGE_FILES.search(path)) or announced["size"] > LARGEST_REGULAR_FILE or b"\0" in sample
        known = present.get(path)
        oid = None if known is None else known.sha256 if large else known.oid
        mode = "lfs" if large else "regular"
        answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return json_answer({"files": answers})


@endpoint("POST", rf"{WEB}\.git/info/lfs/objects/batch")
def large_file_batch(storage: HubStorage, request: Request, kind: str, name: str) -> Answer:
    if request.json["operation"] != "upload" or "basic" not in request.json["transfers"]:
        raise Refused(422, "Only basic uploads are possible.")
    repository = storage.find_for_writing(kind, name, request.user)
    objects = []
    for announced in request.json["objects"]:
        oid, size = announced["oid"], announced["size"]
        if oid in repository.large_files:
            objects.append({"oid": oid, "size": size})
            continue
        upload = storage.large_file_url("PUT", repository, oid, size)
        verify = f"{storage.page(kind, name)}.git/info/lfs/objects/verify"
        objects.append({"oid": oid, "size": size, "actions": {"upload": {"href": upload}, "verify": {"href": verify}}})
    return json_answer({"transfer": "basic", "objects": objects})


@endpoint("POST", rf"{WEB}\.git/info/lfs/objects/verify")
def verify_large_file(storage: HubStorage, request: Request, kind: str, name: str) -> Answer:
    storage.find_for_writing(kind, name, request.user).check_large_file(request.json["oid"], request.json["size"])
    return Answer()


@endpoint("PUT", "/large-files/(?P<secret>[0-9a-f]+)")
def upload_large_file(storage: HubStorage, request: Request, secret: str) -> Answer:
    grant = storage.grant(secret, "PUT")
    grant.repository.upload_large_file(grant.oid, grant.size, request.body)
    return Answer()


@endpoint("GET HEAD", "/large-files/(?P<secret>[0-9a-f]+)")
def download_large_file(storage: HubStorage, request: Request, secret: str) -> Answer:
    grant = storage.grant(secret, "GET")
    return _content(request, grant.repository.large_files[grant.oid], {"ETag": f'"{grant.oid}"'})


@endpoint("POST", f"{API}/commit/(?P<revision>[^/]+)")
def commit(storage: HubStorage, request: Request, kind: str, name: str, revision: str) -> Answer:
    repository = storage.find_for_writing(kind, name, request.user)
    if request.has("create_pr"):
        raise Refused(501, "Pull requests are not kept here.")
    try:
        operations = [json.loads(line) for line in request.body.splitlines()]
    except ValueError as error:
        raise Refused(400, f"A line of the commit is not JSON: {error}") from error
    made = repository.commit(revision, operations, request.user or "")
    url = f"{storage.page(kind, name)}/commit/{made.sha}"
    return json_answer({"success": True, "commitOid": made.sha, "commitUrl": url, "hookOutput": ""})


@endpoint("GET HEAD", f"{WEB}/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
def resolve(storage: HubStorage, request: Request, kind: str, name: str, revision: str, path: str) -> Answer:
    repository = storage.find(kind, name, request.user)
    found = repository.commit_at(revision)
    headers = {"X-Repo-Commit": found.sha, "Accept-Ranges": "bytes"}
    file = found.files.get(path)
    if file is None:
        raise Refused(404, "Entry not found", "EntryNotFound", headers)
    if not file.is_large:
        return _content(request, file.content, {**headers, "ETag": f'"{file.oid}"'})
    headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    location = storage.large_file_url("GET", repository, file.sha256, file.size)
    return Answer(status=302, headers={**headers, "Location": location})


def _content(request: Request, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Return the part of a file that is asked for."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if not match or match[0] == "bytes=-":
        return Answer(content, 200, headers)
    first, last = match[1], match[2]
    start = int(first) if first else max(len(content) - int(last), 0)
    end = min(int(last) + 1, len(content)) if first and last else len(content)
    if start >= end:
        raise Refused(416, "Range not satisfiable", headers={"Content-Range": f"bytes */{len(content)}"})
    return Answer(content[start:end], 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(content)}"})


def _date(commit: Commit) -> str:
    return commit.date.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _commit(commit: Commit) -> dict[str, str]:
    return {"id": commit.sha, "title": commit.title, "date": _date(commit)}


def _large(file: StoredFile, name_of_hash: str) -> dict[str, Any]:
    """Trees call the hash of a large file `oid`, siblings call it `sha256`."""
    return {name_of_hash: file.sha256, "size": file.size, "pointerSize": len(file.pointer)}


def _entry(commit: Commit, path: str, *, expand: bool) -> dict[str, Any]:
    file = commit.files.get(path)
    if file is None:
        entry = {"type": "directory", "path": path, "size": 0, "oid": commit.last_change(path).sha}
    else:
        entry = {"type": "file", "path": path, "size": file.size, "oid": file.oid}
        if file.is_large:
            entry["lfs"] = _large(file, "oid")
    if expand:
        entry["lastCommit"] = _commit(commit.last_change(path))
    return entry


def _info(repository: Repository, commit: Commit, *, blobs: bool) -> dict[str, Any]:
    siblings = []
    for path, file in sorted(commit.files.items()):
        sibling: dict[str, Any] = {"rfilename": path}
        if blobs:
            sibling |= {"size": file.size, "blobId": file.oid}
            if file.is_large:
                sibling["lfs"] = _large(file, "sha256")
        siblings.append(sibling)
    card = read_metadata(commit.files["README.md"].content.decode()) if "README.md" in commit.files else None
    metadata = card or {}
    config = json.loads(commit.files["config.json"].content) if "config.json" in commit.files else {}
    info = {
        "id": repository.name,
        "author": repository.owner,
        "sha": commit.sha,
        "lastModified": _date(commit),
        "createdAt": _date(list(commit.history())[-1]),
        "private": repository.private,
        "gated": False,
        "disabled": False,
        "likes": 0,
        "siblings": siblings,
        "tags": [*(metadata.get("tags") or []), *(["custom_code"] if "auto_map" in config else [])],
        **({"cardData": card} if card else {}),
    }
    if repository.kind == "spaces":
        return {**info, "sdk": metadata.get("sdk")}
    inferred = {key: metadata[key] for key in ("pipeline_tag", "library_name") if key in metadata}
    return {**info, "modelId": repository.name, "downloads": 0, "config": config, **inferred}
