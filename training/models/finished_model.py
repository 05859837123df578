"""Training on from a finished model: its tokenizer, its labels and its weights, and rows for labels that are new."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import one_line
from malmoi.inference.bundled_models import model_place
from malmoi.inference.engine import TEMPERATURES
from malmoi.inference.loading import LANGUAGE_MODEL, TASK_KEY, load_model, read_config, task_of
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import CONFIGURATIONS, ENCODER, Recipe, RecipeError, model_settings, nearest
from malmoi.training.processes.launcher import say
from malmoi.training.recipe_arguments import typed_value
from malmoi.training.tasks import Task

# settings that weights have the shape of, or that belong to the tokenizer
KEPT = (
    *("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers", "ngram_sizes", "ngram_vocab_size"),
    *("ngram_embedding_size", "classifier_hidden_size", "classifier_window", "pooling", "pad_token_id"),
    *("unk_token_id", "untagged_token_ids"),
)


BILSTMS = ("bilstm", "bilstm_crf")
"""The architectures whose embeddings and LSTM another one of them can take over."""


class FinishedModel(NamedTuple):
    """A finished model from which a training goes on, and what recipe and flags say about it."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: dict[str, Any]

    @property
    def labels(self) -> list[str]:
        """Return the labels of the model, in the order of their ids."""
        return labels_of(self.model.config)

    def describe(self, labels: list[str]) -> dict[str, Any]:
        """Return what a report says of the beginning of a training with these labels; no path of this machine."""
        return {
            "model": described_name(self.name),
            "new_labels": [label for label in labels if label not in self.labels],
        }

    def settings_used(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a report with those that this model brought instead of those of the recipe."""
        of_tokenizer = ("tokenizer", "tokenizer_min_frequency", "tokenizer_vocab_size", "encoder_config")
        used = {key: value for key, value in settings.items() if key not in of_tokenizer}
        if self.model.config.model_type not in CONFIGURATIONS:
            return used
        own = self.model.config.to_dict()
        brought = (used.keys() & own.keys()) - {"model_type"} - self.settings.keys()
        return used | {key: own[key] for key in brought}


def find_finished_model(task: Task, arguments: RecipeArguments, recipe: Recipe) -> FinishedModel | None:
    """Return the finished model that `model_name_or_path` names; `None` if it names a bare encoder, or nothing.

    A BiLSTM of another task or architecture is a body (`malmoi.training.models.body`), so that is `None` too; an
    encoder of another task or head was found by `malmoi.training.models.encoder_body`.

    Raises:
        UserError: If the model is of another architecture, or what the user says does not fit it.
    """
    name = arguments.model_name_or_path
    if name is None:
        return None
    if arguments.model_type.startswith(ENCODER):
        config = config_of_encoder(str(model_place(name)))
        if config is None or not is_of_malmoi(config):
            return None
    else:
        config = read_config(name)
        if config.model_type in BILSTMS and (config.model_type, task_of(config)) != (arguments.model_type, task.name):
            return None
        if task.name == LANGUAGE_MODEL:  # what it predicted tokens with is not kept
            return None
    loaded = load_model(name, None)
    config = loaded.model.config
    # a stock encoder bears its own name
    ours = config.model_type in CONFIGURATIONS
    if config.model_type != arguments.model_type and (ours or arguments.model_type != ENCODER):
        raise RecipeError(
            f"{name} has the architecture {config.model_type}, but `model_type` is {arguments.model_type}; what is "
            "trained on from is a finished model of the same architecture."
        )
    if not arguments.body_trained:
        raise RecipeError(
            f"`body_trained: false` leaves a body as it is under a fresh head, but {name} has the same task and "
            "architecture, so it is trained on with its head, as a whole; leave out `body_trained`."
        )
    said = said_by_the_user(recipe)
    if said.get("tokenizer") not in (None, name):
        raise RecipeError(
            f"A model that is trained on keeps its own tokenizer: leave out `tokenizer: {said['tokenizer']}`, or "
            "`model_name_or_path`."
        )
    if said.get("lexicon"):
        raise RecipeError(
            f"A model that is trained on keeps its features: leave out `lexicon: {said['lexicon']}`, or "
            "`model_name_or_path`."
        )
    settings = {key: value for key, value in said.items() if key in model_settings(arguments.model_type)}
    for key in KEPT:
        own = getattr(config, key, None)
        if key in settings and settings[key] != own:
            raise RecipeError(f"`{key}` of {name} is {own}, and a model that is trained on keeps it; got {said[key]}.")
    return FinishedModel(name, loaded.model, loaded.tokenizer, settings)


def config_of_encoder(name: str) -> PreTrainedConfig | None:
    """Return the configuration of an encoder; `None` if it cannot be had, which is reported where it is needed."""
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(name)
    except (OSError, ValueError):
        return None
    return config


def is_of_malmoi(config: PreTrainedConfig) -> bool:
    """Tell whether an encoder is a finished model of ours, and not a pretrained one."""
    return config.model_type in CONFIGURATIONS or TASK_KEY in config.to_dict()


def described_name(name: str) -> str:
    """Return the name of a model as a published report may show it: no path of this machine."""
    return Path(name).resolve().name if Path(name).exists() else name


def said_by_the_user(recipe: Recipe) -> dict[str, Any]:
    """Return what the user says: flags, and the settings of a recipe that is not one of the package."""
    said = recipe.flags if recipe.is_of_the_package else {**recipe.settings, **recipe.flags}
    return {key: typed for key, value in said.items() if (typed := typed_value(value)) is not None}


def labels_to_learn(finished: FinishedModel, of_data: list[str]) -> list[str]:
    """Return the labels of the model, and after them those of the data that it lacks."""
    return [*finished.labels, *(label for label in of_data if label not in finished.labels)]


def train_on(finished: FinishedModel, labels: list[str]) -> PreTrainedModel:
    """Return the model with rows for new labels, in float32; all else is what it was.

    Raises:
        RecipeError: If a setting that the user gives does not fit the weights.
    """
    old = len(finished.labels)
    # a temperature was fitted to the weights as they were
    own = {key: value for key, value in finished.model.config.to_dict().items() if key not in TEMPERATURES}
    given = dict(finished.settings)
    encoder = given.pop("encoder_config", None)
    if encoder is not None:
        nested = own.get("encoder_config", own)
        for key in encoder:
            if key not in nested:
                raise RecipeError(f"`encoder_config`: {finished.name} has no setting {key!r}{nearest(key, nested)}")
        given |= {"encoder_config": {**nested, **encoder}} if "encoder_config" in own else encoder
    of_labels = {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    try:
        config = type(finished.model.config).from_dict({**own, **given, **of_labels})
        model: PreTrainedModel = type(finished.model)(config).float()
    except (ValueError, TypeError, KeyError, RuntimeError, StrictDataclassError) as error:
        raise RecipeError(f"The settings of the model are wrong: {one_line(error)}") from error
    if config.model_type not in CONFIGURATIONS:
        # as in `architectures`: stock models take `num_items_in_batch` and ignore it
        model.accepts_loss_kwargs = False  # type: ignore[assignment]
    _take_over(model, finished, old, len(labels))
    new = labels[old:]
    say(
        f"Training on from {finished.name}: its tokenizer of {len(finished.tokenizer):,} tokens, its {old} labels and "
        f"all its weights{'; new labels: ' + ', '.join(new) if new else ''}."
    )
    return model


@torch.no_grad()
def _take_over(model: PreTrainedModel, finished: FinishedModel, old: int, new: int) -> None:
    """Copy all weights; new labels come after the old ones, so that their rows and columns stay as they were drawn."""
    weights = model.state_dict()
    for name, tensor in finished.model.state_dict().items():
        mine = weights.get(name, torch.empty(0))
        fits = mine.dim() == tensor.dim() and all(
            m == t or (t, m) == (old, new) for m, t in zip(mine.shape, tensor.shape)
        )
        if not fits:
            raise RecipeError(
                f"{finished.name}: its {name} is {tuple(tensor.shape)}, but the settings given ask for "
                f"{tuple(mine.shape)}; a model that is trained on keeps its sizes."
            )
        mine[tuple(slice(size) for size in tensor.shape)] = tensor
