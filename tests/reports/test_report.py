"""What people read at the end of a training or of `malmoi evaluate`."""

import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from support.command_line import malmoi

from malmoi.commands.train import quote
from malmoi.data.classified_dataset import ClassifiedText, classified_dataset
from malmoi.data.inline_marks import parse_marks
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.plain_sentences import read_plain_sentences
from malmoi.metrics.named_entities import DEFINITIONS, OF_KLUE, OF_UNSEEN_NAMES
from malmoi.reports import processor, report
from malmoi.reports.report import environment, machine_name, print_report, run_summary, shown_figures
from malmoi.training.tasks import TASKS
from malmoi.training.tasks.examples import EXAMPLES, Candidate, choose_examples

SIZES = ["--embedding_size", "8", "--ngram_embedding_size", "4", "--ngram_vocab_size", "64", "--hidden_size", "16"]
SHORT = [*SIZES, "--num_train_epochs", "1", "--use_cpu", "true", "--name_replacement_copies", "0"]


def evaluation(**changes: Any) -> dict[str, Any]:
    """The report of an evaluation of names."""
    figures = dict.fromkeys(DEFINITIONS, 0.5)
    return {
        "task": "named-entities",
        "data": {"reader": "inline-marks", "source": "own", "split": "validation", "texts": {"validation": 12}},
        "tokenizer": {"ceiling": dict.fromkeys(DEFINITIONS, 1.0)},
        "figures": figures | {f"{figure}/PS": 0.5 for figure in ("precision", "recall", "f1")},
        "counted": {"names": 34},
        "support": {"PS": 34},
        "intervals": {"entity_f1": [0.4, 0.625], "f1/PS": [0.375, 0.6]},
        "definitions": DEFINITIONS,
        "breakdown": "type",
        **changes,
    }


def classes(*names: str) -> dict[str, Any]:
    """The report of an evaluation of a classifier that takes the first class for the second in 7 texts."""
    scores = {f"{figure}/{name}": 0.25 for name in names for figure in ("precision", "recall", "f1")}
    counts = [
        [7 if (gold, predicted) == (0, 1) else 0 for predicted in range(len(names))] for gold in range(len(names))
    ]
    return evaluation(
        task="sentence-classification",
        data={"reader": "labelled-texts", "source": "[bold]own", "split": "validation", "texts": {"validation": 12}},
        tokenizer={},
        figures={"accuracy": 0.5, **scores},
        definitions={"accuracy": "share of texts with the right class"},
        breakdown="class",
        counted={},
        support=dict.fromkeys(names, 3),
        confusion={"classes": list(names), "counts": counts},
    )


def printed(report: dict[str, Any], *, width: int = 80, names: list[str] | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_report(report, console, names=names)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_own_data_do_not_get_the_figures_of_klue() -> None:
    text = printed(evaluation())
    assert not [name for name in OF_KLUE if name in text]
    assert "KLUE" not in text
    assert "entity_f1: micro F1 of names" in text
    of_klue = evaluation(data={**evaluation()["data"], "reader": "klue-ner"})
    assert shown_figures(of_klue) == list(DEFINITIONS)
    assert all(f"  {name}: " in printed(of_klue, width=200) for name in DEFINITIONS)


def test_where_no_name_is_unseen_nothing_is_said_of_unseen_names() -> None:
    shown = shown_figures(evaluation(counted={"names": 34, "unseen names": 1}))
    assert {*OF_UNSEEN_NAMES} < {*shown}
    none = evaluation(counted={"names": 34, "unseen names": 0})
    assert shown_figures(none) == [name for name in shown if name not in OF_UNSEEN_NAMES]
    assert "34 names, 0 unseen names" in printed(none)
    # those of the test set are told where it has some
    assert shown_figures({**none, "test_figures": dict.fromkeys(DEFINITIONS, 0.25)}) == shown
    assert shown_figures({**none, "test_figures": dict.fromkeys(DEFINITIONS, 0.0)}) == shown_figures(none)


def test_every_figure_is_there_if_it_is_asked_for() -> None:
    text = printed(evaluation(), width=200, names=list(DEFINITIONS))
    assert all(f"  {name}: {definition}\n" in text for name, definition in DEFINITIONS.items())


def test_intervals_and_counts_stand_beside_figures() -> None:
    text = printed(evaluation())
    assert "validation of own (12 texts, 34 names), in %" in text
    assert "50.00 │ 40.0-62.5 │" in text
    row = next(line for line in text.splitlines() if "│ PS " in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["PS", "50.00", "50.00", "50.00", "37.5-60.0", "34"]
    assert "95 % interval: range that holds" in text


def test_the_test_set_has_its_own_interval() -> None:
    tested = evaluation(
        test_figures=dict.fromkeys(DEFINITIONS, 0.25), test_intervals={"entity_f1": [0.125, 0.375]}, test_support={}
    )
    assert "25.00 │ 12.5-37.5 │" in printed(tested)


def test_reports_of_older_versions_are_still_printed() -> None:
    old = {key: value for key, value in evaluation().items() if key not in ("counted", "support", "intervals")}
    text = printed(old)
    assert "95 %" not in text
    assert "50.00" in text


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_console(width: int) -> None:
    for text in (printed(evaluation(), width=width), printed(classes("긍정", "부정"), width=width)):
        assert max(map(len, text.splitlines())) <= width


@given(
    st.lists(st.text("[]/:a한joy bold", min_size=1, max_size=8).filter(str.strip), min_size=2, max_size=3, unique=True)
)
def test_names_in_brackets_are_no_markup(names: list[str]) -> None:
    text = printed(classes(*names), width=200)
    for name in names:
        assert text.count(name.strip()) >= 2  # by class, and in the confusions
    assert "[bold]own" in text


def test_emoji_codes_stay_as_they_are() -> None:
    assert ":smile:" in printed(classes(":smile:", "b"), width=200)


def test_many_classes_get_a_list_of_confusions_instead_of_a_table_that_does_not_fit() -> None:
    names = [f"class number {number}" for number in range(12)]
    text = printed(classes(*names))
    assert "Most frequent confusions" in text
    assert "│ class number 0 │ class number 1 │     7 │" in text
    assert "Confusion (rows gold, columns predicted)" in printed(classes("a", "b"))


def run_report(**changes: Any) -> dict[str, Any]:
    return {
        **evaluation(),
        "main_figure": "entity_f1",
        "best": 0.75,
        "best_epoch": 2.0,
        "kept_epoch": 1.0,
        "mean": 0.5,
        "seconds_per_epoch": 1.0,
        "seconds_total": 2.0,
        "peak_memory_bytes": 2**30,
        "texts_per_second": 3.0,
        "parameters": 4,
        "tokenizer": {"vocab_size": 5, "unknown_share": 0.0},
        "seed": 1,
        **changes,
    }


def test_the_summary_is_that_of_the_kept_model() -> None:
    summary = run_summary(run_report())
    assert summary["entity_f1 of the kept model"] == "50.00 (epoch 1)"
    assert summary["best entity_f1, not kept"] == "75.00 (epoch 2)"
    assert "best entity_f1, not kept" not in run_summary(run_report(best=0.5))


@pytest.mark.parametrize(
    ("task", "name", "told"),
    [
        ("named-entities", "silver sentences", "smallest posterior of at least 0.7"),
        ("sentence-classification", "silver texts", "largest probability of at least 0.7"),
    ],
)
def test_the_summary_tells_what_finished_models_have_labelled(task: str, name: str, told: str) -> None:
    silver = {"kept": 14026, "labelled": 21000, "text": "raw.txt", "teachers": ["a", "b"], "confidence": 0.7}
    summary = run_summary(run_report(task=task, silver=silver))
    assert summary[name] == f"14,026 of 21,000 of raw.txt, labelled by a, b with a {told}"


def test_tables_in_a_file_are_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(report, "Console", lambda: Console(file=io.StringIO()))
    assert report.report_console().width == 160
    monkeypatch.setenv("COLUMNS", "70")
    assert report.report_console().width == 70


def test_the_machine_has_the_name_of_its_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = environment()
    assert facts["cpu"] == processor.processor()
    assert facts["cpu_capability"]
    assert "serial" not in json.dumps(facts).lower()
    assert machine_name(facts) == f"{facts['cpu']} ({facts['cpu_capability']})"
    assert machine_name({"device": "cpu"}) == "cpu"
    assert machine_name(facts | {"device": "Accelerator X"}) == "Accelerator X"
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nmodel name\t: Brand 3000 @ 2 GHz\nSerial\t\t: 1234\n", encoding="utf-8")
    monkeypatch.setattr(processor, "PROCESSORS", listing)
    assert processor.processor() == "Brand 3000 @ 2 GHz"
    listing.write_text("processor\t: 0\nSerial\t\t: 1234\n", encoding="utf-8")
    assert processor.processor()
    assert "1234" not in processor.processor()


def test_examples_are_sentences_of_the_data_with_their_names_marked(marked_corpus: Path) -> None:
    rows = read_inline_marks(marked_corpus)["validation"]
    examples = TASKS["named-entities"].examples(rows)
    assert {example["text"] for example in examples} == set(rows["text"])
    assert [parse_marks(example["gold"])[0] for example in examples] == [example["text"] for example in examples]
    assert parse_marks(examples[0]["gold"])[1]


def test_examples_of_spacing_and_of_classes(marked_corpus: Path) -> None:
    examples = TASKS["word-spacing"].examples(read_plain_sentences(None)["validation"])
    assert len(examples) == EXAMPLES
    for example in examples:
        assert " " not in example["text"]
        assert example["gold"].replace(" ", "") == example["text"]
    texts = [ClassifiedText(id=str(n), text=f"글 {n}", label="a" if n < 90 else "b") for n in range(100)]
    examples = TASKS["sentence-classification"].examples(classified_dataset(texts, ["a", "b", "c"]))
    assert {example["gold"] for example in examples[:2]} == {"a", "b"}


def test_examples_are_short_plain_and_show_what_there_is() -> None:
    plain = frozenset(("PS",))
    chosen = choose_examples(
        [
            Candidate("가" * 201, "long", plain),
            Candidate("이름은 없다", "none", frozenset()),
            Candidate("비용은 `5` 달러($)다", "shell", plain),
            Candidate("김민지가 😀 왔다", "emoji", plain),
            Candidate("김민지가 어제 왔다", "plain", plain),
            Candidate("김민지가 어제 왔다", "plain", plain),
            Candidate("줄이\n둘", "lines", plain),
            Candidate("서울에 갔다", "place", frozenset(("LC",))),
        ]
    )
    assert [example["gold"] for example in chosen] == ["plain", "place", "shell", "emoji", "none"]
    assert choose_examples([]) == []


@given(st.text(min_size=1).filter(lambda text: "\x00" not in text))
def test_what_is_quoted_reaches_the_command_as_it_was(text: str) -> None:
    assert shlex.split(quote(text)) == [text]


def test_quoting_is_that_which_every_shell_knows() -> None:
    assert quote("손흥민은 춘천에서 태어났다.") == '"손흥민은 춘천에서 태어났다."'
    assert quote("runs/x") == "runs/x"
    assert quote("값은 $5") == "'값은 $5'"


@pytest.mark.slow
def test_the_next_commands_work_as_they_are_printed(
    tmp_path: Path, marked_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # they write a page
    data = tmp_path / "my data"
    data.mkdir()
    for split in ("train", "validation"):
        (data / f"{split}.txt").write_bytes((marked_corpus / f"{split}.txt").read_bytes())
    run = tmp_path / "my run"
    output, _ = malmoi("train", "demo", "--data_dir", data, "--output_dir", run, *SHORT)
    assert "klue" not in output
    tag, evaluate = [line.strip() for line in output.splitlines() if line.startswith("  malmoi ")]
    sentences = json.loads((run / "report.json").read_text(encoding="utf-8"))["examples"]
    assert sentences[0]["text"] in tag
    for command in (tag, evaluate):
        program, *arguments = shlex.split(command)
        assert program == "malmoi"
        output, _ = malmoi(*arguments)
    assert (tmp_path / "errors.html").is_file()
    assert all(name in output for name in DEFINITIONS)
    short, _ = malmoi("evaluate", run, "--data_dir", data)
    # every name of the sample is in its training set
    assert "--all shows 8 more figures, those by which KLUE is judged and those of unseen names." in short
    assert "klue_char_f1" not in short
    whole = json.loads(malmoi("evaluate", run, "--data_dir", data, "--json")[0])
    assert set(DEFINITIONS) <= set(whole["figures"])
    assert set(whole["intervals"]) >= {"entity_f1", "f1/PS"}
