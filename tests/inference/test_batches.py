from malmoi.inference.batches import PADDED_LENGTH, length_batches


def test_long_texts_are_not_padded_together_with_others() -> None:
    lengths = [10, 100_000, 3, 9_000, 0, 9_000, 20_000, *[50] * 100]
    batches = list(length_batches(lengths, 32))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= PADDED_LENGTH for batch in batches)
    assert max(len(batch) for batch in batches) == 32
