"""`malmoi push`."""

from pathlib import Path

import typer
from transformers.utils import logging

from malmoi.data.user_error import UserError
from malmoi.hub_cards.push import Published, push, push_space


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
    logging.disable_progress_bar()
    if space and (other_seeds or corpus):
        raise UserError("--other_seed and --corpus are for the card of a model, not for a Space.")
    if beside and not space:
        raise UserError("--beside is for a Space; a repository holds one model.")
    if space:
        published = push_space([model, *beside], repo_id, private=private, revision=revision, dry_run=dry_run)
    else:
        published = push(
            Path(model),
            repo_id,
            other_seeds=other_seeds,
            corpus=corpus,
            private=private,
            revision=revision,
            dry_run=dry_run,
        )
    _print(published, repo_id, dry_run=dry_run)


def _print(published: Published, repo_id: str, *, dry_run: bool) -> None:
    if published.data:
        typer.echo(published.data, err=True)
    for path, size in published.files:
        typer.echo(f"{size:>12,}  {path}")
    total = sum(size for _, size in published.files)
    if dry_run:
        typer.echo(f"\n{len(published.files)} files, {total:,} bytes, would go to {repo_id}. Nothing was uploaded.")
        typer.echo(f"Look at them in {published.where}; the card is README.md.")
    else:
        typer.echo(f"\n{len(published.files)} files, {total:,} bytes, in one commit: {published.where}")
