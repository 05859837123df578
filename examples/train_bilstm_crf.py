"""Train a BiLSTM-CRF on marked sentences with the stock Trainer, without malmoi's own command.

python examples/train_bilstm_crf.py runs/stock            # on the sample corpus, about a minute
python examples/train_bilstm_crf.py runs/stock my-corpus  # train.txt and validation.txt: <손흥민:PS>은 왔다.
"""

import sys
from pathlib import Path

import numpy as np
from seqeval.metrics import f1_score
from transformers import DataCollatorForTokenClassification, EvalPrediction, Trainer, TrainingArguments

from malmoi.data.readers import read_splits
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.tagged_dataset import label_names
from malmoi.data.token_features import token_features
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification


def main(output_dir: str, data_dir: str | None = None, *, epochs: float = 12) -> dict[str, float]:
    """Train, save, and return the figures on the validation sentences."""
    # 1. Data: sentences, and one BIO tag for each of their characters
    splits = read_splits("inline-marks", Path(data_dir) if data_dir else None, task="named-entities")
    labels = label_names(splits["train"])
    # 2. Tokenizer: one token per syllable, so that a name may end anywhere in a word
    tokenizer = build_syllable_tokenizer(splits["train"]["text"], min_frequency=1)
    features = {name: token_features(rows, tokenizer) for name, rows in splits.items()}
    # 3. Model
    model = BiLstmCrfForTokenClassification(
        BiLstmCrfConfig(
            vocab_size=len(tokenizer),
            embedding_size=64,
            hidden_size=128,
            ngram_sizes=[2],
            hidden_dropout=0.3,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
    )

    # 4. Figures: the argmax of the logits is the best sequence of the CRF
    def compute_metrics(evaluated: EvalPrediction) -> dict[str, float]:
        best = np.argmax(evaluated.predictions, axis=-1)
        gold = np.asarray(evaluated.label_ids)
        found = [[labels[tag] for tag in tags[row != -100]] for tags, row in zip(best, gold)]
        expected = [[labels[tag] for tag in row[row != -100]] for row in gold]
        return {"f1": float(f1_score(expected, found))}

    # 5. Training: every argument of transformers works
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir,
            num_train_epochs=epochs,
            learning_rate=5e-3,
            per_device_train_batch_size=16,
            eval_strategy="epoch",
            save_strategy="no",
            dataloader_pin_memory=False,
        ),
        train_dataset=features["train"],
        eval_dataset=features["validation"],
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        compute_metrics=compute_metrics,
    )
    trainer.train()
    # 6. The saved folder needs no malmoi: AutoModel.from_pretrained(output_dir, trust_remote_code=True)
    trainer.save_model(output_dir)
    return trainer.evaluate()


if __name__ == "__main__":
    print(main(*sys.argv[1:])) if sys.argv[1:] else sys.exit(__doc__)
