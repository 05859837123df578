"""A run that is gone on with has the model and the words with which it was begun, and not others of the same name."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.found_words import FindingWords, find_words
from support.fresh_process import run_cold
from support.local_hub import LocalHub
from support.local_hub_client import HubClient

from malmoi.commands.answering import ModelOptions
from malmoi.commands.classify import Classifying
from malmoi.commands.model_contents import contents_of, model_contents
from malmoi.commands.space import Spacing
from malmoi.commands.streams import outputs
from malmoi.commands.tag import Tagging
from malmoi.data.user_error import UserError

WEIGHTS = b"".join(number.to_bytes(4, "little") for number in range(1_000_000))


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model, as far as its contents go, and a file of words beside it."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/mine")
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "report.json", "README.md"):
        (folder / name).write_text("{}", encoding="utf-8")
    for name in ("model.safetensors", "model.onnx"):
        (folder / name).write_bytes(WEIGHTS)
    Path("words.txt").write_text("가나다\tPS\n", encoding="utf-8")
    Path("in.txt").write_text("가나다\n" * 40_000, encoding="utf-8")
    return folder


def changed(path: Path) -> Callable[[], None]:
    """Change a byte in the middle of a file; return what puts it back."""
    content = path.read_bytes()
    place = len(content) // 2
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])

    def restore() -> None:
        path.write_bytes(content)

    return restore


def test_every_byte_on_which_answers_depend_counts(model: Path) -> None:
    before = contents_of(str(model))
    assert before == contents_of(f"{model}/")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "model.onnx"):
        restore = changed(model / name)
        assert contents_of(str(model)) != before, name
        restore()
        assert contents_of(str(model)) == before
    for name in ("report.json", "README.md"):
        changed(model / name)
    (model / "loss.png").touch()
    assert contents_of(str(model)) == before
    (model / "model.onnx").rename(model / "other.onnx")
    assert contents_of(str(model)) != before


def test_tasks_say_what_their_models_and_words_are(model: Path) -> None:
    options = ModelOptions(str(model), Path("words.txt"))
    expected = model_contents(options)
    assert [*expected] == ["MODEL", "--words"]
    assert None not in expected.values()
    for task in (Tagging(options), Spacing(options), Classifying(options)):
        assert task.contents() == expected
    bundled = [contents_of(f"bundled:{task}") for task in ("named-entities", "word-spacing")]
    assert None not in bundled
    assert bundled[0] != bundled[1]
    assert contents_of("none") is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("runs/mine/model.safetensors", "MODEL runs/mine has other contents"),
        ("runs/mine/tokenizer.json", "MODEL runs/mine has other contents"),
        ("words.txt", r"--words words\.txt has other contents"),
    ],
)
def test_a_run_is_not_gone_on_with_by_another_model_of_the_same_name(
    model: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    options = {"output": "out.jsonl", "model": str(model), "words": Path("words.txt")}
    real = FindingWords.load
    monkeypatch.setattr(outputs, "SECONDS", -1.0)

    def load(self: FindingWords, texts: list[str]) -> Callable[[list[str]], Iterator]:
        answer, jobs = real(self, texts), iter([None, None])

        def interrupted(texts: list[str]) -> Iterator:
            if next(jobs, "none is left") is not None:
                raise KeyboardInterrupt
            return answer(texts)

        return interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FindingWords, "load", load)
        with pytest.raises(KeyboardInterrupt):
            find_words("in.txt", **options)
    restore = changed(Path(name))
    with pytest.raises(UserError, match=f"--resume: {said} than those with which the output was begun; put these ba"):
        find_words("in.txt", **options, resume=True)
    restore()
    find_words("in.txt", **options, resume=True)
    assert Path("out.jsonl").read_bytes().count(b"\n") == 40_000


def test_a_model_is_looked_at_only_where_something_is_noted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def contents(self: FindingWords) -> dict[str, str | None]:
        raise AssertionError

    monkeypatch.setattr(FindingWords, "contents", contents)
    Path("in.txt").write_text("가\n", encoding="utf-8")
    find_words("in.txt")
    assert capsys.readouterr().out == "<가:PS>\n"
    with pytest.raises(AssertionError):
        find_words("in.txt", output="out.txt")


def test_contents_are_told_without_torch(model: Path) -> None:
    code = f"""
import sys
for name in ("torch", "transformers", "huggingface_hub"):
    sys.modules[name] = None
from malmoi.commands.model_contents import contents_of
print(contents_of({str(model)!r}), contents_of("user/model"))
"""
    assert run_cold(code, folder=Path.cwd()).split() == [*str(contents_of(str(model))).split(), "None"]


def test_a_model_on_the_hub_is_told_by_its_commit(tmp_path: Path) -> None:
    show = "from malmoi.commands.model_contents import contents_of; print(contents_of('user/model'))"
    upload_and_show = f"""
from huggingface_hub import HfApi
print(HfApi().upload_file(path_or_fileobj=content, path_in_repo="config.json", repo_id="user/model").oid)
{show}"""
    with LocalHub() as hub:
        hub.create_repository("user/model")
        client = HubClient(hub, tmp_path / "home", missing=())
        steps = [show, "content = b'{}'", upload_and_show, "content = b'{} '", upload_and_show]
        # at first it has no config.json
        none_yet, first, of_first, second, of_second = client.run("\n".join(steps))
        assert none_yet == "None"
        assert (of_first, of_second) == (f"commit {first}", f"commit {second}")
        assert first != second
        offline = HubClient(hub, client.home, missing=(), offline=True)
        assert offline.run(show) == [f"commit {second}"]
