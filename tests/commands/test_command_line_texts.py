"""Word spacing and sentence classification on the command line: every line comes back as it went in."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.tiny_models import SENTENCES, bert_tokenizer, save, tiny_bert_classifier, tiny_spacing_bilstm

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer

LINES = [
    "\ufeff비가 와서집에 있었다.\r",
    "",
    "  \r",
    " \t손흥민은  춘천에서\u3000태어났다.  ",
    "그는\x0b서울로\u2028갔다!\x85",
    "\u1112\u1161\u11ab글 👨‍👩‍👧 [PAD] e\u0301",
]


@pytest.fixture
def spacing_model(tmp_path: Path) -> Path:
    tokenizer = build_syllable_tokenizer(SENTENCES)
    return save(tmp_path / "model", tiny_spacing_bilstm(tokenizer), tokenizer)


@pytest.fixture
def classifying_model(tmp_path: Path) -> Path:
    tokenizer = bert_tokenizer()
    return save(tmp_path / "model", tiny_bert_classifier(tokenizer), tokenizer)


def test_space_changes_nothing_but_spaces_in_a_file(spacing_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes("\n".join(LINES).encode() + b"\n")
    output, error = malmoi("space", spacing_model, "--input", file)
    assert error == ""
    # a byte order mark and the line ends of Windows are not part of texts
    texts = [line.removesuffix("\r") for line in [LINES[0][1:], *LINES[1:]]]
    assert output.removesuffix("\n").split("\n") == [spaced.text for spaced in Spacer(spacing_model).space(texts)]
    assert output.replace(" ", "") == "".join(f"{text}\n" for text in texts).replace(" ", "")
    assert malmoi("space", spacing_model, "--input", "-", "--batch_size", "1", stdin=file.read_bytes())[0] == output


def test_space_answers_texts_and_keeps_their_spaces_if_asked(spacing_model: Path) -> None:
    text = "비 가 와 서 집 에 있 었 다"
    [spaced] = Spacer(spacing_model).space([text])
    assert spaced.text != text
    assert malmoi("space", spacing_model, text, "비가")[0].splitlines()[0] == spaced.text
    output, _ = malmoi("space", spacing_model, text, "비  가", "--keep_spaces", "--json")
    answers = [json.loads(line) for line in output.splitlines()]
    assert answers == [
        {"original": whole, "text": whole, "offsets": list(range(len(whole))), "removed": []}
        for whole in (text, "비  가")
    ]


def test_classify_answers_line_by_line(classifying_model: Path) -> None:
    lines = [*LINES[1:5], "비가 와서\t집에 있었다.", "비가 " * 40]
    content = "\n".join(lines).encode()
    output, error = malmoi("classify", classifying_model, "--input", "-", stdin=content)
    lines = [line.removesuffix("\r") for line in lines]
    answers = list(Classifier(classifying_model).classify(lines))
    assert [answer.cut for answer in answers][-2:] == [False, True]
    rows = [row.split("\t", 2) for row in output.removesuffix("\n").split("\n")]
    assert rows == [[answer.label, f"{answer.score:.4f}", line] for answer, line in zip(answers, lines)]
    assert sum(answer.cut for answer in answers) == 1
    assert error == "malmoi: 1 text was longer than the model can read; its end was not read.\n"
    _, error = malmoi("classify", classifying_model, "--input", "-", stdin=content + b"\n" + content)
    assert error == "malmoi: 2 texts were longer than the model can read; their ends were not read.\n"


def test_classify_writes_json_lines(classifying_model: Path) -> None:
    output, error = malmoi("classify", classifying_model, "비가", "", "--json")
    answers = [json.loads(line) for line in output.splitlines()]
    assert error == ""
    assert [answer["text"] for answer in answers] == ["비가", ""]
    for answer, expected in zip(answers, Classifier(classifying_model).classify(["비가", ""])):
        assert answer["scores"] == pytest.approx(expected.scores, abs=1e-5)
        assert (answer["label"], answer["cut"]) == (expected.label, False)
        assert answer["score"] == answer["scores"][answer["label"]]


def test_errors_are_one_sentence(spacing_model: Path) -> None:
    message = "malmoi: standard input, line 2: expected UTF-8, but byte 1 of the line is 0xff.\n"
    lines = "가\n".encode() + b"\xff\n"
    assert malmoi("space", spacing_model, "--input", "-", stdin=lines, code=2) == ("가\n", message)
    surrogate = b"\xed\xa0\x80".decode("utf-8", "surrogateescape")
    message = "malmoi: Character 2 of the text is a lone surrogate, not a character.\n"
    assert malmoi("space", spacing_model, f"가{surrogate}", code=2) == ("", message)


@pytest.mark.parametrize("command", ["space", "classify"])
def test_there_must_be_texts_from_one_place(command: str) -> None:
    one_place = "malmoi: Give either texts or --input FILE."
    assert malmoi(command, code=2)[1] == malmoi(command, "bundled:model", code=2)[1] == f"{one_place}\n"
    assert malmoi(command, "./model", code=2)[1].startswith(f"{one_place} './model' could be the name of a model; ")
