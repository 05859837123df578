"""Graphs of encoders, with and without a CRF."""

import logging
import random

import onnx
import pytest
import torch
from support.saved_models import build
from support.tiny_models import bert_tokenizer, tiny_bert_classifier, tiny_bert_tagger
from transformers import PreTrainedModel

from malmoi.data.longest_input import longest_input
from malmoi.data.user_error import UserError
from malmoi.export.graph import build_graph
from malmoi.export.parity import compare_rows, open_graph
from malmoi.inference.exported_folder import CHAIN_KEY

LABELS = ["B-PS", "I-PS", "O"]
KINDS = ("tagger", "classifier", "tagger with a CRF")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[PreTrainedModel, onnx.ModelProto]:
    """A model, and its graph."""
    tokenizer = bert_tokenizer()
    if request.param == "tagger":
        model: PreTrainedModel = tiny_bert_tagger(tokenizer, LABELS)
    elif request.param == "classifier":
        model = tiny_bert_classifier(tokenizer)
    else:
        model = build("encoder_crf", len(tokenizer)).eval()
        model.config.untagged_token_ids = [2, 3]
    return model, build_graph(model, longest=longest_input(model.config, tokenizer))


def test_a_thousand_rows_get_the_same_answers(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    model, graph = kind
    draw = random.Random(0)
    rows = [[2, *draw.choices(range(5, 30), k=draw.choice([0, 1, draw.randint(1, 13)])), 3] for _ in range(1000)]
    parity = compare_rows(model, open_graph(graph), rows, batch_size=32)
    assert parity.sentences == 1000
    assert parity.holds, parity
    assert compare_rows(model, open_graph(graph), [[2], [5]], batch_size=1).holds


def test_torch_says_nothing_of_itself(capfd: pytest.CaptureFixture[str]) -> None:
    disabled = logging.root.manager.disable
    build_graph(tiny_bert_tagger(bert_tokenizer(), LABELS))
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == disabled


def test_rows_that_a_graph_cannot_take_are_told_by_their_size(
    kind: tuple[PreTrainedModel, onnx.ModelProto], capfd: pytest.CaptureFixture[str]
) -> None:
    model, graph = kind
    with pytest.raises(UserError, match=r"^The graph cannot take 1 × 3 tokens \(.*INVALID_ARGUMENT"):
        compare_rows(model, open_graph(graph), [[2, 10_000, 3]])
    assert capfd.readouterr() == ("", "")


def test_only_a_crf_has_a_chain(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    model, graph = kind
    keys = {each.key for each in graph.metadata_props}
    assert (CHAIN_KEY in keys) == hasattr(model, "crf")
    onnx.checker.check_model(graph)
    assert max(each.version for each in graph.opset_import if each.domain == "") <= 20


def test_a_graph_of_other_weights_is_found_out(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    model, graph = kind
    with torch.no_grad():
        model.classifier.bias[0] += 1
    try:
        assert not compare_rows(model, open_graph(graph), [[2, 5, 6, 7, 3]]).holds
    finally:
        with torch.no_grad():
            model.classifier.bias[0] -= 1
