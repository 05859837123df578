"""Numbers of tokens in columns: what CoNLL-U numbers beside words, and lines that do not count on."""

import re
from pathlib import Path

import pytest

from malmoi.data.alignment import tags_to_spans
from malmoi.data.readers.conll import read_conll
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError


def conllu(*rows: tuple[str, str, str]) -> str:
    """Return a sentence of CoNLL-U with number, form and tag of each line."""
    beside = "\t".join("_" * 7)
    return "".join(f"{number}\t{form}\t{beside}\t{tag}\n" for number, form, tag in rows) + "\n"


def read(folder: Path, content: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the sentences of a file with their names."""
    (folder / "train.conllu").write_text(content, encoding="utf-8")
    rows = read_conll(folder, token_separator=" ")["train"]
    labels = label_names(rows)
    spans = [tags_to_spans([labels[tag] for tag in tags]) for tags in rows["tags"]]
    return [
        (text, [(text[start:end], label) for start, end, label in found]) for text, found in zip(rows["text"], spans)
    ]


PLAIN = conllu(("1", "서울", "B-LC"), ("2", "갔다", "O"))
PLAIN_READ = ("서울 갔다", [("서울", "LC")])


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        (("_", "B-PS", "I-PS"), [("손흥민", "PS")]),
        (("_", "O", "O"), []),
        (("B-PS", "_", "_"), [("손흥민", "PS")]),
        (("O", "O", "_"), []),
        (("B-PS", "O", "B-PS"), [("손흥민", "PS")]),
    ],
)
def test_the_surface_of_several_words_is_the_token(
    tags: tuple[str, str, str], names: list[tuple[str, str]], tmp_path: Path
) -> None:
    rows = zip(("2-3", "2", "3"), ("손흥민", "손", "흥민"), tags)
    content = conllu(("1", "어제", "O"), *rows, ("4", "왔다", "O"))
    assert read(tmp_path, PLAIN + content) == [PLAIN_READ, ("어제 손흥민 왔다", names)]


@pytest.mark.parametrize("tags", [("O", "B-PS", "O"), ("B-PS", "O", "O")])
def test_a_token_and_its_words_must_not_contradict_each_other(tags: tuple[str, str, str], tmp_path: Path) -> None:
    rows = zip(("1-2", "1", "2"), ("손흥민", "손", "흥민"), tags)
    with pytest.raises(DataFormatError, match=r"line 4: expected one tag for the token 1-2 and its words, got "):
        read(tmp_path, PLAIN + conllu(*rows))


def test_words_that_are_not_in_the_text_are_left_out(tmp_path: Path) -> None:
    content = conllu(("0.1", "그가", "_"), ("1", "서울", "B-LC"), ("1.1", "에", "_"), ("2", "갔다", "O"))
    assert read(tmp_path, content) == [PLAIN_READ]


@pytest.mark.parametrize("numbers", [("3", "4"), ("1", "3"), ("7", "7")])
def test_numbers_that_do_not_begin_anew_are_numbers_still(numbers: tuple[str, str], tmp_path: Path) -> None:
    other = conllu((numbers[0], "부산", "B-LC"), (numbers[1], "갔다", "O"))
    assert read(tmp_path, 2 * PLAIN + other) == [PLAIN_READ, PLAIN_READ, ("부산 갔다", [("부산", "LC")])]


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        (
            [("1-2", "손흥민은", "_"), ("1", "손흥민", "B-PS"), ("2", "은", "O")],
            4,
            "expected one name, or none, in the words of the token 1-2 '손흥민은', got B-PS, O; write the tag of the "
            "token in its own line, in column 10.",
        ),
        (
            [("1-2", "손흥민", "_"), ("1", "손", "B-PS"), ("2", "흥민", "B-PS")],
            4,
            "expected one name, or none, in the words of the token 1-2 '손흥민', got B-PS, B-PS; ",
        ),
        (
            [("1-2", "손흥민", "_"), ("1", "손", "B-PS")],
            6,
            "expected the word 2 of the token 1-2 in line 4, got the end of the sentence.",
        ),
        (
            [("1-2", "손흥민", "_"), ("2", "손", "B-PS"), ("3", "흥민", "I-PS")],
            5,
            "expected the word 1 of the token 1-2 in line 4, got '2'.",
        ),
        ([("2-1", "손흥민", "_")], 4, "expected the numbers of words as in 2-3, got 2-1."),
        (
            [("하나", "손흥민", "B-PS")],
            4,
            "expected the number of a token in column 1, as other lines have, got '하나'.",
        ),
    ],
)
def test_a_token_whose_tag_cannot_be_told_is_named(
    rows: list[tuple[str, str, str]], line: int, message: str, tmp_path: Path
) -> None:
    place = tmp_path / "train.conllu"
    with pytest.raises(DataFormatError, match=f"^{re.escape(f'{place}, line {line}: {message}')}"):
        read(tmp_path, PLAIN + conllu(*rows))
