"""`malmoi suggest` on files: what it writes and says, and what it refuses before anything is written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.tiny_models import save, tiny_spacing_bilstm
from transformers import PreTrainedTokenizerBase

from malmoi.data.readers.jsonl import read_jsonl
from malmoi.data.readers.label_studio import read_label_studio
from malmoi.data.text_lines import DataFormatError
from malmoi.modeling import BiLstmCrfForTokenClassification

LINES = [
    "손흥민은 춘천에서 태어났다.",
    "비가 와서 집에 있었다.",
    "",
    "김민재가 서울로 돌아왔습니다.",
    "김민재가 서울로, 돌아왔습니다!",
    "어제 이강인을 부산에서 만났어요.",
]


@pytest.fixture
def model(
    tmp_path: Path,
    make_model: Callable[..., BiLstmCrfForTokenClassification],
    syllable_tokenizer: PreTrainedTokenizerBase,
) -> Path:
    made = make_model(vocab_size=len(syllable_tokenizer), initializer_range=1.0)
    return save(tmp_path / "model", made, syllable_tokenizer)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.txt"
    path.write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    return path


def test_texts_are_written_in_the_form_that_is_asked_for(model: Path, raw: Path, tmp_path: Path) -> None:
    printed, said = malmoi("suggest", model, "--input", raw, "--count", "3")
    rows = [json.loads(line) for line in printed.splitlines()]
    assert len(rows) == 3
    assert all(row["text"] == LINES[row["id"] - 1] for row in rows)
    assert "malmoi: 1 of 6 texts has fewer than 5 letters and digits and is left out." in said
    for form in ("doccano", "label-studio"):
        output = tmp_path / form / "train.json"
        output.parent.mkdir()
        _, said = malmoi("suggest", model, "--input", raw, "--count", "3", "--export", form, "--output", output)
        assert f"malmoi: 3 texts to label are in {output}." in said
        assert ('<Label value="LC"/>' in said) is (form == "label-studio")
    assert '<Label value="LC"/>' in malmoi("suggest", model, "--input", raw, "--export", "label-studio")[1]
    _, said = malmoi("suggest", model, "--input", raw, "--count", "1", "--output", tmp_path / "one.jsonl")
    assert f"malmoi: 1 text to label is in {tmp_path / 'one.jsonl'}." in said
    doccano = read_jsonl(tmp_path / "doccano", task="named-entities")["train"]
    assert doccano["text"] == [row["text"] for row in rows]
    with pytest.raises(
        DataFormatError, match=r"found predictions alone, which nobody has checked: label the tasks in"
    ):
        read_label_studio(tmp_path / "label-studio", task="named-entities")
    assert not [*tmp_path.rglob("*.part")]


def test_texts_come_from_several_files_or_columns_or_standard_input(model: Path, raw: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,문장\n1,황희찬과 김민재는 친구다.\n", encoding="utf-8")
    printed, _ = malmoi("suggest", model, "--input", raw, "--input", table, "--text_column", "문장")
    rows = {row["id"]: row["text"] for row in map(json.loads, printed.splitlines())}
    assert rows[len(LINES) + 1] == "황희찬과 김민재는 친구다."
    assert len(rows) == 5  # of two that are nearly the same one
    again, _ = malmoi("suggest", model, "--input", "-", stdin=raw.read_bytes())
    assert {json.loads(line)["text"] for line in again.splitlines()} < {*rows.values()}


def test_what_is_wrong_is_said_before_anything_is_written(
    model: Path, raw: Path, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerBase
) -> None:
    spacing = save(tmp_path / "spacing", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    bad = tmp_path / "bad.txt"
    bad.write_bytes("비가 와서 집에 있었다.\n".encode() + b"\xff\xfe\xff\n")
    there = tmp_path / "there.json"
    there.write_text("mine", encoding="utf-8")
    new = tmp_path / "new.json"
    for arguments, expected in (
        ([model], "Say by --input where the texts are of which some are to be suggested."),
        ([model, "--input", raw, "--output", there], f"--output: {there} is there already; choose another place, or"),
        (
            [model, "--input", raw, "--export", "xml"],
            "--export must be one of jsonl, doccano, label-studio, got 'xml'",
        ),
        ([model, "--input", raw, "--measure", "x"], "`measure` must be one of sentence, token, got 'x'"),
        ([tmp_path / "no", "--input", raw, "--output", new], "there is no such folder"),
        ([model, "--input", tmp_path / "no.txt", "--output", new], "no.txt: there is no such file"),
        ([spacing, "--input", raw, "--output", new], "it is for word-spacing"),
        ([model, "--input", bad, "--output", new], f"{bad}, line 2: "),
        ([model, "--input", raw, "--output", tmp_path / "no" / "new.json"], "there is no folder"),
        ([model, "--input", raw, "--count", "0", "--output", new], "Invalid value for '--count'"),
        ([model, "--input", raw, "--overwrite"], "--overwrite needs a file to replace, by --output."),
    ):
        printed, said = malmoi("suggest", *arguments, code=2)
        assert expected in said
        assert not printed
    assert there.read_text(encoding="utf-8") == "mine"
    assert not new.exists()
    malmoi("suggest", model, "--input", raw, "--output", there, "--overwrite")
    assert json.loads(there.read_text(encoding="utf-8").splitlines()[0])["text"] in LINES


def test_what_is_read_is_not_written_over(model: Path, raw: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("비\tLC\n", encoding="utf-8")
    before = raw.read_bytes(), words.read_bytes()
    given = ("suggest", model, "--input", raw, "--words", words, "--overwrite", "--output")
    for path, which in ((raw, "a file of --input"), (words, "the file of --words")):
        _, error = malmoi(*given, path, code=2)
        assert error == f"malmoi: {path} would be written over, but it is {which}; choose another place.\n"
    assert (raw.read_bytes(), words.read_bytes()) == before


def test_a_link_stays_one(model: Path, raw: Path, tmp_path: Path) -> None:
    link, target = tmp_path / "link.jsonl", tmp_path / "target.jsonl"
    link.symlink_to(target.name)
    malmoi("suggest", model, "--input", raw, "--output", link)
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == malmoi("suggest", model, "--input", raw)[0]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs /dev/stdout")
def test_standard_output_can_be_named_as_a_file(model: Path, raw: Path) -> None:
    printed, _ = malmoi("suggest", model, "--input", raw, "--output", "/dev/stdout", "--overwrite")
    assert printed == malmoi("suggest", model, "--input", raw)[0]


def test_a_dash_is_standard_output(model: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert malmoi("suggest", model, "--input", raw, "--output", "-") == malmoi("suggest", model, "--input", raw)
    assert not (tmp_path / "-").exists()
