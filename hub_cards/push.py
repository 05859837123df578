"""Publish a finished run, or a Space of models, on the Hub: from folders to one commit, on one page to read.

python -m malmoi.hub_cards.push runs/klue-ner-bi-lstm-crf user/klue-ner-bi-lstm-crf --dry-run
malmoi push runs/klue-ner-bi-lstm-crf user/klue-ner-bi-lstm-crf --dry-run

Credentials are those of `hf auth login` or of HF_TOKEN; none is ever an argument.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from transformers.utils import logging

from malmoi.data.counted import counted
from malmoi.data.standard_streams import write_utf8
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import whole_folder
from malmoi.hub_cards.corpus import Corpus, corpus_of
from malmoi.hub_cards.division import division_of
from malmoi.hub_cards.hub_name import fault_of_name
from malmoi.hub_cards.run_facts import read_facts
from malmoi.hub_cards.space_staging import stage_space
from malmoi.hub_cards.staging import REPLACED, stage
from malmoi.hub_cards.upload import is_closed, is_pull_request, newest_commit, upload
from malmoi.inference.bundled_models import BUNDLED, model_place
from malmoi.inference.model_names import check_model_name
from malmoi.training.processes.launcher import leave

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
SUFFIX = "-hub"
"""A dry run of `runs/klue` leaves `runs/klue-hub`."""
MARK = ".malmoi-dry-run"
"""An empty file that tells the folder of a dry run from a folder of the user."""


class Published(NamedTuple):
    """What a push left behind."""

    where: str
    """The address of the commit; of a dry run, the folder."""
    files: list[tuple[str, int]]
    """Path and size in bytes of everything in the repository."""
    data: str = ""
    """What the card says of the data, and whether it only takes them for those of a corpus."""
    notes: Sequence[str] = ()
    """What became of files that were in the repository before, and what a Space still needs; a sentence each."""
    changed: bool = True
    """Whether the repository was not like that already."""

    def summary(self, repo_id: str, *, dry_run: bool) -> str:
        """Return the files with their sizes, and where they are."""
        lines = [f"{size:>12,}  {path}" for path, size in self.files]
        total = f"{counted(len(self.files), 'file')}, {sum(size for _, size in self.files):,} bytes,"
        if dry_run:
            lines += ["", f"{total} would go to {repo_id}. Nothing was uploaded."]
            lines += [f"Look at them in {self.where}; the card is README.md."]
        elif self.changed:
            lines += ["", f"{total} in one commit: {self.where}"]
        else:
            lines += ["", f"{total} are there already. Nothing was to be uploaded; the newest commit: {self.where}"]
        return "\n".join(lines)


def push(
    run: str | Path,
    repo_id: str,
    *,
    other_seeds: str | Path | Sequence[str | Path] = (),
    corpus: str | Path | None = None,
    private: bool = False,
    revision: str | None = None,
    dry_run: bool = False,
) -> Published:
    """Publish a run as a model: stage its repository, try it, and upload it in one commit.

    Args:
        run: Folder of a finished run.
        repo_id: The name on the Hub, `user/model`.
        other_seeds: Runs of the same recipe with other seeds, or one such run; the card gives mean and spread.
        corpus: Name or file of the training data's description, where the reader does not tell.
        private: Whether the repository is to be private. One that is there already and public is refused.
        revision: Branch to commit to, made if it is not there, or a pull request that is, such as `refs/pr/1`.
        dry_run: Leave the staged folder beside the run and upload nothing.

    Raises:
        UserError: If anything is missing; nothing is uploaded then.
    """
    # 1. what is published
    check_repository(repo_id)
    if str(run).startswith(BUNDLED):
        raise UserError(
            f"{run}: this model comes with the package and is no run of yours; train on from it by "
            f"--model_name_or_path {run}, and publish that."
        )
    run = Path(run)
    others = [other_seeds] if isinstance(other_seeds, (str, Path)) else other_seeds
    facts = read_facts(run, [*map(Path, others)])
    described = corpus_of(facts.report, None if corpus is None else str(corpus))
    # a pull request is to become main
    branch = None if revision == "main" or is_pull_request(revision) else revision
    with temporary_folder() as folder:
        # 2. the repository as a folder, loaded and tried without malmoi
        staged = stage(facts, described, repo_id, folder, revision=branch)
        # 3. one commit
        data = data_note(facts.report, described)
        if dry_run:
            return kept(staged, beside(run))._replace(data=data)
        done = upload(staged, repo_id, private=private, revision=revision, replaced=REPLACED)
        return Published(done.where, listing(staged), data, done.notes, done.changed)


def push_space(
    models: Sequence[str],
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    dry_run: bool = False,
) -> Published:
    """Publish a Space that shows models side by side, in one commit.

    Folders are copied into the Space, and models of the package; models on the Hub are pinned to their newest commit.

    Args:
        models: Folders of models, or their names on the Hub.
        repo_id: The name of the Space on the Hub, `user/space`.
        private: Whether the Space is to be private. One that is there already and public is refused.
        revision: Branch to commit to, made if it is not there, or a pull request that is, such as `refs/pr/1`.
        dry_run: Leave the staged folder in the working folder, and upload nothing.

    Raises:
        UserError: If a model cannot be served; nothing is uploaded then.
    """
    check_repository(repo_id)
    with temporary_folder() as folder:
        staged = folder / repo_id
        pinned = [_pinned(str(model_place(model))) for model in models]
        needed = [_needed(model["name"]) for model in pinned if "revision" in model and is_closed(model["name"])]
        stage_space(pinned, staged, title=repo_id.split("/")[-1])
        if dry_run:
            return kept(staged, Path(f"{repo_id.split('/')[-1]}-space{SUFFIX}"))._replace(notes=needed)
        done = upload(staged, repo_id, repo_type="space", private=private, revision=revision)
        return Published(done.where, listing(staged), notes=[*done.notes, *needed], changed=done.changed)


def _pinned(model: str) -> dict[str, str]:
    """Return what a Space is told of a model: on the Hub it may change, so its newest commit is named."""
    check_model_name(model)
    return {"name": model} if Path(model).is_dir() else {"name": model, "revision": newest_commit(model)}


def _needed(model: str) -> str:
    return (
        f"{model} is not open to everybody: in the settings of the Space, give it a secret HF_TOKEN with a token that "
        "may read the model."
    )


def data_note(report: dict[str, Any], corpus: Corpus) -> str:
    """Return what the card says of the data; where their format alone tells what they are, how to say it."""
    division = division_of(report, corpus)
    if not division.assumed:
        return division.sentence
    return (
        f"{division.sentence} The card says: {division.name}, under its licence ({corpus.license}). Say what they are "
        "by --corpus, a known name or a YAML file."
    )


def check_repository(repo_id: str) -> None:
    """Check that a name can be one on the Hub.

    Raises:
        UserError: If not.
    """
    if not REPOSITORY.fullmatch(repo_id):
        raise UserError(f"Expected the name of a repository, user/name, got {repo_id!r}.")
    if fault := fault_of_name(repo_id):
        raise UserError(f"Expected the name of a repository, user/name: {fault}")


def beside(run: Path) -> Path:
    """Return where a dry run leaves the repository of a run."""
    return run.resolve().with_name(run.resolve().name + SUFFIX)


def kept(staged: Path, folder: Path) -> Published:
    """Put a staged repository where it can be looked at, in the place of that of an earlier dry run.

    Raises:
        UserError: If something else is there.
    """
    with whole_folder(_checked(folder) if folder.exists() else folder, replaces=True) as unfinished:
        shutil.copytree(staged, unfinished, dirs_exist_ok=True)
        (unfinished / MARK).touch()
    return Published(str(folder), [entry for entry in listing(folder) if entry[0] != MARK])


def _checked(folder: Path) -> Path:
    if not (folder / MARK).is_file():
        raise UserError(f"{folder}: expected no folder, or one that an earlier dry run left there.")
    return folder


def listing(folder: Path) -> list[tuple[str, int]]:
    """Return path and size of every file of a folder."""
    return [
        (path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards, also if the work is interrupted."""
    folder = Path(tempfile.mkdtemp(prefix="malmoi-push-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(
    model: str,
    repo_id: str,
    *,
    space: bool,
    beside: Sequence[str],
    other_seeds: Sequence[Path],
    corpus: str | None,
    private: bool,
    revision: str | None,
    dry_run: bool,
) -> Published:
    """Do what a command line asks for: publish a run as a model, or models as a Space.

    Raises:
        UserError: If options are given that belong to the other, or as `push` and `push_space` do.
    """
    logging.disable_progress_bar()
    if space and (other_seeds or corpus):
        raise UserError("--other_seed and --corpus are for the card of a model, not for a Space.")
    if beside and not space:
        raise UserError("--beside is for a Space; a repository holds one model.")
    if space:
        return push_space([model, *beside], repo_id, private=private, revision=revision, dry_run=dry_run)
    return push(
        model,
        repo_id,
        other_seeds=other_seeds,
        corpus=corpus,
        private=private,
        revision=revision,
        dry_run=dry_run,
    )


def argument_parser() -> argparse.ArgumentParser:
    """Return what understands the arguments; `malmoi push` takes the same."""
    parser = argparse.ArgumentParser(
        prog="python -m malmoi.hub_cards.push",
        description="Publish a run with its card on the Hub, in one commit.",
        epilog="Credentials are those of `hf auth login` or of HF_TOKEN.",
        allow_abbrev=False,
    )
    parser.add_argument("model", help="folder of a finished run; for a Space, any model")
    parser.add_argument("repo_id", help="where to: user/name on the Hub")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--revision", help="branch to commit to")
    parser.add_argument(
        "--dry_run", "--dry-run", action="store_true", help="leave the staged folder and upload nothing"
    )
    parser.add_argument("--corpus", help="what the training data are: a known name or a YAML file")
    parser.add_argument(
        "--other_seed",
        "--other-seed",
        dest="other_seeds",
        type=Path,
        action="append",
        default=[],
        help="run of the same recipe with another seed; repeatable",
    )
    parser.add_argument("--space", action="store_true", help="publish a Space that shows the model")
    parser.add_argument("--beside", action="append", default=[], help="another model of the Space; repeatable")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Publish what the arguments name, and say what went where."""
    options = argument_parser().parse_args(argv)
    published = publish(**vars(options))
    if published.data:
        print(published.data, file=sys.stderr)
    for note in published.notes:
        print(note, file=sys.stderr)
    print(published.summary(options.repo_id, dry_run=options.dry_run))


if __name__ == "__main__":
    write_utf8()
    try:
        main()
    except (UserError, OSError) as error:  # OSError: a folder that may not be written to, a full disk
        leave(f"malmoi: {error}", 2)
    except KeyboardInterrupt:
        sys.exit(130)
