"""From a recipe to a model, with fresh weights or with those of a pretrained encoder."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import one_line
from malmoi.data.token_features import untagged_token_ids
from malmoi.inference.loading import LANGUAGE_MODEL
from malmoi.inference.model_names import without_waiting_for_the_hub
from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import CONFIGURATIONS, ENCODER, RecipeError, nearest
from malmoi.training.models.encoder_body import EncoderBody
from malmoi.training.models.language_model import BiLstmLanguageModel
from malmoi.training.models.tokenizers import check_training_name
from malmoi.training.tasks import Task


class ModelRequest(NamedTuple):
    """What a model is built from: what it is to learn, the recipe, its settings of the model, labels and tokenizer."""

    task: Task
    arguments: RecipeArguments
    settings: dict[str, Any]
    labels: list[str]
    tokenizer: PreTrainedTokenizerBase
    body: EncoderBody | None

    def of_labels(self) -> dict[str, Any]:
        """Return what a configuration says of the labels."""
        return {
            "id2label": dict(enumerate(self.labels)),
            "label2id": {label: index for index, label in enumerate(self.labels)},
        }

    def of_tokenizer(self) -> dict[str, Any]:
        """Return what a configuration says of the tokenizer."""
        return {
            "vocab_size": len(self.tokenizer),
            "pad_token_id": self.tokenizer.pad_token_id,
            "unk_token_id": self.tokenizer.unk_token_id,
        }


def build_model(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
    *,
    body: EncoderBody | None = None,
) -> PreTrainedModel:
    """Build the model of a recipe for these labels and this tokenizer.

    Args:
        task: What the model is to learn.
        arguments: The recipe.
        settings: The recipe's settings of the model's configuration.
        labels: The labels, in the order of their ids.
        tokenizer: The tokenizer.
        body: The finished model whose encoder is begun from, if any.

    Raises:
        RecipeError: If the configuration refuses a setting, the encoder cannot be had, or it is a model that was
            trained for other labels.
    """
    build = {"bilstm": _bilstm, "bilstm_crf": _bilstm_crf, "encoder": _encoder, "encoder_crf": _encoder_crf}
    # what any other architecture begins from was loaded before, and is looked for no more
    name = arguments.model_name_or_path if arguments.model_type.startswith(ENCODER) and body is None else None
    if name is not None:
        check_training_name(name, flag="model_name_or_path")
    try:
        with without_waiting_for_the_hub(name or "."):
            model: PreTrainedModel = build[arguments.model_type](
                ModelRequest(task, arguments, settings, labels, tokenizer, body)
            )
    except OSError as error:
        if Path(str(arguments.model_name_or_path)).is_dir():
            raise RecipeError(
                f"{arguments.model_name_or_path}: expected the config.json and the safetensors of an encoder; pickles "
                f"are never loaded ({one_line(error)})"
            ) from error
        raise RecipeError(
            f"The encoder {arguments.model_name_or_path!r} is in no such folder and could not be fetched from the Hub "
            f"as safetensors ({type(error).__name__}; pickles are never loaded). Connect to the network, or give a "
            "folder by --model_name_or_path."
        ) from error
    except RecipeError:
        raise
    except (ValueError, TypeError, KeyError, RuntimeError, StrictDataclassError) as error:
        raise RecipeError(f"The settings of the model are wrong: {one_line(error)}") from error
    embedded = len(model.get_input_embeddings().weight)  # type: ignore[arg-type]
    # of the tokens that come after them, a lexicon alone knows
    if max(embedded, getattr(model.config, "lexicon_vocab_size", 0)) < len(tokenizer):
        raise RecipeError(f"The tokenizer has {len(tokenizer)} tokens, but the model only {embedded}.")
    return model


def _bilstm_crf(request: ModelRequest) -> PreTrainedModel:
    given = {
        **request.of_tokenizer(),
        **request.of_labels(),
        "untagged_token_ids": untagged_token_ids(request.tokenizer),
    }
    return BiLstmCrfForTokenClassification(BiLstmCrfConfig(**given | request.settings))


def _bilstm(request: ModelRequest) -> PreTrainedModel:
    if request.task.name == LANGUAGE_MODEL:
        return BiLstmLanguageModel(BiLstmConfig(**request.of_tokenizer() | request.settings))
    given = {**request.of_tokenizer(), **request.of_labels()}
    return BiLstmForSequenceClassification(BiLstmConfig(**given | request.settings))


def _encoder(request: ModelRequest) -> PreTrainedModel:
    auto_model: Any = request.task.auto_model
    name, body = request.arguments.model_name_or_path, request.body
    config = _encoder_config(request)
    if name is not None and body is None:
        _check_labels(name, config, request.labels)
    config.update(request.of_labels())
    model: PreTrainedModel = (
        auto_model.from_config(config)
        if name is None or body is not None
        else auto_model.from_pretrained(name, config=config, use_safetensors=True, dtype=torch.float32)
    )
    if body is not None:
        body.take_over(model.base_model)
    # Stock models take `num_items_in_batch` and ignore it. Were the Trainer to rely on it, gradients would grow with
    # the number of accumulated batches.
    model.accepts_loss_kwargs = False  # type: ignore[assignment]
    return model


def _encoder_crf(request: ModelRequest) -> PreTrainedModel:
    given = {**request.of_labels(), "untagged_token_ids": untagged_token_ids(request.tokenizer)}
    own = {key: value for key, value in request.settings.items() if key != "encoder_config"}
    config = _encoder_config(request)
    name, body = request.arguments.model_name_or_path, request.body
    if body is not None:
        model = EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=config, **given | own))
        body.take_over(model.encoder)
        return model
    if name is None:
        return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=config, **given | own))
    return EncoderCrfForTokenClassification.from_encoder(name, encoder_config=config, **given | own)


def _encoder_config(request: ModelRequest) -> PreTrainedConfig:
    """Return the configuration of the encoder: that of `model_name_or_path`, or a new one; settings come last."""
    if request.body is not None:
        return request.body.config()
    name = request.arguments.model_name_or_path
    given = request.settings.get("encoder_config") or {}
    if not isinstance(given, dict):
        raise RecipeError(f"`encoder_config` must be a mapping such as {{model_type: bert}}, got {given!r}.")
    if name is not None:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        if config.model_type in CONFIGURATIONS:
            raise RecipeError(f"{name} is a {config.model_type}; expected an encoder of transformers.")
        _refuse_unknown(given, config)
        return AutoConfig.from_pretrained(name, trust_remote_code=False, **given)
    model_type = str(given.get("model_type"))
    if model_type not in CONFIG_MAPPING:
        raise RecipeError(
            f"model_type {request.arguments.model_type} needs `model_name_or_path`, or an `encoder_config` with a "
            f"`model_type` of transformers such as bert, got {model_type!r}."
        )
    _refuse_unknown(given, CONFIG_MAPPING[model_type]())
    of_tokenizer = {key: value for key, value in request.of_tokenizer().items() if key != "unk_token_id"}
    return AutoConfig.for_model(**of_tokenizer | given)


def _refuse_unknown(given: dict[str, Any], config: PreTrainedConfig) -> None:
    """Raise for a setting that the configuration would keep without a word and never read."""
    known = [*config.to_dict(), *config.attribute_map]
    for key in given:
        if key not in known:
            raise RecipeError(f"`encoder_config`: {config.model_type} has no setting {key!r}{nearest(key, known)}")


def _check_labels(name: str, config: PreTrainedConfig, labels: list[str]) -> None:
    """Refuse a model with a head that was trained for other labels; a bare encoder has none."""
    own = labels_of(config)
    has_head = any("Classification" in architecture for architecture in config.architectures or [])
    if has_head and own != labels and own != [f"LABEL_{index}" for index in range(len(labels))]:
        raise RecipeError(f"{name} was trained for the labels {', '.join(own)}, but the data has {', '.join(labels)}.")
