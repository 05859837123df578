"""Spark on this machine: every row is answered once, whatever becomes of the workers."""

import os
import runpy
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from support.engines import COLUMNS, killed_once, read_rows, require_engine, save_tagger, write_texts
from support.tiny_models import bert_tokenizer, save, tiny_bert_classifier, tiny_spacing_bilstm
from transformers import PreTrainedTokenizerFast

from malmoi.data.user_error import UserError
from malmoi.inference.answer_rows import ModelChoice
from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of PySpark, about the version of pandas
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
EXAMPLE = Path(__file__).parents[2] / "examples/tag_parquet_with_spark.py"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """A session of Spark with two processors, on the loopback interface alone, whose tasks are tried twice."""
    require_engine("pyspark")
    from pyspark.sql import SparkSession

    scratch = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "200",
        "spark.sql.files.openCostInBytes": str(2**27),  # a task for each file
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local[2,2]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        started = builder.getOrCreate()
        started.sparkContext.setLogLevel("OFF")
        yield started
        started.stop()


def working_processes(session: "SparkSession") -> list[psutil.Process]:
    """Return the processes of Python that Spark has started, once some of a stage's tasks have ended, and not all."""
    tracker = session.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    if not any(stage and 0 < stage.numCompletedTasks < stage.numTasks and stage.numActiveTasks for stage in stages):
        return []
    daemons = [process for process in psutil.Process().children(recursive=True) if "pyspark.daemon" in _line(process)]
    return [process for process in daemons if "pyspark.daemon" in _line(process.parent()) and _is_computing(process)]


def _is_computing(process: psutil.Process) -> bool:
    """Tell whether a worker computes; nobody misses one that waits for its next task, or that clears up after one."""
    try:
        before = process.cpu_times().user
        time.sleep(0.1)
        return bool(process.status() == psutil.STATUS_RUNNING and process.cpu_times().user > before + 0.05)
    except psutil.Error:  # it has ended
        return False


def _line(process: psutil.Process | None) -> str:
    try:
        return " ".join(process.cmdline()) if process else ""
    except psutil.Error:  # it has ended
        return ""


def test_the_example_writes_every_row_once_though_its_workers_are_killed(
    session: "SparkSession", tmp_path: Path
) -> None:
    tagger = save_tagger(tmp_path / "tagger")
    rows = write_texts(tmp_path / "texts", files=6, rows=2000)
    main = runpy.run_path(str(EXAMPLE))["main"]
    with killed_once(lambda: working_processes(session)) as killed:
        main([str(tmp_path / "texts"), str(tmp_path / "names"), "--model", str(tagger), "--ship"])
    assert killed
    tracker = session.sparkContext.statusTracker()
    stages = [
        tracker.getStageInfo(stage) for job in tracker.getJobIdsForGroup(None) for stage in _stages(session, job)
    ]
    assert sum(stage.numFailedTasks for stage in stages if stage) > 0
    assert (tmp_path / "names/_SUCCESS").is_file()
    found = read_rows(tmp_path / "names")
    assert found["id"].to_pylist() == rows["id"].to_pylist()
    assert found.select(COLUMNS.names).cast(COLUMNS).equals(rows)
    texts = [text for text in rows["text"].to_pylist() if text is not None]
    answers = iter(Tagger(tagger)(texts))
    for text, entities in zip(rows["text"].to_pylist(), found["entities"].to_pylist()):
        if text is None:
            assert entities is None
            continue
        expected = [entity._asdict() for entity in next(answers)]
        assert entities == [{**entity, "score": pytest.approx(entity["score"], abs=1e-4)} for entity in expected]


def _stages(session: "SparkSession", job: int) -> list[int]:
    info = session.sparkContext.statusTracker().getJobInfo(job)
    return list(info.stageIds) if info else []


def test_spaces_and_classes_come_with_the_other_columns(
    session: "SparkSession", tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    from malmoi.inference.spark import answer_frame

    spacer = save(tmp_path / "spacer", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    classifier = save(tmp_path / "classifier", tiny_bert_classifier(bert_tokenizer()), bert_tokenizer())
    texts = ["비가 와서 집에 있었다.", None, "", "손흥민은춘천에서태어났다."]
    given = [(number, text, {"key": number}, [None, 1.5]) for number, text in enumerate(texts)]
    frame = session.createDataFrame(given, "`the id` int, `a.text` string, map map<string,int>, numbers array<double>")
    for choice in (ModelChoice(str(spacer), "word-spacing"), ModelChoice(str(classifier), "sentence-classification")):
        frame = answer_frame(frame, choice, text_column="a.text")
    spaces, classes = Spacer(spacer), Classifier(classifier)
    taken = sorted(frame.collect())
    assert [tuple(row)[:4] for row in taken] == given
    for row, text in zip(taken, texts):
        assert row["spaced"] == (None if text is None else spaces(text).text)
        assert row["label"] == (None if text is None else classes(text).label)


def test_a_worker_loads_the_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_engine("pyspark")
    from malmoi.inference import spark

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which is set again
    choice = ModelChoice(str(save_tagger(tmp_path / "tagger")))
    answerer = spark._answerer(choice, 1)
    assert spark._answerer(ModelChoice(*choice), 1) is answerer
    monkeypatch.setattr(spark.SparkFiles, "get", lambda name: str(tmp_path / name))
    assert spark._answerer(ModelChoice("shipped:tagger"), 1).choice == choice


def test_folders_of_the_same_name_are_shipped_as_several_models(
    session: "SparkSession", tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    from malmoi.inference.spark import answer_frame, ship_model

    spacer = save(tmp_path / "a" / "내 모델 #1", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    classifier = save(tmp_path / "b" / "내 모델 #1", tiny_bert_classifier(bert_tokenizer()), bert_tokenizer())
    frame = session.createDataFrame([(1, "비가왔다.")], "id int, text string")
    shipped = {folder: ship_model(session, folder) for folder in (spacer, classifier, spacer)}
    spaced = answer_frame(frame, ModelChoice(shipped[spacer], "word-spacing"))
    judged = answer_frame(spaced, ModelChoice(shipped[classifier], "sentence-classification"))
    (row,) = judged.collect()
    assert row["spaced"] == Spacer(spacer)("비가왔다.").text
    assert row["label"] == Classifier(classifier)("비가왔다.").label


def test_archives_of_models_have_names_of_their_own(tmp_path: Path) -> None:
    """On a cluster the driver serves files by their names alone; a session on this machine does not."""
    require_engine("pyspark")
    from malmoi.inference.spark import ship_model

    (tmp_path / "model").mkdir()
    archives: list[str] = []
    session: Any = SimpleNamespace(sparkContext=SimpleNamespace(addArchive=archives.append))
    shipped = [ship_model(session, tmp_path / "model") for _ in range(2)]
    files, names = zip(*(archive.split("#") for archive in archives))
    assert len({Path(file).name for file in files}) == 2
    assert [f"shipped:{name}" for name in names] == shipped


def test_what_the_user_can_mend_is_one_sentence(session: "SparkSession", tmp_path: Path) -> None:
    from pyspark.errors import PythonException

    from malmoi.inference.spark import answer_frame

    frame = session.createDataFrame([(1, "비가 왔다.")], "id int, text string")
    with pytest.raises(UserError, match="has no column 'review'; it has id, text"):
        answer_frame(frame, text_column="review")
    with pytest.raises(PythonException, match="UserError: Expected a text as number 1 of the texts, got 1"):
        answer_frame(frame, ModelChoice(str(save_tagger(tmp_path / "tagger"))), text_column="id").collect()


def test_engines_that_are_missing_skip_or_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("MALMOI_ENGINES_REQUIRED", raising=False)
    with pytest.raises(pytest.skip.Exception, match="openjdk-17-jre-headless"):
        require_engine("pyspark")
    monkeypatch.setenv("MALMOI_ENGINES_REQUIRED", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed: pip install"):
        require_engine("an_engine_of_nobody")
