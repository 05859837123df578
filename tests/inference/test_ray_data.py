"""Ray Data on this machine: every row is answered once, whatever becomes of the workers."""

import logging
import os
import runpy
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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

pytestmark = [
    pytest.mark.slow,
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Ray, about settings of its own
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
EXAMPLE = Path(__file__).parents[2] / "examples/tag_parquet_with_ray.py"


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    """A cluster of Ray with two processors, on the loopback interface alone, that reports to nobody."""
    require_engine("ray")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_enable_metrics_collection", "0")
        environment.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # a machine by itself needs no network card
        import ray

        ray.init(
            num_cpus=2,
            object_store_memory=100 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield
        ray.shutdown()


def workers(word: str) -> Callable[[], list[psutil.Process]]:
    """Return what finds the processes of Ray whose title, which says what they do, has this word."""

    def find() -> list[psutil.Process]:
        found = []
        for process in psutil.Process().children(recursive=True):
            try:
                if word in process.cmdline()[0]:
                    found.append(process)
            except (psutil.Error, IndexError):  # it has ended
                continue
        return found

    return find


def test_the_example_writes_every_row_once_though_its_worker_is_killed(tmp_path: Path) -> None:
    tagger = save_tagger(tmp_path / "tagger")
    rows = write_texts(tmp_path / "texts", files=4, rows=800)
    main = runpy.run_path(str(EXAMPLE))["main"]
    # an actor that is answering is called after the method that runs
    with killed_once(workers("ModelActor)).submit")) as killed:
        main([str(tmp_path / "texts"), str(tmp_path / "names"), "--model", str(tagger)])
    assert killed
    found = read_rows(tmp_path / "names")
    assert found.select(COLUMNS.names).equals(rows)
    texts = [text for text in rows["text"].to_pylist() if text is not None]
    answers = iter(Tagger(tagger)(texts))
    for text, entities in zip(rows["text"].to_pylist(), found["entities"].to_pylist()):
        if text is None:
            assert entities is None
            continue
        expected = [entity._asdict() for entity in next(answers)]
        assert entities == [{**entity, "score": pytest.approx(entity["score"], abs=1e-4)} for entity in expected]
    assert not (tmp_path / "names.part").exists()
    with pytest.raises(SystemExit, match="is there already"):
        main([str(tmp_path / "texts"), str(tmp_path / "names")])


def test_a_file_that_is_written_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    import ray

    rows = write_texts(tmp_path / "texts", files=2, rows=50)
    target, once, own_process = tmp_path / "copies", tmp_path / "killed", os.getpid()

    def end_when_something_is_written() -> dict[str, object]:
        def end() -> None:
            while not any(path.stat().st_size for path in target.glob("*.parquet")):
                time.sleep(0.0005)
            os.kill(os.getpid(), 9)

        if os.getpid() == own_process:
            return {}
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return {}
        threading.Thread(target=end).start()
        return {"row_group_size": 1}  # so slowly that the end comes in the middle

    dataset = ray.data.read_parquet(str(tmp_path / "texts"))
    dataset.write_parquet(str(target), arrow_parquet_args_fn=end_when_something_is_written)
    assert once.exists()
    assert read_rows(target).equals(rows)


def test_spaces_and_classes_come_with_the_other_columns(
    tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    import ray

    from malmoi.inference.ray_data import answer_dataset

    rows = write_texts(tmp_path / "texts", files=1, rows=40).rename_columns({"text": "review"})
    spacer = save(tmp_path / "spacer", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    classifier = save(tmp_path / "classifier", tiny_bert_classifier(bert_tokenizer()), bert_tokenizer())
    dataset = ray.data.from_arrow(rows)
    for choice in (ModelChoice(str(spacer), "word-spacing"), ModelChoice(str(classifier), "sentence-classification")):
        dataset = answer_dataset(dataset, choice, text_column="review")
    spaces, classes = Spacer(spacer), Classifier(classifier)
    taken = sorted(dataset.take_all(), key=lambda row: row["id"])
    assert len(taken) == 40
    for row, given in zip(taken, rows.to_pylist()):
        assert {name: row[name] for name in given} == given
        text = given["review"]
        assert row["spaced"] == (None if text is None else spaces(text).text)
        assert row["label"] == (None if text is None else classes(text).label)


def test_what_the_user_can_mend_is_one_sentence(tmp_path: Path) -> None:
    import ray

    from malmoi.inference.ray_data import answer_dataset

    tagger = save_tagger(tmp_path / "tagger")
    dataset = ray.data.from_items([{"id": 1, "text": "비가 왔다."}])
    with pytest.raises(UserError, match="has no column 'review'; it has id, text"):
        answer_dataset(dataset, ModelChoice(str(tagger)), text_column="review")
    with pytest.raises(UserError, match="`task` must be one of"):
        answer_dataset(dataset.map_batches(dict), ModelChoice(task="translation"))
    with pytest.raises(ray.exceptions.ActorDiedError, match=r"UserError: .*nowhere: there is no such folder"):
        answer_dataset(dataset, ModelChoice(str(tmp_path / "nowhere"))).take_all()
    with pytest.raises(
        ray.exceptions.RayTaskError, match="UserError: Expected a text as number 1 of the texts, got 1"
    ):
        answer_dataset(dataset, ModelChoice(str(tagger)), text_column="id").take_all()
