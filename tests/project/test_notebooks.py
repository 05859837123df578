"""The notebooks in examples/ run from the first cell to the last, as they are, but for the length of the training."""

import ast
import json
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbformat import NotebookNode

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
SETTINGS = "settings"
"""The cell that says what a reader may change, and after which his values, or those of a test, stand."""


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def test_there_is_one_for_own_data_and_one_for_each_write_up() -> None:
    assert [path.stem.partition("-")[0] for path in NOTEBOOKS] == ["own", "s1", "s2", "s3", "s4", "s5"]


@EACH
def test_a_notebook_is_valid_and_small_and_holds_no_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert all(re.fullmatch(r"[a-z][a-z-]*", cell_id) for cell_id in ids)  # names, which stay as they are
    assert len({*ids}) == len(ids) <= 15
    for cell in notebook.cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)
    # written as Jupyter writes it, so that saving an unchanged notebook changes nothing
    assert path.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"


@EACH
def test_what_a_reader_may_change_stands_in_one_cell_at_the_top(path: Path) -> None:
    cells = read(path).cells
    assert next(cell.id for cell in cells if cell.cell_type == "code") == cells[1].id == SETTINGS
    assert cells[1].metadata.tags == ["parameters"]  # those who run notebooks by a tool put theirs after it
    values = {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(cells[1].source).body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    assert values["DATA_DIR"] is None
    assert isinstance(values["SETTINGS"], dict)


@EACH
def test_links_lead_to_pages_in_the_language_of_the_notebook(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((.*?)\)", text)
    assert links
    for link in links:
        assert (EXAMPLES / link).is_file(), link
        assert link.endswith(".ko.md") == (path.stem != "own-data"), link


class RunningPython(AsyncKernelManager):
    """Kernels of the Python that runs the tests, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def execute(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: object) -> dict[str, str]:
    """Run a copy of a notebook in an empty folder with other settings; return what each code cell printed or showed.

    Raises:
        CellExecutionError: If a cell fails.
    """
    # nothing of the user: no configuration, no history
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(folder / ".jupyter"))
    # the commands of this environment, as where Jupyter is started from it
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    # tqdm misses ipywidgets, which are for people
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")
    shutil.copy(EXAMPLES / f"{name}.ipynb", folder)
    notebook = read(folder / f"{name}.ipynb")
    changed = "\n".join(f"{name} = {value!r}" for name, value in settings.items())
    notebook.cells.insert(2, nbformat.v4.new_code_cell(changed, id="changed"))
    client = NotebookClient(
        notebook, kernel_manager_class=RunningPython, timeout=300, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return {cell.id: shown(cell) for cell in notebook.cells if cell.cell_type == "code"}


def shown(cell: NotebookNode) -> str:
    """Return the outputs of a cell as one text."""
    texts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            texts.append(output.text)
        else:
            texts += [data if kind.startswith("text/") else f"<{kind}>" for kind, data in output.data.items()]
    return "".join(texts)


LEARNS_NAMES = {"max_steps": 60, "learning_rate": 6e-3}
"""Enough to learn names from the sample corpus, in a few seconds."""


def f1_of(text: str) -> float:
    """Return the figure that stands behind `F1`, from 0 to 1."""
    [figure] = re.findall(r"F1[^\d]*([\d.]+)%", text)
    return float(figure) / 100


@pytest.mark.long
def test_own_data_are_read_looked_at_and_learned_and_mistakes_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = execute("own-data", tmp_path, monkeypatch, SETTINGS=LEARNS_NAMES)
    assert "my-corpus is read as jsonl" in shown["read"]
    assert "'entities': [{'start': 0, 'end': 5, 'label': 'OG'}" in shown["read"]
    assert "num_rows: 2" in shown["rows"]
    assert "data.html" in shown["look"]
    for written in ("data.txt", "data.html"):
        assert "세종" in (tmp_path / written).read_text(encoding="utf-8")  # of several types
    assert "training by klue-ner-from-body" in shown["train"]
    assert f1_of(shown["train"]) > 0.6
    assert "errors.html" in shown["errors"]
    lines = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    predictions = [json.loads(line) for line in lines]
    wrong = [row["text"] for row in predictions if not row["right"]]
    assert f"{len(wrong)} sentences have a mistake" in shown["errors"]
    assert 0 < len(wrong) < len(predictions) == 100
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert all(text.split()[0] in page for text in wrong)
    assert "손흥민  PS" in shown["use"]


@pytest.mark.long
def test_the_bilstm_crf_stands_beside_bert_and_is_loaded_without_malmoi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = execute("s1-bilstm-crf-and-bert", tmp_path, monkeypatch, SETTINGS=LEARNS_NAMES)
    figures = dict(re.findall(r"^\| (s1-[\w-]+) \| \w+ \| ([\d.]+) \|", shown["compare"], re.MULTILINE))
    assert figures.keys() == {"s1-bilstm-crf", "s1-bert"}
    assert float(figures["s1-bilstm-crf"]) > 60 > float(figures["s1-bert"])
    assert "<손흥민:PS>은 <1992년 7월 8일:DT> <춘천:LC>에서 태어났다." in shown["load"]


@pytest.mark.long
def test_the_tutorial_reads_its_lines_and_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = execute("s2-ner-tutorial", tmp_path, monkeypatch, SETTINGS=LEARNS_NAMES)
    assert "{'start': 7, 'end': 9, 'label': 'NOH'}" in shown["read"]
    figures = [line.split()[0] for line in shown["train"].splitlines() if "F1" in line]
    assert figures == ["DT", "LC", "OG", "PS", "QT", "TI"]
    assert re.search(r"^ 0- 3  PS  0\.\d\d  손흥민$", shown["tag"], re.MULTILINE)


@pytest.mark.long
def test_the_textbook_classifies_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = execute("s3-sentiment", tmp_path, monkeypatch, SETTINGS={"max_steps": 20})
    assert "72 train, 18 validation, 18 test texts" in shown["data"]
    [accuracy] = re.findall(r"정확도 ([\d.]+)%", shown["train"])
    assert float(accuracy) > 70
    assert shown["plots"].count("<image/png>") == 2
    assert [line.split()[0] for line in shown["use"].splitlines()] == ["positive", "negative"]


@pytest.mark.long
def test_spacing_shows_pairs_that_differ_by_spaces_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = execute("s4-word-spacing", tmp_path, monkeypatch, SETTINGS={"max_steps": 20})
    [figure] = re.findall(r"공백의 F1 ([\d.]+)", shown["figures"])
    assert float(figure) > 0.5
    lines = shown["pairs"].splitlines()
    golds, predictions = ([line[5:] for line in lines if line.startswith(word)] for word in ("gt  ", "pred"))
    assert len(golds) == len(predictions) == 5
    for gold, predicted in zip(golds, predictions):
        assert gold.replace(" ", "") == predicted.replace(" ", "")
        assert " " in predicted


@pytest.mark.long
@pytest.mark.parametrize("has_data", [False, True])
def test_the_smallest_classifier_learns_from_rows_and_from_nsmc(
    has_data: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {}
    if has_data:
        rows = [
            "id\tdocument\tlabel",
            *(f"{n}\t{'정말 좋았다' if n % 2 else '너무 지루했다'} {n}\t{n % 2}" for n in range(20)),
        ]
        for part in ("train", "validation", "test"):
            (tmp_path / f"ratings_{part}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        settings["DATA_DIR"] = str(tmp_path)
    shown = execute("s5-sentiment-minimal", tmp_path, monkeypatch, **settings)
    assert ("validation and 2 test sentences are cut" in shown["train"]) != has_data
    for answers in (shown["use"], shown["bundled"]):
        assert [line.split()[0] for line in answers.splitlines()] == ["positive", "negative"]
