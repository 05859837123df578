"""`malmoi push`."""

from pathlib import Path

import typer

from malmoi.hub_cards.push import publish


def push_to_hub(
    model: str,
    repo_id: str,
    *,
    space: bool,
    beside: list[str],
    other_seeds: list[Path],
    corpus: str | None,
    private: bool,
    revision: str | None,
    dry_run: bool,
) -> None:
    """Publish a run as a model, or models as a Space, and say what went where."""
    published = publish(
        model,
        repo_id,
        space=space,
        beside=beside,
        other_seeds=other_seeds,
        corpus=corpus,
        private=private,
        revision=revision,
        dry_run=dry_run,
    )
    if published.data:
        typer.echo(published.data, err=True)
    for note in published.notes:
        typer.echo(note, err=True)
    typer.echo(published.summary(repo_id, dry_run=dry_run))
