"""Help: flags with their defaults, whole descriptions, one key at a time."""

import os
import re
import subprocess
from dataclasses import MISSING, fields
from importlib.metadata import version

import pytest
from support.command_line import MALMOI, malmoi
from transformers import TrainingArguments

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.recipes.declared_fields import as_written
from malmoi.recipes.keys import OURS, all_keys, find_key
from malmoi.recipes.recipe import RecipeError, describe_recipes, known_keys, load_recipe, training_fields


def help_of(*arguments: str, columns: int = 80) -> str:
    environment = os.environ | {"COLUMNS": str(columns)}
    done = subprocess.run([*MALMOI, *arguments], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def joined(text: str) -> str:
    """Undo the wrapping of lines, also at hyphens."""
    return re.sub(r"(?<=\w)- (?=\w)", "-", " ".join(text.split()))


def test_the_version_is_that_of_the_package() -> None:
    assert malmoi("--version")[0] == f"malmoi {version('malmoi')}\n"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_list_of_commands_is_whole_and_fits(columns: int) -> None:
    text = help_of("--help", columns=columns)
    assert "..." not in text.replace("[ARGS]...", "")
    assert (
        "Turn the checkpoint of a hand-made BiLSTM with pytorch-crf into a model that from_pretrained loads."
        in joined(text)
    )
    assert max(map(len, text.splitlines())) <= columns


def test_help_of_train_shows_every_flag_with_its_meaning() -> None:
    text = joined(help_of("train", "--help"))
    for key in all_keys():
        assert f"--{key.name} " in text
    assert "--learning_rate The initial learning rate for the optimizer. Default: 5e-05." in text
    assert "Flags, Training: Optimizer (of transformers):" in text
    assert "--train_fraction Train on this share of the training set, drawn by the seed. Default: 1.0." in text


def test_help_of_a_recipe_shows_its_own_values_first() -> None:
    text = help_of("train", "demo", "--help")
    whole = joined(text)
    assert "--learning_rate Here: 0.004. The initial learning rate for the optimizer. Default: 5e-05." in whole
    assert whole.index("Flags, set by demo:") < whole.index("Flags, Every task:")
    shown = set(re.findall(r"^  --(\w+)", text, re.MULTILINE)) - {"help"}
    assert shown == set(known_keys("named-entities", "bilstm_crf"))


def test_help_for_a_recipe_that_is_not_there_names_the_nearest() -> None:
    assert "There is no recipe 'demmo'; did you mean 'demo'?" in malmoi("train", "demmo", "--help", code=2)[1]


def test_a_key_is_explained() -> None:
    text = joined(malmoi("keys", "learning_rate")[0])
    assert "The initial learning rate for the optimizer. Type: float. Default: 5e-05." in text
    assert "0.004 in demo" in text
    assert "--learning_rate VALUE" in text
    assert malmoi("keys", "--", "--learning-rate")[0] == malmoi("keys", "learning_rate")[0]


def test_a_key_that_is_unknown_names_the_nearest() -> None:
    error = malmoi("keys", "lerning_rate", code=2)[1]
    assert error == "malmoi: There is no key 'lerning_rate'; did you mean 'learning_rate'?\n"


def test_a_key_of_several_architectures_or_tasks_says_so() -> None:
    (hidden,) = find_key("hidden_size")
    assert hidden.group == "model_type: bilstm, bilstm_crf"
    assert [key.default for key in find_key("reader")] == ["klue-ner", "plain-sentences", "nsmc", "plain-text"]
    with pytest.raises(RecipeError):
        find_key("readerr")


def test_every_key_has_a_meaning() -> None:
    without = {key.name for key in all_keys() if not key.help}
    assert without <= {"pad_token_id"}


def test_defaults_read_off_the_source_are_those_of_the_class() -> None:
    declared = {field.name: field for field in fields(TrainingArguments)}
    for field in training_fields():
        actual = declared[field.name]
        if actual.default is MISSING or field.name in OURS:
            continue
        expected = as_written(actual.default)
        assert field.default == expected, field.name
        assert field.help == " ".join(str(actual.metadata["help"]).replace("%%", "%").split()), field.name
    config = {field.name: field for field in find_key("num_hidden_layers")}
    assert config["num_hidden_layers"].default == str(BiLstmCrfConfig().num_hidden_layers)


def test_keys_are_one_line_each_for_programs() -> None:
    lines = malmoi("keys")[0].splitlines()
    assert len([line for line in lines if line.startswith("  ")]) == len(all_keys())
    (line,) = [line for line in lines if line.startswith("  ngram_sizes ") and "bilstm" not in line][:1]
    assert line.endswith("Each length is at least 2. Default: [].")


def test_recipes_are_described_to_the_end() -> None:
    descriptions = describe_recipes()
    assert all(text.rstrip(")").endswith(".") for text in descriptions.values()), descriptions
    assert "Everything is learned from the training file" in descriptions["klue-ner-bi-lstm-crf"]
    assert load_recipe("demo", []).settings["seed"] == 1
