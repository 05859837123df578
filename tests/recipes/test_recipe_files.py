"""A recipe that cannot be read is one sentence: which file, which line, what was expected."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.command_line import malmoi

from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.recipes.recipe_file import read_recipe
from malmoi.training.recipe_arguments import check_arguments, parse_recipe
from malmoi.training.tasks import TASKS

BOMB = b"a0: &a0 x\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 30)
)
"""A few lines whose aliases stand for 10**29 values."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seed: [1\n", ", line 2, column 1: expected YAML: expected ',' or ']', but got the end of the file."),
        (b"seed: 1\n\ta: 2\n", ", line 2, column 1: expected YAML: lines are indented by spaces, not by tabs."),
        (b"a: a: b\n", ", line 1, column 5: expected YAML: a second colon on this line; put the value in quotes."),
        (b"seed: 1\n---\nseed: 2\n", ", line 2, column 1: expected YAML: expected a single document in the"),
        (b"a: *x\n", ", line 1, column 4: expected YAML: found undefined alias 'x'."),
        (b"a: " + b"[" * 100_000, ": expected YAML, but its brackets are nested too deeply."),
        (BOMB, ", line 1, column 1: expected YAML: its aliases stand for more than 100,000 values."),
        (b"a: &a [*a]\n", ", line 1, column 1: expected YAML: its aliases stand for more than 100,000 values."),
        (b"a: " + b"1" * 2_000_000, ": the file is larger than the 1,048,576 bytes that are read of such a file."),
        (b"a: " + b"1" * 10_000, ": expected YAML: "),
        (b"a: !!python/object:os.system x\n", ", line 1, column 4: expected YAML: could not determine a constructor"),
        (b'a: "\x07"\n', ", line 1: expected YAML, which has no character U+0007."),
        (b"seed: 2024-13-01\n", ": expected YAML: month must be in 1..12."),
        (b"", ": expected lines of the form `key: value`, but it is empty."),
        (b"# nothing but a comment\n", ": expected lines of the form `key: value`, but it is empty."),
        (b"- a\n- b\n", ": expected lines of the form `key: value`, got a list."),
        (b"hello\n", ": expected lines of the form `key: value`, got 'hello'."),
        (b"1: 2\n", ": expected lines of the form `key: value`, got the key 1, which is no name."),
        (b"seed: 1\nhidden_size: 2\nseed: 3\n", ", line 3, column 1: expected YAML: the key 'seed' stands here a"),
        (b"encoder_config:\n  a: 1\n  a: 2\n", ", line 3, column 3: expected YAML: the key 'a' stands here a"),
        ("seed: 1\n# 한글\n".encode("cp949"), ", line 2: expected UTF-8, got byte 0xc7."),
        ("seed: 1\n".encode("utf-16"), ", line 1: expected UTF-8, got byte 0xff."),
    ],
)
def test_a_file_that_is_no_recipe_is_named_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as error:
        load_recipe(str(path), [])
    assert str(error.value).startswith(f"{path}{message}")
    assert "\n" not in str(error.value)


@given(st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`?,. \t\n\x00\x85\ufeff한"), max_size=12))
def test_any_text_is_a_mapping_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    said = ""
    try:
        settings = read_recipe(path)
    except RecipeError as error:
        settings, said = {}, str(error)
    assert all(isinstance(key, str) for key in settings)
    assert said.startswith(str(path)) or not said
    assert "\n" not in said


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(b"\xef\xbb\xbfseed: 3\r\nreader: klue-ner\r\n")
    assert read_recipe(path) == {"seed": 3, "reader": "klue-ner"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.yaml", "nowhere.yaml: there is no such file."),
        ("here/nowhere", "here/nowhere: there is no such file."),
        ("demo.yaml", "demo.yaml: there is no such file. The recipe of the package is called demo."),
        ("folder", "folder is a folder; expected the name of a recipe, or a YAML file."),
        ("folder.yaml", "folder.yaml is a folder; expected the name of a recipe, or a YAML file."),
    ],
)
def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(RecipeError) as error:
        load_recipe(name, [])
    assert str(error.value) == message


def test_the_command_says_it_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("seed: [1\n", encoding="utf-8")
    output, error = malmoi("train", path, code=2)
    assert output == ""
    assert error.splitlines() == [
        f"malmoi: {path}, line 2, column 1: expected YAML: expected ',' or ']', but got the end of the file."
    ]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.touch(mode=0o000)
    assert len(malmoi("train", path, code=2)[1].splitlines()) == 1


def understand(path: Path) -> None:
    arguments, training_arguments, _ = parse_recipe(load_recipe(str(path), []))
    check_arguments(TASKS["named-entities"], arguments, training_arguments)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rate: [1]", "`learning_rate` must be a number, got [1]."),
        ("learning_rate:", "`learning_rate` must be a number, got null."),
        ("crf_learning_rate: {a: 1}", "`crf_learning_rate` must be a number, got {'a': 1}."),
        ("seed: [1]", "`seed` must be a whole number, got [1]."),
        ("seed: -1", "`seed` must be from 0 to 4294967295, got -1."),
        ("gradient_accumulation_steps: 0", "`gradient_accumulation_steps` must be at least 1, got 0."),
        ("reader:", "`reader` must be text, got null."),
        ("metric_for_best_model: [x]", "`metric_for_best_model` must be text, got ['x']."),
        ("overwrite: {}", "`overwrite` must be true or false, got {}."),
        ("output_dir: [a]", "`output_dir` must be text, got ['a']."),
    ],
)
def test_a_value_of_a_wrong_kind_is_named(tmp_path: Path, setting: str, message: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"{setting}\n", encoding="utf-8")
    with pytest.raises(RecipeError) as error:
        understand(path)
    assert str(error.value) == message


def test_what_yaml_reads_as_something_else_is_taken_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "eval_strategy: no\nrun_name: 2024-01-02\noutput_dir:\nlr_scheduler_kwargs: {a: 1}\n", encoding="utf-8"
    )
    _, training_arguments, _ = parse_recipe(load_recipe(str(path), []))
    assert training_arguments.eval_strategy == "no"
    assert training_arguments.run_name == "2024-01-02"
    assert training_arguments.output_dir == "runs/own"
    assert training_arguments.lr_scheduler_kwargs == {"a": 1}


@pytest.mark.parametrize(
    "written",
    [
        *("2024_11_30", "2024-11-30", "2024-11-30T10:00:00", "010", "1.10", "12:30", "0x1F", "1_000"),
        *("no", "On", "1e3", "True"),
    ],
)
@pytest.mark.parametrize("key", ["output_dir", "data_dir", "text_column", "model_name_or_path", "run_name"])
def test_a_text_without_quotes_is_what_is_written_as_on_the_command_line(
    tmp_path: Path, key: str, written: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"{key}: {written}\nseed: 0x10\n", encoding="utf-8")
    for recipe in (load_recipe(str(path), []), load_recipe("demo", [f"--{key}", written])):
        assert recipe.given(key) == written
        arguments, training_arguments, _ = parse_recipe(recipe)
        assert {**vars(arguments), **vars(training_arguments)}[key] == written
    assert load_recipe(str(path), []).settings["seed"] == 16


@pytest.mark.parametrize("written", ["", "null", "~"])
def test_a_text_that_is_not_said_is_none(tmp_path: Path, written: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"text_column: {written}\n", encoding="utf-8")
    assert load_recipe(str(path), []).settings == {"text_column": None}
