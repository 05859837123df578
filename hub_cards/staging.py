"""Stage a repository: everything that is published, in a folder, loaded and tried before anything is uploaded."""

import shutil
from pathlib import Path

import jinja2
import yaml

from malmoi.data.readers import READERS
from malmoi.data.user_error import UserError
from malmoi.hub_cards.card import render_card
from malmoi.hub_cards.corpus import Corpus
from malmoi.hub_cards.evaluation_results import results_file, write_evaluation_results
from malmoi.hub_cards.run_facts import RunFacts
from malmoi.hub_cards.usage import examples, run_example
from malmoi.inference.model_folder import check_model_folder
from malmoi.reports.plots import CONFUSION_PLOT, LOSS_PLOT, RELIABILITY_PLOT
from malmoi.reports.report import REPORT_FILE, write_report

PUBLISHED = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.py",
    LOSS_PLOT,
    CONFUSION_PLOT,
    RELIABILITY_PLOT,
)
"""What of a run folder is published; never a checkpoint, an optimizer or a pickle."""
WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
# where transformers finds these beside a model, it loads the base of the adapter in the place of the model, and gives
# tokens numbers that the model has not
READ_BESIDE = ("adapter_config.json", "adapter_model.*", "adapter_model-*-of-*.*", "added_tokens.json")
REPLACED = (
    *(name for name in PUBLISHED if not name.startswith("*")),
    *WEIGHTS,
    *READ_BESIDE,
    *(results_file(reader) for reader in READERS),
)
"""What belongs to a model and would be taken for a part of the next one: in its place, or not at all."""
RECIPE = "recipe.yaml"


def stage(facts: RunFacts, corpus: Corpus, repo_id: str, folder: Path, *, revision: str | None = None) -> Path:
    """Write the repository of a run to `folder/user/model`, try it there, and return where it lies.

    It is loaded in a fresh process without malmoi, every example of its card is run there, and what they print stands
    in the card.

    Args:
        facts: The run.
        corpus: Its training data.
        repo_id: The name on the Hub, `user/model`.
        folder: An empty folder, or one that is not there yet.
        revision: The branch that it is for; `None` is `main`.

    Raises:
        UserError: If the run holds no whole model, a number for the card is missing, or an example fails.
    """
    check_model_folder(facts.folder)
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: expected an empty folder to write the repository to.")
    repository = folder / repo_id
    repository.mkdir(parents=True)
    for pattern in PUBLISHED:
        for path in sorted(facts.folder.glob(pattern)):
            shutil.copyfile(path, repository / path.name)
    write_report({**facts.report, **({"other_seeds": facts.repetitions} if facts.repetitions else {})}, repository)
    (repository / RECIPE).write_text(recipe_of(facts), encoding="utf-8")
    write_evaluation_results(facts, corpus, repository)
    try:
        draft = render_card(facts, corpus, repo_id, revision=revision)
        outputs = [run_example(example, folder) for example in examples(draft.text)]
        card = render_card(facts, corpus, repo_id, revision=revision, outputs=outputs)
    except (jinja2.UndefinedError, KeyError) as error:
        raise UserError(f"{facts.folder / REPORT_FILE}: the card needs a value that is not there ({error}).") from None
    card.save(repository / "README.md")
    return repository


def recipe_of(facts: RunFacts) -> str:
    """Return the recipe of a run with the flags that were given, so that `malmoi train recipe.yaml` repeats it."""
    settings = {**facts.report["settings"], "reader": facts.report["data"]["reader"]}  # flags may have chosen another
    written = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    return (
        f"# {facts.report['recipe']}, as it was trained. The data are given by --data_dir or --dataset.\n\n{written}"
    )
