"""What people write into the metadata of a card on the Hub outlives a push, such as the form of a gated repository."""

from pathlib import Path

import yaml
from huggingface_hub import HfApi
from huggingface_hub.errors import LocalEntryNotFoundError
from huggingface_hub.repocard import metadata_load, metadata_save

CARD = "README.md"
OF_CARDS = (
    *("language", "license", "license_name", "license_link", "library_name", "pipeline_tag", "tags", "datasets"),
    *("base_model", "metrics", "model-index", "widget", "models"),
)
"""What a card of ours says where it applies: if it does not say it, it applies no more."""


def keep_metadata(api: HfApi, folder: Path, repo_id: str, *, repo_type: str, revision: str | None) -> None:
    """Take over into the card of a folder what the card on the Hub says beyond ours.

    Args:
        api: The Hub.
        folder: What is to be uploaded.
        repo_id: The name on the Hub; the repository has a card.
        repo_type: `model` or `space`.
        revision: The commit.

    Raises:
        ConnectionError: If the Hub cannot be reached.
    """
    try:
        there = api.hf_hub_download(repo_id, CARD, repo_type=repo_type, revision=revision)
    except LocalEntryNotFoundError as error:  # it is there, but nobody answers
        raise ConnectionError(str(error)) from error
    try:
        found = metadata_load(there) or {}
    except (yaml.YAMLError, ValueError):  # no metadata in the eyes of the Hub either
        return
    own = metadata_load(folder / CARD) or {}
    if kept := {key: value for key, value in found.items() if key not in own and key not in OF_CARDS}:
        metadata_save(folder / CARD, own | kept)
