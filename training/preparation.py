"""Everything that a training needs before its first step: data, tokenizer, model, features."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from datasets import Dataset, DatasetDict
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed

from malmoi.data.longest_input import longest_input
from malmoi.data.notice import notify
from malmoi.data.readers import READERS
from malmoi.data.splits.faults import split_faults
from malmoi.data.token_spelling import with_all_characters
from malmoi.embeddings.pretrained_embeddings import PretrainedEmbeddings, load_embeddings, set_embeddings
from malmoi.inference.loading import TASK_KEY
from malmoi.modeling.name_edges import UNLIMITED
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.evaluation import Evaluation
from malmoi.training.models.architectures import build_model
from malmoi.training.models.body import Body, find_body, say_beginning, take_over
from malmoi.training.models.dictionary_features import (
    labels_of_classes,
    lexicon_settings,
    load_lexicons,
    set_lexicon,
)
from malmoi.training.models.encoder_body import EncoderBody, find_encoder_body
from malmoi.training.models.finished_model import (
    FinishedModel,
    find_finished_model,
    labels_to_learn,
    said_by_the_user,
    train_on,
)
from malmoi.training.models.tokenizers import load_tokenizer
from malmoi.training.processes.launcher import say
from malmoi.training.reading import is_recognised, recognised
from malmoi.training.request import TrainingRequest
from malmoi.training.silver_labels import SilverTexts, find_silver_texts, with_silver
from malmoi.training.tasks import Task


class Preparation(NamedTuple):
    """What a training starts from."""

    splits: DatasetDict
    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel
    labels: list[str]
    """Those of the model, in the order of their ids; one that is trained on may have some that the data lack."""
    max_length: int | None
    """How many tokens the model sees at once; `None` if there is no limit."""
    train: Dataset
    """The features of the training set, augmented."""
    evaluations: dict[str, Evaluation]
    """What judges the model, for each split but the training set."""
    embeddings: dict[str, Any] | None
    """What a report says of pretrained embeddings, if there are any."""
    finished: FinishedModel | Body | EncoderBody | None
    """The finished model that is trained on, or the body or encoder that is begun from, if any."""
    silver: SilverTexts | None
    """The texts with labels of finished models in the training set, if any."""


class Parts:
    """How the parts of a preparation are made that several trainings on the same data may share."""

    def splits(self, request: TrainingRequest) -> DatasetDict:
        """Read the data, and say in which format they were found to be and what is wrong with their division."""
        arguments = request.arguments
        seed = request.training_arguments.seed
        splits = load_splits(request.task, arguments, seed=seed, dataset=request.recipe.dataset)
        if arguments.data_dir is not None and is_recognised(request.recipe, arguments):
            say(recognised(arguments.data_dir, arguments.reader, splits))
        for fault in split_faults(splits):
            notify(fault)
        return splits

    def silver(self, request: TrainingRequest, splits: DatasetDict, chosen: Dataset) -> SilverTexts | None:
        """Return the texts that finished models label, if the recipe asks for any; none is one of other splits."""
        return find_silver_texts(request, splits, chosen)

    def looked_at(self, splits: DatasetDict) -> DatasetDict:
        """Return the splits that a model is trained and judged on: all of them."""
        return splits

    def tokenizer(self, arguments: RecipeArguments, texts: Sequence[str]) -> PreTrainedTokenizerBase:
        """Build or load the tokenizer of a recipe."""
        return load_tokenizer(arguments, texts)

    def features(
        self, task: Task, rows: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
    ) -> Dataset:
        """Return what a model is trained and judged on."""
        return task.features(rows, tokenizer, max_length=max_length)


def prepare(request: TrainingRequest, parts: Parts | None = None) -> Preparation:
    """Read the data, and build tokenizer, model and features.

    All random numbers follow from the seed: those of new weights, of the share of the training set and of what
    augments it.

    Args:
        request: What the training is asked to do.
        parts: How parts are made that several trainings may share; by default they are made anew.

    Raises:
        UserError: If data, tokenizer, encoder or embeddings cannot be had or do not fit together.
    """
    task, arguments, seed = request.task, request.arguments, request.training_arguments.seed
    parts = parts or Parts()
    set_seed(seed)
    encoder = find_encoder_body(task, arguments, request.recipe)
    finished = find_finished_model(task, arguments, request.recipe) if encoder is None else None
    body = find_body(arguments, request.recipe) if finished is None else None
    splits = parts.splits(request)
    chosen = draw_fraction(splits["train"], arguments.train_fraction, seed=seed)
    silver = parts.silver(request, splits, chosen)
    splits = parts.looked_at(splits)
    if finished is not None:
        labels = labels_to_learn(finished, task.labels(chosen))
        model, tokenizer, embeddings = train_on(finished, labels), finished.tokenizer, None
    else:
        learned = with_silver(chosen, silver)
        said = said_by_the_user(request.recipe)
        begun_from = body or encoder
        tokenizer = parts.tokenizer(arguments, learned["text"]) if begun_from is None else begun_from.tokenizer
        model, tokenizer, embeddings = new_model(
            task, arguments, request.settings, task.labels(learned), tokenizer, begun_from, said=said
        )
        labels = task.labels(chosen)
    model.config.update({TASK_KEY: task.name})
    max_length = input_length(arguments, model, tokenizer)
    train = with_silver(task.augment(task.with_labels(chosen, labels), arguments, seed=seed), silver)
    train = task.with_noise(train, arguments, seed=seed)
    evaluated = {split: task.with_labels(rows, labels) for split, rows in splits.items() if split != "train"}
    evaluations = {
        split: task.evaluation(parts.features(task, rows, tokenizer, max_length=max_length), rows, train=chosen)
        for split, rows in evaluated.items()
    }
    return Preparation(
        splits,
        tokenizer,
        model,
        labels,
        max_length,
        parts.features(task, train, tokenizer, max_length=max_length),
        evaluations,
        None if embeddings is None else describe_embeddings(embeddings, list(chosen["text"]), tokenizer),
        body or encoder or finished,
        silver,
    )


def new_model(
    task: Task,
    arguments: RecipeArguments,
    settings: dict[str, Any],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
    begun_from: Body | EncoderBody | None,
    *,
    said: dict[str, Any],
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, PretrainedEmbeddings | None]:
    """Build the model of a recipe, with what it begins from: a body, pretrained embeddings, a lexicon.

    Args:
        task: What the model is to learn.
        arguments: The recipe.
        settings: The recipe's settings of the model's configuration.
        labels: The labels, in the order of their ids.
        tokenizer: The tokenizer of the recipe, or of what the model begins from.
        begun_from: What the model begins from, if anything.
        said: What the user says.

    Returns:
        The model, its tokenizer, and the pretrained embeddings that it began with, if any.
    """
    tokenizer = task.prepare_tokenizer(tokenizer)
    body = begun_from if isinstance(begun_from, Body) else None
    encoder = begun_from if isinstance(begun_from, EncoderBody) else None
    if body is not None:
        say_beginning(body, settings, trained=arguments.body_trained)
        settings = body.settings(settings)
    embeddings = load_embeddings(arguments.embeddings, tokenizer) if arguments.embeddings else None
    if embeddings is not None:
        asked = settings.get("embedding_size", embeddings.width)
        if asked != embeddings.width:
            say(f"Embeddings are {embeddings.width} wide, as in {arguments.embeddings}, instead of {asked}.")
        settings = settings | {"embedding_size": embeddings.width}
    has_lexicon = body is not None and body.has_lexicon
    lexicon = load_lexicons(arguments.lexicon) if arguments.lexicon and not has_lexicon else None
    if lexicon is not None:
        settings = settings | {"vocab_size": len(tokenizer)}
        tokenizer = with_all_characters(tokenizer)
        settings = settings | lexicon_settings(lexicon, tokenizer)
        settings["lexicon_labels"] = labels_of_classes(settings, said, lexicon.classes)
    model = build_model(task, arguments, settings, labels, tokenizer, body=encoder)
    if embeddings is not None:
        set_embeddings(model, embeddings, trained=arguments.embeddings_trained)
    if lexicon is not None:
        set_lexicon(model, lexicon, tokenizer)
    if body is not None:
        take_over(model, body, trained=arguments.body_trained)
    return model, tokenizer, embeddings


def load_splits(task: Task, arguments: RecipeArguments, *, seed: int, dataset: object = None) -> DatasetDict:
    """Read the data of a training: what the arguments name, or a dataset given in Python.

    Raises:
        RecipeError: If a split is missing.
    """
    splits = task.read(arguments, seed=seed, dataset=dataset)
    for split in ("train", "validation"):
        if split not in splits and "train" in splits and not READERS[arguments.reader].is_divided:
            raise RecipeError(
                "There are too few sentences to cut any for validation from them: expected at least two that differ, "
                f"got {splits['train'].num_rows}."
            )
        if split not in splits:
            what = f"{split} file" if arguments.data_dir else f"{split} split"
            place = arguments.data_dir or arguments.dataset or "The data set"
            raise RecipeError(f"{place} holds no {what} for the reader {arguments.reader}.")
    return splits


def draw_fraction(dataset: Dataset, fraction: float, *, seed: int) -> Dataset:
    """Return so large a share of the rows, drawn by the seed, in their old order."""
    if fraction == 1:
        return dataset
    count = max(1, round(fraction * dataset.num_rows))
    return dataset.select(sorted(random.Random(seed).sample(range(dataset.num_rows), count)))


def input_length(arguments: RecipeArguments, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return how many tokens the model is to see at once; `None` if there is no limit.

    The tokenizer takes over the limit, so that it travels with the saved model.

    Raises:
        RecipeError: If the recipe asks for more than the model can take.
    """
    longest = longest_input(model.config, tokenizer)
    asked = arguments.max_seq_length
    if longest is not None and asked is not None and asked > longest:
        raise RecipeError(f"`max_seq_length` must be at most {longest} for this model, got {asked}.")
    max_length = longest if asked is None else asked
    tokenizer.model_max_length = UNLIMITED if max_length is None else max_length
    return max_length


def describe_embeddings(
    embeddings: PretrainedEmbeddings, texts: list[str], tokenizer: PreTrainedTokenizerBase
) -> dict[str, Any]:
    """Return how wide pretrained embeddings are and how much of the vocabulary and of the training text has one."""
    coverage = embeddings.coverage(tokenizer(texts, verbose=False)["input_ids"])
    return {
        "embedding_size": embeddings.width,
        "covered_vocabulary": coverage.vocabulary,
        "covered_training_tokens": coverage.occurrences,
    }
