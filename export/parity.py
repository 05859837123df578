"""Whether a graph answers as the model from which it was made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.longest_input import longest_input
from malmoi.data.notice import one_line
from malmoi.data.user_error import UserError
from malmoi.export.constants import Array
from malmoi.inference.onnx_engine import ONLY_FATAL
from malmoi.inference.torch_engine import chain_of
from malmoi.modeling.crf_tagging import CrfTagger
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL

TOLERANCE = 1e-4
"""How far probabilities may be apart."""
BATCH_SIZE = 16


class Parity(NamedTuple):
    """How a graph answers, beside its model."""

    sentences: int
    """How many sentences were compared."""
    answers: int
    """How many tags or classes they have."""
    different: int
    """How many of these the graph gives otherwise; those that the model finds as good are not among them."""
    largest: float
    """How far the probabilities are apart, at most."""

    @property
    def holds(self) -> bool:
        """Whether the graph is the model."""
        return self.different == 0 and self.largest <= TOLERANCE


def open_graph(graph: onnx.ModelProto, *, threads: int | None = None) -> onnxruntime.InferenceSession:
    """Return what runs a graph, on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.log_severity_level = ONLY_FATAL
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run_graph(session: onnxruntime.InferenceSession, input_ids: Array, attention_mask: Array) -> dict[str, Array]:
    """Return the outputs of a graph by their names.

    Raises:
        UserError: If the graph cannot take these rows, as one that torch wrote for other sizes alone.
    """
    names = [output.name for output in session.get_outputs()]
    try:
        outputs = session.run(names, {"input_ids": input_ids, "attention_mask": attention_mask})
    except Exception as error:  # the runtime raises nothing more special
        size = "{} × {}".format(*input_ids.shape)
        raise UserError(f"The graph cannot take {size} tokens ({one_line(error, length=300)}).") from error
    return dict(zip(names, outputs))


def compare(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, graph: onnx.ModelProto, sentences: Sequence[str]
) -> Parity:
    """Compare what a graph and its model answer to sentences, in batches of neighbours.

    Args:
        model: The model, in evaluation mode on the CPU.
        tokenizer: Its tokenizer.
        graph: The graph.
        sentences: The sentences; what a model cannot take of a longer one is left out.
    """
    limit = longest_input(model.config, tokenizer)
    rows = [tokenizer(sentence, truncation=False)["input_ids"][:limit] for sentence in sentences]
    return compare_rows(model, open_graph(graph), [row for row in rows if row], padding=tokenizer.pad_token_id or 0)


def compare_rows(
    model: PreTrainedModel,
    session: onnxruntime.InferenceSession,
    rows: Iterable[Sequence[int]],
    *,
    padding: int = 0,
    batch_size: int = BATCH_SIZE,
) -> Parity:
    """Compare the answers to rows of token ids, so many at once."""
    sentences = answers = different = 0
    largest = 0.0
    for input_ids, mask in padded_batches(list(rows), padding, batch_size):
        of_graph, of_model = run_graph(session, input_ids, mask), answer(model, input_ids, mask)
        name = "probabilities" if "probabilities" in of_model else "marginals"
        inside = mask.astype(bool) if name == "marginals" else np.ones(len(mask), dtype=bool)
        apart = np.abs(of_graph[name] - of_model[name])[inside]
        largest = max(largest, float(np.nan_to_num(apart, nan=np.inf).max(initial=0)))
        sentences += len(input_ids)
        if name == "probabilities":
            answers += len(input_ids)
            different += _less_probable(of_graph[name].argmax(1), of_model[name])
        else:
            answers += int((of_model["predictions"] != IGNORED_LABEL).sum())
            different += _other_tags(model, of_graph["predictions"], of_model)
    return Parity(sentences, answers, different, largest)


def padded_batches(rows: Sequence[Sequence[int]], padding: int, batch_size: int) -> Iterator[tuple[Array, Array]]:
    """Yield token ids and masks, `(batch, length)`, of rows."""
    for begin in range(0, len(rows), batch_size):
        batch = rows[begin : begin + batch_size]
        input_ids = np.full((len(batch), max(map(len, batch))), padding, dtype=np.int64)
        mask = np.zeros_like(input_ids)
        for index, row in enumerate(batch):
            input_ids[index, : len(row)], mask[index, : len(row)] = row, 1
        yield input_ids, mask


@torch.inference_mode()
def answer(model: Any, input_ids: Array, attention_mask: Array) -> dict[str, Array]:
    """Return what a model answers, by the names of the outputs of its graph."""
    inputs = {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(attention_mask)}
    output: Mapping[str, Any] = model(**inputs, return_dict=True)
    if "predictions" in output:
        found = {name: output[name] for name in ("predictions", "marginals", "emissions")}
    else:
        scores = output["logits"].float()
        probabilities = scores.softmax(-1)
        found = {"probabilities": probabilities}
        if scores.dim() == 3:
            best = scores.argmax(-1).masked_fill(inputs["attention_mask"] == 0, IGNORED_LABEL)
            found = {"predictions": best, "marginals": probabilities, "emissions": scores}
    return {name: values.numpy() for name, values in found.items()}


def _less_probable(given: Array, probabilities: Array) -> int:
    """Return how many of the labels that are given are less probable than others, by more than rounding."""
    of_given = np.take_along_axis(probabilities, given[..., None], axis=-1)[..., 0]
    return int((of_given < probabilities.max(-1) - TOLERANCE).sum())


def _other_tags(model: Any, tags: Array, of_model: Mapping[str, Array]) -> int:
    """Return how many tags differ where the model finds its own better."""
    if ((tags == IGNORED_LABEL) != (of_model["predictions"] == IGNORED_LABEL)).any():
        return tags.size
    if not isinstance(model, CrfTagger):
        inside = tags != IGNORED_LABEL
        return _less_probable(tags[inside], of_model["marginals"][inside])
    chain, count = chain_of(model.crf), 0
    for ours, theirs, emissions in zip(tags, of_model["predictions"], of_model["emissions"]):
        if (ours != theirs).any():
            inside = theirs != IGNORED_LABEL
            scores = [chain.score(path[inside], emissions[inside]) for path in (ours, theirs)]
            count += int((ours != theirs).sum()) if scores[0] < scores[1] - TOLERANCE else 0
    return count
