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
from malmoi.export.constants import array_of, ints, number, weight
from malmoi.export.crf import ChainScores, decode
from malmoi.export.embeddings import embed
from malmoi.export.lexicon import look_up
from malmoi.export.lstm import run_lstm
from malmoi.export.pooling import pool
from malmoi.modeling.bilstm import BiLstmPreTrainedModel
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL
from malmoi.modeling.modeling_bilstm import BiLstmForSequenceClassification
from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification

INPUTS = ("input_ids", "attention_mask")
CHAIN_KEY = "malmoi_chain"
VERSION_KEY = "malmoi_version"
IR_VERSION = 9
"""Of the file, as old as the operators allow, so that old runtimes read it."""


def build_graph(model: PreTrainedModel) -> onnx.ModelProto:
    """Return the graph of a model in evaluation mode.

    It takes `input_ids` and `attention_mask`, int64, `(batch, length)`, with padding on the right. That of a tagger
    gives `predictions`, int64, `(batch, length)`, -100 where a token carries no tag, and `marginals` and `emissions`,
    float32, `(batch, length, labels)`; that of a classifier `probabilities`, float32, `(batch, classes)`.

    Raises:
        UserError: If there is no graph for such a model.
    """
    with warnings.catch_warnings():
        # that it does not know the shape of what a loop carries
        warnings.filterwarnings("ignore", "Output type for variable .* was not concrete")
        return _build(model)


def _build(model: PreTrainedModel) -> onnx.ModelProto:
    inputs = {name: spox.argument(spox.Tensor(np.int64, ("batch", "length"))) for name in INPUTS}
    metadata = {VERSION_KEY: version("malmoi")}
    if isinstance(model, BiLstmCrfForTokenClassification):
        chain = ChainScores.of(model.crf)
        metadata[CHAIN_KEY] = _as_json(chain)
        outputs = _tag(model, chain, **inputs)
    elif isinstance(model, BiLstmForSequenceClassification):
        outputs = _classify(model, **inputs)
    else:
        raise UserError(f"`malmoi export` knows no graph for {type(model).__name__}: only BiLSTM models have one.")
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


def _tag(
    model: BiLstmCrfForTokenClassification, chain: ChainScores, input_ids: Var, attention_mask: Var
) -> dict[str, Var]:
    ids, mask = _by_position(input_ids, attention_mask)
    emissions = _linear(model.classifier, _hidden_states(model, input_ids, attention_mask))
    tagged = mask
    for token_id in model.config.untagged_token_ids:
        tagged = op.and_(tagged, op.not_(op.equal(ids, number(token_id))))
    tags, marginals = decode(chain, emissions, tagged)
    outside = model.config.outside_label_id()
    untagged = np.zeros(len(chain.start), dtype=np.float32)
    if outside is not None:
        untagged[outside] = 1
    marginals = op.cast(marginals, to=np.float32)
    marginals = op.where(op.unsqueeze(tagged, ints(2)), marginals, op.const(untagged))
    return {
        "predictions": op.transpose(op.where(tagged, tags, number(IGNORED_LABEL)), perm=(1, 0)),
        "marginals": op.transpose(marginals, perm=(1, 0, 2)),
        "emissions": op.transpose(emissions, perm=(1, 0, 2)),
    }


def _classify(model: BiLstmForSequenceClassification, input_ids: Var, attention_mask: Var) -> dict[str, Var]:
    hidden = _hidden_states(model, input_ids, attention_mask)
    pooled = pool(model.pooling, hidden, _by_position(input_ids, attention_mask)[1])
    return {"probabilities": op.softmax(_linear(model.classifier, pooled), axis=-1)}


def _by_position(input_ids: Var, attention_mask: Var) -> tuple[Var, Var]:
    """Return token ids, and which positions hold a token, `(length, batch)`."""
    return op.transpose(input_ids, perm=(1, 0)), op.cast(op.transpose(attention_mask, perm=(1, 0)), to=np.bool_)


def _hidden_states(model: BiLstmPreTrainedModel, input_ids: Var, attention_mask: Var) -> Var:
    """Return the states of the last layer, `(length, batch, hidden_size)`."""
    config: Any = model.config
    ids, _ = _by_position(input_ids, attention_mask)
    known = ids
    if model.lexicon is not None and config.unk_token_id is not None:
        known = op.where(op.less(ids, number(config.vocab_size)), ids, number(config.unk_token_id))
    parts = embed(model.embeddings, known)
    if model.lexicon is not None:
        features = look_up(model.lexicon, input_ids, op.cast(attention_mask, to=np.bool_))
        parts.append(op.transpose(features, perm=(1, 0, 2)))
    embedded = op.concat(parts, axis=2) if len(parts) > 1 else parts[0]
    lengths = op.cast(op.reduce_sum(attention_mask, ints(1), keepdims=0), to=np.int32)
    return run_lstm(model.lstm, embedded, lengths)


def _linear(layer: nn.Linear, inputs: Var) -> Var:
    return op.add(op.matmul(inputs, weight(array_of(layer.weight).T)), weight(array_of(layer.bias)))


def _as_json(chain: ChainScores) -> str:
    """Return the scores of a CRF as JSON, with null for minus infinity."""

    def finite(scores: Any) -> Any:
        if isinstance(scores, list):
            return [finite(score) for score in scores]
        return None if scores == -np.inf else scores

    return json.dumps({name: finite(scores.tolist()) for name, scores in chain._asdict().items()})
