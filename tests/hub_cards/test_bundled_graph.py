"""The graphs of the package are those of its models, and today's code makes the same ones."""

import shutil
from pathlib import Path

import pytest
from support.exported_models import HARD_TEXTS
from support.random_sentences import random_sentences
from support.twenty_sentences import SENTENCES

from malmoi import Classifier, Spacer, Tagger
from malmoi.hub_cards.bundled_graph import write_graph
from malmoi.models import FOLDER

EVERYDAY = Path(__file__).parents[1] / "everyday"
TEXTS = [
    *HARD_TEXTS,
    *(text for text, _ in SENTENCES),
    *(EVERYDAY / "sentences.txt").read_text(encoding="utf-8").splitlines(),
    *(EVERYDAY / "reviews.txt").read_text(encoding="utf-8").splitlines(),
    *random_sentences(200),
]
KEPT = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Tagger, Spacer, Classifier])
def test_graphs_of_the_package_answer_as_its_models(kind: type[Tagger | Spacer | Classifier], tmp_path: Path) -> None:
    for name in KEPT:
        shutil.copyfile(FOLDER / kind.task / name, tmp_path / name)
    write_graph(tmp_path)
    expected = kind(engine="torch")(TEXTS)
    for model in (f"bundled:{kind.task}", tmp_path):
        found = kind(model, engine="onnx")(TEXTS)
        if isinstance(expected[0], list):
            assert [[name[:3] for name in names] for names in found] == [
                [name[:3] for name in names] for names in expected
            ]
            scores = [name.score for names in found for name in names]
            assert scores == pytest.approx([name.score for names in expected for name in names], abs=1e-3)
            assert len(scores) > len(SENTENCES)
        elif kind is Spacer:
            assert found == expected
        else:
            assert [each.label for each in found] == [each.label for each in expected]
            assert [each.score for each in found] == pytest.approx([each.score for each in expected], abs=1e-3)
