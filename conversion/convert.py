"""From an old checkpoint with its hand-written configuration to a folder that `from_pretrained` loads."""

from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub.errors import StrictDataclassError
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from malmoi.conversion.checkpoint_file import read_state_dict
from malmoi.conversion.hand_written_config import check_sizes, read_config, read_labels
from malmoi.conversion.state_dict_names import check_shapes, find_layers, rename, sizes_of
from malmoi.conversion.verification import LENGTHS, verify
from malmoi.data.notice import one_line
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import check_new_folder, whole_folder
from malmoi.inference.loading import TASK_KEY, load_model, task_of
from malmoi.inference.model_names import check_name, without_waiting_for_the_hub
from malmoi.inference.tokenizer_loading import load_tokenizer
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification
from malmoi.modeling.name_edges import UNLIMITED


class Conversion(NamedTuple):
    """What was written.

    Args:
        config: The configuration of the new model.
        num_parameters: Number of its parameters.
        lengths: How many tokens the sentences had on which it was held against the old layers.
        largest_difference: The largest difference of a score there; the tags were the same.
        added_tokens: What the tokenizer adds to every text, such as `[CLS]` and `[SEP]`.
        unused_embeddings: How many rows of the embeddings the tokenizer has no token for.
    """

    config: BiLstmCrfConfig
    num_parameters: int
    lengths: tuple[int, ...]
    largest_difference: float
    added_tokens: list[str]
    unused_embeddings: int


def convert_checkpoint(
    checkpoint: str | Path, output_dir: str | Path, *, config: str | Path, tokenizer: str | Path
) -> Conversion:
    """Write a native model with the predictions of an embedding, a bidirectional LSTM, a linear layer and pytorch-crf.

    Predictions stay what the old layers give for one sentence without padding. So the CRF has no constraints, and
    tokens like `[CLS]` and `[SEP]` are in its chain: `untagged_token_ids` is empty and `bio_constraints` is `False`
    in the new configuration. The new folder is read back and held against the old layers before it gets its name.

    Args:
        checkpoint: A state dict, the checkpoint of a training that holds one, or safetensors.
        output_dir: The folder to write; it must not exist, or be empty.
        config: The `config.json` that was written by hand.
        tokenizer: A folder, or the name of a repository on the Hub.

    Raises:
        UserError: If something is missing, is unsafe to load or does not fit. Then nothing is written.
    """
    checkpoint, output_dir, config = Path(checkpoint), Path(output_dir).resolve(), Path(config)
    check_new_folder(output_dir)
    content = read_config(config)
    labels = read_labels(content, config)
    model, tensors = _build(read_state_dict(checkpoint), labels, checkpoint, config)
    sizes = sizes_of(tensors)
    check_sizes(content, sizes, config)
    loaded_tokenizer = _load_tokenizer(str(tokenizer))
    num_tokens = _check_vocabulary(str(tokenizer), loaded_tokenizer, sizes["vocab_size"])
    model.config.pad_token_id = loaded_tokenizer.pad_token_id
    model.config.unk_token_id = loaded_tokenizer.unk_token_id
    loaded_tokenizer.model_max_length = UNLIMITED  # an LSTM has no limit; the tokenizer's own is that of an encoder
    with whole_folder(output_dir) as staged:
        model.save_pretrained(staged)
        loaded_tokenizer.save_pretrained(staged)
        largest_difference = verify(load_model(staged, None).model, tensors)
    return Conversion(
        config=model.config,
        num_parameters=model.num_parameters(),
        lengths=LENGTHS,
        largest_difference=largest_difference,
        added_tokens=list(loaded_tokenizer.convert_ids_to_tokens(loaded_tokenizer("")["input_ids"])),
        unused_embeddings=sizes["vocab_size"] - num_tokens,
    )


def _build(
    tensors: dict[str, Tensor], labels: list[str], checkpoint: Path, config: Path
) -> tuple[BiLstmCrfForTokenClassification, dict[str, Tensor]]:
    """Return the new model with the old weights, and these weights by their new names."""
    layers = find_layers(tensors, checkpoint)
    tensors = rename(tensors, layers)
    sizes: dict[str, Any] = sizes_of(tensors)
    num_labels = sizes.pop("num_labels")
    if len(labels) != num_labels:
        raise UserError(f"{config}: it names {len(labels)} labels, but the checkpoint has scores for {num_labels}.")
    try:
        settings = BiLstmCrfConfig(
            **sizes,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
            bio_constraints=False,
            untagged_token_ids=[],
            architectures=[BiLstmCrfForTokenClassification.__name__],
        )
    except (ValueError, StrictDataclassError) as error:
        raise UserError(f"{checkpoint}: {one_line(error)}") from None
    settings.update({TASK_KEY: task_of(settings)})
    model = BiLstmCrfForTokenClassification(settings)
    check_shapes(tensors, layers, model.state_dict(), checkpoint)
    model.load_state_dict(tensors)
    return model.eval(), tensors


def _load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    check_name(name)
    try:
        with without_waiting_for_the_hub(name):
            return load_tokenizer(name, {"trust_remote_code": False})
    except Exception as error:  # what is wrong with one from the Hub raises no narrower class
        where = (
            "no folder with a tokenizer" if Path(name).is_dir() else "in no such folder and not to be had from the Hub"
        )
        raise UserError(f"The tokenizer {name!r} is {where} ({one_line(error)})") from error


def _check_vocabulary(name: str, tokenizer: PreTrainedTokenizerBase, vocab_size: int) -> int:
    """Return how many token ids a tokenizer has, if there is an embedding for each."""
    num_tokens = 1 + max(tokenizer.get_vocab().values(), default=-1)
    if num_tokens > vocab_size:
        raise UserError(
            f"The tokenizer {name!r} has {num_tokens} tokens, but the checkpoint only {vocab_size} embeddings; "
            "expected the tokenizer that the model was trained with."
        )
    return num_tokens
