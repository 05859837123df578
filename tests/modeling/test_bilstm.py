from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.modeling.bilstm import BiLstm, NgramEmbeddings, in_one_piece
from malmoi.modeling.lexicon import HASH_MODULUS, HASH_MULTIPLIER

SIZES = BiLstmCrfConfig(
    vocab_size=50, embedding_size=4, ngram_sizes=[2, 3], ngram_vocab_size=97, ngram_embedding_size=2
)


def packed_reference(lstm: BiLstm) -> nn.LSTM:
    """Return torch's own LSTM with the same weights."""
    reference = nn.LSTM(lstm.input_size, lstm.hidden_size, lstm.num_layers, batch_first=True, bidirectional=True)
    reference.load_state_dict(lstm.state_dict())
    return reference.to(next(lstm.parameters()).dtype)


def run_packed(lstm: nn.LSTM, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Let torch's own LSTM skip the padding."""
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=inputs.size(1))[0]


@pytest.mark.parametrize("layers", [1, 3])
def test_hidden_states_equal_those_of_a_packed_lstm(layers: int) -> None:
    torch.manual_seed(0)
    lstm = BiLstm(5, 8, num_layers=layers, dropout=0.0)
    inputs, lengths = torch.randn(4, 9, 5), torch.tensor([9, 1, 4, 7])
    expected = run_packed(packed_reference(lstm), inputs, lengths)
    inside = torch.arange(9)[None] < lengths[:, None]
    actual = lstm(inputs, lengths)
    torch.testing.assert_close(actual[inside], expected[inside], rtol=0, atol=1e-6)


def test_gradients_equal_those_of_a_packed_lstm() -> None:
    torch.manual_seed(0)
    lstm = BiLstm(5, 8, num_layers=2, dropout=0.0).double()
    inputs, lengths = torch.randn(3, 6, 5, dtype=torch.float64), torch.tensor([6, 2, 5])
    inside = torch.arange(6)[None] < lengths[:, None]
    reference = packed_reference(lstm)
    for layer in (lstm, partial(run_packed, reference)):
        layer(inputs, lengths)[inside].square().sum().backward()
    for name, parameter in lstm.named_parameters():
        torch.testing.assert_close(parameter.grad, reference.get_parameter(name).grad)


def test_weights_in_one_piece_are_the_same_weights() -> None:
    lstm = BiLstm(5, 8, num_layers=1, dropout=0.0)
    weights = [parameter for name, parameter in lstm.named_parameters() if not name.endswith("_reverse")]
    pieces = in_one_piece(weights)
    for piece, weight in zip(pieces, weights, strict=True):
        assert torch.equal(piece, weight)
    starts = [piece.storage_offset() for piece in pieces]
    assert starts == [sum(weight.numel() for weight in weights[:place]) for place in range(len(weights))]
    sum(piece.sum() for piece in pieces).backward()
    assert all(torch.equal(weight.grad, torch.ones_like(weight)) for weight in weights)


def test_ngram_ids_follow_the_formula_and_see_only_what_came_before() -> None:
    embeddings = NgramEmbeddings(SIZES)
    tokens = [7, 3, 7, 3, 12]
    for size in (2, 3):
        expected = []
        for position in range(len(tokens)):
            hashed = 0
            for shift in range(position - size + 1, position + 1):
                hashed = (hashed + (tokens[shift] if shift >= 0 else -1) + 2) * HASH_MULTIPLIER % HASH_MODULUS
            expected.append(hashed % 97)
        assert embeddings.ngram_ids(torch.tensor([tokens]), size).tolist() == [expected]
        assert embeddings.ngram_ids(torch.tensor([[*tokens, 0, 0]]), size)[0, :5].tolist() == expected


def test_output_size_counts_all_parts() -> None:
    embeddings = NgramEmbeddings(SIZES)
    assert embeddings(torch.ones(1, 3, dtype=torch.long)).shape == (1, 3, embeddings.output_size) == (1, 3, 8)
