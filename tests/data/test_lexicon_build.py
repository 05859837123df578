import importlib.util
import lzma
import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mecab_dictionaries import sys_dic

from malmoi.data.lexicon import FOLDER, LexiconWords, read_bundled
from malmoi.data.lexicons.build import count_table, lexicon_of, main
from malmoi.data.lexicons.mecab_dictionary import DictionaryEntry, read_entries
from malmoi.data.lexicons.part_of_speech_classes import CLASSES, lexicon_class
from malmoi.data.user_error import UserError

ROOT = Path(__file__).parents[2]
ENTRIES = [
    ("IBM", "SL,*,*,*,*,*,*,*"),
    ("갔으니", "VV+EP+EC,*,F,갔으니,Inflect,VV,EC,가/VV/*+았/EP/*+으니/EC/*"),
    ("뉴욕 시", "NNP,지명,F,뉴욕 시,*,*,*,*"),
    ("보람", "NNG,*,T,보람,*,*,*,*"),
    ("보람", "NNP,인명,T,보람,*,*,*,*"),
    ("보람찬", "VA+ETM,*,T,보람찬,Inflect,VA,ETM,보람차/VA/*+ᆫ/ETM/*"),
    ("손흥민", "NNP,인명,T,손흥민,*,*,*,*"),
    ("알렉산드로스대왕폐하", "NNP,인명,F,알렉산드로스대왕폐하,*,*,*,*"),
    ("嶺木", "NNG,*,T,령목,*,*,*,*"),
]
PERSON, NOUN, VERB = (1 << CLASSES.index(name) for name in ("person", "noun", "verb"))
WORDS = {"갔으니": VERB, "보람": PERSON | NOUN, "보람찬": VERB, "손흥민": PERSON}
TABLE = """\
| class | words | 1 syllable | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| person | 2 | 0 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |
| place | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| name | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| noun | 1 | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| number | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| verb | 2 | 0 | 0 | 2 | 0 | 0 | 0 | 0 | 0 | 0 |
| adverb | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| particle | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| any of them | 4 | 0 | 1 | 3 | 0 | 0 | 0 | 0 | 0 | 0 |
"""


def as_file(data: bytes, folder: Path) -> Path:
    path = folder / "sys.dic"
    path.write_bytes(data)
    return path


def as_package(data: bytes, folder: Path) -> Path:
    (folder / "mecab_ko_dic" / "dictionary").mkdir(parents=True)
    (folder / "mecab_ko_dic" / "dictionary" / "sys.dic").write_bytes(data)
    return folder / "mecab_ko_dic"


def as_wheel(data: bytes, folder: Path) -> Path:
    path = folder / "python_mecab_ko_dic-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("mecab_ko_dic/dictionary/sys.dic", data)
    return path


@pytest.mark.parametrize("source", [as_file, as_package, as_wheel])
def test_a_dictionary_becomes_a_lexicon(
    source: Callable[[bytes, Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "lexicon.txt.xz"
    main([str(source(sys_dic(ENTRIES), tmp_path)), "--output", str(output)])
    assert read_bundled(output) == LexiconWords(CLASSES, WORDS)
    assert capsys.readouterr().out == TABLE
    assert lzma.decompress(output.read_bytes()).decode() == (
        f"classes\t{','.join(CLASSES)}\nperson\t손흥민\nperson,noun\t보람\nverb\t갔으니 보람찬\n"
    )


def test_the_same_dictionary_becomes_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.txt.xz" for number in range(2)]
    for entries, file in zip((ENTRIES, ENTRIES[::-1]), files):
        main([str(as_file(sys_dic(entries), tmp_path)), "--output", str(file)])
    assert files[0].read_bytes() == files[1].read_bytes()


@given(
    words=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
        st.lists(st.sampled_from(["NNG", "NNP", "VV+EC"]), min_size=1, max_size=3),
        min_size=1,
    )
)
def test_every_entry_is_read_as_it_was_written(words: dict[str, list[str]]) -> None:
    entries = [DictionaryEntry(word, tag, "인명") for word, tags in words.items() for tag in tags]
    data = sys_dic([(entry.word, f"{entry.part_of_speech},{entry.semantic_class},*,*") for entry in entries])
    assert list(read_entries(data)) == entries


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too short"),
        (sys_dic(ENTRIES)[:-1], "another beginning or length"),
        (b"\0" + sys_dic(ENTRIES)[1:], "another beginning or length"),
        (sys_dic(ENTRIES, charset=b"EUC-KR"), "Expected a dictionary in UTF-8, got one in b'EUC-KR'"),
    ],
)
def test_what_is_no_dictionary_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(read_entries(data))


def test_a_source_that_holds_no_dictionary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing\.whl: there is no such file"):
        main([str(tmp_path / "missing.whl")])
    with pytest.raises(UserError, match=r"sys\.dic: there is no such file"):
        main([str(tmp_path)])
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr("other.py", "")
    with pytest.raises(UserError, match=r"other\.whl: expected a wheel of python-mecab-ko-dic, but it holds no mecab"):
        main([str(tmp_path / "other.whl")])


@pytest.mark.parametrize(
    ("part_of_speech", "semantic_class", "name"),
    [
        ("NNP", "인명", "person"),
        ("NNP", "지명", "place"),
        ("NNP", "*", "name"),
        ("NNG", "행위", "noun"),
        ("NNB", "*", "noun"),
        ("NP+JX", "*", "noun"),
        ("NNB+VCP+EF", "*", "noun"),
        ("NNG+JKO", "*", None),
        ("NNP+VCP+EC", "*", None),
        ("NR", "*", "number"),
        ("NNBC", "*", "number"),
        ("NNBC+VCP+EC", "*", None),
        ("MM", "~가산명사", "number"),
        ("MM", "~명사", "adverb"),
        ("MAG", "성분부사|양태부사", "adverb"),
        ("MAG+JX", "*", "adverb"),
        ("IC", "*", "adverb"),
        ("VX", "*", "verb"),
        ("XSA+ETM", "*", "verb"),
        ("XR", "*", "verb"),
        ("XR+XSA+ETM", "*", "verb"),
        ("VV+EC+VX+EP+EC+JX", "*", "verb"),
        ("VV+ETM+NNB+VCP+EF", "*", None),
        ("JKB+JX", "*", "particle"),
        ("VCP+EF", "*", "particle"),
        ("EC+VX+EF", "*", "particle"),
        ("EC+VV+EF", "*", None),
        ("XSN", "*", None),
        ("XPN", "*", None),
        ("SL", "*", None),
        ("NA", "*", None),
    ],
)
def test_a_class_holds_what_its_name_says(part_of_speech: str, semantic_class: str, name: str | None) -> None:
    assert lexicon_class(DictionaryEntry("가", part_of_speech, semantic_class)) == name


def test_the_command_says_in_one_line_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["build", "missing.whl"])
    with pytest.raises(SystemExit, match=r"^malmoi: missing\.whl: there is no such file\.$"):
        runpy.run_path(str(FOLDER / "build.py"), run_name="__main__")


def real_dictionary() -> Path:
    """Return the dictionary that `make lexicon` has downloaded, or that is installed."""
    wheels = sorted((ROOT / "build" / "lexicon").glob("python_mecab_ko_dic-2.1.1.post2-*.whl"))
    if wheels:
        return wheels[0]
    spec = importlib.util.find_spec("mecab_ko_dic")
    if spec is None or spec.origin is None:
        pytest.skip("python-mecab-ko-dic is neither downloaded (make lexicon) nor installed")
    return Path(spec.origin).parent


@pytest.mark.slow
def test_the_bundled_lexicon_is_made_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mecab-ko-dic.txt.xz"
    main([str(real_dictionary()), "--output", str(output)])
    made, bundled = (lzma.decompress(path.read_bytes()) for path in (output, FOLDER / output.name))
    assert made == bundled  # another version of liblzma may compress it otherwise
    assert capsys.readouterr().out.splitlines() == count_table(read_bundled(output))


def test_a_word_is_hangul_of_at_most_nine_syllables() -> None:
    words = ["가", "가나다라마바사아자", "가나다라마바사아자차", "가 나", "ㄱ", "가1", "A", "家", ""]
    found = lexicon_of(DictionaryEntry(word, "NNG", "*") for word in words)
    assert list(found.words) == words[:2]
