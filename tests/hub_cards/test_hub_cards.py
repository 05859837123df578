"""What is published of a run: facts, licence, card, evaluation results, and the staged repository."""

import ast
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from huggingface_hub import ModelCard
from support.command_line import malmoi
from support.saved_models import build
from support.tiny_runs import train_body, train_demo
from transformers import AutoTokenizer

from malmoi.commands.main import app
from malmoi.data.user_error import UserError
from malmoi.hub_cards.corpus import corpus_of, known_corpora, read_corpus
from malmoi.hub_cards.push import MARK, push
from malmoi.hub_cards.run_facts import read_facts
from malmoi.hub_cards.upload import Uploaded
from malmoi.hub_cards.usage import examples, run_example
from malmoi.metrics.named_entities import OF_UNSEEN_NAMES
from malmoi.recipes.recipe import load_recipe

REPOSITORY = "user/klue-ner-bi-lstm-crf"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> dict[int, Path]:
    """Finished runs of one recipe with two seeds."""
    folder = tmp_path_factory.mktemp("runs")
    return {seed: train_demo(folder / f"seed-{seed}", data_dir=marked_corpus, seed=seed) for seed in (1, 2)}


@pytest.fixture
def corpus_file(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "우리 말뭉치",
                "hub_id": "user/our-corpus",
                "license": "cc-by-4.0",
                "domain": "eight sentences",
                "weights_license": "cc-by-4.0",
                "weights_note": "Name the authors.",
            },
            allow_unicode=True,
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture
def copied(runs: dict[int, Path], tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], Any]], Path]:
    """Return a function that gives a copy of a run whose report was changed."""

    def copy(change: Callable[[dict[str, Any]], Any]) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(runs[1], folder, ignore=shutil.ignore_patterns("checkpoint-*"))
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        change(report)
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
        return folder

    return copy


def test_every_known_corpus_can_be_read() -> None:
    for name in known_corpora():
        corpus = corpus_of({"data": {"reader": "inline-marks", "source": "somewhere"}}, name)
        assert corpus.weights_note
        assert corpus.license
    assert {"klue-ner", "kmou-ner", "nsmc", "sample-ner"} <= set(known_corpora())


def test_weights_of_the_non_commercial_corpus_say_so() -> None:
    corpus = corpus_of({"data": {"reader": "kmou-lines", "source": "kmou-ner"}}, None)
    assert (corpus.weights_license, corpus.weights_license_name) == ("other", "kmou-ner-non-commercial")
    assert "commercially" in corpus.weights_note


def test_an_unknown_licence_is_asked_for_before_anything_is_staged(runs: dict[int, Path]) -> None:
    with pytest.raises(UserError, match=r"licence of the training data .* --corpus: klue-ner, .* weights_license"):
        push(runs[1], REPOSITORY, dry_run=True)
    assert not runs[1].with_name("seed-1-hub").exists()


@pytest.mark.parametrize("identifier", ["apache-2.0", "cc-by-sa-4.0", "creativeml-openrail-m", "openrail++", "mit"])
def test_licences_of_the_hub_are_taken(identifier: str, tmp_path: Path) -> None:
    path = tmp_path / "corpus.yaml"
    path.write_text(
        f"name: x\nlicense: y\ndomain: z\nweights_license: {identifier}\nweights_note: n\n", encoding="utf-8"
    )
    assert read_corpus(path).weights_license == identifier


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "key: value"),
        ("name: x", "it lacks license, domain, weights_license, weights_note"),
        ("name: x\nlicense: y\ndomain: z\nweights_license: other\nweights_note: n", "lacks weights_license_name"),
        ("name: x\nlicense: y\ndomain: z\nweights_license: w\nweights_note: n\nnme: 1", "unknown key 'nme'"),
        (
            "name: x\nlicense: y\ndomain: z\nweights_license: My own\nweights_note: n",
            "expected an identifier of the Hub",
        ),
        (
            "name: x\nlicense: y\ndomain: z\nweights_license: w\nweights_note: n\nhub_id: not a name",
            "expected the name of a dataset on the Hub for hub_id: Repo id must use",
        ),
        ("name: x\nlicense: 5\ndomain: z\nweights_license: w\nweights_note: n", "expected text for license, got 5"),
        ("name: [", "expected YAML"),
    ],
)
def test_a_wrong_corpus_file_is_refused_in_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "corpus.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(message)):
        read_corpus(path)


def test_figures_are_means_over_seeds(runs: dict[int, Path]) -> None:
    facts = read_facts(runs[1], [runs[2]])
    values = [
        100 * json.loads((runs[seed] / "report.json").read_text(encoding="utf-8"))["figures"]["klue_char_f1"]
        for seed in (1, 2)
    ]
    figure = facts.figure("klue_char_f1")
    assert figure.values == values
    assert figure.mean == pytest.approx(sum(values) / 2)
    assert figure.spread == f" ({values[0]:.2f}, {values[1]:.2f})"


def test_a_type_that_one_seed_finds_by_mistake_has_no_mean(
    runs: dict[int, Path], copied: Callable[[Callable[[dict[str, Any]], Any]], Path]
) -> None:
    found = {f"{name}/XX": 0.0 for name in ("precision", "recall", "f1")}
    mistaken = copied(lambda report: report["figures"].update(found))
    types = [name for name, *_ in read_facts(runs[1]).breakdown()]
    assert types
    assert [name for name, *_ in read_facts(mistaken, [runs[2]]).breakdown()] == types
    assert [name for name, *_ in read_facts(runs[2], [mistaken]).breakdown()] == types
    assert [name for name, *_ in read_facts(mistaken).breakdown()] == [*types, "XX"]


def test_a_corpus_and_a_run_of_another_seed_may_be_paths(
    runs: dict[int, Path], corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged: list[Any] = []

    def stage(facts: Any, corpus: Any, repo_id: str, folder: Path, **options: Any) -> Path:
        staged.append((facts.report["seed"], [report["seed"] for report in facts.repetitions], corpus.name))
        return tmp_path

    monkeypatch.setattr("malmoi.hub_cards.push.stage", stage)
    monkeypatch.setattr("malmoi.hub_cards.push.upload", lambda *args, **options: Uploaded("nowhere", True, []))
    for others in (runs[2], str(runs[2]), [runs[2]]):
        push(runs[1], REPOSITORY, corpus=corpus_file, other_seeds=others)
    assert staged == 3 * [(1, [2], "우리 말뭉치")]


def test_only_what_differs_from_the_defaults_is_told(runs: dict[int, Path]) -> None:
    told = read_facts(runs[1]).hyperparameters()
    assert told["hidden_size"] == 16
    assert told["max_steps"] == 4
    assert "lr_scheduler_type" not in told  # linear, as without the line in the recipe
    assert not {"seed", "data_dir", "output_dir", "save_steps"} & set(told)


def test_a_repetition_must_be_one(
    runs: dict[int, Path], copied: Callable[[Callable[[dict[str, Any]], Any]], Path]
) -> None:
    wider = copied(lambda report: report["settings"].update(hidden_size=32, seed=3) or report.update(seed=3))
    with pytest.raises(UserError, match="same recipe with another seed, but hidden_size is 32 and not 16"):
        read_facts(runs[1], [wider])
    with pytest.raises(UserError, match="named twice"):
        read_facts(runs[1], [runs[1]])
    same = wider.with_name("same")
    shutil.copytree(runs[1], same, ignore=shutil.ignore_patterns("checkpoint-*"))
    with pytest.raises(UserError, match="must have other seeds, got 1, 1"):
        read_facts(runs[1], [same])


def test_a_repetition_has_the_same_figures(
    runs: dict[int, Path], copied: Callable[[Callable[[dict[str, Any]], Any]], Path]
) -> None:
    older = copied(lambda report: report["definitions"].pop("entity_f1_unseen"))
    with pytest.raises(UserError, match="it lacks the figures entity_f1_unseen; train the run anew"):
        read_facts(runs[1], [older])


def test_other_data_is_no_repetition(
    runs: dict[int, Path], copied: Callable[[Callable[[dict[str, Any]], Any]], Path]
) -> None:
    elsewhere = copied(lambda report: report["data"].update(fingerprint="0"))
    with pytest.raises(UserError, match="must be on the same data"):
        read_facts(runs[1], [elsewhere])


@pytest.mark.parametrize("key", ["parameters", "losses", "main_figure"])
def test_a_missing_number_is_an_error_and_no_blank(
    key: str, copied: Callable[[Callable[[dict[str, Any]], Any]], Path], corpus_file: Path
) -> None:
    changed = copied(lambda report: report.pop(key))
    with pytest.raises(UserError, match=key):
        push(changed, REPOSITORY, corpus=str(corpus_file), dry_run=True)
    assert not changed.with_name("changed-hub").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("warm_examples")
def test_a_dry_run_leaves_a_repository_that_was_tried(runs: dict[int, Path], corpus_file: Path) -> None:
    published = push(runs[1], REPOSITORY, other_seeds=[runs[2]], corpus=str(corpus_file), dry_run=True)
    folder = Path(published.where)
    assert folder == runs[1].with_name("seed-1-hub")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MARK}
    assert names == {name for name, _ in published.files}
    assert {"README.md", "report.json", "recipe.yaml", "model.safetensors", "config.json", "tokenizer.json"} <= names
    assert {"modeling_bilstm_crf.py", "configuration_bilstm_crf.py", ".eval_results/inline-marks.yaml"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl")) or "checkpoint" in name]

    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "cc-by-4.0"
    assert card.data.language == "ko"
    assert card.data.pipeline_tag == "token-classification"
    assert card.data.datasets == ["user/our-corpus"]
    reports = [json.loads((runs[seed] / "report.json").read_text(encoding="utf-8")) for seed in (1, 2)]
    results = {result.metric_name.split(":")[0]: result.metric_value for result in card.data.eval_results}
    assert reports[0]["counted"]["unseen names"] == 0
    assert set(results) == set(reports[0]["definitions"]) - set(OF_UNSEEN_NAMES)
    for name, value in results.items():
        assert value == pytest.approx(sum(report["figures"][name] for report in reports) / 2, abs=1e-6)
        assert f"| `{name}` | {100 * value:.2f} (" in card.text
    entries = yaml.safe_load((folder / ".eval_results/inline-marks.yaml").read_text(encoding="utf-8"))
    assert {entry["dataset"]["task_id"] for entry in entries} == set(results)
    assert {entry["dataset"]["id"] for entry in entries} == {"user/our-corpus"}
    assert f"{reports[0]['parameters']:,} parameters" in card.text
    # what the second example printed: the shape of what its text gives
    texts = [ast.literal_eval(found) for found in re.findall(r"\*\*tokenizer\((\".*\"), return_tensors", card.text)]
    tokens = [len(AutoTokenizer.from_pretrained(folder)(text)["input_ids"]) for text in texts]
    assert re.findall(r"torch\.Size\(\[1, (\d+), 5\]\)", card.text) == [str(count) for count in tokens]
    assert not re.search(r"\{\{|\{%|None|Undefined", card.text)
    assert str(runs[1].parent) not in card.content
    # the recipe trains the same again
    assert load_recipe(str(folder / "recipe.yaml"), []).settings == reports[0]["settings"]
    # and a second dry run takes the place of the first
    assert push(runs[1], REPOSITORY, corpus=str(corpus_file), dry_run=True).where == str(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_examples")
def test_a_body_is_published_with_its_own_figures_and_states(tmp_path: Path) -> None:
    body = train_body(tmp_path / "body", ["손흥민은 춘천에서 태어났다.", "비가 와서 집에 있었다."] * 8)
    with pytest.raises(UserError, match=r"licence of the training data .* --corpus: "):
        push(body, "user/body", dry_run=True)
    folder = Path(push(body, "user/body", corpus="open-korean-texts", dry_run=True).where)
    card = ModelCard.load(folder / "README.md")
    assert (card.data.license, card.data.pipeline_tag) == ("cc-by-sa-4.0", "feature-extraction")
    assert card.data.base_model is None
    figures = json.loads((body / "report.json").read_text(encoding="utf-8"))["figures"]
    # a share in %, perplexities as they are
    assert f"| `accuracy` | {100 * figures['accuracy']:.2f} |" in card.text
    for direction in ("forward", "backward"):
        assert f"| `{direction}_perplexity` | {figures[f'{direction}_perplexity']:.2f} |" in card.text
        assert f"- `{direction}_perplexity`: e to the power of {direction}_loss" in card.text
    results = {result.metric_name.split(":")[0]: result.metric_value for result in card.data.eval_results}
    assert results == {name: pytest.approx(figures[name], abs=1e-6) for name in results}
    assert "By direction" not in card.text
    [printed] = re.findall(r"torch\.Size\(\[1, (\d+), 16\]\)", card.text)
    [text] = re.findall(r"\*\*tokenizer\((\".*\"), return_tensors", card.text)
    assert int(printed) == len(AutoTokenizer.from_pretrained(folder)(ast.literal_eval(text))["input_ids"])
    assert "malmoi train klue-ner-from-body --model_name_or_path user/body --reader inline-marks" in card.text


HARMLESS = {
    "bisect",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "difflib",
    "functools",
    "inspect",
    "itertools",
    "math",
    "operator",
    "types",
    "typing",
    "warnings",
}
"""Modules of the standard library that reach neither files nor processes nor the network."""
OPTIONAL = {
    "bilstm": {"malmoi"},
    "linear_chain_crf": {"malmoi"},
    "name_edges": {"regex"},  # transformers itself needs it
    "modeling_encoder_crf": {"pathlib"},  # to ask whether a name is that of a folder
}
"""Libraries beside torch and transformers that a file may import: malmoi only where it is installed."""


@pytest.mark.parametrize("architecture", ["bilstm_crf", "bilstm", "encoder_crf"])
def test_published_code_reaches_nothing(architecture: str, tmp_path: Path) -> None:
    build(architecture, 20).save_pretrained(tmp_path)
    files = sorted(tmp_path.glob("*.py"))
    assert len(files) > 3
    own = {path.stem for path in files}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
                if node.level:
                    assert node.module in own
                    continue
            allowed = {"torch", "transformers", "huggingface_hub", *HARMLESS}
            allowed |= OPTIONAL.get(path.stem, set())
            assert {name.partition(".")[0] for name in names} <= allowed, path
            if isinstance(node, ast.Name):
                assert node.id not in {"open", "eval", "exec", "compile", "__import__"}, path


@pytest.mark.slow
@pytest.mark.usefixtures("warm_examples")
def test_a_folder_of_the_user_is_not_replaced(runs: dict[int, Path], corpus_file: Path) -> None:
    folder = runs[2].with_name("seed-2-hub")
    folder.mkdir()
    (folder / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="expected no folder, or one that an earlier dry run left"):
        push(runs[2], REPOSITORY, corpus=str(corpus_file), dry_run=True)
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_examples_run_without_malmoi_and_without_answers(tmp_path: Path) -> None:
    assert examples("text\n```python\nprint(1)\n```\n```sh\nls\n```\n```python\nprint(2)\n```\n") == [
        "print(1)\n",
        "print(2)\n",
    ]
    assert run_example("print('한글')", tmp_path) == "한글\n"
    for example, message in [
        ("import malmoi", "fails where malmoi is not installed"),
        ("input()", "EOFError"),
        ("1 + 1", "prints nothing"),
    ]:
        with pytest.raises(UserError, match=message):
            run_example(example, tmp_path)


@pytest.mark.parametrize(
    "name", ["klue-ner", "a/b/c", "user/", "/model", "user/mo del", "../x", "user/a--b", "user/a.git"]
)
def test_the_name_must_be_one_of_the_hub(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Expected the name of a repository"):
        push(tmp_path, name)


def test_no_option_takes_a_credential() -> None:
    command = typer.main.get_command(app).commands["push"]  # type: ignore[attr-defined]
    assert not [option for parameter in command.params for option in parameter.opts if "token" in option]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--space", "--corpus", "nsmc"], "--other_seed and --corpus are for the card of a model"),
        (["--beside", "other"], "--beside is for a Space"),
        ([], "nowhere: there is no such folder"),
    ],
)
def test_the_command_refuses_in_one_sentence(arguments: list[str], message: str) -> None:
    _, error = malmoi("push", "nowhere", "user/model", *arguments, code=2)
    assert message in error
    assert len(error.strip().splitlines()) == 1
