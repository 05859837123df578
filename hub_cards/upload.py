"""Upload a folder to the Hub in one commit, or not at all."""

import time
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled  # type: ignore[attr-defined]

from malmoi.data.notice import one_line
from malmoi.data.user_error import UserError

ATTEMPTS = 5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
Answer = TypeVar("Answer")


def upload(
    folder: Path,
    repo_id: str,
    *,
    repo_type: str = "model",
    private: bool = False,
    revision: str | None = None,
    message: str = "Publish with malmoi",
    replaced: Sequence[str] = ("*.py",),
) -> str:
    """Upload all files of a folder as one commit and return the address of the commit.

    Credentials are those of `hf auth login` or of the environment of huggingface_hub; nothing else is read. The files
    go up first, the commit that shows them comes last: what breaks off before it leaves the repository as it was, and
    the same call can simply be repeated. What an earlier upload may have left, and the folder has not, is deleted: old
    code beside new weights would be loaded with them, and old results be taken for theirs.

    Args:
        folder: What is uploaded.
        repo_id: The name on the Hub, `user/name`; the repository is made if it is not there.
        repo_type: `model` or `space`.
        private: Whether the repository is to be private. One that is there already and public is refused.
        revision: Branch to commit to, made if it is not there; by default `main`.
        message: Of the commit.
        replaced: Patterns of what is deleted where the folder does not have it.

    Raises:
        UserError: If the Hub refuses, or cannot be reached after several attempts, or if all the world would see what
            is to be private.
    """
    api = HfApi()
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
    if revision is not None:
        _repeated(lambda: api.create_branch(repo_id, branch=revision, repo_type=repo_type, exist_ok=True), repo_id)
    commit = _repeated(
        lambda: api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            repo_type=repo_type,
            revision=revision,
            commit_message=message,
            delete_patterns=list(replaced),
        ),
        repo_id,
    )
    return str(commit.commit_url)


def newest_commit(repo_id: str) -> str:
    """Return the hash of the newest commit of a model on the Hub.

    Raises:
        UserError: If the Hub refuses, or cannot be reached after several attempts.
    """
    return str(_repeated(lambda: HfApi().model_info(repo_id), repo_id).sha)


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
                raise UserError(
                    f"{repo_id}: the Hub refuses ({status}). Log in with `hf auth login`, with a token that may write "
                    "there."
                ) from None
            passing = status is None or status == 429 or status >= 500
            if not passing or attempt == ATTEMPTS:
                raise UserError(f"{repo_id}: {_sentence(error)} The same command can be repeated.") from error
            asked = "" if response is None else response.headers.get("Retry-After", "")
            pause = max(pause, float(asked) if asked.isdigit() else 0.0)
        except ValueError as error:  # the card, which the Hub looks at before it takes anything
            raise UserError(f"{repo_id}: the Hub refuses the card. {_sentence(error)} Nothing was uploaded.") from None
        time.sleep(min(pause, LONGEST_PAUSE))
        pause *= 2
    raise AssertionError("the last attempt returns or raises")


def _sentence(error: Exception) -> str:
    if isinstance(error, JSONDecodeError):
        return "the Hub's answer was no JSON."
    text = one_line(error) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
