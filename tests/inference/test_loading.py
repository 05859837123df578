import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)
from transformers import BertConfig, BertForTokenClassification, BertModel, ByT5Tokenizer, PreTrainedModel

from malmoi.data.readers import READERS
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference import devices, loading
from malmoi.inference.built_size import check_built_size
from malmoi.inference.classifier import Classifier
from malmoi.inference.devices import find_device
from malmoi.inference.loading import CLASSES, COMMANDS, LANGUAGE_MODEL, LoadedModel, load_model, read_task, task_of
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.inference.task_finding import find_task
from malmoi.modeling import BiLstmCrfForTokenClassification
from malmoi.recipes.arguments import ARGUMENTS
from malmoi.training.tasks import TASKS


def damage(folder: Path, how: str) -> str:
    """Damage a saved model; return the start of the message that must follow."""
    weights, config = folder / "model.safetensors", folder / "config.json"
    if how == "no weights":
        weights.unlink()
        return f"{weights}: there is no such file, so the folder holds no weights."
    if how == "a pickle instead":
        weights.rename(folder / "pytorch_model.bin")
        return f"{weights}: there is no such file, so the folder holds no weights. pytorch_model.bin may be a pickle"
    if how == "an exported model":
        weights.rename(folder / "model.onnx")
        return (
            f"{weights}: there is no such file, so the folder holds no weights. model.onnx is an exported model; for"
        )
    if how == "weights cut off":
        weights.write_bytes(weights.read_bytes()[:-100])
        return f"{weights}: the file is damaged or cut off"
    if how == "no weights but bytes":
        weights.write_bytes(b"\x00" * 5)
        return f"{weights}: the file is damaged or cut off"
    if how == "other labels":
        settings = json.loads(config.read_text(encoding="utf-8"))
        settings["id2label"], settings["label2id"] = {"0": "O", "1": "B-X"}, {"O": 0, "B-X": 1}
        config.write_text(json.dumps(settings), encoding="utf-8")
        return f"{config}: it names 2 labels, but the CRF in model.safetensors has 5."
    if how == "config is no JSON":
        config.write_text("{", encoding="utf-8")
        return f"{config}: expected a JSON object"
    if how == "a wrong setting":
        settings = json.loads(config.read_text(encoding="utf-8"))
        config.write_text(json.dumps(settings | {"hidden_size": 7}), encoding="utf-8")
        return f"{folder}: Class validation error for validator 'validate_sizes': ValueError: `hidden_size` holds two"
    if how == "a tensor of another size":
        tensors = load_file(weights)
        save_file({**tensors, "classifier.bias": tensors["classifier.bias"][:2]}, weights, metadata={"format": "pt"})
        return f"{weights}: classifier.bias is (2,), but config.json asks for (5,)."
    if how == "a tensor missing":
        tensors = load_file(weights)
        del tensors["crf.transitions"]
        save_file(tensors, weights, metadata={"format": "pt"})
        return f"{weights}: it lacks the weights crf.transitions."
    if how == "labels are no map":
        settings = json.loads(config.read_text(encoding="utf-8"))
        config.write_text(json.dumps(settings | {"id2label": 3}), encoding="utf-8")
        return f"{config}: expected `id2label` to map numbers to labels, got 3."
    config.unlink()
    return f"{config}: there is no such file, so the folder holds no model."


@pytest.mark.parametrize(
    "how",
    [
        "no weights",
        "a pickle instead",
        "an exported model",
        "weights cut off",
        "no weights but bytes",
        "other labels",
        "config is no JSON",
        "a wrong setting",
        "a tensor of another size",
        "a tensor missing",
        "labels are no map",
        "no config",
    ],
)
def test_a_damaged_folder_is_one_clear_sentence(saved_model: Path, how: str) -> None:
    expected = damage(saved_model, how)
    with pytest.raises(UserError) as caught:
        load_model(saved_model, "named-entities")
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(UserError, match=r"\./nowhere: there is no such folder"):
        load_model("./nowhere", None)
    with pytest.raises(UserError, match="someone/nothing: there is no such folder, and on the Hub: "):
        load_model("someone/nothing", None)
    with pytest.raises(UserError, match="tests/nothing: there is no such folder"):
        load_model("tests/nothing", None)


@pytest.mark.parametrize("engine", [None, "torch", "onnx"])
def test_a_revision_is_not_ignored_where_there_is_none(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch, engine: str | None
) -> None:
    folder = saved_model.rename(saved_model.with_name("user"))  # which a repository might be called, too
    monkeypatch.chdir(folder.parent)
    for model in (folder, "user", "bundled:named-entities", None):
        with pytest.raises(UserError, match=": `revision` is for a repository on the Hub, and this is none; leave it"):
            Tagger(model, revision="v1", engine=engine)
    for use in (find_task, read_task):
        with pytest.raises(UserError, match=": `revision` is for a repository on the Hub, and this is none; leave it"):
            use(folder, revision="v1")


@pytest.fixture
def models(tmp_path: Path, saved_model: Path) -> dict[str, Path]:
    """Saved models by the command that uses them."""
    bert, syllables = bert_tokenizer(), build_syllable_tokenizer(SENTENCES)
    return {
        "tag": saved_model,
        "space": save(tmp_path / "space", tiny_spacing_bilstm(syllables), syllables),
        "classify": save(tmp_path / "classify", tiny_bert_classifier(bert), bert),
    }


def test_a_model_for_another_task_names_its_command(models: dict[str, Path]) -> None:
    tasks = {"tag": "named-entities", "space": "word-spacing", "classify": "sentence-classification"}
    for wrong, user in (("tag", Tagger), ("space", Spacer), ("classify", Classifier)):
        for command, folder in models.items():
            if command == wrong:
                assert task_of(load_model(folder, tasks[command]).model.config) == tasks[command]
                continue
            with pytest.raises(UserError) as caught:
                user(folder)
            in_python = CLASSES[tasks[command]]
            assert str(caught.value) == (
                f"{folder}: this is a model for {tasks[command]}; use `malmoi {command}`, or `{in_python}` in Python."
            )


def test_any_tagger_of_word_beginnings_spaces_words(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    for labels in (SPACING_LABELS, SPACING_LABELS[::-1]):
        folder = save(tmp_path / labels[0], tiny_bert_tagger(tokenizer, labels), tokenizer)
        assert next(Spacer(folder).space(["비가왔다"])).text.replace(" ", "") == "비가왔다"


def test_an_encoder_without_a_task_is_refused(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    encoder = BertModel(tiny_bert_tagger(tokenizer, SPACING_LABELS).config)
    folder = save(tmp_path, encoder, tokenizer)
    message = f"{folder}: expected a model for token or sequence classification, got "
    for architectures, found in ((["BertModel"], "BertModel"), (["BertForMaskedLM"], "BertForMaskedLM")):
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps(settings | {"architectures": architectures}), encoding="utf-8")
        for task in ("word-spacing", None):
            with pytest.raises(UserError) as caught:
                load_model(folder, task)
            assert str(caught.value) == f"{message}{found}."
    (folder / "config.json").write_text(json.dumps(settings | {"architectures": None}), encoding="utf-8")
    with pytest.raises(UserError, match="classification, got none that is named"):
        load_model(folder, None)


class OwnTagger(BiLstmCrfForTokenClassification):
    """A class of a user's, whose name does not tell its head."""


def test_a_class_of_a_users_own_is_read_as_what_its_configuration_goes_with(saved_model: Path, tmp_path: Path) -> None:
    texts = ["비가 와서 집에 있다", "누가 왔다"]
    shutil.copytree(saved_model, tmp_path / "own")
    model = OwnTagger.from_pretrained(saved_model)
    model.save_pretrained(tmp_path / "own")
    assert json.loads((tmp_path / "own" / "config.json").read_text(encoding="utf-8"))["architectures"] == ["OwnTagger"]
    assert read_task(tmp_path / "own") == read_task(saved_model)
    user = {"named-entities": Tagger, "word-spacing": Spacer}[read_task(saved_model)]
    assert user(tmp_path / "own")(texts) == user(saved_model)(texts)


def test_weights_that_only_a_class_of_a_users_own_has_are_not_left_out_in_silence(
    saved_model: Path, tmp_path: Path
) -> None:
    shutil.copytree(saved_model, tmp_path / "own")
    model = OwnTagger.from_pretrained(saved_model)
    model.further = torch.nn.Linear(2, 2)
    model.save_pretrained(tmp_path / "own")
    with pytest.raises(UserError) as caught:
        load_model(tmp_path / "own", None)
    assert str(caught.value) == (
        f"{tmp_path / 'own'}/model.safetensors: OwnTagger has the weights further.bias, further.weight, which "
        "BiLstmCrfForTokenClassification has not and would answer without; load it as OwnTagger and give it to "
        "`of_loaded(LoadedModel(model.eval(), tokenizer))` of the class that answers."
    )
    tokenizer = load_model(saved_model, None).tokenizer
    user = {"named-entities": Tagger, "word-spacing": Spacer}[read_task(saved_model)]
    assert user.of_loaded(LoadedModel(model.eval(), tokenizer))("비가 와서") == user(saved_model)("비가 와서")


class PoolingBertForTokenClassification(BertForTokenClassification):
    """As whoever writes `BertModel(config)` gets it; the weights of the loss are saved, too."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        self.loss = torch.nn.CrossEntropyLoss(weight=torch.ones(2))
        self.post_init()


@pytest.mark.parametrize("left_out", ["loss_layer", "loss_fct", "further", "lossy_head"])
def test_a_pooler_and_a_loss_of_a_users_own_take_no_part_in_the_answers_of_a_tagger(
    left_out: str, tmp_path: Path
) -> None:
    tokenizer = bert_tokenizer()
    model = PoolingBertForTokenClassification(tiny_bert_tagger(tokenizer, SPACING_LABELS).config)
    setattr(model, left_out, torch.nn.Linear(2, 2))
    folder = save(tmp_path, model, tokenizer)
    if not left_out.startswith("loss_"):
        message = f"PoolingBertForTokenClassification has the weights {left_out}.bias, {left_out}.weight, which"
        with pytest.raises(UserError, match=message):
            load_model(folder, "word-spacing")
        return
    loaded = load_model(folder, "word-spacing").model
    ids = torch.tensor([[5, 6, 7]])
    assert type(loaded) is BertForTokenClassification
    assert torch.equal(loaded(ids).logits, model.eval()(ids).logits)


def test_a_tokenizer_without_offsets_is_refused(tmp_path: Path) -> None:
    folder = save(tmp_path, tiny_bert_tagger(bert_tokenizer(), SPACING_LABELS), ByT5Tokenizer())
    with pytest.raises(UserError, match="the tokenizer ByT5Tokenizer gives no character offsets"):
        load_model(folder, None)


def test_a_tokenizer_that_leaves_no_room_is_one_sentence(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    tokenizer.model_max_length = 5
    spacer = Spacer(save(tmp_path, tiny_bert_tagger(tokenizer, SPACING_LABELS), tokenizer))
    with pytest.raises(UserError, match="A window needs at least 6 tokens"):
        list(spacer.space(["비가"]))


def test_every_task_has_a_command() -> None:
    assert set(ARGUMENTS) == set(TASKS)
    assert set(CLASSES) == set(COMMANDS) == set(TASKS) - {LANGUAGE_MODEL}  # which answers nothing
    assert all({*reader.tasks} <= {*TASKS} for reader in READERS.values())


@pytest.mark.parametrize("task", ["named-entities", "sentence-classification"])
def test_a_folder_without_its_tokenizer_or_with_a_damaged_one_is_one_sentence(
    tmp_path: Path, saved_model: Path, task: str
) -> None:
    bert = bert_tokenizer()
    folder = saved_model if task == "named-entities" else save(tmp_path / "bert", tiny_bert_classifier(bert), bert)
    file = folder / "tokenizer.json"
    whole = file.read_text(encoding="utf-8")
    for content in ("", "{", whole[: len(whole) // 2], "{}", whole.replace('"vocab"', '"words"')):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(UserError) as caught:
            load_model(folder, task)
        assert str(caught.value).startswith(f"{file}: the file is damaged (")
        assert "\n" not in str(caught.value)
    file.unlink()
    for also in ("nothing", "tokenizer_config.json"):
        (folder / also).unlink(missing_ok=True)
        with pytest.raises(UserError) as caught:
            load_model(folder, task)
        assert str(caught.value) == f"{file}: there is no such file, so the folder holds no tokenizer."
    file.write_text(whole, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match=r"tokenizer_config\.json: expected a JSON object, got list"):
        load_model(folder, task)


def test_a_folder_of_checkpoints_or_of_an_adapter_says_what_it_is(tmp_path: Path) -> None:
    def holding(*names: str) -> Path:
        for name in names:
            (tmp_path / name).mkdir()
            (tmp_path / name / "config.json").write_text("{}", encoding="utf-8")
        return tmp_path

    with pytest.raises(UserError, match=r"holds no model; did you mean .*model-b\?$"):
        load_model(holding("model-b"), None)
    with pytest.raises(UserError, match=r"holds no model; 2 folders in it do, such as .*model-[ab]\.$"):
        load_model(holding("model-a"), None)
    with pytest.raises(UserError, match=r"holds no model; did you mean .*checkpoint-1000\?$"):
        load_model(holding("checkpoint-1000", "checkpoint-999"), None)
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="holds an adapter, which must be merged into its model first"):
        load_model(tmp_path, None)


def test_a_checkpoint_of_a_training_can_be_used(saved_model: Path) -> None:
    saved_model.rename(saved_model.parent / "checkpoint-7")
    assert Tagger(saved_model.parent / "checkpoint-7")("비가") is not None


def test_labels_of_no_scheme_are_refused_when_a_model_is_loaded(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    folder = save(tmp_path / "names", tiny_bert_tagger(tokenizer, ["LABEL_0", "LABEL_1"]), tokenizer)
    for load in (Tagger, read_task, lambda folder: load_model(folder, "named-entities")):
        with pytest.raises(UserError) as caught:
            load(folder)
        assert str(caught.value).startswith(f"{folder}: the labels follow no scheme of names that is known")
        assert str(caught.value).endswith(": LABEL_0, LABEL_1.")
    model = tiny_spacing_bilstm(tokenizer)
    model.config.id2label = {0: "BEGIN", 1: "INSIDE"}
    model.config.malmoi_task = "word-spacing"
    folder = save(tmp_path / "spaces", model, tokenizer)
    with pytest.raises(UserError, match="expected the labels B and I, got BEGIN, INSIDE"):
        Spacer(folder)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "`device` must be the name of one, such as cpu, cuda or cuda:1, got 'gpu'."),
        ("", "`device` must be the name of one, such as cpu, cuda or cuda:1, got ''."),
        (-1, "`device` must be the name of one, such as cpu, cuda or cuda:1, got -1."),
        (2.5, "`device` must be the name of one, such as cpu, cuda or cuda:1, got 2.5."),
        ("cuda", "`device` is 'cuda', but PyTorch finds no GPU here; use cpu, or leave it out."),
        ("cuda:3", "`device` is 'cuda:3', but PyTorch finds no GPU here; use cpu, or leave it out."),
        ("meta", "`device` must be one that computes, got 'meta'."),
        ("xpu", "`device` is 'xpu', which PyTorch cannot use here (Torch not compiled with XPU enabled)."),
    ],
)
def test_a_device_that_is_not_there_is_one_sentence(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch, device: object, message: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError) as caught:
        Tagger(saved_model, device=device)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_gpu_too_many_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="`device` is 'cuda:2', but there are only 2 GPUs, from cuda:0 on"):
        find_device("cuda:2")


@pytest.mark.parametrize("has_it", [True, False])
def test_bfloat16_on_a_processor_without_it_is_said_to_be_slow(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, has_it: bool
) -> None:
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: has_it)
    Tagger(saved_model, device="cpu")
    assert not caplog.messages
    Tagger(saved_model, device="cpu", bf16=True)
    said = "This processor has no instructions for bfloat16: bf16 is slower here than without it."
    assert caplog.messages == ([] if has_it else [said])
    caplog.clear()
    devices.warn_of_slow_bfloat16(torch.device("cuda"))
    assert not caplog.messages


def test_models_that_are_loaded_by_several_threads_are_loaded_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = bert_tokenizer()
    save(tmp_path, tiny_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"]), tokenizer)
    load = loading.AutoModelForTokenClassification.from_pretrained
    at_once: list[int] = []
    most: list[int] = []

    def slow(*given: object, **settings: object) -> object:
        at_once.append(threading.get_ident())
        most.append(len(at_once))
        time.sleep(0.05)
        try:
            return load(*given, **settings)
        finally:
            at_once.remove(threading.get_ident())

    monkeypatch.setattr(loading.AutoModelForTokenClassification, "from_pretrained", slow)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: load_model(tmp_path, None), range(3)))
    assert most == [1, 1, 1]


def test_what_is_built_without_memory_leaves_the_functions_of_torch_in_their_place() -> None:
    # they belong to all threads, and another may be building a model with fresh weights
    model = tiny_bert_tagger(bert_tokenizer(), ["B-PS", "I-PS", "O"])
    own = torch.nn.init.uniform_, torch.nn.init.normal_, PreTrainedModel.init_weights
    seen: list[tuple[object, ...]] = []

    class Built:
        @staticmethod
        def from_config(config: object) -> PreTrainedModel:
            seen.append((torch.nn.init.uniform_, torch.nn.init.normal_, PreTrainedModel.init_weights))
            return type(model)(config)

    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    check_built_size(Built, model.config, shapes, folder="here")
    assert seen == [own]
