"""A comparison shows what the reports say, and nothing side by side that does not belong there."""

import json
from pathlib import Path
from typing import Any

import pytest

from malmoi.data.user_error import UserError
from malmoi.reports.comparison import (
    COLUMNS,
    NEEDED,
    comparable_groups,
    compare,
    difference,
    first_difference,
    read_runs,
    to_markdown,
)
from malmoi.reports.costs import DEFINITIONS as COST_DEFINITIONS

ENVIRONMENT = {"python": "3.11.0", "torch": "2.13.0", "platform": "Linux", "device": "cpu", "cpu_count": 8}

KEPT = {
    "kept_epoch": 1,
    "intervals": {"entity_f1": [0.7, 0.8]},
    "test_figures": {"entity_f1": 0.625},
    "test_intervals": {"entity_f1": [0.575, 0.675]},
}


def report(**changes: Any) -> dict[str, Any]:
    whole = {
        "recipe": "demo",
        "task": "named-entities",
        "model_type": "bilstm_crf",
        "data": {"split": "validation", "source": "corpus", "fingerprint": "abc", "texts": {"train": 24}},
        "training": {"texts_per_epoch": 24, "batch": 8, "processes": 1, "precision": "float32"},
        "definitions": {"entity_f1": "F1 of names"},
        "main_figure": "entity_f1",
        "figures": {"entity_f1": 0.75},
        "best": 0.8125,
        "mean": 0.5,
        "epochs": [{"epoch": 1, "entity_f1": 0.1875}, {"epoch": 2, "entity_f1": 0.8125}],
        "seconds_per_epoch": 2.25,
        "parameters": 12345,
        "peak_memory_bytes": 3 * 2**29,
        "texts_per_second": 99.6,
        "cost_definitions": COST_DEFINITIONS,
        "seed": 1,
        "environment": {**ENVIRONMENT, "torch_threads": 1},
    }
    whole["data"]["texts"]["validation"] = 3  # type: ignore[index]
    return whole | changes


def data(**changes: Any) -> dict[str, Any]:
    return {**report()["data"], **changes}


def write(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(report(**changes)), encoding="utf-8")
    return folder


def test_a_single_run_is_a_table_of_one_row(tmp_path: Path) -> None:
    markdown = to_markdown(compare(read_runs([write(tmp_path / "a")])))
    assert markdown.splitlines()[:3] == [
        "| run | model | entity_f1, % | mean entity_f1, % | seconds an epoch | parameters | peak memory, GiB | "
        "texts a second | seed |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a | bilstm_crf | 75.00 | 50.00 | 2.2 | 12,345 | 1.50 | 100 | 1 |",
    ]
    assert "Task named-entities, validation of corpus (3 texts)." in markdown
    assert "- threads: 1\n" in markdown
    assert "differ" not in markdown


def test_every_figure_and_cost_has_its_definition_below_the_table(tmp_path: Path) -> None:
    comparison = compare(read_runs([write(tmp_path / "a", **KEPT)]))
    without = {"run", "model_type", "seed"}
    assert {column.key for column in COLUMNS} - without == set(comparison["definitions"]) - {"entity_f1", "best"}
    lines = to_markdown(comparison).splitlines()
    assert "- entity_f1: F1 of names" in lines
    assert "- entity_f1, %: entity_f1 of the model that was kept" in lines
    assert "- of epoch: the epoch after which the model that was kept was saved" in lines
    assert f"- peak memory, GiB: {COST_DEFINITIONS['peak_memory_bytes']}" in lines


def test_the_model_that_was_kept_is_shown_with_its_epoch_and_its_test(tmp_path: Path) -> None:
    """The best evaluation is that of another epoch, whose model was thrown away."""
    runs = read_runs([write(tmp_path / "new", **KEPT), write(tmp_path / "old")])
    comparison = compare(runs)
    markdown = to_markdown(comparison)
    assert "81.25" not in markdown
    lines = markdown.splitlines()
    assert lines[0].startswith(
        "| run | model | entity_f1, % | 95 % interval | of epoch | test entity_f1, % | 95 % interval of test | mean"
    )
    assert lines[2].startswith("| new | bilstm_crf | 75.00 | 70.0-80.0 | 1 | 62.50 | 57.5-67.5 | 50.00 |")
    assert lines[3].startswith("| old | bilstm_crf | 75.00 |  |  |  |  | 50.00 |")
    assert comparison["runs"][0]["best"] == 0.8125


def test_the_machine_is_named_by_its_processor(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "torch_threads": 1, "cpu": "Brand 3000", "cpu_capability": "AVX2"}
    markdown = to_markdown(compare(read_runs([write(tmp_path / "a", environment=environment)])))
    assert "- machine: Linux, Brand 3000 (AVX2), 8 cores\n" in markdown
    assert "- versions: python 3.11.0, torch 2.13.0\n" in markdown
    environment["device"] = "Accelerator X"
    markdown = to_markdown(compare(read_runs([write(tmp_path / "b", environment=environment)])))
    assert "- machine: Linux, Accelerator X, 8 cores\n" in markdown


def test_runs_are_named_by_what_tells_their_folders_apart(tmp_path: Path) -> None:
    folders = [write(tmp_path / name) for name in ("x/run", "y/run", "other")]
    assert [run.name for run in read_runs(folders)] == ["x/run", "y/run", "other"]


def test_a_bar_in_a_name_does_not_break_the_table(tmp_path: Path) -> None:
    assert r"| a\|b | bilstm_crf |" in to_markdown(compare(read_runs([write(tmp_path / "a|b")])))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "word-spacing"}, "a and b differ in task: named-entities, and word-spacing."),
        (
            {"data": data(fingerprint="def", source="other")},
            "a and b differ in data: validation of corpus (fingerprint abc), and validation of other (fingerprint "
            "def).",
        ),
        (
            {"definitions": {"entity_f1": "another"}},
            "a and b differ in the definition of entity_f1: F1 of names, and another.",
        ),
        (
            {"cost_definitions": {**COST_DEFINITIONS, "parameters": "those that are trained"}},
            "a and b differ in the definition of parameters: number of parameters, trained or not, and those that "
            "are trained.",
        ),
        (
            {"cost_definitions": {**COST_DEFINITIONS, "energy": "joules"}},
            "a and b differ in the definition of energy: none, and joules.",
        ),
    ],
)
def test_what_cannot_be_compared_is_told_apart(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    runs = read_runs([write(tmp_path / "a"), write(tmp_path / "b", **changes), write(tmp_path / "c")])
    assert [[run.name for run in group] for group in comparable_groups(runs)] == [["a", "c"], ["b"]]
    assert difference(runs[0], runs[1]) == message


def test_the_same_data_in_another_folder_is_the_same_data(tmp_path: Path) -> None:
    runs = read_runs([write(tmp_path / "a"), write(tmp_path / "b", data=data(source="a copy"))])
    assert len(comparable_groups(runs)) == 1


def test_figures_of_other_test_sets_are_not_put_side_by_side(tmp_path: Path) -> None:
    tested = {"texts": {"train": 24, "validation": 3, "test": 2}, "test_fingerprint": "def"}
    changes = {
        "none": {},
        "first": {**KEPT, "data": data(**tested)},
        "other": {**KEPT, "data": data(**{**tested, "test_fingerprint": "ghi"})},
        "larger": {**KEPT, "data": data(texts={**tested["texts"], "test": 5})},
        "older": {**KEPT, "data": data(texts=tested["texts"])},
    }
    runs = read_runs([write(tmp_path / name, **each) for name, each in changes.items()])
    groups = comparable_groups(runs)
    assert [[run.name for run in group] for group in groups] == [["none", "first", "older"], ["other"], ["larger"]]
    assert first_difference(groups) == "first and other differ in the test data: def, and ghi."
    assert difference(runs[1], runs[3]) == "first and larger differ in the number of test texts: 2, and 5."


def test_a_figure_that_is_not_shown_may_have_another_definition(tmp_path: Path) -> None:
    other = {**report()["definitions"], "token_accuracy": "new"}
    runs = read_runs([write(tmp_path / "a"), write(tmp_path / "b", definitions=other)])
    assert len(comparable_groups(runs)) == 1


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"training": {**report()["training"], "texts_per_epoch": 12}}, "texts in an epoch**: 24 (a, c); 12 (b)"),
        (
            {"environment": {**ENVIRONMENT, "torch_threads": 1, "device": "GPU"}},
            "machine**: Linux, cpu, 8 cores (a, c); Linux, GPU, 8 cores (b)",
        ),
        ({"environment": {**ENVIRONMENT, "torch_threads": 2}}, "threads**: 1 (a, c); 2 (b)"),
        (
            {"environment": {**ENVIRONMENT, "torch_threads": 1, "torch": "2.14.0"}},
            "versions**: python 3.11.0, torch 2.13.0 (a, c); python 3.11.0, torch 2.14.0 (b)",
        ),
    ],
)
def test_what_runs_may_differ_in_is_said(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    runs = read_runs([write(tmp_path / "a"), write(tmp_path / "b", **changes), write(tmp_path / "c")])
    assert len(comparable_groups(runs)) == 1
    markdown = to_markdown(compare(runs))
    assert f"- **the runs differ in {line}\n" in markdown
    assert markdown.count("differ") == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere: there is no such folder\."):
        read_runs([tmp_path / "nowhere"])


def test_a_folder_without_a_finished_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected the folder of a finished run, but it holds no report\.json\."):
        read_runs([tmp_path])


def test_a_run_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    with pytest.raises(UserError, match=r"a: a run can be compared with others, but it is named twice\."):
        read_runs([folder, folder.parent / "b" / ".." / "a"])


@pytest.mark.parametrize("key", NEEDED)
def test_a_report_of_an_older_version_says_what_it_lacks(tmp_path: Path, key: str) -> None:
    old = report()
    outer, _, inner = key.partition(".")
    old[outer] = {name: value for name, value in old[outer].items() if name != inner} if inner else old[outer]
    if not inner:
        del old[outer]
    (tmp_path / "report.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(UserError, match=rf"report\.json: it lacks .*{key}.*, as reports of older versions do; train"):
        read_runs([tmp_path])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"best": 1', "expected a JSON object (Expecting ',' delimiter"),
        (b"\xff\xfe", "expected a JSON object ('utf-8' codec can't decode"),
        (b'[["best", 1]]', "expected a JSON object, got list."),
        (b"null", "expected a JSON object, got NoneType."),
    ],
)
def test_a_broken_report_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(UserError) as error:
        read_runs([tmp_path])
    assert f"report.json: {message}" in str(error.value)
