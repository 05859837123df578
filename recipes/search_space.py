"""The search space of a recipe: for some of its keys, the values that `malmoi tune` may try.

    search_space:
      learning_rate: {low: 5.0e-4, high: 1.0e-2, log: true}
      hidden_dropout: {low: 0.2, high: 0.6}
      hidden_size: [256, 400]

Nothing heavy is imported here: a misspelt key is answered at once.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from malmoi.recipes.arguments import OF_READING
from malmoi.recipes.keys import Key, keys_of
from malmoi.recipes.recipe import Recipe, RecipeError, nearest, training_fields

SEARCH_SPACE = "search_space"
PARTS = ("low", "high", "log", "step")
OF_ENCODER = "encoder_config."
"""What the names of settings of an encoder begin with."""
RULE = "a list of values, or a range such as {low: 0.1, high: 0.5}"

# of transformers, what changes what a model learns
SEARCHED_IN_TRAINING = (
    *("learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "num_train_epochs", "max_steps"),
    *("per_device_train_batch_size", "gradient_accumulation_steps", "train_sampling_strategy", "max_grad_norm"),
    *("optim", "optim_args", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon"),
    *("label_smoothing_factor", "neftune_noise_alpha"),
)
REASONS = {
    "trials learn the same task with the same kind of model": ("task", "model_type", "encoder_config"),
    "trials learn and are judged on the same data": (
        *OF_READING,
        *("train_fraction", "silver_text", "silver_teachers"),
    ),
    "trials are compared by it": (
        *("metric_for_best_model", "greater_is_better", "load_best_model_at_end", "eval_strategy", "eval_steps"),
    ),
    "the best of several seeds is only the luckiest": ("seed", "data_seed"),
    "it follows from the data": (
        *("vocab_size", "pad_token_id", "unk_token_id", "untagged_token_ids", "lexicon_classes", "lexicon_sizes"),
        *("lexicon_vocab_size", "lexicon_token_length"),
    ),
    "it does not change what a model learns": (
        *("output_dir", "overwrite", "keep_optimizer", "crf_implementation", SEARCH_SPACE),
    ),
}
"""Why a key is not searched."""


class Range(NamedTuple):
    """The numbers from `low` to `high`, both among them: whole ones where both are, in steps if there is one."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether whole numbers are tried."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def written(self) -> dict[str, Any]:
        """Return it as a recipe has it."""
        optional = {**({"log": True} if self.log else {}), **({"step": self.step} if self.step else {})}
        return {"low": self.low, "high": self.high, **optional}

    def __str__(self) -> str:
        how = ", logarithmic" if self.log else f", in steps of {self.step:g}" if self.step else ""
        return f"{self.low:g} to {self.high:g}{how}"


class Choices(NamedTuple):
    """Some values."""

    values: tuple[Any, ...]

    def written(self) -> list[Any]:
        """Return them as a recipe has them."""
        return list(self.values)

    def __str__(self) -> str:
        return ", ".join(json.dumps(v, ensure_ascii=False) if not isinstance(v, str) else v for v in self.values)


SearchSpace = dict[str, Range | Choices]


def written_space(recipe: Recipe) -> SearchSpace:
    """Return the search space that recipe or flags say, checked; an empty one if they say none.

    A key that a flag sets is not searched.

    Raises:
        RecipeError: If a key is unknown or cannot be searched, or a range or a value is wrong.
    """
    given = recipe.given(SEARCH_SPACE)
    if isinstance(given, str):  # a flag
        try:
            given = yaml.safe_load(given)
        except yaml.YAMLError:
            raise RecipeError(f"`{SEARCH_SPACE}` must be a mapping of keys to values, got {given!r}.") from None
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not given:
        raise RecipeError(f"`{SEARCH_SPACE}` must be a mapping of keys to values, got {given!r}.")
    keys = {key.name: key for key in keys_of(recipe)}
    space = {str(name): _dimension(str(name), values, keys) for name, values in given.items()}
    set_by_flags = [name for name in space if name in recipe.flags]
    if set_by_flags and SEARCH_SPACE in recipe.flags:
        raise RecipeError(f"`{set_by_flags[0]}` is in `--{SEARCH_SPACE}`, and a flag of its own; remove one.")
    return {name: values for name, values in space.items() if name not in set_by_flags}


def _dimension(name: str, values: Any, keys: Mapping[str, Key]) -> Range | Choices:
    _refuse_unsearched(name, keys)
    # what a list or a mapping holds is checked where the model is built
    kinds = set() if name.startswith(OF_ENCODER) else set(re.findall(r"\w+", re.sub(r"\[.*?\]", "", keys[name].type)))
    place = f"`{SEARCH_SPACE}`: `{name}`"
    if isinstance(values, list) and values:
        found = [_typed(value, kinds) for value in values]
        for value in found:
            if not _fits(value, kinds):
                raise RecipeError(f"{place} must be {_expected(kinds)}, got {value!r}.")
        if len({json.dumps(value) for value in found}) < len(found):
            raise RecipeError(f"{place} has a value twice: {values}.")
        return Choices(tuple(found))
    if not isinstance(values, Mapping):
        raise RecipeError(f"{place} must be {RULE}, got {values!r}.")
    return _range(place, {str(part): value for part, value in values.items()}, kinds)


def _refuse_unsearched(name: str, keys: Mapping[str, Key]) -> None:
    """Raise for a key that there is not, or that cannot be searched."""
    place = f"`{SEARCH_SPACE}`: "
    if name.startswith(OF_ENCODER) and "encoder_config" in keys:
        return
    if name not in keys:
        raise RecipeError(f"{place}unknown key {name!r}{nearest(name, keys)}")
    for reason, names in REASONS.items():
        if name in names:
            hint = f"; name one of its settings, as `{OF_ENCODER}hidden_size`" if name == "encoder_config" else ""
            raise RecipeError(f"{place}`{name}` cannot be searched: {reason}{hint}.")
    if name in {field.name for field in training_fields()} - set(SEARCHED_IN_TRAINING):
        raise RecipeError(f"{place}`{name}` cannot be searched: it does not change what a model learns.")


def _range(place: str, parts: Mapping[str, Any], kinds: set[str]) -> Range:
    for part in parts:
        if part not in PARTS:
            raise RecipeError(f"{place} has an unknown part {part!r}{nearest(part, PARTS)}")
    if not {"low", "high"} <= parts.keys():
        raise RecipeError(f"{place} must be {RULE}, got {dict(parts)!r}.")
    if kinds and not kinds & {"int", "float"}:
        raise RecipeError(f"{place} is no number, so it needs a list of values, got {dict(parts)!r}.")
    low, high, step = (_typed(parts.get(part), {"float"}) for part in ("low", "high", "step"))
    for part, value in {"low": low, "high": high, **({} if step is None else {"step": step})}.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RecipeError(f"{place}: `{part}` must be a number, got {value!r}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise RecipeError(f"{place}: `{part}` must be a finite number, got {value}.")
        if isinstance(value, float) and kinds and "float" not in kinds:
            raise RecipeError(f"{place}: `{part}` must be a whole number, got {value:g}.")
    found = Range(low, high, parts.get("log", False), step)
    if not isinstance(found.log, bool):
        raise RecipeError(f"{place}: `log` must be true or false, got {found.log!r}.")
    if not low < high:
        raise RecipeError(f"{place}: `low` must be below `high`, got {low:g} and {high:g}.")
    if found.log and (low <= 0 or step is not None):
        raise RecipeError(f"{place}: `log` needs a `low` above 0 and no `step`, got {found.written()}.")
    if step is not None and (step <= 0 or (found.is_whole and not isinstance(step, int))):
        kind = "a whole number " if found.is_whole else ""
        raise RecipeError(f"{place}: `step` must be {kind}above 0, got {step:g}.")
    if step is not None and step > (high - low) * (1 + 1e-9):  # 0.1 + 0.2 is above 0.3
        raise RecipeError(f"{place}: a `step` of {step:g} leaves no value but {low:g} between {low:g} and {high:g}.")
    if found.is_whole and high - low == 1 and "float" in kinds:
        raise RecipeError(
            f"{place}: there is no whole number between {low} and {high}; write {low}.0 and {high}.0 for all numbers "
            f"between them, or [{low}, {high}]."
        )
    return found


def _typed(value: Any, kinds: set[str]) -> Any:
    """Read `1e-4`, which YAML takes for text, as a number where numbers are expected."""
    if isinstance(value, str) and kinds & {"int", "float"}:
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _fits(value: Any, kinds: set[str]) -> bool:
    """Tell whether a key of these kinds takes a value; of a setting of an encoder nothing is known here."""
    if not kinds:
        return True
    if value is None:
        return "None" in kinds or "Optional" in kinds
    if isinstance(value, bool):
        return "bool" in kinds
    if isinstance(value, int):
        return bool(kinds & {"int", "float"})
    if isinstance(value, float):
        return "float" in kinds
    if isinstance(value, list | dict):
        return type(value).__name__ in kinds
    return not kinds <= {"int", "float", "bool", "None", "Optional", "list", "dict"}


def _expected(kinds: set[str]) -> str:
    words = {"float": "a number", "int": "a whole number", "bool": "true or false", "list": "a list"}
    number = {"float", "int"} <= kinds  # a number says more than a whole number
    found = [word for kind, word in words.items() if kind in kinds and not (number and kind == "int")]
    return " or ".join(found or ["a text"])


def default_space(recipe: Recipe) -> SearchSpace:
    """Return a search space for a recipe that has none, around its own values; what flags set is not searched.

    The learning rate matters most, and after it dropout and the size of batches; the width of an LSTM matters little
    (Reimers and Gurevych, 2017, https://arxiv.org/abs/1707.06799), so it is left as it is.
    """
    rate = _number(recipe, "learning_rate", 5e-5)
    batch = int(_number(recipe, "per_device_train_batch_size", 8))
    space: SearchSpace = {
        "learning_rate": Range(_rounded(rate / 4), _rounded(rate * 4), log=True),
        "per_device_train_batch_size": Choices(tuple(sorted({max(1, batch // 2), batch, batch * 2}))),
    }
    if recipe.model_type.startswith("bilstm"):
        space["embedding_dropout"] = Range(0.1, 0.6)
        space["hidden_dropout"] = Range(0.1, 0.6)
    else:
        space["weight_decay"] = Range(0.0, 0.1)
        space["warmup_steps"] = Range(0.0, 0.2)
    if recipe.model_type == "encoder_crf":
        space["crf_learning_rate"] = Range(1e-4, 1e-2, log=True)
    if recipe.task == "named-entities":
        space["name_replacement_copies"] = Range(0, 8)
    return {name: values for name, values in space.items() if name not in recipe.flags}


def _number(recipe: Recipe, key: str, default: float) -> float:
    try:
        return float(recipe.given(key, default))
    except (TypeError, ValueError):  # a wrong value is told where arguments are typed
        return default


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


__all__ = ["SEARCH_SPACE", "Choices", "Range", "SearchSpace", "default_space", "written_space"]
