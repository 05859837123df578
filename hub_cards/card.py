"""Model cards: metadata for the Hub, and a page that is rendered from a template and the facts of a run."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from malmoi.hub_cards.corpus import Corpus
from malmoi.hub_cards.run_facts import RunFacts
from malmoi.inference.loading import COMMANDS
from malmoi.training.plots import CONFUSION_PLOT, LOSS_PLOT
from malmoi.training.tasks import TASKS

PIPELINES = {
    "named-entities": "token-classification",
    "word-spacing": "token-classification",
    "sentence-classification": "text-classification",
}
"""What the Hub calls each task."""
TAGS = {
    "named-entities": ["named-entity-recognition"],
    "word-spacing": ["word-spacing"],
    "sentence-classification": ["sentiment-analysis"],
}
EXAMPLES = {
    "named-entities": ["SK하이닉스는 경기도 이천에 본사를 두고 있다.", "내일 오전 10시에 대전에서 30명이 만나요."],
    "word-spacing": ["오늘은날씨가좋아서공원에갔다.", "할수있는만큼만하면됩니다."],
    "sentence-classification": ["배우들 연기가 정말 좋았어요.", "두 시간이 아까운 영화였다."],
}
"""Texts to try on the page of the model, beside that of the task."""
ARCHITECTURES = {
    "bilstm_crf": "bidirectional LSTM and linear-chain CRF",
    "bilstm": "bidirectional LSTM",
    "encoder_crf": "pretrained encoder and linear-chain CRF",
}
METRICS = {"entity_f1": "f1", "space_f1": "f1", "sentence_accuracy": "accuracy"}
"""The Hub's name of a figure, where it is another than ours."""


def render_card(facts: RunFacts, corpus: Corpus, repo_id: str, *, outputs: Sequence[str] | None = None) -> ModelCard:
    """Return the card of a run.

    Args:
        facts: The run.
        corpus: Its training data.
        repo_id: The name on the Hub, `user/model`, as it stands in the examples.
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
    page = environment.get_template(f"{facts.task}.md.jinja").render(_values(facts, corpus, repo_id, outputs))
    return ModelCard(f"---\n{card_data(facts, corpus, repo_id).to_yaml()}\n---\n\n{_without_gaps(page)}")


def card_data(facts: RunFacts, corpus: Corpus, repo_id: str) -> ModelCardData:
    """Return the metadata of a card."""
    model_type = facts.report["model_type"]
    return ModelCardData(
        language="ko",
        license=corpus.weights_license,
        license_name=corpus.weights_license_name if corpus.weights_license == "other" else None,
        license_link=corpus.weights_license_link if corpus.weights_license == "other" else None,
        library_name="transformers",
        pipeline_tag=PIPELINES[facts.task],
        tags=["malmoi", "korean", model_type.replace("_", "-").replace("bilstm", "bi-lstm"), *TAGS[facts.task]],
        datasets=[corpus.hub_id] if corpus.hub_id else None,
        base_model=facts.base_model,
        metrics=[METRICS.get(facts.report["main_figure"], facts.report["main_figure"])],
        model_name=repo_id.split("/")[-1],
        eval_results=_results(facts, corpus),
        widget=[{"text": text} for text in (_example(facts), *EXAMPLES[facts.task])],
    )


def _results(facts: RunFacts, corpus: Corpus) -> list[EvalResult]:
    """Return every figure as an entry of the model index, from 0 to 1: the mean over seeds."""
    report, results = facts.report, []
    for split, part in facts.parts.items():
        for name in report["definitions"]:
            results.append(
                EvalResult(
                    task_type=PIPELINES[facts.task],
                    task_name=facts.task,
                    dataset_type=corpus.hub_id or "-".join(re.findall(r"\w+", corpus.name.lower())),
                    dataset_name=corpus.name,
                    dataset_config=corpus.hub_config,
                    dataset_split=split,
                    metric_type=METRICS.get(name, name),
                    metric_name=f"{name}: {report['definitions'][name]}",
                    metric_value=round(facts.figure(name, part=part).mean / 100, 6),
                )
            )
    return results


def _values(facts: RunFacts, corpus: Corpus, repo_id: str, outputs: Sequence[str] | None) -> dict[str, Any]:
    """Return what the templates name."""
    report = facts.report
    tested = "test_figures" in report
    trust = "trust_remote_code=True" if facts.needs_remote_code else ""
    environment = report["environment"]
    types = sorted({label.partition("-")[2] for label in facts.labels if "-" in label}) or facts.labels
    breakdown = facts.breakdown()
    worst = min(breakdown, key=lambda entry: entry[3].mean)
    model_type = str(report["model_type"])
    return {
        "facts": facts,
        "report": report,
        "corpus": corpus,
        "title": repo_id.split("/")[-1],
        "repo_id": repo_id,
        "command": COMMANDS[facts.task],
        "example": _example(facts),
        "outputs": _shown(outputs),
        "trust": f"{trust}, " if trust else "",
        "trust_last": f", {trust}" if trust else "",
        "architecture": ARCHITECTURES.get(model_type, f"{model_type} of transformers"),
        "has_crf": model_type.endswith("_crf"),
        "lstm": model_type.startswith("bilstm"),
        "types": types,
        "label_summary": ", ".join(types),
        "figure_rows": _figure_rows(facts),
        "breakdown": breakdown,
        "hardest": (worst[0], worst[3].mean),
        "hyperparameters": facts.hyperparameters(),
        "headline": f"{facts.figure(report['main_figure'], part='test_figures' if tested else 'figures').mean:.2f}",
        "headline_split": "test" if tested else report["data"]["split"],
        "seeds": [each["seed"] for each in facts.reports],
        "data_name": corpus.name,
        "corpus_link": f"[{corpus.name}]({corpus.url})" if corpus.url else corpus.name,
        "license_name": corpus.weights_license_name or corpus.weights_license,
        "weights_size": f"{facts.weights_bytes / 1e6:,.1f} MB",
        "machine": f"{environment['device']} with {environment['cpu_count']} cores, "
        f"{environment['torch_threads']} in use",
        "plots": [name for name in (LOSS_PLOT, CONFUSION_PLOT) if (facts.folder / name).is_file()],
    }


def _figure_rows(facts: RunFacts) -> list[list[str]]:
    """Return the table of figures: heading, alignment, and a row for each figure."""
    report = facts.report
    ceiling = report["tokenizer"].get("ceiling")
    heading = ["figure", *facts.parts, *(["ceiling"] if ceiling else [])]
    rows = []
    for name in report["definitions"]:
        figures = [facts.figure(name, part=part) for part in facts.parts.values()]
        rows.append(
            [
                f"`{name}`",
                *(f"{figure.mean:.2f}{figure.spread}" for figure in figures),
                *([f"{100 * ceiling[name]:.2f}"] if ceiling else []),
            ]
        )
    return [heading, ["---", *("---:" for _ in heading[1:])], *rows]


def _example(facts: RunFacts) -> str:
    return TASKS[facts.task].example


def _shown(outputs: Sequence[str] | None) -> list[str]:
    """Return what stands below each example: what it printed."""
    if outputs is None:
        return ["", ""]  # as many as the longest template has examples
    return [f"\n```text\n{output.rstrip()}\n```\n" for output in outputs]


def _without_gaps(page: str) -> str:
    """Return a page without the spaces at ends of lines and the runs of empty lines that a template leaves."""
    lines: list[str] = []
    for line in (line.rstrip() for line in page.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"
