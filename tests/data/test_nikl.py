"""The named entities of 모두의 말뭉치: documents, sentences, names, and what is refused in them."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.property_texts import texts_and_spans

from malmoi.data.alignment import Span
from malmoi.data.readers.nikl import read_nikl
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

TEXT = "손흥민은 서울에 갔다."
PS = {"id": 1, "form": "손흥민", "label": "PS_NAME", "begin": 0, "end": 3}
LC = {"id": 2, "form": "서울", "label": "LCP_CAPITALCITY", "begin": 5, "end": 7}
SPANS = [Span(0, 3, "PS_NAME"), Span(5, 7, "LCP_CAPITALCITY")]


def sentence(*names: object, form: object = TEXT, number: int = 1) -> dict[str, Any]:
    word = [{"id": 1, "form": "손흥민은", "begin": 0, "end": 4}]
    return {"id": f"NWRW.1.1.{number}", "form": form, "word": word, "NE": [*names]}


def corpus(*sentences: object) -> dict[str, Any]:
    documents = [
        {"id": "NWRW.1", "metadata": {"title": "가"}, "sentence": [*sentences]},
        {"id": "NWRW.2", "metadata": {}, "sentence": [sentence(form="이름이 없다.")]},
        {"sentence": []},
    ]
    return {"id": "NXNE", "metadata": {"title": "가"}, "document": documents, "license": []}


def write(folder: Path, content: object, *, indent: int | None = None, name: str = "NXNE.json") -> Path:
    path = folder / name
    written = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=indent)
    path.write_text(written, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("windows", [False, True])
def test_sentences_are_read_with_their_document(indent: int | None, windows: bool, tmp_path: Path) -> None:
    written = json.dumps(corpus(sentence(PS, LC), sentence(form="")), ensure_ascii=False, indent=indent)
    write(tmp_path, "\ufeff" + written.replace("\n", "\r\n") if windows else written)
    train = read_nikl(tmp_path)["train"]
    assert texts_and_spans(train) == [(TEXT, SPANS), ("이름이 없다.", [])]
    assert train["document"][:] == ["NWRW.1", "NWRW.2"]
    assert train["id"][:] == ["NWRW.1.1.1", "NWRW.1.1.1-2"]


def test_what_is_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, corpus(sentence(form=" "), sentence(PS), {"form": "가", "NE": None}))
    train = read_nikl(tmp_path)["train"]
    assert texts_and_spans(train) == [(TEXT, SPANS[:1]), ("가", []), ("이름이 없다.", [])]
    assert train["id"][1] == "NXNE-1"
    assert f"sentences with an empty form are left out: 1, first in {path}, line 1." in caplog.text


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (sentence(PS | {"form": "서울"}), "expected the PS_NAME '서울' from 0 to 3, but the text has '손흥민' there."),
        (sentence(PS | {"end": 99}), "expected a name within the text of 12 characters, got PS_NAME from 0 to 99."),
        (sentence(PS | {"begin": -1}), "expected a name within the text of 12 characters, got PS_NAME from -1 to 3."),
        (
            sentence(PS | {"begin": 0.5}),
            "expected a whole number where PS_NAME begins and ends, got the number '0.5'.",
        ),
        (sentence(PS | {"label": 3}), "expected a type as text for each name, got the number '3'."),
        (sentence({"begin": 0}), "expected a name with `begin`, `end` and `label` in `NE`, got begin."),
        (sentence(3), "expected a name with `begin`, `end` and `label` in `NE`, got the number '3'."),
        (sentence(PS, PS), "expected names that do not overlap, but PS_NAME '손흥민' begins within another."),
        (sentence(form=3), "expected a sentence with its text in `form`, got the number '3'."),
        (sentence(form=None), "expected a sentence with its text in `form`, got null."),
        ({}, "expected a sentence with its text in `form`, got an object."),
        ([], "expected a sentence with its text in `form`, got a list."),
        ({"form": "가", "NE": {"a": 1}}, "expected a list of names in `NE`, got an object."),
    ],
)
def test_a_bad_sentence_is_refused_with_the_line_where_it_begins(bad: object, message: str, tmp_path: Path) -> None:
    written = json.dumps(corpus(sentence(LC), "HERE"), ensure_ascii=False, indent=1)
    line = next(number for number, each in enumerate(written.split("\n"), start=1) if "HERE" in each)
    path = write(tmp_path, written.replace('"HERE"', json.dumps(bad, ensure_ascii=False)))
    with pytest.raises(DataFormatError) as error:
        read_nikl(tmp_path)
    assert str(error.value) == f"{path}, line {line}: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", r"line 1: expected an object, got '\[\]'"),
        ("{}", "expected an object with a list `document`, found none"),
        ('{"document": {}}', "line 1: expected a list, got '{}}'"),
        ('{"document": [3]}', "line 1: expected an object, got '3]}'"),
        ('{"document": [{"sentence": 3}]}', "line 1: expected a list, got '3}]}'"),
        ('{"document": [{"sentence": []}]}', "expected sentences, found none"),
        ('{"document": [{"sentence": []},\n', "line 1: expected an object, got the end of the file"),
        ('{"id": 1,\n"id": 2}', "line 2: expected JSON, but the key 'id' stands twice in an object"),
        ('{"document": [],\n}', "line 2: expected JSON, but a key without quotes is found"),
        ('{"document" 3}', "line 1: expected a colon, got '3}'"),
        ('{"id": 1 "document": []}', "line 1: expected a comma or the end of the object, got"),
        ('{"document": [{"sentence": []}]}\n3', "line 2: expected the end, but more follows: '3'"),
        ('{"document": [{"sentence": [\n{"form": "가",\n"a": tru}', "line 3: expected JSON, but at character 6 of"),
        ('{"document": [{"sentence": [\n{"form": "\\ud83d"}]}]}', "line 2: expected whole characters, but a"),
        ('{"document": [{"sentence": [\n{"form": "가", "a": NaN}]}]}', "line 2: expected JSON, but NaN is no number"),
        ('{"document": [{"id": ' + "[" * 100_000, "line 1: expected JSON, but its brackets are nested too deeply"),
        ("", "the file is empty"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused(content: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataFormatError, match=message) as error:
        read_nikl(tmp_path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_folder_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Give a folder with the \.json files of 모두의 말뭉치"):
        read_nikl(None)
    with pytest.raises(DataFormatError, match=r"expected a folder with the \.json files of 모두의 말뭉치"):
        read_nikl(tmp_path)
