"""What the one trainer path does for encoders, word spacing and sentence classification."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.marked_lines import VALIDATION_LINES
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from malmoi.data.alignment import Span
from malmoi.data.inline_marks import parse_marks
from malmoi.data.user_error import UserError
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.metrics.counts import EntityCounts
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.callbacks import EpochTimer
from malmoi.training.recipe_arguments import parse_recipe
from malmoi.training.train import run

BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SENTENCES = ["아버지가 방에 들어가신다.", "비가 와서 집에 있었다.", "제주의 봄은 따뜻하다.", "어제 친구를 만났어요."]
OPTIONS: dict[str, Any] = {
    "num_train_epochs": 1,
    "per_device_train_batch_size": 8,
    "learning_rate": 0.01,
    "max_grad_norm": 0,
    "lr_scheduler_type": "constant",
    "logging_strategy": "steps",
    "logging_steps": 1,
    "use_cpu": True,
    "disable_tqdm": True,
    "seed": 1,
}


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labelled texts of very different length."""
    folder = tmp_path_factory.mktemp("reviews")
    generator = random.Random(0)
    words = {"good": ["재미있다", "최고", "감동"], "bad": ["지루하다", "최악", "실망"]}
    for name, count in (("train", 32), ("validation", 8), ("test", 8)):
        lines = [
            f"{label}\t{' '.join(generator.choices(words[label], k=generator.randint(1, 6)))}"
            for label in ("good", "bad") * (count // 2)
        ]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few sentences whose spaces are right."""
    folder = tmp_path_factory.mktemp("sentences")
    for name in ("train", "val", "test"):
        (folder / f"{name}.txt").write_text(
            "\n".join(SENTENCES * (4 if name == "train" else 1)) + "\n", encoding="utf-8"
        )
    return folder


def train(folder: Path, **settings: Any) -> dict[str, Any]:
    """Train what the settings say, as a recipe of one's own."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "own.yaml"
    recipe.write_text(json.dumps({**OPTIONS, **settings}), encoding="utf-8")  # JSON is YAML
    return run(load_recipe(str(recipe), ["--output_dir", str(folder / "run")]))


def train_encoder(folder: Path, data: Path, **settings: Any) -> dict[str, Any]:
    given = {"encoder_config": BERT, "tokenizer": "wordpiece", "tokenizer_vocab_size": 200}
    return train(
        folder, **{"reader": "inline-marks", "data_dir": str(data), "model_type": "encoder", **given, **settings}
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "run" / "model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["tagging", "classification"])
def test_gradients_of_stock_models_do_not_grow_with_accumulated_batches(
    tmp_path: Path, marked_corpus: Path, reviews: Path, task: str
) -> None:
    """Stock models ignore `num_items_in_batch`; relied on, it would multiply the gradients by 4 here."""
    options: dict[str, Any] = {"optim": "sgd", "train_sampling_strategy": "sequential", "max_steps": 1}
    if task == "classification":
        options |= {"task": "sentence-classification", "reader": "labelled-texts"}
    data = marked_corpus if task == "tagging" else reviews
    train_encoder(tmp_path / "whole", data, **options)
    train_encoder(tmp_path / "parts", data, per_device_train_batch_size=2, gradient_accumulation_steps=4, **options)
    # the mean of means differs from the mean of a batch where batches hold different numbers of tokens
    tolerance = 2e-3 if task == "tagging" else 1e-6
    for name, tensor in weights(tmp_path / "whole").items():
        torch.testing.assert_close(weights(tmp_path / "parts")[name], tensor, rtol=0, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("model_type", ["bert", "roberta", "electra", "distilbert", "albert"])
def test_any_encoder_is_trained_and_evaluated(tmp_path: Path, marked_corpus: Path, model_type: str) -> None:
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    if model_type == "distilbert":
        sizes = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    report = train_encoder(
        tmp_path, marked_corpus, encoder_config={"model_type": model_type, **sizes}, num_train_epochs=2
    )
    assert report["model_type"] == model_type
    assert set(report["figures"]) >= set(report["definitions"])
    assert report["tokenizer"]["ceiling"]["entity_f1"] > 0


@pytest.mark.slow
def test_sentences_longer_than_the_model_are_trained_and_judged_whole(tmp_path: Path, marked_corpus: Path) -> None:
    short = train_encoder(tmp_path / "short", marked_corpus, max_seq_length=8)
    whole = train_encoder(tmp_path / "whole", marked_corpus)
    assert short["tokenizer"]["ceiling"] == whole["tokenizer"]["ceiling"]
    saved = json.loads((tmp_path / "short" / "run" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert saved["model_max_length"] == 8


def test_a_model_is_trained_further_from_its_folder(tmp_path: Path, marked_corpus: Path) -> None:
    train_encoder(tmp_path / "first", marked_corpus)
    options = {"model_name_or_path": str(tmp_path / "first" / "run"), "encoder_config": None, "tokenizer": None}
    train_encoder(tmp_path / "further", marked_corpus, learning_rate=0.0, **options)
    for name, tensor in weights(tmp_path / "first").items():
        assert torch.equal(weights(tmp_path / "further")[name], tensor), name


def test_a_model_for_other_labels_is_refused_before_training(
    tmp_path: Path, marked_corpus: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    config = BertConfig(**{**BERT, "vocab_size": len(wordpiece_tokenizer)}, id2label={0: "O", 1: "B-X", 2: "I-X"})
    BertForTokenClassification(config).save_pretrained(tmp_path / "other")
    wordpiece_tokenizer.save_pretrained(tmp_path / "other")
    options = {"model_name_or_path": str(tmp_path / "other"), "encoder_config": None, "tokenizer": None}
    with pytest.raises(RecipeError, match="was trained for the labels O, B-X, I-X, but the data has B-LC, I-LC"):
        train_encoder(tmp_path / "run", marked_corpus, **options)
    assert not list((tmp_path / "run" / "run").glob("*"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"encoder_config": {"model_type": "bert", "hiden_size": 8}},
            "bert has no setting 'hiden_size'; did you mean",
        ),
        ({"encoder_config": {"hidden_size": 8}}, "with a `model_type` of transformers such as bert, got 'None'"),
        ({"encoder_config": "bert"}, "`encoder_config` must be a mapping"),
        ({"encoder_config": {**BERT, "vocab_size": 3}}, "The tokenizer has .* tokens, but the model only 3"),
        ({"max_seq_length": 65}, "`max_seq_length` must be at most 64 for this model, got 65"),
        ({"model_name_or_path": "klue/bert-base"}, "'klue/bert-base' .* could not be fetched from the Hub"),
        ({"crf_learning_rate": 0.1}, "`crf_learning_rate` needs a CRF, but `model_type` is encoder"),
        ({"embeddings": "vectors.txt"}, "`embeddings` are for bilstm_crf and bilstm"),
        ({"embeddings_trained": False}, "`embeddings_trained: false` needs pretrained embeddings, by `embeddings`"),
        ({"embeddings_learning_rate": 0.1}, "`embeddings_learning_rate` is for bilstm_crf and bilstm"),
        ({"early_stopping_patience": 2}, "`early_stopping_patience` needs `metric_for_best_model`"),
        ({"max_seq_length": 3}, "`max_seq_length` must be at least 4, got 3"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a number of at least 0, got nan"),
        ({"learning_rate": "fast"}, "invalid float value: 'fast'"),
        ({"name_replacement_copies": -1}, "`name_replacement_copies` must be at least 0"),
        ({"tokenizer_vocab_size": -3}, "must be at least 1"),
        ({"train_fraction": [1]}, "`train_fraction` must be above 0"),
        ({"train_fraction": 0}, "`train_fraction` must be above 0 and at most 1"),
        ({"learning_rate_decay": 1.5}, "`learning_rate_decay` must be above 0 and at most 1"),
        (
            {"learning_rate_decay": 0.5, "lr_scheduler_type": "greedy", "eval_strategy": "epoch"},
            "does not go together with",
        ),
        (
            {"task": "sentence-classification", "reader": "inline-marks"},
            "`reader` must be one of .*labelled-texts, nsmc",
        ),
        ({"task": "word-spacing", "reader": "plain-sentences", "model_type": "bilstm", "encoder_config": None}, None),
    ],
)
def test_settings_that_do_not_fit_are_named(
    tmp_path: Path, marked_corpus: Path, settings: dict[str, Any], message: str | None
) -> None:
    if message is None:
        settings = {key: value for key, value in settings.items() if value is not None}
        with pytest.raises(RecipeError, match="`model_type` must be one of bilstm_crf, encoder, encoder_crf"):
            train(tmp_path, data_dir=str(marked_corpus), **settings)
        return
    with pytest.raises(RecipeError, match=message):
        train_encoder(tmp_path, marked_corpus, **settings)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gradient_checkpointing": True}, "`gradient_checkpointing` is for encoders"),
        ({"embeddings_learning_rate": -1}, "`embeddings_learning_rate` must be a number of at least 0, got -1"),
        ({"use_liger_kernel": True}, "`use_liger_kernel` is for encoders"),
        ({"do_train": False}, "`do_train: false` would train nothing"),
        ({"model_name_or_path": "klue/bert-base"}, "klue/bert-base: there is no such folder, and on the Hub"),
    ],
)
def test_settings_of_encoders_are_refused_for_an_lstm(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        train(tmp_path, reader="inline-marks", **settings)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize("model_type", ["encoder", "encoder_crf"])
def test_gradient_checkpointing_changes_memory_and_nothing_else(
    tmp_path: Path, marked_corpus: Path, model_type: str
) -> None:
    options = {"optim": "sgd", "max_steps": 1, "model_type": model_type}
    train_encoder(tmp_path / "plain", marked_corpus, **options)
    train_encoder(tmp_path / "checkpointed", marked_corpus, gradient_checkpointing=True, **options)
    for name, tensor in weights(tmp_path / "plain").items():
        torch.testing.assert_close(weights(tmp_path / "checkpointed")[name], tensor, rtol=0, atol=2e-5)


def test_the_learning_rate_shrinks_with_every_epoch(tmp_path: Path, marked_corpus: Path) -> None:
    train_encoder(tmp_path, marked_corpus, num_train_epochs=3, learning_rate_decay=0.5, save_strategy="epoch")
    states = sorted((tmp_path / "run").glob("checkpoint-*/trainer_state.json"), key=lambda p: int(p.parent.name[11:]))
    history = json.loads(states[-1].read_text(encoding="utf-8"))["log_history"]
    rates = {int(entry["epoch"] - 1e-6): entry["learning_rate"] for entry in history if "learning_rate" in entry}
    assert rates == pytest.approx({0: 0.01, 1: 0.005, 2: 0.0025})


def test_the_crf_has_a_learning_rate_of_its_own(tmp_path: Path, marked_corpus: Path) -> None:
    options: dict[str, Any] = {"model_type": "encoder_crf", "optim": "sgd", "max_steps": 1}
    train_encoder(tmp_path / "none", marked_corpus, learning_rate=0.0, crf_learning_rate=0.0, **options)
    train_encoder(tmp_path / "crf", marked_corpus, learning_rate=0.0, crf_learning_rate=0.1, **options)
    moved = {
        name
        for name, tensor in weights(tmp_path / "none").items()
        if not weights(tmp_path / "crf")[name].equal(tensor)
    }
    assert moved == {"crf.transitions", "crf.start_transitions", "crf.end_transitions"}


def test_embeddings_have_a_learning_rate_of_their_own(tmp_path: Path, marked_corpus: Path) -> None:
    options: dict[str, Any] = {
        "reader": "inline-marks",
        "data_dir": str(marked_corpus),
        "optim": "sgd",
        "max_steps": 1,
    }
    options |= {"embedding_size": 8, "hidden_size": 16, "ngram_sizes": [2], "ngram_vocab_size": 64}
    train(tmp_path / "none", learning_rate=0.0, **options)
    for name, rates, expected in (
        ("embeddings", {"learning_rate": 0.0, "embeddings_learning_rate": 0.1}, True),
        ("others", {"learning_rate": 0.1, "embeddings_learning_rate": 0.0}, False),
    ):
        train(tmp_path / name, **options, **rates)
        before, after = weights(tmp_path / "none"), weights(tmp_path / name)
        moved = {each for each in before if not before[each].equal(after[each])}
        assert moved
        assert {each.startswith("embeddings.") for each in moved} == {expected}


def test_a_share_of_the_training_set_is_drawn_by_the_seed(tmp_path: Path, reviews: Path) -> None:
    options: dict[str, Any] = {"task": "sentence-classification", "reader": "labelled-texts"}
    report = train_encoder(tmp_path, reviews, train_fraction=0.25, logging_steps=1, **options)
    assert report["losses"][-1]["step"] == 1  # 8 of 32 texts
    assert report["data"]["texts"]["train"] == 32
    assert report["settings"]["train_fraction"] == 0.25


@pytest.mark.parametrize("model_type", ["bilstm", "encoder"])
def test_a_classifier_learns_and_shows_its_confusion(tmp_path: Path, reviews: Path, model_type: str) -> None:
    settings: dict[str, Any] = {"embedding_size": 8, "hidden_size": 16, "initializer_range": 0.1}
    if model_type == "encoder":
        settings = {"encoder_config": BERT, "tokenizer": "wordpiece", "tokenizer_vocab_size": 200}
    report = train(
        tmp_path,
        task="sentence-classification",
        reader="labelled-texts",
        data_dir=str(reviews),
        model_type=model_type,
        **{**settings, "num_train_epochs": 12},
    )
    assert report["figures"]["accuracy"] == report["test_figures"]["accuracy"] == 1
    assert report["confusion"] == {"classes": ["bad", "good"], "counts": [[4, 0], [0, 4]]}
    assert report["figures"]["f1/good"] == report["figures"]["macro_f1"] == 1
    for name in ("loss.png", "confusion.png"):
        assert (tmp_path / "run" / name).read_bytes().startswith(b"\x89PNG")


def test_texts_longer_than_the_model_are_counted(tmp_path: Path, reviews: Path) -> None:
    options: dict[str, Any] = {"task": "sentence-classification", "reader": "labelled-texts", "max_seq_length": 4}
    report = train_encoder(tmp_path, reviews, **options)
    assert 0 < report["tokenizer"]["truncated_share"] < 1


def test_spacing_is_learned_and_shown(tmp_path: Path, sentences: Path) -> None:
    report = train(
        tmp_path,
        task="word-spacing",
        reader="plain-sentences",
        data_dir=str(sentences),
        embedding_size=16,
        hidden_size=32,
        initializer_range=0.1,
        num_train_epochs=20,
    )
    assert report["figures"]["space_f1"] == report["figures"]["sentence_accuracy"] == 1
    assert report["samples"][0] == {"gt": "아버지가 방에 들어가신다.", "pred": "아버지가 방에 들어가신다."}
    assert report["test_figures"]["tag_macro_f1"] == 1
    assert report["tokenizer"]["ceiling"]["space_f1"] == 1


def test_samples_are_what_the_model_says(tmp_path: Path, sentences: Path) -> None:
    report = train(
        tmp_path,
        task="word-spacing",
        reader="plain-sentences",
        data_dir=str(sentences),
        embedding_size=8,
        hidden_size=8,
        learning_rate=0.0,
    )
    assert [sample["gt"] for sample in report["samples"]] == SENTENCES
    spaced = Spacer(tmp_path / "run").space(SENTENCES)
    assert [sample["pred"] for sample in report["samples"]] == [answer.text for answer in spaced]
    assert report["samples"][0]["pred"] != report["samples"][0]["gt"]


@pytest.mark.parametrize("model_type", ["bilstm_crf", "encoder"])
def test_the_tagger_finds_what_evaluation_counts(tmp_path: Path, marked_corpus: Path, model_type: str) -> None:
    if model_type == "encoder":
        options = {"max_seq_length": 10, "learning_rate": 0.03, "num_train_epochs": 4}
        report = train_encoder(tmp_path, marked_corpus, **options)
    else:
        options = {
            "embedding_size": 8,
            "hidden_size": 16,
            "bio_constraints": False,
            "num_train_epochs": 8,
            "learning_rate": 0.03,
        }
        report = train(tmp_path, reader="inline-marks", data_dir=str(marked_corpus), **options)
    counts = EntityCounts()
    marked = [parse_marks(line) for line in VALIDATION_LINES]
    found = Tagger(tmp_path / "run").tag([text for text, _ in marked])
    for (_, gold), entities in zip(marked, found):
        counts.update(gold, [Span(entity.start, entity.end, entity.label) for entity in entities])
    assert counts.predicted.total() > 0
    assert counts.micro().f1 == pytest.approx(report["figures"]["entity_f1"])


@pytest.mark.slow
def test_a_seed_can_be_drawn(tmp_path: Path, sentences: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"task": "word-spacing", "reader": "plain-sentences", "data_dir": str(sentences), "max_steps": 1}
    sizes = {"embedding_size": 8, "hidden_size": 8}
    seeds = {train(tmp_path / run, **options, **sizes, seed=None)["seed"] for run in ("one", "other")}
    assert len(seeds) == 2
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RecipeError, match="`seed: null` draws a seed, and several processes must have the same"):
        parse_recipe(load_recipe("demo", ["--seed", "none"]))


def test_time_spent_on_evaluation_is_no_training_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("malmoi.training.callbacks.time.perf_counter", lambda: now)
    timer = EpochTimer()
    for _ in range(2):
        timer.on_epoch_begin()
        for _ in range(3):
            now += 1  # a step
            timer.on_step_end()
            now += 10
            timer.on_evaluate()
            now += 100
            timer.on_save()
        timer.on_epoch_end()
    assert timer.seconds == [3, 3]
    timer.on_epoch_begin()
    now += 1
    timer.on_step_end()
    restored = EpochTimer.from_state(timer.state())
    assert restored.total() == timer.total() == 7


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3, 4])  # at the end of an epoch and in the middle of one
def test_a_resumed_training_has_the_learning_rates_of_an_uninterrupted_one(
    tmp_path: Path, marked_corpus: Path, steps: int
) -> None:
    options: dict[str, Any] = {
        "model_type": "encoder_crf",
        "crf_learning_rate": 0.1,
        "learning_rate_decay": 0.5,
        "num_train_epochs": 3,
        "save_strategy": "steps",
        "save_steps": 1,
    }
    train_encoder(tmp_path / "whole", marked_corpus, **options)
    checkpoint = tmp_path / "whole" / "run" / f"checkpoint-{steps}"
    train_encoder(tmp_path / "resumed", marked_corpus, **options, resume_from_checkpoint=str(checkpoint))
    for name, tensor in weights(tmp_path / "whole").items():
        assert torch.equal(weights(tmp_path / "resumed")[name], tensor), name


def test_the_best_three_checkpoints_are_kept_and_training_stops_early(tmp_path: Path, sentences: Path) -> None:
    report = train_encoder(
        tmp_path,
        sentences,
        task="word-spacing",
        reader="plain-sentences",
        num_train_epochs=60,
        learning_rate=0.03,
        eval_strategy="epoch",
        save_strategy="best",
        save_total_limit=3,
        load_best_model_at_end=True,
        metric_for_best_model="loss",
        greater_is_better=False,
        early_stopping_patience=3,
        early_stopping_threshold=0.0001,
    )
    assert len(report["epochs"]) < 60
    improving: list[dict[str, Any]] = []
    for entry in report["epochs"]:
        if not improving or entry["loss"] < improving[-1]["loss"]:
            improving.append(entry)
    kept = {int(path.name.removeprefix("checkpoint-")) for path in (tmp_path / "run").glob("checkpoint-*")}
    assert kept == {entry["step"] for entry in improving[-3:]}
    assert report["figures"]["loss"] == pytest.approx(improving[-1]["loss"], abs=1e-5)
