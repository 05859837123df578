"""Load a saved model, and say in one sentence what is wrong with a folder that cannot be loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

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

from malmoi.data.json_object import read_json_object
from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.bundled_models import model_place
from malmoi.inference.model_names import check_name, near_names, without_waiting_for_the_hub
from malmoi.inference.model_tasks import CLASSES as CLASSES
from malmoi.inference.model_tasks import COMMANDS as COMMANDS
from malmoi.inference.model_tasks import TASK_KEY as TASK_KEY
from malmoi.inference.model_tasks import another_task
from malmoi.modeling import BiLstmModel  # makes the architectures known to the Auto classes, too

LANGUAGE_MODEL = "language-model"
"""The task of a model that answers nothing: others begin from it."""
MODELS = {"sentence-classification": AutoModelForSequenceClassification, LANGUAGE_MODEL: BiLstmModel}
"""What loads the models of a task; those of the others are taggers."""
WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"


class LoadedModel(NamedTuple):
    """A model in evaluation mode and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def task_of(config: PreTrainedConfig) -> str | None:
    """Return the task that a saved model was trained for; `None` if its configuration does not tell."""
    # what a training of ours has written into it; models from elsewhere are told by their heads
    if TASK_KEY in config.to_dict():
        return str(config.to_dict()[TASK_KEY])
    architecture = (config.architectures or [""])[0]
    if architecture == "BiLstmModel":
        return LANGUAGE_MODEL
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
        model: A folder, the name of a repository on the Hub, or that of a model of the package.
        task: The task that it must have been trained for, with labels that are read for it; `None` for any task that
            has labels, and any labels.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.
        bf16: Whether the weights become bfloat16, those of a CRF excepted; otherwise they are what was saved.

    Raises:
        UserError: If it cannot be loaded; the message names the file.
    """
    named, model = model, model_place(model)
    check_place(model)
    options = {"trust_remote_code": trust_remote_code, "revision": revision}
    with _one_sentence(model):
        config = AutoConfig.from_pretrained(model, **options)
        own_task = _check_task(named, config, task)
        if task is not None:
            check_labels(model, config, own_task)
        tokenizer = _load_tokenizer(model, options)
        model_class: Any = MODELS.get(own_task, AutoModelForTokenClassification)
        loaded, notes = model_class.from_pretrained(
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
        model: A folder, the name of a repository on the Hub, or that of a model of the package.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.

    Raises:
        UserError: If there is no such model or if it has no task that we know; the message names the file.
    """
    config = read_config(model, trust_remote_code=trust_remote_code, revision=revision)
    task = _check_task(model, config, None)
    check_labels(model, config, task)
    return task


def read_config(
    model: str | Path, *, trust_remote_code: bool = False, revision: str | None = None
) -> PreTrainedConfig:
    """Return the configuration of a model in a folder or on the Hub.

    Raises:
        UserError: If there is no such model; the message names the file.
    """
    model = model_place(model)
    check_place(model)
    with _one_sentence(model):
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            model, trust_remote_code=trust_remote_code, revision=revision
        )
        return config


def check_place(model: str | Path) -> None:
    """Check that a model is a whole folder, or has a name that one on the Hub can have.

    Raises:
        UserError: If not; the message names the file.
    """
    if not isinstance(model, (str, Path)) or not str(model):
        raise UserError(f"Expected the folder of a model or its name on the Hub, got {model!r}.")
    check_name(model)
    if Path(model).is_dir():
        check_model_folder(Path(model))
    elif "/" not in str(model):  # only models of long ago have no user in their name, none of them a tagger
        raise UserError(f"{model}: there is no such folder{near_names(Path(model))}")


@contextmanager
def _one_sentence(model: str | Path) -> Iterator[None]:
    """Turn what transformers raises while it loads a model into one sentence."""
    with without_waiting_for_the_hub(model) as out_of_reach:
        try:
            yield
        except UserError:
            raise
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, StrictDataclassError) as error:
            where = str(model) if Path(model).is_dir() else f"{model}: there is no such folder, and on the Hub"
            reason = (
                "it cannot be asked (no connection, or HF_HUB_OFFLINE is set), and no copy of it lies in the cache"
                if out_of_reach and isinstance(error, OSError)
                else " ".join(str(error).split())
            )
            # "rnus/model" may be meant for the Hub or for a folder beside
            near = "" if Path(model).is_dir() else near_names(Path(model)).removesuffix(".")
            raise UserError(f"{where}: {reason.removesuffix('.')}{near or '.'}") from error


def _load_tokenizer(model: str | Path, options: dict[str, Any]) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a model.

    Raises:
        UserError: If a folder lacks it, or it is damaged; the message names the file.
    """
    folder = Path(model)
    if not folder.is_dir():
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(model, **options)
        return tokenizer
    file = folder / TOKENIZER
    if (folder / "tokenizer_config.json").is_file():
        read_json_object(folder / "tokenizer_config.json")
    lacking = UserError(f"{file}: there is no such file, so the folder holds no tokenizer.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, **options)
    except Exception as error:  # the library of tokenizers raises nothing more special
        if not file.is_file():
            raise lacking from error
        raise UserError(f"{file}: the file is damaged ({' '.join(str(error).split())}).") from error
    # some classes make up a tokenizer that knows no words if they find none
    files = {TOKENIZER, *tokenizer.vocab_files_names.values()}
    if tokenizer.is_fast and not any((folder / name).is_file() for name in files):
        raise lacking
    if tokenizer.is_fast and not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise UserError(f"{file}: the file is damaged (it holds no words).")
    return tokenizer


def _check_task(model: str | Path, config: PreTrainedConfig, task: str | None) -> str:
    """Return the task of a model, if it is the expected one."""
    own = task_of(config)
    if own is None:
        found = ", ".join(config.architectures or ["none that is named"])
        raise UserError(f"{model}: expected a model for token or sequence classification, got {found}.")
    if own == LANGUAGE_MODEL and task != own:
        raise UserError(
            f"{model}: this is a language model, which has no labels to answer with; train from it by "
            f"`--model_name_or_path {model}`."
        )
    if task not in (None, own):
        raise UserError(another_task(model, own))
    count = len(config.id2label or {})
    if own == "sentence-classification" and (
        config.problem_type not in (None, "single_label_classification") or count < 2
    ):
        raise UserError(
            f"{model}: expected a model that gives a text one of several labels, got {count} labels and "
            f"`problem_type` {config.problem_type!r}."
        )
    return own


def check_labels(model: str | Path, config: PreTrainedConfig, task: str) -> None:
    """Check that the labels of a model are such as are read for its task.

    Raises:
        UserError: If not; the message names the labels.
    """
    labels = [str(label) for _, label in sorted((config.id2label or {}).items())]
    if task == "named-entities":
        try:
            read_label_scheme(labels)
        except UserError as error:
            raise UserError(f"{model}: {error}") from None
    if task == "word-spacing" and sorted(labels) != sorted(SPACING_LABELS):
        raise UserError(f"{model}: expected the labels {' and '.join(SPACING_LABELS)}, got {', '.join(labels)}.")


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
        raise UserError(f"{path}: there is no such file, so the folder holds no model{_model_inside(path.parent)}")
    labels = read_json_object(path).get("id2label")
    if labels is not None and not isinstance(labels, dict):
        raise UserError(f"{path}: expected `id2label` to map numbers to labels, got {labels!r}.")
    return None if labels is None else len(labels)


def _model_inside(folder: Path) -> str:
    """Return the end of a sentence that says where the model may be, if a folder itself holds none."""
    if (folder / "adapter_config.json").is_file():
        return "; it holds an adapter, which must be merged into its model first."
    inside = sorted(path.parent.name for path in folder.glob("*/config.json"))
    return f"; did you mean {folder / inside[-1]}?" if inside else "."
