"""Which files of a folder are for training, for validation and for testing."""

from pathlib import Path

import pytest

from malmoi.data.readers import READERS, readers_that_fit
from malmoi.data.splits.files import named_files, say_other_files, split_files, split_of

CONTENTS = {
    "inline-marks": "<손흥민:PS>은 왔다.\n<서울:LC>에 갔다.\n",
    "labelled-texts": "긍정\t좋다\n부정\t나쁘다\n",
    "plain-sentences": "오늘은 비가 온다.\n내일은 눈이 온다.\n",
}


@pytest.mark.parametrize("form", CONTENTS)
def test_capitals_in_the_names_of_files_make_no_difference(form: str, tmp_path: Path) -> None:
    for name in ("Train.txt", "VALIDATION.TXT", "Test.Txt"):
        (tmp_path / name).write_text(CONTENTS[form], encoding="utf-8")
    assert READERS[form].holds(tmp_path)
    assert {split: rows.num_rows for split, rows in READERS[form].read(tmp_path).items()} == {
        "train": 2,
        "validation": 2,
        "test": 2,
    }


@pytest.mark.parametrize("form", CONTENTS)
def test_a_single_file_of_lines_is_of_the_split_that_its_name_tells(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "train.txt").write_text(CONTENTS["inline-marks"], encoding="utf-8")  # is not asked for
    for name, split in (("문장.txt", "train"), ("my-test.TXT", "test")):
        (tmp_path / name).write_text(CONTENTS[form], encoding="utf-8")
        tasks = READERS[form].tasks
        assert readers_that_fit(tmp_path / name, tasks) == [form]
        assert {split: rows.num_rows for split, rows in READERS[form].read(tmp_path / name).items()} == {split: 2}
    assert not caplog.messages
    (tmp_path / "글.csv").write_text(CONTENTS[form], encoding="utf-8")
    # marks are no columns, whatever a file is called
    assert (form in readers_that_fit(tmp_path / "글.csv", READERS[form].tasks)) == (form == "inline-marks")


@pytest.mark.parametrize(
    ("name", "content", "readers"),
    [
        ("문장.jsonl", '{"text": "<사진:연합뉴스> 왔다", "entities": []}\n', ["jsonl"]),
        ("글.csv", "text,label\n<사진:연합뉴스> 왔다,긍정\n별로다,부정\n", ["dataset"]),
        ("문장.tsv", "<서울:LC>에 갔다.\n", ["inline-marks"]),
        ("문장.txt", '{"text": "비가 온다."}\n', []),
        ("리뷰.txt", "text,label\n재미있다,긍정\n별로다,부정\n", []),
        ("리뷰.txt", "감정; 리뷰 내용\n긍정; 재미있다\n", []),
        ("문장.txt", "리뷰, 감정이 담긴 글.\n비가 온다.\n", ["plain-sentences"]),
    ],
)
def test_what_looks_like_a_mark_in_another_form_is_none(
    tmp_path: Path, name: str, content: str, readers: list[str]
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    tasks = ("named-entities", "word-spacing", "sentence-classification")
    assert readers_that_fit(tmp_path / name, tasks) == readers


def test_a_document_of_brat_is_no_file_of_sentences(tmp_path: Path) -> None:
    (tmp_path / "글.txt").write_text("손흥민은 왔다.\n", encoding="utf-8")
    (tmp_path / "글.ann").write_text("T1\tPS 0 3\t손흥민\n", encoding="utf-8")
    assert readers_that_fit(tmp_path / "글.txt", ("named-entities", "word-spacing")) == ["brat"]


def test_of_several_files_for_a_split_the_plainest_counts_and_the_others_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("dev.txt", "Val.txt", "train.txt", "my-train.txt", "test.csv"):
        (tmp_path / name).touch()
    (tmp_path / "test.txt").mkdir()
    (tmp_path / "Train.txt").touch()
    found = named_files(tmp_path)
    assert {split: path.name for split, path in found.items()} == {"train": "train.txt", "validation": "Val.txt"}
    say_other_files(found)
    assert [message.partition(": ")[2].partition(": ")[2] for message in caplog.messages][-1] == (
        "dev.txt is left out, as Val.txt is there for validation."
    )


def test_a_link_to_a_folder_is_a_folder_and_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jsonl").touch()
    data = tmp_path / "data"
    (data / "dev").mkdir(parents=True)
    (data / "dev" / "b.jsonl").touch()
    (data / ".hidden").mkdir()
    (data / ".hidden" / "train.jsonl").touch()
    (data / "train").symlink_to(tmp_path / "elsewhere")
    (data / "dev" / "up").symlink_to(data)
    found = split_files(data, (".jsonl",), expected="files")
    assert {split: [path.relative_to(data).as_posix() for path in paths] for split, paths in found.items()} == {
        "train": ["train/a.jsonl"],
        "validation": ["dev/b.jsonl"],
    }


def test_what_lies_behind_a_link_is_not_read_twice(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"v{number}").mkdir()
        (tmp_path / f"v{number}" / "a.jsonl").touch()
    for number in range(8):
        for other in range(8):
            (tmp_path / f"v{number}" / f"to-{other}").symlink_to(tmp_path / f"v{other}")
    (tmp_path / "latest").symlink_to(tmp_path / "v7")
    found = split_files(tmp_path, (".jsonl",), expected="files")
    assert found == {"train": [tmp_path / f"v{number}" / "a.jsonl" for number in range(8)]}


def test_packed_files_beside_others_are_left_out_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("train.jsonl", "test.jsonl.gz", "notes.pdf", "models.zip", "train.txt", "dev.txt.XZ"):
        (tmp_path / name).touch()
    assert [*split_files(tmp_path, (".jsonl",), expected="files")] == ["train"]
    say_other_files(named_files(tmp_path))
    assert caplog.messages == [
        f"malmoi: {tmp_path}: packed files are left out: {name}; unpack them first."
        for name in ("test.jsonl.gz", "dev.txt.XZ")
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("trainset", "train"),
        ("traindataset", "train"),
        ("TestSets", "test"),
        ("TrainData", "train"),
        ("my-validset", "validation"),
        ("devset", "validation"),
        ("testdata_02", "test"),
        ("dataset", None),
        ("testament", None),
        ("trainset-testset", None),
    ],
)
def test_a_word_that_tells_a_split_may_have_set_or_data_behind_it(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_what_is_for_testing_is_never_learned_for_the_name_of_its_file(tmp_path: Path) -> None:
    for name in ("trainset.csv", "testset.csv"):
        (tmp_path / name).touch()
    found = split_files(tmp_path, (".csv",), expected="files")
    assert {split: [path.name for path in paths] for split, paths in found.items()} == {
        "train": ["trainset.csv"],
        "test": ["testset.csv"],
    }
