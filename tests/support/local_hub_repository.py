"""What a local Hub stores: repositories with commits, branches, tags and large files, and who may see them."""

import base64
import binascii
import hashlib
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from support.local_hub_metadata import check_metadata

GIT_ATTRIBUTES = b"*.bin filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n"


class Refused(Exception):
    """An error that the Hub answers: its status, its message and the code by which clients tell errors apart."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        **details: str,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.details = details


@dataclass(frozen=True)
class StoredFile:
    """A file of a commit; git holds only a pointer to a large one."""

    content: bytes
    is_large: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git holds in place of a large file."""
        lines = ("version https://git-lfs.github.com/spec/v1", f"oid sha256:{self.sha256}", f"size {self.size}\n")
        return "\n".join(lines).encode()

    @property
    def oid(self) -> str:
        """The name that git gives to what it holds."""
        blob = self.pointer if self.is_large else self.content
        return hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class Commit:
    """All files of a repository at one time."""

    parent: "Commit | None"
    title: str
    author: str
    files: Mapping[str, StoredFile]
    description: str = ""
    date: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        parts = [self.parent.sha if self.parent else "", self.title, self.author, self.date.isoformat()]
        parts += [f"{path} {file.oid}" for path, file in sorted(self.files.items())]
        object.__setattr__(self, "sha", hashlib.sha1("\n".join(parts).encode()).hexdigest())

    def history(self) -> Iterator["Commit"]:
        """Yield this commit and those before it, newest first."""
        commit: Commit | None = self
        while commit is not None:
            yield commit
            commit = commit.parent

    def last_change(self, path: str) -> "Commit":
        """Return the newest commit that changed a file, or anything in a folder."""

        def under(commit: "Commit") -> dict[str, StoredFile]:
            return {p: file for p, file in commit.files.items() if p == path or p.startswith(f"{path}/")}

        for commit in self.history():
            if commit.parent is None or under(commit) != under(commit.parent):
                break
        return commit

    def folders(self) -> set[str]:
        """Return every folder that holds a file, at any depth."""
        parents = (path.split("/")[:-1] for path in self.files)
        return {"/".join(parts[: depth + 1]) for parts in parents for depth in range(len(parts))}


class Repository:
    """A model or a space with its history."""

    def __init__(
        self, name: str, kind: str, *, private: bool = False, files: Mapping[str, bytes] | None = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.private = private
        first = {path: StoredFile(content) for path, content in (files or {}).items()}
        first[".gitattributes"] = StoredFile(GIT_ATTRIBUTES)
        self.branches = {"main": Commit(None, "initial commit", self.owner, first)}
        self.tags: dict[str, Commit] = {}
        self.large_files: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def owner(self) -> str:
        return self.name.split("/")[0]

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """Return every file of a revision by its path."""
        return {path: file.content for path, file in self.commit_at(revision).files.items()}

    def titles(self, revision: str = "main") -> list[str]:
        """Return the titles of all commits, newest first."""
        return [commit.title for commit in self.commit_at(revision).history()]

    def commit_at(self, revision: str) -> Commit:
        """Return the commit that a branch, a tag or a full sha names."""
        named = {**self.tags, **self.branches}
        named |= {f"refs/heads/{name}": commit for name, commit in self.branches.items()}
        named |= {f"refs/tags/{name}": commit for name, commit in self.tags.items()}
        if revision in named:
            return named[revision]
        for head in named.values():
            for commit in head.history():
                if commit.sha == revision:
                    return commit
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def create_reference(self, references: dict[str, Commit], name: str, revision: str) -> None:
        """Add a name to `branches` or `tags`."""
        with self._lock:
            if name in references:
                raise Refused(409, f"Reference already exists: {name}")
            references[name] = self.commit_at(revision)

    def upload_large_file(self, oid: str, size: int, content: bytes) -> None:
        """Keep a large file for a later commit, if it is what was announced."""
        if len(content) != size or hashlib.sha256(content).hexdigest() != oid:
            raise Refused(400, "The checksum or the size of the upload is not that which was announced.")
        self.large_files[oid] = content

    def check_large_file(self, oid: str, size: int | None) -> bytes:
        """Return a large file that has arrived in full; a copy inside the repository is announced without its size."""
        content = self.large_files.get(oid)
        if content is None or size not in (None, len(content)):
            raise Refused(400, f"LFS pointer pointed to a file that does not exist: {oid}")
        return content

    def commit(self, branch: str, operations: Sequence[Mapping[str, Any]], author: str) -> Commit:
        """Apply all operations to a branch, or none; the first one is the header."""
        with self._lock:
            if branch not in self.branches:
                raise Refused(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            head = self.branches[branch]
            if not operations or operations[0]["key"] != "header" or not operations[0]["value"].get("summary"):
                raise Refused(400, "A commit begins with a header that has a summary.")
            header = operations[0]["value"]
            if header.get("parentCommit", head.sha) != head.sha:
                raise Refused(412, "A commit has happened since. Please refresh and try again.")
            files = dict(head.files)
            for operation in operations[1:]:
                self._apply(files, operation["key"], operation["value"])
            card = files.get("README.md")
            if card is not None and card != head.files.get("README.md"):
                errors, _ = check_metadata(card.content.decode(), self.kind)
                if errors:
                    raise Refused(400, "Invalid metadata in README.md. " + " ".join(errors))
            self.branches[branch] = Commit(head, header["summary"], author, files, header.get("description", ""))
            return self.branches[branch]

    def _apply(self, files: dict[str, StoredFile], key: str, value: Mapping[str, Any]) -> None:
        path = value["path"]
        if path.startswith("/") or {"", ".", "..", ".git"} & set(path.rstrip("/").split("/")):
            raise Refused(400, f"Invalid path: {path}")
        if key == "file":
            try:
                files[path] = StoredFile(base64.b64decode(value["content"], validate=True))
            except binascii.Error as error:
                raise Refused(400, f"{path} is not base64.") from error
        elif key == "lfsFile":
            files[path] = StoredFile(self.check_large_file(value["oid"], value.get("size")), is_large=True)
        elif key in ("deletedFile", "deletedFolder"):
            folder = path.rstrip("/") + "/"
            doomed = [path] if key == "deletedFile" else [name for name in files if name.startswith(folder)]
            if not doomed or not set(doomed) <= set(files):
                raise Refused(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            for name in doomed:
                del files[name]
        else:
            raise Refused(400, f"Unknown operation: {key}")


@dataclass(frozen=True)
class Grant:
    """The right to upload or download one large file; who holds its URL needs no token."""

    method: str
    repository: Repository
    oid: str
    size: int


class HubStorage:
    """All repositories, the tokens of the users, and the URLs of large files that have been handed out."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self.tokens = dict(tokens)
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.grants: dict[str, Grant] = {}
        self.endpoint = ""
        self.large_file_endpoint = ""

    def visible(self, kind: str, user: str | None) -> list[Repository]:
        """Return all repositories that a user may read."""
        of_kind = [repository for (its_kind, _), repository in self.repositories.items() if its_kind == kind]
        return [repository for repository in of_kind if not repository.private or repository.owner == user]

    def find(self, kind: str, name: str, user: str | None) -> Repository:
        """Return a repository; one that the user may not see is answered like one that does not exist."""
        for repository in self.visible(kind, user):
            if repository.name == name:
                return repository
        raise Refused(404 if user else 401, "Repository not found", "RepoNotFound")

    def find_for_writing(self, kind: str, name: str, user: str | None) -> Repository:
        """Return a repository of the user."""
        repository = self.find(kind, name, user)
        self.check_owner(repository.owner, user)
        return repository

    def check_owner(self, owner: str, user: str | None) -> None:
        """Only owners may write."""
        if user is None:
            raise Refused(401, "Invalid username or password.")
        if user != owner:
            raise Refused(403, f"You don't have the rights to change anything of {owner}.")

    def create(self, name: str, kind: str, *, private: bool, files: Mapping[str, bytes] | None = None) -> Repository:
        """Add a repository with its initial commit."""
        if (kind, name) in self.repositories:
            # with `exist_ok=True` clients go on with this URL
            raise Refused(409, f"You already created this {kind[:-1]} repo: {name}", url=self.page(kind, name))
        self.repositories[kind, name] = Repository(name, kind, private=private, files=files)
        return self.repositories[kind, name]

    def page(self, kind: str, name: str) -> str:
        """Return the URL of a repository."""
        return f"{self.endpoint}/{'' if kind == 'models' else f'{kind}/'}{name}"

    def large_file_url(self, method: str, repository: Repository, oid: str, size: int) -> str:
        """Return a URL for one use of one large file; like that of the real Hub it lies on another host."""
        secret = secrets.token_hex(16)
        self.grants[secret] = Grant(method, repository, oid, size)
        return f"{self.large_file_endpoint}/large-files/{secret}"

    def grant(self, secret: str, method: str) -> Grant:
        """Return what a URL permits."""
        grant = self.grants.get(secret)
        if grant is None or grant.method != method:
            raise Refused(403, "The signature of this URL is not valid.")
        return grant
