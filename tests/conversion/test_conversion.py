"""Checkpoints of hand-made taggers become saved models with the same predictions, or one clear sentence."""

import io
import json
import os
import pickle
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from support.command_line import malmoi
from support.hand_made_tagger import LABELS, HandMadeTagger, hand_made, hand_written, write
from support.property_tests import examples
from support.tiny_models import bert_tokenizer
from torch import Tensor, nn
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    ByT5Tokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    pipeline,
)

from malmoi.commands.convert import describe
from malmoi.conversion import convert
from malmoi.conversion.checkpoint_file import read_state_dict
from malmoi.conversion.convert import Conversion, convert_checkpoint
from malmoi.conversion.state_dict_names import find_layers, rename
from malmoi.conversion.verification import verify
from malmoi.data.alignment import spans_to_tags, tags_to_spans, tags_to_token_labels, token_labels_to_tags
from malmoi.data.inline_marks import parse_marks
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.inference.loading import load_model, task_of
from malmoi.inference.tagger import Tagger

RunWithoutMalmoi = Callable[..., str]

TEXTS = ["손흥민은 춘천에서 태어났다.", "김민재가 서울로 돌아왔습니다.", "비가 와서 집에 있었다.", "제주", ""]
NATIVE_NAMES = {"word_embeds": "embeddings.word_embeddings", "hidden2tag": "classifier"}


@pytest.fixture
def old(tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A folder as the write-up leaves it: checkpoint, hand-written configuration and tokenizer side by side."""
    wordpiece_tokenizer.save_pretrained(tmp_path / "old")
    write(tmp_path / "old", hand_made(len(wordpiece_tokenizer)))
    return tmp_path / "old"


def convert_folder(old: Path, new: Path, *, checkpoint: str = "pytorch_model.bin") -> Conversion:
    return convert_checkpoint(old / checkpoint, new, config=old / "config.json", tokenizer=str(old))


def refusal(old: Path, *, checkpoint: str = "pytorch_model.bin", tokenizer: Path | str | None = None) -> str:
    """Convert what cannot be converted; return the message, after a look at what lies about."""
    new = old.parent / "new"
    before = sorted(old.parent.iterdir())
    with pytest.raises(UserError) as caught:
        convert_checkpoint(old / checkpoint, new, config=old / "config.json", tokenizer=str(tokenizer or old))
    assert sorted(old.parent.iterdir()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edit_config(old: Path, **changes: Any) -> None:
    """Set keys of a configuration; `None` removes one."""
    content = json.loads((old / "config.json").read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in content.items() if value is not None}
    (old / "config.json").write_text(json.dumps(kept), encoding="utf-8")


def rename_modules(tensors: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    return {".".join([names.get(n.split(".")[0], n.split(".")[0]), *n.split(".")[1:]]): t for n, t in tensors.items()}


@torch.no_grad()
def assert_same_decodes(folder: Path, source: HandMadeTagger, sentences: list[list[int]]) -> None:
    """Decode a padded batch with a converted folder, and each sentence on its own with the old module."""
    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32)
    rows = [torch.tensor(sentence) for sentence in sentences]
    input_ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    predictions = model(input_ids=input_ids, attention_mask=mask).predictions
    for row, sentence in enumerate(rows):
        (expected,) = source(sentence[None], torch.ones(1, len(sentence)))
        assert predictions[row, : len(sentence)].tolist() == expected
        assert model(input_ids=sentence[None]).predictions[0, : len(sentence)].tolist() == expected


SENTENCES = st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=12), min_size=1, max_size=4)


@settings(max_examples=examples(12))
@given(
    seed=st.integers(0, 2**31),
    num_layers=st.integers(1, 3),
    embedding_dim=st.integers(1, 7),
    hidden_dim=st.integers(1, 5).map(lambda half: 2 * half),
    labels=st.sampled_from([LABELS, ["O", "B-X", "I-X"], ["B", "I"], ["O"]]),
    sentences=SENTENCES,
)
def test_a_checkpoint_of_the_write_up_gives_equal_decodes(
    seed: int, num_layers: int, embedding_dim: int, hidden_dim: int, labels: list[str], sentences: list[list[int]]
) -> None:
    sizes = {"embedding_dim": embedding_dim, "hidden_dim": hidden_dim, "num_layers": num_layers}
    tagger = hand_made(31, labels, **sizes, seed=seed)
    with tempfile.TemporaryDirectory() as temporary:
        old = Path(temporary, "old")
        write(old, tagger, labels)
        build_syllable_tokenizer(["비가 온다"], min_frequency=1).save_pretrained(old)
        conversion = convert_folder(old, Path(temporary, "new"))
        assert conversion.config.label_names() == labels
        assert conversion.num_parameters == sum(parameter.numel() for parameter in tagger.parameters())
        assert_same_decodes(Path(temporary, "new"), tagger, sentences)


@pytest.mark.parametrize(
    ("suffix", "form"),
    [
        (".bin", "as it is"),
        (".pth", "module."),
        (".pth", "model."),
        (".pt", "state_dict"),
        (".pt", "model_state_dict"),
        (".bin", "native"),
        (".pth", "file of an old torch"),
        (".pt", "half"),
        (".safetensors", "as it is"),
        (".safetensors", "module."),
        (".safetensors", "native"),
    ],
)
def test_names_wrappers_and_file_formats(
    old: Path, suffix: str, form: str, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    tagger = hand_made(len(wordpiece_tokenizer), num_layers=2, seed=1)
    tensors: dict[str, Any] = dict(tagger.state_dict())
    if form == "half":
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
        tagger.load_state_dict(tensors)
    elif form.endswith("."):
        tensors = {form + name: tensor for name, tensor in tensors.items()}
    elif form == "native":
        tensors = rename_modules(tensors, NATIVE_NAMES)
    elif form.endswith("state_dict"):
        optimizer = torch.optim.Adam(tagger.parameters()).state_dict()
        tensors = {form: tensors, "epoch": 9, "optimizer": optimizer, "best": [0.75, None], "tag_to_ix": {"O": 4}}
    if suffix == ".safetensors":
        save_file(tensors, old / "model.safetensors")
    else:
        torch.save(tensors, old / f"model{suffix}", _use_new_zipfile_serialization=form != "file of an old torch")
    convert_folder(old, old.parent / "new", checkpoint=f"model{suffix}")
    assert_same_decodes(old.parent / "new", tagger, [[2, 7, 8, 9, 3], [2, 3], [5]])


def test_paths_may_be_strings_and_the_tokenizer_a_path(old: Path) -> None:
    checkpoint, config = str(old / "pytorch_model.bin"), str(old / "config.json")
    convert_checkpoint(checkpoint, str(old.parent / "new"), config=config, tokenizer=old)
    assert (old.parent / "new" / "model.safetensors").is_file()


def test_other_names_of_layers(old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    tagger = hand_made(len(wordpiece_tokenizer), seed=2)
    names = {"word_embeds": "embed", "lstm": "encoder.rnn", "hidden2tag": "fc", "crf": "head.CRF"}
    torch.save(rename_modules(tagger.state_dict(), names), old / "model.pth")
    convert_folder(old, old.parent / "new", checkpoint="model.pth")
    assert_same_decodes(old.parent / "new", tagger, [[2, 7, 8, 9, 3]])


@pytest.mark.parametrize("key", ["label2id", "id2label", "both", "labels alone"])
def test_both_forms_of_a_configuration(old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast, key: str) -> None:
    tags = hand_written(hand_made(len(wordpiece_tokenizer)))["tag_to_ix"]
    of_labels: dict[str, Any] = {"label2id": tags, "id2label": {str(index): tag for tag, index in tags.items()}}
    content = of_labels if key in ("both", "labels alone") else {key: of_labels[key]}
    if key != "labels alone":
        sizes = {"vocab_size": len(wordpiece_tokenizer), "embedding_size": 6, "hidden_size": 8, "num_hidden_layers": 1}
        content = {**content, **sizes, "architectures": ["BiLSTM_CRF"], "model_type": "bilstm_crf"}
    (old / "config.json").write_text(json.dumps(content), encoding="utf-8")
    conversion = convert_folder(old, old.parent / "new")
    assert conversion.config.label_names() == LABELS
    assert (conversion.config.embedding_size, conversion.config.hidden_size) == (6, 8)
    assert_same_decodes(old.parent / "new", hand_made(len(wordpiece_tokenizer)), [[2, 7, 8, 9, 3]])


def test_tagging_gives_the_names_that_the_old_tags_spell(
    old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    """The chain of the old module, `[CLS]` and `[SEP]` included, at the characters of each token."""
    tagger, new = hand_made(len(wordpiece_tokenizer)), old.parent / "new"
    conversion = convert_folder(old, new)
    assert conversion.added_tokens == ["[CLS]", "[SEP]"]
    assert conversion.unused_embeddings == 0
    # random tags seldom spell a name, so many texts are needed
    texts = [text[start:] for text in TEXTS for start in range(8)]
    expected = []
    for text in texts:
        encoded = wordpiece_tokenizer(text, return_offsets_mapping=True)
        (tags,) = tagger(torch.tensor([encoded["input_ids"]]), torch.ones(1, len(encoded["input_ids"])))
        names = [LABELS[tag] for tag in tags]
        expected.append(tags_to_spans(token_labels_to_tags(names, encoded["offset_mapping"], len(text))))
    assert sum(map(len, expected)) > 0
    answers = list(Tagger(new).tag(texts))
    assert [[(name.start, name.end, name.label) for name in answer] for answer in answers] == expected
    answerer = pipeline("token-classification", model=str(new), trust_remote_code=True, ignore_labels=[])
    encoded = wordpiece_tokenizer(TEXTS[0])
    (tags,) = tagger(torch.tensor([encoded["input_ids"]]), torch.ones(1, len(encoded["input_ids"])))
    assert [token["entity"] for token in answerer(TEXTS[0])] == [LABELS[tag] for tag in tags[1:-1]]


def test_a_text_is_longer_than_the_tokenizer_of_an_encoder_allows(
    old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    assert wordpiece_tokenizer.model_max_length == 16
    text = " ".join(TEXTS) * 5
    input_ids = wordpiece_tokenizer(text, verbose=False)["input_ids"]
    convert_folder(old, old.parent / "new")
    assert_same_decodes(old.parent / "new", hand_made(len(wordpiece_tokenizer)), [input_ids])
    assert len(list(Tagger(old.parent / "new").tag([text]))) == 1
    tokenizer = AutoTokenizer.from_pretrained(old.parent / "new")
    assert tokenizer(text)["input_ids"] == input_ids
    assert tokenizer.model_max_length > len(input_ids)


def train(tagger: HandMadeTagger, tokenizer: PreTrainedTokenizerBase, sentences: list[str]) -> None:
    """Train as the write-up does: `[CLS]` is in the chain and `[SEP]` is not, though prediction will tag it."""
    optimizer = torch.optim.Adam(tagger.parameters(), lr=0.05)
    for sentence in sentences:
        text, spans = parse_marks(sentence)
        tags = spans_to_tags(spans, len(text))
        encoded = tokenizer(text, return_offsets_mapping=True)
        names = [name or "O" for name in tags_to_token_labels(tags, encoded["offset_mapping"])]
        labels = torch.tensor([[LABELS.index(name) for name in names]])
        mask = torch.arange(len(names))[None] < len(names) - 1
        optimizer.zero_grad()
        loss = -tagger.crf(tagger.emissions(torch.tensor([encoded["input_ids"]])), labels, mask=mask)
        loss.backward()
        optimizer.step()


def test_a_trained_tagger_still_knows_its_names(tmp_path: Path) -> None:
    marked = ["<손흥민:PS>은 <춘천:LC>에서 태어났다.", "비가 와서 집에 있었다 abc.", "그는 <서울:LC>로 갔다!"]
    tokenizer = bert_tokenizer()
    tagger = hand_made(len(tokenizer))
    train(tagger, tokenizer, marked * 40)
    checkpoint, new = write(tmp_path / "old", tagger), tmp_path / "new"
    tokenizer.save_pretrained(tmp_path / "old")
    convert_checkpoint(checkpoint, new, config=tmp_path / "old" / "config.json", tokenizer=str(tmp_path / "old"))
    texts = [parse_marks(sentence)[0] for sentence in marked]
    assert [[(name.text, name.label) for name in names] for names in Tagger(new).tag(texts)] == [
        [("손흥민", "PS"), ("춘천", "LC")],
        [],
        [("서울", "LC")],
    ]
    answerer = pipeline("token-classification", model=str(new), trust_remote_code=True, aggregation_strategy="simple")
    assert [(name["word"], name["entity_group"]) for name in answerer(texts[0])] == [("손흥민", "PS"), ("춘천", "LC")]


def test_word_spacing_is_told_by_its_labels(old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    write(old, hand_made(len(wordpiece_tokenizer), ["B", "I"]), ["B", "I"])
    convert_folder(old, old.parent / "new")
    assert task_of(load_model(old.parent / "new", None).model.config) == "word-spacing"


LOAD = """
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline
folder = {folder!r}
model = AutoModelForTokenClassification.from_pretrained(folder, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
print(model(**tokenizer({text!r}, return_tensors="pt")).predictions[0].tolist())
answerer = pipeline("token-classification", model=folder, trust_remote_code=True, ignore_labels=[])
print(type(answerer).__name__, [answer["entity"] for answer in answerer({text!r})])
"""


@pytest.mark.slow
def test_a_converted_folder_works_without_malmoi(
    old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast, run_without_malmoi: RunWithoutMalmoi
) -> None:
    new = old.parent / "new"
    convert_folder(old, new)
    assert {"config.json", "model.safetensors", "tokenizer.json", "modeling_bilstm_crf.py"} <= set(os.listdir(new))
    assert not [path for path in new.iterdir() if path.suffix in (".bin", ".pth", ".pt")]
    output = run_without_malmoi(LOAD.format(folder=str(new), text=TEXTS[0]), also_missing=("torchcrf",))
    input_ids = torch.tensor([wordpiece_tokenizer(TEXTS[0])["input_ids"]])
    (tags,) = hand_made(len(wordpiece_tokenizer))(input_ids, torch.ones_like(input_ids))
    names = [LABELS[tag] for tag in tags[1:-1]]
    assert output.splitlines() == [str(tags), f"CrfTokenClassificationPipeline {names}"]


@pytest.mark.slow
def test_the_command_line_converts_reports_and_tags(old: Path) -> None:
    new = old.parent / "folder of mine"
    options = ("--config", old / "config.json", "--tokenizer", old)
    report, warnings = malmoi("convert", old / "pytorch_model.bin", new, *options)
    assert warnings == ""
    first, labels, checked, *rest = report.splitlines()
    assert first.startswith("bilstm_crf: 120 tokens -> embeddings 6 -> BiLSTM 8 (1 layer) -> 5 labels -> CRF; 1,184 ")
    assert labels == "labels: B-PS, I-PS, B-LC, I-LC, O"
    assert checked.startswith("checked: 6 random sentences of 1 to 64 tokens get the tags that pytorch-crf gives them")
    assert any(line.startswith("  [CLS] and [SEP] are in the CRF's chain") for line in rest)
    assert rest[-1] == f"  malmoi tag '{new}' \"손흥민은 춘천에서 태어났다.\""
    assert "look:" not in report
    tagged, _ = malmoi("tag", new, TEXTS[0])
    assert parse_marks(tagged.removesuffix("\n"))[0] == TEXTS[0]


def test_what_deserves_a_look_is_reported(old: Path, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    labels = ["PS-B", "X", "O"]
    write(old, hand_made(len(wordpiece_tokenizer) + 3, labels, num_layers=2), labels)
    report = "\n".join(describe(convert_folder(old, old.parent / "new")))
    assert "(2 layers)" in report
    assert "look: the tokenizer has 3 tokens fewer than there are embeddings" in report
    assert "look: the labels follow no scheme of names that is known (" in report
    assert "X alone): PS-B, X, O. `malmoi tag` and `malmoi space` will refuse them." in report


# what must not be loaded


class Bomb:
    """A pickle of this makes a file when it is loaded."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("where", ["alone", "beside the weights"])
def test_no_code_of_a_checkpoint_is_run(old: Path, is_zip: bool, where: str) -> None:
    bomb = Bomb(old / "made by code")
    content = bomb if where == "alone" else {"state_dict": hand_made(120).state_dict(), "epoch": bomb}
    torch.save(content, old / "model.pth", _use_new_zipfile_serialization=is_zip)
    message = refusal(old, checkpoint="model.pth")
    assert message.startswith(f"{old}/model.pth: it holds {os.mkdir.__module__}.mkdir, which cannot be loaded without")
    assert not bomb.path.exists()
    torch.load(old / "model.pth", weights_only=False)
    assert bomb.path.exists()  # it would have been


def write_foreign(path: Path, how: str) -> str:
    """Write a file that holds no state dict; return a part of the message that must follow."""
    tagger = hand_made(120)
    code = "cannot be loaded without running code from the file"
    if how == "module":
        torch.save(tagger, path)
        return f"it holds support.hand_made_tagger.HandMadeTagger, which {code}"
    if how == "old module":
        torch.save(tagger, path, _use_new_zipfile_serialization=False)
        return f"it holds support.hand_made_tagger.HandMadeTagger, which {code}"
    if how == "numpy":
        torch.save({"state_dict": tagger.state_dict(), "best": np.float64(0.5)}, path)
        return f"multiarray.scalar, which {code}"
    if how == "pickle":
        path.write_bytes(pickle.dumps(tagger.state_dict()))
        return f"it is in a format that {code}"
    if how == "tar":
        with tarfile.open(path, "w") as archive:
            for name in ("storages", "tensors", "pickle"):
                member = tarfile.TarInfo(name)
                member.size = len(pickle.dumps(0))
                archive.addfile(member, io.BytesIO(pickle.dumps(0)))
        return f"it is in a format that {code}"
    if how == "cut off":
        torch.save(tagger.state_dict(), path)
        path.write_bytes(path.read_bytes()[:-50])
        return "the file is damaged, cut off or no checkpoint"
    if how == "empty":
        path.write_bytes(b"")
        return "the file is damaged, cut off or no checkpoint (EOFError)."
    if how == "text":
        path.write_text("version https://git-lfs.github.com/spec/v1", encoding="utf-8")
        return "the file is damaged, cut off or no checkpoint"
    content: Any
    if how == "list":
        content, message = [torch.zeros(2)], "expected a state dict with weights, got a list."
    elif how == "nothing":
        content, message = {}, "expected a state dict with weights, got an empty one."
    elif how == "unwrapped":
        content, message = {"weights": tagger.state_dict()}, "under state_dict or model_state_dict, got OrderedDict"
    elif how == "integers":
        content, message = (
            {"a.weight": torch.ones(2).int()},
            "a.weight must hold floating-point numbers, got torch.int32",
        )
    elif how == "sparse":
        content, message = {"a.weight": torch.eye(2).to_sparse()}, "in the layout torch.sparse_coo."
    else:
        content, message = {"a.weight": torch.tensor([1.0, torch.nan])}, "a.weight holds infinite numbers or some that"
    torch.save(content, path)
    return message


FOREIGN = [
    "module",
    "old module",
    "numpy",
    "pickle",
    "tar",
    "cut off",
    "empty",
    "text",
    "list",
    "nothing",
    "unwrapped",
]


@pytest.mark.parametrize("how", [*FOREIGN, "integers", "sparse", "nan"])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "model.pth"
    expected = write_foreign(path, how)
    with pytest.raises(UserError) as caught:
        read_state_dict(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    for name, expected in (
        ("none.pth", "there is no such file."),
        ("model.h5", "expected a file that ends in .bin, "),
    ):
        (tmp_path / "model.h5").write_bytes(b"")
        with pytest.raises(UserError, match=expected):
            read_state_dict(tmp_path / name)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 5)
    with pytest.raises(UserError, match="the file is damaged or cut off"):
        read_state_dict(tmp_path / "model.safetensors")


def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(path)
    with pytest.raises(UserError, match="it is in a format that cannot be loaded without running code"):
        read_state_dict(path)


# what does not fit


def change_tensors(tensors: dict[str, Tensor], how: str) -> str:
    """Spoil a state dict; return a part of the message that must follow."""
    if how == "missing layer":
        for name in [name for name in tensors if name.startswith("crf.")]:
            del tensors[name]
        return "it holds no weights of a CRF of pytorch-crf (such as crf.transitions)."
    if how == "missing parameter":
        del tensors["crf.end_transitions"]
        return "it lacks crf.end_transitions; expected a bidirectional LSTM"
    if how == "one direction":
        for name in [name for name in tensors if name.endswith("_reverse")]:
            del tensors[name]
        return "it lacks lstm.bias_hh_l0_reverse, lstm.bias_ih_l0_reverse, lstm.weight_hh_l0_reverse, lstm.weight_ih"
    if how == "unexpected parameter":
        tensors["crf.constraint_mask"] = torch.zeros(5, 5)
        return "crf.constraint_mask belongs to no part of embedding, LSTM, linear layer and CRF."
    if how == "unexpected layer":
        tensors["norm.weight"] = tensors["norm.bias"] = torch.ones(8)
        return "norm.weight, norm.bias belongs to no part"
    if how == "bare parameter":
        tensors["scale"] = torch.ones(2)
        return "scale belongs to no part"
    if how == "two layers of a kind":
        tensors["output.weight"], tensors["output.bias"] = torch.zeros(5, 5), torch.zeros(5)
        return "expected one layer of a kind, got both 'hidden2tag' and 'output'."
    if how == "gru":
        tensors["lstm.weight_ih_l0"] = tensors["lstm.weight_ih_l0"][:12]
        return "lstm.weight_ih_l0 is (12, 6), but beside the other weights it must be (16, 6)."
    if how == "crf of other tags":
        tensors["crf.transitions"] = torch.zeros(6, 6)
        return "crf.transitions is (6, 6), but beside the other weights it must be (5, 5)."
    tensors["hidden2tag.weight"] = torch.zeros(5, 9)
    return "`hidden_size` holds two directions and must be even, got 9."


UNFIT = ["missing layer", "missing parameter", "one direction", "unexpected parameter", "unexpected layer"]


@pytest.mark.parametrize(
    "how", [*UNFIT, "bare parameter", "two layers of a kind", "gru", "crf of other tags", "odd width"]
)
def test_weights_of_another_architecture_are_refused(old: Path, how: str) -> None:
    tensors = dict(hand_made(120).state_dict())
    expected = change_tensors(tensors, how)
    torch.save(tensors, old / "model.pth")
    message = refusal(old, checkpoint="model.pth")
    assert message.startswith(f"{old}/model.pth: ")
    assert expected in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"hidden_dim": 4},
            "`hidden_dim` is 4, but both directions of the LSTM together are 8 wide in the checkpoint.",
        ),
        ({"embedding_dim": 768}, "`embedding_dim` is 768, but the embeddings are 6 wide in the checkpoint."),
        ({"embedding_size": "6"}, "`embedding_size` is '6', but the embeddings are 6 wide in the checkpoint."),
        ({"vocab_size": 32000}, "`vocab_size` is 32000, but the embeddings have 120 rows in the checkpoint."),
        ({"num_layers": 2}, "`num_layers` is 2, but the number of LSTM layers is 1 in the checkpoint."),
        ({"tag_to_ix": None}, "it names no labels; expected tag_to_ix, label2id or id2label."),
        ({"tag_to_ix": {"O": 0, "B-X": 1}}, "it names 2 labels, but the checkpoint has scores for 5."),
        (
            {"tag_to_ix": {"O": 0, "B-X": 2}},
            "expected `tag_to_ix` to give each label an id of its own, from 0 on, got",
        ),
        ({"tag_to_ix": ["O", "B-X"]}, "expected `tag_to_ix` to give each label an id of its own"),
        ({"tag_to_ix": {"O": "zero"}}, "expected `tag_to_ix` to give each label an id of its own"),
        ({"tag_to_ix": {"O": float("inf")}}, "expected `tag_to_ix` to give each label an id of its own"),
        ({"tag_to_ix": {}}, "expected `tag_to_ix` to give each label an id of its own"),
        ({"id2label": dict.fromkeys("01234", "O")}, "expected `id2label` to give each label an id of its own"),
        ({"label2id": {"O": 0}}, "`tag_to_ix` and `label2id` name different labels."),
        ({"untagged_token_ids": [2]}, "`untagged_token_ids` is a setting of malmoi's own models"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(old: Path, changes: dict[str, Any], expected: str) -> None:
    edit_config(old, **changes)
    message = refusal(old)
    assert message.startswith(f"{old}/config.json: ")
    assert expected in message


@pytest.mark.parametrize("changes", [{"tag_to_ix": {"가" * 5000: "나"}}, {"hidden_dim": "9" * 5000}])
def test_what_a_configuration_says_at_length_is_shown_short(old: Path, changes: dict[str, Any]) -> None:
    edit_config(old, **changes)
    assert len(refusal(old).removeprefix(str(old))) < 400


def test_names_of_weights_are_shown_short_and_on_a_line(old: Path) -> None:
    state_dict = torch.load(old / "pytorch_model.bin", weights_only=True)
    torch.save({**state_dict, "a\nb" + "c" * 5000: torch.zeros(1)}, old / "pytorch_model.bin")
    message = refusal(old)
    assert "a\\nbccc" in message
    assert len(message.removeprefix(str(old))) < 400
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "expected"), [("{", "expected a JSON object ("), ("[]", "a JSON object, got list")]
)
def test_a_configuration_that_is_none_is_refused(old: Path, content: str, expected: str) -> None:
    (old / "config.json").write_text(content, encoding="utf-8")
    assert expected in refusal(old)
    (old / "config.json").unlink()
    assert refusal(old) == f"{old}/config.json: there is no such file."


def test_a_tokenizer_that_does_not_fit_is_refused(old: Path, tmp_path: Path) -> None:
    write(old, hand_made(100))
    message = refusal(old)
    assert message.startswith(
        f"The tokenizer '{old}' has 120 tokens, but the checkpoint only 100 embeddings; expected"
    )
    assert "is in no such folder and not to be had from the Hub (" in refusal(old, tokenizer="someone/nothing")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert f"The tokenizer '{empty}' is no folder with a tokenizer (" in refusal(old, tokenizer=empty)
    (empty / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert f"The tokenizer '{empty}' is no folder with a tokenizer (" in refusal(old, tokenizer=empty)
    ByT5Tokenizer().save_pretrained(tmp_path / "bytes")
    assert "gives no character offsets" in refusal(old, tokenizer=tmp_path / "bytes")


def test_a_tokenizer_whose_unknown_token_is_unknown_is_refused(old: Path) -> None:
    path = old / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | {"unk_token": ""}), encoding="utf-8")
    assert "tokenizer_config.json: the file is damaged (maximum recursion depth" in refusal(old)


def test_a_folder_that_is_taken_is_left_alone(old: Path) -> None:
    new = old.parent / "new"
    new.mkdir()
    (new / "mine.txt").write_text("mine", encoding="utf-8")
    assert refusal(old) == f"{new}: the folder is not empty; give another, or one that does not exist."
    assert os.listdir(new) == ["mine.txt"]
    shutil.rmtree(new)
    new.write_text("mine", encoding="utf-8")
    assert refusal(old) == f"{new}: there is a file of that name; expected a folder."
    new.unlink()
    new.mkdir()
    convert_folder(old, new)
    convert_folder(old, old.parent / "deeper" / "new")
    for folder in (new, old.parent / "deeper" / "new"):
        assert os.listdir(folder.parent).count("new") == 1
        assert not [name for name in os.listdir(folder.parent) if name.startswith(".")]
        assert folder.stat().st_mode & 0o777 == old.stat().st_mode & 0o777


# the check after writing


@torch.no_grad()
def test_a_model_with_other_predictions_is_never_left_behind(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_spoilt(*arguments: Any) -> Any:
        loaded = load_model(*arguments)
        loaded.model.classifier.bias[0] += 0.1
        return loaded

    monkeypatch.setattr(convert, "load_model", load_spoilt)
    assert refusal(old) == "The converted model gives other scores: they differ by 1.0e-01."


@torch.no_grad()
def test_other_tags_are_noticed_where_scores_are_equal(old: Path) -> None:
    convert_folder(old, old.parent / "new")
    tensors = read_state_dict(old / "pytorch_model.bin")
    renamed = rename(tensors, find_layers(tensors, old))
    model = load_model(old.parent / "new", None).model
    assert verify(model, renamed) < 1e-5
    model.crf.transitions.copy_(model.crf.transitions.T.clone())
    with pytest.raises(UserError, match="gives other tags to a sentence of"):
        verify(model, renamed)
