"""The first argument of tag, space and classify: a model, or a text already."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi

from malmoi.commands.model_or_text import model_and_source, names_a_model
from malmoi.commands.text_input import TextInput
from malmoi.data.user_error import UserError

OURS = "bundled:named-entities"
TEXTS = [
    "손흥민은 춘천에서 태어났다.",
    "서울",
    "ㅋㅋ",
    "漢字",
    "😀",
    "hello world",
    "1/2 이상 올랐다",
    "서울 / 부산",
    "가" * 300,
    "가 " * 300,
    "첫 줄\n둘째 줄",
    "a\0 b",
    " ",
]
WORDS = ["Seoul", "BTS", "3.14%", "v2.0", "gpt2", "그", "😀"]
NAMES = [
    "",
    "runs/demo",
    "rusn/demo",
    "user/model",
    "실험/모델",
    "./내 모델",
    "../내 모델",
    "/내 실험/모델",
    "~/내 모델",
    "C:\\내 모델",
    "내\\모델",
    "bundled:named-entities",
    "bundled:no such",
    "C:model",
    "in.txt",
]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", TEXTS)
def test_what_no_model_can_be_called_is_a_text(text: str) -> None:
    assert not names_a_model(text)
    assert model_and_source(text, ["둘째 글"], None, None, task="named-entities") == (
        OURS,
        TextInput([text, "둘째 글"], [], "utf-8"),
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_could_be_a_model_is_never_a_text(name: str) -> None:
    assert names_a_model(name)
    assert model_and_source(name, ["글"], None, None, task="named-entities") == (name, TextInput(["글"], [], "utf-8"))
    with pytest.raises(UserError, match=r"^Give either texts or --input FILE\."):
        model_and_source(name, None, None, None, task="named-entities")


def test_whatever_lies_here_is_no_text(empty_folder: Path) -> None:
    (empty_folder / "내 모델").mkdir()
    (empty_folder / "문장들").write_text("비가 온다\n", encoding="utf-8")
    assert names_a_model("내 모델")
    assert names_a_model("내 모델/아직 없는 것")
    with pytest.raises(UserError, match="문장들 is a file: write --input '문장들' for its lines"):
        model_and_source("문장들", None, None, None, task="named-entities")
    (empty_folder / "고객 문의.txt").write_text("비가 온다\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"고객 문의\.txt is a file: write --input '고객 문의\.txt' for its lines"):
        model_and_source("고객 문의.txt", None, None, None, task="named-entities")
    (empty_folder / "고객 문의").mkdir()
    with pytest.raises(
        UserError, match="고객 문의 is a folder without a model: write --input '고객 문의' for the texts"
    ):
        model_and_source("고객 문의", None, None, None, task="named-entities")


def test_the_misspelt_name_of_a_model_is_no_text(empty_folder: Path) -> None:
    (empty_folder / "내 모델").mkdir()
    assert not names_a_model("내 모댈")  # nothing but an empty folder is called so
    (empty_folder / "내 모델/config.json").touch()
    assert names_a_model("내 모댈")
    assert not names_a_model("내 모델은 좋은 모델이다")
    _, error = malmoi("tag", "내 모댈", "손흥민은 춘천에서 태어났다.", code=2)
    assert error == "malmoi: 내 모댈: there is no such folder; did you mean 내 모델?\n"


def test_files_and_standard_input_need_no_model(empty_folder: Path) -> None:
    (empty_folder / "in.txt").touch()
    files = TextInput([], ["in.txt"], "utf-8")
    assert model_and_source(None, None, ["in.txt"], None, task="named-entities") == (OURS, files)
    assert model_and_source("runs/a", None, ["in.txt"], None, task="named-entities") == ("runs/a", files)
    assert model_and_source("-", None, None, None, task="word-spacing")[1].files == ["-"]
    assert model_and_source("runs/a", ["-"], None, None, task="word-spacing")[0] == "runs/a"
    for first, files_given in (("글 하나", ["in.txt"]), (None, None), ("-", ["in.txt"])):
        with pytest.raises(UserError, match=r"^Give either texts or"):
            model_and_source(first, None, files_given, None, task="named-entities")


@pytest.mark.parametrize("word", WORDS)
def test_a_word_alone_is_a_text(word: str) -> None:
    assert model_and_source(word, None, None, None, task="named-entities") == (OURS, TextInput([word], [], "utf-8"))


@pytest.mark.parametrize("word", [word for word in WORDS if word.isascii()])
def test_a_word_with_a_text_or_a_file_behind_it_is_a_model(empty_folder: Path, word: str) -> None:
    (empty_folder / "in.txt").touch()
    assert model_and_source(word, ["글"], None, None, task="named-entities")[0] == word
    assert model_and_source(word, None, ["in.txt"], None, task="named-entities")[0] == word


def test_a_word_that_is_here_or_nearly_so_is_a_model(empty_folder: Path) -> None:
    (empty_folder / "BTS").mkdir()
    with pytest.raises(UserError, match=r"^Give either texts or --input FILE\. BTS is a folder without a model: "):
        model_and_source("BTS", None, None, None, task="named-entities")
    (empty_folder / "BTS" / "config.json").touch()
    with pytest.raises(UserError, match=r"'BTZ' could be the name of a model; as a text .* bundled:word-spacing"):
        model_and_source("BTZ", None, None, None, task="word-spacing")


def test_the_name_of_a_file_is_told_where_it_may_stand() -> None:
    with pytest.raises(UserError, match=r"'in\.txt' could be the name of a model; as a text .* bundled:word-spacing"):
        model_and_source("in.txt", None, None, None, task="word-spacing")


def test_the_three_commands_answer_without_a_model(empty_folder: Path) -> None:
    text = "손흥민은 춘천에서 태어났다."
    (empty_folder / "in.txt").write_text(f"{text}\n", encoding="utf-8")
    for command, key in (("tag", "text"), ("space", "original"), ("classify", "text")):
        answer, _ = malmoi(command, text, "--json")
        assert json.loads(answer)[key] == text
        assert malmoi(command, "--input", "in.txt", "--json")[0] == answer
        assert malmoi(command, "-", "--json", stdin=f"{text}\n".encode())[0] == answer
    assert malmoi("tag", OURS, text)[0] == malmoi("tag", text)[0]
    assert json.loads(malmoi("tag", "BTS", "--json")[0])["text"] == "BTS"
    _, error = malmoi("space", OURS, text, code=2)
    assert error.startswith(f"malmoi: {OURS}: this is a model for named-entities; use `malmoi tag`")
    _, error = malmoi("tag", "bundled:names", text, code=2)
    assert error.startswith("malmoi: There is no model bundled:names; the package has bundled:named-entities, ")


def test_evaluate_takes_the_model_of_the_package(marked_corpus: Path) -> None:
    data = ("--data_dir", marked_corpus, "--reader", "inline-marks", "--json")
    reports = [
        json.loads(malmoi("evaluate", *chosen, *data)[0]) for chosen in ([], ["--task", "named-entities"], [OURS])
    ]
    assert [report["model"] for report in reports] == [OURS] * 3
    assert len({report["figures"]["entity_f1"] for report in reports}) == 1
    for arguments, message in (
        ([], "Give a model, or --task for a model of the package: named-entities, "),
        (["--task", "names"], "--task must be one of named-entities, "),
        ([OURS, "--task", "named-entities"], "--task chooses a model of the package, but bundled:named-entities is"),
        (["--task", "word-spacing", "--reader", "inline-marks"], "`--reader` must be one of dataset, plain-sentences"),
    ):
        assert message in malmoi("evaluate", *arguments, code=2)[1]
