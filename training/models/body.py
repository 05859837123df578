"""Beginning from a body: tokenizer, embeddings and LSTM of a language model or of any BiLSTM, under a fresh head."""

from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.user_error import UserError
from malmoi.inference.loading import LANGUAGE_MODEL, load_model, read_config, task_of
from malmoi.modeling.name_edges import UNLIMITED
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe, RecipeError, model_settings
from malmoi.training.models.dictionary_features import labels_of_classes
from malmoi.training.models.finished_model import BILSTMS, described_name, said_by_the_user
from malmoi.training.processes.launcher import say

SIZES = (
    *("vocab_size", "embedding_size", "ngram_sizes", "ngram_vocab_size", "ngram_embedding_size"),
    *("hidden_size", "num_hidden_layers"),
)
OF_TOKENIZER = ("pad_token_id", "unk_token_id")
OF_LEXICON = (
    *("lexicon_classes", "lexicon_sizes", "lexicon_vocab_size", "lexicon_token_length", "lexicon_embedding_size"),
)
PARTS = ("embeddings.", "lexicon.", "lstm.")
"""What the names of the weights of a body begin with."""
READING = "lstm.weight_ih_l0"
"""The weights by which the first layer reads embeddings, and dictionary features behind them."""


class Body(NamedTuple):
    """A model whose tokenizer, embeddings, dictionary features and LSTM others begin with, and what a user says."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    said: dict[str, Any]

    @property
    def has_lexicon(self) -> bool:
        """Tell whether it has dictionary features."""
        return bool(self.model.config.lexicon_classes)

    def describe(self, labels: list[str]) -> dict[str, Any]:
        """Return what a report says of the beginning of a training with these labels; no path of this machine."""
        return {
            "model": described_name(self.name),
            "task": task_of(self.model.config),
            "taken_over": ["tokenizer", "embeddings", *(["lexicon"] if self.has_lexicon else []), "lstm"],
            "new_labels": labels,
        }

    def settings_used(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a report with those that the body brought instead of those of the recipe."""
        dropped = ("tokenizer", "tokenizer_min_frequency", "tokenizer_vocab_size", *(["lexicon"] * self.has_lexicon))
        used = {key: value for key, value in settings.items() if key not in dropped}
        return used | {key: value for key, value in self.settings(used).items() if key in used}

    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a model with the sizes of the body in the place of its own.

        Raises:
            RecipeError: If the user says another size.
        """
        config = self.model.config
        own = {key: getattr(config, key) for key in (*SIZES, *OF_TOKENIZER, *(OF_LEXICON if self.has_lexicon else ()))}
        layers = settings.get("num_hidden_layers", own["num_hidden_layers"])
        if isinstance(layers, int) and layers > own["num_hidden_layers"]:  # further ones stand on top
            own["num_hidden_layers"] = layers
        if self.has_lexicon:
            labels = labels_of_classes(settings, self.said, config.lexicon_classes)
            own["lexicon_labels"] = labels if labels or "lexicon_labels" in self.said else config.lexicon_labels
        for key, value in own.items():
            if key in self.said and self.said[key] != value:
                raise RecipeError(
                    f"`{key}` of {self.name} is {value}, and what begins from it keeps it; got {self.said[key]}."
                )
        return settings | own

    def other_sizes(self, settings: dict[str, Any]) -> str:
        """Return in words which sizes are others than in settings of a recipe; nothing if none is."""
        wins = self.settings(settings)
        others = [
            f"{key} {wins[key]} instead of {settings[key]}"
            for key in SIZES
            if wins[key] != settings.get(key, wins[key])
        ]
        return f"; its sizes: {', '.join(others)}" if others else ""


def find_body(arguments: RecipeArguments, recipe: Recipe) -> Body | None:
    """Return the body that `model_name_or_path` names; `None` if it names nothing, or is for an encoder.

    Raises:
        UserError: If it is no BiLSTM of ours, cannot be loaded, or what the user says does not fit it.
    """
    name = arguments.model_name_or_path
    if name is None or arguments.model_type not in BILSTMS:
        return None
    own_task = task_of(read_config(name))
    loaded = load_model(name, own_task if own_task == LANGUAGE_MODEL else None)
    said = said_by_the_user(recipe)
    if said.get("tokenizer") not in (None, name):
        raise RecipeError(
            f"What begins from {name} has its tokenizer: leave out `tokenizer: {said['tokenizer']}`, or "
            "`model_name_or_path`."
        )
    # an LSTM reads texts of any length, whatever it was trained on
    loaded.tokenizer.model_max_length = UNLIMITED
    keys = model_settings(arguments.model_type)
    body = Body(name, loaded.model, loaded.tokenizer, {key: value for key, value in said.items() if key in keys})
    if said.get("lexicon") and body.has_lexicon:
        raise RecipeError(f"{name} has a lexicon, which is taken over; leave out `lexicon: {said['lexicon']}`.")
    if arguments.lexicon and not body.has_lexicon and not arguments.body_trained:
        raise RecipeError(
            "With `lexicon` the LSTM of a body has new inputs, which it must learn to read; leave out "
            "`body_trained: false`."
        )
    return body


@torch.no_grad()
def take_over(model: PreTrainedModel, body: Body, *, trained: bool) -> None:
    """Give a model the weights of a body; further layers, and columns for dictionary features, stay as drawn.

    Args:
        model: The model, with the sizes of the body.
        body: The body.
        trained: Whether its weights are trained further; otherwise they stay as they are.

    Raises:
        UserError: If the weights do not fit, as the body was changed by hand.
    """
    weights = model.state_dict()
    parameters = dict(model.named_parameters())
    for name, tensor in body.model.state_dict().items():
        if not name.startswith(PARTS):
            continue
        mine = weights[name]
        reads_more = name.startswith(READING) and mine.size(0) == tensor.size(0) and mine.size(1) > tensor.size(1)
        if mine.shape != tensor.shape and not reads_more:
            raise UserError(f"{body.name}: its {name} is {tuple(tensor.shape)}, expected {tuple(mine.shape)}.")
        # embeddings come first among the inputs
        mine[tuple(slice(size) for size in tensor.shape)] = tensor
        if name in parameters and not trained:
            parameters[name].requires_grad = False


def say_beginning(body: Body, settings: dict[str, Any], *, trained: bool) -> None:
    """Say in one line what a training begins from."""
    parts = "embeddings, lexicon and LSTM" if body.has_lexicon else "embeddings and LSTM"
    stay = "" if trained else ", which stay as they are"
    say(
        f"Beginning from {body.name}: its tokenizer of {len(body.tokenizer):,} tokens, {parts}{stay}"
        f"{body.other_sizes(settings)}."
    )


__all__ = ["Body", "find_body", "say_beginning", "take_over"]
