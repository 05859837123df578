"""The `Trainer` of transformers, as tutorials use it, with a model of ours."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.saved_models import build
from transformers import (
    DataCollatorForTokenClassification,
    EvalPrediction,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

from malmoi.training.evaluation import predicted_labels


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf"])
def test_a_stock_trainer_by_hand_works_too(
    architecture: str, syllable_tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    """No part of malmoi but the model: the argmax of one array, as in every tutorial, is the best sequence."""
    model = build(architecture, len(syllable_tokenizer)).eval()
    rows = [{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in ([5, 7, 9], [6, 8, 7, 5, 6], [9, 5])]
    viterbi = [model(torch.tensor([row["input_ids"]])).predictions[0].tolist() for row in rows]
    for row, best in zip(rows, viterbi):
        row["labels"] = [best[0], *(0 if tag == 4 else 4 for tag in best[1:])]  # only the first is right
    arguments = TrainingArguments(
        str(tmp_path), per_device_eval_batch_size=2, use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False
    )

    def compute_metrics(evaluated: EvalPrediction) -> dict[str, float]:
        logits, gold = evaluated
        predicted = np.argmax(logits, axis=2)
        return {"accuracy": float((predicted == gold)[gold != -100].mean())}

    trainer = Trainer(
        model,
        arguments,
        eval_dataset=rows,
        data_collator=DataCollatorForTokenClassification(syllable_tokenizer),
        compute_metrics=compute_metrics,
    )
    assert trainer.evaluate()["eval_accuracy"] == pytest.approx(3 / 10)
    output = trainer.predict(rows)
    assert isinstance(output.predictions, np.ndarray)
    assert output.predictions.shape == (3, 5, 5)
    for best, predicted in zip(viterbi, output.predictions.argmax(-1)):
        assert predicted[: len(best)].tolist() == best


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_hidden_states_that_the_configuration_asks_for_are_no_predictions(architecture: str, tmp_path: Path) -> None:
    model = build(architecture, 40)
    model.config.output_hidden_states = True
    labels: list[int] | int = 1 if architecture == "bilstm" else [4, 4, 4]
    rows = [{"input_ids": [5, 7, 9], "attention_mask": [1, 1, 1], "labels": labels}] * 3
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False)
    predictions = Trainer(model, arguments).predict(rows).predictions
    assert isinstance(predictions, np.ndarray)
    assert predictions.shape == ((3, 2) if architecture == "bilstm" else (3, 3, 5))


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf"])
def test_our_own_evaluation_judges_the_best_sequence_too(architecture: str) -> None:
    model = build(architecture, 40).eval()
    model.config.untagged_token_ids = [2, 3]
    torch.nn.init.normal_(model.crf.transitions, generator=torch.Generator().manual_seed(1))
    input_ids = torch.randint(4, 40, (8, 30), generator=torch.Generator().manual_seed(0))
    input_ids[:, 0], input_ids[:, 20], input_ids[:4, 25:] = 2, 3, 0
    output = model(input_ids, (input_ids != 0).long())
    best, judged = output.predictions, predicted_labels(output.logits, output.predictions)
    assert torch.equal(judged[best >= 0], best[best >= 0])
    assert (judged[best < 0] == model.config.outside_label_id()).all()
    assert not torch.equal(judged, output.marginals.argmax(-1))


@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_the_temperature_of_weights_that_are_no_more_is_left_behind(architecture: str, tmp_path: Path) -> None:
    temperature = "class_temperature" if architecture == "bilstm" else "name_temperature"
    model = build(architecture, 40)
    model.config.update({temperature: 2.0})
    rows = [{"input_ids": [5, 7, 9], "labels": 1 if architecture == "bilstm" else [4, 4, 4]}] * 3
    settings = {"use_cpu": True, "disable_tqdm": True, "dataloader_pin_memory": False, "save_strategy": "no"}
    trainer = Trainer(model, TrainingArguments(str(tmp_path), max_steps=1, **settings), train_dataset=rows)
    trainer.eval_dataset = rows
    trainer.evaluate()
    assert model.config.to_dict()[temperature] == 2.0
    trainer.train()
    trainer.save_model()
    assert temperature not in json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
