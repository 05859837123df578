"""Files with one token a line: how their tags and texts are read, and what is refused."""

import os
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.readers.conll import read_conll
from malmoi.data.readers.klue_ner import read_klue_ner
from malmoi.data.readers.kmou_corpus import read_kmou_corpus
from malmoi.data.tagged_dataset import label_names, with_labels
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))


def read(folder: Path, content: str | bytes, *, name: str = "train.conll", **options: object) -> list[tuple[str, str]]:
    """Return the sentences of a file with their names in brackets."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = read_conll(folder, **options)["train"]  # type: ignore[arg-type]
    labels = label_names(rows)
    return [marked(row["text"], tags_to_spans([labels[tag] for tag in row["tags"]])) for row in rows]


def marked(text: str, spans: list[Span]) -> str:
    """Return a text with its names in brackets, each followed by its type."""
    for start, end, label in reversed(spans):
        text = f"{text[:start]}[{text[start:end]}]{label}{text[end:]}"
    return text


NAVER = "1\t이순신은\tPER_B\n2\t조선\tLOC_B\n3\t중기의\t-\n\n1\t무신\tCVL_B\n2\t이다\tCVL_I\n"
NAVER_READ = ["[이순신은]PER [조선]LOC 중기의", "[무신 이다]CVL"]


@pytest.mark.parametrize(
    ("content", "expected", "scheme"),
    [
        ("손흥민 B-PS\n은 O\n뉴욕 B-LC\n시티 I-LC\n에 O\n", "[손흥민]PS 은 [뉴욕 시티]LC 에", "BIO (IOB2),"),
        ("손흥민 I-PS\n이강인 B-PS\n은 O\n뉴욕 I-LC\n시티 I-LC\n", "[손흥민]PS [이강인]PS 은 [뉴욕 시티]LC", "IOB1,"),
        ("손흥민 I-PS\n뉴욕 I-LC\n시티 I-LC\n에 O\n", "[손흥민]PS [뉴욕 시티]LC 에", "IOB1,"),
        ("손흥민 S-PS\n뉴욕 B-LC\n양키 I-LC\n시티 E-LC\n에 O\n", "[손흥민]PS [뉴욕 양키 시티]LC 에", "BIOES,"),
        ("손흥민 U-PS\n뉴욕 B-LC\n양키 I-LC\n시티 L-LC\n에 O\n", "[손흥민]PS [뉴욕 양키 시티]LC 에", "BILOU,"),
        ("뉴욕 B-LC\n양키 M-LC\n시티 E-LC\n에 O\n", "[뉴욕 양키 시티]LC 에", "BMES,"),
        (
            "손흥민 PS-B\n뉴욕 LC-B\n시티 LC-I\n에 -\n",
            "[손흥민]PS [뉴욕 시티]LC 에",
            "BIO (IOB2), its letter after the type,",
        ),
        (
            "손흥민 PS_B\n뉴욕 LC_B\n시티 LC_I\n에 O\n",
            "[손흥민]PS [뉴욕 시티]LC 에",
            "BIO (IOB2), its letter after the type,",
        ),
        ("손흥민 PS\n뉴욕 LC\n시티 LC\n에서 O\n는 O\n", "[손흥민]PS [뉴욕 시티]LC 에서 는", "types without a letter"),
        ("손흥민 PS\n은 -\n가서 -\n", "[손흥민]PS 은 가서", "types without a letter"),
    ],
)
def test_every_scheme_is_read_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, expected: str, scheme: str
) -> None:
    assert read(tmp_path, content) == [expected]
    assert f"the tags in column 2 of 2 are {scheme}" in caplog.text
    assert "not begun" not in caplog.text
    assert len(caplog.records) == 1


def test_a_tag_that_goes_on_with_nothing_begins_a_name_which_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = "그 O\n뉴욕 I-LC\n시티 I-LC\n\n이강인 B-PS\n서울 I-LC\n갔다 O\n"
    assert read(tmp_path, content) == ["그 [뉴욕 시티]LC", "[이강인]PS [서울]LC 갔다"]
    assert f"(2, first in {tmp_path / 'train.conll'}, line 2) are read as its beginning." in caplog.text
    assert len(caplog.records) == 1


@pytest.mark.parametrize("name", ["UNK", "PAD", "[NAME]", "<loc>"])
def test_a_type_that_is_written_as_a_special_token_is_one_like_any_other(tmp_path: Path, name: str) -> None:
    content = f"군포에서\t{name}\n손흥민이\tPER\n그를\tO\n보았다\tO\n"
    assert read(tmp_path, content) == [f"[군포에서]{name} [손흥민이]PER 그를 보았다"]


def test_files_of_naver_and_with_more_columns_are_of_this_kind(tmp_path: Path) -> None:
    assert read(tmp_path, NAVER) == NAVER_READ
    assert read(tmp_path, "이순신은 eoj X B-PER\n조선의 eoj X O\n") == ["[이순신은]PER 조선의"]
    assert read(tmp_path, "0\t서울\tNNP\tB-LC\n1\t에서\tJKB\tO\n") == ["[서울]LC 에서"]
    assert read(tmp_path, "1\tB-LC\t서울\n2\tO\t에서\n", tag_column=2) == ["[서울]LC 에서"]
    # numbers that do not count are tokens
    assert read(tmp_path, "1\tNR\tB-QT\n1\tNR\tO\n개\tNNB\tO\n") == ["[1]QT1개"]


def test_a_space_is_written_by_kmou_as_underscores(tmp_path: Path) -> None:
    rows = "## 1\n## 서울 _\n서울\t서울\tNNP\tB-LC\n_\t_\t_\tO\n_\t_\tSW\tO\n는\t는\tJX\tO\n"
    assert read(tmp_path, rows) == ["[서울]LC _는"]
    assert read(tmp_path, "서\tB-LC\n_\tI-LC\n") == ["[서_]LC"]  # in two columns, nothing but the token


def test_the_tag_may_stand_in_any_column(tmp_path: Path) -> None:
    content = "이순신은\tB-PS\tNNP\n조선\tO\tNNP\n"
    assert read(tmp_path, content, tag_column=2) == ["[이순신은]PS 조선"]
    assert read(tmp_path, "B-PS\t이순신은\nO\t조선\n", tag_column=1) == ["[이순신은]PS 조선"]
    with pytest.raises(DataFormatError, match=r"line 1: expected a tag in column 4, got 3 columns\."):
        read(tmp_path, content, tag_column=4)
    with pytest.raises(
        DataFormatError, match=r"line 1: expected tags of names .* in column 3 of 3, got 'NNP'; .*--tag_column"
    ):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "expected", "said"),
    [
        (
            "서울 B-LC\n에 O\n가는 O\n사람 O\n",
            "[서울]LC 에 가는 사람",
            "a space stands between tokens, by what they look like",
        ),
        ("서\tB-LC\n울\tI-LC\n에\tO\n", "[서울]LC에", "nothing stands between tokens, by what they look like"),
        ("서울\tB-LC\n \tO\n시청\tB-LC\n에\tO\n", "[서울]LC [시청]LC에", "nothing stands between tokens"),
    ],
)
def test_the_text_is_put_together_by_what_tokens_look_like(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, expected: str, said: str
) -> None:
    assert read(tmp_path, content) == [expected]
    assert said in caplog.text


def test_what_stands_between_tokens_can_be_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = "서울\tB-LC\n시청\tI-LC\n에\tO\n"
    assert read(tmp_path, content, token_separator="") == ["[서울시청]LC에"]
    assert "look like" not in caplog.text
    assert read(tmp_path, content, token_separator="_") == ["[서울_시청]LC_에"]


def test_documents_comments_marks_and_line_ends(tmp_path: Path) -> None:
    content = (
        "-DOCSTART- -X- O\n\n# text = 서울\n서울 NNP B-LC\n# X O\n# 뒤\n#\n\n\n-DOCSTART- -X- O\n\n부산 NNP B-LC\n"
    )
    with pytest.raises(DataFormatError, match=r"line 7: expected 3 columns divided by spaces, as in line 4, got 1\."):
        read(tmp_path, content)
    content = content.replace("\n#\n", "\n")
    for written in (content, "\ufeff" + content, content.replace("\n", "\r\n"), content + "\n   \n"):
        (tmp_path / "train.conll").write_text(written, encoding="utf-8", newline="")
        rows = read_conll(tmp_path)["train"]
        assert rows["text"][:] == ["서울 #", "부산"]
        assert len({*rows["document"]}) == 2
    # one beginning divides nothing
    assert "document" not in read_one_document(tmp_path)


def read_one_document(folder: Path) -> list[str]:
    """Return the columns of a data set of one document."""
    (folder / "train.conll").write_text("-DOCSTART- O\n\n서울 B-LC\n\n부산 B-LC\n", encoding="utf-8")
    return list(read_conll(folder)["train"].column_names)


def test_files_of_klue_are_exact(tmp_path: Path) -> None:
    content = "## 컬럼명 : CHAR\tNE_TAG\n## a\t<김:PS> #\n김\tB-PS\n \tO\n#\tO\n\n## b\t나\n 	O\n나\tO\n \tO\n"
    assert read(tmp_path, content, name="train.tsv") == ["[김]PS #", " 나 "]
    (tmp_path / "klue-ner-v1.1_train.tsv").write_text(content, encoding="utf-8")
    assert read_conll(tmp_path)["train"]["text"][:2] == read_klue_ner(tmp_path)["train"]["text"][:]


@pytest.mark.skipif(not (REAL_DATA / "klue-ner").is_dir(), reason="the KLUE files are not at hand")
def test_the_real_files_of_klue_are_read_as_their_own_reader_reads_them() -> None:
    own = read_klue_ner(REAL_DATA / "klue-ner")["validation"]
    rows = read_conll(REAL_DATA / "klue-ner" / "klue-ner-v1.1_dev.tsv")["validation"]
    assert rows["text"][:] == own["text"][:]
    assert with_labels(rows, label_names(own))["tags"][:] == own["tags"][:]


@pytest.mark.slow
@pytest.mark.skipif(not (REAL_DATA / "kmou-ner").is_dir(), reason="the KMOU files are not at hand")
def test_the_real_files_of_kmou_give_the_texts_that_their_own_reader_gives() -> None:
    own = read_kmou_corpus(REAL_DATA / "kmou-ner")
    rows = read_conll(REAL_DATA / "kmou-ner" / "corpus")["train"]
    assert Counter(rows["text"]) == Counter(text for part in own.values() for text in part["text"])


def test_splits_have_one_form(tmp_path: Path) -> None:
    (tmp_path / "train.bio").write_text("서울 I-LC\n에 O\n", encoding="utf-8")
    (tmp_path / "dev.bio").write_text("부산 I-LC\n대구 B-LC\n", encoding="utf-8")
    (tmp_path / "test.bio").write_text("부산 X I-LC\n", encoding="utf-8")
    with pytest.raises(
        DataFormatError, match=r"test.bio, line 1: expected 2 columns divided by spaces, as in line 1 of "
    ):
        read_conll(tmp_path)
    (tmp_path / "test.bio").unlink()
    splits = read_conll(tmp_path)
    assert [*splits] == ["train", "validation"]
    assert splits["validation"].features == splits["train"].features


def test_other_files_are_left_out_and_ids_are_different(tmp_path: Path) -> None:
    for name in ("a/x.conll", "b/x.conll", "b/x.bio"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("서울 I-LC\n에서 O\n\n부산 I-LC\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("무엇이 여기 있는지\n", encoding="utf-8")
    names = ["a/x.conll-1", "a/x.conll-2", "b/x.bio-1", "b/x.bio-2", "b/x.conll-1", "b/x.conll-2"]
    assert read_conll(tmp_path)["train"]["id"][:] == names
    (tmp_path / "b/x.bio").unlink()
    assert read_conll(tmp_path)["train"]["id"][:] == ["a/x-1", "a/x-2", "b/x-1", "b/x-2"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("서울\tB-LC\n에\n", 2, r"expected 2 columns divided by a tab, as in line 1, got 1\."),
        ("서울\tB-LC\n에\tO\tO\n", 2, r"expected 2 columns divided by a tab, as in line 1, got 3\."),
        ("서울 B-LC\n에\tO\n", 2, r"expected 2 columns divided by spaces, as in line 1, got 1\."),
        ("서울\n에\n", 1, r"expected two or more columns, a token and its tag, divided by tabs or spaces\."),
        ("서울\tB-LC\n\tO\n", 2, r"expected a token in column 1, got nothing\."),
        ("서울\tB-LC\n에\t\n", 2, r"expected a tag in column 2, got nothing\."),
        ("서울\tB-LC\n에\t \n", 2, r"expected a tag in column 2, got nothing\."),
        ("서울 B-LC\n에 O\n부산 LOC\n", 3, r"expected a tag of the scheme of 'B-LC' in column 2 of 2, got 'LOC'"),
        ("서울 B-LC\n에 O\n부산 b-LC\n", 3, r"expected a tag of the scheme of 'B-LC' in column 2 of 2, got 'b-LC'"),
        ("서울 B-LC\n시 E-LC\n부산 U-LC\n", 3, r"expected a tag of the scheme of 'B-LC' in column 2 of 2, got 'U-LC'"),
        ("서울 LC\n에 O\n부산 LC\n시 I-LC\n", 4, r"expected a tag of the scheme of 'LC' in column 2 of 2, got 'I-LC'"),
        (
            "서울 B\n시 I\n에 O\n",
            1,
            r"expected a type beside the letter of a tag, as in B-PER, in column 2 of 2, got 'B'",
        ),
        ("서울 NNP\n에 JKB\n", 1, r"expected tags of names \(O beside B-X .*\) in column 2 of 2, got 'NNP'"),
        (b"\xbc\xad\xbf\xef B-LC\n", 1, r"expected UTF-8, but .* looks like CP949"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    with pytest.raises(DataFormatError, match=rf"train\.conll, line {line}: {message}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"train\.conll: the file is empty\."),
        ("\n# nothing\n\n", r"train\.conll: expected sentences, found none\."),
        ("서울 O\n에 O\n", r"train\.conll: expected at least one name, but all tags in column 2 of 2 are outside\."),
    ],
)
def test_a_file_without_sentences_or_names_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        read(tmp_path, content)


def test_a_folder_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Give a folder with files of columns .* by --data_dir\."):
        read_conll(None)
    with pytest.raises(DataFormatError, match=r"expected a folder with files of columns \(\.conll, "):
        read_conll(tmp_path)


def test_one_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "some.bio"
    path.write_text("서울 B-LC\n에서 O\n", encoding="utf-8")
    assert read_conll(path)["train"]["text"][:] == ["서울 에서"]


@pytest.mark.slow
def test_a_sentence_of_a_million_characters_is_one(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("서\tB-LC\n울\tI-LC\n에\tO\n \tO\n" * 250_000, encoding="utf-8")
    rows = read_conll(tmp_path)["train"]
    assert rows["text"][:] == ["서울에 " * 250_000]
    assert rows["tags"][0][-4:] == rows["tags"][0][:4]


@pytest.mark.slow
def test_time_and_memory_are_those_of_the_sentences(tmp_path: Path) -> None:
    """Ten times as many sentences take about ten times as long, and no more memory than they have text."""
    sentence = "손흥민은 B-PS\n어제 B-DT\n서울 B-LC\n시청에 I-LC\n갔다 O\n\n"

    def seconds(count: int) -> float:
        folder = tmp_path / str(count)
        folder.mkdir(exist_ok=True)
        (folder / "train.conll").write_text(sentence * count, encoding="utf-8")
        begun = time.process_time()
        assert read_conll(folder)["train"].num_rows == count
        return time.process_time() - begun

    seconds(100)
    few = min(seconds(10_000) for _ in range(2))
    assert seconds(100_000) < 20 * few
    tracemalloc.start()
    seconds(2_000)
    few_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    seconds(8_000)
    assert tracemalloc.get_traced_memory()[1] < 5 * few_bytes
    tracemalloc.stop()


def test_files_of_one_document_each_are_so_many_documents(tmp_path: Path) -> None:
    heads = {f"train_{number}": "# newdoc\n" if number % 2 else "-DOCSTART- O\n\n" for number in range(10)}
    for name, head in {**heads, "dev": "# newdoc\n"}.items():
        content = head + "서울 B-LC\n에 O\n\n부산 B-LC\n에 O\n"
        (tmp_path / f"{name}.conll").write_text(content, encoding="utf-8")
    splits = read_conll(tmp_path, token_separator="")
    assert splits["train"]["document"][:] == [f"{name}-1" for name in heads for _ in range(2)]
    assert "document" not in splits["validation"].column_names
    # fewer are parts of a corpus, which could not be divided evenly
    (tmp_path / "train_0.conll").unlink()
    assert "document" not in read_conll(tmp_path, token_separator="")["train"].column_names
