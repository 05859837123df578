"""A language model: its losses against brute force, what its states have seen, and its training."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.recipe_flags import as_flags
from transformers import AutoModel, TrainerCallback

from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
from malmoi.metrics.language_model import DEFINITIONS
from malmoi.modeling import BiLstmConfig, BiLstmModel
from malmoi.recipes.recipe import load_recipe
from malmoi.training import trainer as trainer_module
from malmoi.training.models.language_model import BiLstmLanguageModel
from malmoi.training.train import run

SIZES = {"vocab_size": 13, "embedding_size": 6, "hidden_size": 8, "ngram_vocab_size": 31, "ngram_embedding_size": 4}
IDS = torch.tensor([[5, 6, 7, 8, 9, 4, 3], [9, 4, 2, 8, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0]])
MASK = IDS != 0
NGRAMS = pytest.mark.parametrize("ngram_sizes", [[], [2], [3], [2, 4]])


def make(ngram_sizes: list[int], **settings: Any) -> BiLstmLanguageModel:
    torch.manual_seed(0)
    return BiLstmLanguageModel(BiLstmConfig(**SIZES, ngram_sizes=ngram_sizes, **settings)).eval()


@NGRAMS
@torch.no_grad()
def test_losses_are_those_of_every_position_on_its_own(ngram_sizes: list[int]) -> None:
    model = make(ngram_sizes)
    torch.nn.init.normal_(model.language_model.bias)
    states = model.body()(IDS, attention_mask=MASK).last_hidden_state
    embeddings, head = model.embeddings.word_embeddings.weight, model.language_model
    back = max(ngram_sizes, default=1)
    expected = torch.zeros(3, 2, 3)
    for row, length in enumerate(MASK.sum(1).tolist()):
        for place in range(length):
            for direction, seer in ((0, place - 1), (1, place + back)):
                if not 0 <= seer < length:
                    continue
                half = states[row, seer, :4] if direction == 0 else states[row, seer, 4:]
                scores = embeddings @ head.directions[direction](half) + head.bias
                token = IDS[row, place]
                right = float(scores.argmax() == token)
                expected[row, direction] += torch.tensor([-scores.log_softmax(0)[token], right, 1.0])
    output = model(IDS, attention_mask=MASK, labels=IDS.masked_fill(~MASK, -100))
    torch.testing.assert_close(output.logits, expected)
    torch.testing.assert_close(output.loss, expected[:, :, 0].sum() / MASK.sum())
    of_step = model(IDS, attention_mask=MASK, num_items_in_batch=torch.tensor(100))
    torch.testing.assert_close(of_step.loss, expected[:, :, 0].sum() / 100)


@NGRAMS
@torch.no_grad()
def test_no_state_has_seen_what_it_predicts_and_no_nearer_one_could_do_so(ngram_sizes: list[int]) -> None:
    body = make(ngram_sizes).body().eval()
    back = max(ngram_sizes, default=1)
    ids = IDS[:1]
    before = body(ids).last_hidden_state[0]
    for place in range(ids.size(1)):
        changed = ids.clone()
        changed[0, place] = 10
        moved = (body(changed).last_hidden_state[0] - before).abs()
        forward, backward = moved[:, :4].amax(1), moved[:, 4:].amax(1)
        assert not forward[:place].any()
        assert not backward[place + back :].any()
        # the nearest ones beside them have seen it
        assert forward[place] > 0
        if place + back - 1 < ids.size(1):
            assert backward[place + back - 1] > 0


@torch.no_grad()
def test_padding_and_other_texts_of_a_batch_change_nothing() -> None:
    model = make([2])
    together = model(IDS, attention_mask=MASK).logits
    for row, length in enumerate(MASK.sum(1).tolist()):
        alone = model(IDS[row : row + 1, :length]).logits
        torch.testing.assert_close(alone[0], together[row])
    assert not together[2].any()  # a token alone predicts nothing


def test_a_batch_is_learned_by_heart() -> None:
    model = make([2], initializer_range=0.5).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = model(IDS, attention_mask=MASK).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert model.eval()(IDS, attention_mask=MASK).logits[:, :, 1].sum() > 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_hidden_layers": 2}, "one layer and no lexicon, .* leave out `num_hidden_layers: 2`"),
        ({"lexicon_classes": ["person"], "lexicon_vocab_size": 13}, "leave out `lexicon`"),
    ],
)
def test_what_would_let_states_see_ahead_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make([2], **settings)


TEXTS = ["손흥민은 춘천에서 태어났다.", "비가 와서 집에 있었다.", "오늘은 날씨가 좋다.", "그는 서울로 갔다."]
SMALL = {"embedding_size": 8, "hidden_size": 16, "ngram_vocab_size": 64, "ngram_embedding_size": 4}
FEW = {
    **{"max_steps": 6, "eval_steps": 2, "save_steps": 2, "logging_steps": 2, "per_device_train_batch_size": 4},
    **{"use_cpu": "true", "disable_tqdm": "true", "validation_texts": 4, "tokenizer_min_frequency": 1},
}


def flags(**given: Any) -> list[str]:
    return as_flags(given)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    lines = [f"{text} {number}" for number in range(8) for text in TEXTS]
    (folder / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a language model of a few steps."""
    folder = tmp_path_factory.mktemp("run") / "body"
    run(load_recipe("korean-language-model", flags(**FEW, **SMALL, data_dir=texts, output_dir=folder)))
    return folder


@pytest.mark.slow
def test_a_run_leaves_a_body_and_its_checkpoints_the_heads(
    trained: Path, run_without_malmoi: Callable[..., str]
) -> None:
    report = json.loads((trained / "report.json").read_text(encoding="utf-8"))
    assert report["task"] == "language-model"
    assert report["data"]["texts"] == {"train": 28, "validation": 4}
    assert {*report["figures"]} >= {"accuracy", "forward_loss", "backward_perplexity"}
    assert report["definitions"].keys() == DEFINITIONS.keys()
    assert [entry["step"] for entry in report["epochs"]] == [2, 4, 6]
    assert report["epochs"][-1]["forward_loss"] == pytest.approx(report["figures"]["forward_loss"], rel=1e-5)
    weights, of_checkpoint = (load_file(f / "model.safetensors") for f in (trained, trained / "checkpoint-6"))
    assert {name.split(".")[0] for name in weights} == {"embeddings", "lstm"}
    assert {name.split(".")[0] for name in of_checkpoint} == {"embeddings", "lstm", "language_model"}
    for name, tensor in weights.items():
        assert torch.equal(of_checkpoint[name], tensor), name
    assert type(AutoModel.from_pretrained(trained, trust_remote_code=True)) is BiLstmModel
    code = f"""
from transformers import AutoModel, AutoTokenizer
model = AutoModel.from_pretrained({str(trained)!r}, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained({str(trained)!r}, trust_remote_code=True)
print(*model(**tokenizer("비가 왔다", return_tensors="pt")).last_hidden_state.shape)
"""
    assert run_without_malmoi(code).split() == ["1", "5", "16"]


class Interrupt(TrainerCallback):
    """What Ctrl-C does after four steps."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 5:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, texts: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**FEW, **SMALL, "data_dir": texts, "output_dir": tmp_path / "run"}
    callbacks = trainer_module.training_callbacks
    with monkeypatch.context() as patch:
        patch.setattr(trainer_module, "training_callbacks", lambda *given: [*callbacks(*given), Interrupt()])
        with pytest.raises(KeyboardInterrupt):
            run(load_recipe("korean-language-model", flags(**given)))
    assert not (tmp_path / "run" / "report.json").exists()
    run(load_recipe("korean-language-model", flags(**given, resume_from_checkpoint="true")))
    for name, tensor in load_file(trained / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "run" / "model.safetensors")[name], tensor), name


@pytest.mark.slow
def test_training_goes_on_with_other_texts_from_a_body(
    tmp_path: Path, texts: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {**FEW, "max_steps": 1, "learning_rate": 0.0, "data_dir": texts, "output_dir": tmp_path}
    for model in (trained, trained / "checkpoint-6"):
        run(load_recipe("korean-language-model", flags(**given, model_name_or_path=model, overwrite="true")))
        for name, tensor in load_file(trained / "model.safetensors").items():
            assert torch.equal(load_file(tmp_path / "model.safetensors")[name], tensor), name
    assert "embedding_size 8 instead of 192" in capsys.readouterr().err


@pytest.mark.parametrize("lines", [["비가 왔다."], ["비가 왔다.", "눈이 왔다."] * 3])
def test_texts_of_which_none_is_left_to_learn_or_to_judge_by_are_too_few(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = {**FEW, **SMALL, "data_dir": tmp_path, "output_dir": tmp_path / "run"}
    with pytest.raises(UserError, match=f"too few texts to hold any out .* got {len(lines)}; give more"):
        run(load_recipe("korean-language-model", flags(**given)))


@pytest.mark.slow
def test_a_body_that_is_asked_for_answers_says_what_it_is(trained: Path) -> None:
    with pytest.raises(UserError, match="this is a language model, which has no labels to answer with; train from it"):
        Tagger(trained)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model_type": "bilstm_crf"}, "`model_type` must be one of bilstm for language-model, got 'bilstm_crf'"),
        ({"reader": "nsmc"}, "`reader` must be one of plain-text for language-model, got 'nsmc'"),
        ({"text_lines": 0}, "`text_lines` must be at least 1, got 0"),
        ({"validation_texts": 0}, "`validation_texts` must be at least 1, got 0"),
        ({"space_noise_probability": 2}, "`space_noise_probability` must be from 0 to 1, got 2"),
        ({"num_hidden_layers": 2}, "a language model has one layer and no lexicon"),
        ({"body_trained": "false"}, "`body_trained: false` needs a body"),
        ({"text_column": "text"}, "`text_column` is for data with labels, and a language model reads plain texts"),
        ({"reader": "plain-text", "dataset": "a/b"}, "`dataset` is for data with labels"),
        ({"tag_column": 2}, "`tag_column` is for data with labels"),
        ({"trim_josa": "true"}, "`trim_josa` is for data with labels"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path: Path, texts: Path, given: dict[str, Any], message: str) -> None:
    options = {**FEW, **SMALL, "data_dir": texts, "output_dir": tmp_path / "run", **given}
    with pytest.raises(UserError, match=message):
        run(load_recipe("korean-language-model", flags(**options)))
    assert os.listdir(tmp_path / "run" if (tmp_path / "run").exists() else tmp_path) == []
