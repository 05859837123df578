"""Folders of models that are cut off, mixed up or made to do harm: used, or refused in one sentence, within bounds."""

import json
import shutil
import struct
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, load_file
from safetensors.torch import save as dump
from support.folders_in_use import FolderInUse, refusal
from support.hostile_values import BOMBS, HOSTILE_VALUES, LEFT_OUT, changed, other_content, places_in, with_value
from support.property_tests import examples
from support.saved_models import build
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)
from support.warm_process import run_in_process

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classifier
from malmoi.inference.loading import load_model
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FolderInUse]:
    folder = tmp_path_factory.mktemp("models")
    syllables, bert = build_syllable_tokenizer(SENTENCES), bert_tokenizer()
    return {
        "bilstm_crf": FolderInUse(save(folder / "1", build("bilstm_crf", len(syllables)), syllables), Tagger),
        "encoder_crf": FolderInUse(save(folder / "2", build("encoder_crf", len(bert)), bert), Tagger),
        "stock": FolderInUse(save(folder / "3", tiny_bert_tagger(bert, ["B-PS", "I-PS", "O"]), bert), Tagger),
        "spacer": FolderInUse(save(folder / "4", tiny_spacing_bilstm(syllables), syllables), Spacer),
        "classifier": FolderInUse(save(folder / "5", tiny_bert_classifier(bert), bert), Classifier),
    }


CONFIGURATIONS: list[tuple[str, Any, str]] = [
    ("vocab_size", 10**12, "/model.safetensors: "),
    ("vocab_size", 10**30, "/config.json: expected a number that is in use for `vocab_size`, got 1000000000000000000"),
    ("vocab_size", 5, "/model.safetensors: "),
    ("vocab_size", "31", ": Validation error for field 'vocab_size'"),
    ("vocab_size", None, ": Validation error for field 'vocab_size'"),
    ("vocab_size", [31], ": Validation error for field 'vocab_size'"),
    ("hidden_size", 10**9, "/model.safetensors: "),
    ("embedding_size", 10**9, "/model.safetensors: "),
    (
        "num_hidden_layers",
        10**6,
        "/config.json: expected a number that is in use for `num_hidden_layers`, got 1000000.",
    ),
    ("num_hidden_layers", 500, "/config.json: `num_hidden_layers` is 500, but the weights are only 19 tensors."),
    ("num_labels", 10**9, "/config.json: expected a number that is in use for `num_labels`, got 1000000000."),
    ("ngram_vocab_size", 10**11, "/model.safetensors: "),
    ("ngram_embedding_size", 10**11, "/model.safetensors: "),
    ("ngram_sizes", [2] * 5000, "/config.json: it asks for a model of far more parts than the 19 tensors"),
    ("ngram_sizes", [10**9], "/config.json: expected a number that is in use for `ngram_sizes`, got 1000000000."),
    ("hidden_dropout", float("nan"), "/config.json: expected a number for `hidden_dropout`, got NaN."),
    ("dtype", "load", "/config.json: expected one of float32, float16, bfloat16, float64 for `dtype`, got 'load'."),
    ("transformers_weights", "../x.safetensors", "/config.json: the weights lie in model.safetensors; "),
    ("auto_map", {"AutoConfig": "../../x.Config"}, "/config.json: expected `auto_map` to name a class as module.Cl"),
    ("custom_pipelines", {"t": {"impl": "../x.P"}}, "/config.json: expected `custom_pipelines` to name a class as mo"),
    ("architectures", [3], "/config.json: expected a list of names for `architectures`, got [3]."),
    ("malmoi_task", "x", "/config.json: there is no task 'x'; known are named-entities, "),
    (
        "id2label",
        {"0": "O", "7": "B-X"},
        "/config.json: expected `id2label` to give each number from 0 on a label of ",
    ),
    ("id2label", {"0": "O", "1": "O"}, "/config.json: expected `id2label` to give each number from 0 on a label of "),
    ("id2label", {str(number): "가" * 500 for number in range(5)}, "/config.json: expected `id2label` to give each "),
    ("model_type", "../x", ": "),
]


@pytest.mark.parametrize(("key", "value", "expected"), CONFIGURATIONS)
def test_a_hostile_configuration_is_refused(
    models: dict[str, FolderInUse], key: str, value: Any, expected: str
) -> None:
    saved = models["bilstm_crf"]
    path = saved.folder / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    with other_content(path, json.dumps(settings | {key: value}).encode()):
        said = refusal(saved)
    assert said is not None
    assert said.startswith(expected)


TOKENIZERS: list[tuple[str, Any, str]] = [
    (
        "vocab_file",
        "/etc/passwd",
        "/tokenizer_config.json: expected `vocab_file` to name a file of this folder, got '/etc",
    ),
    (
        "tokenizer_file",
        "../x",
        "/tokenizer_config.json: expected `tokenizer_file` to name a file of this folder, got '..",
    ),
    (
        "auto_map",
        {"AutoTokenizer": ["../../x.T", None]},
        "/tokenizer_config.json: expected `auto_map` to name a class",
    ),
    ("model_max_length", 0, "/tokenizer_config.json: expected a whole number of tokens for `model_max_length`, got"),
    ("model_max_length", "x", "/tokenizer_config.json: expected a whole number of tokens for `model_max_length`, got"),
    (
        "model_max_length",
        float("nan"),
        "/tokenizer_config.json: expected a whole number of tokens for `model_max_length`, got",
    ),
    (
        "model_max_length",
        2,
        "/tokenizer_config.json: `model_max_length` is 2, which leaves no room beside the 2 tokens",
    ),
    ("pad_token", 3, "/tokenizer_config.json: the file is damaged (Special token pad_token has to be"),
    ("unk_token", "", "/tokenizer_config.json: the file is damaged ("),
    ("pad_token", None, ": the tokenizer of a classifier needs a `pad_token`, and it has none."),
    ("pad_token", "[OTHER]", "/tokenizer.json: the token '[OTHER]' has the number"),
]


@pytest.mark.parametrize(("key", "value", "expected"), TOKENIZERS)
def test_hostile_settings_of_a_tokenizer_are_refused(
    models: dict[str, FolderInUse], key: str, value: Any, expected: str
) -> None:
    saved = models["classifier"]
    path = saved.folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    with other_content(path, json.dumps(settings | {key: value}).encode()):
        said = refusal(saved)
    assert said is not None
    assert said.startswith(expected)


def hostile_tokenizer(text: str, how: str) -> str:
    """Return a tokenizer with something else in it."""
    content = json.loads(text)
    if how == "a file as its vocabulary":
        content["model"]["vocab"] = "/dev/zero"
    elif how == "no unknown token":
        content["model"]["vocab"] = {"가": 0}
        content["added_tokens"] = []
    elif how == "a normalizer that doubles":
        double = {"type": "Replace", "pattern": {"String": "가"}, "content": "가가"}
        content["normalizer"] = {"type": "Sequence", "normalizers": [double] * 40}
    else:
        content["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [
                {"Sequence": {"id": "A", "type_id": 0}},
                *[{"SpecialToken": {"id": "[SEP]", "type_id": 0}}] * 500,
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}},
        }
    return json.dumps(content)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("a file as its vocabulary", "/tokenizer.json: the file is damaged ("),
        ("no unknown token", "/tokenizer"),
        ("a normalizer that doubles", "/tokenizer.json: its normalizer makes a text 1.1e+12 times as long."),
        ("many tokens around a text", "/tokenizer.json: it puts 500 tokens around each text."),
    ],
)
def test_a_hostile_tokenizer_is_refused(models: dict[str, FolderInUse], how: str, expected: str) -> None:
    saved = models["bilstm_crf" if how == "many tokens around a text" else "spacer"]
    path = saved.folder / "tokenizer.json"
    with other_content(path, hostile_tokenizer(path.read_text(encoding="utf-8"), how).encode()):
        said = refusal(saved)
    assert said is not None
    assert said.startswith(expected)


HEADERS: dict[str, bytes] = {
    "a header of 2**63 bytes": struct.pack("<Q", 2**63),
    "a header longer than the file": struct.pack("<Q", 10**6) + b"{}",
    "a header that is no JSON": struct.pack("<Q", 2) + b"[[",
    "tensors beyond the file": b'{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}',
    "a shape beyond its bytes": b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}' + b"\0" * 4,
    "a product that overflows": b'{"a":{"dtype":"F32","shape":[4294967296,4294967297],"data_offsets":[0,4]}}'
    + b"\0" * 4,
    "offsets backwards": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}' + b"\0" * 4,
    "negative offsets": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}' + b"\0" * 4,
    "bytes that overlap": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],'
    b'"data_offsets":[0,4]}}' + b"\0" * 4,
    "a type that is none": b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}' + b"\0" * 4,
    "deeply nested": b'{"a":' * 100_000,
    "no tensors": b"{}",
}


@pytest.mark.parametrize("how", HEADERS)
def test_hostile_weights_are_refused(models: dict[str, FolderInUse], how: str) -> None:
    header = HEADERS[how]
    if how.partition(" ")[0] != "a" or how.split()[1] != "header":
        length = header.rindex(b"}") + 1 if b"}" in header else len(header)
        header = struct.pack("<Q", length) + header
    saved = models["bilstm_crf"]
    with other_content(saved.folder / "model.safetensors", header):
        said = refusal(saved)
    assert said is not None
    assert said.startswith(
        "/config.json: `num_hidden_layers`"
        if how == "no tensors"
        else "/model.safetensors: the file is damaged or cut off ("
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(models: dict[str, FolderInUse], number: float) -> None:
    for saved in (models["bilstm_crf"], models["stock"]):
        path = saved.folder / "model.safetensors"
        tensors = load(path.read_bytes())
        tensors["classifier.bias"][1] = number
        with other_content(path, dump(tensors, metadata={"format": "pt"})):
            said = refusal(saved)
        assert said == "/model.safetensors: classifier.bias holds infinite numbers or some that are none (NaN)."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../model.safetensors", "expected names of safetensors in this folder, got '../model.safetensors'."),
        ("/etc/passwd", "expected names of safetensors in this folder, got '/etc/passwd'."),
        ("pytorch_model.bin", "expected names of safetensors in this folder, got 'pytorch_model.bin'."),
        ("config.json", "expected names of safetensors in this folder, got 'config.json'."),
        ("none.safetensors", "there is no such file, but model.safetensors.index.json names it."),
        (3, "expected names of safetensors in this folder, got '3'."),
        (None, "expected names of safetensors in this folder, got 'None'."),
        ("one.safetensors", "the files that it names lack 'x'."),
    ],
)
def test_an_index_names_whole_files_of_its_folder(
    tmp_path: Path, models: dict[str, FolderInUse], name: object, expected: str
) -> None:
    folder = Path(shutil.copytree(models["bilstm_crf"].folder, tmp_path / "folder"))
    (folder / "model.safetensors").rename(folder / "one.safetensors")
    shutil.copy(folder / "one.safetensors", tmp_path / "model.safetensors")
    names = dict.fromkeys([*load_file(folder / "one.safetensors"), "x"], name)
    index = {"metadata": {"total_size": 1}, "weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_model(folder, None)
    assert str(caught.value).startswith(f"{folder}/")
    assert str(caught.value).endswith(expected)
    for content in ("{}", "[]", '{"weight_map": {}}', '{"weight_map": 3, "metadata": {}}', "{" * 100_000):
        (folder / "model.safetensors.index.json").write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=r"index\.json: expected "):
            load_model(folder, None)


def test_weights_in_several_files_are_loaded(tmp_path: Path, models: dict[str, FolderInUse]) -> None:
    folder = Path(shutil.copytree(models["bilstm_crf"].folder, tmp_path / "folder"))
    whole = load_model(folder, None).model
    (folder / "model.safetensors").unlink()
    whole.save_pretrained(folder, max_shard_size="2KB")
    assert len([*folder.glob("model-*.safetensors")]) > 1
    assert load_model(folder, None).model.num_parameters() == whole.num_parameters()
    next(folder.glob("model-00002*")).write_bytes(b"")
    with pytest.raises(UserError, match=r"model-00002-of-.*\.safetensors: the file is damaged or cut off"):
        load_model(folder, None)


@pytest.mark.parametrize("file", FILES)
def test_every_file_cut_off_empty_or_missing_is_refused(models: dict[str, FolderInUse], file: str) -> None:
    for name, saved in models.items():
        path = saved.folder / file
        whole = path.read_bytes()
        cuts = [0, 1, 7, 8, 9, *(len(whole) * part // 8 for part in range(1, 8)), len(whole) - 2]
        for length in cuts:
            with other_content(path, whole[:length]):
                said = refusal(saved)
            assert said is not None, (name, length)
            assert said.startswith(f"/{file}: "), (name, length)
        with other_content(path, b""):
            path.unlink()
            said = refusal(saved)
        assert (said is None) == (file == "tokenizer_config.json"), name  # whose settings have defaults


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_model_is_refused_or_fits(models: dict[str, FolderInUse], file: str) -> None:
    for name, saved in models.items():
        for other in models.values():
            with other_content(saved.folder / file, (other.folder / file).read_bytes()):
                said = refusal(saved)
            if file == "model.safetensors" and saved != other:
                assert said is not None, name


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("what", BOMBS)
def test_a_file_that_holds_something_else_is_refused(models: dict[str, FolderInUse], file: str, what: str) -> None:
    saved = models["bilstm_crf"]
    with other_content(saved.folder / file, BOMBS[what]):
        said = refusal(saved)
    harmless = file == "tokenizer_config.json" and what in ("a text of ten million characters", "four million lists")
    assert harmless or said is not None
    assert said is None or said.startswith(f"/{file}: ")


@pytest.mark.parametrize("name", ["bilstm_crf", "encoder_crf", "stock", "spacer", "classifier"])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_any_value_in_any_place_is_used_or_refused(models: dict[str, FolderInUse], name: str, file: str) -> None:
    saved = models[name]
    text = (saved.folder / file).read_text(encoding="utf-8")
    said = []
    for path in places_in(json.loads(text)):
        for value in Random(str(path)).sample([LEFT_OUT, *HOSTILE_VALUES], min(examples(8), 1 + len(HOSTILE_VALUES))):
            with other_content(saved.folder / file, with_value(text, path, value).encode()):
                said.append(refusal(saved))
    assert sum(each is not None for each in said) > len(said) / 3


@pytest.mark.parametrize("name", ["bilstm_crf", "encoder_crf", "stock", "spacer", "classifier"])
@given(seed=st.integers(0, 2**32 - 1), file=st.sampled_from(FILES))
def test_a_folder_with_one_changed_file_is_used_or_refused(
    models: dict[str, FolderInUse], name: str, seed: int, file: str
) -> None:
    saved = models[name]
    with other_content(saved.folder / file, changed((saved.folder / file).read_bytes(), Random(seed))):
        refusal(saved)


# what would take memory or time if it were built; each in a process that has little of both
BUILD = """
import json, resource, sys, time
from pathlib import Path
from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
Tagger({other!r})("가")  # what the first use takes for good
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
folder = Path({folder!r})
for file, changes in json.load(sys.stdin):
    before = (folder / file).read_text()
    (folder / file).write_text(json.dumps(json.loads(before) | changes))
    started = time.perf_counter()
    try:
        Tagger(folder)("가")
    except UserError as error:
        said = str(error)
    else:
        said = "it answers"
    (folder / file).write_text(before)
    print(json.dumps([said, time.perf_counter() - started]))
"""
HUGE = [10**6, 10**9, 10**12, 2**62]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bilstm_crf", "encoder_crf", "stock"])
def test_huge_sizes_take_neither_memory_nor_time(tmp_path: Path, models: dict[str, FolderInUse], name: str) -> None:
    folder = Path(shutil.copytree(models[name].folder, tmp_path / "hostile"))
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    changes: list[dict[str, Any]] = [{"num_labels": huge} for huge in HUGE]
    changes += [{key: huge} for key, value in settings.items() if type(value) is int for huge in HUGE]
    changes += [
        {"encoder_config": settings["encoder_config"] | {key: huge}}
        for key, value in settings.get("encoder_config", {}).items()
        if type(value) is int
        for huge in HUGE
    ]
    changes += [
        {"lexicon_classes": ["a"], "lexicon_sizes": [huge], "lexicon_vocab_size": huge, "lexicon_token_length": huge}
        for huge in HUGE
    ]
    changes += [{"ngram_sizes": [2] * 100_000}, {"layer_types": ["x"] * 100_000, "num_hidden_layers": 9999}]
    result = run_in_process(
        BUILD.format(folder=str(folder), other=str(models[name].folder)),
        stdin=json.dumps([["config.json", change] for change in changes]).encode(),
    )
    assert result.returncode == 0, result.stderr
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(changes)
    for change, (said, seconds) in zip(changes, answers):
        # ids and lengths that reserve nothing may be anything
        assert said.startswith(str(folder)) or said == "it answers", change
        assert "alloc" not in said, change
        assert seconds < 20, change
    refused = [change for change, (said, _) in zip(changes, answers) if said != "it answers"]
    for size in ("vocab_size", "hidden_size", "num_hidden_layers", "num_labels"):
        assert [*settings.get("encoder_config", settings)].count(size) == 0 or sum(
            size in change or size in change.get("encoder_config", {}) for change in refused
        ) >= len(HUGE), size
