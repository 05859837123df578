"""What answers texts does so where torch and transformers cannot be imported, as it does with them."""

import json
from pathlib import Path

import pytest
from support.exported_models import HARD_TEXTS
from support.fresh_process import run_cold
from support.twenty_sentences import SENTENCES

from malmoi import Classifier, Spacer, Tagger
from malmoi.export.exported_model import export_model
from malmoi.models import NAMES

MISSING = (
    *("torch", "transformers", "datasets", "safetensors", "huggingface_hub", "accelerate", "evaluate", "seqeval"),
    *("torchcrf", "jinja2", "yaml", "pyarrow", "pandas"),
)
"""What an installation for exported models has not."""
BLOCK = f"import sys\nfor name in {MISSING}:\n    sys.modules[name] = None\n"
TEXTS = [*HARD_TEXTS, *(text for text, _ in SENTENCES)]
ANSWER = """
import json
from pathlib import Path
from malmoi import Classifier, Spacer, Tagger
places = json.loads(Path("places.json").read_text(encoding="utf-8"))
texts = json.loads(Path("texts.json").read_text(encoding="utf-8"))
answers = [list(kind(place)(texts)) for kind, place in zip((Tagger, Spacer, Classifier), places)]
print(json.dumps(answers))
"""


@pytest.mark.slow
@pytest.mark.parametrize("bundled", [True, False])
def test_answers_are_those_with_torch(bundled: bool, tmp_path: Path) -> None:
    places = [f"bundled:{name}" for name in NAMES]
    if not bundled:
        for name in NAMES:
            export_model(f"bundled:{name}", tmp_path / name, sentences=[text for text, _ in SENTENCES])
        places = [str(tmp_path / name) for name in NAMES]
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS), encoding="utf-8")
    (tmp_path / "places.json").write_text(json.dumps(places), encoding="utf-8")
    tagged, spaced, classified = json.loads(run_cold(BLOCK + ANSWER, folder=tmp_path))
    expected = Tagger(engine="torch")(TEXTS)
    assert [[(*name[:3], name[4]) for name in names] for names in tagged] == [
        [(*name[:3], name[4]) for name in names] for names in expected
    ]
    assert sum(map(len, expected)) > len(TEXTS)
    scores = [name[3] for names in tagged for name in names]
    assert scores == pytest.approx([name.score for names in expected for name in names], abs=1e-4)
    assert [tuple(each) for each in spaced] == [tuple(each) for each in Spacer(engine="torch")(TEXTS)]
    for found, sure in zip(classified, Classifier(engine="torch")(TEXTS), strict=True):
        assert (found[0], found[3]) == (sure.label, sure.cut)
        assert found[2] == pytest.approx(sure.scores, abs=1e-4)


@pytest.mark.slow
def test_commands_answer_without_torch(tmp_path: Path) -> None:
    code = f"""{BLOCK}
from malmoi.commands.main import main
text = "손흥민은 춘천에서 태어났다."
for command in ("tag", "space", "classify"):
    sys.argv = ["malmoi", command, text]
    try:
        main()
    except SystemExit as end:
        assert not end.code
for asked in (["tag", text, "--bf16"], ["tag", text, "--words", "words.tsv"], ["recipes"], ["train", "demo"]):
    sys.argv = ["malmoi", *asked]
    sys.stderr = sys.stdout
    try:
        main()
    except SystemExit as end:
        print(end.code)
"""
    tagged, spaced, classified, *others = run_cold(code, folder=tmp_path).splitlines()
    assert tagged == "<손흥민:PS>은 <춘천:LC>에서 태어났다."
    assert spaced == "손흥민은 춘천에서 태어났다."
    assert classified.endswith(spaced)
    runs = "malmoi: bundled:named-entities: an exported model runs on the CPU as it is, without"
    needs = "malmoi: this needs yaml, which is not installed here: pip install malmoi."
    assert others == [
        *(f"{runs} bf16; load it with engine torch.", "2"),
        *(f"{runs} words; load it with engine torch.", "2"),
        *(needs, "2", needs, "2"),
    ]


def test_what_needs_torch_says_so(tmp_path: Path) -> None:
    code = f"""{BLOCK}
from malmoi import Tagger, UserError
for arguments, options in [
    (("user/model",), {{}}),
    (("./nothing",), {{}}),
    ((), {{"bf16": True}}),
    ((), {{"words": {{"PS": ["가"]}}, "device": "cuda"}}),
    ((), {{"engine": "torch"}}),
]:
    try:
        Tagger(*arguments, **options)
    except UserError as error:
        print(error)
"""
    needed = "torch and transformers must be installed for a model that is not exported: pip install malmoi."
    runs = "bundled:named-entities: an exported model runs on the CPU as it is, without"
    assert run_cold(code, folder=tmp_path).splitlines() == [
        f"user/model: {needed}",
        "./nothing: there is no such folder.",
        f"{runs} bf16; load it with engine torch.",
        f"{runs} words and device cuda; load it with engine torch.",
        f"bundled:named-entities: {needed}",
    ]


@pytest.mark.slow
def test_texts_are_suggested_without_torch(tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text("\n".join(text for text, _ in SENTENCES), encoding="utf-8")
    code = f"""{BLOCK}
from malmoi.commands.main import main
sys.argv = ["malmoi", "suggest", "bundled:named-entities", "--input", "raw.txt", "--count", "5"]
main()
"""
    rows = [json.loads(line) for line in run_cold(code, folder=tmp_path).splitlines()]
    answers = Tagger(engine="torch")([row["text"] for row in rows])
    assert len(rows) == 5
    for row, answer in zip(rows, answers):
        assert [(name["start"], name["end"], name["label"]) for name in row["entities"]] == [
            name[:3] for name in answer
        ]
