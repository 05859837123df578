"""Vectors from files and encoders must reach the right rows; a wrong file must be named with its line."""

import gzip
import importlib.util
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, BertConfig, BertModel, PreTrainedTokenizerFast

from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.embeddings import word_vectors
from malmoi.embeddings.pretrained_embeddings import PretrainedEmbeddings, load_embeddings, set_embeddings
from malmoi.modeling import BiLstmCrfForTokenClassification

if sys.version_info >= (3, 14):
    pytest.skip("gensim has no wheel for Python 3.14", allow_module_level=True)
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model

WORDS = ["서", "울", "은", "##은", "</s>", "[UNK]", "zz"]
VECTORS = np.array([[row + 0.25, -0.5 * row, 0.75] for row in range(len(WORDS))], dtype=np.float32)
ROWS = "".join(f"{word} {' '.join(map(str, vector))}\n" for word, vector in zip(WORDS, VECTORS))
WORD2VEC = f"{len(WORDS)} 3\n{ROWS}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """A function that writes a file and returns its name."""

    def write(content: str | bytes, name: str = "vectors") -> str:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return str(tmp_path / name)

    return write


def keyed_vectors() -> KeyedVectors:
    keyed = KeyedVectors(3)
    keyed.add_vectors(WORDS, VECTORS)
    return keyed


def word2vec_binary(folder: Path) -> bytes:
    keyed_vectors().save_word2vec_format(str(folder / "saved"), binary=True)
    return (folder / "saved").read_bytes()


def fasttext_model() -> FastText:
    return FastText(sentences=[["서", "울", "서울"]] * 20, vector_size=4, min_count=1, bucket=10, epochs=1, workers=1)


def fasttext_binary(folder: Path) -> bytes:
    save_facebook_model(fasttext_model(), str(folder / "saved"))
    return (folder / "saved").read_bytes()


def vector_of(embeddings: PretrainedEmbeddings, tokenizer: PreTrainedTokenizerFast, token: str) -> list[float]:
    row = embeddings.token_ids.index(tokenizer.get_vocab()[token])
    return embeddings.vectors[row].tolist()


def test_a_text_file_is_read_with_header_and_without(write, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    for content in (WORD2VEC, ROWS, WORD2VEC.replace("\n", " \r\n")):
        embeddings = load_embeddings(write(content), syllable_tokenizer)
        assert (embeddings.width, embeddings.vocab_size) == (3, len(syllable_tokenizer))
        # the vocabulary is decomposed, the file composed
        for word in ("서", "울", "은"):
            expected = VECTORS[WORDS.index(word)].tolist()
            assert vector_of(embeddings, syllable_tokenizer, normalize("NFD", word)) == expected
        assert len(embeddings.token_ids) == 3
        assert embeddings.token_ids == sorted(embeddings.token_ids)


def test_all_ways_to_store_vectors_give_the_same(write, syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    expected = load_embeddings(write(WORD2VEC), syllable_tokenizer)
    binary = word2vec_binary(tmp_path)
    with_line_feeds = bytearray(binary.partition(b"\n")[0] + b"\n")  # as the original program writes it
    for word, vector in zip(WORDS, VECTORS):
        with_line_feeds += word.encode() + b" " + vector.tobytes() + b"\n"
    assert len(with_line_feeds) == len(binary) + len(WORDS)
    for name, content in {
        "text.gz": gzip.compress(WORD2VEC.encode()),
        "binary.gz": gzip.compress(binary, mtime=0),
        "named-text.vec": binary,
        "original.bin": bytes(with_line_feeds),
        "decomposed": normalize("NFD", WORD2VEC),
    }.items():
        embeddings = load_embeddings(write(content, name), syllable_tokenizer)
        assert torch.equal(embeddings.vectors, expected.vectors), name
        assert embeddings.token_ids == expected.token_ids


def test_of_two_spellings_of_a_word_the_first_counts(write, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    content = f"서 1 2\n{normalize('NFD', '서')} 3 4\n서 5 6\n"
    embeddings = load_embeddings(write(content), syllable_tokenizer)
    assert embeddings.vectors.tolist() == [[1, 2]]


def test_only_words_in_the_dictionary_of_a_fasttext_model_count(syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "model.bin"
    path.write_bytes(fasttext_binary(tmp_path))
    embeddings = load_embeddings(str(path), syllable_tokenizer)
    words = {normalize("NFC", word) for word in syllable_tokenizer.convert_ids_to_tokens(embeddings.token_ids)}
    assert words == {"서", "울"}
    expected = torch.tensor(fasttext_model().wv["서"])
    torch.testing.assert_close(
        torch.tensor(vector_of(embeddings, syllable_tokenizer, normalize("NFD", "서"))), expected
    )


def test_the_continuation_of_a_word_is_looked_up_with_its_mark_first(write, wordpiece_tokenizer) -> None:  # type: ignore[no-untyped-def]
    vocabulary = wordpiece_tokenizer.get_vocab()
    assert {"##은", "##서"} <= set(vocabulary)
    embeddings = load_embeddings(write(WORD2VEC), wordpiece_tokenizer)
    assert vector_of(embeddings, wordpiece_tokenizer, "##은") == VECTORS[WORDS.index("##은")].tolist()
    assert vector_of(embeddings, wordpiece_tokenizer, "##서") == VECTORS[WORDS.index("서")].tolist()
    assert not set(embeddings.token_ids) & set(wordpiece_tokenizer.all_special_ids)


def test_coverage_counts_vocabulary_and_occurrences(write, wordpiece_tokenizer) -> None:  # type: ignore[no-untyped-def]
    embeddings = load_embeddings(write("은 1 2\n"), wordpiece_tokenizer)
    ids = wordpiece_tokenizer.convert_tokens_to_ids
    cls, unknown, found, other = ids(["[CLS]", "[UNK]", "##은", "##서"])
    coverage = embeddings.coverage([[cls, found, found, unknown], [cls, other]])
    assert coverage.occurrences == 2 / 4
    textless = 4  # padding, [CLS], [SEP], [MASK]
    assert coverage.vocabulary == len(embeddings.token_ids) / (len(wordpiece_tokenizer) - textless)
    assert embeddings.coverage([]).occurrences == 0


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2), st.booleans(), st.booleans())
def test_numbers_survive_a_text_file(
    tmp_path_factory: pytest.TempPathFactory,
    syllable_tokenizer: PreTrainedTokenizerFast,
    numbers: list[float],
    header: bool,
    decomposed: bool,
) -> None:
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    row = normalize("NFD" if decomposed else "NFC", f"서 {numbers[0]!r} {numbers[1]!r}\n")
    path.write_text("1 2\n" * header + row, encoding="utf-8")
    assert load_embeddings(str(path), syllable_tokenizer).vectors.tolist() == [numbers]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "vectors: the file is empty."),
        ("0 3\n", "line 1: expected a number of vectors and a width above 0, got 0 and 3."),
        ("2 0\n서\n울\n", "line 1: expected a number of vectors and a width above 0, got 2 and 0."),
        ("3 2\n서 1 2\n울 1 2\n", "line 1: the header promises 3 vectors, but 2 follow."),
        ("1 2\n서 1 2\n울 1 2\n", "line 1: the header promises 1 vectors, but 2 follow."),
        (
            "1 2\n서 1\n",
            "line 2: expected 3 columns as the header says, a word without spaces and its numbers, but got 2.",
        ),
        (
            "서 1 2\n서 울 1 2\n",
            "line 2: expected 3 columns as in line 1, a word without spaces and its numbers, but got 4.",
        ),
        (
            "two 2\n서 1 2\n",
            "line 2: expected 2 columns as in line 1, a word without spaces and its numbers, but got 3.",
        ),
        ("2 two\n서 1 2\n", "line 1: expected numbers after the word, but could not convert string"),
        ("2 2\n서 1 2\n울 1 x\n", "line 3: expected numbers after the word, but could not convert string"),
        ("서울\n", "line 1: expected a word and its numbers, got '서울'."),
        ("서 1 2\n\n", "line 2: expected a word and its numbers, got ''."),
        (
            "2 2\n서 1 2\n".encode() + "울 1 2\n".encode("cp949"),
            "line 3: expected UTF-8, but byte 1 of the line is 0x",
        ),
        (b"\xef\xbb\xbf1 2\n", "the file is text with a byte order mark. Formats that are read: word2vec"),
        (b"\x93NUMPY\x01\x00", "the file is a NumPy array, which names no words. Formats that are read: word2vec"),
        (b"PK\x03\x04\x00", "a zip archive, such as torch writes around a pickle, which is never loaded. Formats"),
        (gzip.compress(b"1 2\n", mtime=0), "the file is compressed, but its name does not end in .gz. Formats"),
        (b"\x7fELF\x02\x01\x01\x00", "the format is unknown. Formats that are read: word2vec"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(
    write: Callable[..., str], syllable_tokenizer: PreTrainedTokenizerFast, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataFormatError) as error:
        load_embeddings(write(content), syllable_tokenizer)
    assert message in str(error.value)
    assert "vectors" in str(error.value)


def test_a_damaged_binary_file_is_named(write, syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    binary = word2vec_binary(tmp_path)
    for content, message in {
        binary[:-1]: "the header promises 7 vectors, but number 7 is cut off.",
        binary.replace(b"7 3\n", b"999999999999 3\n"): "but number 8 is cut off.",
        binary.replace(b"7 3\n", b"6 3\n"): "line 1: the header promises 6 vectors, but more follow.",
        binary.replace(b"zz", b"\xffz"): "the word of vector 7 is not UTF-8: b'\\xffz'.",
    }.items():
        with pytest.raises(DataFormatError) as error:
            load_embeddings(write(content), syllable_tokenizer)
        assert message in str(error.value)
    with pytest.raises(DataFormatError, match=r"vectors\.gz: the file is damaged or cut off"):
        load_embeddings(write(gzip.compress(binary, mtime=0)[:-9], "vectors.gz"), syllable_tokenizer)


def test_a_fasttext_model_is_never_read_past_its_end(write, syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model = fasttext_binary(tmp_path)
    matrix = model.index(struct.pack("<2q", 13, 4))  # 3 words and 10 buckets
    assert load_embeddings(write(model), syllable_tokenizer).width == 4
    for length in range(4, matrix + 16 + 13 * 4 * 4):
        with pytest.raises(DataFormatError, match="the file is damaged or cut off"):
            load_embeddings(write(model[:length]), syllable_tokenizer)


def test_other_fasttext_models_are_refused(write, syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model = fasttext_binary(tmp_path)
    matrix = model.index(struct.pack("<2q", 13, 4))
    classifier = model[:72] + struct.pack("<i", 1) + model[76:]
    quantised = model[: matrix - 1] + b"\x01" + model[matrix:]
    other_width = model[:matrix] + struct.pack("<2q", 13, 5) + model[matrix + 16 :]
    for content, name, message in [
        (classifier, "model.bin", "a fastText classifier; expected a fastText model of words."),
        (quantised, "model.ftz", "a quantised fastText model (.ftz); expected the full one."),
        (other_width, "model.bin", "damaged or cut off (13 vectors of width 5, but the header says 4)."),
        (gzip.compress(model, mtime=0), "model.bin.gz", "a compressed fastText model; unpack it first."),
    ]:
        with pytest.raises(DataFormatError) as error:
            load_embeddings(write(content, name), syllable_tokenizer)
        assert message in str(error.value)


class LeavesAMarker:
    """An object that makes a file when it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_never_loaded(write, syllable_tokenizer, tmp_path: Path, protocol: int) -> None:  # type: ignore[no-untyped-def]
    marker = tmp_path / "marker"
    content = pickle.dumps(LeavesAMarker(marker), protocol=protocol)
    with pytest.raises(DataFormatError) as error:
        load_embeddings(write(content), syllable_tokenizer)
    # the two oldest protocols are text without a signature
    assert protocol < 2 or "the file is a pickle, which is never loaded. Formats that are read:" in str(error.value)
    torch.save(LeavesAMarker(marker), tmp_path / "saved.bin")
    with pytest.raises(DataFormatError, match="a zip archive, such as torch writes around a pickle"):
        load_embeddings(str(tmp_path / "saved.bin"), syllable_tokenizer)
    assert not marker.exists()
    pickle.loads(content).close()
    assert marker.exists()


def test_the_native_file_of_gensim_is_refused(syllable_tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    keyed_vectors().save(str(tmp_path / "vectors.kv"))
    with pytest.raises(DataFormatError, match="the file is a pickle, which is never loaded"):
        load_embeddings(str(tmp_path / "vectors.kv"), syllable_tokenizer)


def test_a_source_that_knows_no_token_is_refused(write, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=r"no token of the vocabulary has a vector there; it begins with 'xx', 'yy'\."):
        load_embeddings(write("xx 1 2\nyy 3 4\n"), syllable_tokenizer)
    with pytest.raises(UserError, match="no token of the vocabulary"):
        load_embeddings(write("[UNK] 5 6\n[PAD] 7 8\n"), syllable_tokenizer)


def test_numbers_that_are_not_finite_are_refused(write, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    message = "the vector of '울' holds what is no finite number."
    for value in ("nan", "inf"):
        with pytest.raises(UserError) as error:
            load_embeddings(write(f"서 1 2\n울 1 {value}\n"), syllable_tokenizer)
        assert message in normalize("NFC", str(error.value))


def test_without_gensim_the_extra_is_named(
    write: Callable[..., str], syllable_tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(word_vectors, "find_spec", lambda name: None if name == "gensim" else find_spec(name))
    with pytest.raises(UserError, match=r"needs gensim: `pip install malmoi\[embeddings\]`\."):
        load_embeddings(write(WORD2VEC), syllable_tokenizer)
    # where there is none to be installed
    monkeypatch.setattr(word_vectors.sys, "version_info", (3, 14, 0))
    with pytest.raises(UserError, match=r"needs gensim, which there is for Python 3\.10 to 3\.13 only\."):
        load_embeddings(write(WORD2VEC), syllable_tokenizer)


def save_encoder(folder: Path, tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    model = BertModel(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.get_input_embeddings().weight.detach()


@pytest.fixture
def encoder(tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A folder with a tiny encoder."""
    save_encoder(tmp_path / "encoder", wordpiece_tokenizer)
    return tmp_path / "encoder"


def test_rows_of_an_encoder_go_to_the_same_strings(tmp_path: Path, syllable_tokenizer, wordpiece_tokenizer) -> None:  # type: ignore[no-untyped-def]
    weight = save_encoder(tmp_path / "encoder", wordpiece_tokenizer)
    theirs = {normalize("NFC", token): row for token, row in wordpiece_tokenizer.get_vocab().items()}
    embeddings = load_embeddings(str(tmp_path / "encoder"), syllable_tokenizer)
    found = {}
    for token, vector in zip(syllable_tokenizer.convert_ids_to_tokens(embeddings.token_ids), embeddings.vectors):
        found[normalize("NFC", token)] = vector
        assert torch.equal(vector, weight[theirs[normalize("NFC", token)]])
    ours = {normalize("NFC", token) for token in syllable_tokenizer.get_vocab()}
    assert set(found) == ours & set(theirs) - {"[PAD]"}
    assert "[UNK]" in found
    assert len(found) > 10


def test_of_an_encoder_a_continuation_counts_as_it_is(tmp_path: Path, syllable_tokenizer, wordpiece_tokenizer) -> None:  # type: ignore[no-untyped-def]
    save_encoder(tmp_path / "encoder", syllable_tokenizer)
    embeddings = load_embeddings(str(tmp_path / "encoder"), wordpiece_tokenizer)
    assert not [t for t in wordpiece_tokenizer.convert_ids_to_tokens(embeddings.token_ids) if t.startswith("##")]


def test_an_encoder_that_cannot_be_found_names_both_ways_out(syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError) as error:
        load_embeddings("klue/no-such-encoder", syllable_tokenizer)
    assert "'klue/no-such-encoder' are in no such file or folder and could not be fetched" in str(error.value)
    assert "Connect to the network, or give a file of vectors or the folder of an encoder." in str(error.value)


def test_an_encoder_whose_weights_are_a_pickle_is_refused(encoder: Path, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    (encoder / "model.safetensors").unlink()
    torch.save({}, encoder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin may be a pickle, which is never loaded"):
        load_embeddings(str(encoder), syllable_tokenizer)


def test_an_encoder_without_embeddings_is_refused(encoder: Path, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    model = AutoModel.from_pretrained(encoder)
    weights = {name: value for name, value in model.state_dict().items() if "word_embeddings" not in name}
    model.save_pretrained(encoder, state_dict=weights)
    with pytest.raises(UserError, match="it holds no input embeddings"):
        load_embeddings(str(encoder), syllable_tokenizer)


def test_a_folder_whose_tokenizer_is_broken_is_named(encoder: Path, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    (encoder / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="encoder: Expecting property name"):
        load_embeddings(str(encoder), syllable_tokenizer)


def test_an_encoder_without_its_tokenizer_is_refused(encoder: Path, syllable_tokenizer) -> None:  # type: ignore[no-untyped-def]
    for path in encoder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(UserError, match="no token of the vocabulary has a vector there"):
        load_embeddings(str(encoder), syllable_tokenizer)


def embeddings_for(tokens: list[int], *, vocab_size: int = 40, width: int = 6) -> PretrainedEmbeddings:
    vectors = torch.randn(len(tokens), width, generator=torch.Generator().manual_seed(1)) * 0.3
    return PretrainedEmbeddings(vectors, tokens, vocab_size, frozenset({0}))


def test_vectors_go_to_their_rows_and_the_others_are_as_spread(
    make_model: Callable[..., BiLstmCrfForTokenClassification],
) -> None:
    model, fresh = make_model(), make_model().get_input_embeddings().weight.detach()
    embeddings = embeddings_for([5, 3, 39])
    set_embeddings(model, embeddings, trained=True)
    weight = model.get_input_embeddings().weight
    assert torch.equal(weight[[5, 3, 39]], embeddings.vectors)
    assert weight.requires_grad
    assert not weight[0].any()
    others = [row for row in range(1, 40) if row not in (5, 3, 39)]
    torch.testing.assert_close(weight[others].std(correction=0), embeddings.vectors.std(correction=0))
    ratio = weight[others] / fresh[others]
    torch.testing.assert_close(ratio, ratio[0, 0].expand_as(ratio))


def test_frozen_embeddings_do_not_learn(make_model: Callable[..., BiLstmCrfForTokenClassification]) -> None:
    model = make_model().train()
    set_embeddings(model, embeddings_for([3, 4]), trained=False)
    weight = model.get_input_embeddings().weight
    before = weight.detach().clone()
    optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=1.0)
    model(torch.tensor([[3, 4, 7]]), labels=torch.tensor([[0, 1, 4]])).loss.backward()
    optimizer.step()
    assert not weight.requires_grad
    assert torch.equal(weight, before)


def test_a_vocabulary_that_is_known_throughout_needs_no_random_rows(
    make_model: Callable[..., BiLstmCrfForTokenClassification],
) -> None:
    model = make_model()
    set_embeddings(model, embeddings_for(list(range(1, 40))), trained=True)
    assert model.get_input_embeddings().weight.isfinite().all()


def test_rows_that_are_all_zero_stay_so(make_model: Callable[..., BiLstmCrfForTokenClassification]) -> None:
    model = make_model(initializer_range=0.0)
    set_embeddings(model, embeddings_for([3]), trained=True)
    assert not model.get_input_embeddings().weight[4].any()


@pytest.mark.parametrize("wrong", [{"width": 5}, {"vocab_size": 41}])
def test_vectors_of_another_size_are_refused(
    make_model: Callable[..., BiLstmCrfForTokenClassification], wrong: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match=r"The embeddings of the model must be \(4\d, \d\), got \(40, 6\)\."):
        set_embeddings(make_model(), embeddings_for([3], **wrong), trained=True)
