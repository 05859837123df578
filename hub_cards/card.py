"""Model cards: metadata for the Hub, and a page that is rendered from a template and the facts of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from malmoi.data.counted import counted
from malmoi.hub_cards.card_parts import (
    fence,
    figure_rows,
    intervals_of,
    machine,
    python_string,
    shell_word,
    type_lines,
)
from malmoi.hub_cards.corpus import Corpus
from malmoi.hub_cards.division import Division, division_of, training_texts
from malmoi.hub_cards.run_facts import RunFacts, percent_of
from malmoi.hub_cards.space.label_names import are_sentiments
from malmoi.inference.bundled_models import bundled_name
from malmoi.inference.loading import CLASSES, COMMANDS, LANGUAGE_MODEL
from malmoi.metrics.language_model import NO_SHARES
from malmoi.reports.markdown_text import markdown_line
from malmoi.reports.plots import CONFUSION_PLOT, LOSS_PLOT, RELIABILITY_PLOT
from malmoi.training.tasks import TASKS

PIPELINES = {
    "named-entities": "token-classification",
    "word-spacing": "token-classification",
    "sentence-classification": "text-classification",
    LANGUAGE_MODEL: "feature-extraction",
}
"""What the Hub calls each task."""
TAGS = {
    "named-entities": "named-entity-recognition",
    "word-spacing": "word-spacing",
    LANGUAGE_MODEL: LANGUAGE_MODEL,
}
SENTIMENT_TAG = "sentiment-analysis"
CLASSES_TAG = "sentence-classification"
"""For classes that are not those of sentiment."""
ARCHITECTURES = {
    "bilstm_crf": "bidirectional LSTM and linear-chain CRF",
    "bilstm": "bidirectional LSTM",
    "encoder_crf": "pretrained encoder and linear-chain CRF",
}
METRICS = {"entity_f1": "f1", "space_f1": "f1", "sentence_accuracy": "accuracy"}
"""The Hub's name of a figure, where it is another than ours."""


def render_card(
    facts: RunFacts,
    corpus: Corpus,
    repo_id: str,
    *,
    revision: str | None = None,
    outputs: Sequence[str] | None = None,
) -> ModelCard:
    """Return the card of a run.

    Args:
        facts: The run.
        corpus: Its training data.
        repo_id: The name on the Hub, `user/model`, as it stands in the examples, or that of a model of the package.
        revision: The branch that the card is for, which its examples then load; `None` is `main`.
        outputs: What each example printed; the card shows it. `None` leaves it out.

    Raises:
        jinja2.UndefinedError: If a value that the template names is missing: a card has no blanks.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    environment.filters |= {"line": markdown_line, "python": python_string, "shell": shell_word, "fence": fence}
    environment.filters["counted"] = counted
    page = environment.get_template(f"{facts.task}.md.jinja").render(
        _values(facts, corpus, repo_id, revision, outputs)
    )
    return ModelCard(f"---\n{card_data(facts, corpus, repo_id).to_yaml()}\n---\n\n{_without_gaps(page)}")


def card_data(facts: RunFacts, corpus: Corpus, repo_id: str) -> ModelCardData:
    """Return the metadata of a card."""
    division = division_of(facts.report, corpus)
    return ModelCardData(
        language="ko",
        license=corpus.weights_license,
        license_name=corpus.weights_license_name if corpus.weights_license == "other" else None,
        license_link=corpus.weights_license_link if corpus.weights_license == "other" else None,
        library_name="transformers",
        pipeline_tag=PIPELINES[facts.task],
        tags=_tags(facts),
        datasets=[division.hub_id] if division.hub_id else None,
        base_model=None if _continues_itself(facts, repo_id) else facts.base_model,
        metrics=[METRICS.get(facts.report["main_figure"], facts.report["main_figure"])],
        model_name=repo_id.split("/")[-1],
        eval_results=_results(facts, corpus, division),
        widget=[{"text": text} for text in _examples(facts, repo_id)],
    )


def _continues_itself(facts: RunFacts, repo_id: str) -> bool:
    """Tell whether a run began from what lay in its repository before: that is no other model on the Hub."""
    return facts.base_model is not None and facts.base_model.casefold() == repo_id.casefold()


def _examples(facts: RunFacts, repo_id: str) -> list[str]:
    """Return texts to try a model on: those of its data, or for a model of the package what anybody may understand."""
    return [TASKS[facts.task].example] if repo_id == bundled_name(facts.task) else facts.examples


def _tags(facts: RunFacts) -> list[str]:
    """Return what the Hub finds a model by."""
    classes = SENTIMENT_TAG if are_sentiments(facts.labels) else CLASSES_TAG
    architecture = str(facts.report["model_type"]).replace("_", "-").replace("bilstm", "bi-lstm")
    return ["malmoi", "korean", architecture, TAGS.get(facts.task, classes)]


def _results(facts: RunFacts, corpus: Corpus, division: Division) -> list[EvalResult]:
    """Return every figure as an entry of the model index, shares from 0 to 1: the mean over seeds.

    What was not measured on an official split of a dataset has a name of its own, with its counts.
    """
    report, results = facts.report, []
    texts = report["data"]["texts"]
    for split, part in facts.parts.items():
        official = split in division.official
        counts = f"{counted(training_texts(report), 'text')} to train, {texts[split]:,} to measure"
        for name in report["definitions"]:
            if not facts.is_measured(name, part=part):
                continue
            results.append(
                EvalResult(
                    task_type=PIPELINES[facts.task],
                    task_name=facts.task,
                    dataset_type=(division.hub_id if official else None) or division.slug,
                    dataset_name=division.name if official else f"{division.name} ({counts})",
                    dataset_config=corpus.hub_config if official else None,
                    dataset_split=split if official else f"{split} of an own division",
                    metric_type=METRICS.get(name, name),
                    metric_name=f"{name}: {report['definitions'][name]}",
                    metric_value=round(facts.figure(name, part=part).mean / percent_of(name), 6),
                )
            )
    return results


def _values(
    facts: RunFacts, corpus: Corpus, repo_id: str, revision: str | None, outputs: Sequence[str] | None
) -> dict[str, Any]:
    """Return what the templates name."""
    report = facts.report
    tested = "test_figures" in report
    loading = ["trust_remote_code=True"] if facts.needs_remote_code else []
    loading += [f"revision={python_string(revision)}"] if revision else []
    breakdown = facts.breakdown()
    worst = min(breakdown, key=lambda entry: entry[3].mean, default=None)
    model_type = str(report["model_type"])
    bundled = repo_id == bundled_name(facts.task)
    division = division_of(facts.report, corpus)

    headline_part = "test_figures" if tested else "figures"

    def headline_figure(name: str) -> str:
        return f"{facts.figure(name, part=headline_part).mean:.2f}"

    return {
        "facts": facts,
        "report": report,
        "corpus": corpus,
        "division": division,
        "title": _title_of_bundled(facts.task) if bundled else repo_id.split("/")[-1],
        "repo_id": repo_id,
        "bundled": bundled,
        "example": _examples(facts, repo_id)[0],
        "outputs": [None, None] if outputs is None else outputs,  # as many as the longest template has examples
        "revision": revision,
        "loading": "".join(f"{argument}, " for argument in loading),
        "loading_last": "".join(f", {argument}" for argument in loading),
        "continues_itself": _continues_itself(facts, repo_id),
        "architecture": ARCHITECTURES.get(model_type, f"{model_type} of transformers"),
        "has_crf": model_type.endswith("_crf"),
        # some pieces of words hold a name and the particle behind it
        "exact_boundaries": report["tokenizer"].get("ceiling", {}).get(report["main_figure"], 1.0) == 1.0,
        "lstm": model_type.startswith("bilstm"),
        "types": [markdown_line(kind) for kind in facts.types],
        "type_lines": type_lines(facts, corpus),
        "figure_rows": figure_rows(facts),
        "has_intervals": bool(intervals_of(report)),
        "breakdown": breakdown,
        "all_shares": not {*report["definitions"]} & {*NO_SHARES},
        "hyperparameters": facts.hyperparameters(),
        "headline": headline_figure(report["main_figure"]),
        "headline_figure": headline_figure,
        "headline_part": headline_part,
        "headline_split": "test" if tested else report["data"]["split"],
        "training_texts": training_texts(report),
        "seeds": [each["seed"] for each in facts.reports],
        "license_name": corpus.weights_license_name or corpus.weights_license,
        "weights_size": f"{facts.weights_bytes / 1e6:,.1f} MB",
        "machine": machine(report["environment"]),
        **({"hardest": (worst[0], worst[3].mean)} if worst else {}),
        **({"command": COMMANDS[facts.task], "class_name": CLASSES[facts.task]} if facts.task in COMMANDS else {}),
        "plots": [name for name in (LOSS_PLOT, CONFUSION_PLOT, RELIABILITY_PLOT) if (facts.folder / name).is_file()],
    }


def _title_of_bundled(task: str) -> str:
    return "The language model of malmoi" if task == LANGUAGE_MODEL else f"The model of malmoi for {task}"


def _without_gaps(page: str) -> str:
    """Return a page without the spaces at ends of lines and the runs of empty lines that a template leaves."""
    lines: list[str] = []
    for line in (line.rstrip() for line in page.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"
