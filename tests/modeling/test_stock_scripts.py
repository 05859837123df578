"""Scripts that know nothing of malmoi: stock Trainer, stock collator, argmax for figures, labels set after loading.

They are what transformers' own examples and most tutorials do, and run where malmoi cannot be imported.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.saved_models import TASKS, build
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerFast

SCRIPT = """
import json, sys
import numpy as np, torch
from transformers import (
    AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer,
    DataCollatorForTokenClassification, DataCollatorWithPadding, Trainer, TrainingArguments, pipeline, set_seed,
)
folder, output, task = {folder!r}, {output!r}, {task!r}
texts = ["손흥민은 춘천에서 태어났다.", "김민재가 서울로 돌아왔습니다.", "비가 와서 집에 있었다."] * 8
label_list = ["O", "B-PER", "I-PER", "B-GPE", "I-GPE"] if task == "token-classification" else ["bad", "good"]
set_seed(1)

# labels of another order and other names, in the way of run_ner.py: first the number, then the names
config = AutoConfig.from_pretrained(folder, num_labels=len(label_list), trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
auto_class = AutoModelForTokenClassification if task == "token-classification" else AutoModelForSequenceClassification
model = auto_class.from_pretrained(folder, config=config, ignore_mismatched_sizes=True, trust_remote_code=True)
model.config.label2id = {{label: index for index, label in enumerate(label_list)}}
model.config.id2label = dict(enumerate(label_list))

rows = []
for text in texts:
    row = dict(tokenizer(text))
    if task == "token-classification":
        tags = [0] * len(row["input_ids"])
        if "비가" not in text:
            tags[0:3], tags[5:7] = [1, 2, 2], [3, 4]
        row["labels"] = tags
    else:
        row["labels"] = int("비가" in text)
    rows.append(row)


def compute_metrics(evaluated):
    predictions, labels = evaluated
    best = np.argmax(predictions, axis=-1)
    return {{"accuracy": float((best == labels)[labels != -100].mean())}}


arguments = TrainingArguments(
    output, max_steps=200, learning_rate=2e-2, per_device_train_batch_size=8, use_cpu=True, disable_tqdm=True,
    dataloader_pin_memory=False, report_to=[], save_strategy="no", eval_strategy="steps", eval_steps=200,
)
collator = DataCollatorForTokenClassification(tokenizer) if task == "token-classification" else (
    DataCollatorWithPadding(tokenizer)
)
trainer = Trainer(
    model=model, args=arguments, train_dataset=rows, eval_dataset=rows, data_collator=collator,
    processing_class=tokenizer, compute_metrics=compute_metrics,
)
trainer.train()
trainer.save_model(output)
predicted = trainer.predict(rows[:3])
answerer = pipeline(task, model=output, trust_remote_code=True)
if task == "token-classification":
    answers = [
        [name["entity_group"] for name in names] for names in answerer(texts[:3], aggregation_strategy="simple")
    ]
else:
    answers = [answer["label"] for answer in answerer(texts[:3])]
print(json.dumps({{
    "accuracy": trainer.evaluate()["eval_accuracy"],
    "best": np.argmax(predicted.predictions, axis=-1).tolist(),
    "answers": answers,
}}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["bilstm_crf", "encoder_crf", "bilstm"])
def test_a_stock_script_trains_any_architecture_with_labels_of_its_own(
    architecture: str,
    tmp_path: Path,
    syllable_tokenizer: PreTrainedTokenizerFast,
    run_without_malmoi: Callable[..., str],
) -> None:
    folder, output = tmp_path / "saved", tmp_path / "trained"
    build(architecture, len(syllable_tokenizer)).save_pretrained(folder)
    syllable_tokenizer.save_pretrained(folder)
    task = TASKS[architecture]
    printed = run_without_malmoi(SCRIPT.format(folder=str(folder), output=str(output), task=task))
    told = json.loads(printed.splitlines()[-1])
    assert told["accuracy"] > 0.99
    if task == "text-classification":
        assert told["answers"] == ["bad", "bad", "good"]
        return
    assert told["answers"] == [["PER", "GPE"], ["PER", "GPE"], []]
    # what was trained, what is measured and what is loaded are one model, constraints included
    model = AutoModelForTokenClassification.from_pretrained(output).eval()
    assert model.config.id2label == dict(enumerate(["O", "B-PER", "I-PER", "B-GPE", "I-GPE"]))
    text = "손흥민은 춘천에서 태어났다."
    with torch.no_grad():
        own = model(**syllable_tokenizer(text, return_tensors="pt"))
    assert own.predictions[0].tolist() == told["best"][0][: own.predictions.size(1)]
    assert own.logits.argmax(-1).tolist() == own.predictions.tolist()
    assert own.marginals[0, 0, 2] == own.marginals[0, 0, 4] == 0  # nothing begins with I-
