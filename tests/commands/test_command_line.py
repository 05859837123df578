"""The command line as a stranger meets it: real processes, real folders, wrong input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import MALMOI, malmoi

from malmoi.commands import main
from malmoi.data.inline_marks import parse_marks
from malmoi.inference.tagger import Tagger

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--help"], 0, "Tag names in Korean text"),
        (["train", "--help"], 0, "malmoi keys"),
        (["keys"], 0, "How often a character must occur"),
        (["recipes"], 0, "klue-ner-bi-lstm-crf-classic"),
        (["no-such-command"], 2, "No such command"),
        (["train", "demmo"], 2, "There is no recipe 'demmo'; did you mean 'demo'?"),
        (["train", "demo", "--lerning_rate", "1"], 2, "Unknown flag --lerning_rate; did you mean 'learning_rate'?"),
        (["tag", "./somewhere"], 2, "Give either texts or --input FILE."),
        (["tag", "somewhere", "--input", "nowhere.txt"], 2, "nowhere.txt: there is no such file."),
    ],
)
def test_help_and_argument_errors_need_no_torch(arguments: list[str], code: int, message: str) -> None:
    check = (
        "import sys, time; from malmoi.commands.main import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", check, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == code, result.stderr
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_help_answers_at_once() -> None:
    """Half a second of work; measured as processor time, since other processes may hold this one up."""
    before = os.times()
    subprocess.run([*MALMOI, "--help"], stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


def test_tag_writes_every_line_back_with_its_names_marked(saved_model: Path, tmp_path: Path) -> None:
    lines = ["손흥민은 춘천에서 태어났다.", "", "  ", "a\rb", "\ufeff김민재\x0b\u2028는", "👨‍👩‍👧ㅋㅋ", "비가 온다"]
    file = tmp_path / "in.txt"
    file.write_bytes("\n".join(lines).encode() + b"\n")
    output, _ = malmoi("tag", saved_model, "--input", file)
    assert [parse_marks(line)[0] for line in output.removesuffix("\n").split("\n")] == lines
    assert malmoi("tag", saved_model, "--input", "-", stdin=file.read_bytes())[0] == output
    assert malmoi("tag", saved_model, lines[0], lines[-1])[0].splitlines() == [
        output.split("\n")[0],
        output.split("\n")[-2],
    ]


def test_tag_writes_json_lines(saved_model: Path) -> None:
    text = "손흥민은 춘천에서 태어났다."
    answer = json.loads(malmoi("tag", saved_model, text, "--json")[0])
    assert answer["text"] == text
    assert answer["entities"] == [entity._asdict() for entity in next(Tagger(saved_model).tag([text]))]
    for entity in answer["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]


def test_tag_names_the_line_that_is_not_utf8(saved_model: Path) -> None:
    _, error = malmoi("tag", saved_model, "--input", "-", stdin="가\n".encode() + b"\xff\n", code=2)
    assert "standard input, line 2: expected UTF-8" in error


@pytest.mark.slow
def test_tag_stops_quietly_when_nobody_reads_on(saved_model: Path) -> None:
    command = " ".join(f"'{part}'" for part in [*MALMOI, "tag", str(saved_model), "--input", "-"])
    lines = "손흥민은 춘천에서 태어났다.\n" * 3000
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} | head -n 1"], input=lines.encode(), capture_output=True
    )
    assert result.stderr == b""


@pytest.mark.slow
def test_evaluate_reproduces_the_figures_of_the_run(tmp_path: Path, marked_corpus: Path) -> None:
    tiny = ["--num_train_epochs", "1", "--name_replacement_copies", "0", "--hidden_size", "16", "--use_cpu", "true"]
    run = tmp_path / "run"
    output, _ = malmoi("train", "demo", "--data_dir", marked_corpus, "--output_dir", run, *tiny)
    assert f"malmoi tag {run}" in output
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    evaluated = json.loads(malmoi("evaluate", run, "--data_dir", marked_corpus, "--json", "--batch_size", "1")[0])
    for name, value in report["figures"].items():
        if name in report["definitions"]:
            assert evaluated["figures"][name] == value, name
    assert evaluated["tokenizer"] == report["tokenizer"]
    table, _ = malmoi("evaluate", run, "--data_dir", marked_corpus)
    assert f"{100 * report['figures']['entity_f1']:.2f}" in table
    assert "no split 'test'" in malmoi("evaluate", run, "--data_dir", marked_corpus, "--split", "test", code=2)[1]


def test_evaluate_measures_a_test_file(saved_model: Path, marked_corpus: Path, tmp_path: Path) -> None:
    train = (marked_corpus / "train.txt").read_text(encoding="utf-8")
    (tmp_path / "train.txt").write_text(train, encoding="utf-8")
    (tmp_path / "test.txt").write_text(train.splitlines()[0] + "\n", encoding="utf-8")
    options = ("--data_dir", tmp_path, "--reader", "inline-marks", "--split", "test")
    output, said = malmoi("evaluate", saved_model, *options, "--json")
    assert json.loads(output)["data"]["texts"] == {"test": 1}
    assert "1 of 1 texts of test also stand in the training data" in said


def test_without_a_report_the_data_tell_the_reader(saved_model: Path, marked_corpus: Path, tmp_path: Path) -> None:
    assert "give it by --reader" in malmoi("evaluate", saved_model, code=2)[1]
    (tmp_path / "notes.xml").write_text("<a/>", encoding="utf-8")
    assert "say which by --reader" in malmoi("evaluate", saved_model, "--data_dir", tmp_path, code=2)[1]
    output, said = malmoi("evaluate", saved_model, "--data_dir", marked_corpus, "--json")
    assert "is read as inline-marks (otherwise --reader)" in said
    assert set(json.loads(output)["figures"]) >= {"entity_f1", "f1/PS"}
    named, _ = malmoi("evaluate", saved_model, "--data_dir", marked_corpus, "--reader", "inline-marks", "--json")
    assert json.loads(named)["figures"]["entity_f1"] == json.loads(output)["figures"]["entity_f1"]


def test_evaluate_refuses_data_with_other_labels(saved_model: Path) -> None:
    _, error = malmoi("evaluate", saved_model, "--reader", "inline-marks", code=2)
    assert "The data has the labels B-DT, B-OG" in error


def test_a_damaged_folder_on_the_command_line(saved_model: Path) -> None:
    weights = saved_model / "model.safetensors"
    weights.unlink()
    output, error = malmoi("tag", saved_model, "손흥민", code=2)
    assert (output, error) == ("", f"malmoi: {weights}: there is no such file, so the folder holds no weights.\n")


@pytest.mark.slow
def test_the_example_tags_without_malmoi(saved_model: Path) -> None:
    script = ROOT / "examples" / "load_without_malmoi.py"
    result = subprocess.run([sys.executable, script, saved_model], capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    assert "AutoModel gives BiLstmCrfForTokenClassification" in result.stdout
    assert len(result.stdout.splitlines()) == 5


@pytest.mark.slow
def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path: Path, marked_corpus: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "run"
    _, error = malmoi("train", "demo", "--data_dir", marked_corpus, "--output_dir", target, code=2)
    assert error.splitlines()[-1].startswith("malmoi: ")
    assert "Traceback" not in error
    assert str(target) in error


@pytest.mark.slow
def test_tagging_does_not_wait_for_libraries_of_training() -> None:
    code = "import sys, malmoi.commands.tag; assert not {'datasets', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "out/.a.txt.partial"), "out/.a.txt.partial: the system says: Perm"),
        (OSError(28, "No space left", "code.py", None, "run/code.py"), "run/code.py: the system says: No space left."),
        (OSError(28, "No space left on device"), "the system says: No space left on device."),
        (OSError("the disk is gone"), "the disk is gone"),
    ],
)
def test_what_the_system_refuses_is_said_in_words(error: OSError, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(main, "app", fail)
    monkeypatch.setattr(main, "leave", lambda message, code: told.append((message, code)))
    monkeypatch.setattr(main, "ask_for_large_pages", lambda: None)
    monkeypatch.setattr(main.gc, "freeze", lambda: None)
    told: list[tuple[str, int]] = []
    main.main()
    assert [(message.startswith(f"malmoi: {said}"), code) for message, code in told] == [(True, 2)]
