"""Put a CRF on an encoder and train small adapters (LoRA) in place of the whole encoder. Needs `pip install peft`.

python examples/train_encoder_crf_lora.py klue/bert-base runs/lora            # on the sample corpus
python examples/train_encoder_crf_lora.py klue/bert-base runs/lora my-corpus  # train.txt and validation.txt
"""

import sys
from pathlib import Path

from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, DataCollatorForTokenClassification, Trainer, TrainingArguments

from malmoi.data.readers import read_splits
from malmoi.data.tagged_dataset import label_names
from malmoi.data.token_features import token_features, untagged_token_ids
from malmoi.modeling import EncoderCrfForTokenClassification


def main(encoder: str, output_dir: str, data_dir: str | None = None, *, epochs: float = 3) -> dict[str, float]:
    """Train the adapters, the classifier and the CRF; save the whole model; return the last figures."""
    # 1. Data, and the tokenizer of the encoder; 128 tokens at once, longer sentences become several rows
    splits = read_splits("inline-marks", Path(data_dir) if data_dir else None, task="named-entities")
    labels = label_names(splits["train"])
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    features = {name: token_features(rows, tokenizer, max_length=128) for name, rows in splits.items()}
    # 2. Model: [CLS] and [SEP] carry no tag, so the CRF leaves them out
    model = EncoderCrfForTokenClassification.from_encoder(
        encoder,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        untagged_token_ids=untagged_token_ids(tokenizer),
    )
    # 3. Adapters. Classifier and CRF are new: they are trained as a whole, and saved with the adapters
    adapted = get_peft_model(
        model, LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], modules_to_save=["classifier", "crf"])
    )
    adapted.print_trainable_parameters()
    # 4. Training
    trainer = Trainer(
        model=adapted,
        args=TrainingArguments(
            output_dir,
            num_train_epochs=epochs,
            learning_rate=1e-3,
            eval_strategy="epoch",
            save_strategy="no",
            label_names=["labels"],  # a model with adapters does not show its own arguments
            dataloader_pin_memory=False,
        ),
        train_dataset=features["train"],
        eval_dataset=features["validation"],
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
    )
    trainer.train()
    # 5. The adapters become part of the weights: a folder as of any other model
    merged = adapted.merge_and_unload()
    merged.save_pretrained(output_dir)
    tokenizer.save_pretrained(output_dir)
    return trainer.evaluate()


if __name__ == "__main__":
    print(main(*sys.argv[1:])) if sys.argv[1:] else sys.exit(__doc__)
