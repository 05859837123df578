"""The optimizer, where it differs from the one that the stock `Trainer` makes, and its schedule."""

from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from typing import Any

import torch
from transformers import PreTrainedModel, Trainer, TrainingArguments, get_scheduler

from malmoi.recipes.arguments import RecipeArguments, TaggingArguments

OF_ONE_MODEL = {"params", "model", "optimizer_dict"}
"""Options of optimizers that are made for one very model alone."""


def recipe_optimizer(
    model: PreTrainedModel, arguments: RecipeArguments, training_arguments: TrainingArguments
) -> torch.optim.Optimizer | None:
    """Return the optimizer that a recipe asks for; `None` if it is that of the `Trainer`."""
    of_crf = arguments.crf_learning_rate if isinstance(arguments, TaggingArguments) else None
    rates = {"embeddings.": arguments.embeddings_learning_rate, "crf.": of_crf}
    given = {part: rate for part, rate in rates.items() if rate is not None}
    return optimizer_with_rates(model, training_arguments, given) if given else None


def try_optimizer(model: PreTrainedModel, training_arguments: TrainingArguments) -> None:
    """Make the optimizer that the arguments name for one number, so that wrong settings are known before training.

    So with the schedule of its learning rate.

    Raises:
        ImportError: If it needs a package that is not installed.
        TypeError: If the schedule has no such settings, or lacks one.
        ValueError: If one of them cannot have such settings.
    """
    optimizer_class, options = Trainer.get_optimizer_cls_and_kwargs(training_arguments, model)
    number = [torch.nn.Parameter(torch.zeros(1))]
    if not OF_ONE_MODEL & options.keys():
        optimizer_class(number, **options)
    get_scheduler(
        training_arguments.lr_scheduler_type,
        torch.optim.SGD(number),
        num_warmup_steps=0,
        num_training_steps=1,
        scheduler_specific_kwargs=training_arguments.lr_scheduler_kwargs,  # type: ignore[arg-type]
    )


def unread_by_optimizer(model: PreTrainedModel, training_arguments: TrainingArguments) -> list[str]:
    """Return the settings of optimizers that change nothing for the one that the arguments name.

    None where that cannot be told: of one that cannot be had, which `try_optimizer` refuses, or of one model alone.
    """

    def options(key: str, value: Any) -> dict[str, Any]:
        changed = copy(training_arguments)
        setattr(changed, key, value)
        return Trainer.get_optimizer_cls_and_kwargs(changed, model)[1]

    others: dict[str, tuple[Any, Any]] = {key: (0.25, 0.75) for key in ("adam_beta1", "adam_beta2", "adam_epsilon")}
    if training_arguments.optim_args:
        others["optim_args"] = (training_arguments.optim_args, None)
    with suppress(ImportError, RuntimeError, TypeError, ValueError):
        if not OF_ONE_MODEL & options("adam_beta1", 0.25).keys():
            return [key for key, (one, other) in others.items() if options(key, one) == options(key, other)]
    return []


def optimizer_with_rates(
    model: PreTrainedModel, training_arguments: TrainingArguments, rates: Mapping[str, float]
) -> torch.optim.Optimizer:
    """Return the optimizer that the arguments name, with learning rates of their own for parts of the model.

    The transition scores of a CRF start near zero under an encoder that needs a small learning rate; with that rate
    they would hardly move. Embeddings of a body know tokens that the data lack; the more those that it has move, the
    less they fit the others.

    Args:
        model: The model.
        training_arguments: The arguments.
        rates: The learning rate of the parameters whose names begin so.
    """
    optimizer_class, options = Trainer.get_optimizer_cls_and_kwargs(training_arguments, model)
    decayed = set(Trainer.get_decay_parameter_names(None, model))  # type: ignore[arg-type]
    groups: dict[tuple[str, bool], list[torch.nn.Parameter]] = {
        (part, decays): [] for part in ("", *rates) for decays in (True, False)
    }
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            part = next((part for part in rates if name.startswith(part)), "")
            groups[part, name in decayed].append(parameter)
    return optimizer_class(
        [
            {
                "params": parameters,
                "lr": rates.get(part, training_arguments.learning_rate),
                "weight_decay": training_arguments.weight_decay if decays else 0.0,
            }
            for (part, decays), parameters in groups.items()
            if parameters
        ],
        **options,
    )
