"""Finished models label unlabelled sentences together, and the sure ones join the training set."""

import itertools
import json
import math
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.marked_lines import LABELS, TRAIN_LINES, VALIDATION_LINES
from support.recipe_flags import as_flags
from support.tiny_models import save, tiny_bert_tagger, tiny_spacing_bilstm
from support.tiny_runs import SETTINGS, train_demo
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.posteriors import character_posteriors
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.training import silver_tags
from malmoi.training.preparation import Preparation, prepare
from malmoi.training.request import read_request
from malmoi.training.silver_tags import LabelledSentence, best_labels, label_sentences
from malmoi.training.silver_teachers import load_teacher
from malmoi.training.train import run

CPU = torch.device("cpu")
NEW = ["손흥민은 부산으로 갔다.", "이강인의 집은 제주에 있다.", "비가 온다.", "김민재가 춘천에서 웃었다. 흠"]


def recipe(folder: Path, data: Path, text: Path, teachers: list[Path], **settings: Any) -> Recipe:
    """Return a tiny recipe with silver sentences, all of which join unless `silver_confidence` is given."""
    given = {
        **{**SETTINGS, "output_dir": folder, "data_dir": data, "use_cpu": True, "silver_text": text},
        **{"silver_teachers": ", ".join(map(str, teachers)), "silver_confidence": 0, **settings},
    }
    return load_recipe("demo", as_flags(given))


def prepared(folder: Path, data: Path, text: Path, teachers: list[Path], **settings: Any) -> Preparation:
    return prepare(read_request(recipe(folder, data, text, teachers, **settings)))


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory, wordpiece_tokenizer: PreTrainedTokenizerFast) -> list[Path]:
    """Two random taggers with other tokenizers and other orders of the labels, those of the marked corpus."""
    folder = tmp_path_factory.mktemp("teachers")
    torch.manual_seed(0)
    of_words = save(folder / "of-words", tiny_bert_tagger(wordpiece_tokenizer, LABELS[::-1]), wordpiece_tokenizer)
    data = folder / "data"
    data.mkdir()
    write(data / "train.txt", TRAIN_LINES * 3)
    write(data / "validation.txt", VALIDATION_LINES)
    return [train_demo(folder / "seed-1", data_dir=data), of_words]


def best_by_hand(posteriors: Tensor, labels: list[str]) -> tuple[list[int], float]:
    """Return the best allowed sequence among all, and the smallest posterior of its labels."""
    allowed = [
        sequence
        for sequence in itertools.product(range(len(labels)), repeat=len(posteriors))
        if all(
            not labels[tag].startswith("I-") or (previous is not None and labels[previous][2:] == labels[tag][2:])
            for previous, tag in zip((None, *sequence), sequence)
        )
    ]
    chosen = [[posteriors[place, tag].item() for place, tag in enumerate(sequence)] for sequence in allowed]
    best = max(range(len(allowed)), key=lambda index: sum(math.log(max(each, 1e-30)) for each in chosen[index]))
    return list(allowed[best]), min(chosen[best])


@pytest.mark.parametrize("labels", [LABELS, SPACING_LABELS, ["O", "B-X", "I-X"]])
def test_the_best_allowed_labels_are_those_of_enumeration(labels: list[str]) -> None:
    generator = torch.Generator().manual_seed(len(labels))
    posteriors = [
        (3 * torch.randn(length, len(labels), generator=generator)).softmax(1) for length in (1, 2, 3, 4, 4, 2, 3) * 6
    ]
    found = best_labels(posteriors, labels)
    forbidden = 0
    for each, (tags, confidence) in zip(posteriors, found, strict=True):
        expected, smallest = best_by_hand(each, labels)
        assert tags == expected
        assert confidence == pytest.approx(smallest)
        forbidden += each.argmax(1).tolist() != expected
    assert bool(forbidden) == (labels != SPACING_LABELS)  # where nothing is forbidden, the argmax is the best


def test_a_label_of_probability_zero_is_not_chosen() -> None:
    [(tags, confidence)] = best_labels([torch.tensor([[0.0, 0.4, 0.6], [0.0, 0.0, 1.0]])], ["B-X", "I-X", "O"])
    assert tags == [2, 2]
    assert confidence == pytest.approx(0.6)


def test_teachers_label_by_the_mean_of_their_posteriors(teachers: list[Path]) -> None:
    """They have other tokenizers, and their labels stand in other orders."""
    loaded = [load_teacher(str(folder), "named-entities", LABELS, device=CPU) for folder in teachers]
    texts = ["비가 옴", "서울로", "a b", "가"]
    means = []
    for text in texts:
        each = []
        for teacher in loaded:
            own = list(teacher.model.config.id2label.values())
            [found] = character_posteriors(teacher.model, teacher.tokenizer, [text], max_length=None, batch_size=1)
            each.append(found[:, [own.index(label) for label in LABELS]])
        means.append(sum(each) / len(each))
    for text, mean, sentence in zip(texts, means, label_sentences(loaded, texts, LABELS), strict=True):
        expected, smallest = best_by_hand(mean, LABELS)
        assert (sentence.text, sentence.tags) == (text, expected)
        assert sentence.confidence == pytest.approx(smallest)


def test_a_teacher_that_knows_more_labels_says_how_probable_those_of_the_data_are_among_themselves(
    tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    """A tagger that was trained on from one with other types has the labels of both."""
    torch.manual_seed(1)
    more = ["B-OG", *LABELS[::-1], "I-OG"]
    folder = save(tmp_path / "more", tiny_bert_tagger(wordpiece_tokenizer, more), wordpiece_tokenizer)
    teacher = load_teacher(str(folder), "named-entities", LABELS, device=CPU)
    posteriors = character_posteriors(teacher.model, teacher.tokenizer, NEW, max_length=None, batch_size=2)
    for labelled, own in zip(label_sentences([teacher], NEW, LABELS), posteriors, strict=True):
        known = own[:, 1:-1].flip(1)
        assert own[:, [0, -1]].sum() > 0.01  # what it finds of the other type
        torch.testing.assert_close(labelled.posteriors, known / known.sum(1, keepdim=True))
        assert labelled.tags == best_labels([labelled.posteriors], LABELS)[0][0]


def test_a_teacher_that_is_sure_of_what_the_data_lack_says_nothing_of_the_rest(
    tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    folder = save(tmp_path / "more", tiny_bert_tagger(wordpiece_tokenizer, [*LABELS, "B-OG"]), wordpiece_tokenizer)
    teacher = load_teacher(str(folder), "named-entities", LABELS, device=CPU)
    certain = torch.eye(len(LABELS) + 1)[-1:]
    torch.testing.assert_close(teacher.of_data(certain), torch.full((1, len(LABELS)), 1 / len(LABELS)))


def test_silver_sentences_come_once_after_all_copies_of_the_labelled_ones(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    known = [VALIDATION_LINES[2] + " ", "어제 이강인을 부산에서, 만났어요"]
    text = write(tmp_path / "raw.tsv", [f"id\t{line}" for line in [*NEW, *known, NEW[0]]])
    preparation = prepared(tmp_path / "run", marked_corpus, text, teachers, name_replacement_copies=2)
    gold = preparation.splits["train"].num_rows
    assert preparation.train.num_rows == 3 * gold + len(NEW)
    silver = preparation.silver
    assert silver is not None
    assert silver.dataset["text"][:] == NEW
    assert label_names(silver.dataset) == label_names(preparation.splits["train"])
    names = [label_names(silver.dataset)[tag] for tags in silver.dataset["tags"] for tag in tags]
    assert set(names) <= set(LABELS)
    said = silver.description
    assert said | {"confidence_quantiles": {}} == {
        **{"teachers": ["seed-1", "of-words"], "text": "raw.tsv", "read": 7, "in_evaluation": 1, "in_training": 1},
        **{"repeated": 1, "labelled": 4, "kept": 4, "confidence": 0.0, "confidence_quantiles": {}},
    }
    quantiles = said["confidence_quantiles"]
    assert list(quantiles) == ["0.1", "0.25", "0.5", "0.75", "0.9"]
    assert 0 < quantiles["0.1"] <= quantiles["0.5"] <= quantiles["0.9"] < 1
    # what stands in silver sentences alone is in the vocabulary too
    assert preparation.tokenizer.unk_token_id not in preparation.tokenizer("흠")["input_ids"]
    assert preparation.tokenizer.unk_token_id in preparation.tokenizer("쀍")["input_ids"]
    assert "4 of 4 labelled sentences join the training set" in capsys.readouterr().err


def test_a_sentence_joins_if_its_smallest_posterior_is_at_least_the_threshold(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path]
) -> None:
    loaded = [load_teacher(str(folder), "named-entities", LABELS, device=CPU) for folder in teachers]
    sure = {sentence.text: sentence.confidence for sentence in label_sentences(loaded, NEW, LABELS)}
    middle = sorted(sure.values())[2]
    text = write(tmp_path / "raw.txt", NEW)
    preparation = prepared(tmp_path / "run", marked_corpus, text, teachers, silver_confidence=middle)
    assert preparation.silver is not None
    assert preparation.silver.dataset["text"][:] == [line for line in NEW if sure[line] >= middle]
    assert preparation.silver.description["kept"] == 2
    above = math.nextafter(max(sure.values()), 1)
    with pytest.raises(
        RecipeError, match=r"raw.txt: no sentence joins the training set: of 4 that are new, the surest"
    ):
        prepared(tmp_path / "run", marked_corpus, text, teachers, silver_confidence=above)


def test_sentences_that_do_not_join_are_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def label(*_: object, **__: object) -> Iterator[LabelledSentence]:
        for number in range(1000):
            tags = [number % 3] * 1000
            yield LabelledSentence("가" * 1000, tags, float(number == 7), torch.eye(3)[tags])

    monkeypatch.setattr(silver_tags, "label_sentences", label)
    tracemalloc.start()
    found = silver_tags.label_with_tags([], [], ["B-PS", "I-PS", "O"], least=0.5, name="raw")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.kept["id"][:], found.kept["tags"][0]) == (["raw-1"], [1] * 1000)
    assert (sum(found.confidences), len(found.confidences)) == (1.0, 1000)
    assert peak < 1 << 20  # the tags of all are eight megabytes, and their probabilities as much


def test_so_many_sentences_as_asked_for_are_drawn_by_the_seed(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path]
) -> None:
    lines = [f"{number}번 손님이 왔다." for number in range(40)]
    text = write(tmp_path / "raw.txt", lines)
    drawn = []
    for seed in (1, 1, 2):
        silver = prepared(tmp_path / "run", marked_corpus, text, teachers, silver_limit=5, seed=seed).silver
        assert silver is not None
        drawn.append(silver.dataset["text"][:])
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 5
    assert [lines.index(line) for line in drawn[0]] == sorted(lines.index(line) for line in drawn[0])


def test_spaces_change_in_silver_sentences_as_in_the_others(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path]
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    noise = {"space_noise_probability": 1.0, "space_noise_drop_all_probability": 1.0}
    plain = prepared(tmp_path / "run", marked_corpus, text, teachers)
    bare = prepared(tmp_path / "run", marked_corpus, text, teachers, **noise)
    spaces = [line.count(" ") for line in (*plain.splits["train"]["text"], *NEW)]
    lengths = zip(plain.train["length"], bare.train["length"], spaces, strict=True)
    assert all(before - after == count for before, after, count in lengths)
    assert sum(spaces[-len(NEW) :]) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"silver_teachers": ""}, "`silver_text` needs `silver_teachers`"),
        ({"silver_text": ""}, "`silver_text` needs `silver_teachers`"),
        ({"silver_text": "gone.txt"}, r"`silver_text`: there is no file gone\.txt\."),
        ({"silver_teachers": "gone"}, "gone: there is no such folder"),
        ({"silver_confidence": 1.5}, r"`silver_confidence` must be from 0 to 1, got 1\.5\."),
        ({"silver_limit": 0}, r"`silver_limit` must be at least 1, got 0\."),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path], changes: dict[str, Any], message: str
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    with pytest.raises(UserError, match=message):
        prepared(tmp_path / "run", marked_corpus, text, teachers, **changes)


def test_a_teacher_needs_the_labels_of_the_data(
    tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    other = save(tmp_path / "other", tiny_bert_tagger(wordpiece_tokenizer, LABELS[2:]), wordpiece_tokenizer)
    with pytest.raises(
        RecipeError, match=r"other lacks B-PS, I-PS of the labels of the data; it has B-LC, I-LC, O\. A teacher must"
    ):
        load_teacher(str(other), "named-entities", LABELS, device=CPU)
    spacing = save(tmp_path / "spacing", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    with pytest.raises(UserError, match="this is a model for word-spacing"):
        load_teacher(str(spacing), "named-entities", LABELS, device=CPU)


def test_sentences_for_word_spacing_lose_their_spaces(
    tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "train.txt", ["비가 와서 집에 있었다.", "서울로 갔다."] * 4)
    write(tmp_path / "data" / "val.txt", ["비가 왔다."])
    teacher = save(tmp_path / "teacher", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    text = write(tmp_path / "raw.txt", ["비 가왔다.", "눈이 온다.", "서울 로갔다"])
    flags = [
        *("--data_dir", str(tmp_path / "data"), "--output_dir", str(tmp_path / "run"), "--silver_text", str(text)),
        *("--silver_teachers", str(teacher), "--silver_confidence", "0", "--use_cpu", "true"),
    ]
    silver = prepare(read_request(load_recipe("spacing-bi-lstm-crf", flags))).silver
    assert silver is not None
    assert silver.dataset["text"][:] == ["눈이온다."]
    assert silver.description["in_evaluation"] == silver.description["in_training"] == 1

    # those of the training set are learned a second time, as the teachers see them, if they are wanted
    flags += ["--silver_training_texts", "true"]
    prepared = prepare(read_request(load_recipe("spacing-bi-lstm-crf", flags)))
    assert prepared.silver is not None
    assert prepared.silver.dataset["text"][:] == ["눈이온다.", "서울로갔다"]
    assert prepared.silver.description["in_evaluation"] == 1
    assert prepared.silver.description["in_training"] == 0
    assert prepared.silver.description["training_texts"] is True
    certain = [{*probabilities} == {0.0, 1.0} for probabilities in prepared.train["probabilities"]]
    assert certain == [True] * 8 + [False] * 2


def test_sentences_for_word_spacing_keep_their_own_spaces_if_asked_for(
    tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "train.txt", ["비가 와서 집에 있었다.", "서울로 갔다."] * 4)
    write(tmp_path / "data" / "val.txt", ["비가 왔다."])
    teacher = save(tmp_path / "teacher", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    lines = ["비 가왔다.", "눈 이온 다.", "서울로 간다", "눈이 온다."]
    text = write(tmp_path / "raw.txt", lines)

    def silver(confidence: float) -> Any:
        flags = [
            *("--data_dir", str(tmp_path / "data"), "--output_dir", str(tmp_path / "run"), "--use_cpu", "true"),
            *("--silver_text", str(text), "--silver_teachers", str(teacher), "--silver_own_spaces", "true"),
        ]
        flags += ["--silver_confidence", str(confidence)]
        return prepare(read_request(load_recipe("spacing-bi-lstm-crf", flags))).silver

    kept = silver(0)
    assert kept.dataset["text"][:] == ["눈이온다.", "서울로간다"]
    assert [[SPACING_LABELS[tag] for tag in tags] for tags in kept.dataset["tags"]] == [
        list("BBIBI"),
        list("BIIBI"),
    ]
    assert kept.description["own_spaces"] is True
    # the teacher's posterior of the labels that each sentence has, as the tagger itself computes it
    loaded = load_teacher(str(teacher), "word-spacing", SPACING_LABELS, device=CPU)
    (posterior,) = character_posteriors(loaded.model, loaded.tokenizer, ["서울로간다"], max_length=None, batch_size=1)
    tags = torch.tensor([loaded.order[0] if tag == "B" else loaded.order[1] for tag in "BIIBI"])
    smallest = float(posterior.gather(1, tags[:, None]).amin())
    assert "서울로간다" in silver(smallest - 1e-4).dataset["text"][:]
    with_more = [*label_sentences([loaded], ["서울로간다"], SPACING_LABELS, own_tags={"서울로간다": list("BIIBI")})]
    assert with_more[0].confidence == pytest.approx(smallest, abs=1e-6)


@pytest.mark.slow
def test_a_report_says_who_labelled_what_and_names_no_place(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path]
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    report = run(recipe(tmp_path / "run", marked_corpus, text, teachers))
    assert report["silver"]["kept"] == len(NEW)
    assert report["training"]["texts_per_epoch"] == 3 * len(TRAIN_LINES) + len(NEW)
    assert report["settings"]["silver_teachers"] == "seed-1,of-words"
    written = (tmp_path / "run" / "report.json").read_text(encoding="utf-8")
    assert json.loads(written)["silver"] == report["silver"]
    assert str(tmp_path) not in written
    assert str(teachers[0].parent) not in written


@pytest.mark.slow
def test_a_training_goes_on_with_the_same_silver_sentences_alone(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path]
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    run(recipe(tmp_path / "run", marked_corpus, text, teachers, save_total_limit=9))
    on = {"resume_from_checkpoint": "true", "max_steps": 6, "save_total_limit": 9}
    # the same teachers elsewhere label in the same way
    moved = [Path(shutil.copytree(folder, tmp_path / "moved" / folder.name)) for folder in teachers]
    report = run(recipe(tmp_path / "run", marked_corpus, text, moved, **on))
    assert report["training"]["steps"] == 6
    on["max_steps"] = 8
    with pytest.raises(RecipeError, match="the silver data are others"):
        run(recipe(tmp_path / "run", marked_corpus, text, teachers[:1], **on))
    with pytest.raises(RecipeError, match=r"`silver_confidence` was 0\.0 and is 0\.01"):
        run(recipe(tmp_path / "run", marked_corpus, text, teachers, silver_confidence=0.01, **on))
    with pytest.raises(RecipeError, match="the silver data are others"):
        run(
            recipe(tmp_path / "run", marked_corpus, text, teachers, **{**on, "silver_text": "", "silver_teachers": ""})
        )


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["weights", "temperature"])
def test_teachers_that_were_trained_anew_are_noticed_also_where_they_give_the_same_labels(
    tmp_path: Path, marked_corpus: Path, teachers: list[Path], changed: str
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    [teacher] = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in teachers[:1]]
    run(recipe(tmp_path / "run", marked_corpus, text, [teacher], save_total_limit=9))
    if changed == "weights":
        weights = load_file(teacher / "model.safetensors")
        weights["classifier.bias"] += 1e-6
        save_file(weights, teacher / "model.safetensors", metadata={"format": "pt"})
    else:
        config = json.loads((teacher / "config.json").read_text(encoding="utf-8"))
        (teacher / "config.json").write_text(json.dumps({**config, "name_temperature": 1.001}), encoding="utf-8")
    on = {"resume_from_checkpoint": "true", "max_steps": 6, "save_total_limit": 9}
    with pytest.raises(RecipeError, match="given now: the models that `silver_teachers` names are others"):
        run(recipe(tmp_path / "run", marked_corpus, text, [teacher], **on))
    # older versions have not kept which they were
    for path in (tmp_path / "run").glob("checkpoint-*/trainer_state.json"):
        state = json.loads(path.read_text(encoding="utf-8"))
        del state["stateful_callbacks"]["RunRecord"]["args"]["content"]["data"]["teachers"]
        path.write_text(json.dumps(state), encoding="utf-8")
    assert run(recipe(tmp_path / "run", marked_corpus, text, [teacher], **on))["training"]["steps"] == 6
