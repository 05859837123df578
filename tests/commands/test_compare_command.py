"""`malmoi compare` and `malmoi compare-embeddings` on real, tiny runs."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread
from support.command_line import malmoi
from support.recipe_flags import as_flags

from malmoi.commands import several_runs
from malmoi.commands.compare import compare_runs
from malmoi.commands.compare_embeddings import RUNS, embedding_recipes, train_and_compare
from malmoi.commands.several_runs import unfinished_runs
from malmoi.commands.train import train_recipe
from malmoi.data.user_error import UserError
from malmoi.metrics.named_entities import DEFINITIONS
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.reports import plots
from malmoi.reports.costs import DEFINITIONS as COST_DEFINITIONS
from malmoi.reports.plots import MISSING
from malmoi.training.described_settings import describe_settings
from malmoi.training.resuming import checkpoints
from malmoi.training.train import run

ENCODER = """
task: named-entities
reader: inline-marks
model_type: encoder
encoder_config:
  {model_type: bert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32}
tokenizer: wordpiece
tokenizer_vocab_size: 120
eval_strategy: epoch
"""
TRAINING = {"num_train_epochs": 2, "learning_rate": 0.02, "use_cpu": "true", "disable_tqdm": "true"}
BILSTM = {
    **TRAINING,
    "embedding_size": 8,
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 16,
    "name_replacement_copies": 0,
    "embedding_dropout": 0.1,
    "hidden_dropout": 0.1,
}
VECTORS = "4 3\n은 0.1 0.2 0.3\n에 0.4 0.5 0.6\n서 -0.1 0.2 0.0\n. 0.3 -0.3 0.1\n"


def cells(markdown: str) -> list[list[str]]:
    """Return the rows of the table, without heading."""
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> dict[str, Path]:
    """Finished runs on the same data, two of a BiLSTM-CRF and one of a BERT, and one on other data."""
    folder = tmp_path_factory.mktemp("runs")
    encoder = folder / "encoder.yaml"
    encoder.write_text(ENCODER, encoding="utf-8")
    other = folder / "other data"
    other.mkdir()
    (other / "train.txt").write_bytes((marked_corpus / "train.txt").read_bytes())
    (other / "validation.txt").write_text("<부산:LC>은 따뜻하다.\n", encoding="utf-8")
    recipes: dict[str, tuple[str, dict[str, Any]]] = {
        # long enough to find a name
        "narrow": (
            "demo",
            {**BILSTM, "data_dir": marked_corpus, "per_device_train_batch_size": 1, "num_train_epochs": 5},
        ),
        "wide": ("demo", {**BILSTM, "data_dir": marked_corpus, "hidden_size": 32, "seed": 2, "num_train_epochs": 1}),
        "bert": (str(encoder), {**TRAINING, "data_dir": marked_corpus}),
        "elsewhere": ("demo", {**BILSTM, "data_dir": other}),
    }
    for name, (recipe, settings) in recipes.items():
        run(load_recipe(recipe, as_flags({**settings, "output_dir": folder / name})))
    return {name: folder / name for name in recipes}


def test_the_table_holds_the_numbers_of_the_reports(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["narrow", "wide", "bert"]
    compare_runs([runs[name] for name in names], output_dir=tmp_path / "out", separately=False)
    output, note = capsys.readouterr()
    reports = [json.loads((runs[name] / "report.json").read_text(encoding="utf-8")) for name in names]
    assert cells(output) == [
        [
            name,
            report["model_type"],
            f"{100 * report['figures']['entity_f1']:.2f}",
            "-".join(f"{100 * end:.1f}" for end in report["intervals"]["entity_f1"]),
            f"{report['kept_epoch']:g}",
            f"{100 * report['mean']:.2f}",
            f"{report['seconds_per_epoch']:.{1 if report['seconds_per_epoch'] >= 1 else 3}f}",
            f"{report['parameters']:,}",
            f"{report['peak_memory_bytes'] / 2**30:.2f}",
            f"{report['texts_per_second']:.0f}",
            str(report["seed"]),
        ]
        for name, report in zip(names, reports)
    ]
    assert [row[1] for row in cells(output)] == ["bilstm_crf", "bilstm_crf", "bert"]
    assert reports[0]["best"] > reports[0]["mean"] > 0
    for definition in (DEFINITIONS["entity_f1"], *COST_DEFINITIONS.values()):
        assert definition in output
    assert "validation of corpus" in output
    assert output.count("differ") == 1
    assert "the runs differ in texts in a step**: 1 (narrow); 16 (wide); 8 (bert)" in output
    assert (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8") == output
    written = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    for row, report in zip(written["runs"], reports):
        for key in ("best", "mean", *COST_DEFINITIONS):
            assert row[key] == report[key], key
        assert [point["entity_f1"] for point in row["curve"]] == [entry["entity_f1"] for entry in report["epochs"]]
    assert imread(tmp_path / "out" / "comparison.png").min() < 0.5
    assert (
        note == f"Written: {', '.join(str(tmp_path / 'out' / f'comparison.{end}') for end in ('md', 'json', 'png'))}\n"
    )


def test_the_costs_of_a_run_are_plausible(runs: dict[str, Path]) -> None:
    for folder in runs.values():
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert 50 << 20 < report["peak_memory_bytes"] < 1 << 36
        assert report["texts_per_second"] > 0
        assert 0 < report["seconds_per_epoch"] < report["seconds_total"]
        assert imread(folder / "loss.png").min() < 0.5


def test_runs_on_other_data_are_refused(runs: dict[str, Path]) -> None:
    with pytest.raises(UserError) as error:
        compare_runs([runs["narrow"], runs["elsewhere"]], output_dir=None, separately=False)
    assert str(error.value).startswith("narrow and elsewhere differ in data: validation of corpus")
    assert "validation of other data (fingerprint " in str(error.value)
    assert str(error.value).endswith("--separately gives each kind a table of its own.")


def test_separate_groups_get_tables_and_files_of_their_own(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare_runs([runs["narrow"], runs["elsewhere"], runs["bert"]], output_dir=tmp_path, separately=True)
    output, _ = capsys.readouterr()
    first, second = output.split("\n\n| run")
    assert [row[0] for row in cells(first)] == ["narrow", "bert"]
    assert [row[0] for row in cells("| run" + second)] == ["elsewhere"]
    assert {path.name for path in tmp_path.iterdir()} == {
        f"comparison-{number}.{end}" for number in (1, 2) for end in ("md", "json", "png")
    }


@pytest.mark.slow
def test_the_command_line_takes_the_flags_and_refuses_in_one_sentence(runs: dict[str, Path], tmp_path: Path) -> None:
    output, _ = malmoi("compare", runs["narrow"], runs["wide"], "--output_dir", tmp_path)
    assert [row[0] for row in cells(output)] == ["narrow", "wide"]
    assert (tmp_path / "comparison.png").is_file()
    assert len(malmoi("compare", runs["narrow"], runs["elsewhere"], "--separately")[0].split("| run")) == 3
    _, error = malmoi("compare", runs["narrow"], tmp_path / "nowhere", code=2)
    assert error == f"malmoi: {tmp_path / 'nowhere'}: there is no such folder.\n"


def test_without_matplotlib_the_missing_plots_are_said_once(
    runs: dict[str, Path],
    tmp_path: Path,
    marked_corpus: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    compare_runs([runs["narrow"], runs["elsewhere"]], output_dir=tmp_path / "out", separately=True)
    assert capsys.readouterr().err.count(MISSING) == 1
    compare_runs([runs["narrow"]], output_dir=None, separately=False)  # nothing would be drawn anyway
    assert MISSING not in "".join(capsys.readouterr())
    train_recipe(load_recipe("demo", as_flags({**BILSTM, "data_dir": marked_corpus, "output_dir": tmp_path / "run"})))
    assert "".join(capsys.readouterr()).count(MISSING) == 1
    assert not list(tmp_path.rglob("*.png"))


@pytest.fixture
def embedded(tmp_path: Path, marked_corpus: Path) -> Callable[..., list[str]]:
    """The flags of a comparison of embeddings."""
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(VECTORS, encoding="utf-8")
    settings = {**BILSTM, "data_dir": marked_corpus, "embeddings": vectors, "output_dir": tmp_path / "runs"}
    return lambda **changes: as_flags({**settings, **changes})


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that begins fails."""
    monkeypatch.setattr(several_runs.subprocess, "run", None)


def test_embeddings_must_be_named(embedded: Callable[..., list[str]]) -> None:
    with pytest.raises(RecipeError, match="Give the pretrained embeddings to compare by --embeddings NAME_OR_FILE"):
        embedding_recipes("demo", embedded(embeddings=""))
    assert "--embeddings NAME_OR_FILE" in malmoi("compare-embeddings", "demo", code=2)[1]


def test_there_are_three_recipes_that_differ_in_nothing_but_embeddings(
    embedded: Callable[..., list[str]], tmp_path: Path
) -> None:
    recipes = embedding_recipes("demo", embedded())
    assert [folder.relative_to(tmp_path / "runs").as_posix() for folder in recipes] == ["random", "frozen", "trained"]
    given = [(recipe.given("embeddings"), recipe.given("embeddings_trained")) for recipe in recipes.values()]
    vectors = str(tmp_path / "vectors.txt")
    assert given == [("", "true"), (vectors, "false"), (vectors, "true")]
    own = ("embeddings", "embeddings_trained", "output_dir")
    rest = [{key: value for key, value in recipe.flags.items() if key not in own} for recipe in recipes.values()]
    assert rest[0] == rest[1] == rest[2]
    assert [recipe.flags["output_dir"] for recipe in recipes.values()] == [str(folder) for folder in recipes]


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("finished", ["random", "trained"])
def test_a_run_in_any_of_the_folders_is_noticed_before_the_first_training(
    embedded: Callable[..., list[str]], tmp_path: Path, finished: str
) -> None:
    (tmp_path / "runs" / finished).mkdir(parents=True)
    (tmp_path / "runs" / finished / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(
        RecipeError, match=rf"{finished} holds a run already.*--resume_from_checkpoint true.*--overwrite"
    ):
        train_and_compare(embedding_recipes("demo", embedded()))
    assert len(unfinished_runs(embedding_recipes("demo", embedded(overwrite="true")))) == 3


@pytest.mark.usefixtures("no_training")
def test_wrong_arguments_are_noticed_before_the_first_training(embedded: Callable[..., list[str]]) -> None:
    for changes, message in (
        ({"train_fraction": 2}, "`train_fraction` must be above 0"),
        ({"resume_from_checkpoint": "checkpoint-1"}, "must be true or false for several runs, got 'checkpoint-1'"),
    ):
        with pytest.raises(RecipeError, match=message):
            train_and_compare(embedding_recipes("demo", embedded(**changes)))


def test_an_interrupted_comparison_goes_on_with_what_is_unfinished(
    embedded: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = embedding_recipes("demo", embedded(resume_from_checkpoint="true"))
    random, frozen, trained = recipes
    random.mkdir(parents=True)
    (random / "report.json").write_text(json.dumps({"settings": describe_settings(recipes[random])}))
    (frozen / "checkpoint-3").mkdir(parents=True)
    monkeypatch.setattr(checkpoints, "what_it_lacks", lambda checkpoint: None)
    resumed = {folder: recipe.flags["resume_from_checkpoint"] for folder, recipe in unfinished_runs(recipes).items()}
    assert resumed == {frozen: "true", trained: "false"}
    with pytest.raises(RecipeError, match="Give either --resume_from_checkpoint true, which goes on, or --overwrite"):
        unfinished_runs(embedding_recipes("demo", embedded(resume_from_checkpoint="true", overwrite="true")))
    with pytest.raises(RecipeError, match=r"random holds a finished run with other settings\. Choose another"):
        unfinished_runs(embedding_recipes("demo", embedded(resume_from_checkpoint="true", hidden_size=32)))


def test_a_run_that_was_cut_off_in_its_first_checkpoint_begins_anew(embedded: Callable[..., list[str]]) -> None:
    recipes = embedding_recipes("demo", embedded(resume_from_checkpoint="true"))
    random, frozen, _ = recipes
    (frozen / "checkpoint-3").mkdir(parents=True)
    unfinished = unfinished_runs(recipes)
    assert {key: unfinished[frozen].flags[key] for key in ("resume_from_checkpoint", "overwrite")} == {
        "resume_from_checkpoint": "false",
        "overwrite": "true",
    }
    assert "overwrite" not in unfinished[random].flags


def test_an_interruption_says_how_to_go_on(
    embedded: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(several_runs.subprocess, "run", interrupt)
    with pytest.raises(SystemExit) as error:
        train_and_compare(embedding_recipes("demo", embedded()))
    assert error.value.code == 130
    assert "Go on by the same command with --resume_from_checkpoint true." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train_and_compare(embedding_recipes("demo", embedded(overwrite="true")))
    assert "--resume_from_checkpoint true in the place of --overwrite." in capsys.readouterr().err


def test_a_failed_training_ends_the_comparison(
    embedded: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    failed = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr(several_runs.subprocess, "run", lambda command: commands.append(command) or failed)
    with pytest.raises(SystemExit) as error:
        train_and_compare(embedding_recipes("demo", embedded()))
    assert error.value.code == 3
    assert len(commands) == 1
    assert "--embeddings=" in commands[0]


@pytest.mark.long
def test_embeddings_are_compared_on_the_command_line(embedded: Callable[..., list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    output, _ = malmoi("compare-embeddings", "demo", *embedded())
    table = (folder / "comparison.md").read_text(encoding="utf-8")
    assert output.endswith(table)
    assert [row[0] for row in cells(table)] == ["random", "frozen", "trained"]
    assert imread(folder / "comparison.png").min() < 0.5
    reports = {name: json.loads((folder / name / "report.json").read_text(encoding="utf-8")) for name in RUNS}
    assert "embeddings" not in reports["random"]
    assert reports["frozen"]["embeddings"] == reports["trained"]["embeddings"]
    trained = [str(reports[name]["settings"].get("embeddings_trained")).lower() for name in RUNS]
    assert trained == ["true", "false", "true"]

    # as if it had been interrupted in the last run, before its first checkpoint
    untouched = (folder / "random" / "report.json").stat().st_mtime_ns
    shutil.rmtree(folder / "trained")
    assert "random holds a run already" in malmoi("compare-embeddings", "demo", *embedded(), code=2)[1]
    output, _ = malmoi("compare-embeddings", "demo", *embedded(resume_from_checkpoint="true"))
    assert f"{folder / 'random'} is finished and stays as it is." in output
    assert (folder / "random" / "report.json").stat().st_mtime_ns == untouched
    again = (folder / "comparison.md").read_text(encoding="utf-8")
    assert [row[2:4] for row in cells(again)] == [row[2:4] for row in cells(table)]
