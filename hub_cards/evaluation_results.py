"""Evaluation results in the Hub's current form: files in `.eval_results/`, beside the model index of the card."""

from pathlib import Path

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from malmoi.data.counted import counted
from malmoi.hub_cards.corpus import Corpus
from malmoi.hub_cards.division import division_of
from malmoi.hub_cards.run_facts import RunFacts

FOLDER = ".eval_results"


def evaluation_results(facts: RunFacts, corpus: Corpus) -> list[EvalResultEntry]:
    """Return every figure of a run on a split of a dataset of the Hub, shares in %.

    Results refer to a dataset there, so what was measured on anything else than one of its splits has none. The notes
    say which texts were measured.
    """
    division = division_of(facts.report, corpus)
    if division.hub_id is None:
        return []
    data = facts.report["data"]
    entries = []
    for split, part in facts.parts.items():
        if split not in division.official:
            continue
        for name, definition in facts.report["definitions"].items():
            if not facts.is_measured(name, part=part):
                continue
            entries.append(
                EvalResultEntry(
                    dataset_id=division.hub_id,
                    task_id=name,
                    value=round(facts.figure(name, part=part).mean, 4),
                    notes=f"{definition}; {split} split, {counted(data['texts'][split], 'text')} of {data['source']}, "
                    f"mean of {counted(len(facts.reports), 'seed')}",
                )
            )
    return entries


def results_file(reader: str) -> str:
    """Return where a repository keeps the results on the data of a reader; files beside it are of others."""
    return f"{FOLDER}/{reader}.yaml"


def write_evaluation_results(facts: RunFacts, corpus: Corpus, folder: Path) -> None:
    """Write the results into the folder of a repository, if there are any."""
    entries = evaluation_results(facts, corpus)
    if not entries:
        return
    path = folder / results_file(facts.report["data"]["reader"])
    path.parent.mkdir()
    text = yaml.safe_dump(eval_result_entries_to_yaml(entries), allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
