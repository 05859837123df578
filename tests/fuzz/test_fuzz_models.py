"""Models on texts of any characters: no crash, names at borders of characters, nothing but spaces changed."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from support.exported_models import export_tiny
from support.fuzzing import AT_LEAST, CASES, fuzz, number_of_cases, random_text
from support.property_tests import PROFILES
from support.saved_models import build
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    byte_level_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)
from support.tiny_service import ask, loaded_service, save_tiny_models

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.batches import check_text
from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Entity, Tagger
from malmoi.modeling.name_edges import CHARACTER, INVISIBLE, SKIN_TONES

NAMES = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]


class FindsNames(Protocol):
    """What is tried as a tagger: a list of texts to a list of names for each."""

    def __call__(self, texts: Sequence[str], /) -> Iterable[Sequence[Any]]: ...


Made = Callable[[Path], Callable[[Sequence[str]], Iterable[Any]]]
"""Makes what answers texts, given an empty folder."""


def saved(folder: Path, architecture: str) -> Path:
    tokenizer = build_syllable_tokenizer(SENTENCES) if architecture.startswith("bilstm") else bert_tokenizer()
    return save(folder, build(architecture, len(tokenizer)), tokenizer)


def stock(folder: Path, tokenizer: Any, labels: Sequence[str]) -> Path:
    return save(folder, tiny_bert_tagger(tokenizer, labels), tokenizer)


def served(folder: Path) -> Callable[[Sequence[str]], Iterable[Any]]:
    """Return what asks a service within this process for names."""
    service = loaded_service([save_tiny_models(folder)["names"]], max_texts=1000, max_length=100_000)

    def answer(texts: Sequence[str]) -> Iterable[Any]:
        for text in texts:
            check_text(text)  # JSON that is UTF-8 has no half characters
        [response] = ask(service, lambda client: client.post("/v1/tag", json={"texts": [*texts]}))
        assert response.status_code == 200, response.text
        return [[Entity(**entity) for entity in found["entities"]] for found in response.json()["answers"]]

    return answer


# What runs models in another way is tried here too: a name, and what makes it from an empty folder. It takes a list of
# texts and gives an answer for each, with the fields of `Entity`, `SpacedText` or `Classification`.
TAGGERS: dict[str, Made] = {
    "BiLSTM-CRF": lambda folder: Tagger(saved(folder, "bilstm_crf")),
    "encoder with a CRF": lambda folder: Tagger(saved(folder, "encoder_crf")),
    "stock model of bytes": lambda folder: Tagger(stock(folder, byte_level_tokenizer(), NAMES)),
    "exported BiLSTM-CRF": lambda folder: Tagger(
        export_tiny(saved(folder / "model", "bilstm_crf"), folder / "exported")
    ),
    "service": served,
}
SPACERS: dict[str, Made] = {
    "BiLSTM-CRF": lambda folder: Spacer(
        save(
            folder,
            tiny_spacing_bilstm(build_syllable_tokenizer(SENTENCES)),
            build_syllable_tokenizer(SENTENCES),
        )
    ),
    "stock model": lambda folder: Spacer(stock(folder, bert_tokenizer(), SPACING_LABELS)),
}
CLASSIFIERS: dict[str, Made] = {
    "BiLSTM": lambda folder: Classifier(saved(folder, "bilstm")),
    "exported BiLSTM": lambda folder: Classifier(export_tiny(saved(folder / "model", "bilstm"), folder / "exported")),
    "stock model": lambda folder: Classifier(save(folder, tiny_bert_classifier(bert_tokenizer()), bert_tokenizer())),
}


def check_names(text: str, entities: Sequence[Any]) -> None:
    """Check that names lie in a text one after the other, at borders of its characters, invisible ones left out."""
    borders = {match.start() for match in CHARACTER.finditer(text)} | {len(text)}
    end = 0
    for entity in entities:
        assert end <= entity.start < entity.end <= len(text)
        first, last = entity.start, entity.end
        while first > 0 and INVISIBLE.match(text[first - 1]) and first not in borders:
            first -= 1
        while last < len(text) and (INVISIBLE.match(text[last]) or text[last] in SKIN_TONES) and last not in borders:
            last += 1
        assert {first, last} <= borders
        assert entity.text == text[entity.start : entity.end]
        assert entity.label in ("PS", "LC", "OG", "DT", "TI", "QT")
        assert 0 <= entity.score <= 1
        end = entity.end


def check_spaces(text: str, spaced: Any) -> None:
    """Check that nothing but spaces was changed, and that what is said of them is so."""
    assert spaced.text.replace(" ", "") == text.replace(" ", "")
    assert len(spaced.offsets) == len(spaced.text)
    assert all(spaced.text[i] == (" " if at is None else text[at]) for i, at in enumerate(spaced.offsets))
    kept = [at for at in spaced.offsets if at is not None]
    assert kept == sorted({*kept})
    assert [*spaced.removed] == sorted({*range(len(text))} - {*kept})
    borders = {match.start() for match in CHARACTER.finditer(spaced.text)}
    assert all(place in borders for place, at in enumerate(spaced.offsets) if at is None)


def check_class(text: str, found: Any) -> None:
    """Check that a class and its probabilities are such."""
    assert found.label in found.scores
    assert found.score == max(found.scores.values())
    assert all(0 <= score <= 1 for score in found.scores.values())
    assert abs(sum(found.scores.values()) - 1) < 1e-3


def answered(user: Callable[[Sequence[str]], Iterable[Any]], check: Callable[[str, Any], None]) -> Any:
    """Return a check of a batch of texts."""

    def examine(texts: Sequence[str]) -> None:
        answers = list(user(texts))
        assert len(answers) == len(texts)
        for text, answer in zip(texts, answers):
            check(text, answer)

    return examine


@pytest.mark.parametrize("name", TAGGERS)
def test_names_lie_at_borders_of_characters(tmp_path: Path, name: str) -> None:
    check = answered(TAGGERS[name](tmp_path), check_names)
    fuzz(check, random_text, cases=number_of_cases("names, tiny models") // 3)


@pytest.mark.parametrize("name", SPACERS)
def test_nothing_but_spaces_changes(tmp_path: Path, name: str) -> None:
    check = answered(SPACERS[name](tmp_path), check_spaces)
    fuzz(check, random_text, cases=number_of_cases("spaces, tiny models") // 2)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_are_such(tmp_path: Path, name: str) -> None:
    check = answered(CLASSIFIERS[name](tmp_path), check_class)
    fuzz(check, random_text, cases=number_of_cases("classes, tiny models") // 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "make", "check"),
    [("names", Tagger, check_names), ("spaces", Spacer, check_spaces), ("classes", Classifier, check_class)],
)
def test_models_of_the_package_answer_any_text(kind: str, make: Any, check: Any) -> None:
    cases = number_of_cases(f"{kind}, model of the package")
    fuzz(answered(make(), check), random_text, cases=cases)


@pytest.mark.parametrize("users", [TAGGERS, SPACERS, CLASSIFIERS])
def test_half_a_character_is_refused(tmp_path: Path, users: dict[str, Made]) -> None:
    for number, make in enumerate(users.values()):
        user = make(tmp_path / str(number))
        for text in ("\ud83d", "가\udfff나", "\udc00" * 50):
            with pytest.raises(UserError, match="is a lone surrogate, not a character"):
                list(user([text, "가"]))


def test_there_are_as_many_cases_as_is_said() -> None:
    factor = PROFILES["thorough"] // PROFILES["quick"]
    of_slow_tests = [cases for kind, cases in CASES.items() if "package" in kind or "convert" in kind]
    assert sum(CASES.values()) - sum(of_slow_tests) >= AT_LEAST["quick"]
    assert factor * sum(CASES.values()) >= AT_LEAST["thorough"]
