"""The one trainer path, end to end, on a few sentences."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.command_line import MALMOI, malmoi
from support.recipe_flags import as_flags
from transformers import EvalPrediction, PreTrainedTokenizerFast

from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.token_features import token_features
from malmoi.metrics.named_entities import DEFINITIONS, NamedEntityMetrics
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.described_settings import describe_settings, settings_as_given
from malmoi.training.evaluation import TaggingEvaluation, tokenizer_ceiling
from malmoi.training.train import run

TINY = {
    "embedding_size": 8,
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 16,
    "name_replacement_copies": 1,
    "num_train_epochs": 3,
    "per_device_train_batch_size": 8,
    "learning_rate": 0.02,
    "use_cpu": "true",
    "disable_tqdm": "true",
}


def flags(**overrides: Any) -> list[str]:
    return as_flags({**TINY, **overrides})


def train(folder: Path, data: Path, **overrides: Any) -> dict[str, Any]:
    return run(load_recipe("demo", flags(output_dir=folder, data_dir=data, **overrides)))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def assert_equal_weights(first: Path, second: Path) -> None:
    for name, tensor in weights(first).items():
        assert torch.equal(weights(second)[name], tensor), name


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    train(folder, marked_corpus)
    return folder


def test_a_run_leaves_a_model_and_a_report(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "modeling_bilstm_crf.py", "report.json"} <= names
    assert not [name for name in names if name.endswith(".bin")]
    report = json.loads((trained / "report.json").read_text(encoding="utf-8"))
    assert report["recipe"] == "demo"
    assert report["data"]["texts"] == {"train": 24, "validation": 3}
    assert [entry["epoch"] for entry in report["epochs"]] == [1, 2, 3]
    assert all(entry["train_seconds"] > 0 for entry in report["epochs"])
    scores = [entry["entity_f1"] for entry in report["epochs"]]
    assert report["best"] == max(scores) == report["figures"]["entity_f1"]
    assert report["mean"] == pytest.approx(sum(scores) / 3)
    assert report["definitions"] == DEFINITIONS
    assert report["tokenizer"]["ceiling"]["entity_f1"] == 1.0
    assert report["parameters"] == sum(tensor.numel() for tensor in weights(trained).values())
    assert report["seed"] == 1
    assert report["environment"]["torch"] == torch.__version__


def test_the_same_seed_gives_the_same_weights(trained: Path, tmp_path: Path, marked_corpus: Path) -> None:
    train(tmp_path / "again", marked_corpus)
    assert_equal_weights(trained, tmp_path / "again")


@pytest.mark.slow
def test_something_is_learned(tmp_path: Path, marked_corpus: Path) -> None:
    report = train(tmp_path / "run", marked_corpus, num_train_epochs=12, embedding_dropout=0.1, hidden_dropout=0.1)
    assert report["best"] > 0.8


def test_a_finished_run_is_not_overwritten_by_mistake(trained: Path, marked_corpus: Path) -> None:
    before = (trained / "report.json").read_bytes()
    with pytest.raises(RecipeError, match=r"holds a run already.*--resume_from_checkpoint true.*--overwrite true"):
        train(trained, marked_corpus)
    assert (trained / "report.json").read_bytes() == before


@pytest.mark.parametrize(
    "names",
    [["model.safetensors"], ["model-00001-of-00002.safetensors"], ["pytorch_model.bin", "config.json"]],
)
def test_a_model_that_no_run_has_written_is_not_replaced_by_mistake(
    tmp_path: Path, marked_corpus: Path, names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(RecipeError, match=rf"holds a model already \({names[0]}\).*--overwrite true"):
        train(tmp_path, marked_corpus)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(names, b"mine")


def test_going_on_and_beginning_anew_exclude_each_other(trained: Path, marked_corpus: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in trained.iterdir()}
    with pytest.raises(RecipeError, match=r"either --resume_from_checkpoint true.*or --overwrite true.*not both"):
        train(trained, marked_corpus, overwrite="true", resume_from_checkpoint="true")
    assert {path.name: path.stat().st_mtime_ns for path in trained.iterdir()} == before


@pytest.mark.parametrize("changes", [{}, {"overwrite": "true"}, {"resume_from_checkpoint": "true"}])
def test_what_the_trainer_would_delete_as_a_checkpoint_is_not_risked(
    tmp_path: Path, marked_corpus: Path, changes: dict[str, str]
) -> None:
    (tmp_path / "checkpoint-best").mkdir()
    with pytest.raises(RecipeError, match=r"checkpoint-best is no checkpoint of a training.*Rename it"):
        train(tmp_path, marked_corpus, **changes)


@pytest.mark.slow
def test_overwriting_replaces_the_run_and_nothing_else(tmp_path: Path, marked_corpus: Path) -> None:
    folder = tmp_path / "run"
    train(folder, marked_corpus, num_train_epochs=1)
    kept = ["notes.txt", "checkpoint-notes.txt", "checkpoints/notes.txt", "model-of-last-year.safetensors"]
    for name in kept:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine", encoding="utf-8")
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(RecipeError, match="settings of the model are wrong"):
        train(folder, marked_corpus, overwrite="true", hidden_size=7)
    assert {path.name for path in folder.iterdir()} == before
    report = train(folder, marked_corpus, overwrite="true", seed=5, num_train_epochs=1)
    assert report["seed"] == 5 == json.loads((folder / "report.json").read_text(encoding="utf-8"))["seed"]
    assert [(folder / name).read_text(encoding="utf-8") for name in kept] == ["mine"] * len(kept)


def test_a_training_that_diverges_leaves_no_finished_run(tmp_path: Path, marked_corpus: Path) -> None:
    wrong = {"learning_rate": 1e30, "optim": "sgd", "max_grad_norm": 0.0}
    with pytest.raises(RecipeError, match=r"training has diverged: .* smaller --learning_rate than 1e\+30"):
        train(tmp_path / "run", marked_corpus, **wrong)
    assert not (tmp_path / "run" / "report.json").exists()
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_report_holds_no_secret_and_no_path(
    tmp_path: Path, marked_corpus: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    wordpiece_tokenizer.save_pretrained(tmp_path / "pieces")
    flags_given = ["--hub_token", "hf_secret", "--tokenizer", str(tmp_path / "pieces"), *flags(data_dir=marked_corpus)]
    settings = describe_settings(load_recipe("demo", flags_given))
    assert settings["tokenizer"] == "pieces"
    assert settings["hidden_size"] == 16
    assert "hf_secret" not in str(settings)
    assert str(tmp_path) not in str(settings)
    assert str(marked_corpus) not in str(settings)


@pytest.mark.parametrize(
    ("flags_given", "key", "shown"),
    [
        (["--deepspeed", "/srv/kim/secret/ds.json"], "deepspeed", "ds.json"),
        (["--silver_text", "/srv/kim/secret/gone.txt"], "silver_text", "gone.txt"),
        (["--silver_text", "~kim/secret/gone.txt"], "silver_text", "gone.txt"),
        (["--silver_text", "../secret/a,b.txt"], "silver_text", "a,b.txt"),
        (["--silver_text", "srv/kim/secret/gone.txt"], "silver_text", "gone.txt"),
        (["--silver_teachers", "/srv/kim/a,user/b,bundled:named-entities"], "silver_teachers", None),
        (["--accelerator_config", '{"path": "/srv/kim/secret/a.json"}'], "accelerator_config", {"path": "a.json"}),
        (["--model_name_or_path", "klue/bert-base"], "model_name_or_path", "klue/bert-base"),
        (["--token_separator", "/"], "token_separator", "/"),
    ],
)
def test_a_report_holds_no_path_of_what_is_not_there(flags_given: list[str], key: str, shown: object) -> None:
    settings = describe_settings(load_recipe("demo", flags_given))
    assert settings[key] == ("a,user/b,bundled:named-entities" if shown is None else shown)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("token_separator", "", ""),
        ("token_separator", " ", " "),
        ("token_separator", "-", "-"),
        ("label_column", "no", "no"),
        ("text_column", "1", "1"),
        ("annotator", "7", "7"),
        ("run_name", "2024-11-30", "2024-11-30"),
        ("model_name_or_path", "2024-11-30", "2024-11-30"),
        ("lexicon", "", None),  # an empty flag takes it away
    ],
)
def test_a_text_stands_in_a_report_as_it_was_given(key: str, value: str, shown: str | None) -> None:
    settings = describe_settings(load_recipe("demo", [f"--{key}={value}"]))
    assert settings[key] == shown
    json.dumps(settings)


def test_a_text_of_a_recipe_that_yaml_reads_otherwise_is_one(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("run_name: 2024-11-30\nlabel_column: 3\nlexicon:\n", encoding="utf-8")
    settings = describe_settings(load_recipe(str(recipe)))
    assert settings == {"run_name": "2024-11-30", "label_column": "3", "lexicon": None}


def test_resuming_without_a_checkpoint_is_refused(tmp_path: Path, marked_corpus: Path) -> None:
    with pytest.raises(RecipeError, match="holds no checkpoint"):
        train(tmp_path, marked_corpus, resume_from_checkpoint="true")
    with pytest.raises(RecipeError, match="is no checkpoint"):
        train(tmp_path, marked_corpus, resume_from_checkpoint=str(tmp_path / "checkpoint-3"))


@pytest.mark.slow
@pytest.mark.parametrize("steps", [6, 4])  # at the end of an epoch and in the middle of one
def test_a_resumed_training_ends_with_the_same_weights(tmp_path: Path, marked_corpus: Path, steps: int) -> None:
    options = {"save_strategy": "steps", "eval_strategy": "steps", "save_steps": 2, "eval_steps": 2}
    options |= {"save_total_limit": 20, "load_best_model_at_end": "false"}
    train(tmp_path / "whole", marked_corpus, **options)
    checkpoint = tmp_path / "whole" / f"checkpoint-{steps}"
    train(tmp_path / "resumed", marked_corpus, resume_from_checkpoint=checkpoint, **options)
    assert_equal_weights(tmp_path / "whole", tmp_path / "resumed")


def test_early_stopping_stops(tmp_path: Path, marked_corpus: Path) -> None:
    report = train(tmp_path / "run", marked_corpus, num_train_epochs=50, learning_rate=0.0, early_stopping_patience=2)
    assert len(report["epochs"]) == 3


def test_an_unfinished_batch_may_be_left_out_of_training_but_never_of_figures(
    tmp_path: Path, marked_corpus: Path
) -> None:
    options = {"max_steps": 2, "per_device_eval_batch_size": 2}
    whole = train(tmp_path / "whole", marked_corpus, **options)
    dropped = train(tmp_path / "dropped", marked_corpus, dataloader_drop_last="true", **options)
    assert_equal_weights(tmp_path / "whole", tmp_path / "dropped")  # 24 sentences are three whole batches
    times = {"runtime", "samples_per_second", "steps_per_second"}
    assert {k: v for k, v in dropped["figures"].items() if k not in times} == {
        k: v for k, v in whole["figures"].items() if k not in times
    }
    with pytest.raises(RecipeError, match="leaves nothing to train on: 24 texts do not fill a batch of 48"):
        train(
            tmp_path / "none",
            marked_corpus,
            dataloader_drop_last="true",
            per_device_train_batch_size=48,
            name_replacement_copies=0,
        )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("adam_beta1", 2, "Invalid beta parameter at index 0: 2.0"),
        ("optim", "lion_32bit", "bitsandbytes"),
        ("lr_scheduler_type", "cosine_with_min_lr", "min_lr"),
        ("lr_scheduler_type", "warmup_stable_decay", "num_decay_steps"),
        ("lr_scheduler_kwargs", '{"bogus": 1}', "bogus"),
        ("report_to", "codecarbon", "codecarbon"),
    ],
)
def test_what_the_trainer_refuses_is_one_sentence(
    tmp_path: Path, marked_corpus: Path, key: str, value: Any, message: str
) -> None:
    with pytest.raises(RecipeError, match=f"^The settings of the training cannot be used: .*{message}"):
        train(tmp_path / "run", marked_corpus, **{key: value})
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.slow
def test_gradient_accumulation_gives_the_same_weights(tmp_path: Path, marked_corpus: Path) -> None:
    options: dict[str, Any] = {"embedding_dropout": 0.0, "hidden_dropout": 0.0, "num_train_epochs": 1}
    options["train_sampling_strategy"] = "sequential"
    train(tmp_path / "whole", marked_corpus, **options)
    train(
        tmp_path / "parts",
        marked_corpus,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=4,
        **options,
    )
    for name, tensor in weights(tmp_path / "whole").items():
        torch.testing.assert_close(weights(tmp_path / "parts")[name], tensor, rtol=0, atol=2e-4)


def test_bfloat16_training_runs(tmp_path: Path, marked_corpus: Path) -> None:
    report = train(tmp_path / "run", marked_corpus, bf16="true", num_train_epochs=1)
    assert all(tensor.isfinite().all() for tensor in weights(tmp_path / "run").values())
    assert report["parameters"] > 0


@pytest.mark.slow
def test_tensorboard_gets_the_figures(tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    train(tmp_path / "run", marked_corpus, report_to="tensorboard", num_train_epochs=1)
    assert list((tmp_path / "board").glob("events.*"))


@pytest.mark.slow
def test_a_tokenizer_from_a_folder_is_used(
    tmp_path: Path, marked_corpus: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    wordpiece_tokenizer.save_pretrained(tmp_path / "tokenizer")
    report = train(tmp_path / "run", marked_corpus, tokenizer=tmp_path / "tokenizer", num_train_epochs=1)
    config = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert config["untagged_token_ids"] == [0, 2, 3, 4]
    assert report["tokenizer"]["vocab_size"] == len(wordpiece_tokenizer)
    assert report["tokenizer"]["ceiling"]["entity_f1"] < 1


def test_a_tokenizer_that_cannot_be_had_says_what_to_do(tmp_path: Path, marked_corpus: Path) -> None:
    with pytest.raises(
        RecipeError, match="'klue/bert-base' is in no such folder and could not be fetched from the Hub"
    ):
        train(tmp_path / "run", marked_corpus, tokenizer="klue/bert-base")


def test_a_missing_split_is_named(tmp_path: Path, marked_corpus: Path) -> None:
    (tmp_path / "validation.txt").write_bytes((marked_corpus / "validation.txt").read_bytes())
    with pytest.raises(RecipeError, match="holds no train file"):
        train(tmp_path / "run", tmp_path)


def test_the_width_of_pretrained_embeddings_is_said_and_reported(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("2 3\n은 0.1 0.2 0.3\n에 0.4 0.5 0.6\n", encoding="utf-8")
    report = train(tmp_path / "run", marked_corpus, embeddings=vectors, max_steps=1)
    assert f"Embeddings are 3 wide, as in {vectors}, instead of 8." in capsys.readouterr().err
    assert report["settings"]["embedding_size"] == report["embeddings"]["embedding_size"] == 3
    assert report["training"]["instead_of"]["embedding_size"] == 8
    given = load_recipe("demo", flags(embeddings=vectors, max_steps=1))
    assert settings_as_given(report) == describe_settings(given)


def test_the_ceiling_is_what_perfect_labels_give(
    wordpiece_tokenizer: PreTrainedTokenizerFast, marked_corpus: Path
) -> None:
    sentences = read_inline_marks(marked_corpus)["validation"]
    features = token_features(sentences, wordpiece_tokenizer)
    evaluation = TaggingEvaluation(features, sentences, NamedEntityMetrics)
    for row in range(features.num_rows):
        for predicted in (features[row]["labels"], [0] * 50):  # a sentence that comes twice counts once
            batch = EvalPrediction(torch.tensor([predicted]), (torch.tensor([[0]]), torch.tensor([row])))  # type: ignore[arg-type]
            figures = evaluation(batch, compute_result=False)
    figures = evaluation(batch, compute_result=True)
    assert figures == tokenizer_ceiling(evaluation)


SCRIPT = "malmoi.training.train"


@pytest.mark.slow
def test_two_processes_give_the_weights_and_figures_of_one(tmp_path: Path, marked_corpus: Path) -> None:
    options = {
        "data_dir": marked_corpus,
        "embedding_dropout": 0.0,
        "hidden_dropout": 0.0,
        "train_sampling_strategy": "sequential",
        "num_train_epochs": 1,
        "overwrite": "true",
    }
    train(tmp_path / "one", marked_corpus, **{key: value for key, value in options.items() if key != "data_dir"})
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        "-m",
        SCRIPT,
    ]
    command = [*launch, "demo", *flags(**options, output_dir=tmp_path / "two", per_device_train_batch_size=4)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert result.returncode == 0, result.stderr[-3000:]
    for name, tensor in weights(tmp_path / "one").items():
        torch.testing.assert_close(weights(tmp_path / "two")[name], tensor, rtol=0, atol=2e-4)
    one, two = (json.loads((tmp_path / run / "report.json").read_text(encoding="utf-8")) for run in ("one", "two"))
    for name in DEFINITIONS:
        assert two["figures"][name] == pytest.approx(one["figures"][name]), name
    assert result.stdout.count("By type") == 1


@pytest.mark.slow
def test_an_interrupted_training_goes_on_where_it_was(tmp_path: Path, marked_corpus: Path) -> None:
    """Ctrl-C in the middle, then the command that the message names."""
    options = {"data_dir": marked_corpus, "output_dir": tmp_path / "a run", "num_train_epochs": 40}
    command = ["train", "demo", *flags(**options)]
    process = subprocess.Popen([*MALMOI, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 200
    while not list((tmp_path / "a run").glob("checkpoint-*/trainer_state.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 130, error[-2000:]
    assert not (tmp_path / "a run" / "report.json").exists()
    named = shlex.split(error.strip().splitlines()[-1])
    assert named[0] == "malmoi"
    malmoi(*named[1:])
    report = train(tmp_path / "whole", marked_corpus, num_train_epochs=40)
    assert_equal_weights(tmp_path / "a run", tmp_path / "whole")
    continued = json.loads((tmp_path / "a run" / "report.json").read_text(encoding="utf-8"))
    assert [e["entity_f1"] for e in continued["epochs"]] == [e["entity_f1"] for e in report["epochs"]]
    assert all(entry["train_seconds"] for entry in continued["epochs"])


def test_a_training_without_evaluation_is_evaluated_at_its_end(tmp_path: Path, marked_corpus: Path) -> None:
    options = {"eval_strategy": "no", "load_best_model_at_end": "false", "num_train_epochs": 1}
    report = train(tmp_path / "run", marked_corpus, **options)
    assert len(report["epochs"]) == 1
    assert report["best"] == report["figures"]["entity_f1"]
