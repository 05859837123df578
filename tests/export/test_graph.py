"""The graph of a model answers as the model does, whatever it is asked."""

import itertools
import json
import logging
import random

import numpy as np
import onnx
import pytest
import torch
from support.random_sentences import random_sentences
from support.tiny_graphs import KINDS, VOCABULARY, tagger
from transformers import PreTrainedModel

from malmoi.data.user_error import UserError
from malmoi.export import graph as graph_module
from malmoi.export.graph import VERSION_KEY, build_graph
from malmoi.export.int8 import quantize
from malmoi.export.parity import TOLERANCE, answer, compare, compare_rows, open_graph, padded_batches, run_graph
from malmoi.inference.exported_folder import CHAIN_KEY
from malmoi.inference.loading import load_model
from malmoi.modeling import BiLstmConfig, BiLstmModel
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[PreTrainedModel, onnx.ModelProto]:
    """A model of each kind, and its graph."""
    model = KINDS[request.param]()
    return model, build_graph(model)


def rows(count: int, *, longest: int = 40, highest: int = VOCABULARY, shortest: int = 1) -> list[list[int]]:
    """Return random rows of tokens; some are of one token."""
    draw = random.Random(1)
    lengths = [draw.choice([shortest, draw.randint(shortest, longest)]) for _ in range(count)]
    return [[draw.randrange(2, highest) for _ in range(length)] for length in lengths]


def test_a_thousand_rows_get_the_same_answers(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    model, graph = kind
    highest = VOCABULARY + 12 if getattr(model, "lexicon", None) is not None else VOCABULARY
    parity = compare_rows(model, open_graph(graph), rows(1000, highest=highest), batch_size=32)
    assert parity.sentences == 1000
    assert parity.holds, parity


def test_emissions_are_those_of_the_model() -> None:
    model = tagger()
    session = open_graph(build_graph(model))
    for input_ids, mask in padded_batches(rows(64), 0, 16):
        expected = answer(model, input_ids, mask)["emissions"]
        found = run_graph(session, input_ids, mask)["emissions"]
        assert found.dtype == np.float32
        assert np.abs(found - expected)[mask == 1].max() < TOLERANCE


def test_a_row_of_padding_alone_is_no_text(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    model, graph = kind
    input_ids, mask = np.array([[5, 6, 7], [0, 0, 0]]), np.array([[1, 1, 1], [0, 0, 0]])
    found, expected = run_graph(open_graph(graph), input_ids, mask), answer(model, input_ids, mask)
    if "predictions" in found:
        assert found["predictions"][1].tolist() == [IGNORED_LABEL] * 3
        assert found["predictions"][0].tolist() == expected["predictions"][0].tolist()
        assert np.allclose(found["marginals"], expected["marginals"], atol=TOLERANCE)
    else:
        assert np.allclose(found["probabilities"], expected["probabilities"], atol=TOLERANCE)


def test_texts_without_a_token_have_an_answer_of_that_length(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    nothing = np.zeros((2, 0), dtype=np.int64)
    for name, values in run_graph(open_graph(kind[1]), nothing, nothing).items():
        assert values.shape[: 1 if name == "probabilities" else 2] == ((2,) if name == "probabilities" else (2, 0))


def test_padding_changes_nothing(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    session = open_graph(kind[1])
    input_ids = np.array([[7, 8, 9, 20, 21]])
    alone = run_graph(session, input_ids, np.ones_like(input_ids))
    wide = np.pad(input_ids, ((0, 2), (0, 40)), constant_values=0)
    padded = run_graph(session, wide, np.pad(np.ones_like(input_ids), ((0, 2), (0, 40))))
    for name, values in alone.items():
        found = padded[name][:1, :5] if name != "probabilities" else padded[name][:1]
        assert np.allclose(found, values, atol=1e-5), name


def test_a_text_of_5000_tokens_is_exact() -> None:
    model = tagger(untagged_token_ids=[0, 3])
    parity = compare_rows(model, open_graph(build_graph(model)), rows(1, shortest=5000, longest=5000))
    assert parity.answers > 4000
    assert parity.holds, parity


def test_no_forbidden_step_is_taken() -> None:
    model = tagger()
    with torch.no_grad():
        model.crf.transitions.zero_()
        model.crf.start_transitions.zero_()
        model.classifier.weight.zero_()
        # I-LC is best everywhere, and may stand nowhere but after B-LC and I-LC
        model.classifier.bias.copy_(torch.tensor([0.0, 0.0, -50.0, 5.0, 0.0]))
    session = open_graph(build_graph(model))
    starts, steps = model.config.constraints()
    for input_ids, mask in padded_batches(rows(200), 0, 32):
        found = run_graph(session, input_ids, mask)
        for row, length in zip(found["predictions"], mask.sum(1)):
            tags = row[:length].tolist()
            assert not starts[tags[0]]
            assert not any(steps[before][after] for before, after in itertools.pairwise(tags))
        assert found["marginals"][:, 0, np.flatnonzero(starts)].max() == 0


def test_scores_far_apart_give_numbers() -> None:
    model = tagger()
    with torch.no_grad():
        model.classifier.weight.mul_(1e4)
    input_ids = np.array(rows(1, shortest=300, longest=300))
    found = run_graph(open_graph(build_graph(model)), input_ids, np.ones_like(input_ids))
    assert np.isfinite(found["marginals"]).all()
    expected = answer(model, input_ids, np.ones_like(input_ids))
    assert (found["predictions"] == expected["predictions"]).all()


def test_the_graph_keeps_the_contract(kind: tuple[PreTrainedModel, onnx.ModelProto]) -> None:
    model, graph = kind
    onnx.checker.check_model(graph, full_check=True)
    assert [(entry.domain, entry.version <= 20) for entry in graph.opset_import] == [("", True)]
    session = open_graph(graph)
    assert [(each.name, each.type, each.shape) for each in session.get_inputs()] == [
        ("input_ids", "tensor(int64)", ["batch", "length"]),
        ("attention_mask", "tensor(int64)", ["batch", "length"]),
    ]
    types = {each.name: each.type for each in session.get_outputs()}
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata[VERSION_KEY]
    if hasattr(model, "crf"):
        assert types == {
            "predictions": "tensor(int64)",
            "marginals": "tensor(float)",
            "emissions": "tensor(float)",
        }
        chain = json.loads(metadata[CHAIN_KEY])
        starts, steps = model.config.constraints()
        assert [score is None for score in chain["start"]] == list(starts)
        assert [[score is None for score in row] for row in chain["transitions"]] == [*map(list, steps)]
        assert chain["end"] == pytest.approx(model.crf.end_transitions.tolist())
    else:
        assert types == {"probabilities": "tensor(float)"}
        assert CHAIN_KEY not in metadata


def test_weights_that_float16_holds_are_stored_in_it() -> None:
    model = tagger()
    whole = build_graph(model).ByteSize()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    graph = build_graph(model)
    assert graph.ByteSize() < whole
    assert compare_rows(model, open_graph(graph), rows(50)).holds


def test_8_bits_are_smaller_and_nearly_the_same() -> None:
    model = tagger(embedding_size=32, hidden_size=64)
    graph = build_graph(model)
    small = quantize(graph)
    assert [node.op_type for node in small.graph.node if "LSTM" in node.op_type] == ["DynamicQuantizeLSTM"]
    assert small.ByteSize() < 0.75 * graph.ByteSize()
    assert [each.key for each in small.metadata_props] == [each.key for each in graph.metadata_props]
    parity = compare_rows(model, open_graph(small), rows(100))
    assert not parity.holds
    assert parity.different < 0.1 * parity.answers


def test_8_bits_leave_what_a_program_has_switched_off_of_logging() -> None:
    graph = build_graph(tagger())
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        quantize(graph)
        assert logging.root.manager.disable == logging.ERROR
    finally:
        logging.disable(before)


def test_8_bits_are_for_an_lstm() -> None:
    graph = build_graph(tagger())
    del graph.graph.node[:]
    with pytest.raises(UserError, match="--int8 is for models with an LSTM"):
        quantize(graph)


def test_what_answers_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="BiLstmModel gives neither tags nor classes"):
        build_graph(BiLstmModel(BiLstmConfig(vocab_size=10, embedding_size=4, hidden_size=4)))


def test_what_is_too_large_for_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "LARGEST", 100)
    with pytest.raises(UserError, match="A graph holds weights of 100 bytes at most; those of this model are"):
        build_graph(tagger())


def test_a_graph_of_other_weights_is_found_out() -> None:
    model, other = tagger(), tagger()
    graph = build_graph(model)
    assert compare_rows(other, open_graph(graph), rows(10)).holds
    with torch.no_grad():
        other.classifier.bias[0] += 0.1
    assert not compare_rows(other, open_graph(graph), rows(10)).holds


@pytest.mark.slow
@pytest.mark.parametrize("task", ["named-entities", "word-spacing", "sentence-classification"])
def test_models_of_the_package_answer_a_thousand_random_sentences_the_same(task: str) -> None:
    loaded = load_model(f"bundled:{task}", task)
    parity = compare(loaded.model, loaded.tokenizer, build_graph(loaded.model), random_sentences(1000))
    assert parity.sentences > 700
    assert parity.holds, parity
