import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_models import bert_tokenizer
from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding

from malmoi.data.padding_collator import PaddingCollator

TOKENIZER = bert_tokenizer()
TOKENIZER.add_special_tokens({"pad_token": "[MASK]"})  # not 0
LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=5)


@given(lengths=LENGTHS)
def test_token_features_are_padded_as_transformers_does(lengths: list[int]) -> None:
    rows = [
        {
            "input_ids": list(range(5, 5 + length)),
            "attention_mask": [1] * length,
            "labels": list(range(length)),
            "row": number,
        }
        for number, length in enumerate(lengths)
    ]
    expected = DataCollatorForTokenClassification(TOKENIZER)([dict(row) for row in rows])
    found = PaddingCollator(TOKENIZER)(rows)
    assert list(found) == list(rows[0])
    for name, values in found.items():
        assert values.dtype == torch.long
        # without any token, the collator of transformers makes floats
        assert torch.equal(values, expected[name].long())


@given(lengths=LENGTHS)
def test_text_features_have_one_label_for_each_row(lengths: list[int]) -> None:
    rows = [
        {"input_ids": [7] * length, "attention_mask": [1] * length, "labels": number}
        for number, length in enumerate(lengths)
    ]
    expected = DataCollatorWithPadding(TOKENIZER)([dict(row) for row in rows])
    for name, values in PaddingCollator(TOKENIZER)(rows).items():
        assert torch.equal(values, expected[name].long())


def test_labels_must_fit_the_tokens() -> None:
    rows = [{"input_ids": [1, 2], "labels": [0]}]
    with pytest.raises(ValueError, match="`labels` has 1 entries for 2 tokens"):
        PaddingCollator(TOKENIZER)(rows)
