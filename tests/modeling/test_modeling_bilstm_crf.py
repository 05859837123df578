import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification, PreTrainedTokenizerFast

from malmoi.data.token_features import untagged_token_ids
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification

MakeModel = Callable[..., BiLstmCrfForTokenClassification]
MakeConfig = Callable[..., BiLstmCrfConfig]

OUTSIDE = 4


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    input_ids = torch.tensor([[5, 6, 7, 8, 9], [9, 5, 6, 0, 0]])
    return input_ids, (input_ids != 0).long()


def test_padding_does_not_change_any_number(make_model: MakeModel) -> None:
    model = make_model(num_hidden_layers=2)
    input_ids, mask = batch()
    expected = model(input_ids, mask)
    padded = model(nn_pad(input_ids, 7), nn_pad(mask, 7))
    torch.testing.assert_close(padded.logits[:, :5][mask.bool()], expected.logits[mask.bool()], rtol=0, atol=1e-6)
    assert torch.equal(padded.predictions[:, :5], expected.predictions)
    alone = model(input_ids[1:, :3], mask[1:, :3])
    torch.testing.assert_close(alone.logits[0], expected.logits[1, :3], rtol=0, atol=1e-6)


def nn_pad(tensor: torch.Tensor, count: int) -> torch.Tensor:
    return torch.nn.functional.pad(tensor, (0, count))


def test_padding_on_the_left_does_not_change_any_number(make_model: MakeModel) -> None:
    model = make_model()
    right = model(torch.tensor([[5, 6, 7, 0, 0]]), torch.tensor([[1, 1, 1, 0, 0]]))
    left = model(torch.tensor([[0, 0, 5, 6, 7]]), torch.tensor([[0, 0, 1, 1, 1]]))
    torch.testing.assert_close(left.logits[0, 2:], right.logits[0, :3], rtol=0, atol=1e-6)
    assert left.predictions.tolist()[0] == [-100, -100, *right.predictions.tolist()[0][:3]]


def test_without_attention_mask_the_padding_token_is_padding(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask = batch()
    assert torch.equal(model(input_ids).logits, model(input_ids, mask).logits)


def test_in_evaluation_logits_are_max_marginals_and_their_argmax_viterbi(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask = batch()
    output = model(input_ids, mask)
    emissions = model._emissions(input_ids, mask.bool())
    inside = mask.bool()
    scores = model.crf.max_marginals(emissions, mask)
    possible = scores.isfinite()
    assert torch.equal(output.logits[possible], scores[possible])
    assert output.logits.isfinite().all()
    assert (output.logits[:, 0, [1, 3]] < output.logits[:, 0].amin(-1, keepdim=True) + 1e-3).all()  # I-PS and I-LC
    assert torch.equal(output.predictions, model.crf.decode(emissions, mask))
    assert torch.equal(output.logits.argmax(-1)[inside], output.predictions[inside])
    assert (output.predictions[~inside] == -100).all()
    assert output.logits[~inside].tolist() == [[-1e4, -1e4, -1e4, -1e4, 0.0]] * 2


def test_in_evaluation_marginals_are_probabilities(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask = batch()
    output = model(input_ids, mask)
    expected = model.crf.marginals(model._emissions(input_ids, mask.bool()), mask)
    assert torch.equal(output.marginals[mask.bool()], expected[mask.bool()])
    torch.testing.assert_close(output.marginals.sum(-1), torch.ones(2, 5))
    assert (output.marginals[mask == 0][:, OUTSIDE] == 1).all()


def test_outputs_come_in_an_order_that_stays(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask = batch()
    labels = torch.full_like(input_ids, OUTSIDE)
    assert list(model(input_ids, mask)) == ["logits", "predictions", "marginals", "emissions"]
    assert list(model(input_ids, mask, labels)) == ["loss", "logits", "predictions", "marginals", "emissions"]
    training = model.train()(input_ids, mask, labels)
    assert list(training) == ["loss", "logits"]
    assert torch.equal(training.logits, model._emissions(input_ids, mask.bool()))


def test_without_an_outside_label_no_label_is_claimed_where_there_is_none(make_model: MakeModel) -> None:
    model = make_model(labels=["B", "I"], untagged_token_ids=[2])
    output = model(torch.tensor([[5, 2, 6]]))
    assert output.predictions[0, 1] == -100
    assert output.marginals[0, 1].tolist() == [0.0, 0.0]
    assert output.logits[0, 1].tolist() == [-1e4, -1e4]


def test_special_tokens_are_left_out_of_the_chain_in_training_and_in_prediction(make_model: MakeModel) -> None:
    """What the Trainer sees with labels and what a pipeline sees without them must be the same chain."""
    model = make_model(untagged_token_ids=[2, 3])
    input_ids = torch.tensor([[2, 5, 6, 3, 7, 3]])
    labels = torch.tensor([[-100, 0, 1, -100, 4, -100]])
    without, with_labels = model(input_ids), model(input_ids, labels=labels)
    assert torch.equal(without.predictions, with_labels.predictions)
    assert without.predictions[0, [0, 3, 5]].tolist() == [-100, -100, -100]
    assert without.logits[0, [0, 3, 5]].argmax(-1).tolist() == [OUTSIDE] * 3
    emissions = model._emissions(input_ids, torch.ones(1, 6, dtype=torch.bool))[:, [1, 2, 4]]
    everything = torch.ones(1, 3, dtype=torch.bool)
    expected = model.crf.negative_log_likelihood(emissions, torch.tensor([[0, 1, 4]]), everything).sum() / 3
    torch.testing.assert_close(with_labels.loss, expected)


def test_later_subwords_can_be_left_out_of_the_chain(
    make_model: MakeModel, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    untagged = untagged_token_ids(wordpiece_tokenizer, later_subwords=True)
    model = make_model(vocab_size=len(wordpiece_tokenizer), untagged_token_ids=untagged)
    encoded = wordpiece_tokenizer("손흥민은 춘천에서 태어났다.", return_tensors="pt")
    tokens = encoded.tokens()
    first = torch.tensor([not token.startswith("##") and token not in ("[CLS]", "[SEP]") for token in tokens])
    assert 0 < first.sum() < len(tokens) - 2
    labels = torch.where(first, OUTSIDE, -100)[None]
    output = model(**encoded, labels=labels)
    assert torch.equal(output.predictions, model(**encoded).predictions)
    assert torch.equal(output.predictions[0] != -100, first)
    emissions = model._emissions(encoded["input_ids"], encoded["attention_mask"].bool())[:, first]
    inside = torch.ones(emissions.shape[:2], dtype=torch.bool)
    expected = model.crf.negative_log_likelihood(emissions, labels[:, first], inside).sum() / first.sum()
    torch.testing.assert_close(output.loss, expected)


def test_a_missing_label_does_not_change_predictions(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask = batch()
    labels = torch.full_like(input_ids, OUTSIDE)
    labels[0, 2] = -100
    assert torch.equal(model(input_ids, mask, labels).predictions, model(input_ids, mask).predictions)


@pytest.mark.parametrize("shape", [(2, 4), (1, 5), (2,), (2, 5, 1)])
def test_labels_of_another_shape_are_refused(make_model: MakeModel, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Expected integer labels of shape \(2, 5\), got torch.int64 of \("):
        make_model()(input_ids=torch.full((2, 5), 7), labels=torch.zeros(shape, dtype=torch.long))


def test_loss_is_per_token_of_the_whole_step(make_model: MakeModel) -> None:
    model = make_model()
    input_ids, mask = batch()
    labels = torch.full_like(input_ids, OUTSIDE).masked_fill(mask == 0, -100)
    whole = model(input_ids, mask, labels).loss
    parts = [model(input_ids[i, None], mask[i, None], labels[i, None], num_items_in_batch=8).loss for i in range(2)]
    torch.testing.assert_close(sum(parts), whole)


def test_loss_falls_when_one_batch_is_learned(make_model: MakeModel) -> None:
    model = make_model(embedding_dropout=0.1, hidden_dropout=0.1, token_dropout=0.05, unk_token_id=1).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    input_ids, mask = batch()
    labels = torch.tensor([[0, 1, 4, 2, 3], [4, 0, 4, -100, -100]])
    for _ in range(60):
        loss = model(input_ids, mask, labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    assert torch.equal(model.eval()(input_ids, mask).predictions, labels)


def test_token_dropout_acts_in_training_only(make_model: MakeModel) -> None:
    model = make_model(token_dropout=0.5, unk_token_id=1)
    input_ids = torch.full((1, 200), 5)
    assert (model._drop_tokens(input_ids) == 5).all()
    assert 50 < (model.train()._drop_tokens(input_ids) == 1).sum() < 150


@pytest.mark.parametrize("length", [0, 1])
def test_shortest_inputs(make_model: MakeModel, length: int) -> None:
    output = make_model()(torch.full((2, length), 5))
    assert output.logits.shape == (2, length, 5)
    assert output.predictions.shape == (2, length)


def test_a_row_of_padding_only(make_model: MakeModel) -> None:
    output = make_model()(torch.tensor([[5, 6], [0, 0]]))
    assert output.predictions[1].tolist() == [-100, -100]
    assert output.logits.isfinite().all()


@pytest.mark.parametrize("crf_implementation", ["torch", "pytorch-crf"])
def test_save_and_load_keeps_every_number(make_model: MakeModel, tmp_path: Path, crf_implementation: str) -> None:
    model = make_model(crf_implementation=crf_implementation)
    model.save_pretrained(tmp_path)
    input_ids, mask = batch()
    expected = model(input_ids, mask)
    for auto_class in (AutoModel, AutoModelForTokenClassification):
        loaded = auto_class.from_pretrained(tmp_path)
        assert isinstance(loaded, BiLstmCrfForTokenClassification)
        assert torch.equal(loaded(input_ids, mask).logits, expected.logits)
        assert torch.equal(loaded(input_ids, mask).predictions, expected.predictions)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), BiLstmCrfConfig)


def test_both_crf_implementations_give_the_same_model(make_model: MakeModel, tmp_path: Path) -> None:
    make_model().save_pretrained(tmp_path)
    ours = AutoModel.from_pretrained(tmp_path)
    reference = AutoModel.from_pretrained(tmp_path, crf_implementation="pytorch-crf")
    assert (ours.crf.implementation, reference.crf.implementation) == ("auto", "pytorch-crf")
    input_ids, mask = batch()
    labels = torch.tensor([[0, 1, 4, 2, 3], [4, 0, 4, -100, -100]])
    torch.testing.assert_close(ours(input_ids, mask, labels).loss, reference(input_ids, mask, labels).loss)
    assert torch.equal(ours(input_ids, mask).predictions, reference(input_ids, mask).predictions)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_loads_in_other_types_with_the_crf_in_float32(
    make_model: MakeModel, tmp_path: Path, dtype: torch.dtype
) -> None:
    make_model().save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, dtype=dtype, device_map="auto")
    assert model.lstm.weight_ih_l0.dtype == dtype
    assert model.crf.transitions.dtype == (torch.float32 if dtype != torch.float64 else torch.float64)
    if dtype != torch.float16:  # torch has no float16 LSTM on CPU
        assert model.cpu()(*batch()).logits.isfinite().all()


def test_can_be_built_on_the_meta_device(make_model: MakeModel, make_config: MakeConfig) -> None:
    with torch.device("meta"):
        model = BiLstmCrfForTokenClassification(make_config())
    assert all(parameter.is_meta for parameter in model.parameters())
    model = model.to_empty(device="cpu").eval()
    original = make_model()
    model.load_state_dict(original.state_dict())
    assert torch.equal(model(*batch()).logits, original(*batch()).logits)


def test_missing_crf_weights_are_drawn_and_loaded_ones_kept(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_model()
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if name != "crf.transitions"}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded = AutoModel.from_pretrained(tmp_path)
    assert loaded.crf.transitions.abs().max() <= 0.1
    assert loaded.crf.transitions.abs().max() > 0
    for name, tensor in kept.items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_a_new_label_set_gets_new_constraints(make_model: MakeModel, tmp_path: Path) -> None:
    make_model().save_pretrained(tmp_path)
    labels = ["O", "B-X", "I-X"]
    loaded = AutoModel.from_pretrained(
        tmp_path,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        ignore_mismatched_sizes=True,
    )
    assert loaded.crf.constraints()[0] == (False, False, True)
    assert loaded.crf.constraints()[1][0] == (False, False, True)
    assert loaded.crf.start_transitions.abs().max() <= 0.1


def test_parameter_names_are_those_of_pytorch_crf_and_torch(make_model: MakeModel) -> None:
    names = set(make_model().state_dict())
    assert {"crf.start_transitions", "crf.end_transitions", "crf.transitions"} <= names
    assert {"lstm.weight_ih_l0", "lstm.weight_hh_l0_reverse", "classifier.weight"} <= names


def test_bfloat16_autocast_gives_nearly_the_same_loss(make_model: MakeModel) -> None:
    model = make_model().train()
    input_ids, mask = batch()
    labels = torch.tensor([[0, 1, 4, 2, 3], [4, 0, 4, -100, -100]])
    expected = model(input_ids, mask, labels).loss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(input_ids, mask, labels).loss
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=0.02)


def test_constraints_are_on_for_bio_labels_only(make_config: MakeConfig) -> None:
    assert make_config().constraints()[0] == (False, True, False, True, False)
    assert make_config().constraints()[1][4] == (False, True, False, True, False)
    assert make_config().constraints()[1][0] == (False, False, False, True, False)
    assert not any(make_config(bio_constraints=False).constraints()[0])
    assert not any(make_config(labels=["NN", "VV"]).constraints()[0])
    assert not any(make_config(labels=["O", "I-PS"]).constraints()[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 7}, "`hidden_size` holds two directions and must be even, got 7"),
        ({"vocab_size": 0}, "`vocab_size` must be at least 1, got 0"),
        ({"ngram_sizes": [1]}, "Every entry of `ngram_sizes` must be at least 2"),
        ({"embedding_dropout": 1.0}, "`embedding_dropout` must be at least 0 and below 1, got 1.0"),
        ({"token_dropout": 0.1}, "needs `unk_token_id`"),
        ({"token_dropout": 0.1, "unk_token_id": 32000}, "needs `unk_token_id`, below `vocab_size`"),
        ({"pad_token_id": -1}, "`pad_token_id` must be from 0 to [0-9]+, got -1"),
        ({"pad_token_id": 32000}, "`pad_token_id` must be from 0 to [0-9]+, got 32000"),
        ({"crf_implementation": "fast"}, "must be one of auto, torch, numba, triton, pytorch-crf, got 'fast'"),
        ({"bio_constraints": True, "labels": ["NN", "VV"]}, "`bio_constraints=True` needs labels of the form"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"vocabsize": 3}, "no setting `vocabsize`; did you mean `vocab_size`"),
        ({"embedding_dropuot": 0.1}, "did you mean `embedding_dropout`"),
        ({"embedding_dim": 3}, "did you mean `embedding_size`"),
        ({"hidden_dim": 4}, "did you mean `hidden_size`"),
        ({"num_layers": 2}, "did you mean `num_hidden_layers`"),
        ({"dropout": 0.1}, "did you mean `hidden_dropout`"),
        ({"hidden_dropout_prob": 0.1}, "did you mean `hidden_dropout`"),
    ],
)
def test_wrong_settings_are_refused(make_config: MakeConfig, settings: dict, message: str) -> None:
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        make_config(**settings)


def test_config_file_holds_everything_and_nothing_of_the_class(make_config: MakeConfig, tmp_path: Path) -> None:
    make_config().save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert set(saved["auto_map"]) == {"AutoConfig", "AutoModel", "AutoModelForTokenClassification"}
    assert "keys_to_ignore_at_inference" not in saved
    assert set(BiLstmCrfConfig.__annotations__) - {"model_type"} <= set(saved)


def test_scores_of_somebody_else_go_into_the_crf(make_model: MakeModel) -> None:
    """Scripts put a function of ids and mask in the place of the network, to look at the CRF alone."""
    model = make_model()
    input_ids, mask = batch()
    scores = torch.zeros(*input_ids.shape, 5)
    scores[..., 4] = 9.0
    model._emissions = lambda input_ids, attention_mask, **optional: scores
    assert (model(input_ids, mask).predictions[mask.bool()] == 4).all()
