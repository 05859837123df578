"""Fetch an exported model from the Hub, into the cache of huggingface_hub, without torch and transformers."""

from importlib.util import find_spec
from pathlib import Path

from malmoi.data.notice import list_names
from malmoi.data.user_error import UserError
from malmoi.inference.exported_folder import GRAPH
from malmoi.inference.loading_errors import one_sentence
from malmoi.inference.model_folder import CONFIG, TOKENIZER, TOKENIZER_CONFIG
from malmoi.inference.model_names import check_model_name

FILES = (GRAPH, CONFIG, TOKENIZER, TOKENIZER_CONFIG)
"""What is fetched: weights for PyTorch and code may lie beside it."""


def fetch_exported_folder(name: str, *, revision: str | None = None) -> Path:
    """Return the folder in the cache in which the files of an exported model lie.

    Without a connection, or with `HF_HUB_OFFLINE`, it is the one that was fetched last.

    Args:
        name: The name of the repository.
        revision: Branch, tag or commit.

    Raises:
        UserError: If there is no such repository, it holds no exported model, the Hub cannot be asked, or
            huggingface_hub is not installed.
    """
    check_model_name(name)
    if find_spec("huggingface_hub") is None:
        raise UserError(
            f"{name}: there is no such folder, and to fetch it from the Hub, huggingface_hub must be installed: "
            "pip install huggingface_hub."
        )
    with one_sentence(name) as out_of_reach:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        try:
            folder = snapshot_download(
                name, revision=revision, allow_patterns=list(FILES), local_files_only=out_of_reach
            )
        except RepositoryNotFoundError as error:
            raise OSError(
                "there is no repository of this name, or it is a private one and HF_TOKEN gives no access to it"
            ) from error
        except RevisionNotFoundError as error:
            raise OSError(f"it has no branch, tag or commit {revision}") from error
        missing = [file for file in FILES if not (Path(folder) / file).is_file()]
        if missing and out_of_reach:
            raise FileNotFoundError(missing[0])
    if missing:
        raise UserError(
            f"{name}: expected the repository of an exported model, but it has no {list_names(missing)}; what "
            "`malmoi export` writes can be uploaded as it is."
        )
    return Path(folder)
