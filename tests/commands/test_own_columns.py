"""Twenty sentences in columns go through training, evaluation and tagging, and out again."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS

from malmoi.data.alignment import tags_to_spans
from malmoi.data.readers import read_splits
from malmoi.data.tagged_dataset import label_names
from malmoi.data.writers.conll import write_conll

# labelled by words, as Naver's are; written for this test (CC0)
SENTENCES = [
    "김하늘은/PER 어제/DAT 춘천에서/LOC 왔다",
    "박서준이/PER 3월/DAT 5일에/DAT+ 부산으로/LOC 떠난다",
    "이나영과/PER 최민호가/PER 강릉을/LOC 좋아한다",
    "누리전자는/ORG 내년에/DAT 공장을 짓는다",
    "지난주에/DAT 정다은이/PER 한빛은행을/ORG 그만두었다",
    "대전의/LOC 한빛은행은/ORG 문을 닫았다",
    "오늘은/DAT 비가 온다",
    "제주도는/LOC 섬이다",
    "제주도/LOC 사람 윤가람을/PER 만났다",
    "푸른/ORG 바다/ORG+ 재단이/ORG+ 돈을 모은다",
    "그는 2020년에/DAT 태어났다",
    "서지우는/PER 노래를 부른다",
    "광주에서/LOC 한결이/PER 기다린다",
    "누리전자의/ORG 주가가 올랐다",
    "내일은/DAT 인천까지/LOC 걷는다",
    "오하나와/PER 김하늘이/PER 결혼한다",
    "한빛은행에서/ORG 통장을 만들었다",
    "8월에/DAT 강릉으로/LOC 가자",
    "최민호는/PER 의사다",
    "아무 일도 없었다",
]


def columns(sentence: str) -> str:
    """Return a sentence as the numbered columns of Naver."""
    rows = []
    for number, word in enumerate(sentence.split(), start=1):
        token, _, label = word.partition("/")
        tag = "-" if not label else f"{label[:-1]}_I" if label.endswith("+") else f"{label}_B"
        rows.append(f"{number}\t{token}\t{tag}\n")
    return "".join(rows) + "\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sentences in a folder, all in one file whose name says nothing."""
    folder = tmp_path_factory.mktemp("columns")
    (folder / "mine.txt").write_text("".join(map(columns, SENTENCES)), encoding="utf-8")
    return folder


def names(splits_of: Path, *, trim_josa: bool) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the sentences of a folder, in any order of the splits, with their names."""
    found = []
    for rows in read_splits("conll", splits_of, task="named-entities", trim_josa=trim_josa).values():
        labels = label_names(rows)
        for row in rows:
            spans = tags_to_spans([labels[tag] for tag in row["tags"]])
            found.append((row["text"], [(row["text"][span.start : span.end], span.label) for span in spans]))
    return sorted(found)


@pytest.mark.slow
def test_columns_go_through_every_command(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    settings = {key: value for key, value in SETTINGS.items() if key != "num_train_epochs"}
    flags = as_flags(settings)
    _, said = malmoi("train", "demo", "--data_dir", data, "--output_dir", folder, "--trim_josa", "true", *flags)
    assert (
        f"{data} is read as conll (otherwise --reader): 17 train, 2 validation, 1 test sentences, 4 types (DAT, LOC, "
        "ORG, PER).\n" in said
    )
    assert "the tags in column 3 of 3 are BIO (IOB2), its letter after the type, and a space stands between" in said
    assert "lose what looks like a josa: 김하늘은 → 김하늘" in said
    assert "2 validation and 1 test sentences are cut from the training set, by division_seed 42." in said
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["settings"]["trim_josa"] is True
    assert report["data"]["reader"] == "conll"

    output, said = malmoi("evaluate", folder, "--data_dir", data, "--split", "test", "--json")
    assert json.loads(output)["figures"]["entity_f1"] == pytest.approx(report["test_figures"]["entity_f1"])
    assert "lose what looks like a josa" in said
    assert f"{data} is read as conll" in said
    for flag in (["--no_trim_josa"], ["--trim_josa", "false"]):  # as a flag, and as training has it
        _, said = malmoi("evaluate", folder, "--data_dir", data, *flag, "--json")
        assert "--trim_josa cuts them off" in said
    output, _ = malmoi("tag", folder, "김하늘은 춘천에서 왔다", "--json")
    assert json.loads(output)["text"] == "김하늘은 춘천에서 왔다"

    splits = read_splits("conll", data, task="named-entities", trim_josa=True)
    write_conll(splits, tmp_path / "out")
    assert names(tmp_path / "out", trim_josa=False) == names(data, trim_josa=True)


def test_the_names_are_those_that_stand_in_the_columns(data: Path) -> None:
    read = dict(names(data, trim_josa=False))
    assert len(read) == len(SENTENCES)
    assert read["푸른 바다 재단이 돈을 모은다"] == [("푸른 바다 재단이", "ORG")]
    cut = dict(names(data, trim_josa=True))
    assert cut["제주도 사람 윤가람을 만났다"] == [("제주도", "LOC"), ("윤가람", "PER")]
    assert cut["박서준이 3월 5일에 부산으로 떠난다"] == [("박서준", "PER"), ("3월 5일", "DAT"), ("부산", "LOC")]
