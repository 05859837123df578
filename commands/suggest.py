"""`malmoi suggest`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from malmoi.commands.answering import ModelOptions, load_classifier, load_tagger
from malmoi.commands.progress import Advance, progress_bar
from malmoi.commands.streams.bad_rows import error_of
from malmoi.commands.streams.destinations import check_not_read
from malmoi.commands.streams.input_files import input_files
from malmoi.commands.streams.rows import BEGINNING, BadRow, InputFile
from malmoi.commands.streams.sources import Reading, jobs_of
from malmoi.commands.text_input import STANDARD_INPUT, TextInput
from malmoi.data.counted import counted
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import is_pipe_or_device, write_named
from malmoi.inference.suggestion_forms import LABEL_STUDIO, check_form, labelling_config, written_suggestions
from malmoi.inference.suggestions import Limits, check_measure, suggest, suggesting_task
from malmoi.inference.tagger import Tagger
from malmoi.reports.output_file import check_output_file


def suggest_texts(
    options: ModelOptions,
    source: TextInput,
    *,
    text_column: str | None,
    count: int,
    measure: str,
    limits: Limits,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Choose texts of some files, and write them with the answers of a model.

    Args:
        options: The model.
        source: The files.
        text_column: The column with the texts, if it is said.
        count: How many are wanted.
        measure: How the doubt of a tagger counts.
        limits: How short and how long a text may be.
        form: The form in which they are written.
        output: The file; by default standard output.
        overwrite: Whether it may be there already.

    Raises:
        UserError: If there is no such form or model, the model is one for another task, the file is there already, or
            none is given to be replaced, or a text cannot be read. Nothing is written then.
    """
    check_form(form)
    check_measure(measure)
    if output is not None and str(output) == STANDARD_INPUT:  # the name of both in pipes
        output = None
    if output is None and overwrite:
        raise UserError("--overwrite needs a file to replace, by --output.")
    if output is not None:
        check_output_file(output, "--output")
        if output.exists() and not overwrite and not is_pipe_or_device(output):
            raise UserError(
                f"--output: {output} is there already; choose another place, or replace it by --overwrite."
            )
    files = input_files(source.files, document=False, text_column=text_column)
    if output is not None:
        check_not_read([output], files, {} if options.words is None else {"--words": options.words})
    of_names = suggesting_task(options.name, trust_remote_code=options.trust_remote_code) == Tagger.task
    model = load_tagger(options, []) if of_names else load_classifier(options, [])
    with progress_bar(files, to_screen=output is None) as advance:
        texts = _texts(files, Reading(source.encoding, text_column), advance)
        chosen = suggest(model, texts, count=count, measure=measure, limits=limits, batch_size=options.batch_size)
    lines = written_suggestions(chosen, form, model=options.name)
    if output is None:
        sys.stdout.writelines(lines)
    else:
        with write_named(output) as file:
            file.writelines(lines)
        are = "is" if len(chosen) == 1 else "are"
        print(f"malmoi: {counted(len(chosen), 'text')} to label {are} in {output}.", file=sys.stderr)
    if form == LABEL_STUDIO:
        labels = [*model.name_chain.labels.types] if isinstance(model, Tagger) else [*model.labels.values()]
        print(f"Labelling interface of the project:\n  {labelling_config(labels, of_names=of_names)}", file=sys.stderr)


def _texts(files: Sequence[InputFile], reading: Reading, advance: Advance) -> Iterator[str]:
    """Yield the texts of files, one after the other."""
    for job in jobs_of(files, reading, BEGINNING):
        for piece in job:
            for row in piece.part.rows:
                if isinstance(row, BadRow):
                    raise error_of(piece.file, row)
                yield row.text
            advance(piece.file, piece.part.done, len(piece.part.rows))
