"""What lies in a repository already: what earlier pushes have left there, and what others have written.

The files themselves do not tell, but the commits that changed them last: those of a push have a message of their own.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from malmoi.hub_cards.metadata_by_hand import CARD

MESSAGE = "Publish with malmoi"
"""What the message of every commit of a push begins with."""
FIRST_MESSAGE = "initial commit"
"""That of the commit by which the Hub makes a repository."""
KEPT = ".gitattributes"
"""The Hub needs it."""
GRAPHS = ".onnx"
AT_ONCE = 50
"""So many files are asked about in a request, as the Hub looks up a commit for each."""


class StandingFiles(NamedTuple):
    """The files of a repository beside those of a folder that is to be uploaded.

    Args:
        commit: The newest commit.
        outdated: What goes: files that the folder has not, of earlier pushes or with names of what they write.
        foreign: What the folder has too though somebody else wrote it there, and the hash of its content.
        graphs: Exported models that stay.
        has_card: Whether somebody has written a `README.md`: that by which the Hub makes a repository says nothing.
    """

    commit: str | None
    outdated: list[str]
    foreign: dict[str, str]
    graphs: list[str]
    has_card: bool

    def written_over(self, folder: Path) -> list[str]:
        """Return what somebody else wrote, and is no more what it was once a folder is uploaded."""
        return [name for name, content in self.foreign.items() if content != git_hash((folder / name).read_bytes())]


def standing_files(
    api: HfApi, folder: Path, repo_id: str, *, repo_type: str, revision: str | None, replaced: Sequence[str]
) -> StandingFiles:
    """Compare a repository with the folder that is to be uploaded.

    Args:
        api: The Hub.
        folder: What is to be uploaded.
        repo_id: The name on the Hub.
        repo_type: `model` or `space`.
        revision: The branch.
        replaced: Patterns of names that must not stay where the folder has none, whoever wrote them. `*` stands for
            nothing with a slash.
    """
    commit = api.repo_info(repo_id, repo_type=repo_type, revision=revision).sha
    names = [name for name in api.list_repo_files(repo_id, repo_type=repo_type, revision=commit) if name != KEPT]
    new = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    others = [name for name in names if name not in new]
    # what people change by hand stands on top; of the rest nobody needs to ask
    asked = [*others, *(name for name in names if name in new and "/" not in name)]
    files: dict[str, RepoFile] = {}
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        found = api.get_paths_info(repo_id, part, repo_type=repo_type, revision=commit, expand=True)
        files |= {entry.path: entry for entry in found if isinstance(entry, RepoFile)}
    outdated = [
        name
        for name in others
        if _message(files.get(name)).startswith(MESSAGE) or any(_is_named(name, pattern) for pattern in replaced)
    ]
    foreign = {
        name: file.blob_id
        for name, file in files.items()
        if name in new
        and file.lfs is None  # nobody writes a large file by hand
        and not _message(file).startswith(MESSAGE)
        and _message(file) != FIRST_MESSAGE
    }
    graphs = [name for name in others if name.endswith(GRAPHS) and name not in outdated]
    has_card = CARD in names and _message(files.get(CARD)) != FIRST_MESSAGE
    return StandingFiles(commit, outdated, foreign, graphs, has_card)


def _message(file: RepoFile | None) -> str:
    """Return the message of the commit that changed a file last."""
    return "" if file is None or file.last_commit is None else file.last_commit.title


def _is_named(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)
