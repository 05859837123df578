"""What looks the same is the same, however it is written: types, names that are compared, names of files."""

import json
import unicodedata
from pathlib import Path

import pytest

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.readers import READERS
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError

TEXT = "손흥민은 춘천에서 태어났다."
TYPES = ["인물 이름", "인물  이름", "인물\u00a0이름", "인물 이름\u200b", unicodedata.normalize("NFD", "인물 이름")]


def read(form: str, folder: Path, **files: str) -> list[tuple[str, list[Span]]]:
    """Return the training sentences of a folder with these files, in whose names two underscores are a dot."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8", newline="")
    reader = READERS[form]
    rows = reader.read(folder, **({"task": "named-entities"} if len(reader.tasks) > 1 else {}))["train"]
    labels = label_names(rows)
    return [(row["text"], tags_to_spans([labels[tag] for tag in row["tags"]])) for row in rows]


def json_lines(*rows: dict[str, object]) -> str:
    """Return rows as lines of JSON."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("form", "file", "lines"),
    [
        ("jsonl", "train__jsonl", lambda name: json_lines({"text": TEXT, "label": [[0, 3, name]]})),
        ("inline-marks", "train__txt", lambda name: f"<손흥민:{name.rstrip(chr(0x200B))}>은 춘천에서 태어났다.\n"),
        ("conll", "train__conll", lambda name: f"손흥민은\tB-{name}\n춘천에서\tI-{name} \n태어났다.\tO\n\n"),
    ],
)
def test_types_that_look_the_same_are_one(form: str, file: str, lines, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rows = read(form, tmp_path, **{file: "".join(map(lines, TYPES))})
    assert len(rows) == len(TYPES)
    assert {tuple(spans) for _, spans in rows} == {(Span(0, 9 if form == "conll" else 3, "인물 이름"),)}


def test_a_name_whose_tags_are_spelt_in_two_ways_is_one(tmp_path: Path) -> None:
    rows = read("conll", tmp_path, train__conll="뉴욕\tB-LC\n시티에\tI-LC\u200b\n갔다\tO\n\n")
    assert rows == [("뉴욕 시티에 갔다", [Span(0, 6, "LC")])]


@pytest.mark.parametrize("form", ["jsonl", "inline-marks"])
def test_a_type_that_cannot_be_seen_is_refused(form: str, tmp_path: Path) -> None:
    files = {
        "train__jsonl": json_lines({"text": TEXT, "label": [[0, 3, "\u200b"]]}),
        "train__txt": "<손흥민:\\\u200b>은 왔다.\n",
    }
    with pytest.raises(DataFormatError, match=r"train\.\w+, line 1: expected a type "):
        read(form, tmp_path, **files)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_may_be_composed_otherwise_than_its_text(forms: tuple[str, str], tmp_path: Path) -> None:
    text, name = (unicodedata.normalize(form, each) for form, each in zip(forms, (TEXT, "손흥민")))
    end = len(unicodedata.normalize(forms[0], "손흥민"))
    row = {"text": text, "entities": [{"start": 0, "end": end, "label": "PS", "text": name}]}
    assert read("jsonl", tmp_path, train__jsonl=json_lines(row)) == [(text, [Span(0, end, "PS")])]
    files = {"a__txt": f"{text}\n", "a__ann": f"T1\tPS 0 {end}\t{name}\n"}
    assert read("brat", tmp_path, **files) == [(text, [Span(0, end, "PS")])]


def test_files_of_a_document_may_be_spelt_in_two_ways(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "가나") for form in ("NFC", "NFD"))
    (tmp_path / f"{decomposed}.txt").write_text(f"{TEXT}\n", encoding="utf-8")
    (tmp_path / f"{composed}.ann").write_text("T1\tPS 0 3\t손흥민\n", encoding="utf-8")
    assert READERS["brat"].holds(tmp_path)
    assert read("brat", tmp_path) == [(TEXT, [Span(0, 3, "PS")])]
    for name in (f"{composed}.ann", f"{decomposed}.txt"):
        assert READERS["brat"].read(tmp_path / name)["train"]["text"] == [TEXT]


def test_a_division_may_spell_files_otherwise_than_the_disk(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "가나.txt") for form in ("NFC", "NFD"))
    sentence = "## 1\n## 손흥민\n## <손흥민:PER>\n손흥민\t손흥민\tNNP\tB-PER\n\n"
    (tmp_path / decomposed).write_text(sentence, encoding="utf-8")
    rows = read("kmou-corpus", tmp_path, split__tsv=f"file\tpart\n{composed}\ttrain\n")
    assert rows == [("손흥민", [Span(0, 3, "PER")])]


@pytest.mark.parametrize(
    ("given", "expected", "said"),
    [
        ((0, 4), (1, 4), "are narrowed to what is between them: 1, first in"),
        ((1, 5), (1, 4), "are narrowed to what is between them: 1, first in"),
        ((0, 5), (1, 4), "are narrowed to what is between them: 1, first in"),
        ((1, 6), (1, 6), "names that begin or end with a space, of which `malmoi data` shows the first: 1, first in"),
    ],
)
def test_names_end_with_what_can_be_seen(
    given: tuple[int, int],
    expected: tuple[int, int],
    said: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = "\ufeff손흥민\u200b 왔다"
    rows = read("jsonl", tmp_path, train__jsonl=json_lines({"text": text, "label": [[*given, "PS"]]}))
    assert rows == [(text, [Span(*expected, "PS")])]
    assert [said in record.getMessage() for record in caplog.records] == [True]


UNSEEN_END = {
    "inline-marks": {"train__txt": "<손흥민\u200b:PS>은 <춘천:LC>에서\n"},
    "conll": {"train__conll": "손흥민\u200b\tB-PS\n은\tO\n\n"},
    "klue-ner": {"klue-ner-v1__1_train__tsv": "손\tB-PS\n흥\tI-PS\n민\tI-PS\n\u200b\tI-PS\n은\tO\n\n"},
    "kmou-lines": {"train__txt": "손흥민\u200b은␞<손흥민\u200b:PER>은\n"},
    "kmou-corpus": {
        "split__tsv": "file\tpart\na.txt\ttrain\n",
        "a__txt": "## 1\n## 손흥민\u200b\n## <손흥민\u200b:PER>\n손흥민\u200b\t손흥민\tNNP\tB-PER\n\n",
    },
    "brat": {"a__txt": "손흥민\u200b은\n", "a__ann": "T1\tPS 0 4\t손흥민\u200b\n"},
    "dataset": {"train__csv": 'text,entities\n손흥민\u200b은,"[[0, 4, ""PS""]]"\n'},
    "nikl": {
        "train__json": json.dumps(
            {"document": [{"sentence": [{"form": "손흥민\u200b은", "NE": [{"begin": 0, "end": 4, "label": "PS"}]}]}]}
        )
    },
}


@pytest.mark.parametrize("form", UNSEEN_END)
def test_names_of_every_form_end_with_what_can_be_seen(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [(text, spans)] = read(form, tmp_path, **UNSEEN_END[form])
    assert text[spans[0].start : spans[0].end] == "손흥민"
    assert "are narrowed to what is between them: 1, first in" in caplog.text


def test_a_name_that_cannot_be_seen_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "손흥민\u200b\u200b 왔다"
    rows = read("jsonl", tmp_path, train__jsonl=json_lines({"text": text, "label": [[0, 3, "PS"], [4, 5, "PS"]]}))
    assert rows == [(text, [Span(0, 3, "PS")])]
    assert "names in which nothing can be seen are left out: 1, first in" in caplog.text
