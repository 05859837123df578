"""Datasets on a Hub, which `datasets` itself fetches: configurations, revisions, and what is not there."""

from collections.abc import Iterator

import pytest
from datasets import Dataset
from support.local_hub import LocalHub
from support.local_hub_client import HubClient

CARD = b"""---
configs:
- config_name: ner
  data_files: [{split: train, path: names.parquet}]
- config_name: other
  data_files: [{split: train, path: names.parquet}]
---
"""
READ = """
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.user_error import UserError
try:
    splits = read_dataset(None, task="named-entities", dataset=sys.argv[1])
    print(*(f"{split}: {rows['text'][0]}" for split, rows in splits.items()))
except UserError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    folder = tmp_path_factory.mktemp("hub")
    rows = Dataset.from_dict({"tokens": [["서울에", "갔다"]] * 3, "ner_tags": [["B-LC", "O"]] * 3})
    rows.to_parquet(folder / "names.parquet")
    data = (folder / "names.parquet").read_bytes()
    with LocalHub() as hub:
        hub.storage.create("user/names", "datasets", private=False, files={"names.parquet": data, "README.md": CARD})
        hub.storage.create("user/script", "datasets", private=False, files={"script.py": b"import datasets\n"})
        yield HubClient(hub, folder / "home", missing=())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("user/names:ner", "train: 서울에 갔다"),
        ("user/names@main:other", "train: 서울에 갔다"),
        (
            "user/names",
            "user/names: say which of its configurations is meant, as in user/names:ner; it has ner, other.",
        ),
        (
            "user/names:ynat",
            "user/names:ynat: say which of its configurations is meant, as in user/names:ner; it has ner, other.",
        ),
        (
            "user/names@v2:ner",
            "user/names@v2:ner: there is neither a file or folder of this name nor a dataset on the Hub that you may "
            "read (revision v2); for a private or gated one log in by `hf auth login`.",
        ),
        (
            "user/nothing",
            "user/nothing: there is neither a file or folder of this name nor a dataset on the Hub that you may read; "
            "for a private or gated one log in by `hf auth login`.",
        ),
        (
            "user/script",
            "user/script is a script, which is not run; many such datasets have a copy without one: "
            "user/script@refs/convert/parquet.",
        ),
    ],
)
def test_a_dataset_is_fetched_from_the_hub_or_it_is_told_why_not(client: HubClient, name: str, said: str) -> None:
    assert client.run(READ, name) == [said]
