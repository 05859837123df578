"""Words that are added to the lexicon of a finished model."""

import json
from pathlib import Path

import pytest
import torch
from support.tiny_models import save
from transformers import PreTrainedTokenizerFast

from malmoi.data.lexicon import LexiconWords
from malmoi.data.user_error import UserError
from malmoi.inference.added_words import read_words
from malmoi.inference.tagger import Tagger
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification
from malmoi.training.models.dictionary_features import lexicon_settings, set_lexicon

LABELS = ["B-LC", "I-LC", "B-PS", "I-PS", "O"]
TEXT = "손흥민은 춘천에서 태어났다."


@pytest.fixture
def with_lexicon(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A folder with a tiny tagger whose lexicon has one word."""
    lexicon = LexiconWords(("person", "place"), {"김민재": 1})
    torch.manual_seed(0)
    model = BiLstmCrfForTokenClassification(
        BiLstmCrfConfig(
            vocab_size=len(syllable_tokenizer),
            embedding_size=6,
            hidden_size=8,
            initializer_range=1.0,
            id2label=dict(enumerate(LABELS)),
            lexicon_labels={"PS": "person"},
            **lexicon_settings(lexicon, syllable_tokenizer),
        )
    )
    set_lexicon(model, lexicon, syllable_tokenizer)
    save(tmp_path / "model", model, syllable_tokenizer)
    return tmp_path / "model"


def marks(tagger: Tagger, text: str) -> torch.Tensor:
    encoded = tagger.tokenizer(text, return_tensors="pt").to(tagger.model.device)
    return tagger.model.lexicon.marks(encoded["input_ids"], encoded["attention_mask"].bool())  # type: ignore[operator]


def test_an_added_word_is_found_by_label_and_by_class(with_lexicon: Path) -> None:
    before = (with_lexicon / "model.safetensors").read_bytes(), (with_lexicon / "config.json").read_bytes()
    plain = Tagger(with_lexicon)
    assert marks(plain, "김민재").any()
    assert not marks(plain, TEXT).any()
    by_label = marks(Tagger(with_lexicon, words={"PS": ["손흥민"]}), TEXT)
    assert by_label.any()
    assert torch.equal(by_label, marks(Tagger(with_lexicon, words={"person": ["손흥민"]}), TEXT))
    assert not torch.equal(by_label, marks(Tagger(with_lexicon, words={"place": ["손흥민"]}), TEXT))
    both = Tagger(with_lexicon, words={"PS": ["손흥민"], "place": iter(["손흥민", "춘천"])})
    assert torch.equal(
        marks(both, "손흥민"), by_label[:, :3] | marks(Tagger(with_lexicon, words={"place": ["손흥민"]}), "손흥민")
    )
    assert marks(both, "김민재").any()  # those of before stay
    # what the model says depends on them, and the folder is what it was
    assert Tagger(with_lexicon, words={"PS": ["손흥민"]}).tag([TEXT])[0] != plain.tag([TEXT])[0]
    assert before == (
        (with_lexicon / "model.safetensors").read_bytes(),
        (with_lexicon / "config.json").read_bytes(),
    )


def test_a_word_may_be_written_in_other_ways(with_lexicon: Path) -> None:
    found = marks(Tagger(with_lexicon, words={"PS": ["손흥민"]}), TEXT)
    for spelling in ("손흥민", " 손흥민 "):
        assert torch.equal(marks(Tagger(with_lexicon, words={"PS": [spelling]}), TEXT), found)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"OG": ["가나다"]}, "has words for the labels PS and the classes person, place, got 'OG'"),
        ({"PS": "가나다"}, "must give a list of words for PS, got '가나다'"),
        ({"PS": [""]}, "must give words for PS, got ''"),
        ({"PS": [1]}, "must give words for PS, got 1"),
        (
            {"PS": ["🦄"]},
            r"`words`: 1 of 1 words cannot be found by .*model, whose .* all their characters: 🦄 \(🦄\)\.",
        ),
        ("gone.txt", r"or a file with a word, .* in each line, and there is no file 'gone\.txt'\."),
        (["가나다"], r"must give words for labels, as in \{'PS': \['가나다'\]\}, or a file .*, got \['가나다'\]"),
    ],
)
def test_words_that_cannot_be_added(with_lexicon: Path, words: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Tagger(with_lexicon, words=words)  # type: ignore[arg-type]


def test_a_model_without_a_lexicon_takes_no_words(saved_model: Path) -> None:
    with pytest.raises(UserError, match="words can be added to models with a lexicon, and this one was trained with"):
        Tagger(saved_model, words={"PS": ["손흥민"]})


def test_words_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("손흥민\tPS\n춘천\tplace\n김민재\tPS\n춘천\tPS\n", encoding="utf-8")
    assert [(each.word, each.kind, each.line) for each in read_words(file)] == [
        *[("손흥민", "PS", 1), ("춘천", "place", 2), ("김민재", "PS", 3), ("춘천", "PS", 4)]
    ]
    assert read_words(str(file)) == read_words(file)
    file.write_text("손흥민\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"words\.txt, line 1: expected a word, a tab and its label or class, got '손"):
        read_words(file)
    file.write_text("# 낱말\n\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"words\.txt: expected .* in each line, found no such line\."):
        read_words(file)
    with pytest.raises(UserError, match="there is no such file"):
        read_words(tmp_path / "none.txt")


def test_a_file_of_words_is_that_of_python(with_lexicon: Path, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("손흥민\tPS\n춘천\tplace\n춘천\tPS\n", encoding="utf-8")
    expected = marks(Tagger(with_lexicon, words={"PS": ["손흥민", "춘천"], "place": ["춘천"]}), TEXT)
    assert torch.equal(marks(Tagger(with_lexicon, words=file), TEXT), expected)


def test_a_label_that_the_lexicon_lacks_is_told_by_file_and_line(with_lexicon: Path, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("손흥민\tPS\n\n모비스\tOG\n", encoding="utf-8")
    with pytest.raises(UserError) as error:
        Tagger(with_lexicon, words=file)
    assert str(error.value) == (
        f"{file}, line 3: expected a label (PS) or a class (person, place) of the lexicon of {with_lexicon} after the "
        "tab, got 'OG'; `lexicon_labels` tells a training of what class the names of a label are."
    )


def test_a_label_that_the_model_lacks_is_none_whatever_its_recipe_tells(with_lexicon: Path) -> None:
    config = json.loads((with_lexicon / "config.json").read_text(encoding="utf-8"))
    config["lexicon_labels"] = {**config["lexicon_labels"], "OG": "place"}
    (with_lexicon / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UserError, match=r"words for the labels PS and the classes person, place, got 'OG'"):
        Tagger(with_lexicon, words={"OG": ["모비스"]})


def test_words_that_can_never_be_found_are_told_and_the_others_are_added(
    with_lexicon: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "words.txt"
    file.write_text("🦄나라\tplace\n손흥민\tPS\n춘천🦄😀🦄\tPS\n", encoding="utf-8")
    tagger = Tagger(with_lexicon, words=file)
    assert torch.equal(marks(tagger, TEXT), marks(Tagger(with_lexicon, words={"PS": ["손흥민"]}), TEXT))
    assert caplog.messages == [
        f"malmoi: {file}: 2 of 3 words cannot be found by {with_lexicon}, whose tokenizer does not know all their "
        "characters: 🦄나라 (🦄, line 1), 춘천🦄😀🦄 (🦄😀, line 3)."
    ]
    file.write_text("".join(f"🦄{number}\tPS\n" for number in range(9)), encoding="utf-8")
    with pytest.raises(UserError, match=r"words\.txt: 9 of 9 words cannot be found by .*, 1 more\."):
        Tagger(with_lexicon, words=file)


def test_half_a_character_is_no_word() -> None:
    with pytest.raises(UserError) as caught:
        read_words({"PS": ["\ud800가"]})
    assert str(caught.value) == "`words` must give words for PS, got '\\ud800가'."
