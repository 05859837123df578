"""Upload a folder to the Hub in one commit, or not at all."""

import time
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import NamedTuple, TypeVar

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi, ModelInfo
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    HFValidationError,
    HTTPError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
)

from malmoi.data.notice import one_line
from malmoi.data.user_error import UserError
from malmoi.hub_cards.metadata_by_hand import CARD, keep_metadata
from malmoi.hub_cards.standing_files import MESSAGE, StandingFiles, standing_files

ATTEMPTS = 5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
Answer = TypeVar("Answer")


class Uploaded(NamedTuple):
    """What an upload did."""

    where: str
    """The address of the commit."""
    changed: bool
    """Whether anything was to be changed; if not, the address is that of the newest commit."""
    notes: list[str]
    """What became of files that were there before, a sentence each."""


def is_pull_request(revision: str | None) -> bool:
    """Tell whether a revision is a pull request, such as `refs/pr/1`, which the Hub makes no branch of."""
    return revision is not None and revision.startswith("refs/pr/")


def upload(
    folder: Path,
    repo_id: str,
    *,
    repo_type: str = "model",
    private: bool = False,
    revision: str | None = None,
    replaced: Sequence[str] = (),
) -> Uploaded:
    """Upload all files of a folder as one commit.

    Credentials are those of `hf auth login` or of the environment of huggingface_hub; nothing else is read. The files
    go up first, the commit that shows them comes last: what breaks off before it leaves the repository as it was, and
    the same call can simply be repeated. What an earlier push has left, and the folder has not, is deleted: old files
    would be taken for those of the new weights. Files of the user stay, but for those whose names the folder has, and
    what the metadata of the card there say beyond ours is taken over into that of the folder.

    Args:
        folder: What is uploaded.
        repo_id: The name on the Hub, `user/name`; the repository is made if it is not there.
        repo_type: `model` or `space`.
        private: Whether the repository is to be private. One that is there already and public is refused.
        revision: Branch to commit to, made if it is not there; or `refs/pr/1`, a pull request that is; by default
            `main`.
        replaced: Patterns of what is deleted where the folder does not have it, whoever has put it there.

    Raises:
        UserError: If the Hub refuses, or cannot be reached after several attempts, or if all the world would see what
            is to be private.
    """
    api = HfApi()
    if not is_pull_request(revision):  # whose repository is there; one that is not would be made for nothing
        _repeated(
            lambda: api.create_repo(
                repo_id,
                repo_type=repo_type,
                private=private or None,
                exist_ok=True,
                space_sdk="gradio" if repo_type == "space" else None,
            ),
            repo_id,
        )
    # what is there already stays as it is, and the Hub says nothing of it
    if private and not _repeated(lambda: api.repo_info(repo_id, repo_type=repo_type), repo_id).private:
        raise UserError(
            f"{repo_id}: it is to be private, but it is there already and public. Make it private in its settings on "
            "the Hub, or leave --private out; nothing was uploaded."
        )
    if revision is not None and not is_pull_request(revision):
        _repeated(lambda: api.create_branch(repo_id, branch=revision, repo_type=repo_type, exist_ok=True), repo_id)
    seen: list[StandingFiles] = []

    def commit() -> CommitInfo:
        there = standing_files(api, folder, repo_id, repo_type=repo_type, revision=revision, replaced=replaced)
        seen.append(there)
        if there.has_card and (folder / CARD).is_file():
            keep_metadata(api, folder, repo_id, repo_type=repo_type, revision=there.commit)
        # `upload_folder` would make several commits of a large folder, and halves of one that is refused
        return api.create_commit(
            repo_id,
            [*map(CommitOperationDelete, there.outdated), *_additions(folder)],
            commit_message=MESSAGE,
            repo_type=repo_type,
            revision=revision,
            parent_commit=there.commit,  # what somebody changes meanwhile was not looked at
        )

    made = _repeated(commit, repo_id)
    before = seen[0]  # an attempt whose answer was lost has changed it
    pages = f"{api.endpoint}/{'spaces/' if repo_type == 'space' else ''}{repo_id}"
    return Uploaded(str(made.commit_url), made.oid != before.commit, _notes(before, folder, pages))


def _additions(folder: Path) -> list[CommitOperationAdd]:
    return [
        CommitOperationAdd(path.relative_to(folder).as_posix(), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def _notes(before: StandingFiles, folder: Path, pages: str) -> list[str]:
    """Say what became of files that a folder found in a repository, and where they can still be seen."""
    seen = f"As before: {pages}/tree/{before.commit}"
    notes = []
    if written_over := before.written_over(folder):  # the card of the folder has by now what it takes over
        notes.append(f"Written over, though malmoi had not written it: {', '.join(written_over)}. {seen}")
    if before.outdated:
        notes.append(f"Deleted, as this push has no such file: {', '.join(before.outdated)}. {seen}")
    if before.graphs:
        notes.append(f"Still there, from weights of before this push: {', '.join(before.graphs)}.")
    return notes


def newest_commit(repo_id: str) -> str:
    """Return the hash of the newest commit of a model on the Hub.

    Raises:
        UserError: If the Hub refuses, or cannot be reached after several attempts.
    """
    return str(_model(repo_id).sha)


def is_closed(repo_id: str) -> bool:
    """Tell whether a model on the Hub is private or gated, so that not everybody can load it.

    Raises:
        UserError: If the Hub refuses, or cannot be reached after several attempts.
    """
    model = _model(repo_id)
    return bool(model.private or model.gated)


def _model(repo_id: str) -> ModelInfo:
    return _repeated(lambda: HfApi().model_info(repo_id), repo_id)


def _repeated(call: Callable[[], Answer], repo_id: str) -> Answer:
    """Return the answer of a call to the Hub, which is repeated while the trouble may pass.

    Raises:
        UserError: If it does not pass, or is none that could.
    """
    pause = FIRST_PAUSE
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call()
        except LocalTokenNotFoundError:
            raise UserError("You are not logged in to the Hub. Run `hf auth login`, or set HF_TOKEN.") from None
        except OfflineModeIsEnabled:  # a lost connection by its class, but no trouble that passes
            raise UserError(
                f"{repo_id}: HF_HUB_OFFLINE is set, which keeps everybody from the Hub; unset it."
            ) from None
        # `HTTPError` is the root of the errors of whichever HTTP library huggingface_hub stands on; what checks the
        # card reads an answer as JSON before it looks at its status
        except (HTTPError, ConnectionError, TimeoutError, JSONDecodeError) as error:
            response = getattr(error, "response", None)
            status = None if response is None else response.status_code
            if status in (401, 403):
                # a full storage, rules of an organisation: only the Hub knows why
                said = " ".join(str(getattr(error, "server_message", None) or "").split()).rstrip(".")
                raise UserError(
                    f"{repo_id}: the Hub refuses ({status}){': ' if said else ''}{said}. If the right is lacking, log "
                    "in with `hf auth login`, with a token that may write there."
                ) from None
            passing = status is None or status == 429 or status >= 500
            if not passing or attempt == ATTEMPTS:
                raise UserError(f"{repo_id}: {_sentence(error)} The same command can be repeated.") from error
            asked = "" if response is None else response.headers.get("Retry-After", "")
            pause = max(pause, float(asked) if asked.isdigit() else 0.0)
        except HFValidationError as error:
            raise UserError(f"{repo_id} is no name on the Hub: {_sentence(error)}") from None
        except ValueError as error:
            # mostly the card, which the Hub looks at before it takes anything
            what = "the card" if "README.md" in str(error) else "the files"
            raise UserError(f"{repo_id}: the Hub refuses {what}. {_sentence(error)} Nothing was uploaded.") from None
        time.sleep(min(pause, LONGEST_PAUSE))
        pause *= 2
    raise AssertionError("the last attempt returns or raises")


def _sentence(error: Exception) -> str:
    if isinstance(error, JSONDecodeError):
        return "the Hub's answer was no JSON."
    text = one_line(error) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
