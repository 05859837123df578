from pathlib import Path
from typing import Any

import pytest

from malmoi.benchmarks.added_words import main, measure, unknown_names
from malmoi.data.user_error import UserError
from malmoi.inference.found_names import Entity


def row(text: str, *names: tuple[int, int, str]) -> dict[str, Any]:
    return {"text": text, "entities": [{"start": start, "end": end, "label": label} for start, end, label in names]}


ROWS = [row("뷁 뷁이 서울에 왔다.", (0, 3, "PS"), (5, 7, "LC")), row("꿻꿻에 3명", (0, 2, "LC"), (4, 6, "QT"))]


def test_what_is_known_is_known_in_any_spacing_and_other_labels_have_no_words() -> None:
    labels = {"PS", "LC"}
    assert unknown_names(ROWS, known={"서울"}, labels=labels) == {"PS": {"뷁 뷁"}, "LC": {"꿻꿻"}}
    assert unknown_names(ROWS, known={"서울", "뷁뷁"}, labels=labels) == {"LC": {"꿻꿻"}}


def test_recall_is_that_of_the_words_and_f1_that_of_all_names() -> None:
    class Answers:
        def __call__(self, texts: list[str]) -> list[list[Entity]]:
            found = [[(0, 3, "PS"), (5, 7, "OG")], [(4, 6, "QT")]]
            return [
                [Entity(start, end, label, 1.0, text[start:end]) for start, end, label in names]
                for text, names in zip(texts, found)
            ]

    words = {"PS": {"뷁 뷁"}, "LC": {"꿻꿻"}}
    figures = measure(Answers(), ROWS, words)  # type: ignore[arg-type]
    assert figures == {
        "LC found, %": 0,
        "PS found, %": 100,
        "all found, %": 50,
        "of": 2,
        "entity_f1": pytest.approx(100 * 2 * 2 / (3 + 4)),
    }


def test_names_are_told_to_the_model_of_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.txt").write_text("<손흥민:PS>은 왔다.\n", encoding="utf-8")
    told = "<손흥민:PS>과 <강가나다:PS>은 <라마바동:LC>에서 만났다.\n"
    (tmp_path / "validation.txt").write_text(told, encoding="utf-8")
    main(["--data_dir", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "before" in printed
    assert "told" in printed
    assert "LC found, %" in printed


def test_a_model_without_a_lexicon_is_told_nothing(tmp_path: Path, saved_model: Path) -> None:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text(f"<{name}강가나:PS>은 왔다.\n", encoding="utf-8")
    with pytest.raises(UserError, match="no lexicon to add names to"):
        main(["--data_dir", str(tmp_path), "--model", str(saved_model)])
