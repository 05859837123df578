import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.modeling.bilstm import BiLstm, NgramEmbeddings
from malmoi.modeling.lexicon import HASH_MODULUS, HASH_MULTIPLIER

SIZES = BiLstmCrfConfig(
    vocab_size=50, embedding_size=4, ngram_sizes=[2, 3], ngram_vocab_size=97, ngram_embedding_size=2
)


def packed_reference(lstm: BiLstm, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Run torch's own LSTM with the same weights over packed sequences."""
    reference = nn.LSTM(lstm.input_size, lstm.hidden_size, lstm.num_layers, batch_first=True, bidirectional=True)
    reference.load_state_dict(lstm.state_dict())
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(reference(packed)[0], batch_first=True, total_length=inputs.size(1))[0]


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("run", ["_run_reversed", "_run_packed"])
def test_both_ways_of_running_equal_a_packed_lstm(run: str, layers: int) -> None:
    torch.manual_seed(0)
    lstm = BiLstm(5, 8, num_layers=layers, dropout=0.0)
    inputs, lengths = torch.randn(4, 9, 5), torch.tensor([9, 1, 4, 7])
    expected = packed_reference(lstm, inputs, lengths)
    inside = torch.arange(9)[None] < lengths[:, None]
    actual = getattr(lstm, run)(inputs, lengths)
    torch.testing.assert_close(actual[inside], expected[inside], rtol=0, atol=1e-6)


def test_gradients_equal_those_of_a_packed_lstm() -> None:
    torch.manual_seed(0)
    lstm = BiLstm(5, 8, num_layers=2, dropout=0.0).double()
    inputs, lengths = torch.randn(3, 6, 5, dtype=torch.float64), torch.tensor([6, 2, 5])
    inside = torch.arange(6)[None] < lengths[:, None]
    gradients = []
    for run in (lstm._run_reversed, lstm._run_packed):
        lstm.zero_grad()
        run(inputs, lengths)[inside].square().sum().backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in lstm.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name])


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
