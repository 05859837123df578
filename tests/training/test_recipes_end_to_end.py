"""Every recipe that needs no Hub: a few steps, saved, loaded by its Auto class elsewhere, used by its pipeline."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from malmoi.hub_cards.push import push
from malmoi.recipes.recipe import load_recipe, recipe_names
from malmoi.training.train import run

# recipes whose tokenizer or encoder comes from the Hub
NEED_THE_HUB = {
    "klue-ner-bert",
    "klue-ner-bert-crf",
    "klue-ner-bi-lstm-crf-classic",
    "kmou-ner-bert",
    "nsmc-bert",
    "nsmc-bert-minimal",
    "spacing-bert",
}
SMALL_LSTM = {
    "embedding_size": 8,
    "ngram_vocab_size": 64,
    "ngram_embedding_size": 4,
    "hidden_size": 16,
}
FEW_STEPS = {
    "max_steps": 3,
    "eval_strategy": "steps",
    "eval_steps": 3,
    "save_strategy": "steps",
    "save_steps": 3,
    "logging_steps": 1,
    "per_device_train_batch_size": 4,
    "report_to": "none",
    "use_cpu": "true",
    "disable_tqdm": "true",
}
USE = """
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification
from transformers import AutoTokenizer, pipeline
text = "손흥민은 춘천에서 태어났다."
for folder in {folders!r}:
    trust = "auto_map" in open(folder + "/config.json").read()  # stock architectures carry no code
    architecture = AutoConfig.from_pretrained(folder, trust_remote_code=trust).architectures[0]
    if architecture == "BiLstmModel":
        model = AutoModel.from_pretrained(folder, trust_remote_code=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
        states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state
        print(folder.rsplit("/", 1)[1], type(model).__name__, states.shape[1], sep="\t")
        continue
    of_sequence = architecture.endswith("ForSequenceClassification")
    auto_class = AutoModelForSequenceClassification if of_sequence else AutoModelForTokenClassification
    model = auto_class.from_pretrained(folder, trust_remote_code=trust)
    if of_sequence:
        answer = pipeline("text-classification", model=folder, trust_remote_code=trust)(text)[0]["label"]
    else:
        tagger = pipeline("token-classification", model=folder, trust_remote_code=trust)
        answer = "".join(entity["word"].removeprefix("##") for entity in tagger(text, ignore_labels=[]))
    print(folder.rsplit("/", 1)[1], type(model).__name__, answer, sep="\\t")
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few sentences in the format of every reader."""
    root = tmp_path_factory.mktemp("data")
    sentences = ["손흥민은 춘천에서 태어났다.", "김민재가 서울로 돌아왔다.", "비가 와서 집에 있었다."]
    names = [("손흥민", "춘천"), ("김민재", "서울"), ("비", "집")]
    marked = [
        sentence.replace(person, f"<{person}:PER>").replace(place, f"<{place}:LOC>")
        for sentence, (person, place) in zip(sentences, names)
    ]
    rows = "".join(
        f"## id-{number}\t{sentence}\n"
        + "".join(f"{c}\t{'B-PS' if i == 0 else 'O'}\n" for i, c in enumerate(sentence))
        + "\n"
        for number, sentence in enumerate(sentences)
    )
    reviews = "id\tdocument\tlabel\n" + "".join(f"{i}\t{sentences[i % 3]} {i}\t{i % 2}\n" for i in range(40))
    files = {
        "klue-ner": {"klue-ner-v1.1_train.tsv": rows * 4, "klue-ner-v1.1_dev.tsv": rows},
        "kmou-lines": {
            name: "".join(f"{s}\u241e{m}\n" for s, m in zip(sentences, marked)) * 4
            for name in ("train.txt", "val.txt")
        },
        "nsmc": {"ratings_train.txt": reviews, "ratings_test.txt": reviews},
        "plain-text": {
            "train.txt": "".join(f"{sentence} {number}\n" for sentence in sentences for number in range(9))
        },
        "plain-sentences": {name: "\n".join(sentences * 4) + "\n" for name in ("train.txt", "val.txt", "test.txt")},
    }
    for reader, contents in files.items():
        (root / reader).mkdir()
        for name, content in contents.items():
            (root / reader / name).write_text(content, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Train a recipe, once, and return the folder of the run."""
    root = tmp_path_factory.mktemp("trained")

    def train(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            recipe = load_recipe(name, [])
            small = {} if "encoder_config" in recipe.settings else SMALL_LSTM
            given = {**FEW_STEPS, **small, "output_dir": folder, "train_fraction": 1.0, "tokenizer_min_frequency": 1}
            if name != "demo":
                given["data_dir"] = data / str(recipe.settings["reader"])
            run(recipe._replace(flags={key: str(value) for key, value in given.items()}))
        return folder

    return train


def test_recipes_that_need_the_hub_are_those_that_name_something_on_it() -> None:
    for name in recipe_names():
        settings = load_recipe(name, []).settings
        on_the_hub = settings.get("model_name_or_path") or settings.get("tokenizer") not in (
            None,
            "syllables",
            "wordpiece",
        )
        assert bool(on_the_hub) == (name in NEED_THE_HUB), name


def test_every_recipe_that_needs_the_hub_has_a_twin_of_its_reader_that_does_not() -> None:
    readers = {load_recipe(name, []).settings["reader"] for name in set(recipe_names()) - NEED_THE_HUB}
    assert {load_recipe(name, []).settings["reader"] for name in NEED_THE_HUB} <= readers


@pytest.mark.long
def test_every_twin_is_trained_loaded_elsewhere_and_used(
    trained: Callable[[str], Path], run_without_malmoi: Callable[..., str]
) -> None:
    expected = {
        "bilstm": "BiLstmForSequenceClassification",
        "bilstm_crf": "BiLstmCrfForTokenClassification",
        "encoder_crf": "EncoderCrfForTokenClassification",
    }
    classes, folders = {}, []
    for name in sorted(set(recipe_names()) - NEED_THE_HUB):
        folders.append(trained(name))
        report = json.loads((folders[-1] / "report.json").read_text(encoding="utf-8"))
        of_text = report["task"] == "sentence-classification"
        stock = "BertForSequenceClassification" if of_text else "BertForTokenClassification"
        is_body = report["task"] == "language-model"
        classes[name] = "BiLstmModel" if is_body else expected.get(str(report["model_type"]), stock)
        assert (folders[-1] / "loss.png").stat().st_size > 1000
        assert (folders[-1] / "confusion.png").exists() == of_text
    output = run_without_malmoi(USE.format(folders=list(map(str, folders))))
    lines = [line.split("\t") for line in output.splitlines()]
    assert {name: model for name, model, _ in lines} == classes
    for name, model, answer in lines:
        if model == "BiLstmModel":
            assert answer == "15", name  # a state for each syllable
        elif "Token" in model:
            assert answer.replace(" ", "") == "손흥민은춘천에서태어났다.", name
        else:
            assert answer in ("negative", "positive"), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("spacing-bi-lstm-crf", "`sentence_accuracy`"),
        ("spacing-bert-tiny", "unless you give it `stride`"),
        ("nsmc-bi-lstm", "![Confusion matrix](confusion.png)"),
        ("nsmc-bert-tiny", "the rest of a longer text is not read"),
        ("klue-ner-bert-tiny", "bert of transformers"),
        ("kmou-ner-bert-tiny", "may not be used commercially"),
        ("klue-ner-bert-crf-tiny", "max-marginals of the CRF"),
    ],
)
@pytest.mark.usefixtures("warm_examples")
def test_every_kind_of_run_gets_a_card_whose_examples_run(
    name: str, shown: str, trained: Callable[[str], Path]
) -> None:
    corpus = "sample-ner" if name.startswith("spacing") else None
    published = push(trained(name), f"user/{name}", corpus=corpus, dry_run=True)
    card = (Path(published.where) / "README.md").read_text(encoding="utf-8")
    assert shown in card
    assert "```text\n" in card
    assert ("trust_remote_code" in card) == ("bert" not in name or "crf" in name)
