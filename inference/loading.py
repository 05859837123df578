"""Load a saved model, and say in one sentence what is wrong with a folder that cannot be loaded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

import malmoi.modeling  # noqa: F401  (makes the architectures known to the Auto classes)
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS

COMMANDS = {"named-entities": "tag", "word-spacing": "space", "sentence-classification": "classify"}
"""The command that uses a model of each task."""
TASK_KEY = "malmoi_task"
"""Where the configuration of a saved model names its task."""
WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"


class LoadedModel(NamedTuple):
    """A model in evaluation mode and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def default_device() -> str:
    """Return where models run unless told otherwise: on a GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def task_of(config: PreTrainedConfig) -> str | None:
    """Return the task that a saved model was trained for; `None` if its configuration does not tell."""
    # what a training of ours has written into it; models from elsewhere are told by their heads
    if TASK_KEY in config.to_dict():
        return str(config.to_dict()[TASK_KEY])
    architecture = (config.architectures or [""])[0]
    if architecture.endswith("ForSequenceClassification"):
        return "sentence-classification"
    if architecture.endswith("ForTokenClassification"):
        return "word-spacing" if set((config.id2label or {}).values()) == set(SPACING_LABELS) else "named-entities"
    return None


def load_model(
    model: str | Path,
    task: str | None,
    *,
    trust_remote_code: bool = False,
    revision: str | None = None,
    bf16: bool = False,
) -> LoadedModel:
    """Load a model and its tokenizer from a folder or from the Hub. Weights are safetensors, never pickles.

    Args:
        model: A folder, or the name of a repository on the Hub.
        task: The task that it must have been trained for; `None` for any.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.
        bf16: Whether the weights become bfloat16, those of a CRF excepted; otherwise they are what was saved.

    Raises:
        UserError: If it cannot be loaded; the message names the file.
    """
    check_place(model)
    options = {"trust_remote_code": trust_remote_code, "revision": revision}
    with _one_sentence(model):
        config = AutoConfig.from_pretrained(model, **options)
        own_task = _check_task(model, config, task)
        tokenizer = AutoTokenizer.from_pretrained(model, **options)
        auto_model = (
            AutoModelForSequenceClassification
            if own_task == "sentence-classification"
            else AutoModelForTokenClassification
        )
        loaded, notes = auto_model.from_pretrained(
            model,
            config=config,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # reported below, in one sentence
            output_loading_info=True,
            dtype=torch.bfloat16 if bf16 else "auto",
            **options,
        )
    if notes["mismatched_keys"]:
        name, found, expected = sorted(notes["mismatched_keys"])[0]
        raise UserError(f"{model}/{WEIGHTS}: {name} is {tuple(found)}, but config.json asks for {tuple(expected)}.")
    if notes["missing_keys"]:
        raise UserError(f"{model}/{WEIGHTS}: it lacks the weights {', '.join(sorted(notes['missing_keys']))}.")
    if not tokenizer.is_fast:
        raise UserError(f"{model}: the tokenizer {type(tokenizer).__name__} gives no character offsets.")
    return LoadedModel(loaded.eval(), tokenizer)


def read_task(model: str | Path, *, trust_remote_code: bool = False, revision: str | None = None) -> str:
    """Return the task of a model in a folder or on the Hub, without loading its weights.

    Args:
        model: A folder, or the name of a repository on the Hub.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.

    Raises:
        UserError: If there is no such model or if it has no task that we know; the message names the file.
    """
    check_place(model)
    with _one_sentence(model):
        config = AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code, revision=revision)
        return _check_task(model, config, None)


def check_place(model: str | Path) -> None:
    """Check that a model is a whole folder, or has a name that one on the Hub can have.

    Raises:
        UserError: If not; the message names the file.
    """
    if Path(model).is_dir():
        check_model_folder(Path(model))
    elif not _is_repository(str(model)):
        raise UserError(f"{model}: there is no such folder.")


@contextmanager
def _one_sentence(model: str | Path) -> Iterator[None]:
    """Turn what transformers raises while it loads a model into one sentence."""
    try:
        yield
    except UserError:
        raise
    except (OSError, ValueError, TypeError, RuntimeError, StrictDataclassError) as error:
        where = str(model) if Path(model).is_dir() else f"{model}: there is no such folder, and on the Hub"
        raise UserError(f"{where}: {' '.join(str(error).split())}") from error


def _check_task(model: str | Path, config: PreTrainedConfig, task: str | None) -> str:
    """Return the task of a model, if it is the expected one."""
    own = task_of(config)
    if own is None:
        found = ", ".join(config.architectures or ["none that is named"])
        raise UserError(f"{model}: expected a model for token or sequence classification, got {found}.")
    if task not in (None, own):
        raise UserError(f"{model}: this is a model for {own}; use `malmoi {COMMANDS[own]}`.")
    count = len(config.id2label or {})
    if own == "sentence-classification" and (
        config.problem_type not in (None, "single_label_classification") or count < 2
    ):
        raise UserError(
            f"{model}: expected a model that gives a text one of several labels, got {count} labels and "
            f"`problem_type` {config.problem_type!r}."
        )
    return own


def check_model_folder(folder: Path) -> None:
    """Check that a folder holds a whole model whose parts fit together.

    Raises:
        UserError: If not; the message names the file.
    """
    labels = _check_config(folder / "config.json")
    if (folder / SHARDS).is_file():
        return
    weights = folder / WEIGHTS
    if not weights.is_file():
        pickled = [path.name for pattern in ("*.bin", "*.pth", "*.pt") for path in sorted(folder.glob(pattern))]
        hint = f" {pickled[0]} may be a pickle, which is never loaded." if pickled else ""
        raise UserError(f"{weights}: there is no such file, so the folder holds no weights.{hint}")
    try:
        with safe_open(weights, framework="pt") as tensors:
            sizes = {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{weights}: the file is damaged or cut off ({error}).") from None
    if "crf.transitions" in sizes and labels is not None and sizes["crf.transitions"][0] != labels:
        raise UserError(
            f"{folder / 'config.json'}: it names {labels} labels, but the CRF in {WEIGHTS} has "
            f"{sizes['crf.transitions'][0]}."
        )


def _check_config(path: Path) -> int | None:
    """Return the number of labels that a configuration names, if it names any."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file, so the folder holds no model.")
    try:
        labels = json.loads(path.read_text(encoding="utf-8")).get("id2label")
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path}: expected a JSON object ({error}).") from None
    if labels is not None and not isinstance(labels, dict):
        raise UserError(f"{path}: expected `id2label` to map numbers to labels, got {labels!r}.")
    return None if labels is None else len(labels)


def _is_repository(name: str) -> bool:
    """Tell whether a name can be one on the Hub: `user/model`, and no path beside which folders lie here."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).parent.is_dir()
