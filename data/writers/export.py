"""Writes data in another form: whole or not at all, and only if a reader gets the same again."""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.inspection.inspected_text import inspected_texts
from malmoi.data.notice import list_names, notify, shorten, without_notices
from malmoi.data.readers import READERS
from malmoi.data.splits.cutting import DOCUMENT
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import whole_folder
from malmoi.data.writers import WRITERS, writers_of
from malmoi.data.writers.documents_together import with_documents_together
from malmoi.data.writers.spaces_for_breaks import with_spaces_for


def check_export(form: str | None, folder: Path | None, *, task: str | None = None) -> tuple[str, Path]:
    """Check, before anything is read or written, what is to be written, and where.

    Args:
        form: The name of the form.
        folder: The folder.
        task: The task of the data, if it is known.

    Returns:
        Both.

    Raises:
        UserError: If one is missing, the form does not exist or cannot hold the data, or the folder has files.
    """
    known = list(WRITERS) if task is None else writers_of(task)
    if form is None:
        raise UserError(f"--output is where --export writes; say which form: {', '.join(known)}.")
    if form not in known:
        about = "" if task is None else f" for {task}"
        raise UserError(f"--export must be one of {', '.join(known) or 'no form'}{about}, got {form!r}.")
    if folder is None:
        raise UserError("--export needs a folder to write, by --output.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"--output {folder}: expected a folder that does not exist, or is empty.")
    return form, folder


def export(splits: DatasetDict, form: str, folder: Path, *, task: str) -> list[Path]:
    """Write data into a new folder, which takes its name once all is written and was read again.

    Args:
        splits: The data. Where the form has no place for a line break within a text, a space is written for it, and
            where a document is a file, its sentences are put together.
        form: The name of the form, as `WRITERS` has it.
        folder: The folder; it does not exist, or is empty.
        task: The task of the data.

    Returns:
        The files.

    Raises:
        UserError: If the form cannot hold the data. Nothing is left behind then.
    """
    writer = WRITERS[form]
    if writer.no_place is not None:
        splits = with_spaces_for(writer.no_place, splits, form)
    if not writer.has_documents and any(DOCUMENT in rows.column_names for rows in splits.values()):
        notify(f"the form {form} has no place for documents: splits cut from it may divide them.")
    if writer.by_document:
        splits = with_documents_together(splits, form)
    with whole_folder(folder) as written:
        names = [path.relative_to(written) for path in writer.write(splits, written)]
        _check_same(splits, _read_again(written, form, task=task), form)
    return [folder / name for name in names]


def _read_again(folder: Path, form: str, *, task: str) -> DatasetDict:
    reader = READERS[WRITERS[form].reader]
    try:
        with without_notices():
            return reader.read(folder, **({"task": task} if len(reader.tasks) > 1 else {}))
    except UserError as error:
        said = str(error).replace(f"{folder}/", "").replace(str(folder), folder.name)
        raise UserError(f"The form {form} cannot hold these data, as it could not be read again: {said}") from error


def _check_same(splits: DatasetDict, again: DatasetDict, form: str) -> None:
    if {*splits} != {*again}:
        raise UserError(f"The form {form} has no place for the splits {list_names(sorted({*splits} - {*again}))}.")
    for split, rows in splits.items():
        if rows.num_rows != again[split].num_rows:
            counts = f"{rows.num_rows:,} texts would be read as {again[split].num_rows:,}"
            raise UserError(f"The form {form} cannot hold {split}: {counts}.")
        for before, after in zip(_content(rows), _content(again[split])):
            if before[1:] != after[1:]:
                raise UserError(
                    f"The form {form} cannot hold {split}, {before[0]}: {shorten(before[1])} would be read as another."
                )


def _content(rows: Dataset) -> Iterator[tuple[str, str, object, str | None]]:
    for row in inspected_texts({"": rows}):
        yield row.id, row.text, row.names, row.label
