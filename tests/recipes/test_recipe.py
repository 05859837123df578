import re
from pathlib import Path
from typing import Any

import pytest

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.data.readers import readers_of
from malmoi.recipes.arguments import ARGUMENTS
from malmoi.recipes.overrides import with_settings
from malmoi.recipes.recipe import RecipeError, describe_recipes, known_keys, load_recipe, recipe_names
from malmoi.training.models.architectures import build_model
from malmoi.training.recipe_arguments import check_arguments, parse_recipe, typed_value
from malmoi.training.tasks import TASKS


def write(folder: Path, content: str) -> str:
    path = folder / "own.yaml"
    path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_understood_and_gives_a_model(name: str, syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    recipe = load_recipe(name, ["--output_dir", str(tmp_path)])
    arguments, training_arguments, settings = parse_recipe(recipe)
    task = TASKS[recipe.task]
    check_arguments(task, arguments, training_arguments)
    assert isinstance(training_arguments.learning_rate, float)
    if arguments.model_name_or_path is None:  # the others need the Hub
        model = build_model(task, arguments, settings, ["B-PS", "I-PS", "O"], syllable_tokenizer)
        for key, value in settings.get("encoder_config", settings).items():
            holder = (
                getattr(model.config, "encoder_config", model.config) if "encoder_config" in settings else model.config
            )
            assert getattr(holder, key) == value


def test_every_recipe_says_what_it_is() -> None:
    descriptions = describe_recipes()
    assert {"demo", "klue-ner-bi-lstm-crf", "klue-ner-bi-lstm-crf-classic"} <= set(descriptions)
    assert all(len(description) > 20 for description in descriptions.values())


def test_the_classic_recipe_is_the_published_architecture() -> None:
    arguments, training_arguments, settings = parse_recipe(load_recipe("klue-ner-bi-lstm-crf-classic", []))
    config = BiLstmCrfConfig(**settings)
    assert (config.embedding_size, config.hidden_size, config.num_hidden_layers, config.vocab_size) == (
        768,
        256,
        1,
        32000,
    )
    assert (arguments.tokenizer, training_arguments.learning_rate) == ("klue/bert-base", 1e-3)
    assert (training_arguments.per_device_train_batch_size, training_arguments.max_grad_norm) == (32, 5.0)
    assert training_arguments.num_train_epochs == 10


def test_flags_override_the_recipe(tmp_path: Path) -> None:
    path = write(tmp_path, "learning_rate: 1e-5\nhidden_size: 16\nreader: klue-ner\nngram_sizes: [2]\n")
    flags = [
        "--learning_rate=3e-4",
        "--hidden-size",
        "32",
        "--overwrite",
        "--ngram_sizes",
        "[2, 3]",
        "--token_dropout",
        "1e-1",
    ]
    arguments, training_arguments, settings = parse_recipe(load_recipe(path, flags))
    assert training_arguments.learning_rate == 3e-4
    assert settings == {"hidden_size": 32, "ngram_sizes": [2, 3], "token_dropout": 0.1}
    assert (arguments.reader, arguments.overwrite) == ("klue-ner", True)
    assert training_arguments.output_dir == "runs/own"


def test_numbers_that_yaml_takes_for_text_become_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "learning_rate: 1e-5\nembedding_dropout: 5e-1\n")
    _, training_arguments, settings = parse_recipe(load_recipe(path, []))
    assert training_arguments.learning_rate == 1e-5
    assert settings == {"embedding_dropout": 0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("true", True),
        ("false", False),
        ("[2, 3]", [2, 3]),
        ("{model_type: bert, hidden_size: 8}", {"model_type": "bert", "hidden_size": 8}),
        ("max", "max"),
        ("pytorch-crf", "pytorch-crf"),
        ("[", "["),
        ("7", 7),
    ],
)
def test_values_of_flags_have_their_types(text: str, value: object) -> None:
    assert typed_value(text) == value
    assert type(typed_value(text)) is type(value)


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        ("lerning_rate: 1\n", [], "own.yaml: unknown key 'lerning_rate'; did you mean 'learning_rate'"),
        ("hiden_size: 1\n", [], "unknown key 'hiden_size'; did you mean 'hidden_size'"),
        ("reader: klue-ner\n", ["--data-dri", "x"], "Unknown flag --data_dri; did you mean 'data_dir'"),
        ("reader: klue-ner\n", ["--data-dir", ""], "--data_dir: expected a value, got an empty one."),
        ("reader: klue-ner\n", ["--seed="], "--seed: expected a value, got an empty one."),
        ("reader: klue-ner\n", ["data_dir"], "Expected a flag of the form --key value, got 'data_dir'"),
        (
            "reader: klue-ner\n",
            ["--model_type", "bilstm-crf"],
            "Unknown model_type 'bilstm-crf'; did you mean 'bilstm_crf'",
        ),
        ("- a\n", [], "expected lines of the form"),
        ("a: [\n", [], "expected YAML"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, content: str, flags: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(write(tmp_path, content), flags)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--learning_rate", "fast"], "argument --learning_rate.*invalid float value: 'fast'"),
        (
            ["--reader", "xml"],
            "`reader` must be one of .*inline-marks, jsonl, klue-ner, .* for named-entities, got 'xml'",
        ),
        (["--label_smoothing_factor", "0.1"], "would replace the loss of the CRF"),
        (["--eval_strategy", "no"], "--load_best_model_at_end|load_best_model_at_end"),
        (["--num_train_epochs", "0"], "`num_train_epochs` must be above 0, got 0"),
        (["--num_train_epochs", "nan"], "`num_train_epochs` must be above 0, got nan"),
        (["--num_train_epochs", "inf"], "`num_train_epochs` must be above 0, got inf"),
        (["--max_steps", "0"], "`max_steps` must be at least 1, got 0; left out, `num_train_epochs` says how long"),
        (
            ["--lr_scheduler_kwargs", "{num_cycles: 2"],
            "`lr_scheduler_kwargs` must be a mapping .*, got '{num_cycles: 2'",
        ),
        (["--lr_scheduler_kwargs", "two.json"], "`lr_scheduler_kwargs` must be a mapping such as .*, got 'two.json'"),
        (["--debug", "underflow_overflow"], "`debug` of transformers fails at values that are true or false"),
        (["--max_grad_norm", "inf"], "`max_grad_norm` must be a finite number, got inf"),
        (["--early_stopping_threshold", "nan"], "`early_stopping_threshold` must be a finite number, got nan"),
        (["--early_stopping_patience", "0"], "`early_stopping_patience` must be at least 1, got 0"),
        (["--neftune_noise_alpha", "-1"], "`neftune_noise_alpha` must be at least 0, got -1"),
        (["--dataloader_num_workers", "-1"], "`dataloader_num_workers` must be at least 0, got -1"),
        (["--dataloader_persistent_workers", "true"], "needs `dataloader_num_workers` above 0"),
        (["--per_device_train_batch_size", "0"], "must be at least 1"),
        (["--metric_for_best_model", "f1"], "`metric_for_best_model` must be loss or one of entity_f1, .*got 'f1'"),
        (["--name_replacement_probability", "7"], "must be from 0 to 1, got 7"),
        (["--fp16", "true", "--use_cpu", "true"], "`fp16` has no effect on CPU"),
        (["--push_to_hub", "true"], "use `malmoi push`"),
        (["--silver_limit", "9"], "`silver_limit` is about the texts of `silver_text`, which is missing"),
        (["--prediction_loss_only", "true"], "`prediction_loss_only: true` would leave nothing but a loss"),
        (["--remove_unused_columns", "false"], "`remove_unused_columns: false` would give the model columns"),
        (["--weight_decay", "-1"], "`weight_decay` must be a number of at least 0, got -1.0"),
        (["--weight_decay", "-1e-3"], r"`weight_decay` must be a number of at least 0, got -0\.001"),
        (["--max_grad_norm", "-inf"], "`max_grad_norm` must be a finite number, got -inf"),
        (["--greater_is_better", "false"], "`greater_is_better` must be true for entity_f1, or the worst model"),
        (["--use_cpu", "--bf16_full_eval"], "`bf16_full_eval: true` would round the weights that are saved; `bf16`"),
    ],
)
def test_wrong_values_are_refused(flags: list[str], message: str) -> None:
    def understand() -> None:
        arguments, training_arguments, _ = parse_recipe(load_recipe("demo", flags))
        check_arguments(TASKS[arguments.task], arguments, training_arguments)

    with pytest.raises(RecipeError, match=message):
        understand()


def test_a_folder_may_begin_with_a_hyphen() -> None:
    arguments, training_arguments, _ = parse_recipe(load_recipe("demo", ["--data_dir", "-a b", "--output_dir=--b=1"]))
    assert (arguments.data_dir, training_arguments.output_dir) == ("-a b", "--b=1")


def test_an_empty_output_dir_is_refused_in_python_too() -> None:
    with pytest.raises(RecipeError, match="`output_dir` must name a folder, got an empty text"):
        parse_recipe(with_settings(load_recipe("demo"), {"output_dir": ""}))


@pytest.mark.parametrize(
    ("recipe", "figure", "greater"),
    [
        ("demo", "entity_recall", True),
        ("demo", "eval_loss", False),
        ("nsmc-bert-tiny", "accuracy", True),
        ("korean-language-model", "forward_perplexity", False),
    ],
)
def test_a_flag_for_another_figure_brings_its_direction(recipe: str, figure: str, greater: bool) -> None:
    arguments, training_arguments, _ = parse_recipe(load_recipe(recipe, ["--metric_for_best_model", figure]))
    check_arguments(TASKS[arguments.task], arguments, training_arguments)
    assert training_arguments.greater_is_better is greater


@pytest.mark.parametrize("schedule", ["reduce_lr_on_plateau", "greedy"])
@pytest.mark.parametrize(("given", "mode"), [({}, "max"), ({"patience": 2}, "max"), ({"mode": "min"}, "min")])
def test_a_schedule_that_follows_a_figure_takes_more_of_it_for_better(
    schedule: str, given: dict[str, Any], mode: str
) -> None:
    flags = {"lr_scheduler_type": schedule, **({"lr_scheduler_kwargs": given} if given else {})}
    settings = parse_recipe(load_recipe("demo", [])._replace(flags=flags))[1].lr_scheduler_kwargs
    assert settings == {**given, "mode": mode}


@pytest.mark.parametrize("written", ["{num_cycles: 2}", '{"num_cycles": 2}'])
def test_a_mapping_is_written_on_the_command_line_as_in_a_recipe(written: str) -> None:
    flags = ["--lr_scheduler_kwargs", written, "--lr_scheduler_type", "cosine"]
    assert parse_recipe(load_recipe("demo", flags))[1].lr_scheduler_kwargs == {"num_cycles": 2}


def test_an_exponent_in_a_mapping_is_a_number_as_in_json(tmp_path: Path) -> None:
    of_schedule = '{"min_lr": 1e-5, "beta": [1.5E3, "auto"]}'
    (tmp_path / "own.yaml").write_text(
        f"lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {of_schedule}\n", encoding="utf-8"
    )
    flags = ["--lr_scheduler_type", "cosine_with_min_lr", "--lr_scheduler_kwargs", of_schedule]
    for recipe in (load_recipe("demo", flags), load_recipe(str(tmp_path / "own.yaml"))):
        assert parse_recipe(recipe)[1].lr_scheduler_kwargs == {"min_lr": 0.00001, "beta": [1500.0, "auto"]}


@pytest.mark.parametrize("key", ["lr_scheduler_kwargs", "accelerator_config", "activation_checkpointing_kwargs"])
@pytest.mark.parametrize("value", ["true", "5"])
def test_what_is_no_mapping_is_refused_in_a_recipe_as_in_a_flag(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "own.yaml").write_text(f"{key}: {value}\n", encoding="utf-8")
    for recipe in (load_recipe("demo", [f"--{key}", value]), load_recipe(str(tmp_path / "own.yaml"))):
        with pytest.raises(RecipeError, match=rf"(?i)`{key}` must be a mapping such as .*, got '?{value}'?\.$"):
            parse_recipe(recipe)


def test_a_file_of_settings_that_is_not_there_is_named() -> None:
    with pytest.raises(
        RecipeError, match=r"`fsdp_config` must be a mapping such as .*, or a file that has it, got 'n"
    ):
        parse_recipe(load_recipe("demo", ["--fsdp_config", "nowhere.json"]))


def test_deepspeed_that_is_missing_is_named() -> None:
    with pytest.raises(RecipeError, match="`deepspeed` needs DeepSpeed: `pip install deepspeed`"):
        parse_recipe(load_recipe("demo", ["--deepspeed", "{}"]))


def test_a_schedule_that_follows_the_loss_takes_less_of_it_for_better() -> None:
    flags = ["--lr_scheduler_type", "reduce_lr_on_plateau", "--metric_for_best_model", "loss"]
    assert not parse_recipe(load_recipe("demo", flags))[1].lr_scheduler_kwargs  # so it is by itself


def test_tensorboard_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malmoi.training.recipe_arguments.find_spec", lambda name: None)
    arguments, training_arguments, _ = parse_recipe(load_recipe("demo", ["--report_to", "tensorboard"]))
    with pytest.raises(RecipeError, match=r"pip install malmoi\[tensorboard\]"):
        check_arguments(TASKS["named-entities"], arguments, training_arguments)


@pytest.mark.parametrize(("key", "value"), [("hidden_size", "7"), ("hidden_size", "wide"), ("hidden_size", "[")])
def test_settings_that_the_model_refuses_are_named(syllable_tokenizer, key: str, value: str) -> None:  # type: ignore[no-untyped-def]
    arguments, _, settings = parse_recipe(load_recipe("demo", [f"--{key}", value]))
    with pytest.raises(RecipeError, match=r"settings of the model are wrong: .*hidden_size"):
        build_model(TASKS["named-entities"], arguments, settings, ["B-PS", "I-PS", "O"], syllable_tokenizer)


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(
        RecipeError, match=r"no recipe 'klue-ner-bilstm-crf'; did you mean 'klue-ner-bi-lstm-crf'\? Known: demo"
    ):
        load_recipe("klue-ner-bilstm-crf", [])


@pytest.mark.parametrize("task", TASKS)
def test_help_names_all_readers_of_a_task(task: str) -> None:
    said = ARGUMENTS[task].__dataclass_fields__["reader"].metadata["help"]
    names = said.removeprefix("Format of the data: ").partition(".")[0]
    assert re.split(", | or ", names) == readers_of(task)


def test_keys_read_off_the_source_are_those_of_the_classes() -> None:
    from dataclasses import fields

    from transformers import TrainingArguments

    known = set(known_keys("named-entities", "bilstm_crf"))
    declared = {field.name for field in fields(TrainingArguments) if field.init}
    assert declared <= known
    assert {name for name in BiLstmCrfConfig.__annotations__ if name != "model_type"} <= known
    assert {field.name for field in fields(ARGUMENTS["named-entities"])} <= known
