"""Beginning from the encoder of a finished model: with its tokenizer, for another task or under another head."""

from typing import Any, NamedTuple

import torch
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.inference.bundled_models import model_place
from malmoi.inference.engine import TEMPERATURES
from malmoi.inference.loading import TASK_KEY, load_model, task_of
from malmoi.modeling import EncoderCrfForTokenClassification
from malmoi.modeling.name_edges import UNLIMITED
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import CONFIGURATIONS, ENCODER, Recipe, RecipeError, nearest
from malmoi.training.models.finished_model import config_of_encoder, described_name, is_of_malmoi, said_by_the_user
from malmoi.training.processes.launcher import say
from malmoi.training.tasks import Task

POOLER = "pooler."
OF_OLD_MODEL = (
    "_name_or_path",
    TASK_KEY,
    *TEMPERATURES,
    "id2label",
    "label2id",
    "num_labels",
    "architectures",
    "problem_type",
    "auto_map",
)


class EncoderBody(NamedTuple):
    """A finished model whose tokenizer and encoder another one begins with, and what the user says of the encoder."""

    name: str
    task: str | None
    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    said: dict[str, Any]

    def describe(self, labels: list[str]) -> dict[str, Any]:
        """Return what a report says of the beginning of a training with these labels; no path of this machine."""
        return {
            "model": described_name(self.name),
            "task": self.task,
            "taken_over": ["tokenizer", "encoder"],
            "new_labels": labels,
        }

    def settings_used(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a report without those that the finished model brought."""
        brought = ("tokenizer", "tokenizer_min_frequency", "tokenizer_vocab_size", "encoder_config")
        used = {key: value for key, value in settings.items() if key not in brought}
        return used | ({"encoder_config": self.said} if self.said else {})

    def config(self) -> PreTrainedConfig:
        """Return the configuration of the encoder, with what the user says.

        Raises:
            RecipeError: If it has no such setting.
        """
        own = {key: value for key, value in self.encoder.config.to_dict().items() if key not in OF_OLD_MODEL}
        for key in self.said:
            if key not in own:
                raise RecipeError(f"`encoder_config`: {self.name} has no setting {key!r}{nearest(key, own)}")
        return type(self.encoder.config).from_dict({**own, **self.said})

    @torch.no_grad()
    def take_over(self, encoder: torch.nn.Module) -> None:
        """Give a fresh encoder all weights; a pooler, which not every head has, may stay as it was drawn.

        Raises:
            RecipeError: If the weights do not fit, as the user gives other sizes.
        """
        weights = self.encoder.state_dict()
        for name, mine in encoder.state_dict().items():
            if name not in weights and name.startswith(POOLER):
                continue
            old = weights.get(name, torch.empty(0))
            if old.shape != mine.shape:
                raise RecipeError(
                    f"{self.name}: its {name} is {tuple(old.shape)}, but the settings given ask for "
                    f"{tuple(mine.shape)}; what begins from an encoder keeps its sizes."
                )
            mine.copy_(old)


def find_encoder_body(task: Task, arguments: RecipeArguments, recipe: Recipe) -> EncoderBody | None:
    """Return the finished model whose encoder is begun from; `None` if it is trained on as it is, or is none.

    Raises:
        UserError: If it cannot be loaded, or a tokenizer is given.
    """
    name = arguments.model_name_or_path
    if name is None or not arguments.model_type.startswith(ENCODER):
        return None
    config = config_of_encoder(str(model_place(name)))
    if config is None or not is_of_malmoi(config):  # a pretrained encoder
        return None
    architecture = config.model_type if config.model_type in CONFIGURATIONS else ENCODER
    if not architecture.startswith(ENCODER) or (architecture, task_of(config)) == (arguments.model_type, task.name):
        return None
    said = said_by_the_user(recipe)
    if said.get("tokenizer") not in (None, name):
        raise RecipeError(
            f"What begins from {name} has its tokenizer: leave out `tokenizer: {said['tokenizer']}`, or "
            "`model_name_or_path`."
        )
    given = said.get("encoder_config", {})
    if not isinstance(given, dict):
        raise RecipeError(f"`encoder_config` must be a mapping such as {{hidden_dropout_prob: 0.2}}, got {given!r}.")
    loaded = load_model(name, None)
    # how much it was to see at once belongs to its own training
    loaded.tokenizer.model_max_length = UNLIMITED
    model = loaded.model.float()
    encoder = model.encoder if isinstance(model, EncoderCrfForTokenClassification) else model.base_model
    assert isinstance(encoder, PreTrainedModel)
    say(f"Beginning from {name}: its tokenizer of {len(loaded.tokenizer):,} tokens and its encoder.")
    return EncoderBody(name, task_of(config), encoder, loaded.tokenizer, given)


__all__ = ["EncoderBody", "find_encoder_body"]
