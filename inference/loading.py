"""Load a saved model, and say in one sentence what is wrong with a folder that cannot be loaded."""

import re
from collections.abc import Collection
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.hub import cached_file

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import list_names, shorten
from malmoi.data.user_error import UserError
from malmoi.inference.built_size import check_built_size
from malmoi.inference.bundled_models import check_revision, model_place
from malmoi.inference.loading_errors import one_sentence
from malmoi.inference.model_folder import CONFIG, check_config, check_model_folder
from malmoi.inference.model_names import check_model_name
from malmoi.inference.model_tasks import CLASSES as CLASSES
from malmoi.inference.model_tasks import COMMANDS as COMMANDS
from malmoi.inference.model_tasks import TASK_KEY as TASK_KEY
from malmoi.inference.model_tasks import another_task, check_task_labels, task_of_architecture
from malmoi.inference.tokenizer_file import PROBE
from malmoi.inference.tokenizer_loading import check_token_ids, load_tokenizer
from malmoi.inference.weights_header import WEIGHTS, Shapes, shapes_of
from malmoi.modeling import BiLstmModel  # makes the architectures known to the Auto classes, too

LANGUAGE_MODEL = "language-model"
"""The task of a model that answers nothing: others begin from it."""
MODELS = {"sentence-classification": AutoModelForSequenceClassification, LANGUAGE_MODEL: BiLstmModel}
"""What loads the models of a task; those of the others are taggers."""
HEADS: dict[str, Any] = {
    "ForTokenClassification": AutoModelForTokenClassification,
    "ForSequenceClassification": AutoModelForSequenceClassification,
}
"""What loads the models with each head."""
OF_LOSSES = re.compile(r"(loss|criterion)(_?(fn|fct|func|function|layer))?|class_weights?", re.IGNORECASE)
"""What people call the part of a model that weighs its mistakes in training."""
_loading = RLock()
"""While a model is built, transformers replaces functions of its classes and of torch, and puts back what it found:
of two threads at once, one could put back the replacements of the other, for the rest of the process."""


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
    labels = (config.id2label or {}).values()
    return task_of_architecture(architecture, labels) or task_of_architecture(_head_of_own_class(config), labels)


def _head_of_own_class(config: PreTrainedConfig) -> str:
    """Return the head of a class that somebody has written, which need not name it: the one that its config goes with.

    Nothing if it goes with several or none, or the class is one of transformers, whose names tell what they are.
    """
    [architecture] = (config.architectures or [""])[:1]
    if not architecture or hasattr(transformers, architecture):
        return ""
    named = getattr(config, "auto_map", None) or {}
    of_code = [head for head, auto in HEADS.items() if auto.__name__ in named]
    known = [head for head, auto in HEADS.items() if type(config) in auto._model_mapping]
    heads = of_code or known
    return heads[0] if len(heads) == 1 else ""


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
    check_revision(model, revision)
    named, model = model, model_place(model)
    shapes = check_place(model)
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code, "revision": revision}
    with one_sentence(model):
        config = _read_config(model, options)
        own_task = _check_task(named, config, task)
        if task is not None:
            check_labels(model, config, own_task)
        tokenizer = load_tokenizer(model, options)
        if own_task == "sentence-classification" and tokenizer.pad_token is None:
            raise UserError(f"{model}: the tokenizer of a classifier needs a `pad_token`, and it has none.")
        model_class: Any = MODELS.get(own_task, AutoModelForTokenClassification)
        if shapes is None:
            shapes = _shapes_on_the_hub(model, revision)
        # a class that came with the model may build what it likes: it was trusted
        own_class = type(config).__module__.startswith(("transformers.", "malmoi."))
        with _loading:
            if shapes is not None and own_class:
                check_built_size(model_class, config, shapes, folder=model)
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
    is_tagger = own_task not in MODELS
    unread = [name for name in notes["unexpected_keys"] if not _takes_no_part(name, is_tagger=is_tagger)]
    _check_nothing_left_out(model, config, loaded, unread)
    if notes["missing_keys"]:
        raise UserError(
            f"{model}/{WEIGHTS}: it lacks the weights {list_names(sorted(notes['missing_keys']), length=80)}."
        )
    _check_numbers(model, loaded)
    check_token_ids(model, loaded, tokenizer)
    if config.model_type not in ("bilstm", "bilstm_crf"):  # whose settings are checked one by one
        with one_sentence(model):
            _try_out(loaded.eval(), tokenizer)
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
    check_revision(model, revision)
    model = model_place(model)
    check_place(model)
    with one_sentence(model):
        return _read_config(model, {"trust_remote_code": trust_remote_code, "revision": revision})


def _read_config(model: str | Path, options: dict[str, Any]) -> PreTrainedConfig:
    """Return the configuration of a model; that of a folder was looked at by `check_place`."""
    if not Path(model).is_dir():
        check_config(Path(str(cached_file(str(model), CONFIG, revision=options["revision"]))))
    config: PreTrainedConfig = AutoConfig.from_pretrained(model, **options)
    return config


def _shapes_on_the_hub(model: str | Path, revision: str | None) -> Shapes | None:
    """Return the shapes of the weights of a repository on the Hub; `None` if they are in several files."""
    file = cached_file(str(model), WEIGHTS, revision=revision, _raise_exceptions_for_missing_entries=False)
    return None if file is None else shapes_of(Path(str(file)))


def _check_nothing_left_out(
    model: str | Path, config: PreTrainedConfig, loaded: PreTrainedModel, unread: Collection[str]
) -> None:
    """Check that a class of somebody's own was not replaced by one with fewer weights, which would answer otherwise.

    Raises:
        UserError: If it was; the message names the weights.
    """
    own = (config.architectures or [""])[0]
    if not unread or own in ("", type(loaded).__name__) or hasattr(transformers, own):
        return
    raise UserError(
        f"{model}/{WEIGHTS}: {own} has the weights {list_names(sorted(unread), length=80)}, which "
        f"{type(loaded).__name__} has not and would answer without; load it as {own} and give it to "
        f"`of_loaded(LoadedModel(model.eval(), tokenizer))` of the class that answers."
    )


def _takes_no_part(weight: str, *, is_tagger: bool) -> bool:
    """Tell whether answers do without a weight: one of a loss, or the pooler that every `BertModel(config)` brings."""
    parts = weight.split(".")
    return OF_LOSSES.fullmatch(parts[0]) is not None or (is_tagger and "pooler" in parts)


@torch.no_grad()
def _try_out(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a model read a few tokens: settings of stock models are looked at nowhere before they are used."""
    encoded = tokenizer(PROBE, return_tensors="pt")
    model(input_ids=encoded["input_ids"], attention_mask=torch.ones_like(encoded["input_ids"]))


@torch.no_grad()
def _check_numbers(model: str | Path, loaded: PreTrainedModel) -> None:
    """Check that weights are numbers, as damaged ones often are not.

    Raises:
        UserError: If one is infinite or none (NaN).
    """
    for name, parameter in loaded.named_parameters():
        if parameter.is_floating_point() and not parameter.sum(dtype=torch.float32).isfinite():
            raise UserError(f"{model}/{WEIGHTS}: {name} holds infinite numbers or some that are none (NaN).")


def check_place(model: str | Path) -> Shapes | None:
    """Check that a model is a whole folder, or has a name that one on the Hub can have.

    Returns:
        The shapes of the weights in a folder; `None` for a name on the Hub.

    Raises:
        UserError: If not; the message names the file.
    """
    check_model_name(model)
    if Path(model).is_dir():
        return check_model_folder(Path(model))
    return None


def _check_task(model: str | Path, config: PreTrainedConfig, task: str | None) -> str:
    """Return the task of a model, if it is the expected one."""
    own = task_of(config)
    if own is None:
        found = ", ".join(config.architectures or ["none that is named"])
        raise UserError(f"{model}: expected a model for token or sequence classification, got {found}.")
    if own not in (*COMMANDS, LANGUAGE_MODEL):
        raise UserError(
            f"{model}/{CONFIG}: there is no task {shorten(own)}; known are {', '.join((*COMMANDS, LANGUAGE_MODEL))}."
        )
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
    check_task_labels(model, task, labels_of(config))
