"""What a command reads as texts, from which bytes, and in which encoding it answers."""

import codecs
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.command_line import CODE, MALMOI, malmoi
from support.tiny_models import SENTENCES, save, tiny_bert_classifier, tiny_spacing_bilstm
from support.warm_process import run_in_process

from malmoi.commands.answering import ModelOptions
from malmoi.commands.streams.destinations import Wish
from malmoi.commands.streams.rows import Row
from malmoi.commands.streams.run import Manner, answer_texts
from malmoi.commands.streams.text_source import lines_of_text
from malmoi.commands.tag import Tagging
from malmoi.commands.text_input import TextInput, text_input
from malmoi.data.readers.plain_sentences import read_plain_sentences
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.text_lines import DataFormatError, read_lines
from malmoi.data.user_error import UserError

SENTENCE = "손흥민은 춘천에서 태어났다."
COMMANDS = ["tag", "space", "classify"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model for each command."""
    tokenizer = build_syllable_tokenizer(SENTENCES)
    spacing = tiny_spacing_bilstm(tokenizer)
    tagging = tiny_spacing_bilstm(tokenizer)
    tagging.config.id2label, tagging.config.label2id = {0: "B-PS", 1: "O"}, {"B-PS": 0, "O": 1}
    classifying = tiny_bert_classifier(tokenizer, max_position_embeddings=64)
    made = {"tag": tagging, "space": spacing, "classify": classifying}
    return {name: save(tmp_path_factory.mktemp(name), model, tokenizer) for name, model in made.items()}


class Echo(Tagging):
    """Finds no name in any text."""

    def load(self, texts: list[str]) -> Callable[[list[str]], Iterator[list]]:
        return lambda texts: ([] for _ in texts)


def echo(source: TextInput) -> None:
    answer_texts(Echo(ModelOptions("none")), source, Wish(), Manner())


def texts_of(output: str) -> list[str]:
    answers = [json.loads(line) for line in output.splitlines()]
    return [answer.get("original", answer["text"]) for answer in answers]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_answer_files_of_windows(models: dict[str, Path], command: str) -> None:
    lines = [SENTENCE, "", "비가\r왔다. ", "\ufeff비가"]
    content = "\r\n".join([*lines, ""]).encode("utf-8-sig")
    output, error = malmoi(command, models[command], "-", "--json", stdin=content)
    assert error == ""
    assert "\r\n" not in output
    assert texts_of(output) == lines


@given(content=st.text(st.sampled_from("가a\n\r\ufeff "), min_size=1, max_size=20))
def test_training_and_input_read_the_same_lines(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    assume(content != "\ufeff")
    path = tmp_path_factory.mktemp("lines") / "in.txt"
    path.write_bytes(content.encode())
    with path.open("rb") as file:
        found = [row.text for part in lines_of_text(file, "in.txt") for row in part.rows if isinstance(row, Row)]
    assert found == [line for _, line in read_lines(path)]


def test_a_byte_order_mark_alone_is_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What Notepad saves of an empty text holds no line; with a line end behind it, it holds an empty one."""
    file = tmp_path / "in.txt"
    for end, texts in ((b"", []), (b"\n", [""])):
        file.write_bytes(codecs.BOM_UTF8 + end)
        echo(text_input(None, [str(file)], None))
        assert capsys.readouterr().out == "".join(f"{text}\n" for text in texts)
        if texts:
            assert [line for _, line in read_lines(file)] == texts
        else:
            with pytest.raises(DataFormatError, match="the file is empty"):
                list(read_lines(file))


def test_an_encoding_that_lines_cannot_be_told_in_is_told_with_its_conversion(tmp_path: Path) -> None:
    (tmp_path / "in.txt").touch()
    with pytest.raises(
        UserError, match=r"got 'utf-16-le'; convert the file: `iconv -f utf-16-le -t utf-8 OLD > NEW`\.$"
    ):
        text_input(None, [str(tmp_path / "in.txt")], "utf-16-le")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            f"비가 왔다.\n{SENTENCE}\n".encode("cp949"),
            "line 1: expected UTF-8, but byte 1 of the line is 0xba; the file looks like CP949",
        ),
        (
            f"abc\n{SENTENCE}\n".encode("euc-kr"),
            "line 2: expected UTF-8, but byte 1 of the line is 0xbc; the file looks like CP949",
        ),
        (SENTENCE.encode("utf-16"), "expected UTF-8, but the file is UTF-16; convert it: `iconv -f utf-16"),
        (b"abc\na\0b\n", "line 2: expected text, but character 2 of the line is a NUL."),
        (b"abc\n\xff\xfe\xfd\n", "line 2: expected UTF-8, but byte 1 of the line is 0xff."),
    ],
)
def test_files_of_other_encodings_are_refused_alike(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "train.txt").write_bytes(content)
    with pytest.raises(DataFormatError) as refusal:
        read_plain_sentences(tmp_path)
    with pytest.raises(UserError) as other_refusal:
        echo(text_input(None, [str(tmp_path / "train.txt")], None))
    for shown in (str(refusal.value), str(other_refusal.value)):
        assert message in shown
        assert str(tmp_path / "train.txt") in shown
        assert "\n" not in shown
    if "CP949" in message:
        assert "`iconv -f cp949 -t utf-8 OLD > NEW`" in str(refusal.value)
        assert str(other_refusal.value).endswith(", or give --encoding cp949.")


def test_a_file_in_cp949_is_read_if_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [SENTENCE, "똠방각하 펲시콜라", "ㅋㅋ abc"]
    file = tmp_path / "in.txt"
    file.write_bytes("\r\n".join(lines).encode("cp949"))
    echo(text_input(None, [str(file)], "cp949"))
    assert capsys.readouterr().out == "".join(f"{line}\n" for line in lines)
    file.write_text(SENTENCE, encoding="utf-8")
    with pytest.raises(UserError, match="line 1: expected ascii, but byte 1 of the line is 0xec"):
        echo(text_input(None, [str(file)], "ascii"))


@pytest.mark.parametrize(
    "encoding",
    ["no-such", "utf-16", "utf-7", "rot13", "iso2022_kr", "base64", "idna", "punycode", "raw_unicode_escape", "hz"],
)
def test_an_encoding_must_be_one_of_text_files(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "in.txt").touch()
    with pytest.raises(
        UserError, match=f"expected an encoding of text files such as utf-8 or cp949, got '{encoding}'"
    ):
        text_input(None, [str(tmp_path / "in.txt")], encoding)


def test_texts_come_from_one_place(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.touch()
    assert text_input(["-"], None, None) == TextInput([], ["-"], "utf-8")
    assert text_input(None, [str(file), "-"], None).files == [str(file), "-"]
    assert text_input(["가", "나"], [], None).texts == ["가", "나"]
    for texts, files, encoding, message in (
        ([], [], None, "Give either texts or --input FILE"),
        (["가"], [str(file)], None, "Give either texts or --input FILE"),
        (["-"], [str(file)], None, "Give either texts or - for standard input"),
        (["가", "-"], None, None, "Give either texts or - for standard input"),
        (None, ["-", "-"], None, "can be read only once"),
        (["가"], None, "cp949", "there is no --input"),
        (None, [str(tmp_path / "no.txt")], None, "no.txt: there is no such file"),
    ):
        with pytest.raises(UserError, match=message):
            text_input(texts, files, encoding)


@pytest.mark.parametrize(
    "name",
    ["a.xls", "a.xlsx", "a.ods", "a.arrow", "a.txt.gz", "a.ZIP", "a.hwp", "a.docx", "a.pdf"],
)
def test_files_of_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"text": "비가 왔다."}\n', encoding="utf-8")
    suffix = Path(name).suffix.lower()
    with pytest.raises(UserError) as refusal:
        text_input(None, [str(tmp_path / name)], None)
    assert f"expected a file with texts, but {suffix} is another format; " in str(refusal.value)


def test_several_files_are_read_in_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, none = (tmp_path / name for name in ("one.txt", "two.txt", "none.txt"))
    one.write_bytes("\ufeff하나\r\n둘".encode())
    two.write_bytes("\ufeff셋\n".encode() + b"\xff\n")
    none.touch()
    with pytest.raises(UserError, match=r"two\.txt, line 2: expected UTF-8, but byte 1 of the line is 0xff"):
        echo(text_input(None, [str(one), str(none), str(two)], None))
    assert capsys.readouterr() == ("하나\n둘\n셋\n", f"malmoi: {none}: the file is empty.\n")


CONSOLES = [{"PYTHONIOENCODING": "cp949"}, {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}]


def run(*arguments: str | Path, console: dict[str, str]) -> tuple[int, str, str]:
    """Run the command line under another console; its output must be UTF-8."""
    done = run_in_process(CODE, *arguments, environment=os.environ | console)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("console", CONSOLES, ids=["cp949", "C"])
def test_output_is_utf8_under_any_console(models: dict[str, Path], tmp_path: Path, console: dict[str, str]) -> None:
    # also what is given on the command line
    code, output, error = run("space", models["space"], "손흥민😀은", console=console)
    assert (code, output.replace(" ", ""), error) == (0, "손흥민😀은\n", "")
    code, output, error = run("tag", "없는/모델😀", "가", console=console)
    assert (code, output) == (2, "")
    assert "없는/모델" in error or "\\udcec" in error
    assert "Traceback" not in error
    # the first argument as well, where it is a text
    code, output, error = run("space", "손흥민😀은", "가", console=console)
    assert (code, output.replace(" ", ""), error) == (0, "손흥민😀은\n가\n", "")
    # and the name of a column
    (tmp_path / "rows.csv").write_text("제목,본문\n가,나\n", encoding="utf-8")
    arguments = ("space", models["space"], "--input", tmp_path / "rows.csv", "--text_column", "본문")
    code, output, _ = run(*arguments, console=console)
    assert (code, json.loads(output)["spaced"]) == (0, "나")
    code, output, _ = run("recipes", console=console)
    assert code == 0
    assert "klue-ner" in output


@pytest.mark.parametrize("console", CONSOLES, ids=["cp949", "C"])
@pytest.mark.slow
def test_an_emoji_in_a_sample_ends_no_training(tmp_path: Path, console: dict[str, str]) -> None:
    for name in ("train.txt", "val.txt"):
        (tmp_path / name).write_text(
            "오늘은 날씨가 좋아서 공원에 갔다 😀\n비가 와서 집에 있었다 ㅠㅠ\n" * 4, encoding="utf-8"
        )
    tiny = [
        "--hidden_size=16",
        "--embedding_size=16",
        "--ngram_vocab_size=64",
        "--disable_tqdm=true",
        "--num_train_epochs=1",
    ]
    output_dir = ["--data_dir", str(tmp_path), "--output_dir", str(tmp_path / "run")]
    code, output, error = run("train", "spacing-bi-lstm-crf", *output_dir, *tiny, console=console)
    assert code == 0, error
    assert "😀" in output
    code, output, error = run("evaluate", tmp_path / "run", "--data_dir", tmp_path, "--json", console=console)
    assert code == 0, error
    assert "😀" in json.dumps(json.loads(output), ensure_ascii=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no shell that closes streams")
@pytest.mark.parametrize(("closed", "answer"), [("2>&-", f"{SENTENCE}\n"), (">&-", ""), ("<&- >&- 2>&-", "")])
def test_closed_streams_end_no_command(closed: str, answer: str, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(f"{SENTENCE}\n", encoding="utf-8")
    arguments = ["space", "--keep_spaces", "--input", str(tmp_path / "in.txt")]
    for place in ([], ["--output", str(tmp_path / "out.txt")]):
        done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *MALMOI, *arguments, *place], capture_output=True)
        assert (done.returncode, done.stdout.decode()) == (0, "" if place else answer)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == f"{SENTENCE}\n"
