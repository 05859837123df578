"""From a recipe to a model, with fresh weights or with those of a pretrained encoder."""

from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.token_features import untagged_token_ids
from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)
from malmoi.training.arguments import RecipeArguments
from malmoi.training.recipe import CONFIGURATIONS, RecipeError, nearest
from malmoi.training.tasks import Task


def build_model(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PreTrainedModel:
    """Build the model of a recipe for these labels and this tokenizer.

    Args:
        task: What the model is to learn.
        arguments: The recipe.
        settings: The recipe's settings of the model's configuration.
        labels: The labels, in the order of their ids.
        tokenizer: The tokenizer.

    Raises:
        RecipeError: If the configuration refuses a setting, the encoder cannot be had, or it is a model that was
            trained for other labels.
    """
    build = {"bilstm": _bilstm, "bilstm_crf": _bilstm_crf, "encoder": _encoder, "encoder_crf": _encoder_crf}
    try:
        model: PreTrainedModel = build[arguments.model_type](task, arguments, settings, labels, tokenizer)
    except OSError as error:
        if Path(str(arguments.model_name_or_path)).is_dir():
            raise RecipeError(
                f"{arguments.model_name_or_path}: expected the config.json and the safetensors of an encoder; pickles "
                f"are never loaded ({' '.join(str(error).split())})"
            ) from error
        raise RecipeError(
            f"The encoder {arguments.model_name_or_path!r} is in no such folder and could not be fetched from the Hub "
            f"as safetensors ({type(error).__name__}; pickles are never loaded). Connect to the network, or give a "
            "folder by --model_name_or_path."
        ) from error
    except RecipeError:
        raise
    except (ValueError, TypeError, KeyError, RuntimeError, StrictDataclassError) as error:
        raise RecipeError(f"The settings of the model are wrong: {' '.join(str(error).split())}") from error
    embedded = len(model.get_input_embeddings().weight)  # type: ignore[arg-type]
    if embedded < len(tokenizer):
        raise RecipeError(f"The tokenizer has {len(tokenizer)} tokens, but the model only {embedded}.")
    return model


def _label_maps(labels: list[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}


def _of_tokenizer(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "unk_token_id": tokenizer.unk_token_id,
    }


def _bilstm_crf(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PreTrainedModel:
    given = {
        **_of_tokenizer(tokenizer),
        **_label_maps(labels),
        "untagged_token_ids": untagged_token_ids(tokenizer),
    }
    return BiLstmCrfForTokenClassification(BiLstmCrfConfig(**given | settings))


def _bilstm(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PreTrainedModel:
    given = {**_of_tokenizer(tokenizer), **_label_maps(labels)}
    return BiLstmForSequenceClassification(BiLstmConfig(**given | settings))


def _encoder(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PreTrainedModel:
    config = _encoder_config(arguments, settings, tokenizer)
    if arguments.model_name_or_path is None:
        config.id2label, config.label2id = _label_maps(labels).values()
        model: PreTrainedModel = task.auto_model.from_config(config)  # type: ignore[attr-defined]
    else:
        _check_labels(arguments.model_name_or_path, config, labels)
        config.id2label, config.label2id = _label_maps(labels).values()
        model = task.auto_model.from_pretrained(  # type: ignore[attr-defined]
            arguments.model_name_or_path, config=config, use_safetensors=True, dtype=torch.float32
        )
    # Stock models take `num_items_in_batch` and ignore it. Were the Trainer to rely on it, gradients would grow with
    # the number of accumulated batches.
    model.accepts_loss_kwargs = False  # type: ignore[assignment]
    return model


def _encoder_crf(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PreTrainedModel:
    given = {**_label_maps(labels), "untagged_token_ids": untagged_token_ids(tokenizer)}
    own = {key: value for key, value in settings.items() if key != "encoder_config"}
    config = _encoder_config(arguments, settings, tokenizer)
    if arguments.model_name_or_path is None:
        return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=config, **given | own))
    return EncoderCrfForTokenClassification.from_encoder(
        arguments.model_name_or_path, encoder_config=config, **given | own
    )


def _encoder_config(
    arguments: RecipeArguments, settings: dict[str, Any], tokenizer: PreTrainedTokenizerBase
) -> PreTrainedConfig:
    """Return the configuration of the encoder: that of `model_name_or_path`, or a new one; settings come last."""
    given = settings.get("encoder_config") or {}
    if not isinstance(given, dict):
        raise RecipeError(f"`encoder_config` must be a mapping such as {{model_type: bert}}, got {given!r}.")
    if arguments.model_name_or_path is not None:
        config = AutoConfig.from_pretrained(arguments.model_name_or_path)
        if config.model_type in CONFIGURATIONS:
            raise RecipeError(
                f"{arguments.model_name_or_path} is a {config.model_type}; expected an encoder of transformers."
            )
        _refuse_unknown(given, config)
        return AutoConfig.from_pretrained(arguments.model_name_or_path, **given)
    model_type = str(given.get("model_type"))
    if model_type not in CONFIG_MAPPING:
        raise RecipeError(
            f"model_type {arguments.model_type} needs `model_name_or_path`, or an `encoder_config` with a "
            f"`model_type` of transformers such as bert, got {model_type!r}."
        )
    _refuse_unknown(given, CONFIG_MAPPING[model_type]())
    of_tokenizer = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    return AutoConfig.for_model(**of_tokenizer | given)


def _refuse_unknown(given: dict[str, Any], config: PreTrainedConfig) -> None:
    """Raise for a setting that the configuration would keep without a word and never read."""
    known = [*config.to_dict(), *config.attribute_map]
    for key in given:
        if key not in known:
            raise RecipeError(f"`encoder_config`: {config.model_type} has no setting {key!r}{nearest(key, known)}")


def _check_labels(name: str, config: PreTrainedConfig, labels: list[str]) -> None:
    """Refuse a model with a head that was trained for other labels; a bare encoder has none."""
    own = [str(label) for _, label in sorted((config.id2label or {}).items())]
    has_head = any("Classification" in architecture for architecture in config.architectures or [])
    if has_head and own != labels and own != [f"LABEL_{index}" for index in range(len(labels))]:
        raise RecipeError(f"{name} was trained for the labels {', '.join(own)}, but the data has {', '.join(labels)}.")
