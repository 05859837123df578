"""Invisible characters and emoji: where characters become tokens, and where tokens become names."""

import copy
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    byte_level_tokenizer,
    knowing_bert_tagger,
    save,
    sentencepiece_tokenizer,
)
from transformers import AutoTokenizer, PreTrainedTokenizerBase, pipeline

from malmoi.data.character_tokenizer import split_into_characters, without_invisible
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.inference.tagger import Tagger
from malmoi.modeling import name_edges
from malmoi.modeling.name_edges import CHARACTER, trim_name
from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

INVISIBLE = [
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202c\u202e\u2066\u2069\u061c\ufe00\ufe0e\ufe0f",
    *"\u034f\u180b\u180e\u115f\u1160\u3164\uffa0\u206a\U000e0100\U000e01ef\U000e0020\U000e007f",
    *"\ufff9\ufffa\ufffb\0\b\x1b\x7f\x80\x9f",
]
EMOJI = ["😀", "❤️", "👨‍👩‍👧", "👍🏽", "🇰🇷", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️‍🔥", "🏽", "♥"]
LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
TEXTS = SENTENCES + ["😀 👨‍👩‍👧 👍🏽 🇰🇷 e\u0301 ㅋㅋ"] * 2
OURS = {
    "syllables": build_syllable_tokenizer(TEXTS),
    "wordpiece": build_wordpiece_tokenizer(TEXTS, vocab_size=300),
    **{
        f"{name}-characters": split_into_characters(plain)
        for name, plain in (
            ("syllables", build_syllable_tokenizer(TEXTS)),
            ("wordpiece", build_wordpiece_tokenizer(TEXTS, vocab_size=300)),
            ("bert", bert_tokenizer()),
            ("byte-level", byte_level_tokenizer()),
            ("sentencepiece", sentencepiece_tokenizer()),
        )
    },
    **{
        name: without_invisible(make())
        for name, make in (
            ("bert", bert_tokenizer),
            ("byte-level", byte_level_tokenizer),
            ("sentencepiece", sentencepiece_tokenizer),
        )
    },
}
# joiners hold emoji together, so those are kept away from them here
PLAIN_TEXT = st.text(
    st.one_of(st.sampled_from("손흥민은 춘천에서 abc1.ㅋ\u1112\u1161\u11ab\u0301 \n"), st.characters(codec="cp949")),
    max_size=30,
)


def with_invisible(text: str, random: Random) -> tuple[str, list[int]]:
    """Return a text with invisible characters anywhere in it, and where its own characters are now."""
    parts: list[str] = []
    places = []
    for character in [*text, ""]:
        parts += random.choices(INVISIBLE, k=random.choice([0, 0, 1, 2]))
        places.append(len(parts))
        parts.append(character)
    return "".join(parts), places[:-1]


@pytest.mark.parametrize("name", OURS)
@given(text=PLAIN_TEXT, random=st.randoms())
@example(text="손흥민은\r\n춘천에서", random=Random(0))
@settings(max_examples=examples(60))
def test_invisible_characters_change_no_token(name: str, text: str, random: Random) -> None:
    # the name of a special token is that token as long as it is whole
    assume(not any(special in text for special in OURS[name].all_special_tokens))
    odd, places = with_invisible(text, random)
    plain, found = (OURS[name](whole, return_offsets_mapping=True) for whole in (text, odd))
    assert found["input_ids"] == plain["input_ids"]
    for (start, end), (odd_start, odd_end) in zip(plain["offset_mapping"], found["offset_mapping"], strict=True):
        if start < end:
            assert (odd_start, odd_end) == (places[start], places[end - 1] + 1)


@pytest.mark.parametrize("name", OURS)
def test_a_saved_tokenizer_has_the_rule_too(name: str, tmp_path: Path) -> None:
    OURS[name].save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "\ufeff손\u200b흥\ufe0f민\u00ad은 👨‍👩‍👧\u200f춘천에서"
    assert loaded(text, return_offsets_mapping=True) == OURS[name](text, return_offsets_mapping=True)
    assert loaded(text)["input_ids"] == loaded("손흥민은 👨‍👩‍👧춘천에서")["input_ids"]


@pytest.mark.parametrize("make", [bert_tokenizer, byte_level_tokenizer, sentencepiece_tokenizer])
def test_tokenizers_of_others_stay_as_they_are_otherwise(
    make: Callable[[], PreTrainedTokenizerBase], tmp_path: Path
) -> None:
    plain = make()
    plain.model_max_length = 77
    changed = without_invisible(plain)
    save(tmp_path, knowing_bert_tagger(changed, LABELS, {}), changed)
    for tokenizer in (changed, AutoTokenizer.from_pretrained(tmp_path)):
        for text in [*SENTENCES, "", " ", "ABC [SEP] 😀 \u1112\u1161\u11ab"]:
            assert tokenizer(text, return_offsets_mapping=True) == plain(text, return_offsets_mapping=True)
        assert tokenizer(*SENTENCES[:2]) == plain(*SENTENCES[:2])
        assert tokenizer.special_tokens_map == plain.special_tokens_map
        assert tokenizer.model_max_length == 77
        assert len(tokenizer) == len(plain)


@pytest.mark.parametrize("name", OURS)
def test_a_tokenizer_with_the_rule_is_taken_as_it_is(name: str) -> None:
    assert without_invisible(OURS[name]) is OURS[name]


def test_an_emoji_is_one_token_of_syllables() -> None:
    for emoji in EMOJI:
        offsets = OURS["syllables"](f"손{emoji}은", return_offsets_mapping=True)["offset_mapping"]
        assert [start for start, _ in offsets] == [0, 1, 1 + len(emoji)], ascii(emoji)
    known = OURS["syllables"]
    assert known.unk_token_id not in known("👨‍👩‍👧👍🏽🇰🇷😀")["input_ids"]
    assert known("👨‍👩‍👧")["input_ids"] != known("👨👩👧")["input_ids"]


def test_an_unknown_emoji_hides_no_word_of_ours() -> None:
    tokenizer = OURS["wordpiece"]
    whole = tokenizer("손흥민은", add_special_tokens=False)["input_ids"]
    for emoji in ("🦑", "🇯🇵", "❤️"):
        ids = tokenizer(f"손흥민은{emoji}손흥민은", add_special_tokens=False)["input_ids"]
        assert ids == [*whole, tokenizer.unk_token_id, *whole]


# what the tokenizers of before this rule gave for ordinary text
GOLDEN = json.loads((Path(__file__).parent / "golden_tokens.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["syllables", "wordpiece"])
def test_ordinary_text_has_the_tokens_that_it_always_had(name: str) -> None:
    texts = GOLDEN["texts"]
    tokenizer = (
        build_syllable_tokenizer(texts, min_frequency=1)
        if name == "syllables"
        else build_wordpiece_tokenizer(texts, vocab_size=150)
    )
    assert tokenizer.get_vocab() == GOLDEN[name]["vocabulary"]
    for text, expected in zip(texts, GOLDEN[name]["tokens"], strict=True):
        encoded = tokenizer(text, return_offsets_mapping=True)
        assert encoded["input_ids"] == expected["input_ids"]
        assert [list(pair) for pair in encoded["offset_mapping"]] == expected["offsets"]


def test_old_tokenizers_behave_as_they_did(tmp_path: Path) -> None:
    """A file without the rule is loaded as it is."""
    old = copy.deepcopy(OURS["syllables"])
    normalizer = old.backend_tokenizer.normalizer
    written = json.loads(old.backend_tokenizer.to_str())
    written["normalizer"]["normalizers"] = written["normalizer"]["normalizers"][2:]
    assert normalizer is not None
    old.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(json.dumps(written), encoding="utf-8")
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded("손\u200b흥", return_offsets_mapping=True)["offset_mapping"] == [(0, 1), (1, 2), (2, 3)]


@pytest.fixture(scope="module")
def name_tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    """A tagger that knows 손흥민, and takes whatever it does not know, such as emoji, for a part of names."""
    tokenizer = build_syllable_tokenizer(SENTENCES)
    label_of = {"손": "B-PS", "흥": "I-PS", "민": "I-PS", "[UNK]": "I-PS"}
    label_of = {unicodedata.normalize("NFD", token): label for token, label in label_of.items()}
    folder = tmp_path_factory.mktemp("names")
    return Tagger(save(folder, knowing_bert_tagger(tokenizer, LABELS, label_of), tokenizer))


def names(tagger: Tagger, text: str) -> list[tuple[int, int, str]]:
    [entities] = tagger.tag([text])
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    return [(entity.start, entity.end, entity.text) for entity in entities]


@pytest.mark.parametrize("mark", INVISIBLE, ids=lambda mark: f"U+{ord(mark):04X}")
def test_an_invisible_character_neither_hides_a_name_nor_gets_into_it(name_tagger: Tagger, mark: str) -> None:
    assert names(name_tagger, f"{mark}손흥민은") == [(1, 4, "손흥민")]
    assert names(name_tagger, f"손흥민{mark}은") == [(0, 3, "손흥민")]
    assert names(name_tagger, f"손흥민은 {mark}") == [(0, 3, "손흥민")]
    assert names(name_tagger, f"손{mark}흥{mark}{mark}민은") == [(0, 6, f"손{mark}흥{mark}{mark}민")]


@pytest.mark.parametrize("emoji", EMOJI, ids=ascii)
def test_a_name_takes_no_emoji_with_it(name_tagger: Tagger, emoji: str) -> None:
    for spelled in ("손흥민", unicodedata.normalize("NFD", "손흥민")):
        end = len(spelled)
        assert names(name_tagger, f"{spelled}{emoji}은") == [(0, end, spelled)]
        assert names(name_tagger, f"{spelled}{emoji}{emoji}") == [(0, end, spelled)]
        start = len(f"서울{emoji}")
        assert names(name_tagger, f"서울{emoji}{spelled}은") == [(start, start + end, spelled)]
    assert names(name_tagger, emoji) == []


@given(
    parts=st.lists(
        st.one_of(st.sampled_from(["손흥민", "은 ", "서울", *EMOJI, *INVISIBLE]), st.characters(codec="utf-8")),
        max_size=12,
    )
)
@settings(max_examples=examples(150))
def test_names_end_between_visible_characters(name_tagger: Tagger, parts: list[str]) -> None:
    text = "".join(parts)
    borders = {match.start() for match in CHARACTER.finditer(text)} | {len(text)}
    for start, end, name in names(name_tagger, text):
        # invisible characters and skin tones cling to any character, but not to a name
        after = regex.match(rf"(?:{name_edges.INVISIBLE.pattern}|\p{{Emoji_Modifier}})*", text, pos=end)
        assert start in borders
        assert borders & set(range(end, after.end() + 1))
        assert not name_edges.INVISIBLE.match(name[0])
        assert not name_edges.INVISIBLE.match(name[-1])
        assert not regex.search(r"^\p{Emoji_Presentation}|\p{Emoji_Presentation}$", name)


@given(text=st.text(st.sampled_from("손흥민은 서울😀에"), max_size=20), random=st.randoms())
def test_names_stay_where_they_are_when_invisible_characters_come(
    name_tagger: Tagger, text: str, random: Random
) -> None:
    odd, places = with_invisible(text, random)
    expected = [(places[start], places[end - 1] + 1) for start, end, _ in names(name_tagger, text)]
    assert [(start, end) for start, end, _ in names(name_tagger, odd)] == expected


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("ᄏᄏ홍진호도", (2, 5), (2, 5)),  # laughter in conjoining jamo is no part of the syllable after it
        ("갓무스ᅮᅮ", (0, 3), (0, 3)),
        ("e\u0301a는", (1, 3), (2, 3)),
        ("ae\u0301는", (0, 2), (0, 3)),
        ("\u1112\u1161\u11ab은", (0, 1), (0, 3)),
        ("하\u11ab은", (0, 1), (0, 2)),
        ("क\u094dष", (0, 2), (0, 3)),
        ("손흥민 😀", (0, 5), (0, 3)),
        ("손😀민", (0, 3), (0, 3)),
        (" 😀 ", (0, 3), (0, 0)),
        ("\u200b \u200b은", (0, 3), (0, 0)),
        (" 😀 손", (0, 4), (0, 4)),
        ("1992\ufe0f년", (0, 4), (0, 4)),
        ("삼성™은", (0, 3), (0, 3)),
        ("삼성™\ufe0f은", (0, 4), (0, 2)),
        ("Kim🏽은", (0, 4), (0, 3)),
        ("Kim🏽은", (0, 3), (0, 3)),
        ("손👍🏽은", (0, 3), (0, 1)),
        ("1\u0600😀", (0, 3), (0, 1)),  # a sign that is written before a number makes one character with what follows
        ("\ufeff\u200b", (0, 2), (0, 0)),
        ("손", (0, 1), (0, 1)),
    ],
)
def test_edges_of_names(text: str, span: tuple[int, int], expected: tuple[int, int]) -> None:
    assert trim_name(text, *span) == expected


@pytest.mark.parametrize("make_tokenizer", [bert_tokenizer, byte_level_tokenizer])
def test_the_rule_holds_for_tokenizers_of_others(
    tmp_path: Path, make_tokenizer: Callable[[], PreTrainedTokenizerBase]
) -> None:
    """Everything is a name here, also in pieces smaller than a character."""
    tokenizer = make_tokenizer()
    model = knowing_bert_tagger(tokenizer, ["O", "B-PS", "I-PS"], {})
    tagger = Tagger(save(tmp_path, model, tokenizer))
    tagger.labels = {0: "O", 1: "B-PS", 2: "B-PS"}
    for text in ("😀손흥민😀", "손흥민👨‍👩‍👧", "\u200b손\u200b흥민\ufe0f"):
        found = names(tagger, text)
        assert "".join(name for _, _, name in found).replace("\u200b", "") in ("손흥민", "")
        assert all(name in "손흥민" or name == "손\u200b흥민" for _, _, name in found)


@pytest.mark.parametrize("text", ["손흥민😀은", "\u200b손\u200b흥민\u200d은", "😀", "손흥민 👨‍👩‍👧👍🏽"])
def test_the_pipeline_that_travels_gives_the_same_names(make_model, text: str) -> None:  # type: ignore[no-untyped-def]
    tokenizer = build_syllable_tokenizer(SENTENCES)
    model = make_model(vocab_size=len(tokenizer), labels=LABELS)
    model.classifier.bias.data[LABELS.index("I-PS")] += 1000
    tagger = pipeline(
        "token-classification",
        model=model,
        tokenizer=tokenizer,
        pipeline_class=CrfTokenClassificationPipeline,
        aggregation_strategy="simple",
    )
    start, end = trim_name(text, 0, len(text))
    found = [(entity["start"], entity["end"], entity["word"]) for entity in tagger(text)]
    assert found == ([(start, end, text[start:end])] if start < end else [])
    assert not text[start:end].endswith(("😀", "\u200d", "🏽"))
