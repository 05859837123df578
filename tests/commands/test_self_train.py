"""`malmoi self-train`: teachers of several seeds and a student, by one command."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS

from malmoi.commands.self_train import self_training, take_seeds
from malmoi.models import FOLDER
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.packaged_recipe import check_packaged_recipe
from malmoi.training.recipe_arguments import parse_recipe

RAW = ["손흥민은 부산으로 갔다.", "이강인의 집은 제주에 있다.", "비가 온다.", "비가 왔다!"]


@pytest.fixture
def flags(tmp_path: Path, marked_corpus: Path) -> Callable[..., list[str]]:
    """Return flags of a tiny self-training, and those that are given."""
    (tmp_path / "raw.txt").write_text("\n".join(RAW), encoding="utf-8")

    def make(**changes: object) -> list[str]:
        settings = {
            **{**SETTINGS, "data_dir": marked_corpus, "output_dir": tmp_path / "run", "use_cpu": True},
            **{"silver_text": tmp_path / "raw.txt", "silver_confidence": 0.0, **changes},
        }
        return as_flags(settings)

    return make


def test_seeds_are_numbers_after_their_flag() -> None:
    assert take_seeds(["--a", "1", "--seeds", "4", "05", "--b"]) == ([4, 5], ["--a", "1", "--b"])
    assert take_seeds(["--b", "--seeds", "7"]) == ([7], ["--b"])
    assert take_seeds(["--a", "1"]) == ([1, 2, 3], ["--a", "1"])
    for wrong, shown in ((["--seeds"], "none"), (["--seeds", "x"], "x"), (["--seeds", "1", "01"], "1 01")):
        with pytest.raises(
            RecipeError, match=rf"--seeds takes a different whole number for each teacher, got {shown}\."
        ):
            take_seeds(wrong)


def test_teachers_differ_in_their_seeds_alone_and_the_student_learns_from_them(
    flags: Callable[..., list[str]], tmp_path: Path
) -> None:
    teachers, student = self_training("demo", [*flags(seed=9), "--seeds", "3", "4"])
    folders = [tmp_path / "run" / "teachers" / name for name in ("seed-3", "seed-4")]
    assert [*teachers] == folders
    assert [*student] == [tmp_path / "run"]
    own = {"seed", "output_dir"}
    rest = [{key: value for key, value in each.flags.items() if key not in own} for each in teachers.values()]
    assert rest[0] == rest[1]
    assert not any(key.startswith("silver_") for key in rest[0])
    assert [each.flags["seed"] for each in teachers.values()] == ["3", "4"]
    learned = student[tmp_path / "run"].flags
    assert learned["seed"] == "9"
    assert learned["silver_teachers"] == ",".join(map(str, folders))
    assert learned["silver_confidence"] == "0.0"


def test_teachers_of_a_recipe_with_silver_text_learn_none(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("task: named-entities\nreader: inline-marks\nsilver_text: a.txt\nsilver_teachers: b\n")
    teachers, student = self_training(str(own), ["--output_dir", str(tmp_path / "run")])
    assert len(teachers) == 3
    assert all(each.given("silver_text") == each.given("silver_teachers") == "" for each in teachers.values())
    for each in teachers.values():  # which are handed on as flags
        assert load_recipe(str(own), [f"--{key}={value}" for key, value in each.flags.items()]) == each
    [learned] = student.values()
    assert learned.given("silver_text") == "a.txt"
    assert "seed-1" in learned.given("silver_teachers")


def test_a_recipe_may_say_all_but_the_text(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("task: named-entities\nreader: inline-marks\nsilver_confidence: 0.5\nsilver_limit: 3\n")
    teachers, student = self_training(str(own), ["--output_dir", str(tmp_path / "run"), "--silver_text", "a.txt"])
    for teacher in teachers.values():
        assert parse_recipe(teacher)[0].silver_text == ""
    [learned] = student.values()
    arguments = parse_recipe(learned)[0]
    assert (arguments.silver_text, arguments.silver_limit, arguments.silver_confidence) == ("a.txt", 3, 0.5)
    assert parse_recipe(load_recipe("demo")._replace(flags={"silver_limit": None}))[0].silver_limit is None
    with pytest.raises(RecipeError, match="`silver_confidence` is about the texts of `silver_text`, which is missing"):
        parse_recipe(load_recipe(str(own)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"silver_text": ""}, "Give the unlabelled texts by --silver_text FILE"),
        ({"silver_teachers": "x"}, "use `malmoi train --silver_teachers`"),
        ({"train_fraction": 0.5}, "`train_fraction` is drawn by the seed"),
        ({"silver_txt": "x"}, "did you mean 'silver_text'"),
        ({"output_dir": "runs/1,2"}, "`output_dir` must have no comma, as commas stand between names of teachers"),
    ],
)
def test_what_does_not_fit_is_said_at_once(
    flags: Callable[..., list[str]], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        self_training("demo", flags(**changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "`silver_text`: there is no file"),
        (b"\n  \n", "expected sentences, found none"),
        ("비가 왔다.\n".encode("cp949"), "line 1: expected UTF-8, but byte 1 of the line is 0xba"),
    ],
)
def test_a_text_that_cannot_be_read_is_noticed_before_the_first_training(
    flags: Callable[..., list[str]], tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "odd.txt").write_bytes(content)
    error = malmoi("self-train", "demo", *flags(silver_text=tmp_path / "odd.txt"), code=2)[1]
    assert message in error
    assert not (tmp_path / "run").exists()


def test_the_recipe_of_a_model_of_the_package_tells_what_is_not_here(tmp_path: Path) -> None:
    recipe = str(FOLDER / "named-entities" / "recipe.yaml")
    own = ("--output_dir", str(tmp_path / "run"))
    error = malmoi("train", recipe, *own, code=2)[1]
    assert error == (
        f"malmoi: {recipe} tells how the model of the package was trained, and names what is not here: "
        "named-entities-unlabelled-2.txt, seed-4, seed-6, named-entities-first-student. In a checkout of malmoi, "
        "`make models DATA=DIR` makes all of it and trains the model anew.\n"
    )
    error = malmoi("self-train", recipe, *own, code=2)[1]
    assert "names what is not here: named-entities-first-student. In a checkout" in error
    assert not (tmp_path / "run").exists()
    # whoever has such files is not held up, nor is whoever gives none
    (tmp_path / "raw.txt").write_text("\n".join(RAW), encoding="utf-8")
    given = ("--silver_text", str(tmp_path / "raw.txt"), "--silver_teachers", "bundled:named-entities")
    with pytest.raises(RecipeError, match=r"names what is not here: named-entities-first-student\."):
        check_packaged_recipe(load_recipe(recipe, given))
    given = (*given, "--model_name_or_path", "bundled:named-entities")
    check_packaged_recipe(load_recipe(recipe, given))
    check_packaged_recipe(load_recipe(str(FOLDER / "language-model" / "recipe.yaml"), own))


@pytest.mark.long
def test_one_command_trains_all_and_leaves_what_is_finished(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    output, _ = malmoi("self-train", "demo", *flags(), "--seeds", "1", "2")
    summary = output.strip().split("\n")[-4:]
    assert [line.partition(": entity_f1 ")[0] for line in summary[:3]] == [
        *(str(folder / "teachers" / name) for name in ("seed-1", "seed-2")),
        str(folder),
    ]
    assert summary[3].startswith("Beside the labelled sentences, run has learned 3 of the 3 that 2 teachers labelled")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["silver"]["teachers"] == ["seed-1", "seed-2"]
    assert report["silver"]["in_evaluation"] == 1
    teachers = [folder / "teachers" / name / "report.json" for name in ("seed-1", "seed-2")]
    seeds = [json.loads(teacher.read_text(encoding="utf-8")) for teacher in teachers]
    assert [teacher["seed"] for teacher in seeds] == [1, 2]
    assert "silver" not in seeds[0]

    # as if it had been interrupted in the training of the student, before its first checkpoint
    for path in ("report.json", "model.safetensors"):
        (folder / path).unlink()
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    untouched = [teacher.stat().st_mtime_ns for teacher in teachers]
    assert "holds a run already" in malmoi("self-train", "demo", *flags(), "--seeds", "1", "2", code=2)[1]
    output, _ = malmoi("self-train", "demo", *flags(resume_from_checkpoint="true"), "--seeds", "1", "2")
    assert f"{folder / 'teachers' / 'seed-1'} is finished and stays as it is." in output
    assert [teacher.stat().st_mtime_ns for teacher in teachers] == untouched
    again = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert again["silver"] == report["silver"]
    assert again["losses"] == report["losses"]
