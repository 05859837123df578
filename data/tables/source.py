"""Where the rows of a dataset come from: an object of `datasets`, a saved folder, data files, or the Hub."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset, DatasetDict, Features, load_dataset, load_from_disk
from datasets.exceptions import DatasetNotFoundError, DatasetsError

from malmoi.data.notice import list_names
from malmoi.data.splits.files import names_of_splits, split_files
from malmoi.data.tables.comma_separated import SUFFIXES as COMMA_SEPARATED
from malmoi.data.tables.comma_separated import rows_of_files
from malmoi.data.tables.python_rows import are_lists, rows_of_dictionaries, rows_of_lists
from malmoi.data.tables.rows import BATCH, RowBatch, SourceRows, rows_of_dataset
from malmoi.data.text_lines import PIECE, DataFormatError, check_fetched, read_lines
from malmoi.data.user_error import UserError

Splits = dict[str, list[SourceRows]]

IN_PYTHON = "the dataset"
SAVED = ("dataset_dict.json", "state.json")
"""The files by which a folder of `save_to_disk` is known."""
JSON = (".jsonl", ".json")
KINDS = ((".parquet",), COMMA_SEPARATED, JSON, (".arrow",))
"""The suffixes of data files; those of a folder must be of one kind."""
MADE_FROM = {"pandas": "from_pandas", "polars": "from_polars"}
"""What makes a dataset of the frames of other libraries."""
HUB_NAME = re.compile(r"(?P<path>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[^:\s]+))?(?::(?P<name>[^\s]+))?")
"""`user/name`, `user/name:configuration`, `user/name@revision:configuration`."""


def dataset_splits(dataset: object) -> Splits:
    """Return the rows of each split of a dataset.

    Args:
        dataset: A `Dataset` or a `DatasetDict`; a list of rows, or one for each split; a folder that `save_to_disk`
            has written; a Parquet, CSV, TSV, JSON or Arrow file, or a folder of such files; or what a dataset on the
            Hub is called.

    Raises:
        UserError: If there is no such dataset, or it cannot be read.
    """
    if isinstance(dataset, Dataset):
        return {"train": [rows_of_dataset(dataset, IN_PYTHON)]}
    if isinstance(dataset, Mapping) and all(isinstance(rows, Dataset) for rows in dataset.values()):
        return _named_splits({str(name): rows for name, rows in dataset.items()}, IN_PYTHON)
    if are_lists(dataset):
        return {split: [rows_of_dictionaries(rows, name)] for split, (name, rows) in rows_of_lists(dataset).items()}
    if not isinstance(dataset, (str, os.PathLike)):
        raise UserError(
            "`dataset` must be a Dataset or a DatasetDict of datasets, a list of dictionaries, or a name or path of "
            f"one, got {type(dataset).__name__}{_way_of_frames(dataset)}."
        )
    place = Path(dataset).expanduser()
    if place.exists():
        return _saved(place) if is_saved(place) else _files(place)
    name = os.fspath(dataset)
    found = HUB_NAME.fullmatch(name)
    if found is None or name.startswith(".") or place.suffix in (suffix for kind in KINDS for suffix in kind):
        raise UserError(f"{name}: there is no such file or folder, and no dataset on the Hub is called so.")
    return _named_splits(_from_hub(name, **found.groupdict()), name)


def _way_of_frames(dataset: object) -> str:
    """Return how a frame of another library, or frames of splits, become a dataset; nothing for what is none."""
    for each in dataset.values() if isinstance(dataset, Mapping) else [dataset]:
        library = type(each).__module__.partition(".")[0]
        if type(each).__name__ == "DataFrame" and library in MADE_FROM:
            return f"; a DataFrame of {library} becomes a Dataset by datasets.Dataset.{MADE_FROM[library]}(...)"
    return ""


def is_saved(folder: Path) -> bool:
    """Tell whether a folder was written by `save_to_disk`."""
    return any((folder / name).is_file() for name in SAVED)


def _named_splits(splits: Mapping[str, Dataset], place: str) -> Splits:
    found = names_of_splits({name: rows.num_rows for name, rows in splits.items()}, place)
    return {split: [rows_of_dataset(splits[name], f"{place} ({name})")] for split, name in found.items()}


def _saved(folder: Path) -> Splits:
    try:
        dataset = load_from_disk(folder)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        if _is_of_the_system(error) and not isinstance(error, FileNotFoundError):
            raise
        raise DataFormatError(
            folder, None, f"expected a dataset of `save_to_disk`, but it is damaged ({_first_line(error)})."
        ) from None
    if isinstance(dataset, DatasetDict):
        return _named_splits({str(name): rows for name, rows in dataset.items()}, str(folder))
    return {"train": [rows_of_dataset(dataset, str(folder))]}


def _files(source: Path) -> Splits:
    """Return the rows of data files, each of the split that its name tells."""
    expected = "a file or folder of Parquet, CSV, TSV, JSON or Arrow, or of `save_to_disk`"
    suffixes = tuple(suffix for kind in KINDS for suffix in kind)
    if source.is_file() and source.suffix.lower() not in suffixes:
        raise DataFormatError(source, None, f"expected {expected}.")
    splits = split_files(source, suffixes, expected=expected)
    kinds = {kind for paths in splits.values() for path in paths for kind in KINDS if path.suffix.lower() in kind}
    if len(kinds) > 1:
        named = sorted({path.suffix for paths in splits.values() for path in paths})
        raise DataFormatError(source, None, f"expected files of one kind, got {list_names(named)}.")
    if COMMA_SEPARATED in kinds:
        rows = rows_of_files([path for paths in splits.values() for path in paths])
        return {split: [rows[path] for path in paths] for split, paths in splits.items()}
    return {split: [_rows_of_file(path) for path in paths] for split, paths in splits.items()}


def _rows_of_file(path: Path) -> SourceRows:
    suffix = path.suffix.lower()
    check_fetched(path)
    try:
        if suffix == ".parquet":
            return _parquet_rows(path)
        if suffix == ".arrow":
            return rows_of_dataset(Dataset.from_file(str(path)), str(path))
        for _ in read_lines(path):  # an encoding that is not UTF-8 is better told with its line
            pass
        # `datasets` keeps what it has read, and knows a file by its time alone, which an archive may set: here also by
        # what is in it
        rows = load_dataset("json", _digest(path), data_files=str(path), split="train")
        return rows_of_dataset(rows, str(path))
    except DataFormatError:
        raise
    except (OSError, ValueError, pa.ArrowException, DatasetsError) as error:  # ValueError: there are no rows
        cause = error.__cause__ or error
        if _is_of_the_system(cause):
            raise cause from None
        raise DataFormatError(
            path, None, f"expected a {suffix} file, but it is damaged ({_first_line(cause)})."
        ) from None


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _is_of_the_system(error: BaseException) -> bool:
    """Tell whether the system refused something, such as to write to a full disk: no file of data is damaged then."""
    return isinstance(error, OSError) and error.errno is not None


def _parquet_rows(path: Path) -> SourceRows:
    """Return the rows of a Parquet file, which are read batch by batch.

    Columns of kinds that `datasets` does not know, such as mappings, are none of them.
    """
    schema = pq.read_schema(path)
    known = [field for field in schema if _is_known(field)]
    features = Features.from_arrow_schema(pa.schema(known, metadata=schema.metadata))

    def read(columns: list[str]) -> Iterator[RowBatch]:
        first = 1
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH, columns=columns):
                    yield RowBatch(range(first, first + batch.num_rows), batch.to_pydict())
                    first += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            if _is_of_the_system(error):
                raise
            raise DataFormatError(
                path, None, f"the Parquet file is damaged from row {first} on ({_first_line(error)})."
            ) from None

    return SourceRows(name=str(path), features=features, read=read)


def _is_known(field: pa.Field) -> bool:
    try:
        Features.from_arrow_schema(pa.schema([field]))
    except ValueError:
        return False
    return True


def _from_hub(dataset: str, *, path: str, revision: str | None, name: str | None) -> dict[str, Dataset]:
    """Return the splits of a dataset on the Hub.

    Args:
        dataset: As the user wrote it.
        path: Its repository.
        revision: A branch, tag or commit of the repository.
        name: The configuration.
    """
    try:
        splits = load_dataset(path, name, revision=revision)
    except DatasetNotFoundError:
        raise UserError(
            f"{dataset}: there is neither a file or folder of this name nor a dataset on the Hub that you may read"
            f"{f' (revision {revision})' if revision else ''}; for a private or gated one log in by `hf auth login`."
        ) from None
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        raise UserError(
            f"{dataset} is a script, which is not run; many such datasets have a copy without one: "
            f"{path}@refs/convert/parquet{f':{name}' if name else ''}."
        ) from None
    except ValueError as error:
        known = re.search(r"\[.*\]", str(error), re.DOTALL)
        if "onfig" not in str(error) or known is None:
            raise UserError(f"{dataset} could not be read ({_first_line(error)}).") from error
        names = re.findall(r"'([^']*)'", known[0])
        raise UserError(
            f"{dataset}: say which of its configurations is meant, as in {path}:{names[0] if names else 'NAME'}; it "
            f"has {list_names(names, shown=20)}."
        ) from None
    except (OSError, DatasetsError) as error:  # OSError includes every failed connection
        raise UserError(
            f"{dataset}: there is no file or folder of this name, and it could not be fetched from the Hub "
            f"({type(error).__name__}). Either connect to the network, or give the folder of a copy that "
            "`save_to_disk` has written where there is one."
        ) from error
    return {str(split): rows for split, rows in splits.items()}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
