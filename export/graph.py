"""The ONNX graph of a model: token ids in, tags and probabilities out."""

import json
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v18 as op
from spox import Var
from torch import nn
from transformers import PreTrainedModel

from malmoi.data.user_error import UserError
from malmoi.export.constants import array_of, ints, number, size, weight
from malmoi.export.crf import decode
from malmoi.export.embeddings import embed
from malmoi.export.encoders import encode
from malmoi.export.lexicon import look_up
from malmoi.export.lstm import run_lstm
from malmoi.export.pooling import pool
from malmoi.inference.engine import Chain
from malmoi.inference.exported_folder import CHAIN_KEY, INPUTS, TOKEN_IDS_KEY, TOKENIZER_KEY
from malmoi.inference.tokenizer_file import hash_of_tokenizer
from malmoi.inference.tokenizer_loading import known_token_ids
from malmoi.inference.torch_engine import chain_of
from malmoi.modeling.bilstm import BiLstmPreTrainedModel
from malmoi.modeling.crf_tagging import CrfTagger
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL
from malmoi.modeling.modeling_bilstm import BiLstmForSequenceClassification
from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification, WindowClassifier

TASKS = ("ForTokenClassification", "ForSequenceClassification")
VERSION_KEY = "malmoi_version"
LARGEST = 2_000_000_000
"""How many bytes the weights may have: a file of ONNX ends at 2 GiB."""
IR_VERSION = 9
"""Of the file, as old as the operators allow, so that old runtimes read it."""


def build_graph(model: PreTrainedModel, *, longest: int | None = None) -> onnx.ModelProto:
    """Return the graph of a model in evaluation mode.

    It takes `input_ids` and `attention_mask`, int64, `(batch, length)`, with padding on the right. That of a tagger
    gives `predictions`, int64, `(batch, length)`, -100 where a token carries no tag, and `marginals` and `emissions`,
    float32, `(batch, length, labels)`; that of a classifier `probabilities`, float32, `(batch, classes)`.

    Args:
        model: The model, in float32 on the CPU.
        longest: How many tokens it can take, if there is a limit.

    Raises:
        UserError: If there is no graph for such a model.
    """
    if not type(model).__name__.endswith(TASKS):
        raise UserError(f"{type(model).__name__} gives neither tags nor classes: there is no graph for it.")
    if (size_of_weights := sum(4 * weight.numel() for weight in model.parameters())) > LARGEST:
        raise UserError(
            f"A graph holds weights of {LARGEST:,} bytes at most; those of this model are {size_of_weights:,}."
        )
    with warnings.catch_warnings():
        # that it does not know the shape of what a loop carries
        warnings.filterwarnings("ignore", "Output type for variable .* was not concrete")
        return _build(model, longest)


def tie_to_tokenizer(graph: onnx.ModelProto, content: bytes) -> None:
    """Write into a graph which tokenizer it is for, so that no other one is used with it.

    Args:
        graph: The graph.
        content: What the file of the tokenizer holds.
    """
    graph.metadata_props.add(key=TOKENIZER_KEY, value=hash_of_tokenizer(content))


def _build(model: PreTrainedModel, longest: int | None) -> onnx.ModelProto:
    inputs = {name: spox.argument(spox.Tensor(np.int64, ("batch", "length"))) for name in INPUTS}
    metadata = {VERSION_KEY: version("malmoi"), TOKEN_IDS_KEY: str(known_token_ids(model))}
    architecture = type(model).__name__
    if isinstance(model, BiLstmPreTrainedModel):
        scores = _lstm_scores(model, **inputs)
    else:
        scores = encode(model, **inputs, longest=longest)
    if isinstance(model, CrfTagger):
        chain = chain_of(model.crf)
        metadata[CHAIN_KEY] = _as_json(chain)
        outputs = _tag(model, chain, scores, **inputs)
    elif architecture.endswith("ForTokenClassification"):
        outputs = _tag_tokens(scores, **inputs)
    else:
        outputs = {"probabilities": op.softmax(scores, axis=-1)}
    graph = spox.build(inputs, outputs)
    for node in [node for node in graph.graph.node if node.op_type == "Constant"]:
        # as initializers, which tools that quantize look for
        tensor = next(attribute.t for attribute in node.attribute if attribute.name == "value")
        tensor.name = node.output[0]
        graph.graph.initializer.append(tensor)
        graph.graph.node.remove(node)
    graph.ir_version = IR_VERSION
    graph.producer_name = "malmoi"
    onnx.helper.set_model_props(graph, metadata)
    return graph


def _lstm_scores(model: BiLstmPreTrainedModel, input_ids: Var, attention_mask: Var) -> Var:
    """Return the score of every label of each token, `(batch, length, labels)`, or of each text, `(batch, labels)`."""
    hidden = _hidden_states(model, input_ids, attention_mask)
    if isinstance(model, BiLstmForSequenceClassification):
        return _linear(model.classifier, pool(model.pooling, hidden, _by_position(_is_token(attention_mask))))
    assert isinstance(model, BiLstmCrfForTokenClassification)
    scores = _linear(model.classifier, hidden)
    if model.window_classifier is not None:
        tokens = _by_position(_is_token(attention_mask))
        scores = op.add(scores, _window_scores(model.window_classifier, hidden, tokens))
    return op.transpose(scores, perm=(1, 0, 2))


def _window_scores(layers: WindowClassifier, states: Var, tokens: Var) -> Var:
    """Return the scores of a hidden layer over neighbours for states, `(length, batch, hidden_size)`."""
    around, length = layers.window // 2, size(states, 0)
    given = op.where(op.unsqueeze(tokens, ints(2)), _linear(layers.hidden, states), op.const(np.float32(0)))
    given = op.pad(given, ints(around, 0, 0, around, 0, 0))
    parts = enumerate(op.split(given, num_outputs=layers.window, axis=2))
    near = [op.slice(each, ints(shift), op.add(length, ints(shift)), ints(0)) for shift, each in parts]
    return _linear(layers.output, op.relu(op.sum(near)))


def _tag(model: Any, chain: Chain, emissions: Var, input_ids: Var, attention_mask: Var) -> dict[str, Var]:
    """Return the outputs of a tagger with a CRF."""
    tagged = _is_token(attention_mask)
    for token_id in model.config.untagged_token_ids:
        tagged = op.and_(tagged, op.not_(op.equal(input_ids, number(token_id))))
    tags, marginals = decode(chain, op.transpose(emissions, perm=(1, 0, 2)), _by_position(tagged))
    outside = model.config.outside_label_id()
    untagged = np.zeros(len(chain.start), dtype=np.float32)
    if outside is not None:
        untagged[outside] = 1
    marginals = op.cast(op.transpose(marginals, perm=(1, 0, 2)), to=np.float32)
    return {
        "predictions": op.where(tagged, op.transpose(tags, perm=(1, 0)), number(IGNORED_LABEL)),
        "marginals": op.where(op.unsqueeze(tagged, ints(2)), marginals, op.const(untagged)),
        "emissions": emissions,
    }


def _tag_tokens(scores: Var, input_ids: Var, attention_mask: Var) -> dict[str, Var]:
    """Return the outputs of a tagger without a CRF, which gives each token its own best label."""
    best = op.arg_max(scores, axis=2, keepdims=0)
    return {
        "predictions": op.where(_is_token(attention_mask), best, number(IGNORED_LABEL)),
        "marginals": op.softmax(scores, axis=2),
        "emissions": scores,
    }


def _is_token(attention_mask: Var) -> Var:
    return op.cast(attention_mask, to=np.bool_)


def _by_position(values: Var) -> Var:
    """Return values of `(batch, length)` as `(length, batch)`, which an LSTM reads."""
    return op.transpose(values, perm=(1, 0))


def _hidden_states(model: BiLstmPreTrainedModel, input_ids: Var, attention_mask: Var) -> Var:
    """Return the states of the last layer, `(length, batch, hidden_size)`."""
    config: Any = model.config
    known = _by_position(input_ids)
    if model.lexicon is not None and config.unk_token_id is not None:
        known = op.where(op.less(known, number(config.vocab_size)), known, number(config.unk_token_id))
    parts = embed(model.embeddings, known)
    if model.lexicon is not None:
        features = look_up(model.lexicon, input_ids, _is_token(attention_mask))
        parts.append(op.transpose(features, perm=(1, 0, 2)))
    embedded = op.concat(parts, axis=2) if len(parts) > 1 else parts[0]
    lengths = op.cast(op.reduce_sum(attention_mask, ints(1), keepdims=0), to=np.int32)
    return run_lstm(model.lstm, embedded, lengths)


def _linear(layer: nn.Linear, inputs: Var) -> Var:
    # as they are saved, so that a graph beside them need not hold them, too; the runtime turns them round once
    turned = op.transpose(weight(array_of(layer.weight)), perm=(1, 0))
    return op.add(op.matmul(inputs, turned), weight(array_of(layer.bias)))


def _as_json(chain: Chain) -> str:
    """Return the scores of a CRF as JSON, with null for minus infinity."""

    def finite(scores: Any) -> Any:
        if isinstance(scores, list):
            return [finite(score) for score in scores]
        return None if scores == -np.inf else scores

    return json.dumps({name: finite(scores.tolist()) for name, scores in chain._asdict().items()})
