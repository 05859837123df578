"""Judge a finished model: on every split, and once more on altered texts where its task asks for it."""

from collections.abc import Mapping

from transformers import PreTrainedTokenizerBase, Trainer

from malmoi.training.evaluation import Evaluation, evaluate
from malmoi.training.tasks import Task


def evaluate_finished(
    task: Task,
    trainer: Trainer,
    evaluation: Evaluation,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int | None,
    prefix: str = "eval",
) -> dict[str, float]:
    """Return all figures of a model for the texts of an evaluation, those on altered texts among them.

    Args:
        task: What the model has learned.
        trainer: A `Trainer` with the model.
        evaluation: What judges it; it keeps what is shown beside figures, and what judged it on altered texts.
        tokenizer: The tokenizer of the model.
        max_length: How many tokens the model sees at once; `None` if there is no limit.
        prefix: What logs name the figures with.
    """
    figures = evaluate(trainer, evaluation, prefix=prefix)
    evaluation.altered = task.altered_evaluations(evaluation, tokenizer, max_length=max_length)
    for name, altered in evaluation.altered.items():
        figures[name] = evaluate(trainer, altered, prefix=f"{prefix}_{name}")[task.main_figure]
        # it is empty where there is nothing to measure
        if task.main_figure in altered.details["intervals"]:
            evaluation.details["intervals"][name] = altered.details["intervals"][task.main_figure]
    return figures


def evaluate_splits(
    task: Task,
    trainer: Trainer,
    evaluations: Mapping[str, Evaluation],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int | None,
) -> dict[str, dict[str, float]]:
    """Return all figures of a finished model on every split; its `Evaluation` keeps what is shown beside them."""
    return {
        split: evaluate_finished(task, trainer, evaluation, tokenizer, max_length=max_length, prefix=split)
        for split, evaluation in evaluations.items()
    }
