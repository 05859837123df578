"""The scripts in examples/ run as a reader would run them, on a tiny corpus."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from support.marked_lines import LABELS
from transformers import AutoModelForTokenClassification, BertConfig, BertModel, PreTrainedTokenizerFast

from malmoi.inference.tagger import Tagger

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def test_examples_are_short_enough_to_be_copied() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80, path.name


def test_the_stock_trainer_learns_from_the_example(marked_corpus: Path, tmp_path: Path) -> None:
    figures = load("train_bilstm_crf.py")["main"](str(tmp_path / "run"), str(marked_corpus), epochs=25)
    assert figures["eval_f1"] > 0.6
    names = [entity.text for entity in next(iter(Tagger(tmp_path / "run").tag(["손흥민은 서울에서 잤다."])))]
    assert names == ["손흥민", "서울"]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of peft, about names of transformers
def test_adapters_train_classifier_and_crf_and_become_part_of_the_weights(
    marked_corpus: Path, tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    encoder = tmp_path / "encoder"
    BertModel(
        BertConfig(
            vocab_size=len(wordpiece_tokenizer),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        ),
        add_pooling_layer=False,
    ).save_pretrained(encoder)
    wordpiece_tokenizer.save_pretrained(encoder)
    figures = load("train_encoder_crf_lora.py")["main"](
        str(encoder), str(tmp_path / "run"), str(marked_corpus), epochs=2
    )
    model = AutoModelForTokenClassification.from_pretrained(tmp_path / "run")
    assert sorted(model.config.id2label.values()) == sorted(LABELS)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]
    # a fresh CRF is drawn from -0.1 to 0.1; two epochs at this learning rate leave it elsewhere
    assert figures["eval_loss"] < 2


def test_both_ways_to_tag_find_the_same(marked_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    load("train_bilstm_crf.py")["main"](str(tmp_path / "run"), str(marked_corpus), epochs=25)
    capsys.readouterr()
    example = load("tag_texts.py")
    example["main"](str(tmp_path / "run"))
    printed = capsys.readouterr().out
    assert "2,000 texts" in printed
    first = printed.splitlines()[-1].partition("the first: ")[2]
    by_pipeline = example["by_pipeline"](str(tmp_path / "run"))[0]
    assert first == " ".join(f"{entity['word']}/{entity['entity_group']}" for entity in by_pipeline)
