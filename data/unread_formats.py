"""Files of other programs that are not read as texts, and what helps."""

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".tar", ".tgz")
ADVICE = {
    "save it as CSV": (".ods", ".xls", ".xlsx"),
    "unpack it first": PACKED,
    "save it as plain text": (".pdf", ".hwp", ".hwpx", ".doc", ".docx", ".odt", ".rtf"),
}
"""What helps, and the endings of the names of the files."""


def advice_on(suffix: str) -> str | None:
    """Return what helps with a file whose name ends so; `None` if it may be text."""
    return next((advice for advice, suffixes in ADVICE.items() if suffix.lower() in suffixes), None)


def is_packed(suffix: str) -> bool:
    """Tell whether a file whose name ends so was packed from others."""
    return suffix.lower() in PACKED
