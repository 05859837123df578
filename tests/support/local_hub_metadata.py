"""Checks of the metadata at the top of a README.md, like those of the Hub."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

METADATA = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|\Z)", re.DOTALL)
REPOSITORY_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]+)?|code|multilingual")

# those that free software and corpora use, of the longer list of the Hub
LICENSES = {
    *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "zlib", "wtfpl", "mpl-2.0"),
    *("gpl", "gpl-2.0", "gpl-3.0", "agpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "epl-2.0", "eupl-1.1", "artistic-2.0"),
    *("cc", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
    *("cc-by-nd-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "odc-by", "odbl", "pddl", "openrail", "ofl-1.1"),
    *("unknown", "other"),
}
SDKS = {"gradio", "docker", "static", "streamlit"}
COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def read_metadata(readme: str) -> Any:
    """Return what stands between the lines `---` at the top; None if nothing does.

    Raises:
        yaml.YAMLError: If it is not YAML.
    """
    match = METADATA.match(readme)
    return yaml.safe_load(match[1]) if match else None


def check_metadata(readme: str, kind: str) -> tuple[list[str], list[str]]:
    """Return errors and warnings for the README.md of a repository of this kind, `models` or `spaces`."""
    try:
        metadata = read_metadata(readme)
    except yaml.YAMLError as error:
        return [f"YAML metadata is not valid: {error}"], []
    if metadata is None:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(metadata, dict):
        return [f"YAML metadata must be a mapping, got {metadata!r}."], []
    if kind == "spaces":
        return _space_errors(metadata), []
    # a model without a licence is accepted, or no plain `push_to_hub` would be
    warnings = [] if "license" in metadata else ['"license" is missing.']
    return [*_license_errors(metadata), *_model_errors(metadata)], warnings


def _license_errors(metadata: Mapping[str, Any]) -> list[str]:
    value = metadata.get("license", "other")
    licenses = value if isinstance(value, list) else [value]
    return [f'"license" must be one of the known ids, got {name!r}.' for name in licenses if name not in LICENSES]


def _model_errors(metadata: Mapping[str, Any]) -> list[str]:
    errors = []
    for field in ("language", "base_model", "datasets", "metrics", "tags"):
        value = metadata.get(field)
        values = value if isinstance(value, list) else [] if value is None else [value]
        pattern = {"language": LANGUAGE, "base_model": REPOSITORY_ID, "datasets": REPOSITORY_ID}.get(field)
        if field == "tags" and value is not None and not isinstance(value, list):
            errors.append('"tags" must be an array.')
        for item in values:
            if not isinstance(item, str):
                errors.append(f'"{field}" must hold strings, got {item!r}.')
            elif pattern and not pattern.fullmatch(item):
                errors.append(f'"{field}" with value "{item}" is not valid.')
    for field in ("pipeline_tag", "library_name"):
        if not isinstance(metadata.get(field, ""), str):
            errors.append(f'"{field}" must be a string.')
    return [*errors, *_result_errors(metadata.get("model-index", []))]


def _result_errors(index: Any) -> list[str]:
    if not isinstance(index, list):
        return ['"model-index" must be an array.']
    errors = []
    for entry in index:
        if not isinstance(entry, dict) or "name" not in entry or not isinstance(entry.get("results"), list):
            errors.append('each entry of "model-index" must have a "name" and an array "results".')
            continue
        for result in entry["results"]:
            if "type" not in result.get("task", {}):
                errors.append('a result of "model-index" needs "task.type".')
            if not {"type", "name"} <= set(result.get("dataset", {})):
                errors.append('a result of "model-index" needs "dataset.type" and "dataset.name".')
            if not all({"type", "value"} <= set(metric) for metric in result.get("metrics", [])):
                errors.append('a metric of "model-index" needs "type" and "value".')
    return errors


def _space_errors(metadata: Mapping[str, Any]) -> list[str]:
    errors = _license_errors(metadata)
    if metadata.get("sdk") not in SDKS:
        errors.append(f'"sdk" must be one of {sorted(SDKS)}, got {metadata.get("sdk")!r}.')
    for field in ("colorFrom", "colorTo"):
        if metadata.get(field, "gray") not in COLORS:
            errors.append(f'"{field}" must be one of {sorted(COLORS)}, got {metadata[field]!r}.')
    if len(str(metadata.get("short_description", ""))) > 60:
        errors.append('"short_description" must not be longer than 60 characters.')
    # YAML reads 5.0 as a number; the Hub wants the text
    if not isinstance(metadata.get("sdk_version", ""), str):
        errors.append('"sdk_version" must be a string.')
    return errors
