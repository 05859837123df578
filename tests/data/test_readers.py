import os
import unicodedata
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.inline_marks import parse_marks, write_marks
from malmoi.data.readers import READERS
from malmoi.data.readers.inline_marks import SAMPLE_CORPUS, read_inline_marks
from malmoi.data.readers.klue_ner import KLUE_LABELS, from_hub_splits, read_klue_ner
from malmoi.data.tagged_dataset import label_names, with_labels
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.metrics.named_entities import NamedEntityMetrics
from malmoi.metrics.tokenized_sentence import TokenizedSentence
from malmoi.recipes.arguments import ARGUMENTS

KLUE_HEADER = (
    "## 토큰, 레이블 구분자 : \\t\n## 토큰 구분자 : \\n\n## 문장 구분자 : \\n\\n\n"
    "## 주석 : ##\n## 컬럼명 : CHAR\tNE_TAG\n"
)
KLUE_SENTENCE = "## id-0\t<김:PS> #\n김\tB-PS\n \tO\n#\tO\n\n"
REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))


def write_klue(folder: Path, content: str | bytes) -> Path:
    path = folder / "klue-ner-v1.1_train.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_klue_rows_become_sentences(tmp_path: Path) -> None:
    write_klue(tmp_path, KLUE_HEADER + KLUE_SENTENCE + "## id-1\t나\n나\tO")
    rows = read_klue_ner(tmp_path)["train"]
    assert label_names(rows) == KLUE_LABELS
    assert rows["text"] == ["김 #", "나"]
    assert rows["id"] == ["id-0", "id-1"]
    assert [KLUE_LABELS[tag] for tag in rows["tags"][0]] == ["B-PS", "O", "O"]


@pytest.mark.parametrize("content", ["## a\t<김:LC>은\n김\tB-PS\n은\tO\n", "## a\t<김:PS>은\n김\tB-PS\n"])
def test_rows_of_klue_that_say_other_than_the_marks_above_them_are_pointed_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    path = write_klue(tmp_path, KLUE_HEADER + KLUE_SENTENCE + content)
    assert KLUE_LABELS[read_klue_ner(tmp_path)["train"]["tags"][1][0]] == "B-PS"
    assert f"{path}: the sentence with marks above the rows says something else than they do in 1 of 2" in caplog.text
    assert "first above line 12; the rows are read" in caplog.text
    caplog.clear()
    write_klue(tmp_path, KLUE_HEADER + KLUE_SENTENCE + "## a\t은 < <김:PS> \n은\tO\n \tO\n<\tO\n \tO\n김\tB-PS\n")
    read_klue_ner(tmp_path)
    assert not caplog.text


@pytest.mark.parametrize(
    "content", ["\ufeff" + KLUE_HEADER + KLUE_SENTENCE, (KLUE_HEADER + KLUE_SENTENCE).replace("\n", "\r\n")]
)
def test_byte_order_mark_and_carriage_returns_are_dropped(tmp_path: Path, content: str) -> None:
    write_klue(tmp_path, content)
    assert read_klue_ner(tmp_path)["train"]["text"] == ["김 #"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("김 B-PS\n", 1, "expected one character, a tab and a tag, got '김 B-PS'"),
        ("김\tB-PS\n\n민수\tO\n", 3, "expected one character, a tab and a tag"),
        ("김\tB-PS\tO\n", 1, "expected one character, a tab and a tag"),
        ("김\tB-PER\n", 1, "expected one of the tags B-PS, .*got 'B-PER'; with other types, .* by --reader conll"),
        ("김\tO\n민\tI-PS\n", 2, "expected I-PS only after B-PS or I-PS, got it after O"),
        ("김\tB-LC\n민\tI-PS\n", 2, "expected I-PS only after B-PS or I-PS, got it after B-LC"),
        ("김\tO\n## id\n", 2, "expected an empty line between two sentences"),
        ("## a\t김\n## b\t김\n김\tO\n", 2, "expected the rows of the sentence 'a'"),
        ("## a\t김\n김\tO\n\n## b\t김\n\n", 5, "expected the rows of the sentence 'b'"),
        (b"\xb1\xe8\tO\n", 1, "expected UTF-8, but byte 1 of the line is 0xb1"),
    ],
)
def test_a_malformed_klue_line_is_named(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    path = write_klue(tmp_path, content)
    with pytest.raises(DataFormatError, match=rf"{path}, line {line}: {message}"):
        read_klue_ner(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [("", "the file is empty"), ("\n\n", "expected sentences, found none")]
)
def test_a_klue_file_without_sentences_is_refused(tmp_path: Path, content: str, message: str) -> None:
    write_klue(tmp_path, content)
    with pytest.raises(DataFormatError, match=message):
        read_klue_ner(tmp_path)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match=r"expected a folder with klue-ner-v1.1_train.tsv and klue-ner-v1.1_dev"):
        read_klue_ner(tmp_path / "nothing")
    with pytest.raises(DataFormatError, match=r"expected a folder with train.txt and validation.txt"):
        read_inline_marks(tmp_path)


def test_without_network_and_folder_both_ways_out_are_named() -> None:
    with pytest.raises(
        UserError, match=r"could not be fetched from the Hub .* connect to the network, or .*--data_dir"
    ):
        read_klue_ner(None)


@pytest.mark.skipif(not (REAL_DATA / "klue-ner").is_dir(), reason="the KLUE files are not at hand")
def test_real_klue_files_give_the_published_counts(caplog: pytest.LogCaptureFixture) -> None:
    splits = read_klue_ner(REAL_DATA / "klue-ner")
    assert "marks above the rows" not in caplog.text
    assert {name: rows.num_rows for name, rows in splits.items()} == {"train": 3499, "validation": 500}
    names = [len(tags_to_spans([KLUE_LABELS[tag] for tag in tags])) for tags in splits["validation"]["tags"]]
    assert sum(names) == 1474
    assert all(len(text) == len(tags) for text, tags in zip(splits["train"]["text"], splits["train"]["tags"]))


def test_rows_of_the_hub_take_the_same_form() -> None:
    names = ["B-DT", "I-DT", "O", *[label for label in KLUE_LABELS if label not in ("B-DT", "I-DT", "O")]]
    features = Features(
        {"sentence": Value("string"), "tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=names))}
    )
    rows = {"sentence": ["<김:PS> 씨"], "tokens": [["김", " ", "씨"]], "ner_tags": [["B-PS", "O", "O"]]}
    converted = from_hub_splits({"train": Dataset.from_dict(rows, features=features)})["train"]
    assert converted["text"] == ["김 씨"]
    assert [KLUE_LABELS[tag] for tag in converted["tags"][0]] == ["B-PS", "O", "O"]


@pytest.mark.parametrize(
    ("line", "text", "spans"),
    [
        ("<효진:PER> 역의 <14:NOH>", "효진 역의 14", [Span(0, 2, "PER"), Span(6, 8, "NOH")]),
        ("<<일지매:PS>>", "<일지매>", [Span(1, 4, "PS")]),
        ("<01:23:39:TI>", "01:23:39", [Span(0, 8, "TI")]),
        ("<678가구:NOH><신도시:LOC>", "678가구신도시", [Span(0, 5, "NOH"), Span(5, 8, "LOC")]),
        ("1 < 2, 3 > 2 >▽< <12:30> <3:0> <3", "1 < 2, 3 > 2 >▽< <12:30> <3:0> <3", []),
        (r"C:\x <김:PS> \> \< 1", r"C:\x 김 \> \< 1", [Span(5, 6, "PS")]),
    ],
)
def test_marks_are_read(line: str, text: str, spans: list[Span]) -> None:
    assert parse_marks(line) == (text, spans)
    assert write_marks(text, spans) == line


TYPES = ["인물", "person", "street-address", "Invoice Number", "GPE-CITY", "L", "PS_NAME", "PER", "o.b", "1차", "O"]


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_any_words(tmp_path: Path, name: str) -> None:
    (tmp_path / "train.txt").write_text(f"<김하늘:{name}>은 어제 왔다.\n", encoding="utf-8")
    rows = read_inline_marks(tmp_path)["train"]
    assert label_names(rows) == [f"B-{name}", f"I-{name}", "O"]
    assert tags_to_spans([label_names(rows)[tag] for tag in rows["tags"][0]]) == [Span(0, 3, name)]
    metrics = NamedEntityMetrics(label_names(rows))
    tags = [label_names(rows)[tag] for tag in rows["tags"][0]]
    offsets = [(index, index + 1) for index in range(len(tags))]
    metrics.update(TokenizedSentence(rows["text"][0], tags, offsets, [False] * len(tags), 0), tags, tags)
    figures = metrics.compute()
    assert figures["entity_f1"] == figures["token_f1"] == figures[f"f1/{name}"] == 1


def test_a_type_in_two_forms_of_unicode_is_one(tmp_path: Path) -> None:
    name = "인물"
    other = unicodedata.normalize("NFD", name)
    (tmp_path / "train.txt").write_text(f"<가:{name}> <나:{other}>\n", encoding="utf-8")
    assert label_names(read_inline_marks(tmp_path)["train"]) == ["B-인물", "I-인물", "O"]


@pytest.mark.parametrize(
    ("line", "text", "names"),
    [
        ("<여의도 빌딩 :LC> 앞에서 < 김민지:PS>를", "여의도 빌딩  앞에서  김민지를", ["여의도 빌딩", "김민지"]),
        (r"<\ 김:PS>과 <이\ :PS>", " 김과 이 ", [" 김", "이 "]),
        (r"<\<2\>:NOH> 문제", "<2> 문제", ["<2>"]),
        (r"\<사진:연합뉴스> <김:PS>", "<사진:연합뉴스> 김", ["김"]),
        (r"\<사진:연합뉴스\> <김:PS>", "<사진:연합뉴스> 김", ["김"]),
        (r"\\<김:PS>", "\\김", ["김"]),
        ("<3 a:b >:D>", "<3 a:b >:D>", []),
    ],
)
def test_edges_of_names_and_escaped_brackets(line: str, text: str, names: list[str]) -> None:
    read, spans = parse_marks(line)
    assert read == text
    assert [read[start:end] for start, end, _ in spans] == names


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<12:30>에 만난다 >▽<", "<12:30>에 만난다 >▽<"),
        ("<사진:연합뉴스>", r"\<사진:연합뉴스>"),
        ("<서울:LC>", r"\<서울:LC>"),
        ("<3 좋아요 :DD 라고", r"\<3 좋아요 :DD 라고"),
        ("효진:PS>은", r"효진:PS\>은"),
        (r"C:\문서\<a", r"C:\문서\<a"),
    ],
)
def test_only_brackets_that_may_be_part_of_a_mark_are_escaped(text: str, written: str) -> None:
    assert write_marks(text, []) == written
    assert parse_marks(written) == (text, [])


def texts_full_of_marks(*, min_size: int, max_size: int) -> st.SearchStrategy[str]:
    return st.one_of(
        st.text("<>:;\\ P가1_.", min_size=min_size, max_size=max_size), st.text(min_size=min_size, max_size=max_size)
    )


@settings(max_examples=examples(400), deadline=None)
@given(texts_full_of_marks(min_size=0, max_size=20), st.data())
def test_what_is_written_is_read_back(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    types = st.one_of(st.sampled_from(TYPES), texts_full_of_marks(min_size=1, max_size=4))
    spans = [Span(start, end, data.draw(types)) for start, end in zip(cuts[::2], cuts[1::2])]
    line = write_marks(text, spans)
    assert parse_marks(line) == (text, spans)
    # nor does a type that other lines have make anything of this one
    known = frozenset({"P", "가", *TYPES, *(span.label for span in spans)})
    assert parse_marks(line, types=known) == (text, spans)


@given(st.text(st.characters(exclude_characters="<>"), max_size=30))
def test_a_text_without_brackets_is_written_as_it_is(text: str) -> None:
    assert write_marks(text, []) == text
    assert parse_marks(text) == (text, [])


@pytest.mark.parametrize("spans", [[Span(1, 1, "PS")], [Span(0, 1, "")]])
def test_an_empty_name_or_type_cannot_be_written(spans: list[Span]) -> None:
    with pytest.raises(ValueError, match="a name and a type"):
        write_marks("가나", spans)


@pytest.mark.parametrize(
    "line",
    [
        "<효진:PS 역",
        "<효진:PS는 <역:LC>",
        "효진:PS>은",
        "<:PS>은",
        "< :PS>은",
        "<춘천: LC>",
        "<춘천:LC >",
        "<춘천;LC>",
        "<춘천：LC>",
        "<춘천；LC>",
        "<일:;LC>",
        "<춘천:1>",
        "<춘천:(장소)>",
        "<효진:인물은 역",
        "<효진 :인물 역",
        "효진:인물>은",
        "<춘천:인물 >",
    ],
)
def test_broken_marks_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "train.txt").write_text(f"<가:인물>\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"train.txt, line 3: expected marks of the form <name:TYPE>"):
        read_inline_marks(tmp_path)


def test_a_refusal_is_a_sentence_however_long_the_line(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(f"<{'가' * 5000}:PS 역\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 1: expected marks") as refused:
        read_inline_marks(tmp_path)
    assert len(str(refused.value)) < 500
    write_klue(tmp_path, f"{'가' * 5000}\tO\n")
    with pytest.raises(DataFormatError, match="expected one character") as refused:
        read_klue_ner(tmp_path)
    assert len(str(refused.value)) < 500


def test_a_file_without_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("이름이 없다.\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="at least one sentence with a mark"):
        read_inline_marks(tmp_path)


def test_a_test_file_is_the_split_test(tmp_path: Path) -> None:
    for name, mark in (("train", "PS"), ("validation", "PS"), ("test", "LC")):
        (tmp_path / f"{name}.txt").write_text(f"<가:{mark}>\n", encoding="utf-8")
    splits = read_inline_marks(tmp_path)
    assert list(splits) == ["train", "validation", "test"]
    assert {"B-LC", "B-PS"} < set(label_names(splits["train"])) == set(label_names(splits["test"]))


def test_entity_types_are_those_of_all_files(marked_corpus: Path) -> None:
    splits = read_inline_marks(marked_corpus)
    assert label_names(splits["train"]) == ["B-LC", "I-LC", "B-PS", "I-PS", "O"] == label_names(splits["validation"])


def test_sample_corpus_is_as_its_card_says() -> None:
    splits = read_inline_marks(None)
    assert (splits["train"].num_rows, splits["validation"].num_rows) == (440, 100)
    assert {label[2:] for label in label_names(splits["train"])} == {"PS", "LC", "OG", "DT", "TI", "QT", ""}
    assert len(set(splits["train"]["text"]) | set(splits["validation"]["text"])) == 540
    card = (Path(__file__).parents[2] / "hub_cards" / "sample-ner-corpus.md").read_text(encoding="utf-8")
    for split, column in (("train", 3), ("validation", 4)):
        content = (SAMPLE_CORPUS / f"{split}.txt").read_text(encoding="utf-8")
        for row in (line.split("|") for line in card.splitlines() if line.startswith("| ") and line[2:4].isupper()):
            assert int(row[column]) == content.count(f":{row[1].strip()}>")


def test_data_with_labels_that_a_model_lacks_is_refused(marked_corpus: Path) -> None:
    rows = read_inline_marks(marked_corpus)["train"]
    moved = with_labels(rows, ["O", "B-PS", "I-PS", "B-LC", "I-LC", "B-OG", "I-OG"])
    assert [label_names(moved)[tag] for tag in moved["tags"][0]] == [label_names(rows)[tag] for tag in rows["tags"][0]]
    with pytest.raises(
        UserError, match=r"has the labels B-LC, I-LC, first in train-1, which the model lacks: it has O, B-PS, I-PS"
    ):
        with_labels(rows, ["O", "B-PS", "I-PS"])


def test_readers_have_names() -> None:
    assert list(READERS) == sorted(READERS)
    assert {task for reader in READERS.values() for task in reader.tasks} == set(ARGUMENTS)
