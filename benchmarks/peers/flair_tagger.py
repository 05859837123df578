"""flair's BiLSTM-CRF, which runs in an environment and in a process of its own and takes turns with ours.

flair (https://github.com/flairNLP/flair) needs an older transformers than ours. So the sentences go to a worker there,
which trains or tags when it is told to, and takes the time itself: what goes through the pipe is not in the times.
"""

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

from datasets import Dataset

from malmoi.benchmarks.measurement import Elapsed
from malmoi.data.alignment import tags_to_spans
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError

PYTHON = Path(".venv-flair/bin/python")
"""The Python of flair's environment, seen from the root of the project."""
WORKER = Path(__file__).with_name("flair_worker.py")
HOW_TO_GET_IT = "flair was left out: it needs an environment of its own, `make .venv-flair/installed`."
EMBEDDING_SIZE = 128
HIDDEN_SIZE = 128
"""That of one direction, as flair counts; ours counts both together."""
BATCH_SIZE = 32


class FlairSentence(TypedDict):
    """A sentence as the worker takes it: a token for every character, names as `[start, end, type]` of tokens."""

    tokens: list[str]
    names: list[list[Any]]


class FlairError(UserError):
    """The worker could not do what it was told."""


def flair_sentences(dataset: Dataset) -> list[FlairSentence]:
    """Return tagged sentences as the worker takes them: a token for every character, spaces included."""
    labels = label_names(dataset)
    return [
        {
            "tokens": list(row["text"]),
            "names": [list(span) for span in tags_to_spans([labels[tag] for tag in row["tags"]])],
        }
        for row in dataset
    ]


class FlairTagger:
    """A tagger of flair in a process of its own, which ends with the `with` block.

    Args:
        sentences: What is trained on and tagged.
        threads: How many threads torch may use there.
        python: The Python of an environment with flair.
        worker: The file that it runs.

    Raises:
        FlairError: If the worker does not start.
    """

    def __init__(
        self,
        sentences: Sequence[FlairSentence],
        *,
        threads: int,
        embedding_size: int = EMBEDDING_SIZE,
        hidden_size: int = HIDDEN_SIZE,
        python: Path = PYTHON,
        worker: Path = WORKER,
    ):
        # isolated: what lies beside the worker would hide modules of other packages
        self.python = python
        command = [str(python), "-I", str(worker)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        load = {
            "do": "load",
            "labels": sorted({name[2] for sentence in sentences for name in sentence["names"]}),
            "sentences": list(sentences),
            "embedding_size": embedding_size,
            "hidden_size": hidden_size,
            "batch_size": BATCH_SIZE,
            "threads": threads,
        }
        try:
            self.description = self._ask(**load)
            """Versions and number of parameters."""
        except FlairError:
            self.close()
            raise

    def __enter__(self) -> "FlairTagger":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # what it did not read any more
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def train(self) -> Elapsed:
        """Train on every sentence once."""
        return Elapsed(self._ask(do="train")["seconds"])

    def tag(self, numbers: Sequence[int], *, batch_size: int = BATCH_SIZE) -> Elapsed:
        """Tag the sentences with these numbers, from tokens to names."""
        return Elapsed(self._ask(do="tag", numbers=list(numbers), batch_size=batch_size)["seconds"])

    def names(self, numbers: Sequence[int]) -> list[list[list[Any]]]:
        """Return the names in the sentences with these numbers, as `[start, end, type]` of characters."""
        return list(self._ask(do="tag", numbers=list(numbers), batch_size=BATCH_SIZE)["names"])

    def _ask(self, **request: object) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request, ensure_ascii=False) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise FlairError(f"flair ended with status {self.process.wait()}: is it installed for {self.python}?")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise FlairError(f"flair: {answer['error']}")
        return answer
