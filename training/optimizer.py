"""The optimizer, where it differs from the one that the stock `Trainer` makes."""

import torch
from transformers import PreTrainedModel, Trainer, TrainingArguments

from malmoi.recipes.arguments import RecipeArguments, TaggingArguments


def recipe_optimizer(
    model: PreTrainedModel, arguments: RecipeArguments, training_arguments: TrainingArguments
) -> torch.optim.Optimizer | None:
    """Return the optimizer that a recipe asks for; `None` if it is that of the `Trainer`."""
    if not isinstance(arguments, TaggingArguments) or arguments.crf_learning_rate is None:
        return None
    return optimizer_with_crf_rate(model, training_arguments, crf_learning_rate=arguments.crf_learning_rate)


def try_optimizer(model: PreTrainedModel, training_arguments: TrainingArguments) -> None:
    """Make the optimizer that the arguments name for one number, so that wrong settings are known before training.

    Raises:
        ImportError: If it needs a package that is not installed.
        ValueError: If it cannot have such settings.
    """
    optimizer_class, options = Trainer.get_optimizer_cls_and_kwargs(training_arguments, model)
    if not {"params", "model", "optimizer_dict"} & options.keys():  # it is made for this very model alone
        optimizer_class([torch.nn.Parameter(torch.zeros(1))], **options)


def optimizer_with_crf_rate(
    model: PreTrainedModel, training_arguments: TrainingArguments, *, crf_learning_rate: float
) -> torch.optim.Optimizer:
    """Return the optimizer that the arguments name, with a learning rate of its own for the CRF.

    The transition scores of a CRF start near zero under an encoder that needs a small learning rate; with that rate
    they would hardly move.

    Args:
        model: A tagger with a CRF.
        training_arguments: The arguments.
        crf_learning_rate: Learning rate of the parameters of the CRF.
    """
    optimizer_class, options = Trainer.get_optimizer_cls_and_kwargs(training_arguments, model)
    decayed = set(Trainer.get_decay_parameter_names(None, model))  # type: ignore[arg-type]
    groups = []
    for of_crf in (False, True):
        for decays in (True, False):
            parameters = [
                parameter
                for name, parameter in model.named_parameters()
                if parameter.requires_grad and name.startswith("crf.") == of_crf and (name in decayed) == decays
            ]
            if parameters:
                groups.append(
                    {
                        "params": parameters,
                        "lr": crf_learning_rate if of_crf else training_arguments.learning_rate,
                        "weight_decay": training_arguments.weight_decay if decays else 0.0,
                    }
                )
    return optimizer_class(groups, **options)
