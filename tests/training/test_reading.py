"""Which reader reads the data, what it is told, and what is said of it."""

from pathlib import Path

import pytest
from datasets import DatasetDict

from malmoi.data.classified_dataset import ClassifiedText, classified_dataset
from malmoi.data.readers import READERS, likely_tasks, read_splits
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.training.chosen_recipe import recipe_for_data
from malmoi.training.reading import (
    is_recognised,
    options_as_in_training,
    read_for_tasks,
    reader_of_training,
    recognised,
    recognised_reader,
)
from malmoi.training.recipe_arguments import parse_recipe
from malmoi.training.tasks import TASKS

COLUMNS = "서울 B-LC\n에서 O\n\n홍길동이 B-PS\n왔다 O\n"


def found(recipe: Recipe) -> tuple[str, bool]:
    """Return the reader of a recipe and whether it is recognised."""
    arguments, _, _ = parse_recipe(recipe)
    return reader_of_training(recipe, arguments), is_recognised(recipe, arguments)


def test_a_folder_is_recognised_unless_the_user_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(COLUMNS, encoding="utf-8")
    data = ["--data_dir", str(tmp_path)]
    assert found(load_recipe("demo", data)) == ("conll", True)
    assert found(load_recipe("klue-ner-bi-lstm-crf", data)) == ("conll", True)
    assert found(load_recipe("demo", [*data, "--reader", "inline-marks"])) == ("inline-marks", False)
    assert found(load_recipe("demo", [])) == ("inline-marks", False)
    assert found(load_recipe("demo", ["--data_dir", str(tmp_path / "missing")])) == ("inline-marks", False)
    own = tmp_path / "own.yaml"
    own.write_text("task: named-entities\nreader: klue-ner\n", encoding="utf-8")
    assert found(load_recipe(str(own), data)) == ("klue-ner", False)
    own.write_text("task: named-entities\n", encoding="utf-8")
    assert found(load_recipe(str(own), data)) == ("conll", True)


def test_several_formats_or_none_ask_for_the_flag(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    (tmp_path / "split.tsv").write_text("file\tpart\na.txt\ttrain\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"may be read by inline-marks, kmou-corpus; say which by --reader\."):
        recognised_reader(tmp_path, ("named-entities",), preferred="klue-ner")
    assert recognised_reader(tmp_path, ("named-entities",), preferred="kmou-corpus") == "kmou-corpus"
    for folder, file, content in (
        ("empty", "", ""),
        ("other", "notes.txt", "서울에 갔다.\n"),
        ("tables", "a.xlsx", "가"),
    ):
        (tmp_path / folder).mkdir()
        if file:
            (tmp_path / folder / file).write_text(content, encoding="utf-8")
    for folder in ("other", "tables"):
        with pytest.raises(
            RecipeError, match=r"in no known format; say which by --reader: brat, conll, .*inline-marks"
        ):
            recognised_reader(tmp_path / folder, ("named-entities",))
        assert recognised_reader(tmp_path / folder, ("named-entities",), preferred="klue-ner") == "klue-ner"
    with pytest.raises(DataFormatError, match=r"empty: expected files with data, but the folder is empty\.$"):
        recognised_reader(tmp_path / "empty", ("named-entities",))
    with pytest.raises(DataFormatError, match=r"missing: there is no such file or folder\.$"):
        recognised_reader(tmp_path / "missing", ("named-entities",))


def test_any_text_is_one_for_a_language_model_only_where_nothing_else_fits(tmp_path: Path) -> None:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    every = tuple(TASKS)
    assert recognised_reader(tmp_path, every) == "inline-marks"
    assert recognised_reader(tmp_path, ("language-model",)) == "plain-text"
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text("서울에 갔다.\n", encoding="utf-8")
    assert recognised_reader(tmp_path, every) == "plain-sentences"
    (tmp_path / "validation.txt").unlink()
    (tmp_path / "train.txt").rename(tmp_path / "train-1.txt")
    assert recognised_reader(tmp_path, every) == "plain-text"


def test_marks_are_no_text_for_a_language_model_that_nobody_asked_for(tmp_path: Path) -> None:
    (tmp_path / "train-1.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"train-1\.txt: names are marked .* are called train\.txt"):
        recognised_reader(tmp_path, tuple(TASKS))
    assert recognised_reader(tmp_path, ("language-model",)) == "plain-text"
    # a bracket here and there is no mark, nor is one in a file that is not read
    (tmp_path / "train-1.txt").write_text("<사진:연합뉴스>\n" + "서울에 갔다.\n" * 99, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    assert recognised_reader(tmp_path, tuple(TASKS)) == "plain-text"


def test_one_line_says_what_was_recognised(tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(COLUMNS, encoding="utf-8")
    (tmp_path / "dev.conll").write_text(COLUMNS, encoding="utf-8")
    splits = read_splits("conll", tmp_path, task="named-entities")
    assert recognised(tmp_path, "conll", splits) == (
        f"{tmp_path} is read as conll (otherwise --reader): 2 train, 2 validation sentences, 2 types (LC, PS)."
    )
    spaces = read_splits("plain-sentences", None, task="word-spacing")
    assert recognised("texts", "plain-sentences", spaces).endswith("440 train, 100 validation sentences.")
    classes = classified_dataset([ClassifiedText(id="1", text="좋다", label="좋음")], ["좋음"])
    assert recognised("texts", "labelled-texts", DatasetDict({"test": classes})).endswith(
        "1 test text, 1 class (좋음)."
    )
    sentence = DatasetDict({"train": splits["train"].select([0])})
    assert ": 1 train sentence, 2 types" in recognised(tmp_path, "conll", sentence)
    assert ": 1 train, 2 validation sentences, " in recognised(
        tmp_path, "conll", DatasetDict({**splits, "train": sentence["train"]})
    )


def test_an_evaluation_reads_as_the_training_did_unless_told_otherwise() -> None:
    report = {"data": {"reader": "conll"}, "settings": {"tag_column": 2, "token_separator": None, "annotator": "a"}}
    told = ReadingOptions(tag_column=2)
    assert options_as_in_training(report, "conll", ReadingOptions()) == told
    assert options_as_in_training(report, "conll", ReadingOptions(token_separator="")) == ReadingOptions(
        tag_column=2, token_separator=""
    )
    assert options_as_in_training(report, "conll", ReadingOptions(tag_column=3)) == ReadingOptions(tag_column=3)
    assert options_as_in_training(report, "inline-marks", ReadingOptions()) == ReadingOptions()
    assert options_as_in_training({}, "conll", told) == told


def read_recognised(folder: Path) -> DatasetDict:
    """Read a folder by the reader that is recognised."""
    reader = recognised_reader(folder, tuple(TASKS))
    return read_splits(reader, folder, task=READERS[reader].tasks[0])


GOOD = "서울\tB-LC\n에서\tO\n\n홍길동이\tB-PS\n왔다\tO\n\n" * 8
JSON_LINE = '{"text": "서울에 갔다.", "label": [[0, 2, "LC"]]}\n'


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("train.conll", GOOD + "서울\tNNP\tB-LC\n", "line 49: expected 2 columns divided by a tab"),
        ("train.txt", GOOD + "서울\n", "line 49: expected 2 columns divided by a tab"),
        ("train.txt", "서울\n" + GOOD, "line 1: expected two or more columns, a token and its tag"),
        ("train.txt", GOOD.replace("\t", " ") + "서울\n", "line 49: expected 2 columns divided by spaces"),
        ("train.tsv", GOOD + "서울\tLOCATION\n", "line 49: expected a tag of the scheme of 'B-LC' in column 2"),
        ("train.txt", GOOD.replace("\n", "\t\n").replace("\n\t\n", "\n\n"), "line 1: expected a tag in column 3"),
        ("train.txt", GOOD + GOOD.replace("\t", " "), "line 49: expected 2 columns divided by a tab, as in line 1"),
        ("one.conll", "서울 NNP\n", "line 1: expected tags of names"),
        ("train.conll", "서울 B-LC\n".encode("cp949"), "line 1: expected UTF-8, but .* looks like CP949"),
        ("train.txt", "서울 B-LC\n".encode("utf-16"), "expected UTF-8, but the file is UTF-16"),
        ("words.tsv", "서울 B-LC\n".encode("cp949"), "line 1: expected UTF-8, but .* looks like CP949"),
        ("words.tsv", b"a\tb\n" + "서울".encode("cp949"), "line 2: expected UTF-8"),
        ("train.conll", "", "the file is empty"),
        ("words.txt", "", "the file is empty"),
        ("train.conll", "\n\n", "expected sentences, found none"),
        ("words.txt", "\n \n", "expected data, but all lines of the file are empty"),
        ("train.jsonl", '{"text": "서울",\n' + JSON_LINE, "line 1: expected JSON, but at character"),
        ("train.jsonl", '{"words": "서울"}\n' + JSON_LINE, "line 1: expected a field `text`, got words"),
        ("train.json", '[\n{"text": "서울", "label": [}]', "line 2: expected JSON, but at character"),
        ("all.json", '[\n{"data": {"text": "서울"}, "annotations": [}]', "line 2: expected JSON, but at character"),
        ("all.json", '{"document": [\n{"sentence": [{"form": "서울" 3}', "line 2: expected JSON, but at character"),
        ("train.txt", "좋음\t재미있다\n" * 3 + "지루하다\n", "line 4: expected a class, a tab and a text"),
        ("ratings_train.txt", "id\tlabel\n", "line 1: expected the header 'id"),
        ("words.ann", "T1\tLC 0 2\t서울\n", "there is no such file beside the annotations"),
        ("a.csv", "\n\n", "line 1: expected a heading with a name for each column, got an empty line"),
        ("train.jsonl", '{"text": "가", "label": [[0, 2, "LC"]]}', "within the text of 1 character, got"),
        ("train.csv", "문장,이름\n서울에 갔다,서울\n", "expected a column"),
    ],
)  # fmt: skip
def test_what_hides_the_form_is_said_with_its_file_and_line(
    file: str, content: str | bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message) as error:
        read_recognised(tmp_path)
    assert str(error.value).startswith(str((tmp_path / file).with_suffix("")))


def test_a_line_of_brat_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("서울에 갔다.\n", encoding="utf-8")
    (tmp_path / "a.ann").write_text("LC 0 2\t서울\n", encoding="utf-8")
    assert recognised_reader(tmp_path, tuple(TASKS)) == "brat"
    with pytest.raises(DataFormatError, match=r"a\.ann, line 1: expected a line of brat"):
        read_splits("brat", tmp_path, task="named-entities")


def test_a_faulty_file_is_not_left_to_the_reader_of_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("서울 NNP\n", encoding="utf-8")
    assert recognised_reader(tmp_path, ("named-entities",), preferred="klue-ner") == "conll"


def test_an_option_says_which_readers_are_meant(tmp_path: Path) -> None:
    every = tuple(TASKS)
    (tmp_path / "words.txt").write_text("B-LC 서울\nO 에서\n", encoding="utf-8")
    assert recognised_reader(tmp_path, every, options=ReadingOptions(tag_column=1)) == "conll"
    assert recognised_reader(tmp_path, every, options=ReadingOptions(text_column="text")) == "dataset"
    assert recognised_reader(tmp_path, every, options=ReadingOptions(annotator="7")) == "label-studio"
    with pytest.raises(RecipeError, match=r"in no known format; say which by --reader: conll, dataset\.$"):
        recognised_reader(tmp_path, every, options=ReadingOptions(token_separator=""))
    (tmp_path / "words.txt").write_text(COLUMNS, encoding="utf-8")
    (tmp_path / "a.ann").write_text("", encoding="utf-8")
    (tmp_path / "a.txt").write_text(COLUMNS, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"may be read by brat, conll; say which by --reader\."):
        recognised_reader(tmp_path, every)
    assert recognised_reader(tmp_path, every, options=ReadingOptions(token_separator="")) == "conll"
    two = ReadingOptions(tag_column=1, annotator="7")
    with pytest.raises(RecipeError, match=r"may be read by brat, conll; say which by --reader\."):
        recognised_reader(tmp_path, every, options=two)


def read_likely(reader: str, folder: Path) -> tuple[DatasetDict, str]:
    """Read a folder for the task that it is for."""
    return read_for_tasks(reader, folder, likely_tasks(reader, folder), ReadingOptions(), trim_josa=False)


NAME, CLASS = '{"text": "서울", "label": [[0, 2, "LC"]]}\n', '{"text": "서울", "label": "좋음"}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            NAME + '{"text": "서울", "label": [[0, 3, "LC"]]}',
            "line 2: expected a name within the text of 2 characters",
        ),
        ('{"text": "서울", "label": [[0, 3, "LC"]]}', "line 1: expected a name within the text of 2 characters"),
        ('{"text": "서울", "label": []}\n{"text": "서울", "label": [[1]]}', "line 2: expected a name as"),
        (CLASS + '{"text": "서울", "label": [1, 2]}', "line 2: expected one class in `label`"),
        ('{"text": "서울", "accept": ["좋음"]}\n' + NAME[:-2], "line 2: expected JSON, but"),
        (NAME[:-3], "line 1: expected JSON, but"),
        ('{"words": "서울"}', "line 1: expected a field `text`, got words"),
    ],
)
def test_the_error_is_that_of_the_task_that_the_data_are_for(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_likely("jsonl", tmp_path)
    assert str(error.value).startswith(f"{path}, {message}")
    assert str(error.value).count(str(path)) == 1
    with pytest.raises(UserError) as refusal:
        recipe_for_data({"data_dir": tmp_path})
    assert str(refusal.value) == str(error.value)


def test_where_nothing_tells_the_task_the_errors_of_all_are_said(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"text": "가", "label": 0.5}\n', encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_likely("jsonl", tmp_path)
    said = str(error.value)
    assert said.startswith("The data can be read for none of the tasks of their reader: for named-entities, ")
    assert "; for sentence-classification, " in said
    assert "--task" not in said


@pytest.mark.parametrize(
    ("file", "advice"),
    [("a.xlsx", "save it as CSV"), ("b.zip", "unpack it first"), ("c.hwp", "save it as plain text")],
)
def test_what_helps_with_files_of_other_programs_is_said(file: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(b"PK\3\4\0")
    for place in (tmp_path, tmp_path / file):
        with pytest.raises(RecipeError, match=rf"no known format; .*plain-text; {file} is no text: {advice}\.$"):
            recognised_reader(place, tuple(TASKS))
    (tmp_path / "notes.txt").write_text("손흥민\n", encoding="utf-8")
    assert recognised_reader(tmp_path, ("word-spacing",), preferred="plain-sentences") == "plain-sentences"


def test_files_with_names_that_are_not_read_are_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "문장.txt").write_text("비가 온다.\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"of a folder train\.txt is read, but 문장\.txt can be given by itself\.$"):
        recognised_reader(tmp_path, ("word-spacing",))
    (tmp_path / "리뷰.txt").write_text("text,label\n재미있다,긍정\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"as 리뷰\.txt has it, 'text,label', is to be called \.csv\.$"):
        recognised_reader(tmp_path / "리뷰.txt", tuple(TASKS))
