"""Files of data and of checkpoints with something else in them: read, or refused in one sentence."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import save_file
from support.fuzzing import fuzz, number_of_cases, random_character, random_text
from support.hand_made_tagger import hand_made
from support.hostile_values import changed
from support.tiny_models import SENTENCES
from support.twenty_sentences import FORMS

from malmoi.conversion.convert import convert_checkpoint
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import parse_marks, write_marks
from malmoi.data.lexicon import read_lexicon
from malmoi.data.readers import READERS
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.inference.added_words import read_words
from malmoi.inference.whole_words import read_keep_words
from malmoi.recipes.recipe_file import read_recipe

SENTENCE = "## 1\t<김:PS> #\n김\tB-PS\n \tO\n#\tO\n\n"
BLOCK = "## 1\n## # 효진 _3\n## # <효진:PER> <_3:NOH>\n#\t#\tSW\tO\n_\t_\t_\tO\n효진\t효진\tNNP\tB-PER\n\n"


def written(files: dict[str, str]) -> Callable[[Path], None]:
    """Return what writes files of these names."""

    def write(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8", newline="")

    return write


FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    **FORMS,
    "conll": ("conll", written({"train.txt": "김\tB-PS\n씨\tO\n\n서울\tB-LC\n" * 3})),
    "inline-marks": ("inline-marks", written({"train.txt": "<김하늘:PS>은 <서울:LC>에 갔다.\n비가 왔다.\n" * 3})),
    "csv": ("dataset", written({"train.csv": 'text,label\n좋다,긍정\n"나쁘다, 참",부정\n' * 2})),
    "table of tokens": (
        "dataset",
        written({"train.jsonl": '{"tokens": ["김", "씨"], "ner_tags": ["B-PS", "O"]}\n' * 3}),
    ),
    "klue-ner": ("klue-ner", written({"klue-ner-v1.1_train.tsv": SENTENCE * 2, "klue-ner-v1.1_dev.tsv": SENTENCE})),
    "kmou-lines": ("kmou-lines", written({"train.txt": "효진 역의 14␞<효진:PER> 역의 <14:NOH>\n" * 3})),
    "kmou-corpus": ("kmou-corpus", written({"split.tsv": "file\tpart\na.txt\ttrain\n", "corpus/a.txt": BLOCK * 2})),
    "labelled-texts": ("labelled-texts", written({"train.txt": "긍정\t재미있다\n부정\t지루하다\n" * 3})),
    "nsmc": ("nsmc", written({"ratings_train.txt": 'id\tdocument\tlabel\n7\t"재미 없다\t0\n8\tNA\t1\n'})),
    "plain-sentences": ("plain-sentences", written({"train.txt": "비가 와서 집에 있었다.\n그는 갔다.\n" * 3})),
    "plain-text": ("plain-text", written({"train.txt": "비가 와서 집에 있었다.\n그는 갔다.\n" * 3})),
}
"""The reader of each form, and what writes a small file in it."""
LINES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "lexicon": (lambda path: read_lexicon(str(path)), "손흥민\tPS\n춘천\tLC\n# 무엇\n가나다\tPS\n"),
    "words": (read_words, "손흥민\tPS\n춘천\tLC\n"),
    "words to keep": (read_keep_words, "한국어 모델\n손흥민\n"),
    "recipe": (
        read_recipe,
        "# 무엇\nmodel_type: bilstm_crf\nlearning_rate: 1.0e-3\nlist: [1, 2]\nencoder_config:\n  a: {b: null}\n"
        "anchor: &a [x]\nalias: *a\n",
    ),
}


class Change(NamedTuple):
    """What is done to one of the files of a form."""

    form: str
    seed: int


def damaged(content: bytes, random: Random) -> bytes:
    """Return a file with odd characters, lines in another order, or another change."""
    if random.random() < 0.5:
        return changed(content, random)
    lines = content.decode("utf-8", "replace").split("\n")
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(lines))
        line = lines[place]
        at = random.randrange(len(line) + 1)
        lines[place] = random.choice(
            [
                line[:at] + random_character(random) + line[at:],
                line[:at] + random_text(random).replace("\n", " ") + line[at:],
                line[:at]
                + random.choice(["\t", "<", ">", ":", '"', ",", "{", "\\", "\0", "\r", "␞"])
                + line[at + 1 :],
                line + line,
                lines[random.randrange(len(lines))],
                "",
            ]
        )
    return "\n".join(lines).encode("utf-8", "replace")


def check_sentence(error: UserError, folder: Path) -> None:
    """Check that an error is one sentence that names a file."""
    said = str(error)
    assert "\n" not in said
    assert said.startswith(str(folder))
    assert len(said) < 1000


def test_files_of_data_are_read_or_refused(tmp_path: Path) -> None:
    def check(changes: Sequence[Change]) -> None:
        for change in changes:
            random = Random(change.seed)
            shutil.rmtree(tmp_path / "data", ignore_errors=True)
            (tmp_path / "data").mkdir()
            if change.form in LINES:
                read, content = LINES[change.form]
                path = tmp_path / "data" / ("x.yaml" if change.form == "recipe" else "x.txt")
                path.write_bytes(damaged(content.encode(), random))
                attempts = [lambda read=read, path=path: read(path)]
            else:
                name, write = FILES[change.form]
                write(tmp_path / "data")
                path = random.choice(sorted(each for each in (tmp_path / "data").rglob("*") if each.is_file()))
                path.write_bytes(damaged(path.read_bytes(), random))
                reader = READERS[name]
                options = [{"task": task} for task in reader.tasks] if len(reader.tasks) > 1 else [{}]
                reader.holds(tmp_path / "data")
                attempts = [
                    lambda reader=reader, option=option: reader.read(tmp_path / "data", **option) for option in options
                ]
            for attempt in attempts:
                try:
                    attempt()
                except UserError as error:
                    check_sentence(error, tmp_path)

    forms = [*FILES, *LINES, *LINES, *LINES]  # the latter take less time
    fuzz(
        check,
        lambda random: Change(random.choice(forms), random.getrandbits(32)),
        cases=number_of_cases("files of data"),
        batch=10,
    )


def test_marks_are_read_or_refused_and_come_back(tmp_path: Path) -> None:
    def draw(random: Random) -> str:
        marks = ["<", ">", ":", "\\", "<김:PS>", "<가 나:이름>", "\\<", "<:>", "<<", "::"]
        return "".join(random.choice([random_text(random), random.choice(marks)]) for _ in range(random.randint(1, 5)))

    def check(lines: Sequence[str]) -> None:
        for line in lines:
            try:
                text, spans = parse_marks(line)
            except ValueError:
                pass
            else:
                assert all(0 <= span.start < span.end <= len(text) for span in spans)
                assert parse_marks(write_marks(text, spans)) == (text, spans)
            assert parse_marks(write_marks(line, [])) == (line, [])
            if line.strip():
                name = [Span(0, len(line), "PS")]
                assert parse_marks(write_marks(line, name)) == (line, name)

    fuzz(check, draw, cases=number_of_cases("marked text"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with what is to be converted."""
    folder = tmp_path / "old"
    tokenizer = build_syllable_tokenizer(SENTENCES)
    tokenizer.save_pretrained(folder)
    tagger = hand_made(len(tokenizer))
    torch.save(tagger.state_dict(), folder / "model.bin")
    torch.save(tagger.state_dict(), folder / "old.pth", _use_new_zipfile_serialization=False)
    save_file(tagger.state_dict(), folder / "model.safetensors")
    labels = '{"B-PS": 0, "I-PS": 1, "B-LC": 2, "I-LC": 3, "O": 4}'
    (folder / "config.json").write_text(f'{{"embedding_dim": 6, "tag_to_ix": {labels}}}', encoding="utf-8")
    return folder


@pytest.mark.slow
def test_checkpoints_are_converted_or_refused(old: Path, tmp_path: Path) -> None:
    files = ("model.bin", "old.pth", "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")

    said: list[str] = []

    def check(changes: Sequence[tuple[str, int]]) -> None:
        for file, seed in changes:
            before = (old / file).read_bytes()
            (old / file).write_bytes(changed(before, Random(seed)))
            weights = file if file in files[:3] else "model.safetensors"
            try:
                convert_checkpoint(old / weights, tmp_path / "new", config=old / "config.json", tokenizer=str(old))
            except UserError as error:
                sentence = str(error)
                assert "\n" not in sentence
                assert len(sentence) <= 1000
                said.append(sentence)
            finally:
                (old / file).write_bytes(before)
                assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
                shutil.rmtree(tmp_path / "new", ignore_errors=True)

    fuzz(
        check,
        lambda random: (random.choice(files), random.getrandbits(32)),
        cases=number_of_cases("checkpoints to convert"),
        batch=5,
    )
