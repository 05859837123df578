import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.lexicon import (
    BUNDLED,
    FOLDER,
    LexiconWords,
    matched_form,
    merge_lexicons,
    read_bundled,
    read_lexicon,
    write_bundled,
)
from malmoi.data.lexicons.build import count_table
from malmoi.data.user_error import UserError

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\t\r\n"), min_size=1, max_size=9).filter(
    matched_form
)
NAMES = st.sampled_from(["PS", "LC", "other name", "가"])


def write(folder: Path, content: str | bytes) -> str:
    path = folder / "words.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def names_of(lexicon: LexiconWords) -> dict[str, set[str]]:
    """Return the names of the classes of each word."""
    assert all(0 < bits < 1 << len(lexicon.classes) for bits in lexicon.words.values())
    return {
        word: {name for index, name in enumerate(lexicon.classes) if bits >> index & 1}
        for word, bits in lexicon.words.items()
    }


def test_a_file_has_a_word_and_a_class_a_line(tmp_path: Path) -> None:
    content = "# players\n손흥민\tPS\n춘천\tLC\n\n \n이천\tLC\n이천\tQT\n#\tSY\n이천\tLC\n조너선 글릭먼\t PS \n"
    lexicon = read_lexicon(write(tmp_path, content))
    assert lexicon == LexiconWords(
        ("PS", "LC", "QT", "SY"), {"손흥민": 1, "춘천": 2, "이천": 6, "#": 8, "조너선글릭먼": 1}
    )


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff손흥민\tPS\n춘천\tLC",
        "손흥민\tPS\r\n춘천\tLC\r\n",
        unicodedata.normalize("NFD", "손흥민\tPS\n춘천\tLC\n"),
        "손\u200b흥\u00a0민 \tPS\n\u200b춘천\tL\u200bC\n",
    ],
)
def test_what_looks_the_same_is_the_same(content: str, tmp_path: Path) -> None:
    assert read_lexicon(write(tmp_path, content)) == LexiconWords(("PS", "LC"), {"손흥민": 1, "춘천": 2})


@given(rows=st.lists(st.tuples(WORDS, NAMES), min_size=1))
def test_every_word_is_in_the_classes_of_all_its_lines(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [(word, name) for word, name in rows if not word.lstrip("\ufeff").startswith("# ")] or [("가", "PS")]
    content = "".join(f"{word}\t{name}\n" for word, name in rows)
    lexicon = read_lexicon(write(tmp_path_factory.mktemp("words"), content))
    assert lexicon.classes == tuple(dict.fromkeys(name for _, name in rows))
    expected: dict[str, set[str]] = {}
    for word, name in rows:
        expected.setdefault(matched_form(word), set()).add(name)
    assert names_of(lexicon) == expected


@given(content=st.one_of(st.binary(), st.text("가# \tPSL\n\r\ufeff").map(str.encode)))
def test_any_file_is_read_or_its_fault_is_said(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = write(tmp_path_factory.mktemp("words"), content)
    fault, lexicon = "", None
    try:
        lexicon = read_lexicon(file)
    except UserError as error:
        fault = str(error)
    if lexicon is None:
        assert fault.startswith(file)
        assert "\n" not in fault
    else:
        assert lexicon.words
        assert set.union(*names_of(lexicon).values()) == set(lexicon.classes)
        assert all(word == matched_form(word) for word in lexicon.words)


@given(text=st.text())
def test_a_matched_form_has_no_spaces_and_is_its_own(text: str) -> None:
    form = matched_form(text)
    assert matched_form(form) == form
    assert not re.search(r"\s", form)
    assert matched_form(" ".join(form)) == form


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("# players\n\n", "expected a word, a tab and its class in each line, found no such line"),
        ("손흥민\tPS\n손흥민 PS\n", "line 2: expected a word, a tab and its class, got '손흥민 PS'"),
        ("손흥민\tPS\t1\n", "line 1: expected a word, a tab and its class, got "),
        ("손흥민\t \n", "line 1: expected a word, a tab and its class, but the class is empty: "),
        ("\u200b\tPS\n", "line 1: expected a word, a tab and its class, but the word is empty: "),
        ("손흥민\tPS\n".encode("cp949"), "line 1: expected UTF-8, .* CP949"),
        (
            "".join(f"가\tC{n}\n" for n in range(31)) + "나\tC0\n다\tC31\n",
            "line 33: expected at most 31 classes in the file, got one more: 'C31'",
        ),
    ],
)
def test_a_fault_is_named_with_file_and_line(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"words\.tsv(: |, ){message}"):
        read_lexicon(write(tmp_path, content))


def test_there_may_be_31_classes(tmp_path: Path) -> None:
    lexicon = read_lexicon(write(tmp_path, "".join(f"가\tC{n}\n" for n in range(31))))
    assert lexicon.words == {"가": 2**31 - 1}


@pytest.mark.parametrize("name", ["mecab_ko_dic", "words.tsv", "folder"])
def test_what_exists_is_said_where_a_lexicon_does_not(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    found = "this is a folder" if path.is_dir() else "there is no such file"
    with pytest.raises(UserError, match=rf"{name}: expected mecab-ko-dic, .* or a file with a word.*, but {found}\."):
        read_lexicon(str(path))


def test_a_file_with_the_name_of_a_bundled_lexicon_needs_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mecab-ko-dic").write_text("손흥민\tPS\n", encoding="utf-8")
    assert read_lexicon("./mecab-ko-dic").classes == ("PS",)
    assert "person" in read_lexicon("mecab-ko-dic").classes


def test_lexicons_are_merged_by_the_names_of_their_classes() -> None:
    first = LexiconWords(("PS", "LC"), {"이천": 2, "보람": 1})
    second = LexiconWords(("QT", "LC", "PS"), {"이천": 1, "춘천": 2, "나라": 6})
    merged = merge_lexicons([first, second])
    assert merged == LexiconWords(("PS", "LC", "QT"), {"이천": 6, "보람": 1, "춘천": 2, "나라": 3})
    assert first.words == {"이천": 2, "보람": 1}
    assert merge_lexicons([first]) == first
    assert merge_lexicons([]) == LexiconWords((), {})


LEXICONS = st.builds(
    lambda classes, words: LexiconWords(
        tuple(classes), {word: 1 + bits % (2 ** len(classes) - 1) for word, bits in words.items()}
    ),
    st.lists(st.sampled_from("ABCDEF"), min_size=1, unique=True),
    st.dictionaries(st.text("가나다", min_size=1, max_size=3), st.integers(0, 1000)),
)


@given(lexicons=st.lists(LEXICONS))
def test_a_merged_word_has_its_classes_of_all_lexicons(lexicons: list[LexiconWords]) -> None:
    expected: dict[str, set[str]] = {}
    for lexicon in lexicons:
        for word, names in names_of(lexicon).items():
            expected[word] = expected.get(word, set()) | names
    assert names_of(merge_lexicons(lexicons)) == expected


def test_too_many_classes_together_are_refused() -> None:
    lexicons = [LexiconWords((f"C{number}",), {"가": 1}) for number in range(32)]
    assert merge_lexicons(lexicons[:31]).words == {"가": 2**31 - 1}
    with pytest.raises(UserError, match="at most 31 classes in all lexicons together, got 32"):
        merge_lexicons(lexicons)


@given(lexicon=LEXICONS)
def test_a_bundled_lexicon_is_read_as_it_was_written(
    lexicon: LexiconWords, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bundled")
    write_bundled(lexicon, folder / "a.txt.xz")
    assert read_bundled(folder / "a.txt.xz") == lexicon
    turned = LexiconWords(lexicon.classes, dict(reversed(lexicon.words.items())))
    write_bundled(turned, folder / "b.txt.xz")
    assert (folder / "a.txt.xz").read_bytes() == (folder / "b.txt.xz").read_bytes()


@pytest.fixture(scope="module")
def mecab_ko_dic() -> LexiconWords:
    return read_lexicon("mecab-ko-dic")


def test_the_bundled_lexicons_are_those_that_lie_there() -> None:
    assert {path.name for path in FOLDER.glob("*.xz")} == {f"{name}.txt.xz" for name in BUNDLED}
    assert {path.stem for path in FOLDER.glob("*.md")} == set(BUNDLED)


def test_the_words_of_the_bundled_lexicon_are_hangul(mecab_ko_dic: LexiconWords) -> None:
    assert mecab_ko_dic.classes == ("person", "place", "name", "noun", "number", "verb", "adverb", "particle")
    assert all(re.fullmatch("[가-힣]{1,9}", word) for word in mecab_ko_dic.words)
    assert {bits for bits in mecab_ko_dic.words.values() if not 0 < bits < 256} == set()


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("손흥민", {"person"}),
        ("춘천", {"noun", "place"}),
        ("서울특별시", {"place"}),
        ("사랑", {"noun", "person", "place"}),
        ("때문", {"noun"}),
        ("킬로그램", {"noun", "number"}),
        ("깨끗", {"verb"}),
        ("밝혀졌으나", {"verb"}),
        ("습니다", {"particle"}),
        ("잖습니까", {"particle"}),
        ("그건", {"noun"}),
        ("겁니다", {"noun"}),
        ("령목", set()),  # the reading of 嶺木, and no word
        ("할겁니다", set()),
        ("얘긴", set()),
    ],
)
def test_what_is_known_of_a_word(word: str, names: set[str], mecab_ko_dic: LexiconWords) -> None:
    bits = mecab_ko_dic.words.get(word, 0)
    assert {name for index, name in enumerate(mecab_ko_dic.classes) if bits >> index & 1} == names


def test_the_card_says_what_is_there(mecab_ko_dic: LexiconWords) -> None:
    card = (FOLDER / "mecab-ko-dic.md").read_text(encoding="utf-8")
    assert "\n".join(count_table(mecab_ko_dic)) in card
    assert f"\n{len(mecab_ko_dic.words):,} Korean words" in card
    named = re.findall(r"^\| (\w+) \| \D", card, re.MULTILINE)
    assert [name for name in named if name != "class"] == list(mecab_ko_dic.classes)
