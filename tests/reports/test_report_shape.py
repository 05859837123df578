"""A report that holds something else is compared and described, or refused in one sentence."""

import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.hostile_values import HOSTILE_VALUES, LEFT_OUT, places_in, with_value
from support.property_tests import examples

from malmoi.data.user_error import UserError
from malmoi.hub_cards.run_facts import read_facts
from malmoi.models import FOLDER
from malmoi.reports.comparison import compare, read_runs, to_markdown

OF_THE_PACKAGE = FOLDER / "named-entities"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a report, as far as it is read."""
    for name in ("report.json", "config.json", "tokenizer_config.json"):
        shutil.copy(OF_THE_PACKAGE / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("figures", 3, "expected numbers by their names for `figures`, got '3'."),
        ("figures", {"entity_f1": "x"}, "expected numbers by their names for `figures`, got "),
        ("figures", {"other": 0.5}, "expected `figures` to hold 'entity_f1', which is its main figure."),
        ("best", "0.5", "expected a number for `best`, got '0.5'."),
        ("parameters", True, "expected a number for `parameters`, got 'True'."),
        ("seed", {}, "expected a whole number for `seed`, got '{}'."),
        ("epochs", [3], "expected a list of evaluations for `epochs`, got '[3]'."),
        ("epochs", [{"epoch": 1}], "expected a number for 'entity_f1' in each of the `epochs`."),
        ("intervals", {"entity_f1": [1]}, "expected two numbers for each name for `intervals`, got "),
        ("main_figure", None, "expected a text for `main_figure`, got 'None'."),
    ],
)
def test_a_value_of_another_kind_is_named(run: Path, key: str, value: Any, expected: str) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    (run / "report.json").write_text(json.dumps(report | {key: value}), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_runs([run])
    assert str(caught.value).startswith(f"{run}/report.json: {expected}")


def test_any_value_in_any_place_is_compared_or_refused(run: Path) -> None:
    text = (run / "report.json").read_text(encoding="utf-8")
    refused = 0
    for path in places_in(json.loads(text), of_a_list=1):
        for value in Random(str(path)).sample([LEFT_OUT, *HOSTILE_VALUES], min(examples(8), 1 + len(HOSTILE_VALUES))):
            (run / "report.json").write_text(with_value(text, path, value), encoding="utf-8")
            try:
                to_markdown(compare(read_runs([run, OF_THE_PACKAGE])))
                read_facts(run)
            except UserError as error:
                said = str(error)
                refused += 1
                assert "\n" not in said, path
                assert len(said) < 1000, path
    assert refused > 50
