"""What the trials of a search share is what the training of the best of them has, too."""

from typing import Any

import pytest
import torch
from support.marked_lines import TRAIN_LINES, VALIDATION_LINES, write_splits
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS, train_demo

from malmoi.recipes.recipe import Recipe, load_recipe
from malmoi.training import silver_labels
from malmoi.training.preparation import prepare
from malmoi.training.request import read_request
from malmoi.training.search.shared_parts import SharedParts

TEST = ["<손흥민:PS>은 <제주:LC>로 갔다."]
RAW = ["손흥민은 제주로 갔다.", "이강인의 집은 제주에 있다.", "비가 온다."]


@pytest.fixture(scope="module")
def silver(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A recipe with silver sentences, one of which stands in the test set."""
    folder = tmp_path_factory.mktemp("silver")
    data = write_splits(folder / "data", train=TRAIN_LINES * 3, validation=VALIDATION_LINES, test=TEST)
    teacher = train_demo(folder / "teacher", data_dir=data)
    (folder / "raw.txt").write_text("\n".join(RAW) + "\n", encoding="utf-8")
    given: dict[str, Any] = {**SETTINGS, "data_dir": data, "output_dir": folder / "run", "use_cpu": True}
    given |= {"silver_text": folder / "raw.txt", "silver_teachers": teacher, "silver_confidence": 0}
    return load_recipe("demo", as_flags(given))


def test_no_trial_learns_a_silver_sentence_of_the_test_set(silver: Recipe) -> None:
    of_training, of_trial = prepare(read_request(silver)), prepare(read_request(silver), SharedParts())
    assert of_training.silver is not None
    assert of_trial.silver is not None
    assert of_training.silver.dataset["text"][:] == RAW[1:]
    assert of_trial.silver.dataset["text"][:] == RAW[1:]
    assert of_trial.silver.description == of_training.silver.description
    assert {*of_trial.splits} == {*of_trial.evaluations, "train"} == {"train", "validation"}


def test_silver_sentences_are_labelled_anew_only_where_what_is_said_of_them_is_searched(
    silver: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = []
    label = silver_labels.label_with_tags
    monkeypatch.setattr(
        silver_labels,
        "label_with_tags",
        lambda *given, **named: labelled.append(named["least"]) or label(*given, **named),
    )
    parts = SharedParts()
    for flags in ({}, {"learning_rate": "0.1"}, {"silver_confidence": "0.01"}, {"silver_confidence": "0.01"}):
        shared = prepare(read_request(silver._replace(flags={**silver.flags, **flags})), parts)
    assert labelled == [0, 0.01]
    # a trial begins with the weights of the training that labels its texts itself
    own = prepare(
        read_request(silver._replace(flags={**silver.flags, "silver_confidence": "0.01"}))
    ).model.state_dict()
    for name, tensor in shared.model.state_dict().items():
        assert torch.equal(own[name], tensor), name
