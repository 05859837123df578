"""Compute with an exported model: ONNX Runtime, `tokenizers` and NumPy, without torch and transformers."""

import functools
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from malmoi.data.notice import one_line
from malmoi.data.token_windows import Window, check_room, cut_windows
from malmoi.data.user_error import UserError
from malmoi.inference.engine import Chain, Rows, TokenScores, check_numbers
from malmoi.inference.exported_folder import CHAIN_KEY, INPUTS, TOKEN_IDS_KEY, TOKENIZER_KEY, read_exported_folder
from malmoi.inference.model_folder import TOKENIZER
from malmoi.inference.tokenizer_file import check_vocabulary

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

RUNTIME = "onnxruntime"
OF_TAGGER = ("predictions", "marginals", "emissions")
OF_CLASSIFIER = ("probabilities",)
AT_ONCE = 4
"""How many batches are in memory at the same time, however many processors there are."""
ONLY_FATAL = 4
"""The severity from which on the runtime writes to standard error: what is wrong, an exception says."""


class OnnxEngine:
    """A folder that `malmoi export` wrote.

    Args:
        folder: The folder.
        task: The task that its model must have been trained for; `None` for any.
        name: What the model is called where that is not its folder.

    Raises:
        UserError: If ONNX Runtime is not installed, or the folder is not whole; the message names the file.
    """

    def __init__(self, folder: Path, *, task: str | None = None, name: str | Path | None = None):
        check_runtime(folder if name is None else name)
        read = read_exported_folder(folder, task, name=name)
        self.folder = folder
        self._made_of = folder.absolute(), read.task, name
        self.task = read.task
        self.labels = read.labels
        self.max_length = read.max_length
        self.name_temperature = read.name_temperature
        self.class_temperature = read.class_temperature
        self._tokenizer = read.tokenizer
        self._padding = read.padding
        self.cuts_beginning = read.cuts_beginning
        self._graph = read.graph
        self._session = _start_session(read.graph)
        self._outputs = OF_CLASSIFIER if read.task == "sentence-classification" else OF_TAGGER
        try:
            self._check_session()
            self._check_tokenizer(read.hash_of_tokenizer)
        except UnicodeDecodeError as error:  # the runtime gives names as they stand in the file
            raise UserError(f"{read.graph}: the file is damaged: a name in it is no UTF-8.") from error
        self._chain = _read_chain(self._session, read.graph, len(self.labels))

    def __reduce__(self) -> tuple[Callable[[], "OnnxEngine"], tuple[()]]:
        """Return what makes a copy, also in another process: no session can be copied, so the folder is read again."""
        folder, task, name = self._made_of
        return functools.partial(OnnxEngine, folder, task=task, name=name), ()

    def chain(self) -> Chain | None:
        """Return the scores of its CRF; `None` if it has none."""
        return self._chain

    def windows(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return the windows in which it reads each text."""
        check_room(self.max_length, self._tokenizer.num_special_tokens_to_add(False))
        return [
            cut_windows(text, encoding.ids, encoding.offsets, encoding, max_length=self.max_length)
            for text, encoding in zip(texts, self._tokenizer.encode_batch(list(texts)), strict=True)
        ]

    def rows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        """Return the tokens of each text up to the longest that it reads, and whether the others had to be cut off."""
        limit = self.max_length
        rows: list[list[int]] = []
        cut: list[bool] = []
        for encoding in self._tokenizer.encode_batch(list(texts)):
            row: list[int] = encoding.ids
            cut.append(limit is not None and len(row) > limit)
            if limit is not None and len(row) > limit:
                special = encoding.special_tokens_mask
                before, after = special.index(0), special[::-1].index(0)
                room = max(0, limit - before - after)
                end = len(row) - after
                start = end - room if self.cuts_beginning else before
                row = [*row[:before], *row[start : start + room], *row[end:]]
            rows.append(row)
        return rows, cut

    def score_tokens(self, batches: Sequence[Rows]) -> list[TokenScores]:
        """Return what a tagger says of each batch."""
        found = [TokenScores(*outputs) for outputs in self._answer(batches)]
        for scores, batch in zip(found, batches):
            check_numbers(of_row[: len(row)] for of_row, row in zip(scores.probabilities, batch))
        return found

    def score_classes(self, batches: Sequence[Rows]) -> list[NDArray[np.float32]]:
        """Return the probability of every class for each row of each batch, `(batch, classes)`."""
        found = [probabilities for (probabilities,) in self._answer(batches)]
        check_numbers(found)
        return found

    def _answer(self, batches: Sequence[Rows]) -> list[list[NDArray[Any]]]:
        """Return the outputs of the graph for each batch.

        One run uses one thread: the steps of an LSTM are too small to be shared among several. So batches are answered
        side by side.
        """
        at_once = min(processors(), len(batches), AT_ONCE)
        if at_once < 2:
            return [self._run(batch) for batch in batches]
        return list(_pool(at_once, os.getpid()).map(self._run, batches))

    def _run(self, batch: Rows) -> list[NDArray[Any]]:
        lengths = np.array([len(row) for row in batch])
        mask = np.arange(lengths[-1]) < lengths[:, None]
        input_ids = np.full(mask.shape, self._padding, dtype=np.int64)
        input_ids[mask] = np.concatenate([np.array(row, dtype=np.int64) for row in batch])
        try:
            outputs: list[NDArray[Any]] = self._session.run(
                self._outputs, {"input_ids": input_ids, "attention_mask": mask.astype(np.int64)}
            )
        except Exception as error:  # the runtime raises nothing more special
            raise UserError(f"{self._graph}: it cannot take tokens of tokenizer.json ({_said(error)}).") from error
        return outputs

    def _check_session(self) -> None:
        """Check that a graph has the inputs and outputs of its task, and as many labels as are named."""
        inputs = [each.name for each in self._session.get_inputs()]
        shapes = {each.name: each.shape for each in self._session.get_outputs()}
        if sorted(inputs) != sorted(INPUTS) or not set(self._outputs) <= set(shapes):
            raise UserError(
                f"{self._graph}: expected a graph from {' and '.join(INPUTS)} to {', '.join(self._outputs)}, got one "
                f"from {' and '.join(inputs)} to {', '.join(shapes)}."
            )
        count = shapes[self._outputs[-1]][-1]
        if isinstance(count, int) and count != len(self.labels):
            raise UserError(
                f"{self.folder / 'config.json'}: it names {len(self.labels)} labels, but the graph has {count}."
            )

    def _check_tokenizer(self, found: str) -> None:
        """Check that the tokenizer of the folder is the one that the graph is for.

        Graphs of the first versions do not say it.
        """
        metadata = self._session.get_modelmeta().custom_metadata_map
        path = self.folder / TOKENIZER
        expected, known = metadata.get(TOKENIZER_KEY), metadata.get(TOKEN_IDS_KEY)
        if expected == found:
            return  # and so has as many tokens, which would take time to look at
        if known is not None:
            if not known.isdecimal() or len(known) > 20:
                raise UserError(f"{self._graph}: the number of tokens that it knows is damaged.")
            check_vocabulary(path, self._tokenizer.get_vocab(), int(known))
        if expected is not None:
            raise UserError(f"{path}: it is not the tokenizer that the graph was written with; export the model anew.")


def check_runtime(model: str | Path) -> None:
    """Check that ONNX Runtime is installed.

    Args:
        model: The model that needs it.

    Raises:
        UserError: If not.
    """
    if find_spec(RUNTIME) is None:
        raise UserError(f"{model}: an exported model needs ONNX Runtime; install it by pip install 'malmoi[onnx]'.")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _pool(workers: int, process: int) -> ThreadPoolExecutor:
    """Return threads that answer.

    Args:
        workers: How many.
        process: The process that they belong to; in a forked one they would be missing.
    """
    return ThreadPoolExecutor(workers, thread_name_prefix="answers")


def _start_session(graph: Path) -> "InferenceSession":
    """Make a graph ready to run on the CPU.

    Raises:
        UserError: If it is damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ONLY_FATAL
    # the runtime would keep what the longest texts took, and a plan for each of the many shapes of texts
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises nothing more special
        raise UserError(f"{graph}: the file is damaged, or no graph that can be run ({_said(error)}).") from error


def _read_chain(session: "InferenceSession", graph: Path, labels: int) -> Chain | None:
    """Return the scores of the CRF that the metadata of a graph hold; `None` if they hold none.

    Raises:
        UserError: If they are damaged or do not fit the labels.
    """
    written = session.get_modelmeta().custom_metadata_map.get(CHAIN_KEY)
    if written is None:
        return None
    try:
        scores = json.loads(written)
        # None becomes NaN
        parts = (np.array(scores[name], dtype=np.float64) for name in Chain._fields)
        chain = Chain(*(np.where(np.isnan(part), -np.inf, part) for part in parts))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{graph}: the scores of its CRF are damaged ({_said(error)}).") from None
    if [part.shape for part in chain] != [(labels,), (labels, labels), (labels,)]:
        raise UserError(f"{graph}: the scores of its CRF are for {chain.start.size} labels, not for {labels}.")
    return chain


def _said(error: Exception) -> str:
    return one_line(error, length=300).removesuffix(".")
