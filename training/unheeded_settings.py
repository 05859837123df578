"""What a user says and a training cannot heed, because of what else was said, or what it begins from."""

from collections.abc import Iterator, Mapping

from transformers.training_args import OptimizerNames

from malmoi.data.model_labels import labels_of
from malmoi.data.notice import list_names
from malmoi.recipes.arguments import RecipeArguments
from malmoi.training.models.finished_model import said_by_the_user
from malmoi.training.optimizer import unread_by_optimizer
from malmoi.training.preparation import Preparation
from malmoi.training.processes.launcher import say
from malmoi.training.request import TrainingRequest

OF_NOISE = ("space_noise_drop_all_probability", "space_noise_drop_probability", "space_noise_add_probability")
OF_LEXICONS = ("lexicon_labels", "lexicon_embedding_size", "lexicon_dropout")
OF_NGRAMS = ("ngram_vocab_size", "ngram_embedding_size")
BUILT = {"tokenizer_min_frequency": "syllables", "tokenizer_vocab_size": "wordpiece"}
"""The tokenizer that each of these is about."""


def say_unheeded(request: TrainingRequest, prepared: Preparation) -> None:
    """Say in one line each what a user has said and what changes nothing, and why.

    It is no error: recipes are copied and changed, and say more than the changed one needs.
    """
    said = said_by_the_user(request.recipe)
    for key, why in _unheeded(request, prepared):
        if key in said:
            say(f"`{key}` changes nothing here: {why}.")
    named = said.get("lexicon_labels")
    types = dict.fromkeys(label.removeprefix("B-").removeprefix("I-") for label in labels_of(prepared.model.config))
    unknown = [label for label in named if label not in types] if isinstance(named, Mapping) else []
    if unknown and getattr(prepared.model.config, "lexicon_classes", None):
        known = [label for label in types if label != "O"]
        say(f"`lexicon_labels` names {list_names(unknown)}, but the labels of the model are {list_names(known)}.")


def _unheeded(request: TrainingRequest, prepared: Preparation) -> Iterator[tuple[str, str]]:
    """Give every key that changes nothing, whoever says it, and why."""
    arguments, config = request.arguments, prepared.model.config
    begun_from = None if prepared.finished is None else prepared.finished.name
    tokenizer = begun_from or arguments.tokenizer or arguments.model_name_or_path or "syllables"
    for key, about in BUILT.items():
        if tokenizer != about:
            yield key, f"it is about the tokenizer {about}, and the tokenizer is that of {tokenizer}"
    if arguments.early_stopping_patience is None:
        yield "early_stopping_threshold", "without `early_stopping_patience` nothing ends a training early"
    if _is_zero(arguments, "name_replacement_copies"):
        yield "name_replacement_probability", "without `name_replacement_copies` no name is replaced"
    if _is_zero(arguments, "space_noise_probability"):
        for key in OF_NOISE:
            yield key, "without `space_noise_probability` no spaces are changed"
    if not getattr(config, "lexicon_classes", None):
        for key in OF_LEXICONS:
            yield key, "the model has no `lexicon`"
    if not getattr(config, "ngram_sizes", None):
        for key in OF_NGRAMS:
            yield key, "the model has no n-grams, whose lengths `ngram_sizes` names"
    learned = [name for name, parameter in prepared.model.named_parameters() if parameter.requires_grad]
    if not any(name.startswith("embeddings.") for name in learned):
        yield "embeddings_learning_rate", "the embeddings stay as they are"
    optimizer = OptimizerNames(request.training_arguments.optim).value
    for key in unread_by_optimizer(prepared.model, request.training_arguments):
        yield key, f"the optimizer {optimizer} does not read it"
    if request.training_arguments.max_steps > 0:
        yield "num_train_epochs", "`max_steps` says how long the training is"


def _is_zero(arguments: RecipeArguments, key: str) -> bool:
    """Tell whether what the other keys are about is not wanted; a task that has no such key has none of the others."""
    return not vars(arguments).get(key)
