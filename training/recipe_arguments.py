"""From a recipe to typed arguments, refusing values that would train something else than they say."""

import math
import random
import re
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import yaml
from transformers import HfArgumentParser, TrainingArguments
from transformers.trainer_utils import SchedulerType

from malmoi.data.notice import one_line
from malmoi.data.readers import readers_of
from malmoi.data.silver_text import read_raw_sentences
from malmoi.data.text_lines import is_file_or_pipe
from malmoi.recipes.arguments import (
    ARGUMENTS,
    LanguageModelArguments,
    NamedEntityArguments,
    RecipeArguments,
    SentenceClassificationArguments,
    SilverArguments,
    TaggingArguments,
)
from malmoi.recipes.recipe import ENCODER, Recipe, RecipeError, model_settings
from malmoi.recipes.search_space import SEARCH_SPACE
from malmoi.recipes.value_kinds import check_kinds
from malmoi.training.processes.launcher import launched_processes
from malmoi.training.processes.parallel_training import check_processes, settings_of_processes
from malmoi.training.tasks import Task

SHORTEST_INPUT = 4  # two special tokens and something to read
# schedules that follow a figure and have no learning rate of their own that could be multiplied
SCHEDULES_WITHOUT_BASE = ("greedy", "reduce_lr_on_plateau")

LESS_IS_BETTER = ("loss", "perplexity")
"""What the names of figures end in of which less is better."""
# values with which the Trainer would hand over less than figures are computed of, or change what is saved, and why
UNFIT_VALUES = {
    "prediction_loss_only": (True, "would leave nothing but a loss to choose the best model by and to report"),
    "remove_unused_columns": (False, "would give the model columns that it cannot read, such as texts"),
    "bf16_full_eval": (True, "would round the weights that are saved; `bf16` judges in bfloat16, too"),
    "fp16_full_eval": (True, "would round the weights that are saved; `fp16` judges in float16, too"),
}
OF_FILES = ("accelerator_config", "deepspeed", "fsdp_config")
"""Settings of which the value may also be a file."""
WITH_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
PROBABILITIES = (
    *("name_replacement_probability", "space_noise_probability", "space_noise_drop_all_probability"),
    *("space_noise_drop_probability", "space_noise_add_probability"),
)


class RecipeParser(HfArgumentParser):
    """The parser of transformers, which reports a wrong value instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found."""
        raise RecipeError(message)


def parse_recipe(recipe: Recipe) -> tuple[RecipeArguments, TrainingArguments, dict[str, Any]]:
    """Return the arguments of the task, the `TrainingArguments` and the settings of the model's configuration.

    Raises:
        RecipeError: If a value is not of the type of its key.
    """
    settings = {"output_dir": f"runs/{recipe.name}", **_as_meant(recipe.settings)}
    of_model = set(model_settings(recipe.model_type))
    parser = RecipeParser([ARGUMENTS[recipe.task], TrainingArguments], allow_abbrev=False)  # type: ignore[list-item]
    of_parser = {action.dest for action in parser._actions}
    given = {key: value for key, value in (settings | recipe.flags).items() if key in of_parser}
    given.pop(SEARCH_SPACE, None)  # `malmoi tune` reads it
    _check_silver_keys(given)
    if draws_seed(recipe):
        given["seed"] = _drawn_seed()
    check_kinds(given, [ARGUMENTS[recipe.task], TrainingArguments])
    if not str(given["output_dir"]).strip():
        raise RecipeError("`output_dir` must name a folder, got an empty text; left out, it follows from the recipe.")
    if str(given.get("do_train")).lower() == "false":
        raise RecipeError("`do_train: false` would train nothing; remove it, or use `malmoi evaluate`.")
    given |= _direction_of_best(recipe) | settings_of_processes(given) | _mappings(given)
    if given.get("deepspeed") is not None and find_spec("deepspeed") is None:
        raise RecipeError("`deepspeed` needs DeepSpeed: `pip install deepspeed`.")
    # what can be written on the command line goes through the parser, which checks its type
    written = {key: value for key, value in given.items() if isinstance(value, (str, int, float))}
    parser.set_defaults(**{key: value for key, value in given.items() if key not in written})
    # in one part: what begins with a hyphen, as a folder or -1e-3 may, would be taken for another flag
    argv = [f"--{key}={value}" for key, value in written.items()]
    try:
        arguments, training_arguments = parser.parse_args_into_dataclasses(args=argv)
    except (ValueError, ImportError) as error:
        raise RecipeError(one_line(error)) from error
    check_processes(training_arguments)
    if _schedule(training_arguments) in SCHEDULES_WITHOUT_BASE and training_arguments.greater_is_better:
        # by default they take less for better
        training_arguments.lr_scheduler_kwargs = {"mode": "max", **dict(training_arguments.lr_scheduler_kwargs or {})}
    model = {
        key: value for key, value in (settings | recipe.flags).items() if key in of_model and key not in of_parser
    }
    return arguments, training_arguments, {key: typed_value(value) for key, value in model.items()}


def _check_silver_keys(given: dict[str, Any]) -> None:
    """Refuse keys about a text that no one names; `silver_text: ""` says that there is none.

    Raises:
        RecipeError: With the first such key.
    """
    about_it = [key for key in given if key.startswith("silver_") and key != "silver_teachers"]
    alone = next((key for key in about_it if given[key] is not None), None)  # null is the default
    if alone is not None and "silver_text" not in given:
        raise RecipeError(f"`{alone}` is about the texts of `silver_text`, which is missing; give both, or neither.")


def _as_meant(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings as they were meant where YAML reads something else: `no` is the name of a strategy, not false.

    Nothing for `output_dir` is its default, and a date is a text.
    """
    meant: dict[str, Any] = {}
    for key, value in settings.items():
        if key == "output_dir" and value is None:
            continue
        if key.endswith("_strategy") and value is False:
            value = "no"
        meant[key] = str(value) if isinstance(value, date) else value
    return meant


def _mappings(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings that are mappings; one that is written on the command line may be YAML as in a recipe.

    Raises:
        RecipeError: If one is none.
    """
    mappings: dict[str, dict[str, Any]] = {}
    for key in TrainingArguments._VALID_DICT_FIELDS:
        value = given.get(key)
        mapping = typed_value(value)
        if isinstance(mapping, dict):
            mappings[key] = _with_exponents(mapping)
        elif value is not None and not (key in OF_FILES and Path(str(value)).is_file()):
            file = ", or a file that has it" if key in OF_FILES else ""
            raise RecipeError(f"`{key}` must be a mapping such as {{name: value}}{file}, got {value!r}.")
    return mappings


def _with_exponents(value: Any) -> Any:
    """Return a value of YAML in which `1e-5`, which JSON takes for a number and YAML for text, is one."""
    if isinstance(value, dict):
        return {key: _with_exponents(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_exponents(inner) for inner in value]
    return float(value) if isinstance(value, str) and WITH_EXPONENT.fullmatch(value) else value


def _direction_of_best(recipe: Recipe) -> dict[str, bool]:
    """Return `greater_is_better` for the figure of the best model, unless it is said where the figure is.

    A flag names another figure than the recipe, whose `greater_is_better` is about its own.
    """
    key = "metric_for_best_model"
    said = recipe.flags if key in recipe.flags else {**recipe.settings, **recipe.flags}
    if said.get(key) is None or said.get("greater_is_better") is not None:
        return {}
    return {"greater_is_better": not _less_is_better(str(said[key]))}


def _less_is_better(figure: str) -> bool:
    return figure.endswith(LESS_IS_BETTER)


def _schedule(training_arguments: TrainingArguments) -> str:
    return str(SchedulerType(training_arguments.lr_scheduler_type).value)


def draws_seed(recipe: Recipe) -> bool:
    """Tell whether each training by a recipe has another seed: `seed: null`."""
    return str(recipe.given("seed", 0)).lower() in ("none", "null")


def _drawn_seed() -> int:
    """Return another seed every time.

    Raises:
        RecipeError: If several processes train together, each of which would draw its own.
    """
    if launched_processes() > 1:
        raise RecipeError("`seed: null` draws a seed, and several processes must have the same; give a number.")
    return random.SystemRandom().randrange(2**31)


def typed_value(value: Any) -> Any:
    """Read the value of a flag as YAML would, and `1e-3`, which YAML takes for text, as a number."""
    if not isinstance(value, str):
        return value
    try:
        typed = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    if not isinstance(typed, str):
        return typed
    try:
        return float(typed)
    except ValueError:
        return typed


def check_arguments(task: Task, arguments: RecipeArguments, training_arguments: TrainingArguments) -> None:
    """Refuse what would train something else than it says.

    Raises:
        RecipeError: With the rule and the value.
        DataFormatError: If a text to be labelled by models cannot be read.
    """
    readers = readers_of(task.name)
    if arguments.reader not in readers:
        raise RecipeError(f"`reader` must be one of {', '.join(readers)} for {task.name}, got {arguments.reader!r}.")
    if arguments.model_type not in task.model_types:
        raise RecipeError(
            f"`model_type` must be one of {', '.join(task.model_types)} for {task.name}, got {arguments.model_type!r}."
        )
    _check_ranges(arguments, training_arguments)
    _check_model_arguments(arguments, training_arguments)
    best = training_arguments.metric_for_best_model
    measured = [name for name in task.definitions if name not in task.only_of_finished_models]
    if best is not None and best.removeprefix("eval_") not in ("loss", *measured):
        raise RecipeError(f"`metric_for_best_model` must be loss or one of {', '.join(measured)}, got {best!r}.")
    if best is not None and training_arguments.greater_is_better is _less_is_better(best):
        right = str(not _less_is_better(best)).lower()
        raise RecipeError(f"`greater_is_better` must be {right} for {best}, or the worst model would be kept.")
    if arguments.early_stopping_patience is not None and (best is None or training_arguments.eval_strategy == "no"):
        raise RecipeError("`early_stopping_patience` needs `metric_for_best_model` and an `eval_strategy`.")
    if "tensorboard" in (training_arguments.report_to or []) and find_spec("tensorboard") is None:
        raise RecipeError("`report_to: tensorboard` needs TensorBoard: `pip install malmoi[tensorboard]`.")
    if training_arguments.fp16 and training_arguments.device.type == "cpu":
        raise RecipeError("`fp16` has no effect on CPU; use `bf16`, or a GPU.")
    for name, (value, what) in UNFIT_VALUES.items():
        if getattr(training_arguments, name) is value:
            raise RecipeError(f"`{name}: {str(value).lower()}` {what}; remove it.")
    if training_arguments.debug:
        raise RecipeError("`debug` of transformers fails at values that are true or false, as masks are; remove it.")
    if training_arguments.push_to_hub:
        raise RecipeError(
            "`push_to_hub` would publish unfinished models with an empty card; use `malmoi push` after it."
        )


def _check_ranges(arguments: RecipeArguments, training_arguments: TrainingArguments) -> None:
    if not isinstance(arguments.train_fraction, float) or not 0 < arguments.train_fraction <= 1:
        raise RecipeError(f"`train_fraction` must be above 0 and at most 1, got {arguments.train_fraction}.")
    if not 0 < arguments.learning_rate_decay <= 1:
        raise RecipeError(f"`learning_rate_decay` must be above 0 and at most 1, got {arguments.learning_rate_decay}.")
    schedule = _schedule(training_arguments)
    if arguments.learning_rate_decay != 1 and schedule in SCHEDULES_WITHOUT_BASE:
        raise RecipeError(f"`learning_rate_decay` does not go together with `lr_scheduler_type: {schedule}`.")
    rates = {name: getattr(training_arguments, name) for name in ("learning_rate", "weight_decay")}
    if arguments.embeddings_learning_rate is not None:
        rates["embeddings_learning_rate"] = arguments.embeddings_learning_rate
    if isinstance(arguments, TaggingArguments) and arguments.crf_learning_rate is not None:
        rates["crf_learning_rate"] = arguments.crf_learning_rate
    for name, rate in rates.items():
        if not (math.isfinite(rate) and rate >= 0):
            raise RecipeError(f"`{name}` must be a number of at least 0, got {rate}.")
    if arguments.max_seq_length is not None and arguments.max_seq_length < SHORTEST_INPUT:
        raise RecipeError(f"`max_seq_length` must be at least {SHORTEST_INPUT}, got {arguments.max_seq_length}.")
    if arguments.tokenizer_vocab_size < 1 or arguments.tokenizer_min_frequency < 1:
        raise RecipeError("`tokenizer_vocab_size` and `tokenizer_min_frequency` must be at least 1.")
    if isinstance(arguments, SilverArguments):
        _check_silver_arguments(arguments)
    if isinstance(arguments, NamedEntityArguments) and arguments.name_replacement_copies < 0:
        raise RecipeError(f"`name_replacement_copies` must be at least 0, got {arguments.name_replacement_copies}.")
    for name in PROBABILITIES:
        if not 0 <= (probability := vars(arguments).get(name, 0)) <= 1:
            raise RecipeError(f"`{name}` must be from 0 to 1, got {probability}.")
    if isinstance(arguments, LanguageModelArguments):
        for name in ("text_lines", "validation_texts"):
            if (count := getattr(arguments, name)) is not None and count < 1:
                raise RecipeError(f"`{name}` must be at least 1, got {count}.")
    if isinstance(arguments, SentenceClassificationArguments) and arguments.class_weights not in (None, "balanced"):
        raise RecipeError(f"`class_weights` must be balanced, or left out, got {arguments.class_weights!r}.")
    if training_arguments.max_steps == 0:  # the `Trainer` would make one
        raise RecipeError("`max_steps` must be at least 1, got 0; left out, `num_train_epochs` says how long.")
    if not 0 < training_arguments.num_train_epochs < math.inf and training_arguments.max_steps <= 0:
        raise RecipeError(f"`num_train_epochs` must be above 0, got {training_arguments.num_train_epochs:g}.")
    for holder, name, least in (
        (arguments, "early_stopping_patience", 1),
        (training_arguments, "neftune_noise_alpha", 0),
        (training_arguments, "dataloader_num_workers", 0),
    ):
        if (value := getattr(holder, name)) is not None and not value >= least:
            raise RecipeError(f"`{name}` must be at least {least}, got {value}.")
    if training_arguments.dataloader_persistent_workers and not training_arguments.dataloader_num_workers:
        raise RecipeError("`dataloader_persistent_workers` needs `dataloader_num_workers` above 0.")
    if not 0 <= training_arguments.seed < 2**32:
        raise RecipeError(f"`seed` must be from 0 to 4294967295, got {training_arguments.seed}.")
    if training_arguments.gradient_accumulation_steps < 1:
        raise RecipeError(
            f"`gradient_accumulation_steps` must be at least 1, got {training_arguments.gradient_accumulation_steps}."
        )
    if training_arguments.per_device_train_batch_size < 1 or training_arguments.per_device_eval_batch_size < 1:
        raise RecipeError("`per_device_train_batch_size` and `per_device_eval_batch_size` must be at least 1.")
    for name, value in {**vars(arguments), **vars(training_arguments)}.items():
        if isinstance(value, float) and not math.isfinite(value):  # a report holds it, and JSON has none of them
            raise RecipeError(f"`{name}` must be a finite number, got {value}.")


def _check_silver_arguments(arguments: SilverArguments) -> None:
    if bool(arguments.silver_text) != bool(arguments.silver_teachers):
        raise RecipeError("`silver_text` needs `silver_teachers`, which label it, and they need a text; give both.")
    if arguments.silver_text and not is_file_or_pipe(Path(arguments.silver_text)):
        raise RecipeError(f"`silver_text`: there is no file {arguments.silver_text}.")
    if arguments.silver_text:  # or hours of training teachers would come before the first look at it
        read_raw_sentences(Path(arguments.silver_text))
    if not 0 <= arguments.silver_confidence <= 1:
        raise RecipeError(f"`silver_confidence` must be from 0 to 1, got {arguments.silver_confidence}.")
    if arguments.silver_limit is not None and arguments.silver_limit < 1:
        raise RecipeError(f"`silver_limit` must be at least 1, got {arguments.silver_limit}.")


def _check_model_arguments(arguments: RecipeArguments, training_arguments: TrainingArguments) -> None:
    of_encoders = arguments.model_type.startswith(ENCODER)
    if arguments.model_name_or_path and arguments.embeddings and not of_encoders:
        raise RecipeError(
            "A model that is trained on has its own embeddings: leave out `embeddings`, or `model_name_or_path`."
        )
    if not arguments.embeddings_trained and not arguments.embeddings:
        raise RecipeError("`embeddings_trained: false` needs pretrained embeddings, by `embeddings`.")
    if not arguments.body_trained and (of_encoders or not arguments.model_name_or_path):
        raise RecipeError("`body_trained: false` needs a body for bilstm_crf or bilstm, by `model_name_or_path`.")
    if training_arguments.use_liger_kernel and not of_encoders:
        raise RecipeError(f"`use_liger_kernel` is for encoders, but `model_type` is {arguments.model_type}.")
    if training_arguments.use_liger_kernel and find_spec("liger_kernel") is None:
        raise RecipeError("`use_liger_kernel` needs Liger: `pip install liger-kernel`.")
    if arguments.embeddings_learning_rate is not None and of_encoders:
        raise RecipeError(
            f"`embeddings_learning_rate` is for bilstm_crf and bilstm, but `model_type` is {arguments.model_type}."
        )
    if arguments.embeddings and of_encoders:
        raise RecipeError(f"`embeddings` are for bilstm_crf and bilstm, but `model_type` is {arguments.model_type}.")
    if arguments.lexicon and of_encoders:
        raise RecipeError(f"`lexicon` is for bilstm_crf and bilstm, but `model_type` is {arguments.model_type}.")
    # two names for one thing; older versions of transformers have only the former
    checkpointing = ("gradient_checkpointing", "activation_checkpointing")
    if any(getattr(training_arguments, name, None) for name in checkpointing) and not of_encoders:
        raise RecipeError(f"`gradient_checkpointing` is for encoders, but `model_type` is {arguments.model_type}.")
    has_crf = arguments.model_type.endswith("_crf")
    if isinstance(arguments, TaggingArguments) and arguments.crf_learning_rate is not None and not has_crf:
        raise RecipeError(f"`crf_learning_rate` needs a CRF, but `model_type` is {arguments.model_type}.")
    if training_arguments.label_smoothing_factor and getattr(arguments, "class_weights", None):
        raise RecipeError("`label_smoothing_factor` and `class_weights` are two losses; remove one.")
    soft = getattr(arguments, "silver_text", None) and not getattr(arguments, "silver_own_spaces", False)
    if training_arguments.label_smoothing_factor and soft:
        raise RecipeError(
            "`label_smoothing_factor` and the probabilities of `silver_text` are two losses; remove one."
        )
    if training_arguments.label_smoothing_factor and has_crf:
        raise RecipeError(
            "`label_smoothing_factor` would replace the loss of the CRF by token cross-entropy; remove it."
        )
