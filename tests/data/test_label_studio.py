"""What Label Studio exports: regions and choices, of the newest annotation or of one annotator."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.property_texts import texts_and_spans

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_names
from malmoi.data.readers.label_studio import holds_label_studio, read_label_studio
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

TEXT = "손흥민은 서울에 갔다."


def region(start: object, end: object, *labels: object, text: object = None, target: str = "text") -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [*labels]} | ({} if text is None else {"text": text})
    return {"id": "x", "from_name": "label", "to_name": target, "type": "labels", "value": value}


def choice(*choices: str, **more: object) -> dict[str, Any]:
    return {"from_name": "class", "to_name": "text", "type": "choices", "value": {"choices": [*choices], **more}}


def annotation(*results: dict[str, Any], by: object = 1, day: int = 1, **more: object) -> dict[str, Any]:
    return {"completed_by": by, "result": [*results], "updated_at": f"2026-03-{day:02d}T08:00:00.123456Z", **more}


def task(*annotations: dict[str, Any], number: int = 1, **data: object) -> dict[str, Any]:
    return {
        "id": number,
        "data": data or {"text": TEXT},
        "annotations": [*annotations],
        "predictions": [{"result": []}],
    }


def write(folder: Path, *tasks: object, name: str = "project-1.json") -> Path:
    path = folder / name
    path.write_text(
        "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in tasks) + "\n]", encoding="utf-8"
    )
    return path


def read(folder: Path, **options: str) -> list[tuple[str, list[Span]]]:
    return texts_and_spans(read_label_studio(folder, task="named-entities", **options)["train"])


def read_classes(folder: Path, **options: str) -> list[tuple[str, str]]:
    rows = read_label_studio(folder, task="sentence-classification", **options)["train"]
    return [(text, class_names(rows)[label]) for text, label in zip(rows["text"], rows["label"])]


PS, LC, OG = region(0, 3, "PS", text="손흥민"), region(5, 7, "LC"), region(5, 7, "OG")


def test_the_newest_annotation_is_read_or_that_of_one_annotator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kim = {"id": 7, "email": "kim@example.com"}
    path = write(
        tmp_path,
        task(annotation(PS, day=2), annotation(PS, LC, day=9, by=kim), annotation(OG, day=3), number=1),
        task(annotation(PS), annotation(LC, day=20, by=kim, was_cancelled=True), number=2),
        task(annotation(by=kim), number=3),
        task(annotation(PS, was_cancelled=True), number=4),
        task(number=5),
    )
    both = [Span(0, 3, "PS"), Span(5, 7, "LC")]
    assert read(tmp_path) == [(TEXT, both), (TEXT, both[:1]), (TEXT, [])]
    assert [record.getMessage() for record in caplog.records] == [
        f"malmoi: of several annotations of a task the newest is read: 1, first in {path}, line 2.",
        f"malmoi: tasks without an annotation are left out: 2, first in {path}, line 5.",
    ]
    assert read(tmp_path, annotator="1") == [(TEXT, [Span(5, 7, "OG")]), (TEXT, both[:1])]
    assert read(tmp_path, annotator="7") == read(tmp_path, annotator="kim@example.com") == [(TEXT, both), (TEXT, [])]
    with pytest.raises(UserError, match=r"expected annotations of lee, found those of 1, 7, kim@example\.com\."):
        read(tmp_path, annotator="lee")


def test_times_are_compared_across_zones_and_without_them_the_last_counts(tmp_path: Path) -> None:
    early = annotation(PS) | {"updated_at": "2026-03-01T09:00:00+09:00"}
    late = annotation(LC) | {"updated_at": "2026-03-01T00:30:00Z"}
    write(tmp_path, task(late, early), task(annotation(PS), annotation(LC)))
    assert read(tmp_path) == [(TEXT, [Span(5, 7, "LC")])] * 2


def test_json_min_has_an_object_for_each_annotation(tmp_path: Path) -> None:
    def row(number: int, by: int, day: int, **answers: object) -> dict[str, object]:
        time = {"created_at": f"2026-03-{day:02d}T08:00:00Z", "updated_at": f"2026-03-{day:02d}T08:00:00Z"}
        return {"text": TEXT, "id": number, **answers, "annotator": by, "annotation_id": day, **time, "lead_time": 3.0}

    names = [{"start": 0, "end": 3, "text": "손흥민", "labels": ["PS"]}]
    write(tmp_path, row(1, 1, 5, label=names), row(2, 1, 2), row(1, 2, 3, label=[]))
    assert read(tmp_path) == [(TEXT, [Span(0, 3, "PS")]), (TEXT, [])]
    assert read(tmp_path, annotator="1") == [(TEXT, [Span(0, 3, "PS")]), (TEXT, [])]
    write(
        tmp_path,
        row(1, 1, 5, sentiment="좋음"),
        row(2, 1, 2, sentiment={"choices": ["나쁨"]}),
        row(1, 2, 3, sentiment="나쁨"),
    )
    assert read_classes(tmp_path) == [(TEXT, "좋음"), (TEXT, "나쁨")]


def test_choices_become_classes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(
        tmp_path,
        task(annotation(choice("좋음"), {"type": "textarea", "value": {}})),
        task(annotation(choice("나쁨"), choice("x", start=0, end=3)), number=2),
        task(annotation(), number=3),
    )
    assert read_classes(tmp_path) == [(TEXT, "좋음"), (TEXT, "나쁨")]
    assert [record.getMessage() for record in caplog.records] == [
        f"malmoi: results of the type textarea are not read: 1, first in {path}, line 2.",
        f"malmoi: results of the type choices are not read: 1, first in {path}, line 3.",
        f"malmoi: tasks whose annotation has no choice are left out: 1, first in {path}, line 4.",
    ]
    write(tmp_path, task(annotation(choice("좋음", "나쁨"))))
    with pytest.raises(DataFormatError, match=r"line 2: expected one choice for each text, got 좋음, 나쁨\."):
        read_classes(tmp_path)


def test_the_text_is_the_only_one_or_the_one_that_is_labelled(tmp_path: Path) -> None:
    write(
        tmp_path,
        task(annotation(PS), body=TEXT, number_of_it=3),
        task(annotation(region(0, 3, "PS", target="body")), title="제목", body=TEXT, doc_id="d"),
        task(annotation(), title="제목", body="이름이 없다."),
    )
    rows = read_label_studio(tmp_path, task="named-entities")["train"]
    assert texts_and_spans(rows) == [(TEXT, [Span(0, 3, "PS")])] * 2 + [("이름이 없다.", [])]
    assert rows["document"][:] == [None, "d", None]
    assert rows["id"][:] == ["1", "1-2", "1-3"]
    write(tmp_path, task(annotation(PS), title="제목", body=TEXT))
    with pytest.raises(DataFormatError, match=r"line 2: expected one text in the data of the task, got title, body\."):
        read(tmp_path)
    write(tmp_path, task(annotation(PS), image=3))
    with pytest.raises(DataFormatError, match=r"line 2: expected one text in the data of the task, got none\."):
        read(tmp_path)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (task(annotation(region(0, 3, "PS", "LC"))), "expected one label on each region, got PS, LC."),
        (task(annotation(region(0, 3))), "expected one label on each region, got none."),
        (task(annotation(region(0, 3, 7))), "expected a type as text for each name, got the number '7'."),
        (task(annotation(region(0, 99, "PS"))), "expected a name within the text of 12 characters, got"),
        (task(annotation(region("0", 3, "PS"))), "expected a whole number where PS begins and ends, got a text."),
        (task(annotation(region(None, 3, "PS"))), "expected a whole number where PS begins and ends, got null."),
        (task(annotation(PS, region(2, 5, "LC"))), "expected names that do not overlap, but LC '민은 ' begins within"),
        (task(annotation(region(0, 3, "PS", text="서울"))), "expected the PS '서울' from 0 to 3, but the text"),
        (
            task(annotation(region(3, 5, "LC", text="서울")), text="😀 서울에"),
            "expected the LC '서울' from 3 to 5, but the text has '울에' there; these seem to be units of UTF-16",
        ),
        (task(annotation(PS) | {"updated_at": "어제"}), "expected a time in `updated_at`, got '어제'."),
        (task(3), "expected annotations that are objects with a list `result`."),  # type: ignore[arg-type]
        (task({"result": {}}), "expected annotations that are objects with a list `result`."),
        ({"text": TEXT, "label": []}, "expected a task of Label Studio, with `data` and `annotations`, or with"),
        ({}, "expected a task of Label Studio"),
        (3, "expected a JSON object on each line, or one list of objects, got the number '3'."),
    ],
)  # fmt: skip
def test_a_bad_task_is_refused_in_one_sentence_with_its_line(bad: object, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, task(annotation(LC)), bad)
    with pytest.raises(DataFormatError) as error:
        read(tmp_path)
    assert str(error.value).startswith(f"{path}, line 3: {message}")
    assert "\n" not in str(error.value)


def test_results_of_other_shapes_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, task(annotation(PS, {"type": "relation", "from_id": "a"}, 3)))  # type: ignore[arg-type]
    assert read(tmp_path) == [(TEXT, [Span(0, 3, "PS")])]
    assert "results of the type relation are not read: 1" in caplog.text
    write(tmp_path, task(annotation(PS, {"type": "가" * 5000})))  # type: ignore[arg-type]
    read(tmp_path)
    assert f"results of the type {'가' * 39}… are not read: 1" in caplog.text


def test_a_name_over_a_line_break_is_not_compared(tmp_path: Path) -> None:
    write(tmp_path, task(annotation(region(0, 5, "LC", text="서울\\n시청")), text="서울\n시청에"))
    assert read(tmp_path) == [("서울\n시청에", [Span(0, 5, "LC")])]


def test_tasks_that_a_model_has_labelled_alone_are_no_labels_yet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predicted = {"data": {"text": TEXT}, "predictions": [{"model_version": "ours", "score": 0.4, "result": [PS]}]}
    path = write(tmp_path, predicted, predicted)
    assert holds_label_studio(tmp_path)
    with pytest.raises(DataFormatError, match="found predictions alone, which nobody has checked: label the tasks in"):
        read(tmp_path)
    write(tmp_path, predicted, task(annotation(LC)))
    assert read(tmp_path) == [(TEXT, [Span(5, 7, "LC")])]
    assert [record.getMessage() for record in caplog.records] == [
        f"malmoi: tasks without an annotation are left out: 1, first in {path}, line 2."
    ]


def test_files_without_what_is_wanted_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Give a folder with \.json files that Label Studio has exported"):
        read_label_studio(None, task="named-entities")
    with pytest.raises(DataFormatError, match=r"expected a folder with \.json files that Label Studio has exported"):
        read(tmp_path)
    write(tmp_path)
    with pytest.raises(DataFormatError, match=r"project-1\.json: expected texts with an annotation, found none\."):
        read(tmp_path)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("has_ids", [True, False])
@pytest.mark.parametrize("minimal", [True, False])
def test_every_task_is_read_however_the_file_is_broken_into_lines(
    indent: int | None, has_ids: bool, minimal: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [f"{number}번 손님은 서울에 갔다." for number in range(5)]
    if minimal:
        names = [{"start": 7, "end": 9, "text": "서울", "labels": ["LC"]}]
        rows = [{"text": text, "label": names, "annotator": 1, "annotation_id": 1} for text in texts]
    else:
        rows = [task(annotation(region(7, 9, "LC", text="서울")), text=text) for text in texts]
    for number, row in enumerate(rows):
        row.pop("id", None)
        if has_ids:
            row["id"] = number
    (tmp_path / "export.json").write_text(json.dumps(rows, ensure_ascii=False, indent=indent), encoding="utf-8")
    rows_read = read_label_studio(tmp_path, task="named-entities")["train"]
    assert texts_and_spans(rows_read) == [(text, [Span(7, 9, "LC")]) for text in texts]
    assert len({*rows_read["id"]}) == len(texts)
    assert not caplog.records


def test_what_several_files_say_together_counts_for_each_task(tmp_path: Path) -> None:
    write(tmp_path, task(annotation(), title="제목", body="이름이 없다."), name="a.json")
    write(tmp_path, task(annotation(region(0, 3, "PS", target="body")), title="제목", body=TEXT), name="b.json")
    assert read(tmp_path) == [("이름이 없다.", []), (TEXT, [Span(0, 3, "PS")])]


def test_times_in_seconds_as_completions_have_them_tell_the_newest(tmp_path: Path) -> None:
    completions = [{"result": [PS], "created_at": 1598447363}, {"result": [PS, LC], "created_at": 1598447362.5}]
    write(tmp_path, {"id": 1, "data": {"text": TEXT}, "completions": completions})
    assert read(tmp_path) == [(TEXT, [Span(0, 3, "PS")])]


def test_a_name_of_two_lines_is_compared_with_its_place(tmp_path: Path) -> None:
    # browsers count an emoji as two
    write(tmp_path, task(annotation(region(3, 8, "LC", text="서울\\n시청")), text="😀 서울\n시청에"))
    with pytest.raises(
        DataFormatError,
        match=r"expected the LC '서울\\n시청' from 3 to 8, but the text has '울\\n시청에' there; .* from 2 to 7\.$",
    ):
        read(tmp_path)
    write(tmp_path, task(annotation(region(2, 7, "LC", text="서울\\n시청")), text="😀 서울\n시청에"))
    assert read(tmp_path) == [("😀 서울\n시청에", [Span(2, 7, "LC")])]
