"""The loss for probable labels is the mean loss of all label sequences, each as probable as models find it."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments
from transformers.modeling_outputs import TokenClassifierOutput

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.configuration.model_settings import constraints_of
from malmoi.data.probable_classes import PROBABILITIES
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL, LinearChainCrf
from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification
from malmoi.training.evaluation import ROW
from malmoi.training.probable_labels import expected_steps, lead_of_labels, learn_probabilities, padded

NAMES = ["B-A", "I-A", "B-B", "I-B", "O"]
SPACES = ["B", "I"]
STEPS = 3


def crf_of(names: list[str], *, flat: bool) -> LinearChainCrf:
    """Return a CRF that knows the BIO rule alone (flat), or has large random scores of steps beside it."""
    starts, steps = constraints_of(tuple(names), bio=names == NAMES)
    crf = LinearChainCrf(len(names), forbidden_starts=starts, forbidden_transitions=steps)
    for parameter in crf.parameters():
        nn.init.normal_(parameter, std=0 if flat else 1)
    return crf


def mean_loss(crf: LinearChainCrf, emissions: Tensor, models: LinearChainCrf, scores: Tensor) -> Tensor:
    """Return the mean loss of all label sequences of a sentence, each as probable as `models` find it."""
    length, total = len(emissions), torch.zeros(())
    whole = torch.ones(1, length, dtype=torch.bool)
    starts, steps = crf.constraints()
    for labels in itertools.product(range(crf.num_tags), repeat=length):
        if starts[labels[0]] or any(steps[before][after] for before, after in itertools.pairwise(labels)):
            continue
        sequence = torch.tensor([labels])
        probability = models.negative_log_likelihood(scores[None], sequence, whole).neg().exp()
        total = total + (probability * crf.negative_log_likelihood(emissions[None], sequence, whole)).sum()
    return total


@pytest.mark.parametrize("names", [NAMES, SPACES], ids=["names", "spaces"])
@pytest.mark.parametrize("first", [0, 1], ids=["all-labelled", "after-cls"])
def test_the_loss_is_the_mean_of_all_label_sequences(names: list[str], first: int) -> None:
    torch.manual_seed(len(names) + first)
    crf, models = crf_of(names, flat=False), crf_of(names, flat=True)
    emissions, scores = 2 * torch.randn(2, 2, 5, len(names))
    lengths = (4, 2)
    mask = torch.tensor([[first <= place < first + length for place in range(5)] for length in lengths])
    probabilities = models.marginals(scores, mask)
    labels = models.decode(scores, mask)
    loss = crf.negative_log_likelihood(emissions, labels, mask) + lead_of_labels(
        emissions, labels, probabilities, names=names, steps=crf.scores(torch.float32)
    )
    expected = [mean_loss(crf, emissions[row, mask[row]], models, scores[row, mask[row]]) for row in range(2)]
    torch.testing.assert_close(loss, torch.stack(expected), rtol=1e-4, atol=1e-4)


def test_certain_labels_lead_by_nothing() -> None:
    crf = crf_of(NAMES, flat=False)
    labels = torch.tensor([[4, 0, 1, 1, IGNORED_LABEL], [2, 3, 0, IGNORED_LABEL, IGNORED_LABEL]])
    certain = nn.functional.one_hot(labels.clamp(min=0), 5).float() * (labels != IGNORED_LABEL)[..., None]
    lead = lead_of_labels(torch.randn(2, 5, 5), labels, certain, names=NAMES, steps=crf.scores(torch.float32))
    torch.testing.assert_close(lead, torch.zeros(2), atol=1e-5, rtol=0)


def test_without_a_crf_the_loss_is_the_cross_entropy_with_the_probabilities() -> None:
    torch.manual_seed(1)
    logits, probabilities = torch.randn(2, 4, 5), torch.randn(2, 4, 5).softmax(-1)
    labels = probabilities.argmax(-1)
    of_labels = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    loss = of_labels.view(2, 4).sum(1) + lead_of_labels(logits, labels, probabilities, names=NAMES, steps=None)
    expected = -(probabilities * logits.log_softmax(-1)).sum((1, 2))
    torch.testing.assert_close(loss, expected)


def test_what_models_find_impossible_together_is_no_reason_for_infinities() -> None:
    """The mean of several models need not be that of one chain: `I-A` may be likelier than what it follows."""
    probabilities = torch.tensor([[[0.1, 0.0, 0.0, 0.0, 0.9], [0.0, 0.8, 0.0, 0.1, 0.1]]])
    steps = expected_steps(probabilities, NAMES)
    assert steps.isfinite().all()
    assert steps.sum() <= 1 + 1e-6
    assert (steps >= 0).all()


@pytest.mark.parametrize("accumulation", [1, 4])
def test_the_trainer_learns_the_same_whatever_the_batches_are(tmp_path: Path, accumulation: int) -> None:
    """As large a step of one batch and of four gives the weights that gradient descent by hand gives."""
    rows = some_rows()
    model, by_hand = tiny_tagger(), tiny_tagger()
    trainer = trainer_of(model, rows, tmp_path, batch_size=8 // accumulation, accumulation=accumulation)
    trainer.train()
    for _ in range(STEPS):
        by_hand.zero_grad()
        batch = {name: torch.tensor(rows[name][:]) for name in ("input_ids", "labels")}
        emissions = by_hand(batch["input_ids"], labels=batch["labels"]).logits
        probabilities = padded([torch.tensor(row).numpy() for row in rows[PROBABILITIES]], batch["labels"], 5)
        nll = by_hand.crf.negative_log_likelihood(emissions, batch["labels"], batch["labels"] >= 0)
        lead = lead_of_labels(
            emissions, batch["labels"], probabilities, names=NAMES, steps=by_hand.crf.scores(torch.float32)
        )
        ((nll + lead).sum() / batch["labels"].numel()).backward()
        with torch.no_grad():
            for parameter in by_hand.parameters():
                if parameter.grad is not None:
                    parameter -= 0.5 * parameter.grad
    for (name, learned), expected in zip(model.named_parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(learned, expected, rtol=1e-4, atol=1e-5, msg=name)


def test_the_loss_is_not_rounded_where_the_model_is(tmp_path: Path) -> None:
    """Of a long sentence as many steps are expected as bfloat16 cannot tell from one more or less."""
    names, length = len(NAMES), 600
    probabilities = torch.full((length, names), 0.01)
    probabilities[:, -1] = 0.96
    columns = {"input_ids": [[1] * length], "labels": [[names - 1] * length], ROW: [0]}
    rows = Dataset.from_dict({**columns, PROBABILITIES: [probabilities.flatten().tolist()]})
    model = tiny_tagger().train()
    nn.init.normal_(model.crf.transitions)
    trainer = trainer_of(model, rows, tmp_path, batch_size=1)
    batch = {name: torch.tensor(column) for name, column in columns.items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        emissions = model(batch["input_ids"], labels=batch["labels"]).logits.float()
        rounded = trainer.compute_loss(model, dict(batch), num_items_in_batch=torch.tensor(length))
    steps = model.crf.scores(torch.float32)
    lead = lead_of_labels(emissions, batch["labels"], probabilities[None], names=NAMES, steps=steps)
    nll = model.crf.negative_log_likelihood(emissions, batch["labels"], batch["labels"] >= 0)
    torch.testing.assert_close(rounded, (nll + lead).sum() / length, rtol=1e-5, atol=1e-6)


def test_a_model_that_ignores_the_size_of_the_step_is_not_scaled_by_it(tmp_path: Path) -> None:
    """Stock models give the mean of a batch; the `Trainer` divides it by the batches of a step."""
    rows = some_rows()
    losses = []
    for batch_size in (8, 2):
        torch.manual_seed(0)
        model = StockTagger()
        trainer = trainer_of(model, rows, tmp_path, batch_size=batch_size, accumulation=8 // batch_size)
        trainer.train()
        losses.append(model.scores.weight.detach())
    torch.testing.assert_close(losses[0], losses[1])


def test_a_model_is_judged_by_its_own_loss(tmp_path: Path) -> None:
    rows = some_rows()
    model = tiny_tagger().eval()
    trainer = trainer_of(model, rows, tmp_path, batch_size=8)
    batch = {name: torch.tensor(rows[name][:]) for name in ("input_ids", "labels")}
    assert trainer.compute_loss(model, dict(batch)).item() == model(**batch).loss.item()


class StockTagger(nn.Module):
    """A tagger without a CRF whose loss is the mean of its batch, as those of transformers are."""

    accepts_loss_kwargs = False

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Embedding(8, 5)
        self.config = BiLstmCrfConfig(vocab_size=8, id2label=dict(enumerate(NAMES)))

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> TokenClassifierOutput:
        logits = self.scores(input_ids)
        assert labels is not None
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(loss=loss, logits=logits)


def tiny_tagger() -> BiLstmCrfForTokenClassification:
    torch.manual_seed(0)
    config = BiLstmCrfConfig(
        vocab_size=8,
        embedding_size=4,
        hidden_size=8,
        embedding_dropout=0.0,
        hidden_dropout=0.0,
        id2label=dict(enumerate(NAMES)),
        label2id={name: index for index, name in enumerate(NAMES)},
    )
    return BiLstmCrfForTokenClassification(config)


def some_rows() -> Dataset:
    """Return eight rows whose probabilities are those of a chain, and whose labels are its best."""
    torch.manual_seed(3)
    models, scores = crf_of(NAMES, flat=True), torch.randn(8, 6, 5)
    mask = torch.ones(8, 6, dtype=torch.bool)
    columns = {
        "input_ids": torch.randint(1, 8, (8, 6)).tolist(),
        "labels": models.decode(scores, mask).tolist(),
        PROBABILITIES: models.marginals(scores, mask).flatten(1).tolist(),
        ROW: list(range(8)),
    }
    return Dataset.from_dict(columns)


def trainer_of(model: Any, rows: Dataset, folder: Path, *, batch_size: int, accumulation: int = 1) -> Trainer:
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=batch_size,
        gradient_accumulation_steps=accumulation,
        max_steps=STEPS,
        learning_rate=0.5,
        lr_scheduler_type="constant",
        optim="sgd",
        max_grad_norm=0,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        label_names=["labels", ROW],
        dataloader_pin_memory=False,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)
    learn_probabilities(trainer, rows)
    return trainer
