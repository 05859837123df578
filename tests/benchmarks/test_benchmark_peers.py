"""The peers must be what their descriptions say; otherwise nothing beside them means anything."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from support.hand_made_tagger import LABELS, hand_made
from transformers import PreTrainedTokenizerFast

from malmoi.benchmarks.measurement import Elapsed
from malmoi.benchmarks.peers import bert, flair_tagger, s1_loop
from malmoi.benchmarks.peers.flair_tagger import FlairError, FlairTagger, flair_sentences
from malmoi.benchmarks.peers.s1_loop import PADDED_LENGTH, PaddedSentences, S1Loop, S1Tagger, pad_sentences
from malmoi.data.alignment import Span, spans_to_tags
from malmoi.data.inline_marks import parse_marks
from malmoi.data.tagged_dataset import TaggedSentence, tagged_dataset
from malmoi.data.token_features import token_features
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification

FAKE_WORKER = Path(__file__).parents[1] / "support" / "fake_flair_worker.py"
FLAIR_PYTHON = Path(__file__).parents[2] / flair_tagger.PYTHON
MARKED = ["<손흥민:PS>은 <춘천:LC>에서 태어났다.", "<서울:LC>에서 <부산:LC>까지", "비가 왔다.", "<황희찬:PS>"]
OUTSIDE = LABELS.index("O")


def marked_sentences() -> list[TaggedSentence]:
    parsed = [parse_marks(line) for line in MARKED]
    return [
        TaggedSentence(id=str(number), text=text, tags=spans_to_tags(spans, len(text)))
        for number, (text, spans) in enumerate(parsed)
    ]


DATASET = tagged_dataset(marked_sentences(), LABELS)
TEXTS = list(DATASET["text"])


@pytest.fixture
def padded(wordpiece_tokenizer: PreTrainedTokenizerFast) -> PaddedSentences:
    return pad_sentences(token_features(DATASET, wordpiece_tokenizer), padding=0, outside=OUTSIDE)


def tiny_s1(tokenizer: PreTrainedTokenizerFast) -> S1Tagger:
    torch.manual_seed(0)
    return S1Tagger(len(LABELS), vocab_size=len(tokenizer), embedding_size=8, hidden_size=12)


def test_s1_is_the_tagger_of_the_write_up() -> None:
    oracle = hand_made(20)
    tagger = S1Tagger(len(LABELS), vocab_size=20, embedding_size=6, hidden_size=8)
    tagger.load_state_dict(oracle.state_dict())
    input_ids = torch.randint(20, (3, 7))
    mask = torch.arange(7)[None] < torch.tensor([[7], [4], [1]])
    assert tagger.decode(input_ids, mask) == oracle(input_ids, mask)
    assert torch.equal(tagger.emissions(input_ids), oracle.emissions(input_ids))


def test_s1_has_the_sizes_of_the_write_up_and_ours_beside_it_the_same() -> None:
    with torch.device("meta"):
        theirs = S1Tagger(13)
        config = BiLstmCrfConfig(
            vocab_size=32_000, embedding_size=768, hidden_size=256, id2label={tag: str(tag) for tag in range(13)}
        )
        ours = BiLstmCrfForTokenClassification(config)
    assert theirs.word_embeds.weight.shape == (32_000, 768)
    assert theirs.hidden2tag.in_features == 256
    sizes = [sorted(parameter.shape for parameter in model.parameters()) for model in (theirs, ours)]
    assert sizes[0] == sizes[1]


def test_s1_pads_every_sentence_to_128(padded: PaddedSentences, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    assert [tensor.shape for tensor in padded] == [(len(MARKED), PADDED_LENGTH)] * 3 == [(4, 128)] * 3
    lengths = [len(ids) for ids in wordpiece_tokenizer(TEXTS)["input_ids"]]
    # without [SEP], which is the last token; [CLS] has to be there for pytorch-crf
    assert padded.mask.sum(dim=1).tolist() == [length - 1 for length in lengths]
    assert (padded.input_ids != 0).sum(dim=1).tolist() == lengths
    assert (padded.tags[~padded.mask] == OUTSIDE).all()
    assert (padded.tags[:, 0] == OUTSIDE).all()


def test_s1_cuts_what_is_longer_than_128(wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    text = "서울 " * 150
    dataset = tagged_dataset([TaggedSentence(id="long", text=text, tags=["O"] * len(text))], LABELS)
    features = token_features(dataset, wordpiece_tokenizer)
    assert features["length"][0] > PADDED_LENGTH
    sentences = pad_sentences(features, padding=0, outside=OUTSIDE)
    assert sentences.mask.all()
    ((tags, offsets),) = s1_loop.tag_ids(tiny_s1(wordpiece_tokenizer), wordpiece_tokenizer, [text])
    assert len(tags) == len(offsets) == PADDED_LENGTH


def test_s1_reads_its_padding_and_predicts_with_sep(
    padded: PaddedSentences, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = tiny_s1(wordpiece_tokenizer)
    long = model.emissions(padded.input_ids)
    short = model.emissions(padded.input_ids[:, :40])
    assert not torch.allclose(long[:, :5], short[:, :5])
    lengths = [len(ids) for ids in wordpiece_tokenizer(TEXTS)["input_ids"]]
    answers = s1_loop.tag_ids(model, wordpiece_tokenizer, TEXTS, batch_size=3)
    assert [len(tags) for tags, _ in answers] == lengths


def test_the_loss_of_s1_goes_down_until_it_knows_its_sentences(
    padded: PaddedSentences, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    loop = S1Loop(tiny_s1(wordpiece_tokenizer), PaddedSentences(*(t.repeat(8, 1) for t in padded)), batch_size=8)
    loop.optimizer.param_groups[0]["lr"] = 0.05
    losses = [loop.epoch() for _ in range(8)]
    assert losses[-1] < 0.1 * losses[0]
    found = s1_loop.tag(loop.model, wordpiece_tokenizer, TEXTS, LABELS, batch_size=3)
    assert found[0] == [Span(0, 3, "PS"), Span(5, 7, "LC")]
    assert found[2] == []


def test_bert_is_of_the_size_of_bert_base() -> None:
    with torch.device("meta"):
        model = bert.build_bert(13)
    config = model.config
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (12, 768, 12)
    assert (config.intermediate_size, config.vocab_size, config.num_labels) == (3072, 32_000, 13)
    assert 109e6 < model.num_parameters() < 112e6


def test_bert_learns_and_finds_names(wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    model = bert.build_bert(len(LABELS), vocab_size=len(wordpiece_tokenizer), num_layers=1, hidden_size=16)
    features = token_features(DATASET, wordpiece_tokenizer)
    batch = dict(wordpiece_tokenizer.pad({"input_ids": features["input_ids"]}, return_tensors="pt"))
    batch["labels"] = torch.full_like(batch["input_ids"], -100)
    for row, labels in enumerate(features["labels"]):
        batch["labels"][row, : len(labels)] = torch.tensor(labels)
    training = bert.BertFineTuning(model, [batch])
    training.optimizer.param_groups[0]["lr"] = 0.01
    losses = [training.epoch() for _ in range(60)]
    assert losses[-1] < 0.1 * losses[0]
    found = bert.tag(model, wordpiece_tokenizer, TEXTS, LABELS, batch_size=3)
    assert found[0] == [Span(0, 3, "PS"), Span(5, 7, "LC")]


@pytest.fixture
def fake_flair() -> Iterator[FlairTagger]:
    with FlairTagger(flair_sentences(DATASET), threads=1, python=Path(sys.executable), worker=FAKE_WORKER) as tagger:
        yield tagger


def test_flair_gets_characters_and_names() -> None:
    assert flair_sentences(DATASET)[1] == {
        "tokens": list("서울에서 부산까지"),
        "names": [[0, 2, "LC"], [5, 7, "LC"]],
    }


def test_the_worker_of_flair_takes_the_time_itself(fake_flair: FlairTagger) -> None:
    assert fake_flair.description["flair"] == "of the test"
    assert fake_flair.description["parameters"] == 256
    assert isinstance(fake_flair.train(), Elapsed)
    assert fake_flair.train() == 2.0
    assert fake_flair.tag([0, 1], batch_size=4) == 1.0
    assert fake_flair.names([2, 0]) == [[[1, 2, "PS"]], []]


def test_what_goes_wrong_in_the_worker_of_flair_is_told(fake_flair: FlairTagger) -> None:
    with pytest.raises(FlairError, match="flair: IndexError: there are not so many"):
        fake_flair.tag([4])
    with pytest.raises(FlairError, match="flair ended with status 3: is it installed for"):
        fake_flair.tag([])


def test_a_python_without_flair_is_told() -> None:
    with pytest.raises(FlairError, match="flair ended with status 1: is it installed for"):
        FlairTagger(flair_sentences(DATASET), threads=1, python=Path(sys.executable))


def test_the_worker_of_flair_cannot_be_imported_here() -> None:
    with pytest.raises(ModuleNotFoundError, match="flair"):
        importlib.import_module("malmoi.benchmarks.peers.flair_worker")


@pytest.mark.long
@pytest.mark.skipif(not FLAIR_PYTHON.exists(), reason="flair is not installed: make .venv-flair/installed")
def test_flair_has_the_sizes_of_ours_and_learns() -> None:
    sentences = flair_sentences(DATASET) * 20
    with FlairTagger(sentences, threads=1, embedding_size=8, hidden_size=16, python=FLAIR_PYTHON) as flair:
        assert flair.description["flair"] == "0.15.1"
        losses = [flair._ask(do="train")["loss"] for _ in range(4)]
        assert losses == sorted(losses, reverse=True)
        assert flair.train() > 0
        assert flair.tag([0, 1]) > 0
        assert all(0 <= start < end <= len(TEXTS[0]) for start, end, _ in flair.names([0])[0])
    characters = {character for text in TEXTS for character in text}
    labels = 2 * 2 + 1
    config = BiLstmCrfConfig(
        vocab_size=len(characters) + 1,  # and an unknown one
        embedding_size=8,
        hidden_size=32,
        id2label={tag: str(tag) for tag in range(labels)},
    )
    ours = BiLstmCrfForTokenClassification(config)
    # its CRF has a start and an end tag, and a score for every step from and to them
    extra = 2 * (32 + 1) + (labels + 2) ** 2 - labels**2 - 2 * labels
    assert flair.description["parameters"] == ours.num_parameters() + extra
