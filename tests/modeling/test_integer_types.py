"""Token ids, masks and labels come in whatever type somebody's arrays have; what has another shape is refused."""

import pytest
import torch
from support.saved_models import TASKS, build
from transformers import PreTrainedModel

# as many rows and steps as labels: then an index of 8 bits would be taken for a mask without a word
IDS = torch.tensor(
    [[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0], [7, 7, 7, 7, 7, 7], [3, 4, 5, 6, 0, 0], [8, 3, 8, 3, 8, 3]]
)
MASK = IDS != 0
TYPES = [torch.uint8, torch.int8, torch.int16, torch.int32]


@pytest.fixture(params=TASKS)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return build(request.param, 40).eval()


def gold(model: PreTrainedModel) -> torch.Tensor:
    return torch.tensor([1, 0, 1, 1, 0]) if model.config.model_type == "bilstm" else (IDS % 2) * 4


def test_ids_of_32_bits_have_the_answers_of_64(model: PreTrainedModel) -> None:
    """Hashes of n-grams would wrap around in 32 bits, and every one be looked up in another place."""
    torch.testing.assert_close(model(IDS.int(), MASK).logits, model(IDS, MASK).logits, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", TYPES)
def test_labels_of_any_integers_have_one_loss(model: PreTrainedModel, dtype: torch.dtype) -> None:
    expected = model(IDS, MASK, labels=gold(model)).loss
    torch.testing.assert_close(model(IDS, MASK, labels=gold(model).to(dtype)).loss, expected, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int32, torch.float16, torch.float32])
def test_masks_of_any_type_have_one_answer(model: PreTrainedModel, dtype: torch.dtype) -> None:
    torch.testing.assert_close(model(IDS, MASK.to(dtype)).logits, model(IDS, MASK.long()).logits, rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(5, 5), (1, 6)])
def test_a_mask_of_another_shape_is_refused(model: PreTrainedModel, shape: tuple[int, ...]) -> None:
    """One that is too short would cut the texts, without a word."""
    with pytest.raises(ValueError, match="mask"):
        model(IDS, torch.ones(shape))


@pytest.mark.parametrize("architecture", ["bilstm", "bilstm_crf"])
def test_a_text_without_its_batch_is_refused(architecture: str) -> None:
    with pytest.raises(ValueError, match=r"must both be of shape \(batch, length\), got \(6,\) and \(6,\)"):
        build(architecture, 40)(IDS[0])
