"""Files as other programs write or join them: encodings, line ends, marks in the middle, signs for no name, ids."""

import codecs
import copy
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from pandas import DataFrame

from malmoi.commands.streams.json_source import rows_of_json
from malmoi.commands.streams.rows import BEGINNING, Row
from malmoi.data.classified_dataset import class_names
from malmoi.data.delimited_columns import read_heading
from malmoi.data.lexicon import read_lexicon
from malmoi.data.readers import READERS, readers_that_fit
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.silver_text import read_raw_sentences
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.training.read_data import data_of

MARKED = "<서울:LC>에 갔다.\n"
CSV = "id,label,text\n1,긍정,좋다\n"


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"])
def test_other_encodings_of_unicode_are_named(encoding: str, tmp_path: Path) -> None:
    mark = getattr(codecs, f"BOM_{encoding.upper().replace('-', '_').replace('UTF_', 'UTF')}")
    (tmp_path / "train.txt").write_bytes(mark + MARKED.encode(encoding))
    name = encoding[:6]
    with pytest.raises(
        DataFormatError,
        match=rf"train\.txt: expected UTF-8, but the file is {name.upper()}; convert it: `iconv -f {name} -t utf-8 ",
    ):
        READERS["inline-marks"].read(tmp_path)


@pytest.mark.parametrize(
    ("form", "file", "content"),
    [
        ("inline-marks", "train.txt", MARKED * 2),
        ("labelled-texts", "train.txt", "긍정\t좋다\n부정\t나쁘다\n"),
        ("plain-sentences", "train.txt", "비가 왔다.\n해가 떴다.\n"),
        ("dataset", "train.csv", CSV),
        ("conll", "train.conll", "서울\tB-LC\n에\tO\n\n"),
        ("plain-text", "train.txt", "비가 왔다.\n해가 떴다.\n"),
        ("klue-ner", "klue-ner-v1.1_train.tsv", "## 1\t비\n비\tO\n\n"),
        ("kmou-lines", "train.txt", "비␞비\n해␞해\n"),
        ("kmou-corpus", "split.tsv", "file\tpart\na.txt\ttrain\n"),
        ("nsmc", "ratings_test.txt", "id\tdocument\tlabel\n1\t좋다\t1\n"),
    ],
)
def test_line_ends_of_old_macs_are_refused_and_what_helps_is_said(
    form: str, file: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes(content.replace("\n", "\r").encode())
    reader = READERS[form]
    with pytest.raises(
        DataFormatError,
        match=rf"{file}: expected lines .* carriage returns alone, .*: `tr '\\r' '\\n' < OLD > NEW`\.$",
    ):
        reader.read(tmp_path, **({"task": "sentence-classification"} if len(reader.tasks) > 1 else {}))


@pytest.mark.parametrize("read", [read_raw_sentences, lambda path: read_lexicon(str(path))])
@pytest.mark.parametrize("packed", [False, True])
def test_other_files_of_old_macs_are_refused_too(read: Callable[[Path], object], packed: bool, tmp_path: Path) -> None:
    content = "서울\tLC\r손흥민\tPS\r".encode()
    path = tmp_path / f"lines.txt{'.xz' if packed else ''}"
    path.write_bytes(lzma.compress(content) if packed else content)
    with pytest.raises(DataFormatError, match=r"lines\.txt.*: expected lines .* carriage returns alone"):
        read(path)


def test_utf_16_is_not_taken_for_lines_of_old_macs(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("오\ub00d 왔다".encode("utf-16"))  # one of its bytes is that of a carriage return
    with pytest.raises(DataFormatError, match="expected UTF-8, but the file is UTF-16"):
        read_raw_sentences(path)


def test_a_packed_file_is_not_taken_for_one_of_old_macs(tmp_path: Path) -> None:
    path = tmp_path / "train.txt.xz"
    for number in range(300):  # of which some have a carriage return and no line feed where they are packed
        path.write_bytes(lzma.compress(f"비가 {number}번 왔다.\n".encode()))
        assert read_raw_sentences(path) == [f"비가 {number}번 왔다."]


def test_a_heading_of_old_macs_is_refused_in_words_of_ours() -> None:
    with pytest.raises(DataFormatError, match=r"a\.csv, line 1: expected names of columns .* carriage returns alone"):
        read_heading(["id,text\r1,비가 왔다\r"], "a.csv")


def test_a_carriage_return_within_a_line_stays_text(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_bytes(f"비가\r왔다. {MARKED}".encode())
    assert READERS["inline-marks"].read(tmp_path)["train"]["text"] == ["비가\r왔다. 서울에 갔다."]


def test_byte_order_marks_between_lines_of_json_are_none_of_it(tmp_path: Path) -> None:
    line = json.dumps({"text": "서울에", "label": [[0, 2, "LC"]]}, ensure_ascii=False)
    content = f"\ufeff{line}\n\ufeff{line}\n".encode()
    (tmp_path / "train.jsonl").write_bytes(content)
    assert READERS["jsonl"].read(tmp_path, task="named-entities")["train"]["text"] == ["서울에"] * 2
    stream = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]
    parts = rows_of_json(stream, "a.jsonl", "text", encoding="utf-8", start=BEGINNING)
    rows = [row for part in parts for row in part.rows]
    assert [row.text for row in rows if isinstance(row, Row)] == ["서울에"] * 2


@pytest.mark.parametrize(
    ("outside", "first", "expected"),
    [
        ("o", "B-PS", "O where there is no name, or a tag of the scheme of 'B-PS',"),
        ("0", "B-PS", "O where there is no name, or a tag of the scheme of 'B-PS',"),
        ("Ｏ", "PER_B", "O where there is no name, or a tag of the scheme of 'PER_B',"),
        ("OTHER", "PS", r"tags of names \(O beside B-X and .*\)"),
    ],
)
def test_another_sign_for_no_name_is_named(outside: str, first: str, expected: str, tmp_path: Path) -> None:
    lines = f"손흥민\t{first}\n은\t{outside}\n어제\t{outside}\n왔다\t{outside}\n\n"
    (tmp_path / "train.conll").write_text(lines, encoding="utf-8")
    with pytest.raises(DataFormatError, match=rf"line 2: expected {expected} in column 2 of 2, got '{outside}'"):
        READERS["conll"].read(tmp_path)


@pytest.mark.parametrize("outside", ["o", "0", "Ｏ"])
def test_sentences_of_columns_are_known_by_their_names_for_all_that(outside: str, tmp_path: Path) -> None:
    """They were taken for sentences to be spaced."""
    (tmp_path / "train.txt").write_text(f"손흥민 B-PS\n은 {outside}\n왔다 {outside}\n", encoding="utf-8")
    assert readers_that_fit(tmp_path, ["named-entities", "word-spacing"]) == ["conll"]


@pytest.mark.parametrize(
    ("lines", "number", "expected"),
    [
        (
            "손흥민 B-PS -\n은 O +\n왔다 O -\n. O -\n",
            2,
            r"a type with a letter or a digit in column 3 of 3, got '\+'; if the tags",
        ),
        ('"손흥민"\t"PS"\n은\tO\n왔다\tO\n', 1, "a tag without quotes in column 2 of 2, got '\"PS\"'"),
    ],
    ids=["spaces of flair", "quotes"],
)
def test_what_is_no_type_is_refused(lines: str, number: int, expected: str, tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(lines, encoding="utf-8")
    with pytest.raises(DataFormatError, match=f"line {number}: expected {expected}"):
        READERS["conll"].read(tmp_path)


def test_tokens_that_pandas_has_put_in_quotes_are_read_without_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [("손흥민은", "B-PS"), ('"', "O"), ('"최고"', "O"), ('""', "O"), ("다", "O")]
    path = tmp_path / "train.tsv"
    DataFrame(rows).to_csv(path, sep="\t", header=False, index=False)
    read = READERS["conll"].read(tmp_path)["train"]
    assert read["text"] == ['손흥민은 " "최고" "" 다']
    assert f'{path}, line 2: \'""""\' has the quotes of CSV' in caplog.text


def test_quotes_in_other_columns_are_tokens(tmp_path: Path) -> None:
    """Where a quote stands alone no CSV was written."""
    (tmp_path / "train.tsv").write_text('손흥민은\tB-PS\n"\tO\n""""\tO\n""\tO\n', encoding="utf-8")
    assert READERS["conll"].read(tmp_path)["train"]["text"] == ['손흥민은 " """" ""']


TAGGED = [("서울에 갔다 .", "LOC-B O O"), ("비가 왔다 .", "O O O"), ("이기범 씨 .", "PER-B O O")]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("train.txt", "".join(f"{text}\t{tags}\n" for text, tags in TAGGED), "texts"),
        ("train.txt", "".join(f"{tags}\t{text}\n" for text, tags in TAGGED), "classes"),
        ("train.csv", "text,label\n" + "".join(f"{text},{tags}\n" for text, tags in TAGGED), "classes"),
        ("train.csv", "text,label\n" + "".join(f'{text},"{tags.split()}"\n' for text, tags in TAGGED), "classes"),
        ("train.jsonl", "".join(json.dumps({"text": a, "label": b}) + "\n" for a, b in TAGGED), "classes"),
    ],
)
def test_tags_of_a_whole_sentence_are_no_class(name: str, content: str, kind: str, tmp_path: Path) -> None:
    """So is the corpus of Naver as KoELECTRA reads it; each sequence of tags became a class."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=f"expected texts and their classes, but the {kind} seem to be tags of tokens"):
        data_of(tmp_path, reader=None, task=None, options=ReadingOptions())


@pytest.mark.parametrize("names", [("A", "B", "AB", "O"), ("O", "E-commerce", "S-Oil"), ("O", "S-1", "S-2")])
def test_classes_that_look_like_some_tags_are_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    text = "".join(f"{name}\t글 {number}\n" for number, name in enumerate(names))
    (tmp_path / "train.txt").write_text(text, encoding="utf-8")
    assert set(class_names(READERS["labelled-texts"].read(tmp_path)["train"])) == {*names}


@pytest.mark.parametrize("names", [("긍정", "부정"), ("긍정", "부정", "중립", "모름")])
def test_classes_as_fasttext_has_them_are_no_sentences(tmp_path: Path, names: tuple[str, ...]) -> None:
    """They were taken for sentences to be spaced."""
    text = "".join(f"__label__{name} 좋다\n" for name in names)
    (tmp_path / "train.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 1: expected a class, a tab and a text, got '__label__긍정 좋다'"):
        data_of(tmp_path, reader=None, task=None, options=ReadingOptions())


def test_classes_of_fasttext_among_sentences_are_of_no_form(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("__label__긍정 좋다\n비가 온다\n", encoding="utf-8")
    for task in (None, "word-spacing", "language-model"):
        with pytest.raises(UserError, match="in no known format"):
            data_of(tmp_path, reader=None, task=task, options=ReadingOptions())


def test_a_table_of_tokens_and_tags_is_no_table_of_texts_and_classes(tmp_path: Path) -> None:
    """So are corpora of Kaggle; the first answers name the columns, and their tokens became texts."""
    path = tmp_path / "ner.csv"
    path.write_text("Sentence #,Word,POS,Tag\nSentence: 1,손흥민은,NNP,B-PS\n,왔다,VV,O\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"the classes seem to be tags of tokens; of names a file \.conll is to"):
        READERS["dataset"].read(path, task="sentence-classification", label_column="Tag", text_column="Word")


@pytest.mark.parametrize("task", ["sentence-classification", "word-spacing", "named-entities"])
def test_ids_of_a_dataset_are_there_once(task: str, tmp_path: Path) -> None:
    rows = ["7,긍정,비가 왔다,[]", "7,부정,해가 떴다,[]", ",긍정,눈이 왔다,[]", ',부정,서울에,"[[0, 2, ""LC""]]"']
    (tmp_path / "train.csv").write_text("\n".join(["id,label,text,spans", *rows, ""]), encoding="utf-8")
    assert READERS["dataset"].read(tmp_path, task=task)["train"]["id"] == ["7", "7-2", "train-4", "train-5"]


def test_a_review_in_which_nothing_can_be_seen_is_none(tmp_path: Path) -> None:
    content = "id\tdocument\tlabel\n1\t\u200b\t1\n2\t좋다\t1\n3\t나쁘다\t0\n"
    (tmp_path / "ratings_test.txt").write_text(content, encoding="utf-8")
    assert READERS["nsmc"].read(tmp_path)["test"]["text"] == ["좋다", "나쁘다"]


@pytest.mark.parametrize(
    "name",
    [
        "train.txt",
        "train.txt.xz",
        "train.jsonl",
        "train.json",
        "train.csv",
        "train.tsv",
        "train.conll",
        "train.parquet",
    ],
)
def test_a_pointer_of_git_lfs_is_no_data(name: str, tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a2146' * 8}\nsize 12345\n"
    (tmp_path / name).write_text(pointer, encoding="utf-8")
    with pytest.raises(
        DataFormatError, match=rf"{name}: its content was not fetched, .*: run `git lfs pull` there\.$"
    ):
        data_of(tmp_path, reader=None, task=None, options=ReadingOptions())


def test_a_carriage_return_in_a_column_without_quotes_stays_text(tmp_path: Path) -> None:
    # so pandas writes them
    for name, delimiter in (("train.csv", ","), ("train.tsv", "\t")):
        content = f'text{delimiter}label\r\n좋다\r정말{delimiter}긍정\r\n"나\r쁘다"{delimiter}부정\r\n'
        (tmp_path / name).write_bytes(content.encode())
        rows = READERS["dataset"].read(tmp_path / name, task="sentence-classification")["train"]
        assert rows["text"][0] == "좋다\r정말"
        assert rows["text"][1].strip('"') == "나\r쁘다"


def test_carriage_returns_at_the_ends_of_lines_end_them(tmp_path: Path) -> None:
    # so files come out that were written twice as text
    (tmp_path / "train.csv").write_bytes('text,label\n"좋다",긍정\r\r\n\r\r\n나쁘다,"부정"\r\r\n'.encode())
    rows = READERS["dataset"].read(tmp_path / "train.csv", task="sentence-classification")["train"]
    assert rows["text"][:] == ["좋다", "나쁘다"]
    assert rows.features["label"].names == ["긍정", "부정"]


def test_an_error_in_data_reaches_another_process_as_it_is() -> None:
    error = DataFormatError(Path("train.txt"), 3, "expected a sentence.")
    # so do pools of processes, Ray and Spark: by what the error says that it is made of
    again = copy.copy(error)
    assert (str(again), again.path, again.line) == ("train.txt, line 3: expected a sentence.", Path("train.txt"), 3)
