"""The value of a trial is that of the model which a training would keep, as the stock `Trainer` chooses it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainingArguments

from malmoi.training.resuming.checkpoints import step_of
from malmoi.training.search.trial import Objective, ReportToStudy

STEPS = 4


class NoStudy:
    """A trial whose study forgets all."""

    def set_user_attr(self, name: str, value: Any) -> None:
        """Forget it."""

    def report(self, value: float, step: int) -> None:
        """Forget it."""

    def should_prune(self) -> bool:
        """Never."""
        return False


class Number(torch.nn.Module):
    """A model of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = torch.nn.Parameter(torch.zeros(()))

    def forward(self, numbers: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss, and the answers."""
        answers = numbers * self.number
        return ((answers - labels) ** 2).mean(), answers


@pytest.mark.parametrize("greater_is_better", [True, False])
@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ([0.1, 0.2, 0.3, 0.4], {}),
        ([0.9, 0.2, 0.3, 0.4], {}),  # the best was not saved, and nothing after it was better: the last one
        ([0.1, 0.5, 0.6, 0.4], {}),  # the best was not saved, and one before it was
        ([0.1, 0.5, 0.4, 0.2], {}),
        ([0.3, 0.3, 0.3, 0.3], {}),
        ([0.6, 0.5, 0.7, 0.7], {}),
        ([0.9, 0.2, 0.3, 0.1], {"save_strategy": "best"}),
        ([0.9, 0.2, 0.3, 0.1], {"save_steps": 1}),
        ([0.9, 0.2, 0.3, 0.1], {"save_steps": 0.5, "eval_steps": 0.25}),
        ([0.9, 0.1, 0.3, 0.2, 0.4], {"eval_on_start": True}),  # of no model of the training
    ],
)
def test_the_value_is_that_of_the_model_that_is_kept(
    tmp_path: Path, values: list[float], settings: dict[str, Any], greater_is_better: bool
) -> None:
    values = values if greater_is_better else [1 - value for value in values]
    given: dict[str, Any] = {
        **{"eval_strategy": "steps", "eval_steps": 1, "save_strategy": "steps", "save_steps": 2, **settings},
        **{"metric_for_best_model": "figure", "greater_is_better": greater_is_better},
    }
    arguments = TrainingArguments(
        str(tmp_path), max_steps=STEPS, load_best_model_at_end=True, use_cpu=True, disable_tqdm=True, **given
    )
    measured = iter(values)
    numbers = [{"numbers": torch.ones(1), "labels": torch.ones(1)}] * STEPS
    trainer = Trainer(
        Number(),
        arguments,
        train_dataset=numbers,  # type: ignore[arg-type]
        eval_dataset=numbers,  # type: ignore[arg-type]
        compute_metrics=lambda _: {"figure": next(measured)},
    )
    report = ReportToStudy(
        NoStudy(),  # type: ignore[arg-type]
        Objective("figure", greater_is_better),
        keeps_best=True,
        saves_in_steps=given["save_strategy"] == "steps",
    )
    trainer.add_callback(report)
    trainer.train()
    kept = trainer.state.best_model_checkpoint
    step = STEPS if kept is None else step_of(kept)
    assert report.value() == next(each["figure"] for each in report.evaluations if each["step"] == step)
