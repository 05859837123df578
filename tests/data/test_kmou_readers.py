import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.marked_alignment import align_marks
from malmoi.data.readers.kmou_corpus import read_kmou_corpus
from malmoi.data.readers.kmou_lines import KMOU_LABELS, KMOU_TYPES, read_kmou_lines
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_real_data = pytest.mark.skipif(not (REAL_DATA / "kmou-ner").is_dir(), reason="the KMOU files are not at hand")

LINE = "효진 역의 14␞<효진:PER> 역의 <14:NOH>\n"
BLOCK = (
    "## 1\n## # 효진 _3\n## # <효진:PER> <_3:NOH>\n"
    "#\t#\tSW\tO\n_\t_\t_\tO\n효진\t효진\tNNP\tB-PER\n_\t_\t_\tO\n_\t_\tSW\tB-NOH\n3\t3\tSN\tI-NOH\n\n"
)


def names(rows: Dataset) -> list[list[tuple[str, str]]]:
    """Return the text and the type of every name, by sentence."""
    spans = [tags_to_spans([KMOU_LABELS[tag] for tag in tags]) for tags in rows["tags"]]
    return [[(text[start:end], label) for start, end, label in found] for text, found in zip(rows["text"], spans)]


def mark(sentence: str, spans: list[Span]) -> str:
    """Mark names as the corpus does, which has no way to write a bracket that is text."""
    for start, end, label in reversed(spans):
        sentence = f"{sentence[:start]}<{sentence[start:end]}:{label}>{sentence[end:]}"
    return sentence


def write_lines(folder: Path, content: str | bytes) -> Path:
    path = folder / "train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_corpus(folder: Path, content: str | bytes, *, division: str = "file\tpart\na.txt\ttrain\n") -> Path:
    (folder / "split.tsv").write_text(division, encoding="utf-8")
    (folder / "corpus").mkdir()
    path = folder / "corpus" / "a.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("sentence", "marked", "spans"),
    [
        ("678가구신도시", "<678가구:NOH><신도시:LOC>", [Span(0, 5, "NOH"), Span(5, 8, "LOC")]),
        ("중국 은 20일", "<중국 :ORG>은< 20일:DAT>", [Span(0, 3, "ORG"), Span(4, 8, "DAT")]),
        ("http://a:b 참조", "<http://a:b:POH> 참조", [Span(0, 10, "POH")]),
        ("<트럼보>는", "<<트럼보:POH>>는", [Span(1, 4, "POH")]),
        ("<2> 문제의", "<<2>:NOH> 문제의", [Span(0, 3, "NOH")]),
        ("<트럼보> <2>", "<<트럼보:POH>> <<2>:NOH>", [Span(1, 4, "POH"), Span(6, 9, "NOH")]),
        (">▽<는 ->", "<>▽<:POH>는 <->:POH>", [Span(0, 3, "POH"), Span(5, 7, "POH")]),
        ("1 2 <3", "1 <2 <3:NOH>", [Span(2, 6, "NOH")]),
        ("<김:PER>은 <a:b> 1 < 2 > 0", "<김:PER>은 <a:b> <1:NOH> < 2 > 0", [Span(15, 16, "NOH")]),
        ("", "", []),
    ],
)
def test_marks_are_aligned_with_the_sentence(sentence: str, marked: str, spans: list[Span]) -> None:
    assert align_marks(sentence, marked, KMOU_TYPES) == spans


@given(st.text("<>:PER가 ", max_size=16), st.data())
def test_aligned_marks_give_the_marked_sentence_again(sentence: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sentence)), max_size=6)))
    spans = [Span(start, end, "PER") for start, end in zip(cuts[::2], cuts[1::2])]
    marked = mark(sentence, spans)
    found = align_marks(sentence, marked, KMOU_TYPES)
    assert mark(sentence, found) == marked
    assert found == spans or "<" in sentence


@pytest.mark.parametrize(
    ("sentence", "marked", "message"),
    [
        ("어제 효진은", "어제 <효진:PS>은", r"marks of the types PER, .*, NOH, got 'PS' in '<효진:PS>'"),
        ("<2>는", "<<2>:XX>는", r"got 'XX' in '<2>:XX>'"),
        ("효진은", "<효진: PER>은", r"got ' PER' in '<효진: PER>'"),
        (
            "어제 효진은",
            "어제 <효진:PER은",
            r"from character 4 on .* is '효진은' and the marked sentence '<효진:PER은'",
        ),
        ("어제 효진은", "어제 효진:PER>은", r"from character 6 on .* is '은' and the marked sentence ':PER>은'"),
        ("효진은", "<효진:PER>는", r"from character 3 on the sentence is '은' and the marked sentence '는'"),
        ("<2> 효진은", "<<2>:NOH> 효진을", r"from character 7 on the sentence is '은' and the marked sentence '을'"),
        ("효진은 간다", "<효진:PER>은", r"from character 4 on the sentence is ' 간다' and the marked sentence ''"),
        ("효진은", "<효진:PER>은 간다", r"from character 4 on the sentence is '' and the marked sentence ' 간다'"),
        ("효진은", "효진<:PER>은", r"from character 3 on the sentence is '은' and the marked sentence '<:PER>은'"),
    ],
)
def test_marks_that_do_not_fit_the_sentence_are_refused(
    tmp_path: Path, sentence: str, marked: str, message: str
) -> None:
    path = write_lines(tmp_path, f"{LINE}{sentence}␞{marked}\n")
    with pytest.raises(DataFormatError, match=f"{path}, line 2: expected .*{message}"):
        read_kmou_lines(tmp_path)
    rows = "".join(f"{character}\t\t\tO\n" for character in sentence).replace(" \t\t\t", "_\t_\t_\t")
    path = write_corpus(tmp_path, f"{BLOCK}## 2\n## {sentence}\n## {marked}\n{rows}\n")
    with pytest.raises(DataFormatError, match=f"{path}, line 13: expected .*{message}"):
        read_kmou_corpus(tmp_path)


def test_lines_become_sentences(tmp_path: Path) -> None:
    write_lines(tmp_path, LINE + "비가 왔다.␞비가 왔다.")
    (tmp_path / "val.txt").write_text(LINE, encoding="utf-8")
    (tmp_path / "test.txt").write_text(LINE, encoding="utf-8")
    splits = read_kmou_lines(tmp_path)
    assert {split: rows["text"][:] for split, rows in splits.items()} == {
        "train": ["효진 역의 14", "비가 왔다."],
        "validation": ["효진 역의 14"],
        "test": ["효진 역의 14"],
    }
    assert names(splits["train"]) == [[("효진", "PER"), ("14", "NOH")], []]
    assert splits["train"]["id"] == ["train-1", "train-2"]
    assert label_names(splits["train"])[:4] == ["B-PER", "I-PER", "B-LOC", "I-LOC"]


def test_blocks_become_sentences(tmp_path: Path) -> None:
    write_corpus(tmp_path, BLOCK + BLOCK.rstrip("\n"))
    rows = read_kmou_corpus(tmp_path)["train"]
    assert rows["text"] == ["# 효진 _3"] * 2
    assert names(rows) == [[("효진", "PER"), ("_3", "NOH")]] * 2
    assert rows["id"] == ["a-1", "a-2"]


def test_rows_with_other_names_than_the_marks_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = BLOCK.replace("B-PER", "B-LOC")
    write_corpus(tmp_path, BLOCK + other + BLOCK + other)
    assert names(read_kmou_corpus(tmp_path)["train"]) == [[("효진", "PER"), ("_3", "NOH")]] * 4
    (said,) = caplog.messages
    assert "in 2 of 4 sentences, first in a.txt, line 11; the marks are read" in said


def test_rows_with_the_names_of_the_marks_need_no_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_corpus(tmp_path, BLOCK)
    read_kmou_corpus(tmp_path)
    assert not caplog.messages


def test_the_division_says_which_files_are_read(tmp_path: Path) -> None:
    division = "file\tpart\nc.txt\ttest\nb.txt\tval\na.txt\tval\n"
    (tmp_path / "split.tsv").write_text(division, encoding="utf-8")
    for name in "abcd":  # beside the division, without a folder
        (tmp_path / f"{name}.txt").write_text(BLOCK, encoding="utf-8")
    splits = read_kmou_corpus(tmp_path)
    assert {split: rows["id"][:] for split, rows in splits.items()} == {
        "validation": ["b-1", "a-1"],
        "test": ["c-1"],
    }


@pytest.mark.parametrize("damage", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_byte_order_mark_and_carriage_returns_are_dropped(tmp_path: Path, damage: Callable[[str], str]) -> None:
    write_lines(tmp_path, damage(LINE))
    assert read_kmou_lines(tmp_path)["train"]["text"] == ["효진 역의 14"]
    write_corpus(tmp_path, damage(BLOCK), division=damage("file\tpart\na.txt\ttrain\n"))
    assert read_kmou_corpus(tmp_path)["train"]["text"] == ["# 효진 _3"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (LINE + "효진\n", 2, r"expected a sentence, the sign ␞ \(U\+241E\) and .*, got 1 columns"),
        ("효진␞<효진:PER>␞\n", 1, "expected a sentence, .*, got 3 columns"),
        (LINE + "\n", 2, "expected a sentence, .*, got 1 columns"),
        (" ␞ \n", 1, "expected a sentence, got an empty one"),
        (LINE.encode() + "효진".encode("cp949"), 2, "expected UTF-8, but byte 3 of the line is 0xc1"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    path = write_lines(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{path}, line {line}: {message}"):
        read_kmou_lines(tmp_path)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (BLOCK + "## 2\n## 비\n비\t비\tNNG\tO\n", 11, "expected three lines that begin with '## ': number, sentence"),
        (BLOCK + "## 2\n## 비", 11, "expected three lines that begin with '## '"),
        (BLOCK.replace("## 1\n", ""), 1, "expected three lines that begin with '## '"),
        (BLOCK.replace("\tNNP", ""), 6, "expected surface, morphemes, part of speech and tag, got 3 columns"),
        (BLOCK.replace("\tNNP", "\tNNP\t"), 6, "expected surface, morphemes, .* got 5 columns"),
        (
            BLOCK.replace("_\t_\t_\tO\n", "", 1),
            2,
            r"that the rows spell, but from character 2 on it is ' 효진 _3' .*'효진 _3'",
        ),
        (BLOCK.replace("_\t_\tSW", "_\t_\t_"), 2, r"but from character 6 on it is '_3' and the rows are ' 3'"),
        (BLOCK.replace("B-PER", "B-CHA"), 6, "expected one of the tags B-PER, I-PER, .*, O, got 'B-CHA'"),
        (BLOCK.replace("B-PER", ""), 6, "expected one of the tags B-PER, .*, got ''"),
        ("## 1\n## \n## \n", 3, "expected a sentence, got an empty one"),
        (BLOCK.encode("cp949"), 2, "expected UTF-8, but byte 8 of the line is 0xc1"),
    ],
)
def test_a_malformed_block_is_named(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    path = write_corpus(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{path}, line {line}: .*{message}"):
        read_kmou_corpus(tmp_path)


@pytest.mark.parametrize(
    ("division", "where", "message"),
    [
        ("a.txt\ttrain\n", ", line 1", r"expected the header 'file\\tpart', got 'a.txt\\ttrain'"),
        ("file\tpart\na.txt\n", ", line 2", "expected a file name, a tab and one of train, val, test, got 'a.txt'"),
        ("file\tpart\na.txt\tdev\n", ", line 2", "expected a file name, a tab and one of train, val, test"),
        ("file\tpart\na.txt\ttrain\tx\n", ", line 2", "expected a file name, a tab and one of train, val, test"),
        ("file\tpart\na.txt\ttrain\na.txt\tval\n", ", line 3", "expected each file once, got a.txt again"),
        ("file\tpart\n", "", "expected files, found none"),
        ("", "", "the file is empty"),
    ],
)
def test_a_malformed_division_is_refused(tmp_path: Path, division: str, where: str, message: str) -> None:
    write_corpus(tmp_path, BLOCK, division=division)
    with pytest.raises(DataFormatError, match=f"{tmp_path / 'split.tsv'}{where}: {message}"):
        read_kmou_corpus(tmp_path)


def test_a_file_without_sentences_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path, "")
    with pytest.raises(DataFormatError, match=f"{path}: the file is empty"):
        read_kmou_lines(tmp_path)
    path = write_corpus(tmp_path, "")
    with pytest.raises(DataFormatError, match=f"{path}: the file is empty"):
        read_kmou_corpus(tmp_path)
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match=f"{path}: expected sentences, found none"):
        read_kmou_corpus(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match=f"{tmp_path}: expected a folder with train.txt or val.txt or test.txt"):
        read_kmou_lines(tmp_path)
    with pytest.raises(DataFormatError, match=f"{tmp_path}: expected a folder with split.tsv and the files"):
        read_kmou_corpus(tmp_path)
    write_corpus(tmp_path, BLOCK, division="file\tpart\nb.txt\ttrain\n")
    with pytest.raises(DataFormatError, match=r"corpus/b.txt: there is no such file"):
        read_kmou_corpus(tmp_path)


@pytest.mark.parametrize("reader", [read_kmou_lines, read_kmou_corpus])
def test_without_a_folder_the_source_and_its_licence_are_named(reader: Callable[[None], DatasetDict]) -> None:
    with pytest.raises(UserError, match=r"https://github.com/kmounlp/NER .*non-commercial use only.*--data_dir"):
        reader(None)


COUNTED_TYPES = ("PER", "ORG", "NOH", "POH", "LOC", "DAT", "PNT", "MNY", "DUR", "TIM")


def counts(rows: Dataset) -> Counter[str]:
    return Counter(label for found in names(rows) for _, label in found)


@needs_real_data
@pytest.mark.slow
def test_real_lines_give_the_known_counts() -> None:
    splits = read_kmou_lines(REAL_DATA / "kmou-ner")
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 19099, "validation": 2221}
    train = [14952, 13764, 13074, 6890, 6329, 5382, 1499, 1316, 1312, 402]
    validation = [1788, 1636, 1494, 721, 693, 597, 167, 144, 121, 33]
    assert counts(splits["train"]) == dict(zip(COUNTED_TYPES, train))
    assert counts(splits["validation"]) == dict(zip(COUNTED_TYPES, validation))


@needs_real_data
@pytest.mark.slow
def test_the_real_corpus_gives_the_known_counts(caplog: pytest.LogCaptureFixture) -> None:
    splits = read_kmou_corpus(REAL_DATA / "kmou-ner")
    assert sum(rows.num_rows for rows in splits.values()) == 21535
    assert "in 602 of 21,535 sentences" in caplog.text
    marks = [16844, 15562, 14678, 7666, 7100, 6019, 1686, 1467, 1443, 438]
    assert sum(map(counts, splits.values()), Counter()) == dict(zip(COUNTED_TYPES, marks))
    train = dict(zip(splits["train"]["id"], zip(splits["train"]["text"], names(splits["train"]))))
    text, found = train["10232_NER-13"]
    assert text.startswith("<2> 문제의")
    assert found == [("<2>", "NOH")]
    # the one file with a byte order mark
    content = (REAL_DATA / "kmou-ner" / "corpus" / "EXOBRAIN_NE_CORPUS_002.txt").read_text(encoding="utf-8")
    assert content.startswith("\ufeff")
    assert train["EXOBRAIN_NE_CORPUS_002-1"][0] == content.split("\n## ")[1]


@pytest.mark.parametrize("name", ["val", "validation", "dev", "Dev"])
def test_validation_sentences_may_be_called_as_in_other_forms(name: str, tmp_path: Path) -> None:
    for file in ("train", name):
        (tmp_path / f"{file}.txt").write_text(LINE, encoding="utf-8")
    assert [*read_kmou_lines(tmp_path)] == ["train", "validation"]
